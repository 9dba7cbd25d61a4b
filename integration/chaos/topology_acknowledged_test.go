package main

import (
	"slices"
	"testing"

	"github.com/floxrun/flox/integration/checker"
)

func TestMakers(t *testing.T) {
	for item, want := range map[string][]string{
		"0.0":       nil,
		"0.2":       {"0.0", "0.1"},
		"0.3.2.1":   {"0.3.2.0", "0.3", "0.0", "0.1", "0.2"},
		"0.1.j.0":   {"0.1", "0.0"},
		"h-abcde.0": nil,
	} {
		if got := makers(item); !slices.Equal(got, want) {
			t.Errorf("makers(%q) = %v, want %v", item, got, want)
		}
	}
}

func TestAcknowledgedFindsLosses(t *testing.T) {
	begun := func(items ...string) (log []checker.Execution) {
		for _, item := range items {
			log = append(log, checker.Execution{Event: checker.Start, Run: "r", Item: item})
		}
		return log
	}
	if commits, lost := acknowledged(begun("0.0", "0.1", "0.1", "0.1.1.0", "0.2")); commits != 2 || len(lost) != 0 {
		t.Errorf("acknowledged = %d, %v, want 2 commits and none lost: 0.1 was begun again before what it made", commits, lost)
	}
	if commits, lost := acknowledged(begun("0.0", "0.1", "0.2", "0.1", "0.1", "0.2")); commits != 2 || len(lost) != 1 {
		t.Errorf("acknowledged = %d, %v, want 2 commits and 0.1 lost", commits, lost)
	}
}
