package dashboards

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the files in deploy/grafana/dashboards")

// TestFiles checks that the files are what the dashboards are, and there is no
// other. With -update it writes them.
func TestFiles(t *testing.T) {
	dir := "../../deploy/grafana/dashboards"
	want := map[string]bool{}
	for _, d := range All() {
		text, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, d.File+".json")
		want[file] = true
		if *update {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s is not what internal/dashboards makes (error %v); run make dashboards", file, err)
		}
	}
	files, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !want[f] {
			t.Errorf("%s is not made by internal/dashboards", f)
		}
	}
}

// TestLayout checks that ids are unique and panels do not overlap, as Grafana
// would move them.
func TestLayout(t *testing.T) {
	type panel struct {
		ID      int    `json:"id"`
		Title   string `json:"title"`
		GridPos struct{ X, Y, W, H int }
	}
	for _, d := range All() {
		text, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Panels []panel }
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		ids, cells := map[int]bool{}, map[[2]int]string{}
		for _, p := range file.Panels {
			if ids[p.ID] || p.ID == 0 {
				t.Errorf("%s: %s has the id %d of another", d.Title, p.Title, p.ID)
			}
			ids[p.ID] = true
			if p.GridPos.X+p.GridPos.W > 24 {
				t.Errorf("%s: %s is wider than the page", d.Title, p.Title)
			}
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					if other, ok := cells[cell]; ok {
						t.Fatalf("%s: %s is over %s", d.Title, p.Title, other)
					}
					cells[cell] = p.Title
				}
			}
		}
	}
}

// promtool runs it in deploy/prometheus.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	bin, err := exec.LookPath("promtool")
	if err != nil {
		cache, _ := os.UserCacheDir()
		bin = filepath.Join(cache, "flox", "promtool")
		if _, err := os.Stat(bin); err != nil {
			t.Fatal("promtool not found; scripts/ensure-promtool.sh installs it")
		}
	}
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Dir = promDir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestPromtool has Prometheus' own tool judge the alerts and the configuration,
// run the cases of the alerts, and read every expression of the dashboards.
func TestPromtool(t *testing.T) {
	promtool(t, "check", "rules", "alerts.yml")
	promtool(t, "check", "config", "prometheus.yml")
	promtool(t, "test", "rules", "alerts_test.yml", "alerts_slow_test.yml")

	values := map[string]string{"__rate_interval": "20s", "__range": "1800s", "namespace": ".*", "queue": "(a|b)", "workflow": "w"}
	type recorded struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []recorded
	for _, d := range All() {
		for _, row := range d.Rows {
			for _, p := range row.Panels {
				for _, q := range p.Queries {
					rules = append(rules, recorded{"panel", substitute(q.Expr, values)})
				}
			}
		}
		for _, v := range d.Variables {
			rules = append(rules, recorded{"variable", substitute(v.Series, values)})
		}
	}
	// JSON is YAML; promtool takes each expression for a rule of its own.
	text, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "panels", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=none", file)
}
