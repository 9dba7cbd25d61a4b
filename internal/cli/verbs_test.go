package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// TestBadVerbs checks, over every verb, the one line, the exit code, and that
// nothing was changed.
func TestBadVerbs(t *testing.T) {
	w := newWorld(t)
	if r := w.start("done", "greet"); r.code != ExitOK {
		t.Fatalf("start: %+v", r)
	}
	w.start("bad", "fail")
	w.ok("start", "greet", "--id", "later", "--delay", "1d", "--input", `{"name":"Ada"}`)
	if err := w.redis.Set("flox:{default:0}:run:foreign", "not a run"); err != nil {
		t.Fatal(err)
	}
	const select_ = `: RUN is missing; name runs, or select them with --workflow, --status, --label, --older-than, --newer-than or --all`
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{`pause done`, 7, `run "done": is completed; pause takes a running run`},
		{`resume bad`, 7, `run "bad": is failed; resume takes a paused run`},
		{`cancel done`, 7, `run "done": is completed; cancel takes a running or paused run`},
		{`retry done`, 7, `run "done": is completed; retry takes a failed run`},
		{`delete later`, 7, `run "later": is pending; delete takes a run that has ended`},
		{`pause nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`delete nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`delete later --namespace other`, 6, `run "later": not found; see: orchestrator list`},
		{`retry bad --from frist`, 2, `--from="frist": workflow fail has no such node; did you mean first?`},
		{`retry bad --from last`, 7, `run "bad": it cannot go back to node last: it never came there, or only in branches of a fan-out or as their join`},
		{`retry bad --from=`, 2, `--from: empty; want the name of a node`},
		{`retry nope --from first`, 6, `run "nope": not found; see: orchestrator list`},
		{`retry --workflow fail --from frist`, 2, `--from="frist": workflow fail has no such node; did you mean first?`},
		{`pause`, 2, `pause` + select_},
		{`delete`, 2, `delete` + select_},
		{`cancel --limit 5 --yes`, 2, `cancel` + select_},
		{`cancel later --workflow greet`, 2, `cancel: "later" and --workflow: want runs by their ids, or by filters`},
		{`cancel later --all`, 2, `cancel: "later" and --all: want runs by their ids, or by filters`},
		{`cancel later --dry-run`, 2, `cancel: "later" and --dry-run: want runs by their ids, or by filters`},
		{`cancel --all --workflow greet`, 2, `cancel: --all and a filter: want one of them`},
		{`cancel --all`, 2, `cancel: would cancel 1 run (greet 1 pending); pass --yes to do it`},
		{`cancel --workflow gret --yes`, 6, `workflow "gret": not registered; did you mean greet?`},
		{`cancel --workflow a/b`, 2, `--workflow "a/b": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`cancel --status odd`, 2, `--status="odd": want some of all, active, pending, running, paused, undoing, completed, failed, cancelled`},
		{`cancel --label shop`, 2, `--label="shop": want KEY=VALUE`},
		{`cancel --label a=1 --label a=2`, 2, `--label="a=2": a is given twice; want one value`},
		{`cancel --label a/b=1`, 2, `--label: label "a/b": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`cancel --older-than soon`, 2, `--older-than="soon": want a duration such as 90s, 1h30m or 7d`},
		{`cancel --older-than=-1d`, 2, `--older-than="-1d": want a duration such as 90s, 1h30m or 7d`},
		{`cancel --older-than 2d --newer-than 1d`, 2, `--older-than=48h0m0s --newer-than=24h0m0s: no run is both; want the first to be the shorter`},
		{`cancel --all --limit 0`, 2, `--limit=0: want 1 or more`},
		{`cancel --all --limit many`, 2, `--limit="many": want a whole number`},
		{`signal later`, 2, `signal: RUN or NAME is missing; usage: orchestrator signal RUN NAME [flags]`},
		{`signal later go`, 2, `--payload: missing, and standard input is empty; want JSON, @FILE, or - for standard input`},
		{`signal later go --payload {`, 1, `--payload: line 1, column 2: unexpected end of JSON input; want one JSON value`},
		{`signal later a/b --payload 1`, 2, `signal "a/b": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`signal later go --payload 1 --id=`, 2, `--id "": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`signal later go --payload 1`, 2, `signal "go": no step of workflow greet awaits any signal; --force sends it all the same`},
		{`signal nope go --payload 1`, 6, `run "nope": not found; see: orchestrator list`},
		{`signal done go --payload 1 --force`, 7, `run "done": is completed; signal takes a running or paused run`},
		{`start greet --from /nowhere`, 1, `--from=/nowhere: no such file or directory; want a file that can be read`},
		{`start greet --from=`, 2, `--from: empty; want a file, or - for standard input`},
		{`start greet --from - --input 1`, 2, `--from and --input: want one of them`},
		{`start greet --from - --wait`, 2, `--from and --wait: want one of them`},
		{`start greet --from - --id a`, 2, `--from and --id: want one of them`},
		{`start greet --from - --id-field=`, 2, `--id-field: empty; want the name of a field`},
		{`start greet --from - --id-field a --batch b`, 2, `--id-field and --batch: want one of them; the field is the whole id`},
		{`start gret --from -`, 6, `workflow "gret": not registered; did you mean greet?`},
		{`start greet --batch a --input 1`, 2, `--batch: want --from too`},
		{`start greet --input 1 --at noon`, 2, `--at="noon": want a time such as 2006-01-02T15:04:05Z or "2006-01-02 15:04"`},
		{`start greet --input 1 --at 2126-01-01T00:00:00Z --delay 1s`, 2, `--delay=1s --at="2126-01-01T00:00:00Z": want one of them`},
		{`start greet --input 1 --deadline 0`, 2, `--deadline=0s: want more than zero`},
		{`start greet --input 1 --label =x`, 2, `--label: label "": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`start fail --id later --if-exists return --input {"name":"Ada"}`, 7, `run "later": exists already (pending), of workflow greet; choose another --id`},
	} {
		before := w.dump()
		r := w.run(strings.Fields(tt.args)...)
		if r.code != tt.code || r.errOut != "error: "+tt.want+"\n" || r.out != "" {
			t.Errorf("%s:\n got %d %q %q\nwant %d %q", tt.args, r.code, r.errOut, r.out, tt.code, "error: "+tt.want+"\n")
		}
		if after := w.dump(); after != before {
			t.Errorf("%s: wrote to Redis; before:\n%s\nafter:\n%s", tt.args, before, after)
		}
	}
	for _, op := range []string{"pause", "resume", "cancel", "retry", "delete"} {
		r := w.run(op, "foreign")
		if r.code != ExitError || !strings.Contains(r.errOut, `a key of the run has a wrong type`) || strings.Count(r.errOut, "\n") != 1 {
			t.Errorf("%s of a key that is no run = %+v, want one line that says so", op, r)
		}
	}
	r := w.run("cancel", "nope", "done", "later")
	if r.code != ExitRefused || r.out != "later cancelled\n" || strings.Count(r.errOut, "\n") != 2 {
		t.Errorf("cancel of several = %+v, want a line for each and the exit code of the worst", r)
	}
}

// TestSignal sends signals to a run before and while a step waits for one.
func TestSignal(t *testing.T) {
	y := small(t)
	y.want(0, "a\n", "", "start", "order", "--id", "a", "--input", `{"n":1}`)
	const kept = "a keeps approved for the first step that awaits it; none does yet\n"
	y.want(0, kept, "", "signal", "a", "approved", "--payload", "1", "--id", "mail-1")
	y.want(0, kept, "", "signal", "a", "approved", "--payload", "1", "--id", "mail-1")
	y.want(7, "", "error: run \"a\": keeps an earlier approved that no step has awaited yet; see: orchestrator show a\n",
		"signal", "a", "approved", "--payload", "1")
	y.want(2, "", "error: signal \"aproved\": no step of workflow order awaits it; did you mean approved?; --force sends it all the same\n",
		"signal", "a", "aproved", "--payload", "1")
	y.want(2, "", "error: signal \"go\": no step of workflow order awaits it, only approved, paid; --force sends it all the same\n",
		"signal", "a", "go", "--payload", "1")
	y.want(0, "a keeps go for the first step that awaits it; none does yet\n", "", "signal", "a", "go", "--payload", "1", "--force")
	y.want(0, "{\"run\":\"a\",\"signal\":\"paid\",\"delivered\":false}\n", "", "signal", "a", "paid", "--payload", "1", "-o", "jsonl")
}

// TestSignalDelivered sends a signal to a step that waits for it.
func TestSignalDelivered(t *testing.T) {
	y := small(t)
	approved := flox.NewSignal[string]("approved")
	b := flox.New[flox.NoState]("ask")
	ask := flox.AddFunc(b, "ask", func(_ *flox.Context[flox.NoState], in int) (flox.Awaiting[int, string], error) {
		return flox.Await(approved, in, time.Hour), nil
	}).Awaits(approved)
	say := flox.Func(b, "say", func(_ context.Context, in flox.Answer[int, string]) (string, error) {
		return fmt.Sprint(in.Carry, " ", in.Payload), nil
	})
	ask.To(say)
	wf, err := flox.Build(b, ask, say)
	if err != nil {
		t.Fatal(err)
	}
	wk, err := flox.NewWorker(y.st, &flox.WorkerConfig{Logger: slog.New(slog.DiscardHandler)}, wf)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- wk.Run(ctx) }()
	defer func() { stop(); <-done }()
	for !wk.Ready() {
		time.Sleep(time.Millisecond) // no event tells of it
	}
	y.want(0, "a\n", "", "start", "ask", "--id", "a", "--input", "7")
	for {
		tokens, _, err := y.st.Checkpoint(t.Context(), "a", "", 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(tokens) == 1 && tokens[0].Place == flox.PlaceWaiting {
			break
		}
		time.Sleep(time.Millisecond)
	}
	y.want(0, "a got approved\n", "", "signal", "a", "approved", "--payload", `"yes"`)
	if r := y.run("watch", "a"); r.code != ExitOK || !strings.Contains(r.out, "7 yes") {
		t.Errorf("watch of the signalled run = %+v, want its output", r)
	}
}
