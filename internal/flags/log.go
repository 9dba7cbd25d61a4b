package flags

import (
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/pflag"
)

// Log are the flags that say how a process logs.
type Log struct{ level, format *Choice }

// LogVars adds --log-level and --log-format.
func LogVars(fs *pflag.FlagSet) *Log {
	l := &Log{NewChoice("info", "debug", "warn", "error"), NewChoice("text", "json")}
	fs.Var(l.level, "log-level", "how much to log")
	fs.Var(l.format, "log-format", "how to log")
	return l
}

// Handler writes to w as the flags say.
func (l *Log) Handler(w io.Writer) slog.Handler {
	var level slog.Level
	_ = level.UnmarshalText([]byte(strings.ToUpper(l.level.Value))) // one of the words it knows
	opts := &slog.HandlerOptions{Level: level}
	if l.format.Value == "json" {
		return slog.NewJSONHandler(w, opts)
	}
	return slog.NewTextHandler(w, opts)
}
