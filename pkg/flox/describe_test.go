package flox_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files in testdata")

type described struct{ N flox.Sum }

// describedFlow has an edge of every kind.
func describedFlow(t *testing.T, tune func(*flox.Builder[described])) *flox.Workflow[described, int, shape] {
	t.Helper()
	b := flox.New[described]("described").MaxSteps(100)
	flox.Variants[shape](b, circle{}, square{})
	split := flox.Split(b, "split", each[int]).Timeout(time.Second)
	work := flox.Func(b, "work", same[int]).Queue("slow").Alias("old").Retry(flox.RetryPolicy{MaxAttempts: 2})
	skip := flox.Func(b, "skip", conv[flox.Failure[int], int])
	sum := flox.Func(b, "sum", conv[flox.Joined[int, int], shape])
	round, rest := flox.Func(b, "round", same[circle]), flox.Func(b, "rest", same[shape])
	split.To(work)
	work.OnFailure(skip)
	flox.JoinWith(split, work, sum)
	flox.JoinWith(split, skip, sum)
	sum.Route(flox.Case(round).If(func(circle) bool { return true }), flox.When(func(shape) bool { return false }, rest), flox.Otherwise(rest))
	tune(b)
	wf, err := flox.Build(b, split, flox.As[shape](round), rest)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

// golden compares got with a file, or rewrites that.
func golden(t *testing.T, file, got string) {
	t.Helper()
	file = "testdata/" + file
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant that of %s; see -rewrite", got, file)
	}
}

func TestJSON(t *testing.T) {
	golden(t, "described.json", string(describedFlow(t, func(*flox.Builder[described]) {}).JSON())+"\n")
}

func TestFingerprint(t *testing.T) {
	first := describedFlow(t, func(*flox.Builder[described]) {}).Fingerprint()
	options := describedFlow(t, func(b *flox.Builder[described]) { b.MaxSteps(7).Queue("q").Timeout(time.Hour) }).Fingerprint()
	if options != first || len(first) != 16 {
		t.Errorf("fingerprint %q, with other options %q, want the same 16 characters", first, options)
	}
	type other struct{ N flox.Sum }
	b := flox.New[other]("described")
	a := flox.Func(b, "a", same[int])
	wf, err := flox.Build(b, a, a)
	if err != nil {
		t.Fatal(err)
	}
	if wf.Fingerprint() == first {
		t.Error("another graph has the same fingerprint")
	}
}
