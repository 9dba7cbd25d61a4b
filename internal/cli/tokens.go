package cli

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// itemView is one item of a run: a step that is finished, or a token where it
// stands now.
type itemView struct {
	Item    string          `json:"item"` // <token>.<step>
	Node    string          `json:"node"`
	Status  string          `json:"status"`            // see items --help
	Outcome string          `json:"outcome,omitempty"` // of a finished step
	Place   flox.TokenPlace `json:"place,omitempty"`   // of a token
	Attempt int             `json:"attempt"`           // counted from 1
	Crashes int             `json:"crashes,omitempty"` // times it was started and lost
	Worker  string          `json:"worker,omitempty"`  // that did it, or is at it
	TookMs  *millis         `json:"tookMs,omitempty"`  // of the last attempt; so far, if it is in progress
	Time    time.Time       `json:"time,omitzero"`     // of the commit
	Queue   string          `json:"queue,omitempty"`   // of a token
	Signal  string          `json:"signal,omitempty"`  // it waits for
	Due     time.Time       `json:"due,omitzero"`      // when it is ready, or waits no longer
	Undoes  string          `json:"undoes,omitempty"`  // the node whose item it undid
	Share   float64         `json:"share,omitempty"`   // of the work that is done, as the node says: 0 to 1
	Note    string          `json:"note,omitempty"`    // what the node says
}

// Statuses of an item.
const (
	itemPending   = "pending"
	itemRunning   = "in progress"
	itemRetry     = "waiting retry"
	itemDelayed   = "delayed"
	itemSignal    = "waiting signal"
	itemParked    = "parked"
	itemHeld      = "held"
	itemFailed    = "failed"
	itemFallback  = "fallback"
	itemUndone    = "undone"
	itemCompleted = "completed"
)

// itemStatuses are those that an item can have, in the order of its life.
var itemStatuses = []string{
	itemPending, itemRunning, itemRetry, itemDelayed, itemSignal, itemParked,
	itemHeld, itemFailed, itemFallback, itemUndone, itemCompleted,
}

// stepItem is a finished step as an item.
func stepItem(s flox.StepRecord) itemView {
	took := asMillis(s.Duration)
	v := itemView{
		Item: s.Item, Node: s.Node, Status: itemCompleted, Outcome: s.Outcome, Attempt: s.Attempt,
		Worker: s.Worker, TookMs: &took, Time: s.Time, Undoes: s.Undoes,
	}
	switch s.Outcome {
	case "hold":
		v.Status = itemHeld
	case "fallback":
		v.Status = itemFallback
	case "undone":
		v.Status = itemUndone
	}
	return v
}

// tokenItem is a live token as an item. What its worker says of it is in doing.
func tokenItem(t flox.TokenInfo, run string, doing map[itemKey]flox.ActiveItem) itemView {
	v := itemView{
		Item: flox.ItemID(t.Token, t.Step), Node: t.Node, Status: tokenStatus(t), Place: t.Place,
		Attempt: t.Attempt + 1, Crashes: t.Crashes, Worker: ownerWorker(t.Owner),
		Queue: t.Queue, Signal: t.Signal, Due: t.Due,
	}
	if active, ok := doing[itemKey{run, v.Item}]; ok && t.Place == flox.PlaceLeased {
		took := asMillis(active.For)
		v.TookMs, v.Share, v.Note = &took, active.Share, active.Note
	}
	return v
}

func tokenStatus(t flox.TokenInfo) string {
	switch {
	case t.Failed:
		return itemFailed
	case t.Place == flox.PlaceLeased:
		return itemRunning
	case t.Place == flox.PlaceWaiting:
		return itemSignal
	case t.Place == flox.PlaceParked:
		return itemParked
	case t.Place == flox.PlaceDelayed && t.Attempt > 0:
		return itemRetry
	case t.Place == flox.PlaceDelayed:
		return itemDelayed
	}
	return itemPending
}

// failureItem is what a run failed of, whose token is gone because it undoes.
func failureItem(f flox.ErrorRecord) itemView {
	return itemView{Item: f.Item, Node: f.Node, Status: itemFailed, Attempt: f.Attempt, Worker: f.Worker, Time: f.Time}
}

// ownerWorker is the worker in the name of a lease: what it calls its leases ends
// in a number.
func ownerWorker(owner string) string {
	if i := strings.LastIndexByte(owner, '-'); i > 0 {
		return owner[:i]
	}
	return owner
}

// itemKey names an item among those of all runs.
type itemKey struct{ run, item string }

// doing returns what the workers say that they are doing.
func (s *session) doing(ctx context.Context) (map[itemKey]flox.ActiveItem, error) {
	workers, err := s.st.Workers(ctx)
	active := map[itemKey]flox.ActiveItem{}
	for _, w := range workers {
		for _, item := range w.Active {
			active[itemKey{item.Run, item.Item}] = item
		}
	}
	return active, err
}

const tokenPage = 500 // tokens asked for at a time

// tokens yields the live tokens of a run, page by page; those of a page by name.
// Each page is asked for with ask.
func (s *session) tokens(ctx context.Context, id string, ask asker) iter.Seq2[flox.TokenInfo, error] {
	return func(yield func(flox.TokenInfo, error) bool) {
		for cursor := ""; ; {
			var page []flox.TokenInfo
			err := ask(ctx, func(ctx context.Context) (err error) {
				page, cursor, err = s.st.Checkpoint(ctx, id, cursor, tokenPage)
				return err
			})
			if err != nil {
				yield(flox.TokenInfo{}, err)
				return
			}
			slices.SortFunc(page, func(x, y flox.TokenInfo) int { return strings.Compare(x.Token, y.Token) })
			for _, t := range page {
				if !yield(t, nil) {
					return
				}
			}
			if cursor == "" {
				return
			}
		}
	}
}
