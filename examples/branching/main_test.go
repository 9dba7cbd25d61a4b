package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := `"Cheap watches!!!" went to the bin
"The roof leaks" goes to the on-call plumber (priority 9), and is acknowledged in English
"Merci" goes to the front desk (priority 1), and is acknowledged in French
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}
