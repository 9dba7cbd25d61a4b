package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSettings holds the settings of what is measured against those that are
// deployed and told of.
func TestSettings(t *testing.T) {
	own := []string{"auto-aof-rewrite-percentage"} // of a measurement alone
	for _, file := range []string{"../deploy/redis/redis.conf", "../deploy/kubernetes/demo/redis.yaml", "../docs/deploy.md"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for pair := range slices.Chunk(settings.Args, 2) {
			name, ok := strings.CutPrefix(pair[0], "--")
			if !ok || len(pair) != 2 {
				t.Fatalf("%q is no setting", pair)
			}
			if slices.Contains(own, name) {
				continue
			}
			// A line of a configuration, or the first cell of a table.
			line := regexp.MustCompile("(?m)^(?: *|\\| `)" + regexp.QuoteMeta(name+" "+pair[1]) + "(?:$|`)")
			if !line.Match(raw) {
				t.Errorf("%s has no %s %s, which is measured with", file, name, pair[1])
			}
		}
	}
}

// TestGarbage is that all systems' workers collect garbage alike, and that it is said.
func TestGarbage(t *testing.T) {
	t.Setenv("GOGC", "100")
	e := tiny(t)
	srv, err := e.server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for kind, args := range map[string][]string{"flox": {srv.URL(), "chain"}, "asynq": {srv.Addr(), "asynq", "0"}} {
		p, err := e.worker(t.Context(), kind, args...)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		if vars := strings.Split(string(raw), "\x00"); !slices.Contains(vars, "GOGC=400") || slices.Contains(vars, "GOGC=100") {
			t.Errorf("the environment of a worker of %s has no GOGC=400: %q", kind, vars)
		}
	}
	if head := about(t.Context(), options{}, e.client(srv)).String(); !strings.Contains(head, "GOGC=400 for all workers") {
		t.Errorf("the head does not tell of GOGC: %s", head)
	}
}
