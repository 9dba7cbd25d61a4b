package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Library is the input: so many books.
type Library struct{ Books int }

// State is merged from what all items add, and can be read at any time.
type State struct {
	Words      flox.MapOf[string, flox.Sum]
	Unreadable flox.List[int]
}

// read counts the words of a book. Book 5 is locked away at first; book 8 cannot
// be read at all.
func read(ctx *flox.Context[State], book int) (flox.Transition[int], error) {
	switch {
	case book == 5 && ctx.Attempt() == 1:
		return nil, flox.RetryAfter(50*time.Millisecond, errors.New("the shelf is locked"))
	case book == 8:
		return nil, flox.Permanent(errors.New("somebody has torn the pages out"))
	}
	words := flox.MapOf[string, flox.Sum]{}
	for _, w := range strings.Fields(text(book)) {
		words[w]++
	}
	ctx.Merge(State{Words: words})
	return flox.Next(book), nil
}

func text(book int) string { return "whale sea whale" + strings.Repeat(" ship", book%3) }

// words is how many words have been counted.
func words(s State) (n flox.Sum) {
	for _, count := range s.Words {
		n += count
	}
	return n
}

// skip is where a book goes that cannot be read. It comes to the join, too.
func skip(ctx *flox.Context[State], f flox.Failure[int]) (flox.Transition[int], error) {
	ctx.Merge(State{Unreadable: flox.List[int]{f.Input}})
	return flox.Next(f.Input), nil
}

func library() (*flox.Workflow[State, Library, int], error) {
	b := flox.New[State]("library")
	books := flox.Split(b, "books", func(l Library) []int {
		all := make([]int, l.Books)
		for i := range all {
			all[i] = i + 1
		}
		return all
	})
	read := flox.AddFunc(b, "read", read)
	skip := flox.AddFunc(b, "skip", skip)
	done := flox.Func(b, "done", func(_ context.Context, all []int) (int, error) { return len(all), nil })
	books.To(read)
	read.Join(done).OnFailure(skip)
	skip.Join(done)
	return flox.Build(b, books, done)
}

// work works on the library's runs until ctx ends.
func work(ctx context.Context, st flox.Store) error {
	wf, err := library()
	if err != nil {
		return err
	}
	worker, err := flox.NewWorker(st, &flox.WorkerConfig{Concurrency: 2}, wf)
	if err != nil {
		return err
	}
	return worker.Run(ctx)
}
