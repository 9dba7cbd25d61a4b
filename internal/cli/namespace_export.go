package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

func (a *app) namespaceExportCmd() *cobra.Command {
	var filter filterFlags
	var file string
	cmd := &cobra.Command{
		Use:   "export [NAME]",
		Short: "Write all that a namespace keeps as JSON, a record a line",
		Long: `Write all that a namespace (NAME, else --namespace) keeps as JSON, one record a line,
to standard output or a new file. The field kind says what a record is: namespace,
workflow, and of each run: run, token, input, state, output, history, error. Inputs,
states and outputs are shown as JSON; fields that end with Ms are milliseconds.

What of a run cannot be read is named on standard error, the rest of it is written,
and the exit code is 1.`,
		Example: `  orchestrator namespace export --file backup.jsonl
  orchestrator namespace export --status failed --older-than 7d | jq 'select(.kind == "error")'`,
		Args: wantArgs(0, 1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			selected, err := filter.filter()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				if err := flox.CheckName("namespace", args[0]); err != nil {
					return flags.Usagef("%v", err)
				}
				a.namespace = args[0]
			}
			return a.lenient(cmd.Context(), func(ctx context.Context, st *redisstore.Store) error {
				return a.exportTo(file, func(w io.Writer) error { return a.export(ctx, st, selected, w) })
			})
		},
	}
	cmd.Flags().SortFlags = false
	filter.add(cmd.Flags())
	cmd.Flags().StringVar(&file, "file", "", "write to this new `file` instead")
	return cmd
}

// errBroken ends an export that has named what could not be read.
var errBroken = errors.New("some runs could not be read in full, see above; the rest was exported")

// exportTo calls write with standard output, or with a new file that appears when
// all is written.
func (a *app) exportTo(file string, write func(io.Writer) error) error {
	if file == "" {
		return write(a.stdout)
	}
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("--file=%s: is there already; want a new one", file)
	}
	part := file + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("--file=%s: %w", file, bare(err))
	}
	w := bufio.NewWriterSize(f, 1<<16)
	written := write(w)
	if written != nil && !errors.Is(written, errBroken) {
		_ = f.Close()
		_ = os.Remove(part)
		return written
	}
	if err := errors.Join(w.Flush(), f.Sync(), f.Close()); err != nil {
		_ = os.Remove(part)
		return fmt.Errorf("--file=%s: %w; nothing is kept of it", file, bare(err))
	}
	if err := os.Rename(part, file); err != nil {
		return fmt.Errorf("--file=%s: %w", file, bare(err))
	}
	return written
}

func (a *app) export(ctx context.Context, st *redisstore.Store, filter flox.RunFilter, w io.Writer) error {
	g, broken := a.gauge(), false
	records, runs := int64(0), int64(0)
	cfg := redisstore.ExportConfig{RunFilter: filter, Broken: func(run string, err error) {
		broken = true
		g.line.clear()
		what := "run " + run
		if run == "" {
			what = "namespace " + a.namespace
		}
		a.notef("%s: %s\n", what, oneLine(err.Error()))
	}}
	for r, err := range st.Export(ctx, cfg) {
		if err != nil {
			g.line.clear()
			if isNotFound(err) {
				return a.noNamespace(ctx, st, err)
			}
			return err
		}
		line, err := marshal(r, "", "")
		if err == nil {
			_, err = w.Write(append(line, '\n'))
		}
		if err != nil {
			return err
		}
		if records++; r.Kind == redisstore.RecordRun {
			runs++
		}
		g.show(-1, records, fmt.Sprintf("exported %s, %s records", runsOf(runs), number(records)))
	}
	g.line.clear()
	if g.line.terminal || w != io.Writer(a.stdout) {
		a.notef("exported %s, %s records\n", runsOf(runs), number(records))
	}
	if broken {
		return errBroken
	}
	return nil
}
