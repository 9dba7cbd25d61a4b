package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// linesFlags are the flags of start that are for many inputs.
type linesFlags struct {
	from, idField, batch string
}

const linesHelp = `With --from it starts a run for each line of a file, which is JSON, and blank lines
are skipped. The id of a run is taken from the line with --id-field; else it is made
from the workflow, --batch, the line, and how often the same line came before. So the
command can be repeated after any stop, also if lines were mended, removed or added:
it starts only what is missing, as long as the runs are kept. The same lines are
started anew with another --batch. A line that is wrong stops it: its number is named,
and what comes before it is started.`

// startsAtOnce is how many starts of a file are under way at a time.
const startsAtOnce = 128

func (f *linesFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.from, "from", "", "start a run for each line of this `FILE`, - for standard input")
	fs.StringVar(&f.idField, "id-field", "", "of --from: the `field` of a line that is its run's id")
	fs.StringVar(&f.batch, "batch", "", "of --from: another `name` starts the same lines anew")
}

// unused refuses what only goes with --from.
func (f *linesFlags) unused(given func(string) bool) error {
	for _, name := range []string{"id-field", "batch"} {
		if given(name) {
			return flags.Usagef("--%s: want --from too", name)
		}
	}
	return nil
}

// check refuses what does not go together.
func (f *linesFlags) check(given func(string) bool) error {
	for _, name := range []string{"input", "id", "if-exists", "wait"} {
		if given(name) {
			return flags.Usagef("--from and --%s: want one of them", name)
		}
	}
	switch {
	case f.from == "":
		return flags.Usagef("--from: empty; want a file, or - for standard input")
	case given("id-field") && f.idField == "":
		return flags.Usagef("--id-field: empty; want the name of a field")
	case given("id-field") && given("batch"):
		return flags.Usagef("--id-field and --batch: want one of them; the field is the whole id")
	}
	return nil
}

// startedLines is what starting a file came to.
type startedLines struct {
	Workflow string `json:"workflow"`
	Started  int64  `json:"started"`
	Existed  int64  `json:"existed"` // were there already
	Error    string `json:"error,omitempty"`
}

func (a *app) startLines(ctx context.Context, workflow string, f startFlags) error {
	if err := f.lines.check(f.given); err != nil {
		return err
	}
	opts, err := f.options()
	if err != nil {
		return err
	}
	file, err := a.openLines(ctx, f.lines.from)
	if err != nil {
		return err
	}
	defer file.close()
	tracing, err := f.trace.open(ctx, a)
	if err != nil {
		return err
	}
	defer tracing.Close()
	return a.long(ctx, func(ctx context.Context, s *session) error {
		info, err := s.workflow(ctx, workflow)
		if err != nil {
			return err
		}
		schema, err := parseSchema(info.Schema)
		if err != nil {
			return err
		}
		items := &lineItems{file: file, flags: f.lines, workflow: workflow, schema: schema, opts: opts, seen: map[uint64]int{}}
		items.start = func(run string) (flox.StartOption, func(bool, error)) {
			return tracing.Start(ctx, s.st.Namespace(), workflow, run)
		}
		return a.startItems(ctx, s, items)
	})
}

// startItems starts the runs and says how far it came, whatever happens.
func (a *app) startItems(ctx context.Context, s *session, items *lineItems) error {
	g := a.gauge()
	done, err := s.ctl.StartMany(ctx, items.workflow, items.all(ctx), &flox.StartManyConfig{
		Concurrency: startsAtOnce,
		Progress: func(r flox.StartManyResult) {
			g.show(items.file.share(), r.Started+r.Existed, startedText(r))
		},
	})
	g.line.clear()
	result := startedLines{Workflow: items.workflow, Started: done.Started, Existed: done.Existed}
	if err != nil {
		err = a.stopped(ctx, err)
		result.Error = oneLine(err.Error())
	}
	if a.structured() {
		return errors.Join(err, a.printOne(result))
	}
	a.printf("%s\n", startedText(done))
	return err
}

func startedText(r flox.StartManyResult) string {
	text := "started " + runsOf(r.Started)
	if r.Existed > 0 {
		text += fmt.Sprintf(", %s there already", number(r.Existed))
	}
	return text
}

// stopped says how to go on.
func (a *app) stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return because(err, "%v; repeat the command: it goes on from there", interrupted(ctx))
	}
	if _, ok := errors.AsType[*lineError](err); ok || errors.Is(err, flox.ErrRunExists) {
		return fmt.Errorf("%v; mend the line and repeat the command: it goes on from there", err)
	}
	return because(err, "%v; repeat the command: it goes on from there", err)
}
