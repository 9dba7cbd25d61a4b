package checker

import (
	"fmt"
	"strings"
	"testing"
)

// ran is a run that has committed those items, as "item outcome".
func ran(steps ...string) *Run {
	r := &Run{ID: "r", Fields: map[string]string{"workflow": "wf"}, Tokens: map[string]Token{}}
	for _, s := range steps {
		item, outcome, _ := strings.Cut(s, " ")
		r.History = append(r.History, Step{Item: item, Outcome: outcome})
		r.history = append(r.history, s)
	}
	return r
}

// TestCauses says of some items whether anything led to them.
func TestCauses(t *testing.T) {
	deep := "0.0." + strings.Repeat("1.0.", 24) + "1" // a token of 101 bytes
	child := short(deep + ".4.2")
	steps := []string{"0.0 next", "0.1 fan", "0.2 next", "0.1.1.0 deposit", "0.1.2.0 fallback", "0.1.2.1 end", "r1.0 end", deep + ".4 fan",
		short(deep) + ".3 next", "w.5 x"}
	large := []string{"0.0 fan", "0.3 deposit"}
	for n := 1; n <= 300; n++ {
		large = append(large, fmt.Sprintf("0.0.%d.0 deposit", n))
	}
	for _, c := range []struct {
		item  string
		steps []string
		ok    bool
	}{
		{"0.0", steps, true}, {"0.1", steps, true}, {"0.3", steps, true}, {"0.4", steps, false},
		{"0.1.1.0", steps, true}, {"0.1.3.0", steps, true}, {"0.1.j.0", steps, true}, {"0.2.1.0", steps, false}, {"0.9.1.0", steps, false},
		{"0.1.1.1", steps, false}, {"0.1.2.1", steps, true}, {"0.1.2.2", steps, false}, {"0.1.0.0", steps, false}, {"0.1.k.0", steps, false},
		{"r1.0", steps, true}, {"r2.0", steps, true}, {"r0.0", steps, false}, {"u1.0", steps, false}, {"x.0", steps, false},
		{short(deep+".4.1") + ".0", steps, true}, {child + ".0", steps, true}, {short(short(deep+".4")+".j") + ".0", steps, true},
		{"h-0123456789012345678901234567890123456789.0", steps, false}, {short(deep) + ".4", steps, true},
		{"0.3", large, true}, {"0.2", large, true}, {"0.5", large, false}, {"0.0.301.0", large, true},
	} {
		token, step, ok := splitItem(c.item)
		if !ok {
			t.Errorf("splitItem(%q) fails", c.item)
		}
		if why := newLineage(ran(c.steps...)).cause(token, step); (why == "") != c.ok {
			t.Errorf("cause(%s) = %q, want one: %v", c.item, why, !c.ok)
		}
	}
}

func TestBranches(t *testing.T) {
	for _, c := range []struct {
		frame, item string
		index       int
		ok          bool
	}{
		{"0.1", "0.2", 0, true}, {"0.1", "0.1", 0, false}, {"0.1", "0.0", 0, false}, {"0.1", "0.1.3.0", 3, true}, {"0.1", "0.1.3.4.2.0", 3, true},
		{"0.1", "0.2.4.0", 0, true}, {"0.1", "0.0.4.0", 0, false}, {"0.1", "r1.2", 0, false}, {"0.1", "0.11.1.0", 0, true},
	} {
		if index, ok := branch(c.frame, c.item); index != c.index || ok != c.ok {
			t.Errorf("branch(%s, %s) = %d, %v, want %d, %v", c.frame, c.item, index, ok, c.index, c.ok)
		}
	}
}

// TestHistoryIsPutTogether has the first records as fields, the others in a list.
func TestHistoryIsPutTogether(t *testing.T) {
	r := &Run{ID: "r", Fields: map[string]string{"h:17": "x", "h:0": "x"}}
	for n := 1; n <= 18; n++ {
		if record := fmt.Sprintf("1|0.%d|node|next|1|w1|5", n); n <= 16 {
			r.Fields[fmt.Sprint("h:", n)] = record
		} else {
			r.listed = append(r.listed, record)
		}
	}
	r.decode()
	for i, s := range r.History {
		if s.Item != fmt.Sprint("0.", i+1) {
			t.Errorf("step %d is %s", i+1, s.Item)
		}
	}
	if len(r.History) != 18 || !r.whole() || len(r.Bad) > 0 {
		t.Errorf("a history of %d steps, whole: %v; %v", len(r.History), r.whole(), r.Bad)
	}
	if r.listed = make([]string, historyLimit); r.whole() {
		t.Error("a list that is full is taken for all that there ever was")
	}
}

// BenchmarkSee judges the commands of a run: 50 or so.
func BenchmarkSee(b *testing.B) {
	var lines []command
	p := &tape{t: &testing.T{}, m: newMirror(&Report{}, "flox:{n:")}
	p.at = p.at.AddDate(54, 0, 0)
	p.spy = func(c command) { lines = append(lines, c) }
	p.story()
	for b.Loop() {
		for _, c := range lines {
			p.m.see(c)
		}
	}
	b.ReportMetric(float64(b.N*len(lines))/b.Elapsed().Seconds(), "commands/s")
}
