//go:build floxbug

package redisstore

import (
	"fmt"
	"os"
	"strings"
)

// bug is a change of a piece of one Lua file, which is there so many times; 0 is once.
type bug struct {
	file, piece, instead string
	times                int
}

// bugs are the known bugs that the chaos harness must find, by the name that the
// environment variable FLOX_BUG gives. They are in builds with the tag floxbug
// alone, to prove that the harness can fail.
var bugs = map[string][]bug{
	// Whoever comes with a token may change it, whatever step he is at.
	"no-fence": {
		{file: "lib/fence", piece: "if t.own ~= own then return nil, {5} end", instead: "do return t end"},
		{file: "step", piece: "h[2] ~= ARGV[at + 2]", instead: "not h[2]", times: 2},
		{file: "step", piece: "h[2] ~= record or (h[3] or '0') ~= what.before", instead: "not h[2]"},
		{file: "step", piece: "h[7 + i] == ARGV[b + 1]", instead: "h[7 + i]"},
	},
	// What a dead worker held stays with it.
	"no-reclaim": {{file: "reclaim", piece: "local stream = KEYS[2]", instead: "local stream = KEYS[2] do return 1 end"}},
	// A dead worker's consumer goes, and with it what it still holds.
	"drop-consumers": {{file: "consumer", piece: "if pending.err or #pending > 0 then return 0 end", instead: "if pending.err then return 0 end"}},
	// An item may kill workers for ever.
	"no-crash-count": {{file: "reclaim", piece: "t.crash = tonumber(t.crash) + 1"}},
	// What a worker gives back when it ends is queued nowhere.
	"lost-handback": {{file: "handback", piece: "verdict = place(R, run, tok, t, {[t.queue] = stream})"}},
}

// tamper puts the bug that FLOX_BUG names into the files it is in. It panics if
// there is no such bug, or no longer such a piece.
func tamper(file, source string) string {
	name := os.Getenv("FLOX_BUG")
	if name == "" {
		return source
	}
	changes, ok := bugs[name]
	if !ok {
		panic(fmt.Sprintf("redisstore: FLOX_BUG=%s is no known bug", name))
	}
	for _, b := range changes {
		if file != "lua/"+b.file+".lua" {
			continue
		}
		if n := strings.Count(source, b.piece); n != max(b.times, 1) {
			panic(fmt.Sprintf("redisstore: bug %s: %q is %d times in %s", name, b.piece, n, file))
		}
		source = strings.ReplaceAll(source, b.piece, b.instead)
	}
	return source
}
