package worker

import (
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// envMain makes a process of this test a worker's, see TestMain.
const envMain = "FLOX_TEST_WORKER_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(envMain) != "" {
		b := flox.New[flox.NoState]("job")
		node := flox.Func(b, "pass", newGate().pass)
		wf, err := flox.Build(b, node, node)
		if err != nil {
			panic(err)
		}
		Main(wf)
	}
	os.Exit(m.Run())
}

// TestGarbage asks worker processes how much their heap may grow.
func TestGarbage(t *testing.T) {
	for _, tt := range []struct{ name, env, want string }{
		{"not set", "", "400"},
		{"empty", "GOGC=", "400"},
		{"set", "GOGC=150", "150"},
		{"set to what Go begins with", "GOGC=100", "100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// It waits for a Redis that never comes: it need not work to be asked.
			address := freeAddress(t)
			cmd := exec.Command(os.Args[0], "--redis", dead, "--listen", address)
			cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOGC=") })
			cmd.Env = append(cmd.Env, envMain+"=1")
			if tt.env != "" {
				cmd.Env = append(cmd.Env, tt.env)
			}
			log := &lockedBuffer{}
			cmd.Stdout, cmd.Stderr = log, log
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			t.Cleanup(func() { cmd.Process.Kill() })
			s := &started{t: t, url: "http://" + address, log: log}
			var body string
			s.until("/metrics answers", func() bool {
				var code int
				code, body = s.get("/metrics")
				return code == http.StatusOK
			})
			if m := gogcPercent.FindStringSubmatch(body); m == nil || m[1] != tt.want {
				t.Errorf("with %q the worker's GC percent is %q, want %s", tt.env, m, tt.want)
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err != nil {
				t.Errorf("the worker ended with %v, want none; it said\n%s", err, log)
			}
		})
	}
}

var gogcPercent = regexp.MustCompile(`(?m)^go_gc_gogc_percent (\S+)$`)
