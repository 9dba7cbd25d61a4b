package redisstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var errDecode = errors.New("a record is malformed")

// tokenRecord is what Go reads of a token's record, t:<token>. Only scripts write it.
type tokenRecord struct {
	loc, entry, owner, node, queue string
	frame, signal                  string
	step, attempt, crashes         int
	failed                         bool
	due                            int64
}

// Fields of the record, in order: loc|eid|own|step|node|queue|att|crash|flags|
// frame|idx|from|count|rel|chunks|origin|framed|due|bounces. Then since|wait|scope
// if one of them is there. More may follow. A point stands for what is behind the
// queue if that is as it was at first.
const (
	tokenFields = 19
	waitField   = 20
	asAtFirst   = "."
	atFirst     = "0|0|||0||0|0|0|0|0|0|0"
)

// tokenParts splits a record into its fields.
func tokenParts(raw string) []string {
	if head, ok := strings.CutSuffix(raw, "|"+asAtFirst); ok {
		raw = head + "|" + atFirst
	}
	return strings.Split(raw, "|")
}

func parseToken(raw string) (tokenRecord, error) {
	f := tokenParts(raw)
	if len(f) < tokenFields {
		return tokenRecord{}, fmt.Errorf("token record: %w", errDecode)
	}
	t := tokenRecord{loc: f[0], entry: f[1], owner: f[2], node: f[4], queue: f[5], frame: f[9], failed: strings.Contains(f[8], "F")}
	t.step, _ = strconv.Atoi(f[3])
	t.attempt, _ = strconv.Atoi(f[6])
	t.crashes, _ = strconv.Atoi(f[7])
	t.due, _ = strconv.ParseInt(f[17], 10, 64)
	if len(f) > waitField {
		t.signal = f[waitField]
	}
	return t, nil
}

// leased reports whether a worker has the token.
func (t tokenRecord) leased() bool { return t.loc == "q" && t.owner != "" }

func (t tokenRecord) info(token string) flox.TokenInfo {
	info := flox.TokenInfo{
		Token: token, Step: t.step, Node: t.node, Queue: t.queue,
		Attempt: t.attempt, Crashes: t.crashes, Failed: t.failed,
	}
	switch {
	case t.loc == "p":
		info.Place = flox.PlaceParked
	case t.loc == "d":
		info.Place, info.Due = flox.PlaceDelayed, millis(t.due)
	case t.loc == "w":
		info.Place, info.Due, info.Signal = flox.PlaceWaiting, millis(t.due), t.signal
	case t.leased():
		info.Place, info.Owner = flox.PlaceLeased, t.owner
	default:
		info.Place = flox.PlaceQueued
	}
	return info
}

// cutStamp splits what a script put the time in front of.
func cutStamp(raw string) (at time.Time, record string, err error) {
	stamp, record, ok := strings.Cut(raw, "|")
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if !ok || err != nil {
		return time.Time{}, "", errDecode
	}
	return millis(ms), record, nil
}

// decodeStamped reads a record that a script put the time in front of.
func decodeStamped(raw string, v any) (time.Time, error) {
	at, record, err := cutStamp(raw)
	if err != nil {
		return at, err
	}
	return at, flox.DecodeRecord([]byte(record), v)
}

// The times that can be shown: JSON has years of four digits.
const (
	firstMillis = -62167132800000 // in the year 0, in each time zone
	lastMillis  = 253402214400000 // in the year 9999
)

// millis is a time of the server; none is the zero time. One that cannot be shown,
// as that of a wait of 10,000 years, is the last that can.
func millis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(min(max(ms, firstMillis), lastMillis))
}

// wait is a duration in the milliseconds of the scripts, where 0 is none: what is
// shorter than one counts as one.
func wait(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
