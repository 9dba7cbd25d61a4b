package flox

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest name.
const maxName = 128

// CheckName reports why s cannot be a name (of a workflow, node, queue, run or
// namespace), or nil. what says what s is, for the error.
func CheckName(what, s string) error {
	if 0 < len(s) && len(s) <= maxName && inName(s) {
		return nil
	}
	return fmt.Errorf("%s %q: want 1 to 128 of the characters A-Z a-z 0-9 . _ -", what, clip(s, 2*maxName))
}

func inName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', 'A' <= c && c <= 'Z', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

const (
	maxLabels     = 32
	maxLabelValue = 256 // bytes
)

// CheckLabels reports why labels cannot be those of a run, or nil; see WithLabel.
func CheckLabels(labels map[string]string) error {
	if len(labels) > maxLabels {
		return fmt.Errorf("%d labels: want at most %d", len(labels), maxLabels)
	}
	for key, value := range labels {
		if err := CheckName("label", key); err != nil {
			return err
		}
		control := strings.ContainsFunc(value, unicode.IsControl)
		if len(value) > maxLabelValue || control || !utf8.ValidString(value) {
			return fmt.Errorf("label %s=%q: want text of up to %d bytes without control characters", key, clip(value, 2*maxLabelValue), maxLabelValue)
		}
	}
	return nil
}

// ItemID names a work item: token and step, joined with a dot.
func ItemID(token string, step int) string { return token + "." + strconv.Itoa(step) }

// maxTokenLen is the longest token id; a longer one is replaced by its hash.
const maxTokenLen = 96

// RootToken is the token a run starts with.
const RootToken = "0"

// ChildToken names branch i (from 1) of the fan-out made by item token.step.
func ChildToken(token string, step, i int) string {
	return shortToken(ItemID(token, step) + "." + strconv.Itoa(i))
}

// UndoToken names the token that runs the nth undo of a run, from 1: what was
// recorded nth. No other token's name begins with a u.
func UndoToken(n int64) string { return "u" + strconv.FormatInt(n, 10) }

// RestartToken names the token with which a run goes on after its nth retry from a
// node, from 1.
func RestartToken(n int64) string { return "r" + strconv.FormatInt(n, 10) }

// restartOf is after how many retries from a node a token was made. A name that
// begins neither as RestartToken nor as RootToken does not tell: then it is now.
func restartOf(token string, now int64) int64 {
	if strings.HasPrefix(token, RootToken) {
		return 0
	}
	number, ok := strings.CutPrefix(token, "r")
	number, _, _ = strings.Cut(number, ".")
	if n, err := strconv.ParseInt(number, 10, 64); ok && err == nil {
		return n
	}
	return now
}

func isUndoToken(token string) bool { return strings.HasPrefix(token, "u") }

// JoinToken names the token that a frame's join makes. A frame is named after
// the item that opened it.
func JoinToken(frame string) string { return shortToken(frame + ".j") }

func shortToken(path string) string {
	if len(path) <= maxTokenLen {
		return path
	}
	sum := sha1.Sum([]byte(path))
	return "h-" + hex.EncodeToString(sum[:])
}

// Partition is the partition of n that a run belongs to: FNV-1a-32 of its id, modulo n.
func Partition(run string, n int) int {
	h := fnv.New32a()
	h.Write([]byte(run))
	return int(h.Sum32() % uint32(n))
}

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// NewRunID makes a run id of 26 Crockford characters: ten of the time in
// milliseconds, sixteen of crypto/rand, so that ids sort by time.
func NewRunID() string {
	var id [26]byte
	ms := uint64(time.Now().UnixMilli())
	for i := 9; i >= 0; i-- {
		id[i] = crockford[ms&31]
		ms >>= 5
	}
	var random [16]byte
	rand.Read(random[:])
	for i, b := range random {
		id[10+i] = crockford[b&31]
	}
	return string(id[:])
}

// newNonce makes a value that never repeats: 64 random bits in hex.
func newNonce() string {
	var random [8]byte
	rand.Read(random[:])
	return hex.EncodeToString(random[:])
}
