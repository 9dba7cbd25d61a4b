package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// TestRun lists this very test's modules.
func TestRun(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := run([]string{self}, "", out); err != nil {
			t.Fatal(err)
		}
	}
	if first.String() != second.String() {
		t.Error("the same binary has two bills")
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(&first, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	found := map[string]cdx.Component{}
	for _, c := range *bom.Components {
		found[c.Name] = c
	}
	lib := found["github.com/CycloneDX/cyclonedx-go"]
	if lib.Version == "" || lib.PackageURL != "pkg:golang/"+lib.Name+"@"+lib.Version || lib.Properties == nil {
		t.Errorf("component = %+v, want a version, a purl and a checksum", lib)
	}
	if !strings.HasPrefix(found["std"].Version, "go") {
		t.Errorf("std = %+v, want Go's version", found["std"])
	}
	if deps := *bom.Dependencies; len(deps) != 1 || len(*deps[0].Dependencies) != len(found)-1 {
		t.Errorf("dependencies = %+v, want all of one program", deps)
	}
	for _, args := range [][]string{nil, {"main.go"}, {"not-there"}} {
		if err := run(args, "", &bytes.Buffer{}); err == nil {
			t.Errorf("run(%v) = nil, want an error", args)
		}
	}
}
