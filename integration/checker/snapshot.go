package checker

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed dump.lua
var dumpScript string

// Namespace says where a deployment's keys are.
type Namespace struct {
	Name string
	// Partitions of the namespace. 0: as the namespace's own record of it says.
	Partitions int
	// Masters are clients of all servers that have a part of the namespace.
	Masters []*redis.Client
}

// Snapshot is all that a namespace's partitions hold, each at one moment.
type Snapshot struct {
	Name  string
	Parts []*Part
}

// Read takes a snapshot. Each partition is read by one read-only script, so that
// it is consistent whatever goes on meanwhile. A server does nothing else while
// that script runs: some milliseconds for each hundred runs.
func Read(ctx context.Context, ns Namespace) (*Snapshot, error) {
	if ns.Partitions == 0 {
		var err error
		if ns.Partitions, err = ns.partitions(ctx); err != nil {
			return nil, fmt.Errorf("read namespace %s: %w", ns.Name, err)
		}
	}
	s := &Snapshot{Name: ns.Name}
	for number := range ns.Partitions {
		p, err := ns.part(ctx, number)
		if err != nil {
			return nil, fmt.Errorf("read partition %d of namespace %s: %w", number, ns.Name, err)
		}
		s.Parts = append(s.Parts, p)
	}
	return s, nil
}

func (ns Namespace) prefix(part int) string { return fmt.Sprintf("flox:{%s:%d}:", ns.Name, part) }

// patience is how often a part of a Cluster that has no owner at the moment is
// asked for again, every 50 ms.
const patience = 100

// anywhere asks the masters until one of them owns the key.
func (ns Namespace) anywhere(ctx context.Context, ask func(*redis.Client) error) error {
	var last error
	for range patience {
		for _, master := range ns.Masters {
			last = ask(master)
			if last == nil || !elsewhere(last) {
				return last
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), last)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return last
}

// elsewhere says whether another server may know the answer, or this one later.
func elsewhere(err error) bool {
	for _, code := range []string{"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "BUSY"} {
		if strings.HasPrefix(err.Error(), code) {
			return true
		}
	}
	return false
}

func (ns Namespace) partitions(ctx context.Context) (n int, err error) {
	err = ns.anywhere(ctx, func(master *redis.Client) error {
		n, err = master.HGet(ctx, "flox:{"+ns.Name+"}:config", "partitions").Int()
		return err
	})
	return n, err
}

func (ns Namespace) part(ctx context.Context, number int) (*Part, error) {
	var p *Part
	err := ns.anywhere(ctx, func(master *redis.Client) error {
		reply, err := master.Eval(ctx, dumpScript, []string{ns.prefix(number) + "delayed"}, ns.prefix(number)).Slice()
		if err != nil {
			return err
		}
		p, err = parsePart(number, ns.prefix(number), reply)
		return err
	})
	return p, err
}

// Run returns a run, nil if it is not there.
func (s *Snapshot) Run(id string) *Run {
	for _, p := range s.Parts {
		if r := p.Runs[id]; r != nil {
			return r
		}
	}
	return nil
}

// flat reads a list of text from a reply.
func flat(reply any) []string {
	list, _ := reply.([]any)
	texts := make([]string, len(list))
	for i, v := range list {
		switch v := v.(type) {
		case string:
			texts[i] = v
		case int64:
			texts[i] = strconv.FormatInt(v, 10)
		}
	}
	return texts
}

// pairs reads names and values that follow each other.
func pairs(reply any) map[string]string {
	list := flat(reply)
	m := make(map[string]string, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

// scores reads members and scores that follow each other.
func scores(reply any) map[string]int64 {
	m := map[string]int64{}
	for member, score := range pairs(reply) {
		f, _ := strconv.ParseFloat(score, 64)
		m[member] = int64(f)
	}
	return m
}
