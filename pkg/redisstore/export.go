package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// Kinds of a Record.
const (
	RecordNamespace = "namespace"
	RecordWorkflow  = "workflow" // a flox.WorkflowInfo, with deadlineMs and retentionMs
	RecordRun       = "run"      // Value is a flox.RunInfo
	RecordToken     = "token"    // a flox.TokenInfo
	RecordInput     = "input"    // of a token, as JSON
	RecordState     = "state"    // a snapshot or delta, as JSON; Number is the version after it
	RecordOutput    = "output"   // as JSON; Number counts from 1
	RecordHistory   = "history"  // a flox.StepRecord, with tookMs for its duration
	RecordError     = "error"    // a flox.ErrorRecord
)

// Record is one thing that a namespace keeps, in a form that can be read.
type Record struct {
	Kind     string `json:"kind"`
	Run      string `json:"run,omitempty"`
	Token    string `json:"token,omitempty"`
	Number   int64  `json:"number,omitempty"`
	Snapshot bool   `json:"snapshot,omitempty"` // of a state: it stands for all before it
	Value    any    `json:"value"`
}

// ExportConfig says what Export reads. Its zero value reads everything.
type ExportConfig struct {
	flox.RunFilter // which runs
	// Broken is told what of a run cannot be read, and why; the rest is exported.
	// Default: nobody is.
	Broken func(run string, err error)
}

// Export yields all that the namespace keeps: the workflows, then run by run, those
// that have not ended first. It reads in parts, while everything may go on: each
// record is right for its moment. An error ends it: the server cannot be asked, or
// flox.ErrNotFound if there is nothing of the namespace's name.
func (s *Store) Export(ctx context.Context, cfg ExportConfig) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		x := &exporter{s: s, cfg: cfg, out: func(e exported) error {
			switch {
			case e.err == nil && !yield(e.Record, nil):
				return errEnough
			case e.err != nil && cfg.Broken != nil:
				cfg.Broken(e.Run, e.err)
			}
			return nil
		}}
		if err := x.export(ctx); err != nil && !errors.Is(err, errEnough) {
			yield(Record{}, fmt.Errorf("export namespace %s: %w", s.keys.ns, err))
		}
	}
}

// exporter is one export, or the part of it that exports one run.
type exporter struct {
	s   *Store
	cfg ExportConfig
	out func(exported) error // takes what is exported, errEnough if no more is wanted
}

// exported is a record, or what of a run cannot be read.
type exported struct {
	Record
	err error
}

func (x *exporter) put(r Record) error { return x.out(exported{Record: r}) }

// broken says that a part of a run cannot be read, and goes on. An error that is
// not the run's own ends the export.
func (x *exporter) broken(ctx context.Context, run, what string, err error) error {
	if transient(err) || ctx.Err() != nil || errors.Is(err, errEnough) {
		return err
	}
	if errors.Is(err, flox.ErrNotFound) {
		return nil // it was deleted meanwhile
	}
	return x.out(exported{Record{Run: run}, fmt.Errorf("%s: %w", what, err)})
}

func (x *exporter) export(ctx context.Context) error {
	used, err := x.s.used(ctx)
	if err == nil && !used {
		err = flox.ErrNotFound
	}
	if err != nil {
		return err
	}
	err = x.put(Record{Kind: RecordNamespace, Value: map[string]any{
		"name": x.s.keys.ns, "partitions": len(x.s.keys.parts), "format": format,
	}})
	if err != nil {
		return err
	}
	if err := x.exportWorkflows(ctx); err != nil {
		return err
	}
	l, err := x.s.listing(ctx, flox.ListRequest{RunFilter: x.cfg.RunFilter, Limit: listPart})
	if err != nil {
		return err
	}
	for {
		found, err := x.s.listNext(ctx, l)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(found[:min(len(found), l.Limit)], exportAhead) {
			if err := x.exportRuns(ctx, some); err != nil {
				return err
			}
		}
		if len(found) <= l.Limit {
			return nil
		}
		l.after = found[l.Limit-1]
	}
}

func (x *exporter) exportWorkflows(ctx context.Context) error {
	all, err := x.s.registrations(ctx)
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.err != nil {
			if err := x.broken(ctx, "", "workflow "+w.name, w.err); err != nil {
				return err
			}
			continue
		}
		if x.cfg.Workflow != "" && w.name != x.cfg.Workflow {
			continue
		}
		if err := x.put(Record{Kind: RecordWorkflow, Value: exportedWorkflow(w.info)}); err != nil {
			return err
		}
	}
	return nil
}
