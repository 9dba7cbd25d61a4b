// Package version names the build.
package version

// Set by the linker; see the Makefile and the Dockerfile.
var (
	Version  = "dev"
	Revision = "" // of the source, where the build has no repository to look it up in
)
