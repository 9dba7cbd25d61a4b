package deploy

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestUnits has systemd read the units.
func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed here; the units are not checked")
	}
	for name, instance := range map[string]string{
		"flox-worker@.service":      "flox-worker@1.service",
		"flox-orchestrator.service": "flox-orchestrator.service",
	} {
		raw, err := os.ReadFile(filepath.Join("../../deploy/systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		if out := verify(t, analyze, instance, raw); len(out) > 0 {
			t.Errorf("%s: %s", name, out)
		}
		broken := bytes.Replace(raw, []byte("ProtectSystem=strict"), []byte("ProtectSystem=maybe"), 1)
		if out := verify(t, analyze, instance, broken); len(out) == 0 {
			t.Errorf("%s with a wrong value passed, want it refused", name)
		}
	}
}

var program = regexp.MustCompile(`(?m)^ExecStart=\S+`)

// verify returns what systemd says of a unit. Its program need not be there.
func verify(t *testing.T, analyze, name string, unit []byte) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, program.ReplaceAll(unit, []byte("ExecStart=/bin/true")), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", file).CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return out
}
