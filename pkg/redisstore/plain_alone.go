package redisstore

import (
	"strconv"
	"strings"
)

// alone is what is known of a run whose only token has made all of its items and
// stands in no frame: nobody but the token's holder changes it.
type alone struct {
	version, failed, started int64
	workflow                 string
	kept                     string // names of the nodes that it keeps visits of, with commas between
}

// loadedAlone reads what a load of a token at that step says, nil if it is not alone.
func loadedAlone(step int, loaded []any) *alone {
	made, known, ok := strings.Cut(text(loaded, 7), "/")
	if !ok || made != strconv.Itoa(step+1) {
		return nil
	}
	a := &alone{version: integer(loaded, 2), workflow: text(loaded, 0)}
	if a.kept, ok = cutNumbers(known, &a.failed, &a.started); !ok {
		return nil
	}
	return a
}

// write is the text that readAlone reads, "" of nil.
func (a *alone) write() string {
	if a == nil {
		return ""
	}
	return strconv.FormatInt(a.version, 10) + "/" + strconv.FormatInt(a.failed, 10) + "/" + strconv.FormatInt(a.started, 10) +
		"/" + a.workflow + "/" + a.kept
}

func readAlone(known string) *alone {
	a := &alone{}
	known, ok := cutNumbers(known, &a.version, &a.failed, &a.started)
	if !ok {
		return nil
	}
	a.workflow, a.kept, _ = strings.Cut(known, "/")
	return a
}

// cutNumbers reads numbers with a slash behind each, and returns what is behind them.
func cutNumbers(s string, into ...*int64) (rest string, ok bool) {
	for _, n := range into {
		word, behind, _ := strings.Cut(s, "/")
		v, err := strconv.ParseInt(word, 10, 64)
		if err != nil || v < 0 {
			return "", false
		}
		*n, s = v, behind
	}
	return s, true
}

// keep adds a visit of the node. It returns what the run keeps, "" if that is the same.
func (a *alone) keep(node string) string {
	switch {
	case a.kept == "":
		a.kept = node
	case strings.Contains(","+a.kept+",", ","+node+","):
		return ""
	default:
		a.kept += "," + node
	}
	return a.kept
}

// kind is what step.lua is told of a commit at that step.
func (a *alone) kind(step int, committed int64, delta bool) string {
	version := "0"
	if delta {
		version = strconv.FormatInt(a.version, 10)
	}
	return " " + strconv.FormatInt(committed, 10) + " " + strconv.Itoa(step+1) + " " + strconv.FormatInt(a.failed, 10) + " " + version
}
