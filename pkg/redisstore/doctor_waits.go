package redisstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// waitLists are by signal the tokens that wait for it, and those of which its list
// says so.
type waitLists map[string]*waitList

type waitList struct{ tokens, list map[string]bool }

func (w waitLists) of(signal string) *waitList {
	if w[signal] == nil {
		w[signal] = &waitList{map[string]bool{}, map[string]bool{}}
	}
	return w[signal]
}

func (w waitLists) token(token string, record tokenRecord) {
	if record.loc == "w" && record.signal != "" {
		w.of(record.signal).tokens[token] = true
	}
}

func (w waitLists) listed(signal, list string) {
	for token := range strings.SplitSeq(list, ",") {
		w.of(signal).list[token] = true
	}
}

// waiting looks whether a signal finds those who wait for it.
func (e *examiner) waiting(ctx context.Context, look *runLook, waits waitLists) error {
	key := e.s.keys.parts[look.part].run(look.id)
	for _, signal := range slices.Sorted(maps.Keys(waits)) {
		w := waits[signal]
		if maps.Equal(w.tokens, w.list) {
			continue
		}
		// Those that are listed the script finds by itself.
		maps.DeleteFunc(w.tokens, func(token string, _ bool) bool { return w.list[token] })
		missing := strings.Join(slices.Sorted(maps.Keys(w.tokens)), ",")
		wrong, err := e.asked(ctx, look.part, scriptWaits, []string{key}, signal, missing, e.mend)
		if err != nil {
			return err
		}
		if wrong == 1 {
			e.fixable(Finding{Kind: "wait-lost", Severity: SeverityError, Subject: "run " + look.id,
				Detail: fmt.Sprintf("the list of its tokens that wait for signal %s is wrong: the signal would miss some", signal),
				Fix:    "make the list anew"})
		}
	}
	return nil
}
