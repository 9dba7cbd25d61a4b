package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	strict "sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const manifests = "../../deploy/kubernetes"

// typed are the kinds of Kubernetes itself; their Go types are the schema.
var typed = map[string]func() any{
	"v1/ConfigMap":                  func() any { return &core.ConfigMap{} },
	"v1/Namespace":                  func() any { return &core.Namespace{} },
	"v1/Secret":                     func() any { return &core.Secret{} },
	"v1/Service":                    func() any { return &core.Service{} },
	"v1/ServiceAccount":             func() any { return &core.ServiceAccount{} },
	"apps/v1/Deployment":            func() any { return &apps.Deployment{} },
	"apps/v1/StatefulSet":           func() any { return &apps.StatefulSet{} },
	"policy/v1/PodDisruptionBudget": func() any { return &policy.PodDisruptionBudget{} },
}

// custom are the kinds of others: the module and the file that define them.
var custom = map[string][2]string{
	"keda.sh/v1alpha1/ScaledObject":       {"github.com/kedacore/keda/v2@v2.21.0", "config/crd/bases/keda.sh_scaledobjects.yaml"},
	"monitoring.coreos.com/v1/PodMonitor": {"github.com/prometheus-operator/prometheus-operator@v0.85.0", "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"},
}

// build returns the objects of an overlay, as YAML, by kind and name.
func build(t *testing.T, overlay string) map[string][]byte {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(manifests, overlay))
	if err != nil {
		t.Fatalf("kustomize build %s: %v", overlay, err)
	}
	objects := map[string][]byte{}
	for _, r := range resources.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		objects[r.GetApiVersion()+"/"+r.GetKind()+" "+r.GetName()] = text
	}
	return objects
}

// TestSchemas checks every object of every overlay against its schema: no field
// that it does not have, none of a wrong type.
func TestSchemas(t *testing.T) {
	seen := map[string]bool{}
	for _, overlay := range []string{"base", "demo", "production"} {
		for object, text := range build(t, overlay) {
			kind, _, _ := strings.Cut(object, " ")
			seen[kind] = true
			if err := check(t, kind, text); err != nil {
				t.Errorf("%s: %s: %v", overlay, object, err)
			}
		}
	}
	for kind := range custom {
		if !seen[kind] {
			t.Errorf("no overlay has a %s", kind)
		}
	}
}

func check(t *testing.T, kind string, text []byte) error {
	if made := typed[kind]; made != nil {
		data, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return err
		}
		unknown, err := strict.UnmarshalStrict(data, made())
		return errors.Join(append(unknown, err)...)
	}
	from, ok := custom[kind]
	if !ok {
		return fmt.Errorf("no schema for this kind")
	}
	var object any
	if err := yaml.Unmarshal(text, &object); err != nil {
		return err
	}
	return schemaOf(t, kind, from).Validate(object)
}

// TestSchemasRefuse makes sure that the checks can fail.
func TestSchemasRefuse(t *testing.T) {
	for object, change := range map[string][2]string{
		"apps/v1/Deployment flox-worker":            {"readOnlyRootFilesystem", "readOnlyRootFileSystem"},
		"policy/v1/PodDisruptionBudget flox-worker": {"maxUnavailable", "maxUnavailible"},
		"keda.sh/v1alpha1/ScaledObject flox-worker": {"minReplicaCount: 2", "minReplicaCount: two"},
		"monitoring.coreos.com/v1/PodMonitor flox":  {"podMetricsEndpoints", "podMetricEndpoints"},
	} {
		kind, _, _ := strings.Cut(object, " ")
		text := string(build(t, "production")[object])
		broken := strings.ReplaceAll(text, change[0], change[1])
		if text == "" || broken == text {
			t.Errorf("%s has no %s", object, change[0])
		}
		if check(t, kind, []byte(broken)) == nil {
			t.Errorf("%s with %s passed, want it refused", object, change[1])
		}
	}
}

// schemaOf reads the schema of a custom kind from the module that defines it.
func schemaOf(t *testing.T, kind string, from [2]string) *jsonschema.Resolved {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", from[0])
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.Output()
	var module struct{ Dir, Error string }
	if json.Unmarshal(out, &module) != nil || err != nil || module.Error != "" {
		t.Fatalf("go mod download %s: %v %s", from[0], err, module.Error)
	}
	raw, err := os.ReadFile(filepath.Join(module.Dir, from[1]))
	if err != nil {
		t.Fatal(err)
	}
	var definition struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema map[string]any }
			}
		}
	}
	if err := yaml.Unmarshal(raw, &definition); err != nil {
		t.Fatal(err)
	}
	for _, v := range definition.Spec.Versions {
		if !strings.Contains(kind, "/"+v.Name+"/") {
			continue
		}
		closed(v.Schema.OpenAPIV3Schema, true)
		text, _ := json.Marshal(v.Schema.OpenAPIV3Schema)
		var schema jsonschema.Schema
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatalf("schema of %s: %v", kind, err)
		}
		resolved, err := schema.Resolve(nil)
		if err != nil {
			t.Fatalf("schema of %s: %v", kind, err)
		}
		return resolved
	}
	t.Fatalf("%s does not define %s", from[1], kind)
	return nil
}

// closed makes a JSON Schema of one of the API server's: objects have no other
// properties than theirs, and what says x-kubernetes-int-or-string may be either.
func closed(node any, top bool) {
	switch n := node.(type) {
	case map[string]any:
		properties, ok := n["properties"].(map[string]any)
		_, more := n["additionalProperties"]
		if ok && !more && !top && n["x-kubernetes-preserve-unknown-fields"] != true {
			n["additionalProperties"] = false
		}
		if n["x-kubernetes-int-or-string"] == true {
			delete(n, "pattern")
			delete(n, "anyOf")
			n["type"] = []any{"integer", "string"}
		}
		delete(n, "format")
		for _, p := range properties {
			closed(p, false)
		}
		closed(n["items"], false)
		closed(n["additionalProperties"], false)
	}
}

// object decodes one object of an overlay.
func object[T any](t *testing.T, objects map[string][]byte, name string) T {
	t.Helper()
	var into T
	if objects[name] == nil {
		t.Fatalf("no %s", name)
	}
	if err := yaml.Unmarshal(objects[name], &into); err != nil {
		t.Fatal(err)
	}
	return into
}

// TestWorkerDrains checks what no schema can: that what belongs together fits.
func TestWorkerDrains(t *testing.T) {
	all := build(t, "production")
	worker := object[apps.Deployment](t, all, "apps/v1/Deployment flox-worker")
	pod := worker.Spec.Template.Spec
	grace := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second
	env := map[string]string{}
	for _, e := range pod.Containers[0].Env {
		env[e.Name] = e.Value
	}
	drain, err := time.ParseDuration(env["FLOX_DRAIN_GRACE"])
	if err != nil || grace < drain+5*time.Second {
		t.Errorf("the kubelet waits %v, a drain takes %v (%v): want 5 s more", grace, drain, err)
	}
	if worker.Spec.Replicas != nil {
		t.Errorf("replicas = %d: every apply would undo what the autoscaler did", *worker.Spec.Replicas)
	}
	budget := object[policy.PodDisruptionBudget](t, all, "policy/v1/PodDisruptionBudget flox-worker")
	selector, err := meta.LabelSelectorAsSelector(budget.Spec.Selector)
	if err != nil || !selector.Matches(labels(worker.Spec.Template.Labels)) {
		t.Errorf("the disruption budget selects %v (%v), the workers have %v", selector, err, worker.Spec.Template.Labels)
	}
	orchestrator := object[apps.Deployment](t, all, "apps/v1/Deployment flox-orchestrator")
	if selector.Matches(labels(orchestrator.Spec.Template.Labels)) {
		t.Error("the workers' disruption budget selects the orchestrator, too")
	}
}

// labels implements labels.Labels.
type labels map[string]string

func (l labels) Has(k string) bool              { _, ok := l[k]; return ok }
func (l labels) Get(k string) string            { return l[k] }
func (l labels) Lookup(k string) (string, bool) { v, ok := l[k]; return v, ok }

// TestPodsAreConfined checks what the restricted Pod Security Standard asks for
// (https://kubernetes.io/docs/concepts/security/pod-security-standards/), and that
// probes and ports fit.
func TestPodsAreConfined(t *testing.T) {
	all := build(t, "demo")
	pods := map[string]core.PodSpec{}
	for name := range all {
		switch {
		case strings.Contains(name, "/Deployment "):
			pods[name] = object[apps.Deployment](t, all, name).Spec.Template.Spec
		case strings.Contains(name, "/StatefulSet "):
			pods[name] = object[apps.StatefulSet](t, all, name).Spec.Template.Spec
		}
	}
	if len(pods) != 3 {
		t.Fatalf("demo has %d kinds of pods, want workers, orchestrator and Redis", len(pods))
	}
	for name, pod := range pods {
		c := pod.Containers[0]
		security := c.SecurityContext
		if pod.SecurityContext.RunAsNonRoot == nil || !*pod.SecurityContext.RunAsNonRoot ||
			pod.SecurityContext.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault ||
			*security.AllowPrivilegeEscalation || !*security.ReadOnlyRootFilesystem ||
			!slices.Equal(security.Capabilities.Drop, []core.Capability{"ALL"}) {
			t.Errorf("%s is not confined: %+v %+v", name, pod.SecurityContext, security)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
			t.Errorf("%s: resources = %+v, want a memory limit and a CPU request", name, c.Resources)
		}
		if c.Image == "flox:latest" && c.ImagePullPolicy != core.PullIfNotPresent {
			t.Errorf("%s: %s is pulled %q, want it to do when it is there", name, c.Image, c.ImagePullPolicy)
		}
		if p := c.LivenessProbe; p != nil && p.HTTPGet.Port.StrVal != c.Ports[0].Name {
			t.Errorf("%s: probed at %v, listens at %s", name, p.HTTPGet.Port, c.Ports[0].Name)
		}
	}
}

// TestOneRedis keeps the demo's Redis that of the compose file, so that what is
// tested there holds here.
func TestOneRedis(t *testing.T) {
	raw, err := os.ReadFile("../../deploy/docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	server := object[apps.StatefulSet](t, build(t, "demo"), "apps/v1/StatefulSet redis")
	if image := server.Spec.Template.Spec.Containers[0].Image; !strings.Contains(string(raw), "image: "+image+"\n") {
		t.Errorf("the demo runs %s, the compose file something else", image)
	}
}

// TestRedisIsTold checks that the demo's Redis is the process that gets SIGTERM, and
// that its password is not among its arguments.
func TestRedisIsTold(t *testing.T) {
	c := object[apps.StatefulSet](t, build(t, "demo"), "apps/v1/StatefulSet redis").Spec.Template.Spec.Containers[0]
	dir := t.TempDir()
	fake := "#!/bin/sh\necho pid $$ args \"$@\"; cat\n"
	if err := os.WriteFile(filepath.Join(dir, "redis-server"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), c.Command[0], c.Command[1:]...)
	cmd.Env, cmd.Stdout = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "PASSWORD=secret"}, &out
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("pid %d args /etc/redis/redis.conf -\nrequirepass secret\n", cmd.Process.Pid)
	if out.String() != want {
		t.Errorf("redis-server was started as %q, want %q", out.String(), want)
	}
}
