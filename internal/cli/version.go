package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/buildinfo"
)

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  wantArgs(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			b := buildinfo.Read()
			if a.structured() {
				return a.printOne(b)
			}
			a.printf("%s\n", strings.Join(strings.Fields("flox "+b.Version+" "+b.Revision+" "+b.Go), " "))
			return nil
		},
	}
}
