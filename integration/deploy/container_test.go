package deploy

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestImageIsConfined reads the Dockerfile: a static binary on a base that is named
// with a version, as a user who is not root.
func TestImageIsConfined(t *testing.T) {
	raw, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for what, want := range map[string]string{
		"static":          `(?m)CGO_ENABLED=0 go build -trimpath`,
		"pinned compiler": `(?m)^ARG GO_IMAGE=golang:\d+\.\d+\.\d+-\w+$`,
		"pinned base":     `(?m)^ARG BASE_IMAGE=gcr\.io/distroless/static-debian\d+:nonroot$`,
		"not root":        `(?m)^USER 65532:65532$`,
		"no shell":        `(?m)^CMD \["/usr/local/bin/worker"\]$`,
		"listens":         `(?m)^ENV FLOX_LISTEN=0\.0\.0\.0:9464$`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("Dockerfile: %s: no line matches %s", what, want)
		}
	}
	last := text[strings.LastIndex(text, "\nFROM "):]
	for _, bad := range []string{"\nRUN ", "\nADD ", ":latest", "USER root", "USER 0"} {
		if strings.Contains(last, bad) {
			t.Errorf("Dockerfile: the image has %q", strings.TrimSpace(bad))
		}
	}
}

// TestComposeIsConfined: no service may write its root file system, gain rights, or
// is published to other machines; images are named with a version.
func TestComposeIsConfined(t *testing.T) {
	raw, err := os.ReadFile("../../deploy/docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Image       string   `json:"image"`
			User        string   `json:"user"`
			ReadOnly    bool     `json:"read_only"`
			Privileged  bool     `json:"privileged"`
			CapAdd      []string `json:"cap_add"`
			CapDrop     []string `json:"cap_drop"`
			SecurityOpt []string `json:"security_opt"`
			Ports       []string `json:"ports"`
			Volumes     []string `json:"volumes"`
			NetworkMode string   `json:"network_mode"`
		} `json:"services"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Services) < 5 {
		t.Fatalf("%d services, want the stack", len(file.Services))
	}
	pinned := regexp.MustCompile(`^[\w./-]+:v?\d+\.\d+\.\d+`)
	for name, s := range file.Services {
		if !s.ReadOnly || s.Privileged || len(s.CapAdd) > 0 || s.NetworkMode == "host" || s.User == "root" || s.User == "0" ||
			!slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("service %s is not confined: %+v", name, s)
		}
		if !strings.HasPrefix(s.Image, "${FLOX_IMAGE:-flox}") && !pinned.MatchString(s.Image) {
			t.Errorf("service %s: image %q has no version", name, s.Image)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("service %s: port %q is open to other machines", name, p)
			}
		}
		for _, v := range s.Volumes {
			if strings.Contains(v, "docker.sock") || strings.HasPrefix(v, "./") && !strings.HasSuffix(v, ":ro") {
				t.Errorf("service %s: volume %q", name, v)
			}
		}
	}
}
