package graphsvg

import "strings"

// Sizes of text, in pixels.
const (
	nameSize  = 13
	labelSize = 11
	titleSize = 16
)

// textWidth is how wide s is at most in the fonts that a viewer may have for
// sans-serif: the picture cannot ask.
func textWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		switch {
		case strings.ContainsRune("iljtfI.,:;'|!()[]/ ·-", r):
			w += 0.38
		case strings.ContainsRune("mwMW@%", r), r > 0x2000:
			w += 1
		case r >= 'A' && r <= 'Z', r >= 0x80:
			w += 0.72
		default:
			w += 0.63
		}
	}
	return w * size
}
