package main

import (
	"context"
	"slices"
)

// scenario is one row of the fault table.
type scenario struct {
	name string
	row  string // what is done, in words
	// topologies it runs on; none: single.
	topologies []string
	short      bool // quick enough for every change
	// bugs that it must find when the workers have them.
	bugs []string
	// unwatched leaves out the following of all commands, which slows the server
	// down: for scenarios that are about speed.
	unwatched bool
	// apart keeps others from running at the same time: for what is measured.
	apart bool
	// run starts the load, does the harm, and returns; the harness then lets the
	// deployment come to rest and judges it. Every fault must be told to the trial.
	run func(ctx context.Context, t *trial) error
}

// scenarios is the table, in the order of their files' names.
var scenarios []scenario

// register adds rows to the table. Each scenarios_<topic>.go does so when the
// program starts.
func register(rows ...scenario) { scenarios = append(scenarios, rows...) }

func (s scenario) on() []string {
	if len(s.topologies) == 0 {
		return []string{single}
	}
	return slices.Clone(s.topologies)
}
