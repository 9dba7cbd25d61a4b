package main

import (
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
)

func TestRun(t *testing.T) {
	t.Setenv("FLOX_REDIS", "redis://"+miniredis.RunT(t).Addr())
	t.Setenv("FLOX_EMBEDDED", "true")
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	// How often progress was told depends on the machine; at last all was done.
	const last = "progress: 12 of 12 books read, 43 words so far\n"
	const want = last + `12 books done, unreadable: [8]
words: sea 11, ship 10, whale 22
failed: item 0.0.4.0 at read, attempt 1: the shelf is locked (tried again)
failed: item 0.0.7.0 at read, attempt 1: somebody has torn the pages out (given up)
steps: books fan 1, done end 1, read deposit 11, read fallback 1, skip deposit 1
`
	progress, found := strings.CutSuffix(out.String(), want)
	if !found {
		t.Fatalf("run printed\n%s\nwant it to end with\n%s", out.String(), want)
	}
	for line := range strings.Lines(progress) {
		if !strings.HasPrefix(line, "progress: ") {
			t.Errorf("run printed %q before the end of the run", line)
		}
	}
}
