package proptest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
)

// Drive runs the cases on st at the same time, by workers that know all of
// them, and returns what is wrong with each, nil if nothing is. The seed is
// that of the crashes and pauses.
func Drive(ctx context.Context, st flox.Store, seed int64, cfg Config, cases []*Case) []error {
	ctx, cancel := context.WithTimeout(ctx, cfg.Limit)
	defer cancel()
	stop, end := context.WithCancel(ctx)
	f := &fleet{
		st: st, cfg: cfg, stop: stop, r: rand.New(rand.NewPCG(uint64(seed), 2)),
		crashes: cfg.Crashes, pauses: cfg.Pauses, told: hearsay{by: map[string]*heard{}},
	}
	for _, c := range cases {
		f.defs = append(f.defs, c.Definition())
	}
	for i := range cfg.Workers {
		f.hire(i)
	}
	errs := make([]error, len(cases))
	var runs sync.WaitGroup
	for i, c := range cases {
		runs.Go(func() { errs[i] = c.Run(ctx, st) })
	}
	runs.Wait()
	end()
	f.all.Wait()
	for i, c := range cases {
		if errs[i] == nil {
			info, err := st.Info(context.WithoutCancel(ctx), c.Name())
			errs[i] = errors.Join(err, f.told.check(c, info.Counts))
		}
		errs[i] = errors.Join(errs[i], errors.Join(f.errs...))
		if errs[i] != nil {
			errs[i] = fmt.Errorf("%w\n%s", errs[i], c)
		}
	}
	return errs
}

// Run starts the case's run on st, which others drive, waits for its end, and
// returns what is wrong with it, nil if nothing is. A case is run once.
func (c *Case) Run(ctx context.Context, st flox.Store) error {
	if err := c.flow.start(ctx, st, c); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	got, err := c.flow.wait(ctx, st, c.Name())
	if err != nil {
		return fmt.Errorf("%w\n%s", err, standing(st, c.Name()))
	}
	c.ends = 1
	want := expect(c.root, c.input, true)
	check := checker{ctx: ctx, st: st, c: c, want: want, got: got}
	if want.Failed == nil || !c.mends {
		return check.all()
	}
	if err := check.status(); err != nil {
		return err
	}
	c.armed.Store(false)
	if check.redone, err = c.mend(ctx, st, &check); err != nil {
		return fmt.Errorf("retry: %w", err)
	}
	if check.got, err = c.flow.wait(ctx, st, c.Name()); err != nil {
		return fmt.Errorf("after the retry: %w\n%s", err, standing(st, c.Name()))
	}
	c.ends = 2
	check.want, check.retried = expect(c.root, c.input, false), true
	return check.all()
}

// mend lets the failed run go on: from one of the nodes it came to, now and then,
// if it can go back to any; else from what failed.
func (c *Case) mend(ctx context.Context, st flox.Store, check *checker) (redone bool, err error) {
	control, r := flox.NewControl(st), rand.New(rand.NewPCG(uint64(c.Seed), 4))
	if r.IntN(2) == 0 {
		return false, control.Retry(ctx, c.Name())
	}
	// A worker whose item is dropped while it runs could find its own state cut back.
	if err := check.quiet(); err != nil {
		return false, err
	}
	steps, err := check.history()
	if err != nil {
		return false, err
	}
	for _, i := range r.Perm(len(steps)) {
		if err := control.RetryFrom(ctx, c.Name(), steps[i].Node); err == nil {
			return true, c.flow.signal(ctx, st, c) // what was answered is awaited again
		} else if !errors.Is(err, flox.ErrRefused) {
			return false, err
		}
	}
	return false, control.Retry(ctx, c.Name())
}

// standing says where the tokens of a run stand that does not end.
func standing(st flox.Store, run string) string {
	ctx := context.Background()
	info, err := st.Info(ctx, run)
	text := fmt.Sprintf("%+v %v", info, err)
	tokens, _, _ := st.Checkpoint(ctx, run, "", 20)
	for _, t := range tokens {
		text += fmt.Sprintf("\n%+v", t)
	}
	return text
}
