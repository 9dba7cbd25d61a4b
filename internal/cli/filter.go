package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// statuses are those that a run can have, in the order of its life.
var statuses = []flox.Status{
	flox.StatusPending, flox.StatusRunning, flox.StatusPaused, flox.StatusUndoing,
	flox.StatusCompleted, flox.StatusFailed, flox.StatusCancelled,
}

// filterFlags are the flags that select runs, of every command that does.
type filterFlags struct {
	workflow             string
	status, label        []string
	olderThan, newerThan time.Duration
	flags                *pflag.FlagSet
}

func (f *filterFlags) add(fs *pflag.FlagSet) {
	f.addKinds(fs)
	flags.DurationVar(fs, &f.olderThan, "older-than", "only runs that ended, or if they have not, were started, this long ago or longer")
	flags.DurationVar(fs, &f.newerThan, "newer-than", "only runs that ended, or if they have not, were started, this long ago or less")
}

// addKinds adds the flags that do not look at a run's age.
func (f *filterFlags) addKinds(fs *pflag.FlagSet) {
	f.flags = fs
	fs.StringVar(&f.workflow, "workflow", "", "only runs of this workflow")
	fs.StringSliceVar(&f.status, "status", nil, "only runs with these `statuses`, comma-separated; active are all that have not ended")
	fs.StringArrayVar(&f.label, "label", nil, "only runs with this label, as `KEY=VALUE`; of several, with all")
}

// given reports whether any of the flags narrows the selection.
func (f *filterFlags) given() bool {
	return slices.ContainsFunc([]string{"workflow", "status", "label", "older-than", "newer-than"}, f.flags.Changed)
}

// filter checks the flags and returns what they select. An empty one is refused: it
// comes of a variable that is not set, and would select far more than is meant.
func (f *filterFlags) filter() (flox.RunFilter, error) {
	filter := flox.RunFilter{Workflow: f.workflow, OlderThan: f.olderThan, NewerThan: f.newerThan}
	var err error
	if f.flags.Changed("workflow") {
		if err = flox.CheckName("--workflow", f.workflow); err != nil {
			return filter, flags.Usagef("%v", err)
		}
	}
	if filter.Statuses, err = parseStatuses(f.status); err != nil {
		return filter, err
	}
	if filter.Labels, err = parseLabels(f.label); err != nil {
		return filter, err
	}
	switch {
	case f.flags.Changed("status") && len(f.status) == 0:
		return filter, flags.Usagef("--status: empty; want some of %s", strings.Join(statusWords(), ", "))
	case f.flags.Changed("older-than") && f.olderThan <= 0:
		return filter, flags.Usagef("--older-than=%v: want more than zero", f.olderThan)
	case f.flags.Changed("newer-than") && f.newerThan <= 0:
		return filter, flags.Usagef("--newer-than=%v: want more than zero", f.newerThan)
	case f.newerThan > 0 && f.olderThan > f.newerThan:
		return filter, flags.Usagef("--older-than=%v --newer-than=%v: no run is both; want the first to be the shorter", f.olderThan, f.newerThan)
	}
	return filter, nil
}

// parseStatuses reads the words of --status.
func parseStatuses(words []string) ([]flox.Status, error) {
	var selected []flox.Status
	for _, word := range words {
		switch {
		case word == "all":
			selected = append(selected, statuses...)
		case word == active:
			selected = append(selected, flox.ActiveStatuses()...)
		case slices.Contains(statuses, flox.Status(word)):
			selected = append(selected, flox.Status(word))
		default:
			return nil, flags.Usagef("--status=%q: %s", word, meant(word, statusWords()))
		}
	}
	slices.Sort(selected)
	return slices.Compact(selected), nil
}

// statusWords are what --status takes.
func statusWords() []string {
	words := []string{"all", active}
	for _, s := range statuses {
		words = append(words, string(s))
	}
	return words
}

// parseLabels reads values of --label. Which of two values of a key counts
// would be a guess.
func parseLabels(pairs []string) (map[string]string, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	labels := map[string]string{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, flags.Usagef("--label=%q: want KEY=VALUE", pair)
		}
		if _, twice := labels[key]; twice {
			return nil, flags.Usagef("--label=%q: %s is given twice; want one value", pair, key)
		}
		labels[key] = value
	}
	if err := flox.CheckLabels(labels); err != nil {
		return nil, flags.Usagef("--label: %v", err)
	}
	return labels, nil
}
