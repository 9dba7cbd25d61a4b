//go:build compose

package compose

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/floxrun/flox/internal/dashboards"
)

// queries asks the stack's Prometheus all that the dashboards and the alerts ask,
// of the time since began.
func (s *stack) queries(began time.Time) string {
	live := &dashboards.Live{URL: "http://127.0.0.1:" + s.variable("FLOX_PROMETHEUS_PORT"), Start: began, End: time.Now()}
	results, err := live.Check(s.t.Context())
	if err != nil {
		s.t.Error(err)
	}
	empty := 0
	for _, r := range results {
		if r.Problem != "" {
			s.t.Error(r)
		}
		if r.Series == 0 {
			empty++
		}
	}
	if folder := os.Getenv("FLOX_PICTURES"); folder != "" {
		s.pictures(live, folder)
	}
	return fmt.Sprintf("%d queries, %d of them with a reason to be empty", len(results), empty)
}

// pictures writes what the dashboards show to a folder.
func (s *stack) pictures(live *dashboards.Live, folder string) {
	all, err := live.Pictures(s.t.Context())
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	for name, svg := range all {
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), svg, 0o644)
		}
	}
	if err != nil {
		s.t.Error(err)
	}
}
