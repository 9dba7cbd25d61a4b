package flox

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Chan makes values for Source of what comes from ch until it is closed, each
// with a fresh run id. Close ch also after the context of Source has ended: one
// value that is sent then may be lost.
func Chan[T any](ch <-chan T) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for v := range ch {
			if !yield("", v) {
				return
			}
		}
	}
}

// Seq makes values for Source of those of seq, each with a fresh run id.
func Seq[T any](seq iter.Seq[T]) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for v := range seq {
			if !yield("", v) {
				return
			}
		}
	}
}

// Every makes a value for Source at each multiple of d by the clock (in UTC, as
// time.Truncate counts them), until ctx ends. The id names the tick, so that any
// number of machines start one run a tick between them. Ticks that pass while
// nobody asks are left out. Every panics if d is not positive.
func Every(ctx context.Context, d time.Duration) iter.Seq2[string, time.Time] {
	if d <= 0 {
		panic(fmt.Sprintf("flox: Every(%v): want more than 0", d))
	}
	return func(yield func(string, time.Time) bool) {
		var last time.Time
		for {
			now := time.Now()
			tick := now.UTC().Truncate(d).Add(d)
			if tick.Equal(last) { // the timer was early, by this clock
				tick = tick.Add(d)
			}
			if sleepOr(ctx, tick.Sub(now), nil) != nil || !yield(tickID(d, tick), tick) {
				return
			}
			last = tick
		}
	}
}

const (
	tickPrefix = "every-"
	tickTime   = "20060102T150405.999999999Z"
)

// tickID names a tick, as in "every-1h0m0s-20260102T150000Z".
func tickID(d time.Duration, tick time.Time) string {
	return tickPrefix + strings.ReplaceAll(d.String(), "µ", "u") + "-" + tick.Format(tickTime)
}

// isTick says that id was made by tickID.
func isTick(id string) bool {
	rest, ok := strings.CutPrefix(id, tickPrefix)
	if !ok {
		return false
	}
	every, at, _ := strings.Cut(rest, "-")
	_, wrong := time.ParseDuration(every)
	_, unlike := time.Parse(tickTime, at)
	return wrong == nil && unlike == nil
}
