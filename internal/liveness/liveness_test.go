package liveness

import (
	"testing"
	"time"
)

func TestOf(t *testing.T) {
	for age, want := range map[time.Duration]string{
		0: "alive", StaleAfter - 1: "alive", StaleAfter: "stale", DeadAfter - 1: "stale", DeadAfter: "dead",
	} {
		if got := Of(age); got != want {
			t.Errorf("Of(%v) = %s, want %s", age, got, want)
		}
	}
}
