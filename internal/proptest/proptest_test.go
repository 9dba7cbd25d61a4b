package proptest

import (
	"strings"
	"testing"
	"time"
)

// TestVariety checks that the cases are as varied as they claim to be: every
// kind of block is drawn often, and so are runs that complete, that fail, and
// that are undone or mended.
func TestVariety(t *testing.T) {
	const seeds = 600
	count := map[string]int{}
	for seed := range int64(seeds) {
		c, err := New(seed, 1+int(seed%18), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		c.signs(func(sign string) { count[sign]++ })
	}
	for _, sign := range strings.Fields("wait fan join split scatter big any race slow route side loop nest " +
		"collect ask hold quiet fallback rescue undo signal completes fails mended undone caught error unsure surely") {
		if count[sign] < seeds/50 {
			t.Errorf("%d of %d cases have %q, want more", count[sign], seeds, sign)
		}
	}
	t.Log(count)
}

// signs reports what is in the case and what its run must come to.
func (c *Case) signs(report func(string)) {
	drawing := c.flow.drawing()
	for _, name := range strings.Fields("wait fan join split scatter big any race slow route side nest collect ask hold quiet fallback rescue undo") {
		if strings.Contains(drawing, `"`+name) {
			report(name)
		}
	}
	want := expect(c.root, c.input, true)
	for sign, shown := range map[string]bool{
		"loop": strings.Contains(drawing, `"head`), "signal": len(c.signals) > 0,
		"completes": want.Failed == nil, "fails": want.Failed != nil,
		"mended": want.Failed != nil && c.mends, "undone": want.Failed != nil && len(c.undos) > 0,
		"caught": len(want.Must[caught]) > 0, "error": len(want.Must[failedTry]) > 0,
		"unsure": len(want.May) > 0, "surely": want.Failed != nil && len(want.May) == 0,
	} {
		if shown {
			report(sign)
		}
	}
}
