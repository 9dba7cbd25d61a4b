package dashboards

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func TestDrawPlots(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	times := []time.Time{start, start.Add(time.Second), start.Add(3 * time.Second)}
	pic := string(DrawPlots("a <title>", times, []Plot{
		{Title: "Memory", Unit: "bytes", Lines: []PlotLine{{"used", []float64{1 << 20, math.NaN(), 2 << 20}}, {"kept", []float64{0, 0, 1 << 20}}}},
		{Title: "Nothing", Lines: []PlotLine{{"none", nil}}},
		{Title: "Keys", Unit: "short", Lines: []PlotLine{{"keys", []float64{1, 2, 3}}}},
	}))
	for d := xml.NewDecoder(strings.NewReader(pic)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"a &lt;title&gt;", ">Memory<", "2 MiB", ">Keys<", `class="line c1"`} {
		if !strings.Contains(pic, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
	if strings.Contains(pic, "NaN") {
		t.Error("the picture has a place that is not a number")
	}
}
