package flags

import (
	"errors"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"7d":    7 * 24 * time.Hour,
		"1d12h": 36 * time.Hour,
		"2w":    14 * 24 * time.Hour,
		"1.5h":  90 * time.Minute,
		"250ms": 250 * time.Millisecond,
		"0":     0,
	} {
		var got time.Duration
		fs := pflag.NewFlagSet("list", pflag.ContinueOnError)
		DurationVar(fs, &got, "older-than", "")
		if err := fs.Parse([]string{"--older-than=" + text}); err != nil || got != want {
			t.Errorf("--older-than=%s = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestWrongDuration(t *testing.T) {
	for _, text := range []string{"", "d", "7 days", "soon", "7", "300000y"} {
		var got time.Duration
		fs := pflag.NewFlagSet("list", pflag.ContinueOnError)
		DurationVar(fs, &got, "older-than", "")
		err := Explain(fs.Parse([]string{"--older-than=" + text}), "list")
		want := `--older-than="` + text + `": want a duration such as 90s, 1h30m or 7d`
		if err == nil || err.Error() != want || !errors.Is(err, ErrUsage) {
			t.Errorf("error is %v, want the usage error %s", err, want)
		}
	}
}
