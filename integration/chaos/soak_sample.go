package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/dashboards"
)

// sample is how the server and the workers stand at one moment.
type sample struct {
	at                                     time.Time
	memory, keys, consumers, connections   float64 // of the server; memory without that of its clients
	resident, goroutines, workers, runsEnd float64 // the first two of the largest worker
}

// sample reads a sample; what cannot be read just now is NaN.
func (s *soak) sample(ctx context.Context) sample {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	now := sample{at: time.Now(), memory: math.NaN(), keys: math.NaN(), consumers: math.NaN(), connections: math.NaN(),
		resident: math.NaN(), goroutines: math.NaN()}
	c := s.t.Nodes()[0]
	if info, err := c.InfoMap(ctx, "memory", "clients").Result(); err == nil {
		n := func(part, field string) float64 { f, _ := strconv.ParseFloat(info[part][field], 64); return f }
		now.memory = n("Memory", "used_memory") - n("Memory", "mem_clients_normal") - n("Memory", "mem_aof_buffer")
		now.connections = n("Clients", "connected_clients")
	}
	if keys, err := c.DBSize(ctx).Result(); err == nil {
		now.keys = float64(keys)
	}
	if n, err := s.consumers(ctx, c); err == nil {
		now.consumers = n
	}
	for _, address := range s.addresses() {
		m := metricsOf(ctx, address)
		if m["go_goroutines"] == 0 {
			continue
		}
		now.workers++
		if !(now.goroutines >= m["go_goroutines"]) {
			now.goroutines = m["go_goroutines"]
		}
		if !(now.resident >= m["process_resident_memory_bytes"]) {
			now.resident = m["process_resident_memory_bytes"]
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now.runsEnd = float64(len(s.ended))
	return now
}

// consumers counts those of all queues' groups.
func (s *soak) consumers(ctx context.Context, c *redis.Client) (float64, error) {
	sum := 0.0
	keys, err := c.Keys(ctx, "flox:{"+s.t.Namespace+":*}:queue:*").Result()
	for _, key := range keys {
		groups, e := c.XInfoGroups(ctx, key).Result()
		err = cmp.Or(err, e)
		for _, g := range groups {
			sum += float64(g.Consumers)
		}
	}
	return sum, err
}

// metricsOf reads the metrics without labels of a worker, none if it does not answer.
func metricsOf(ctx context.Context, address string) map[string]float64 {
	found := map[string]float64{}
	text, err := scrape(ctx, address)
	if err != nil {
		return found
	}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if f, err := strconv.ParseFloat(value, 64); ok && err == nil {
			found[name] = f
		}
	}
	return found
}

// draw writes the samples as a picture.
func (s *soak) draw(file string) error {
	var times []time.Time
	of := func(name string, value func(sample) float64) dashboards.PlotLine {
		line := dashboards.PlotLine{Name: name}
		for _, one := range s.samples {
			line.Values = append(line.Values, value(one))
		}
		return line
	}
	for _, one := range s.samples {
		times = append(times, one.at)
	}
	plots := []dashboards.Plot{
		{Title: "Memory of Redis", Unit: "bytes", Lines: []dashboards.PlotLine{of("used", func(s sample) float64 { return s.memory })}},
		{Title: "Keys", Unit: "short", Lines: []dashboards.PlotLine{of("keys", func(s sample) float64 { return s.keys })}},
		{Title: "Runs ended", Unit: "short", Lines: []dashboards.PlotLine{of("runs", func(s sample) float64 { return s.runsEnd })}},
		{Title: "Connections and consumers", Unit: "short", Lines: []dashboards.PlotLine{
			of("connections", func(s sample) float64 { return s.connections }), of("consumers", func(s sample) float64 { return s.consumers }),
		}},
		{Title: "Memory of the largest worker", Unit: "bytes", Lines: []dashboards.PlotLine{of("resident", func(s sample) float64 { return s.resident })}},
		{Title: "Goroutines of the largest worker", Unit: "short", Lines: []dashboards.PlotLine{of("goroutines", func(s sample) float64 { return s.goroutines })}},
	}
	title := fmt.Sprintf("%s of load, rolling restarts and faults", s.length)
	return os.WriteFile(file, dashboards.DrawPlots(title, times, plots), 0o644)
}
