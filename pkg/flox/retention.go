package flox

import (
	"time"
)

// DefaultRetention is how long a run is kept after its end unless its workflow
// says otherwise.
const DefaultRetention = 7 * 24 * time.Hour

// KeepForever is the retention of runs that are removed by Control.Delete alone.
const KeepForever time.Duration = -1

// minRetention is longer than any caller repeats a start.
const minRetention = time.Minute

// Retains returns how long runs of the workflow that ended so are kept, or
// KeepForever.
func (w WorkflowInfo) Retains(end Status) time.Duration {
	if d, ok := w.Retention[end]; ok {
		return d
	}
	return DefaultRetention
}

// Retention sets how long runs are kept after their end, before workers remove
// them: those that ended as named, or all if no end is named. Where several calls
// name an end the last one counts; the default is DefaultRetention. It is at least
// a minute, or KeepForever: a run that is gone would be done again by a late repeat
// of its start. What counts is what the workers said last, also for runs that have
// ended before; a failed run that is retried is kept anew.
func (b *Builder[S]) Retention(d time.Duration, ends ...Status) *Builder[S] {
	pos := callSite()
	if d < minRetention && d != KeepForever {
		b.w.mistake(pos, "workflow %s: Retention(%v): want at least %v, so that a late repeat of a start still finds the run, or KeepForever",
			b.w.name, d, minRetention)
	}
	if len(ends) == 0 {
		ends = terminalStatuses()
	}
	for _, end := range ends {
		if !end.Terminal() {
			b.w.mistake(pos, "workflow %s: Retention: no run ends as %q; want any of %q", b.w.name, end, terminalStatuses())
			continue
		}
		if b.w.retains == nil {
			b.w.retains = map[Status]time.Duration{}
		}
		b.w.retains[end] = d
	}
	return b
}

func terminalStatuses() []Status {
	return []Status{StatusCompleted, StatusFailed, StatusCancelled}
}
