package redisstore

import (
	"errors"
	"fmt"
	"testing"
)

func TestSortDeposits(t *testing.T) {
	for _, tt := range []struct {
		raw  []any
		want string
	}{
		{nil, "[] []"},
		{[]any{"1|0.0.1.0|b|c", "0|0.2|a"}, "[a b|c] [0.2 0.0.1.0]"},
		{[]any{"3|0.0.3.2.10.0|y", "3|0.0.3.2.1.7|x"}, "[x y] [0.0.3.2.1.7 0.0.3.2.10.0]"}, // of one branch, by token
		{[]any{"1|h-ab.3|b", "0|h-cd.0.1.4|a"}, "[a b] [h-cd.0.1.4 h-ab.3]"},
		{[]any{"1|0.0.1|b", "0|0|a"}, "[a b] [0 0.0.1]"}, // of an earlier version
	} {
		payloads, items, err := sortDeposits(tt.raw)
		if got := fmt.Sprintf("%s %s", payloads, items); got != tt.want || err != nil {
			t.Errorf("sortDeposits(%q) = %s, %v, want %s", tt.raw, got, err, tt.want)
		}
	}
	for _, raw := range []any{"0|0.0", "x|0.0|a", nil} {
		if _, _, err := sortDeposits([]any{raw}); !errors.Is(err, errDecode) {
			t.Errorf("sortDeposits(%v) = %v, want an error", raw, err)
		}
	}
}
