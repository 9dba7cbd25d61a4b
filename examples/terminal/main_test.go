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
	want := `output: parcel 7 for Ada
done on the side: booked €35.00, newsletter to Ada
output: parcel 8 for Bob
done on the side: booked €12.00
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}
