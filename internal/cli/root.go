package cli

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// app is one invocation of the program.
type app struct {
	stdin  io.Reader
	stdout *sink
	stderr io.Writer

	redis, namespace string
	embedded         bool
	output           *flags.Choice
	timeout          time.Duration
	// Of the commands that change something; the others have none of the flags.
	durabilityFlags *pflag.FlagSet
	durability      *flags.Durability
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{stdin: stdin, stdout: &sink{w: stdout}, stderr: stderr, output: flags.NewChoice(formats...)}
	a.durabilityFlags = pflag.NewFlagSet("durability", pflag.ContinueOnError)
	a.durability = flags.DurabilityVars(a.durabilityFlags)
	return a
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   program,
		Short: "Start, watch and steer flox runs",
		Long: `Start, watch and steer flox runs.

The flags that all commands have may be environment variables instead: --redis is
FLOX_REDIS, --namespace FLOX_NAMESPACE, --output FLOX_OUTPUT, --timeout FLOX_TIMEOUT.
So may --durability (FLOX_DURABILITY) and --replicas of those that change runs.

Formats (--output): table is for people, wide the same with more columns; json is
one JSON object, jsonl one JSON object a line, a row of a list each. What is no
result, as how to go on with a list, goes to standard error.

Exit codes:
` + exitCodeHelp(),
		SilenceErrors: true, SilenceUsage: true,
		Args:              known,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: a.prepare,
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flags.Explain(err, cmd.CommandPath()) })
	a.globalFlags(root)
	root.AddCommand(a.startCmd(), a.showCmd(), a.listCmd(), a.watchCmd(), a.itemsCmd(), a.historyCmd(), a.errorsCmd(),
		a.stateCmd(), a.outputCmd(),
		a.pauseCmd(), a.resumeCmd(), a.cancelCmd(), a.retryCmd(), a.deleteCmd(), a.signalCmd(), a.graphCmd(),
		a.workflowsCmd(), a.workersCmd(), a.queuesCmd(), a.doctorCmd(), a.duCmd(), a.namespaceCmd(), a.serveCmd(), a.devCmd(), a.demoCmd(), a.siteCmd(), a.versionCmd())
	strict(root)
	a.completeAll(root)
	return root
}

// globalFlags adds the flags that all commands have.
func (a *app) globalFlags(root *cobra.Command) {
	p := root.PersistentFlags()
	p.SortFlags = false
	p.StringVar(&a.redis, "redis", "redis://127.0.0.1:6379", "`URL` of the Redis server")
	p.StringVar(&a.namespace, "namespace", "default", "`name` that keeps a deployment's keys apart")
	p.VarP(a.output, "output", "o", "how to print results")
	p.DurationVar(&a.timeout, "timeout", 0, "give up after this long (default 10s to answer, no limit to wait for a run)")
	p.BoolVar(&a.embedded, "embedded", false, "the Redis server is an embedded one")
	p.MarkHidden("embedded")
	completeFlag(root, "output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// prepare reads the environment for the flags not given and checks the global ones.
func (a *app) prepare(cmd *cobra.Command, _ []string) error {
	if err := flags.FromEnv(cmd.Root().PersistentFlags()); err != nil {
		return err
	}
	if cmd.Flags().Lookup("durability") != nil {
		if err := flags.FromEnv(a.durabilityFlags); err != nil {
			return err
		}
		if err := a.durability.Check(); err != nil {
			return err
		}
	}
	if err := flox.CheckName("--namespace", a.namespace); err != nil {
		return flags.Usagef("%v", err)
	}
	if a.timeout < 0 {
		return flags.Usagef("--timeout=%v: want zero or more", a.timeout)
	}
	return nil
}

// strict lets the commands that cobra adds refuse what they do not know, as ours
// do.
func strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error { return known(root, args) }
		case "completion":
			c.Args = known
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			for _, shell := range c.Commands() {
				shell.Args = wantArgs(0, 0, "")
			}
		}
	}
}

// known refuses args that lead to no command below cmd.
func known(cmd *cobra.Command, args []string) error {
	for _, name := range args {
		i := slices.IndexFunc(cmd.Commands(), func(c *cobra.Command) bool { return c.Name() == name })
		if i < 0 {
			return unknownCommand(cmd, name)
		}
		cmd = cmd.Commands()[i]
	}
	return nil
}

// unknownCommand names the command that was probably meant.
func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if near := nearest(name, names); near != "" {
		return flags.Usagef("command %q: unknown; did you mean %s?", name, near)
	}
	return flags.Usagef("command %q: unknown; see %s --help", name, cmd.CommandPath())
}

// wantArgs refuses other numbers of arguments than min to max (-1: no limit);
// what names them.
func wantArgs(min, max int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < min {
			return flags.Usagef("%s: %s is missing; usage: %s", cmd.Name(), what, cmd.UseLine())
		}
		if max >= 0 && len(args) > max {
			return flags.Usagef("%s: %q is one argument too many; usage: %s", cmd.Name(), args[max], cmd.UseLine())
		}
		return nil
	}
}

// wantRuns takes min to max run ids and checks them.
func wantRuns(min, max int) cobra.PositionalArgs {
	count := wantArgs(min, max, "RUN")
	return func(cmd *cobra.Command, args []string) error {
		if err := count(cmd, args); err != nil {
			return err
		}
		for _, id := range args {
			if err := flox.CheckName("run id", id); err != nil {
				return flags.Usagef("%v", err)
			}
		}
		return nil
	}
}

// printf writes to standard output.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.stdout, format, args...) }

// notef writes a remark that is no result to standard error.
func (a *app) notef(format string, args ...any) { fmt.Fprintf(a.stderr, format, args...) }
