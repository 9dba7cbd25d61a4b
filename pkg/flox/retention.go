package flox

import "time"

// DefaultRetention is how long a run is kept after its end unless its workflow
// says otherwise.
const DefaultRetention = 7 * 24 * time.Hour

// KeepForever is the retention of runs that are removed by Control.Delete alone.
const KeepForever time.Duration = -1

// Retains returns how long runs of the workflow that ended so are kept, or
// KeepForever.
func (w WorkflowInfo) Retains(end Status) time.Duration {
	if d, ok := w.Retention[end]; ok {
		return d
	}
	return DefaultRetention
}
