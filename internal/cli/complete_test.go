package cli

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// complete is what the shell offers, without the directive behind it.
func (w *world) complete(args ...string) []string {
	w.t.Helper()
	r := w.run(append([]string{cobra.ShellCompRequestCmd}, args...)...)
	words := strings.Split(strings.TrimSuffix(r.out, "\n"), "\n")
	if r.code != ExitOK || words[len(words)-1] != ":4" { // do not fall back to files
		w.t.Errorf("completion of %q = %+v, want 0 and :4 in the end", args, r)
	}
	return words[:len(words)-1]
}

func TestCompletion(t *testing.T) {
	w := newWorld(t)
	for _, run := range [][]string{{"greet", "done-1"}, {"fail", "bad-1"}} {
		w.start(run[1], run[0])
	}
	for _, id := range []string{"late-1", "late-2"} {
		w.ok("start", "greet", "--id", id, "--delay", "1h", "--label", "customer=7", "--input", `{"name":"Ada"}`)
	}
	w.ok("pause", "late-2")
	const done, bad = "done-1\tgreet completed", "bad-1\tfail failed"
	const one, two = "late-1\tgreet pending", "late-2\tgreet paused"
	for _, tt := range []struct{ args, want string }{
		{"show |", two + " " + one + " " + done + " " + bad},
		{"show la|", two + " " + one},
		{"show late-1 |", ""},
		{"items d|", done}, {"history d|", done}, {"errors d|", done}, {"state d|", done}, {"output d|", done}, {"watch d|", done},
		{"pause |", one}, {"resume |", two}, {"retry |", bad}, {"cancel |", two + " " + one},
		{"cancel late-1 |", two}, {"delete |", done + " " + bad}, {"signal |", two + " " + one},
		{"graph g|", "gate greet"}, {"graph --run d|", done}, {"workflows p|", "panic"}, {"workflows greet |", ""},
		{"start g|", "gate greet"},
		{"list --workflow f|", "fail"}, {"list --status can|", "cancelled"}, {"list --status failed,co|", "failed,completed"},
		{"list --label |", "customer="},
		{"items done-1 --node |", "first last"}, {"items done-1 --status |", strings.Join(itemStatuses, " ")},
		{"retry bad-1 --from l|", "last"},
		{"list -o |", "table wide json jsonl"},
	} {
		args := strings.Fields(strings.ReplaceAll(tt.args, "|", ""))
		if strings.HasSuffix(tt.args, " |") {
			args = append(args, "")
		}
		got := strings.Join(w.complete(args...), " ")
		if got != tt.want {
			t.Errorf("completion of %q = %q, want %q", tt.args, got, tt.want)
		}
	}
}

// TestCompletionIsSilent checks that the Tab key prints no error into what is being
// typed.
func TestCompletionIsSilent(t *testing.T) {
	for _, args := range [][]string{
		{"--redis", "redis://127.0.0.1:1", cobra.ShellCompRequestCmd, "show", ""},
		{"--redis", "nonsense", cobra.ShellCompRequestCmd, "show", ""},
		{"--namespace", "a/b", cobra.ShellCompRequestCmd, "start", ""},
	} {
		var out, errOut strings.Builder
		code := Run(t.Context(), args, strings.NewReader(""), &out, &errOut)
		if code != ExitOK || out.String() != ":4\n" || strings.Contains(errOut.String(), "error") {
			t.Errorf("%q = %d %q %q, want 0, nothing offered and no error", args, code, out.String(), errOut.String())
		}
	}
}

// TestEveryRunIsCompleted checks that no command was forgotten.
func TestEveryRunIsCompleted(t *testing.T) {
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			check(sub)
		}
		if c.ValidArgsFunction == nil && c.Name() != program {
			t.Errorf("%s completes no arguments", c.CommandPath())
		}
		for _, name := range []string{"workflow", "run", "label", "node", "status"} {
			_, ok := c.GetFlagCompletionFunc(name)
			if c.Flags().Lookup(name) != nil && !ok {
				t.Errorf("%s completes no --%s", c.CommandPath(), name)
			}
		}
	}
	root := newApp(nil, io.Discard, io.Discard).root()
	if !slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == "show" }) {
		t.Error("root has no command show")
	}
	check(root)
}
