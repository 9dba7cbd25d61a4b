package main

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// template is a recorded call of a script with holes for the run and for the entry
// that is claimed. A script that takes many items at once gets all of them in one call.
type template struct {
	whole []field // of a command for one item
	// Of a call for many items:
	many             bool
	head             []string // the command's name and the script
	keys, args       []string // what the items share
	itsKeys, itsArgs []field
}

// field is one argument of a template: text between holes.
type field []piece

// piece is text, or a hole for the run or for the entry.
type piece struct {
	text       string
	run, entry bool
}

var (
	// holes are the runs and entries in what was recorded.
	holes = regexp.MustCompile(`\d{13}-\d+|` + recordedRun)
	// manyLine is what the header of a script says that takes many items at once.
	manyLine = regexp.MustCompile(`(?m)^-- (KEYS|ARGV)\[(\d+)\.\.\.\] of each`)
)

func makeField(arg string) field {
	var f field
	text := func(s string) {
		if s != "" {
			f = append(f, piece{text: s})
		}
	}
	at := 0
	for _, m := range holes.FindAllStringIndex(arg, -1) {
		text(arg[at:m[0]])
		isRun := arg[m[0]:m[1]] == recordedRun
		f = append(f, piece{run: isRun, entry: !isRun})
		at = m[1]
	}
	text(arg[at:])
	return f
}

func makeFields(args []string) []field {
	var all []field
	for _, a := range args {
		all = append(all, makeField(a))
	}
	return all
}

// fill appends the argument for a run and its entry.
func (f field) fill(b []byte, c claimed) []byte {
	size := 0
	for _, p := range f {
		size += len(p.in(c))
	}
	b = appendLength(b, '$', size)
	for _, p := range f {
		b = append(b, p.in(c)...)
	}
	return append(b, "\r\n"...)
}

func (p piece) in(c claimed) string {
	switch {
	case p.run:
		return c.run
	case p.entry:
		return c.entry
	}
	return p.text
}

// makeTemplate makes a template of a recorded command. The sources of scripts are
// known by their digests: their headers say which take many items at once.
func makeTemplate(args []string, sources map[string]string) (template, error) {
	t := template{whole: makeFields(args)}
	if args[0] != "EVALSHA" || len(args) < 3 {
		return t, nil
	}
	shared := map[string]int{}
	for _, m := range manyLine.FindAllStringSubmatch(sources[args[1]], -1) {
		n, _ := strconv.Atoi(m[2])
		shared[m[1]] = n - 1
	}
	if len(shared) == 0 {
		return t, nil
	}
	n, err := strconv.Atoi(args[2])
	if err != nil || len(shared) != 2 || n < shared["KEYS"] || len(args) < 3+n+shared["ARGV"] {
		return t, fmt.Errorf("a call does not fit the header of its script: %.300q", args)
	}
	keys, rest := args[3:3+n], args[3+n:]
	return template{
		head: args[:2], many: true,
		keys: keys[:shared["KEYS"]], itsKeys: makeFields(keys[shared["KEYS"]:]),
		args: rest[:shared["ARGV"]], itsArgs: makeFields(rest[shared["ARGV"]:]),
	}, nil
}

// fill appends the commands for some runs and returns how many they are.
func (t template) fill(b []byte, runs []claimed) ([]byte, int) {
	if !t.many {
		for _, c := range runs {
			b = appendLength(b, '*', len(t.whole))
			for _, f := range t.whole {
				b = f.fill(b, c)
			}
		}
		return b, len(runs)
	}
	keys := len(t.keys) + len(runs)*len(t.itsKeys)
	b = appendLength(b, '*', len(t.head)+1+keys+len(t.args)+len(runs)*len(t.itsArgs))
	b = appendBulks(b, t.head)
	b = appendBulk(b, strconv.Itoa(keys))
	b = appendBulks(b, t.keys)
	for _, c := range runs {
		for _, f := range t.itsKeys {
			b = f.fill(b, c)
		}
	}
	b = appendBulks(b, t.args)
	for _, c := range runs {
		for _, f := range t.itsArgs {
			b = f.fill(b, c)
		}
	}
	return b, 1
}

// sourcesIn finds the scripts that were sent with their text, by their digests.
func sourcesIn(sent [][]string) map[string]string {
	sources := map[string]string{}
	for _, args := range sent {
		source := ""
		switch name := strings.ToUpper(args[0]); {
		case name == "EVAL" && len(args) > 1:
			source = args[1]
		case name == "SCRIPT" && len(args) > 2 && strings.EqualFold(args[1], "LOAD"):
			source = args[2]
		default:
			continue
		}
		sum := sha1.Sum([]byte(source))
		sources[hex.EncodeToString(sum[:])] = source
	}
	return sources
}

// claimCommand is the recorded claim, for so many entries and without waiting.
func claimCommand(args []string, count int) []byte {
	var changed []string
	for i := 0; i < len(args); i++ {
		switch strings.ToUpper(args[i]) {
		case "COUNT":
			changed = append(changed, "COUNT", strconv.Itoa(count))
			i++
		case "BLOCK":
			i++
		default:
			changed = append(changed, args[i])
		}
	}
	return appendCommand(nil, changed...)
}
