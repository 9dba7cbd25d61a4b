//go:build floxbug

package redisstore

import (
	"fmt"
	"os"
	"strings"
)

// bug is a change of one line of one Lua file.
type bug struct{ file, line, instead string }

// bugs are the known bugs that the chaos harness must find, by the name that the
// environment variable FLOX_BUG gives. They are in builds with the tag floxbug
// alone, to prove that the harness can fail.
var bugs = map[string]bug{
	// Whoever comes with a token may change it, whatever step he is at.
	"no-fence": {"lib/fence", "if t.own ~= own then return nil, {5} end", "do return t end"},
	// What a dead worker held stays with it.
	"no-reclaim": {"reclaim", "local stream = KEYS[2]", "local stream = KEYS[2] do return 1 end"},
	// A dead worker's consumer goes, and with it what it still holds.
	"drop-consumers": {"consumer", "if pending.err or #pending > 0 then return 0 end", "if pending.err then return 0 end"},
	// An item may kill workers for ever.
	"no-crash-count": {"reclaim", "t.crash = tonumber(t.crash) + 1", ""},
	// What a worker gives back when it ends is queued nowhere.
	"lost-handback": {"handback", "verdict = place(R, run, tok, t, {[t.queue] = stream})", ""},
}

// tamper puts the bug that FLOX_BUG names into the file it is in. It panics if
// there is no such bug, or no longer such a line.
func tamper(file, source string) string {
	name := os.Getenv("FLOX_BUG")
	if name == "" {
		return source
	}
	b, ok := bugs[name]
	if !ok {
		panic(fmt.Sprintf("redisstore: FLOX_BUG=%s is no known bug", name))
	}
	if file != "lua/"+b.file+".lua" {
		return source
	}
	if strings.Count(source, b.line) != 1 {
		panic(fmt.Sprintf("redisstore: bug %s: line %q is not once in %s", name, b.line, file))
	}
	return strings.Replace(source, b.line, b.instead, 1)
}
