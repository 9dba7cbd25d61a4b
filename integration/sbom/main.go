// Command sbom writes what Go binaries are made of, as CycloneDX JSON: the modules
// that the linker recorded in them, with their versions and checksums.
//
//	go run . -o sbom.json ../../bin/worker ../../bin/orchestrator
package main

import (
	"cmp"
	"debug/buildinfo"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	out := flag.String("o", "", "`file` to write, default standard output")
	flag.Parse()
	if err := run(flag.Args(), *out, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run writes the bill of the binaries to a file, or to stdout if it is "".
func run(binaries []string, file string, stdout io.Writer) error {
	if len(binaries) == 0 {
		return fmt.Errorf("no binaries given; want those that make build makes")
	}
	bom, err := billOf(binaries)
	if err != nil {
		return err
	}
	w := stdout
	if file != "" {
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		defer f.Close()
		w = f
	}
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_5)
}

// billOf lists the binaries, each depending on its modules. The same binaries have
// the same bill: nothing in it is of today.
func billOf(binaries []string) (*cdx.BOM, error) {
	bom, parts := cdx.NewBOM(), map[string]cdx.Component{}
	var depends []cdx.Dependency
	for _, path := range binaries {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		name := filepath.Base(path)
		program := cdx.Component{
			BOMRef: "program:" + name, Type: cdx.ComponentTypeApplication, Name: name, Version: info.Main.Version,
		}
		parts[program.BOMRef] = program
		needs := []string{}
		std := &debug.Module{Path: "std", Version: info.GoVersion}
		for _, m := range append([]*debug.Module{std}, info.Deps...) {
			if m.Replace != nil {
				m = m.Replace
			}
			c := component(m)
			parts[c.BOMRef] = c
			needs = append(needs, c.BOMRef)
		}
		slices.Sort(needs)
		depends = append(depends, cdx.Dependency{Ref: program.BOMRef, Dependencies: &needs})
	}
	components := slices.SortedFunc(maps.Values(parts), func(a, b cdx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	bom.Components, bom.Dependencies = &components, &depends
	return bom, nil
}

// component is a module. Go's own checksums are none of CycloneDX' kinds of hash.
func component(m *debug.Module) cdx.Component {
	url := "pkg:golang/" + m.Path + "@" + m.Version
	c := cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: url}
	if m.Sum != "" {
		c.Properties = &[]cdx.Property{{Name: "go:sum", Value: m.Sum}}
	}
	return c
}
