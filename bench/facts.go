package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// facts are what the numbers hold for.
type facts struct {
	When        time.Time `json:"when"`
	Quick       bool      `json:"quick"`
	Repetitions int       `json:"repetitions"`
	CPUs        int       `json:"cpus"`
	Processor   string    `json:"processor"`
	Kernel      string    `json:"kernel"`
	Go          string    `json:"go"`
	Redis       string    `json:"redis"`
	Asynq       string    `json:"asynq"`
	Settings    string    `json:"settings"`
}

func about(ctx context.Context, o options, server *redis.Client) facts {
	return facts{
		When: time.Now().UTC().Truncate(time.Second), Quick: o.quick, Repetitions: o.repeat,
		CPUs: runtime.NumCPU(), Processor: firstMatch("/proc/cpuinfo", `(?m)^model name\s*:\s*(.*)$`),
		Kernel: firstMatch("/proc/sys/kernel/osrelease", `(\S+)`), Go: runtime.Version(),
		Redis: serverVersion(ctx, server), Asynq: moduleVersion("github.com/hibiken/asynq"),
		Settings: fmt.Sprintf("AOF everysec, one worker process, concurrency %d, GOGC=%s for all workers", concurrency, gogc),
	}
}

func (f facts) String() string {
	size := "full sizes"
	if f.Quick {
		size = "small sizes"
	}
	return fmt.Sprintf("%s, %d × %s, %s, Redis %s, asynq %s, Linux %s; %s; %s, repetitions: %d (median, least to most)",
		f.When.Format(time.DateOnly), f.CPUs, f.Processor, f.Go, f.Redis, f.Asynq, f.Kernel, f.Settings, size, f.Repetitions)
}

// firstMatch is the first group of a pattern in a file; "unknown" without one.
func firstMatch(file, pattern string) string {
	raw, _ := os.ReadFile(file)
	if m := regexp.MustCompile(pattern).FindSubmatch(raw); m != nil {
		return strings.TrimSpace(string(m[1]))
	}
	return "unknown"
}

// serverVersion is what a server says that it is.
func serverVersion(ctx context.Context, c *redis.Client) string {
	info, err := c.Info(ctx, "server").Result()
	if m := regexp.MustCompile(`(?m)^(?:redis|valkey)_version:(\S+)`).FindAllStringSubmatch(info, -1); err == nil && m != nil {
		return m[len(m)-1][1] // Valkey says its own after that of the Redis it is like
	}
	return "unknown"
}

// moduleVersion is the version of a module that this program is built with.
func moduleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return "unknown"
}
