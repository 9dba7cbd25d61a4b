package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// TestStartLinesGoesOn repeats the command after lines were mended, removed and
// added: what was started is left alone.
func TestStartLinesGoesOn(t *testing.T) {
	y := small(t)
	step := func(lines, out, errOut string) {
		t.Helper()
		code := ExitOK
		if errOut != "" {
			code = ExitError
		}
		y.wantIn(lines, code, out, errOut, "start", "order", "--from", "-")
	}
	good, twice := orders(10), `{"n":3}`+"\n"+` { "n": 3 }`+"\r\n\n"
	step(good+`{"n":"ten"}`+"\n"+`{"n":11}`, "started 10 runs\n",
		"error: standard input: line 11: input $.n: got string \"ten\", want integer; mend the line and repeat the command: it goes on from there\n")
	step(good+`{"n":10}`+"\n"+`{"n":11}`, "started 2 runs, 10 there already\n", "")
	step(`{"n":11}`+"\n"+orders(5)+`{"n":12}`, "started 1 run, 6 there already\n", "")
	step(twice, "started 1 run, 1 there already\n", "")
	step(`{"n":3}`, "started 0 runs, 1 there already\n", "")
	y.wantIn(good, 0, "started 10 runs\n", "", "start", "order", "--from", "-", "--batch", "2026-11-23")
	y.wantIn(good, 0, "started 10 runs\n", "", "start", "mail", "--from", "-")
	if n := len(y.runs(flox.RunFilter{})); n != 34 {
		t.Errorf("%d runs, want 34", n)
	}
}

// TestStartLinesIDs takes the ids from a field.
func TestStartLinesIDs(t *testing.T) {
	y := small(t)
	const lines = `{"n":1,"id":"o-1"}` + "\n" + `{"n":2,"id":4711}` + "\n"
	args := []string{"start", "order", "--from", writeFile(t, lines), "--id-field", "id"}
	y.want(0, "started 2 runs\n", "", args...)
	y.want(0, "{\"workflow\":\"order\",\"started\":0,\"existed\":2}\n", "", append(args, "-o", "jsonl")...)
	if got := fmt.Sprint(y.runs(flox.RunFilter{OlderThan: 0})); !strings.Contains(got, "o-1") || !strings.Contains(got, "4711") {
		t.Errorf("runs = %s, want o-1 and 4711", got)
	}
	for line, want := range map[string]string{
		`{"n":1}`:             `input $.id: missing, want the run's id`,
		`{"n":1,"id":"a b"}`:  `input $.id, the run's id: "a b": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`,
		`{"n":1,"id":["a"]}`:  `input $.id, the run's id: "[\"a\"]": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`,
		`{"n":1,"id":"mine"}`: `start: run mine exists already (pending); choose another id: it is a run of workflow mail, not order`,
	} {
		y.run("start", "mail", "--id", "mine", "--input", "1")
		y.wantIn(line, 1, "started 0 runs\n", "error: standard input: line 1: "+want+"; mend the line and repeat the command: it goes on from there\n",
			"start", "order", "--from", "-", "--id-field", "id")
	}
}

// TestStartLinesBad names the line, and where it can, the column.
func TestStartLinesBad(t *testing.T) {
	y := small(t)
	for line, want := range map[string]string{
		`{"n":1 2}`:                     `, column 8: invalid character '2' after object key:value pair; want one JSON value`,
		`{"n":1}{"n":2}`:                `, column 8: invalid character '{' after top-level value; want one JSON value`,
		`{"n":`:                         `, column 6: unexpected end of JSON input; want one JSON value`,
		"{\"n\":1,\"s\":\"\xff\"}":      `: not UTF-8; want one JSON value`,
		`{}`:                            `: input $.n: missing, want integer`,
		strings.Repeat(" ", 2<<20) + "": `: more than 1048576 bytes; pass large data by reference`,
	} {
		path := writeFile(t, `{"n":7}`+"\n\n\n"+line+"\n"+`{"n":8}`)
		r := y.run("start", "order", "--from", path, "-o", "json")
		wantErr := "orders.jsonl: line 4" + want + "; mend the line and repeat the command: it goes on from there"
		var got startedLines
		if err := json.Unmarshal([]byte(r.out), &got); err != nil || got.Error != wantErr || got.Started+got.Existed != 1 {
			t.Errorf("start -o json prints %s, %v, want one run and the error %q", r.out, err, wantErr)
		}
		if r.code != ExitError || r.errOut != "error: "+wantErr+"\n" {
			t.Errorf("start = %d %q, want 1 %q", r.code, r.errOut, wantErr)
		}
	}
	if n := len(y.runs(flox.RunFilter{})); n != 1 {
		t.Errorf("%d runs, want the one in front of the bad lines", n)
	}
}

// TestStartLinesKilled ends the command while it waits for a line: it says how
// far it came, and the next one goes on.
func TestStartLinesKilled(t *testing.T) {
	y := small(t)
	stdin, feed := io.Pipe()
	defer feed.Close()
	ctx, kill := context.WithCancel(t.Context())
	got := make(chan result)
	go func() { got <- y.runIn(ctx, stdin, "start", "order", "--from", "-") }()
	if _, err := io.WriteString(feed, orders(500)); err != nil {
		t.Fatal(err)
	}
	for len(y.runs(flox.RunFilter{})) < 500 {
		time.Sleep(time.Millisecond) // no event tells of it
	}
	kill()
	want := result{ExitError, "started 500 runs\n", "error: interrupted; repeat the command: it goes on from there\n"}
	if r := <-got; r != want {
		t.Errorf("start that is killed = %+v, want %+v", r, want)
	}
	y.wantIn(orders(800), 0, "started 300 runs, 500 there already\n", "", "start", "order", "--from", "-")
}

// TestStartLater checks the flags of all that is started.
func TestStartLater(t *testing.T) {
	y := small(t)
	y.want(0, "a\n", "", "start", "order", "--id", "a", "--input", `{"n":1}`, "--at", "2126-12-24 18:00", "--deadline", "3d", "--label", "shop=ber=lin")
	y.want(0, "a\n", "run a exists already; nothing was started\n", "start", "order", "--id", "a", "--if-exists", "return", "--input", `{"n":1}`)
	run, err := y.ctl.Show(t.Context(), "a")
	at := time.Date(2126, 12, 24, 18, 0, 0, 0, time.Local)
	if err != nil || run.Labels["shop"] != "ber=lin" || !run.Deadline.Equal(at.Add(3*24*time.Hour)) {
		t.Errorf("run = %+v, %v, want its label and its deadline three days after %v", run, err, at)
	}
	var got started
	r := y.run("start", "order", "--id", "a", "--if-exists", "return", "--input", `{"n":1}`, "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || got != (started{"a", false}) {
		t.Errorf("start of what exists -o json = %+v, want run a, not created", r)
	}
}
