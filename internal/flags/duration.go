package flags

import (
	"errors"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/pflag"
)

// Duration is a flag value that also takes days, weeks and years, as 7d or 1d12h.
type Duration time.Duration

// DurationVar adds a flag whose value is a Duration.
func DurationVar(fs *pflag.FlagSet, p *time.Duration, name string, usage string) {
	fs.Var((*Duration)(p), name, usage)
}

// String returns the duration as time.Duration prints it, 0 for none.
func (d *Duration) String() string {
	if *d == 0 {
		return "0"
	}
	return time.Duration(*d).String()
}

// Set reads a duration.
func (d *Duration) Set(s string) error {
	parsed, err := time.ParseDuration(s)
	if err != nil {
		long, wrong := model.ParseDuration(s)
		if wrong != nil {
			return errors.New("want " + wantDuration)
		}
		parsed = time.Duration(long)
	}
	*d = Duration(parsed)
	return nil
}

// Type names the kind of value for the help.
func (*Duration) Type() string { return "duration" }

const wantDuration = "a duration such as 90s, 1h30m or 7d"
