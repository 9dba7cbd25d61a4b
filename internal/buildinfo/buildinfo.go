// Package buildinfo says which build of flox is running.
package buildinfo

import (
	"runtime"
	"runtime/debug"

	"github.com/floxrun/flox/internal/version"
)

// Info is what the linker recorded of the build.
type Info struct {
	Version  string `json:"version"`  // as the linker was told, else of the main module
	Revision string `json:"revision"` // of the source, "" if unknown
	Modified bool   `json:"modified"` // the source had changes that no revision holds
	Go       string `json:"go"`
}

// Read returns what is known of the running program.
func Read() Info {
	info := Info{Version: version.Version, Revision: version.Revision, Go: runtime.Version()}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	if info.Version == "dev" && build.Main.Version != "" {
		info.Version = build.Main.Version
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			info.Revision = s.Value
		case "vcs.modified":
			info.Modified = s.Value == "true"
		}
	}
	return info
}
