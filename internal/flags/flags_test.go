package flags

import (
	"errors"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// newSet returns a set of one flag of each kind.
func newSet() (fs *pflag.FlagSet, lease *time.Duration, format *Choice) {
	fs = pflag.NewFlagSet("worker", pflag.ContinueOnError)
	lease = fs.Duration("drain-grace", time.Second, "")
	fs.Int("concurrency", 64, "")
	fs.Bool("embedded", false, "")
	format = NewChoice("text", "json")
	fs.Var(format, "log-format", "")
	return fs, lease, format
}

func TestCommandLineWinsOverEnvironment(t *testing.T) {
	t.Setenv("FLOX_DRAIN_GRACE", "3s")
	t.Setenv("FLOX_LOG_FORMAT", "json")
	fs, grace, format := newSet()
	if err := fs.Parse([]string{"--drain-grace=5s"}); err != nil {
		t.Fatal(err)
	}
	if err := FromEnv(fs); err != nil {
		t.Fatal(err)
	}
	if *grace != 5*time.Second || format.Value != "json" {
		t.Errorf("grace %v, format %s, want 5s of the command line and json of the environment", *grace, format)
	}
}

func TestWrongFlags(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--drain-grace=soon"}, `--drain-grace="soon": want a duration such as 10s or 1m30s`},
		{[]string{"--concurrency", "many"}, `--concurrency="many": want a whole number`},
		{[]string{"--embedded=perhaps"}, `--embedded="perhaps": want true or false`},
		{[]string{"--log-format=xml"}, `--log-format="xml": want text|json`},
		{[]string{"--log-format"}, `--log-format: want a value: text|json`},
		{[]string{"--lesae=1s"}, `unknown flag: --lesae; see worker --help`},
	} {
		fs, _, _ := newSet()
		err := Explain(fs.Parse(tt.args), "worker")
		if err == nil || err.Error() != tt.want || !errors.Is(err, ErrUsage) {
			t.Errorf("%v: error is %q, want the usage error %q", tt.args, err, tt.want)
		}
	}
}

func TestWrongEnvironment(t *testing.T) {
	for name, want := range map[string]string{
		"FLOX_DRAIN_GRACE": `FLOX_DRAIN_GRACE="wrong": want a duration such as 10s or 1m30s`,
		"FLOX_CONCURRENCY": `FLOX_CONCURRENCY="wrong": want a whole number`,
		"FLOX_LOG_FORMAT":  `FLOX_LOG_FORMAT="wrong": want text|json`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "wrong")
			fs, _, _ := newSet()
			if err := FromEnv(fs); err == nil || err.Error() != want || !errors.Is(err, ErrUsage) {
				t.Errorf("error is %q, want the usage error %q", err, want)
			}
		})
	}
}
