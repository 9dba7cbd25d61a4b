//go:build floxbug

package redisstore

import (
	"io/fs"
	"slices"
	"testing"
)

// TestBugs wants each known bug to be in the files it names, and in no other.
func TestBugs(t *testing.T) {
	files, err := fs.Glob(luaFiles, "lua/*.lua")
	shared, err2 := fs.Glob(luaFiles, "lua/lib/*.lua")
	if err != nil || err2 != nil || len(files) == 0 || len(shared) == 0 {
		t.Fatalf("files = %v, %v, %v, %v", files, err, shared, err2)
	}
	for name, changes := range bugs {
		t.Run(name, func(t *testing.T) {
			var want, got []string
			for _, b := range changes {
				want = append(want, "lua/"+b.file+".lua")
			}
			for _, file := range slices.Concat(shared, files) {
				t.Setenv("FLOX_BUG", "")
				right := mustRead(file)
				t.Setenv("FLOX_BUG", name)
				if mustRead(file) != right {
					got = append(got, file)
				}
			}
			slices.Sort(want)
			want = slices.Compact(want)
			if !slices.Equal(slices.Sorted(slices.Values(got)), want) {
				t.Errorf("it is in %v, want %v", got, want)
			}
		})
	}
}
