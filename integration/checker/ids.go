package checker

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"
)

// maxToken is the longest token id in bytes: a longer path is replaced by its hash.
const maxToken = 96

func short(path string) string {
	if len(path) <= maxToken {
		return path
	}
	sum := sha1.Sum([]byte(path))
	return "h-" + hex.EncodeToString(sum[:])
}

// splitItem returns the token and the step of an item.
func splitItem(item string) (token string, step int, ok bool) {
	dot := strings.LastIndexByte(item, '.')
	if dot <= 0 {
		return "", 0, false
	}
	step, err := strconv.Atoi(item[dot+1:])
	return item[:dot], step, err == nil && step >= 0 && strconv.Itoa(step) == item[dot+1:]
}

func itemOf(token string, step int) string { return token + "." + strconv.Itoa(step) }

// origin returns the item that made a token: P.S made P.S.1, P.S.2 and so on, and
// the join's token P.S.j. The tokens that no item made have none. A hashed token
// does not tell; see lineage.maker.
func origin(token string) (item string, made, ok bool) {
	if token == "0" || isNumbered(token, 'r') || isNumbered(token, 'u') {
		return "", false, true
	}
	dot := strings.LastIndexByte(token, '.')
	if dot <= 0 {
		return "", true, false
	}
	item, last := token[:dot], token[dot+1:]
	if n, err := strconv.Atoi(last); last != "j" && (err != nil || n < 1) {
		return "", true, false
	}
	_, _, ok = splitItem(item)
	return item, true, ok
}

// isNumbered says whether a token is r<n>, with which a retry from a node goes on,
// or u<n>, which undoes.
func isNumbered(token string, kind byte) bool {
	if token == "" || token[0] != kind {
		return false
	}
	n, err := strconv.Atoi(token[1:])
	return err == nil && n > 0
}

// branch returns the place of an item's token in the frame that item P.S has
// opened: branch i of it, or a descendant, or branch 0, which is P itself.
func branch(frame, item string) (index int, ok bool) {
	if rest, within := strings.CutPrefix(item, frame+"."); within {
		first, _, _ := strings.Cut(rest, ".")
		index, err := strconv.Atoi(first)
		return index, err == nil
	}
	parent, opened, _ := splitItem(frame)
	token, step, _ := splitItem(item)
	if token == parent && step > opened {
		return 0, true
	}
	rest, within := strings.CutPrefix(item, parent+".")
	first, _, _ := strings.Cut(rest, ".")
	step, err := strconv.Atoi(first)
	return 0, within && err == nil && step > opened
}
