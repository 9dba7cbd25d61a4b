package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// clinic is the program on a real server, with runs and no worker.
type clinic struct {
	*testing.T
	server *testredis.Server
}

func newClinic(t *testing.T) clinic {
	t.Helper()
	c := clinic{t, testredis.Start(t)}
	c.register("default")
	return c
}

func (c clinic) register(namespace string) {
	c.Helper()
	st, err := redisstore.Open(c.Context(), redisstore.Config{URL: c.server.URL(), Namespace: namespace})
	if err != nil {
		c.Fatal(err)
	}
	defer st.Close()
	for _, name := range []string{"order", "parcel"} {
		err := st.Register(c.Context(), flox.WorkflowInfo{Name: name, StartNode: "first", StartQueue: name, Queues: []string{name}})
		if err != nil {
			c.Fatal(err)
		}
	}
	for _, id := range []string{"o-1", "o-2", "p-1"} {
		workflow := map[byte]string{'o': "order", 'p': "parcel"}[id[0]]
		if _, err := flox.NewControl(st).Start(c.Context(), workflow, []byte(`{"n":1}`), flox.WithID(id)); err != nil {
			c.Fatal(err)
		}
	}
}

func (c clinic) run(args ...string) result {
	c.Helper()
	var out, errOut strings.Builder
	code := Run(c.Context(), append([]string{"--redis", c.server.URL()}, args...), strings.NewReader(""), &out, &errOut)
	return result{code: code, out: out.String(), errOut: errOut.String()}
}

// want runs a command line and checks its exit code and parts of what it prints.
func (c clinic) want(code int, args []string, parts ...string) result {
	c.Helper()
	r := c.run(args...)
	if r.code != code {
		c.Errorf("%v = %+v, want exit code %d", args, r, code)
	}
	for _, part := range parts {
		if !strings.Contains(r.out+r.errOut, part) {
			c.Errorf("%v = %+v, want %q in it", args, r, part)
		}
	}
	return r
}

func (c clinic) do(args ...any) {
	c.Helper()
	client := c.server.Client()
	defer client.Close()
	if err := client.Do(c.Context(), args...).Err(); err != nil {
		c.Fatal(err)
	}
}

func words(line string) []string { return strings.Fields(line) }

func TestDoctor(t *testing.T) {
	c := newClinic(t)
	c.want(ExitUnhealthy, words("doctor"), "workflow-unserved", "queue-unserved", "problems left 4")
	for range 5 {
		c.do("ZADD", "flox:{default:0}:runs:failed", 1, strings.Repeat("x", 1+len(t.Name())%3)+"|order")
	}
	c.do("HSET", "flox:{default:0}:run:o-1", "live", 7)
	c.do("ZADD", "flox:{default:0}:delayed", 1, "ghost/0", 1, "ghost/1", 1, "ghost/2")

	r := c.want(ExitUnhealthy, words("doctor"), "counters-differ", "--fix: count anew")
	if lines := strings.Count(r.out, "timer-without-token"); lines != 3 {
		t.Errorf("doctor named %d timers, want each of 3 on a line:\n%s", lines, r.out)
	}
	c.want(ExitUnhealthy, words("doctor --limit 1"), "and more, see --limit: ", "timer-without-token")

	var found struct {
		Findings                []redisstore.Finding
		Found, Problems, Mended int
	}
	r = c.want(ExitUnhealthy, words("doctor --fix -o json"))
	if err := json.Unmarshal([]byte(r.out), &found); err != nil || found.Mended != 5 || found.Problems != 4 || len(found.Findings) != 9 {
		t.Errorf("doctor --fix -o json = %+v, %v, want 5 mended and 4 left", found, err)
	}
	r = c.want(ExitUnhealthy, words("doctor -o jsonl"))
	for line := range strings.Lines(r.out) {
		var f redisstore.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil || f.Kind == "" {
			t.Errorf("doctor -o jsonl printed %q, %v, want a finding", line, err)
		}
	}
	// One run is examined without its workers.
	c.want(ExitOK, words("doctor --run o-1"), "nothing found")
	c.do("HSET", "flox:{default:0}:run:o-1", "live", 7)
	c.want(ExitOK, words("doctor --run o-1 --fix"), "mended 1, problems left 0")

	c.want(ExitNotFound, words("doctor --run o-9"), `run "o-9": not found`)
	c.want(ExitOK, words("doctor --namespace nobody"), "namespace-empty")
	c.want(ExitUsage, words("doctor --limit -1"), "--limit=-1")
	c.want(ExitUsage, words("doctor --run a/b"), "--run")
	c.want(ExitUsage, words("doctor o-1"), "too many")
	c.want(ExitError, words("doctor --redis redis://127.0.0.1:1"), "cannot be reached")

	c.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	c.want(ExitUnhealthy, words("doctor"), "eviction-policy")
}

func TestDu(t *testing.T) {
	c := newClinic(t)
	c.want(ExitOK, words("du"), "WORKFLOW", "order", "parcel", "LARGEST RUNS", "o-1", "KiB")
	r := c.want(ExitOK, words("du --workflow order --top 1 -o json"))
	var u usageView
	if err := json.Unmarshal([]byte(r.out), &u); err != nil || u.Runs != 2 || len(u.Largest) != 1 || u.AverageBytes <= 0 {
		t.Errorf("du -o json = %+v, %v, want 2 runs, the largest named", u, err)
	}
	c.want(ExitOK, words("du --sample 1"), "reckoned from a sample")
	c.want(ExitOK, words("du --run p-1 -o jsonl"), `"run":"p-1"`)
	c.want(ExitNotFound, words("du --run p-9"), `run "p-9": not found`)
	c.want(ExitNotFound, words("du --workflow ordre"), "did you mean order?")
	c.want(ExitNotFound, words("du --namespace defualt"), "did you mean default?")
	for _, bad := range []string{"du --top 0", "du --sample 0", "du --run a --workflow b", "du --workflow a/b"} {
		c.want(ExitUsage, words(bad))
	}
}

func TestNamespace(t *testing.T) {
	c := newClinic(t)
	c.register("staging")
	c.register("staging.b")
	c.want(ExitOK, words("namespace list"), "default", "staging", "staging.b")
	var listed struct{ Namespaces []redisstore.NamespaceInfo }
	r := c.want(ExitOK, words("namespace list -o json"))
	if err := json.Unmarshal([]byte(r.out), &listed); err != nil || len(listed.Namespaces) != 3 || listed.Namespaces[1].Runs != 3 {
		t.Errorf("namespace list -o json = %+v, %v, want three with their runs", listed, err)
	}
	c.want(ExitUsage, words("namespace delete staging"), "--yes")
	c.want(ExitUsage, words("namespace delete"), "NAME is missing")
	c.want(ExitUsage, words("namespace delete a:b --yes"), "namespace")
	c.want(ExitUsage, words("namespace remove"), "unknown")
	c.want(ExitRefused, words("namespace delete staging --yes"), "3 runs have not ended")
	c.want(ExitOK, words("namespace delete staging --yes --force"), "deleted namespace staging")
	c.want(ExitNotFound, words("namespace delete staging --yes"), "did you mean staging.b?")
	c.want(ExitOK, words("namespace delete staging.b --yes --force -o json"), `"deletedKeys":`)
	c.want(ExitOK, words("list"), "o-1") // the others' runs are there
}

func TestNamespaceExport(t *testing.T) {
	c := newClinic(t)
	r := c.want(ExitOK, words("namespace export"))
	kinds := map[string]int{}
	for line := range strings.Lines(r.out) {
		var record struct{ Kind string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Errorf("namespace export printed %q: %v", line, err)
		}
		kinds[record.Kind]++
	}
	if kinds["namespace"] != 1 || kinds["workflow"] != 2 || kinds["run"] != 3 || kinds["token"] != 3 || kinds["input"] != 3 {
		t.Errorf("namespace export printed %v, want every kind", kinds)
	}
	if r.errOut != "" {
		t.Errorf("namespace export said %q, want nothing beside the records", r.errOut)
	}
	file := filepath.Join(t.TempDir(), "out.jsonl")
	c.want(ExitOK, []string{"namespace", "export", "default", "--workflow", "order", "--file", file}, "exported 2 runs")
	raw, err := os.ReadFile(file)
	if err != nil || strings.Count(string(raw), `"kind":"run"`) != 2 {
		t.Errorf("the file = %s, %v, want two runs", raw, err)
	}
	c.want(ExitError, []string{"namespace", "export", "--file", file}, "is there already")
	c.want(ExitError, []string{"namespace", "export", "--file", filepath.Join(file, "x")}, "--file=")
	c.want(ExitNotFound, words("namespace export defualt"), "did you mean default?")
	c.want(ExitUsage, words("namespace export --status nope"), "--status")

	c.do("HSET", "flox:{default:0}:run:o-1", "i:0", "x")
	broken := filepath.Join(t.TempDir(), "broken.jsonl")
	c.want(ExitError, []string{"namespace", "export", "--file", broken}, "run o-1: i:0: payload", "the rest was exported")
	if raw, err := os.ReadFile(broken); err != nil || strings.Count(string(raw), `"kind":"run"`) != 3 {
		t.Errorf("the file = %s, %v, want three runs", raw, err)
	}
}

// A full disk is one clear line and leaves no file behind.
func TestNamespaceExportToAFullDisk(t *testing.T) {
	c := newClinic(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var errOut strings.Builder
	code := Run(t.Context(), []string{"--redis", c.server.URL(), "namespace", "export"}, strings.NewReader(""), full, &errOut)
	if code != ExitError || strings.Count(errOut.String(), "\n") != 1 || !strings.Contains(errOut.String(), "no space left") {
		t.Errorf("export to a full disk = %d, %q, want one line about it", code, errOut.String())
	}
}
