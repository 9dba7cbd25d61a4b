package checker

import (
	"crypto/sha1"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// header says where a script has its arguments: a script's text names each in a
// comment, "-- ARGV[2] token". Of one that takes many items it says where their keys
// begin: "-- KEYS[4...] of each item in turn".
type header map[string]int

var (
	headerLine = regexp.MustCompile(`(?m)^-- ARGV\[(\d+)\] (.*)$`)
	manyLine   = regexp.MustCompile(`(?m)^-- (KEYS)\[(\d+)\.\.\.\] (of each (?:item|run)) in turn`)
)

// scripts are those that any server was seen to load, by the hash of their text: a
// server that has one already is not sent it again.
var scripts sync.Map

// learnScript takes over what a command says of a script's text, and returns the
// hash of the script that it runs, if it runs one.
func learnScript(c command) (hash string) {
	source := ""
	switch {
	case c.name == "SCRIPT" && len(c.args) == 3 && strings.EqualFold(c.args[1], "load"):
		source = c.args[2]
	case (c.name == "EVAL" || c.name == "EVAL_RO") && len(c.args) > 2:
		source = c.args[1]
	case len(c.args) > 2:
		return strings.ToLower(c.args[1])
	}
	sum := sha1.Sum([]byte(source))
	hash = hex.EncodeToString(sum[:])
	if _, known := scripts.Load(hash); known {
		return hash
	}
	h := header{}
	for _, m := range headerLine.FindAllStringSubmatch(source, -1) {
		n, _ := strconv.Atoi(m[1])
		h[m[2]] = n
	}
	for _, m := range manyLine.FindAllStringSubmatch(source, -1) {
		h[m[1]+" "+m[3]], _ = strconv.Atoi(m[2])
	}
	scripts.Store(hash, h)
	return hash
}

// call is a script as it was called.
type call struct {
	header header // nil if its text was never seen
	keys   []string
	argv   []string
}

// parseCall reads the command that runs a script, nil if the command does not.
func parseCall(c command) *call {
	switch c.name {
	case "EVALSHA", "EVAL", "EVALSHA_RO", "EVAL_RO":
	default:
		return nil
	}
	if len(c.args) < 3 {
		return nil
	}
	n, err := strconv.Atoi(c.args[2])
	if err != nil || n < 0 || 3+n > len(c.args) {
		return nil
	}
	x := &call{keys: c.args[3 : 3+n], argv: c.args[3+n:]}
	if h, ok := scripts.Load(learnScript(c)); ok {
		x.header = h.(header)
	}
	return x
}

// arg is the argument of that name; the script may have none.
func (x *call) arg(name string) (string, bool) {
	i, ok := x.header[name]
	if !ok || i > len(x.argv) {
		return "", false
	}
	return x.argv[i-1], true
}

// lease is what a call says of the lease under which it acts.
type lease struct{ token, owner, step string }

// fenced returns the lease of a script that acts under one. Step is empty if the
// script does not ask for it.
func (x *call) fenced() (l lease, ok bool) {
	if l.token, ok = x.arg("token"); !ok {
		return l, false
	}
	if l.owner, ok = x.arg("owner"); !ok {
		return l, false
	}
	l.step, _ = x.arg("step")
	return l, true
}

// slotTag is the part of a key that says in which slot it is.
func slotTag(key string) string {
	_, rest, ok := strings.Cut(key, "{")
	tag, _, closed := strings.Cut(rest, "}")
	if !ok || !closed || tag == "" {
		return key
	}
	return tag
}
