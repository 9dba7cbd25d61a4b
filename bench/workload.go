package main

import (
	"context"
	"slices"
)

// workload is a group of rows of the table. Its systems are measured one after the
// other, and all of them again in each repetition.
type workload struct {
	name, about string
	systems     []system
	targets     []target
}

// names are those of its systems, each once: what one does may be measured in parts.
func (w workload) names() []string {
	var names []string
	for _, s := range w.systems {
		if !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
	}
	return names
}

// system is one way to do the workload, or a part of it.
type system struct {
	name string
	run  func(ctx context.Context, e *env) ([]Sample, error)
}

// target is what a number should come to, in the median of the repetitions.
type target struct {
	about          string
	system, metric string
	// over is what the number is divided by, in the same repetition: another system's
	// value of the metric, or another metric of the system's; at most one is set.
	overSystem, overMetric string
	least, stretch         float64
	most                   bool // least and stretch are upper bounds
}

// workloads returns all of them, in the order of the table.
func workloads() []workload {
	return []workload{w1(), w2(), w3(), w4(), w5(), w6(), w7()}
}

// kinds are the worker processes that this program can be, by name. Each works
// until its context ends.
var kinds = map[string]func(ctx context.Context, args []string) error{
	"flox":  floxWorker,
	"asynq": asynqWorker,
}
