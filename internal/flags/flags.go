// Package flags parses command lines whose flags may also come from the
// environment, and words what is wrong with them in one line.
package flags

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// ErrUsage is what every error about flags and their values is.
var ErrUsage = errors.New("usage")

type usageError struct{ text string }

func (e usageError) Error() string        { return e.text }
func (e usageError) Is(target error) bool { return target == ErrUsage }

// Usagef makes an ErrUsage.
func Usagef(format string, args ...any) error {
	return usageError{fmt.Sprintf(format, args...)}
}

// EnvName is the environment variable that stands for a flag: FLOX_ and the
// flag's name in capitals, dashes as underscores.
func EnvName(flag string) string {
	return "FLOX_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// FromEnv sets the flags that the command line did not from their environment
// variables. An empty variable counts as unset.
func FromEnv(fs *pflag.FlagSet) error {
	var first error
	fs.VisitAll(func(f *pflag.Flag) {
		value := os.Getenv(EnvName(f.Name))
		if f.Changed || value == "" || first != nil || f.Name == "help" || f.Name == "version" {
			return
		}
		if err := f.Value.Set(value); err != nil {
			first = Usagef("%s=%q: want %s", EnvName(f.Name), value, expected(f))
			return
		}
		f.Changed = true
	})
	return first
}

// Explain rewords an error of pflag's as an ErrUsage. program is whose --help
// to read.
func Explain(err error, program string) error {
	if err == nil || errors.Is(err, pflag.ErrHelp) || errors.Is(err, ErrUsage) {
		return err
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return Usagef("--%s=%q: want %s", bad.GetFlag().Name, bad.GetValue(), expected(bad.GetFlag()))
	}
	if bad, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return Usagef("--%s: want a value: %s", bad.GetFlag().Name, expected(bad.GetFlag()))
	}
	return Usagef("%v; see %s --help", err, program)
}

// expected says what a flag takes.
func expected(f *pflag.Flag) string {
	if _, ok := f.Value.(*Duration); ok {
		return wantDuration
	}
	switch f.Value.Type() {
	case "duration":
		return "a duration such as 10s or 1m30s"
	case "int", "int64":
		return "a whole number"
	case "bool":
		return "true or false"
	}
	return f.Value.Type()
}

// Choice is a flag value that is one of a few words.
type Choice struct {
	Value string
	Words []string
}

// NewChoice returns a Choice that stands at the first of words.
func NewChoice(words ...string) *Choice { return &Choice{Value: words[0], Words: words} }

// String returns the word chosen.
func (c *Choice) String() string { return c.Value }

// Set chooses a word.
func (c *Choice) Set(s string) error {
	for _, w := range c.Words {
		if s == w {
			c.Value = s
			return nil
		}
	}
	return fmt.Errorf("want %s", c.Type())
}

// Type lists the words.
func (c *Choice) Type() string { return strings.Join(c.Words, "|") }
