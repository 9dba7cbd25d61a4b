package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

func (a *app) namespaceCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "namespace",
		Short: "List the namespaces of a server, export one, or delete one",
		Example: `  orchestrator namespace list
  orchestrator namespace export --file backup.jsonl
  orchestrator namespace delete staging --yes`,
		Args: known,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.namespaceListCmd(), a.namespaceExportCmd(), a.namespaceDeleteCmd())
	return cmd
}

var namespaceColumns = []column[redisstore.NamespaceInfo]{
	{"NAMESPACE", false, func(n redisstore.NamespaceInfo) any { return n.Name }},
	{"PARTITIONS", false, func(n redisstore.NamespaceInfo) any { return n.Partitions }},
	{"RUNS", false, func(n redisstore.NamespaceInfo) any { return number(n.Runs) }},
	{"ACTIVE", false, func(n redisstore.NamespaceInfo) any { return number(n.Active) }},
	{"WORKFLOWS", false, func(n redisstore.NamespaceInfo) any { return n.Workflows }},
	{"WORKERS", false, func(n redisstore.NamespaceInfo) any { return n.Workers }},
	{"FORMAT", true, func(n redisstore.NamespaceInfo) any { return n.Format }},
	{"TROUBLE", false, func(n redisstore.NamespaceInfo) any { return n.Trouble }},
}

func (a *app) namespaceListCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the namespaces on the server",
		Long:    "List the namespaces on the server. Workers are those that were seen within the last day.",
		Example: "  orchestrator namespace list -o json",
		Args:    wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.lenient(cmd.Context(), func(ctx context.Context, st *redisstore.Store) error {
				all, err := st.Namespaces(ctx)
				if err != nil {
					return err
				}
				return printRows(a, "namespaces", namespaceColumns, all)
			})
		},
	}
}

// noNamespace says that nothing is kept under the namespace's name, and which one
// was probably meant.
func (a *app) noNamespace(ctx context.Context, st *redisstore.Store, cause error) error {
	all, err := st.Namespaces(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, n := range all {
		names = append(names, n.Name)
	}
	switch near := nearest(a.namespace, names); {
	case near != "":
		return because(cause, "namespace %s: not found; did you mean %s?", a.namespace, near)
	case len(names) == 0:
		return because(cause, "namespace %s: not found, and there is none on this server", a.namespace)
	}
	return because(cause, "namespace %s: not found; want one of %s", a.namespace, strings.Join(names[:min(len(names), 20)], ", "))
}

func (a *app) namespaceDeleteCmd() *cobra.Command {
	var cfg redisstore.DestroyConfig
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a namespace with all its runs",
		Long: `Delete a namespace with all that it keeps, for good. It is refused while a worker is
alive (one that was killed is taken for dead after a minute) and, without --force,
while runs are active. After an interruption repeat it.`,
		Example: "  orchestrator namespace delete staging --yes",
		Args:    wantArgs(1, 1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flox.CheckName("namespace", args[0]); err != nil {
				return flags.Usagef("%v", err)
			}
			if !yes {
				return flags.Usagef("namespace delete %s: removes all its runs for good; add --yes to do so", args[0])
			}
			a.namespace = args[0]
			return a.lenient(cmd.Context(), func(ctx context.Context, st *redisstore.Store) error { return a.destroy(ctx, st, cfg) })
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "yes, delete it")
	cmd.Flags().BoolVar(&cfg.Force, "force", false, "also if runs are active")
	return cmd
}

func (a *app) destroy(ctx context.Context, st *redisstore.Store, cfg redisstore.DestroyConfig) error {
	g := a.gauge()
	cfg.Progress = func(keys int) { g.show(-1, int64(keys), fmt.Sprintf("deleted %s keys", number(int64(keys)))) }
	removed, err := st.Destroy(ctx, cfg)
	g.line.clear()
	switch {
	case errors.Is(err, flox.ErrNotFound):
		return a.noNamespace(ctx, st, err)
	case err != nil && removed > 0:
		return fmt.Errorf("%w; %s keys are deleted: repeat the command to go on", err, number(int64(removed)))
	case err != nil:
		return err
	}
	if a.structured() {
		return a.printOne(map[string]any{"namespace": a.namespace, "deletedKeys": removed})
	}
	a.printf("deleted namespace %s: %s keys\n", a.namespace, number(int64(removed)))
	return nil
}
