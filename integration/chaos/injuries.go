package main

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/floxrun/flox/integration/load"
)

// stance is where a run stands when it is hit: its only token is then of this kind,
// and stays so for a while.
type stance struct {
	name  string
	run   load.Run
	holds func(record []string) bool
}

var (
	inHand = stance{"in hand", load.Run{Workflow: load.ChainName, Input: load.Chain{Left: 2, Nap: 1000}},
		func(f []string) bool { return f[0] == "q" && f[2] != "" }}
	delayed = stance{"delayed", load.Run{Workflow: load.ChainName, Input: load.Chain{Left: 2, Nap: 10, Wait: 1000}},
		func(f []string) bool { return f[0] == "d" }}
	waiting = stance{"waiting", load.Run{Workflow: load.ApprovalName, Input: load.Ask{Timeout: 1000}},
		func(f []string) bool { return f[0] == "w" }}
)

// injury is a way to damage a run.
type injury struct {
	name    string
	field   string // of the run's hash; "": the whole key
	stances []stance
	change  func(rnd *rand.Rand, was string) string
	ends    []string // what the run may have come to; running: it was left alone
}

// What a damaged run may come to: a payload is read before the next node begins, and
// a record that cannot be read is nobody's to change.
var (
	fails    = []string{"failed"}
	stays    = []string{"running", "failed"}
	goesOn   = []string{"completed"}
	whatever = []string{"running", "failed", "completed"}
)

// notOurs is what the keys of another program hold.
const notOurs = "not flox's"

var injuries = []injury{
	{"record truncated", "t:0", []stance{inHand, delayed, waiting}, truncatedRecord, stays},
	{"record bit-flipped", "t:0", []stance{inHand, delayed, waiting, inHand, delayed, waiting}, flipped, whatever},
	{"record of a newer format", "t:0", []stance{inHand, delayed, waiting}, newer, goesOn},
	{"record of an unknown kind", "t:0", []stance{inHand, delayed, waiting}, func(_ *rand.Rand, was string) string { return "z" + was[1:] }, stays},
	{"payload corrupted", "i:0", []stance{delayed, waiting}, func(_ *rand.Rand, was string) string {
		return was[:1] + strings.Repeat("\xc1", len(was)-1) // a byte that msgpack never has
	}, fails},
	{"payload truncated", "i:0", []stance{delayed, waiting}, func(rnd *rand.Rand, was string) string {
		return was[:rnd.IntN(len(was)-1)+1]
	}, fails},
	{"payload of a newer format", "i:0", []stance{delayed, waiting}, func(_ *rand.Rand, was string) string { return "\x7f" + was[1:] }, fails},
	{"decode bomb", "i:0", slices.Repeat([]stance{delayed, waiting}, 5), armed, fails},
	{"run's key of a wrong type", "", []stance{inHand, delayed, waiting}, nil, nil},
}

// bombs are values that announce more than memory, time or stack can bear: lists,
// maps, bytes and texts of 4 billion parts, and what is nested 60,000 deep.
var bombs = []string{
	"\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff", "\xdb\xff\xff\xff\xff",
	strings.Repeat("\x91", 60_000), strings.Repeat("\x81\xa1x", 60_000),
}

// armed makes payloads of bombs: the whole value, its map, or a list in that.
func armed(rnd *rand.Rand, _ string) string {
	return []string{"\x00", "\x00\x81\xa4more", "\x00\x81\xa4more\x81\xa1x"}[rnd.IntN(3)] + bombs[rnd.IntN(len(bombs))]
}

// recordFields is how many fields a token's record has at least, allFields how many
// this version knows.
const recordFields, allFields = 19, 22

// whole spells a record out that is as it was at first behind its queue.
func whole(was string) string {
	if head, ok := strings.CutSuffix(was, "|."); ok {
		return head + "|0|0|||0||0|0|0|0|0|0|0"
	}
	return was
}

// truncatedRecord keeps fewer fields than a record must have.
func truncatedRecord(rnd *rand.Rand, was string) string {
	was = whole(was)
	kept := strings.Join(strings.SplitN(was, "|", recordFields)[:recordFields-1], "|")
	return was[:rnd.IntN(len(kept)+1)]
}

// flipped changes one bit. It makes no quotes and no backslashes: servers do not
// agree on how these look to who follows the commands.
func flipped(rnd *rand.Rand, was string) string {
	for {
		b := []byte(was)
		at := rnd.IntN(len(b))
		b[at] ^= 1 << rnd.IntN(8)
		if b[at] != '"' && b[at] != '\\' {
			return string(b)
		}
	}
}

// newer has fields that this version does not know, behind all that it knows.
func newer(_ *rand.Rand, was string) string {
	was = whole(was)
	missing := max(0, allFields-1-strings.Count(was, "|"))
	return was + strings.Repeat("|", missing) + "|newer|fields"
}
