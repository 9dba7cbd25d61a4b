package flox

import (
	"strings"
	"testing"
)

const nameLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

// FuzzNames looks for a text that CheckName lets pass though it has another letter,
// and for items whose names are too long or taken.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"", "a", "run-1", "a:1", "a}{b", "a|b", "a/b", "a b", "a\n", "é", "a\x00", "..", strings.Repeat("x", 128), strings.Repeat("x", 129), strings.Repeat("\x80", 20_000)} {
		f.Add(s, uint16(0), uint16(1))
	}
	f.Add("0.3.7", uint16(65535), uint16(12))
	f.Add("0"+strings.Repeat(".12", 40), uint16(3), uint16(4))
	f.Fuzz(func(t *testing.T, s string, step, i uint16) {
		valid := s != "" && len(s) <= 128 && strings.Trim(s, nameLetters) == "" && !strings.ContainsFunc(s, func(r rune) bool {
			return !strings.ContainsRune(nameLetters, r)
		})
		err := CheckName("name", s)
		if got := err == nil; got != valid {
			t.Fatalf("CheckName(%q) lets it pass: %v, want %v", s, got, valid)
		}
		// %q makes at most ten letters of one byte.
		if err != nil && len(err.Error()) > 20*maxName+100 {
			t.Fatalf("CheckName of %d bytes is an error of %d, want a line", len(s), len(err.Error()))
		}
		if !valid || len(s) > maxTokenLen {
			return
		}
		names := map[string]string{}
		for _, item := range []struct {
			n    int
			what string
		}{{int(step), "this"}, {int(step) + 1, "the next"}} {
			child := ChildToken(s, item.n, int(i)+1)
			other := ChildToken(s, item.n, int(i)+2)
			join := JoinToken(shortToken(ItemID(s, item.n)))
			for what, name := range map[string]string{"child": child, "another child": other, "join": join} {
				if len(name) > maxTokenLen || CheckName("token", ItemID(name, item.n)) != nil {
					t.Fatalf("%s of %s item of %q is %q, want a name of at most %d bytes", what, item.what, s, name, maxTokenLen)
				}
				if taken := names[name]; taken != "" {
					t.Fatalf("%q names the %s of %s item of %q, and %s", name, what, item.what, s, taken)
				}
				names[name] = what
			}
			if isUndoToken(child) != isUndoToken(s) && !strings.HasPrefix(child, "h-") {
				t.Fatalf("%q undoes: %v, its child %q: %v", s, isUndoToken(s), child, isUndoToken(child))
			}
		}
		if n := Partition(s, 1+int(i)); n < 0 || n > int(i) {
			t.Fatalf("Partition(%q, %d) = %d", s, 1+int(i), n)
		}
	})
}

// FuzzTraceparent compares the check with the form's parts.
func FuzzTraceparent(f *testing.F) {
	for _, s := range []string{
		"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", "00---",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parts, valid := strings.Split(s, "-"), s == ""
		if len(parts) == 4 && len(parts[0]) == 2 && len(parts[1]) == 32 && len(parts[2]) == 16 && len(parts[3]) == 2 {
			valid = !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef-", r) })
		}
		if got := checkTraceparent(s) == nil; got != valid {
			t.Fatalf("checkTraceparent(%q) lets it pass: %v, want %v", s, got, valid)
		}
	})
}
