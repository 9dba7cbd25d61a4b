package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
)

// callsShown is from how much on a command is worth a line, in µs a step.
const callsShown = 0.2

var commandStat = regexp.MustCompile(`(?m)^cmdstat_([a-z|]+):calls=\d+,usec=(\d+),`)

// calls says how long the server was in each command since the meter was started, for
// those that took a good part of it: for evalsha that is a script with all it calls,
// and what it has on top of those is Lua. They are metrics of their own, "in <command>".
func (m *meter) calls(ctx context.Context, workload, system string, steps int) ([]Sample, error) {
	info, err := m.redis.Info(ctx, "commandstats").Result()
	if err != nil {
		return nil, fmt.Errorf("commandstats: %w", err)
	}
	var all []Sample
	for _, c := range commandStat.FindAllStringSubmatch(info, -1) {
		took, err := strconv.ParseFloat(c[2], 64)
		if err != nil {
			return nil, fmt.Errorf("commandstats: %w", err)
		}
		if each := took / float64(steps); each >= callsShown {
			all = append(all, Sample{Workload: workload, System: system, Metric: "in " + c[1], Unit: "µs/step", Value: each})
		}
	}
	return all, nil
}
