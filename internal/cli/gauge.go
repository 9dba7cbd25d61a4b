package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// gaugeEvery is how often a gauge changes.
const gaugeEvery = 100 * time.Millisecond

// gauge shows on a terminal how far a long command has come.
type gauge struct {
	line    *progress
	began   time.Time
	changed time.Time
}

func (a *app) gauge() *gauge { return &gauge{line: a.progress(), began: time.Now()} }

// show shows the share that is done, from 0 to 1 or negative if nobody knows, and
// a text about the n things that are; now and then.
func (g *gauge) show(share float64, n int64, text string) {
	if now := time.Now(); g.line.terminal && now.Sub(g.changed) >= gaugeEvery {
		g.changed = now
		g.line.show(bar(share) + text + fmt.Sprintf(", %s/s", number(int64(g.rate(n)))))
	}
}

// rate is how many of n things were done a second.
func (g *gauge) rate(n int64) float64 { return float64(n) / max(time.Since(g.began).Seconds(), 1e-3) }

// bar draws a share, as in "[#####...............]  25% ".
func bar(share float64) string {
	if share < 0 {
		return ""
	}
	const width = 20
	share = min(share, 1)
	full := int(share * width)
	return fmt.Sprintf("[%s%s] %3d%% ", strings.Repeat("#", full), strings.Repeat(".", width-full), int(share*100))
}

// number writes n as in 12,345.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// runsOf is n runs, in words.
func runsOf(n int64) string {
	if n == 1 {
		return "1 run"
	}
	return number(n) + " runs"
}
