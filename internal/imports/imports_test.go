// Package imports checks that imports point inward.
package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/floxrun/flox/"

type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
	Dir        string
	GoFiles    []string
}

func list(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps,Dir,GoFiles", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]pkg{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
		// What is opened makes a cached result of this test outdated when it changes.
		for _, file := range p.GoFiles {
			if strings.HasPrefix(p.ImportPath, module) {
				if _, err := os.ReadFile(filepath.Join(p.Dir, file)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestEngineIsSmall checks that the engine needs the standard library, msgpack
// and its own internal packages alone.
func TestEngineIsSmall(t *testing.T) {
	all := list(t)
	for _, dep := range all[module+"pkg/flox"].Deps {
		own := strings.HasPrefix(dep, module+"pkg/flox/internal/")
		if !all[dep].Standard && !own && !strings.HasPrefix(dep, "github.com/vmihailenco/") {
			t.Errorf("pkg/flox depends on %s; want the standard library and msgpack alone", dep)
		}
	}
}

// TestImportsPointInward checks who may import what.
func TestImportsPointInward(t *testing.T) {
	// Importing the key is allowed to the packages of the value alone.
	reserved := map[string][]string{
		"github.com/redis/go-redis/v9":        {"pkg/redisstore", "internal/testredis", "integration/checker", "integration/chaos"},
		"github.com/prometheus/client_golang": {"internal/metrics", "pkg/worker"},
		"github.com/spf13/cobra":              {"internal/cli", "pkg/worker"},
		"github.com/alicebob/miniredis/v2":    {"internal/cli", "internal/demo", "internal/demorun"},
		"github.com/google/go-cmp":            {"pkg/flox/floxtest"},
		module + "pkg/flox/internal/hook":     {"pkg/flox", "pkg/flox/floxtest"},
		"go.opentelemetry.io/otel":            {"pkg/floxotel", "internal/telemetry", "examples/tracing"},
		"go.opentelemetry.io/otel/sdk":        {"internal/telemetry", "examples/tracing"},
		"go.opentelemetry.io/otel/exporters":  {"internal/telemetry"},
		module + "internal/telemetry":         {"pkg/worker", "internal/cli"},
		module + "pkg/floxotel":               {"internal/telemetry", "examples/tracing"},
		module + "internal/demo":              {"internal/cli", "cmd/worker", "internal/demo", "internal/demorun"},
		module + "internal/dashboards":        {"integration/compose", "integration/chaos"},
		module + "internal/cli":               {"cmd/orchestrator"},
		module + "internal/demorun":           {"internal/cli"},
		module + "pkg/redisstore":             {"pkg/worker", "internal/metrics", "internal/cli", "internal/demorun", "internal/flags", "examples/checkpoint", "examples/distributed", "examples/distributed-orchestrator", "integration/chaos", "integration/load"},
	}
	for path, p := range list(t) {
		if !strings.HasPrefix(path, module) {
			continue
		}
		from := strings.TrimPrefix(path, module)
		for _, imp := range p.Imports {
			for target, allowed := range reserved {
				inside := imp == target || strings.HasPrefix(imp, target+"/")
				if inside && imp != path && !slices.Contains(allowed, from) && !strings.HasPrefix(path, target+"/") {
					t.Errorf("%s imports %s; only %v may", from, imp, allowed)
				}
			}
		}
	}
}

// TestCheckerSharesNothing checks that what judges the engine has none of its code.
func TestCheckerSharesNothing(t *testing.T) {
	for _, dep := range list(t)[module+"integration/checker"].Deps {
		if strings.HasPrefix(dep, module) {
			t.Errorf("integration/checker depends on %s; want nothing of this module", dep)
		}
	}
}
