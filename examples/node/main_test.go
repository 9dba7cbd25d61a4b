package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/floxrun/flox/pkg/flox"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := `to ada@example.org [memory/reminder-1017/0.1]: Dear Ada, invoice 1017 over €95.00 is due.
1 mail sent: Dear Ada, invoice 1017 over €95.00 is due.
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}

// flaky is a mail server that is down for the first two mails.
type flaky struct{ keys []string }

func (f *flaky) Send(_ context.Context, key string, _ Mail) error {
	if f.keys = append(f.keys, key); len(f.keys) < 3 {
		return errors.New("connection refused")
	}
	return nil
}

// TestServerDown checks that the mail is tried again under the same key, and
// counted once. The waits in between take no time in a synctest bubble.
func TestServerDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &flaky{}
		wf, err := remind(server)
		if err != nil {
			t.Fatal(err)
		}
		res, err := flox.Run(t.Context(), wf, Invoice{Number: 1, Email: "bob@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		if res.State.Sent != 1 || len(server.keys) != 3 || server.keys[0] != server.keys[2] {
			t.Errorf("%d sent, under the keys %q; want 1 sent, 3 times the same key", res.State.Sent, server.keys)
		}
	})
}

func TestNoAddress(t *testing.T) {
	wf, err := remind(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = flox.Run(t.Context(), wf, Invoice{Number: 7})
	failed, ok := errors.AsType[*flox.RunError](err)
	if !ok || failed.Node != "render" || failed.Attempt != 1 || failed.Err.Error() != "invoice 7 has no address" {
		t.Errorf("Run = %v, want render to fail at its first attempt", err)
	}
}
