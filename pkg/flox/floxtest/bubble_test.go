package floxtest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
)

// A test that is in a bubble already has its clock moved by the runs.
func TestInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		h := harness(t)
		floxtest.SignalAfter(h, 30*time.Hour, approve, true)
		h.Run(orderOf(500))
		h.Run(orderOf(500))
		if took := time.Since(begin); took != 60*time.Hour || h.Elapsed() != 30*time.Hour {
			t.Errorf("two runs took %v, the last one %v, want 60h and 30h", took, h.Elapsed())
		}
	})
}

func TestNeedsT(t *testing.T) {
	const want = `floxtest: a run needs a *testing.T for its virtual time, and New was given a *floxtest_test.recorder; give it one, or make the Harness inside synctest.Test`
	if got := record(t, func(t testing.TB) { harness(t).Run(orderOf(10)) }); got != want {
		t.Errorf("the test failed with\n%s\nwant\n%s", got, want)
	}
	const nothing = `floxtest: New was given a nil workflow; did Build return an error?`
	if got := record(t, func(t testing.TB) { floxtest.New[Books, Order, Receipt](t, nil) }); got != nothing {
		t.Errorf("the test failed with\n%s\nwant\n%s", got, nothing)
	}
}

// doomed are tests that fail, in bubbles of their own.
var doomed = map[string]struct {
	test func(t *testing.T)
	want []string
}{
	"failed": {
		func(t *testing.T) {
			h := harness(t)
			h.Fail("charge", 1, flox.Permanent(errGateway))
			h.Run(orderOf(10))
		},
		[]string{"bubble_test.go", "floxtest: run test failed: node charge: attempt 1: gateway is down", "path: split, price, total"},
	},
	"blocked": {
		func(t *testing.T) {
			h := harness(t)
			floxtest.FakeNode(h, "price", func(in Line) (int, error) { select {} })
			h.Run(orderOf(10, 20))
		},
		[]string{"bubble_test.go", "floxtest: the run does not end", "node price has not returned", "node price waits for its turn", "path: split"},
	},
	"leaked": {
		func(t *testing.T) {
			h := harness(t)
			floxtest.FakeNode(h, "price", func(in Line) (int, error) {
				go func() { select {} }()
				return in.Cents, nil
			})
			h.Run(orderOf(10))
		},
		[]string{"bubble_test.go", "floxtest: the run has ended, but goroutines that its nodes started have not"},
	},
	"panicked": {
		func(t *testing.T) {
			t.Cleanup(func() { harness(t).Run(orderOf(10)) })
		},
		[]string{"panic: testing: synctest.Run called during t.Cleanup"},
	},
}

// TestDoomed runs each doomed test in a process of its own.
func TestDoomed(t *testing.T) {
	const key = "FLOXTEST_DOOMED"
	if name := os.Getenv(key); name != "" {
		doomed[name].test(t)
		return
	}
	for name, d := range doomed {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDoomed$", "-test.timeout=1m")
			cmd.Env = append(os.Environ(), key+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("the test passed:\n%s", out)
			}
			for _, want := range d.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("the test failed with\n%s\nwant %s", out, want)
				}
			}
		})
	}
}
