package checker_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/floxrun/flox/integration/checker"
)

func TestReadLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if log, err := checker.ReadLog(path); err != nil || len(log) != 0 {
		t.Errorf("a log that is not there = %v, %v, want none", log, err)
	}
	want := checker.Execution{
		At: time.Now().UTC(), Event: checker.Start, Worker: "w1", Run: "a", Item: "0.1.j.0", Node: "sum", Attempt: 2,
		Inputs: []string{"0.1.1.0", "0.2"},
	}
	end := want
	end.Event, end.Inputs, end.Err = checker.End, nil, "stopped"
	lines := append(want.Line(), end.Line()...)
	cut := append(slices.Clone(lines), `{"at":"20`...) // its process was killed
	if err := os.WriteFile(path, cut, 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := checker.ReadLog(path)
	if err != nil || len(log) != 2 {
		t.Fatalf("ReadLog = %v, %v, want two lines", log, err)
	}
	if !log[0].At.Equal(want.At) || !slices.Equal(log[0].Inputs, want.Inputs) || log[0].Node != "sum" || log[1].Err != "stopped" {
		t.Errorf("ReadLog = %+v", log)
	}
	if err := os.WriteFile(path, append(lines, "rubbish\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := checker.ReadLog(path); err == nil {
		t.Error("a line that is none was read")
	}
}
