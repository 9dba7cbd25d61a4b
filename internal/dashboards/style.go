package dashboards

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// palette is how many colours series without one of their own take in turn.
const palette = 8

var style = func() string {
	light := map[string]string{
		"c0": "#2f6fb5", "c1": "#d9730d", "c2": "#2e8b57", "c3": "#b0307a", "c4": "#7a5cc4", "c5": "#a07800", "c6": "#0e8a94", "c7": "#6b6f76",
		"green": "#2e8b57", "red": "#c93434", "orange": "#d9730d", "yellow": "#a98600", "blue": "#2f6fb5", "purple": "#7a5cc4", "super-light-blue": "#6ba3d6",
	}
	dark := map[string]string{
		"c0": "#6aa5e8", "c1": "#ff9f45", "c2": "#6fcf97", "c3": "#ef7fbd", "c4": "#b39df0", "c5": "#e3c14b", "c6": "#4fd0d8", "c7": "#a5abb5",
		"green": "#6fcf97", "red": "#ff7b7b", "orange": "#ff9f45", "yellow": "#e3c14b", "blue": "#6aa5e8", "purple": "#b39df0", "super-light-blue": "#b5d6f5",
	}
	var b strings.Builder
	b.WriteString(`text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#24292f}` +
		`.head{font-size:19px;font-weight:600}.row{font-size:14px;font-weight:600}.name{font-size:12.5px;font-weight:600}` +
		`.small{font-size:11px;fill:#57606a}.strong{font-weight:600}.end{text-anchor:end}.mid{text-anchor:middle}` +
		`.value{font-size:28px;font-weight:600;text-anchor:middle}.none{font-size:12px;fill:#6e7781;text-anchor:middle}` +
		`.page{fill:#f6f8fa}.panel{fill:#fff;stroke:#d0d7de}.grid{stroke:#e4e8ec;fill:none}.line{fill:none;stroke-width:1.6}.key{stroke-width:3}.area{stroke:none;fill-opacity:.32}`)
	colorsOf(&b, light)
	b.WriteString(`@media (prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9ea7b3}.none{fill:#8b949e}` +
		`.page{fill:#0d1117}.panel{fill:#161b22;stroke:#30363d}.grid{stroke:#2a3038}`)
	colorsOf(&b, dark)
	b.WriteString("}")
	return b.String()
}()

// colorsOf writes rules for what is drawn in each colour.
func colorsOf(b *strings.Builder, of map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		fmt.Fprintf(b, ".line.%s{stroke:%s}.area.%s,.value.%s{fill:%s}", name, of[name], name, name, of[name])
	}
}
