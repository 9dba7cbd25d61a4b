package flox_test

import (
	"bytes"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// wrongProgram is a section of testdata/wrong.txt.
type wrongProgram struct{ name, want, decls, body string }

func readWrongPrograms(t *testing.T) []wrongProgram {
	t.Helper()
	text, err := os.ReadFile("testdata/wrong.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []wrongProgram
	for _, section := range strings.Split(string(text), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(section, "\n")
		p := wrongProgram{name: name}
		for line := range strings.Lines(rest) {
			if want, ok := strings.CutPrefix(line, "want: "); ok {
				p.want = strings.TrimSpace(want)
			} else if decl, ok := strings.CutPrefix(line, "decl: "); ok {
				p.decls += decl
			} else {
				p.body += line
			}
		}
		all = append(all, p)
	}
	return all
}

// checker type-checks programs against the flox of this tree, as the compiler
// does, but without starting one for each.
type checker struct {
	fset   *token.FileSet
	domain *ast.File
	deps   types.Importer
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", ".")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list -export: %v", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		exports[path] = file
	}
	c := &checker{fset: token.NewFileSet()}
	c.deps = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	c.domain, err = parser.ParseFile(c.fset, "testdata/domain.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// check returns the errors of a program as one text with single spaces.
func (c *checker) check(t *testing.T, program string) string {
	t.Helper()
	files := []*ast.File{c.domain}
	if program != "" {
		file, err := parser.ParseFile(c.fset, "wrong.go", program, 0)
		if err != nil {
			t.Fatalf("%v in\n%s", err, program)
		}
		files = append(files, file)
	}
	var errs []error
	conf := types.Config{Importer: c.deps, Error: func(err error) {
		if e, ok := errors.AsType[types.Error](err); !ok || !e.Soft { // soft: unused imports
			errs = append(errs, err)
		}
	}}
	conf.Check("wrong", c.fset, files, nil)
	var all bytes.Buffer
	for _, err := range errs {
		all.WriteString(err.Error() + "\n")
	}
	return strings.Join(strings.Fields(all.String()), " ")
}

func TestWrongProgramsDoNotCompile(t *testing.T) {
	c := newChecker(t)
	if got := c.check(t, ""); got != "" {
		t.Fatalf("testdata/domain.go: got %s, want no error", got)
	}
	programs := readWrongPrograms(t)
	if len(programs) < 40 {
		t.Errorf("%d wrong programs, want 40 or more", len(programs))
	}
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			program := "package wrong\nimport (\n\"context\"\n\"github.com/floxrun/flox/pkg/flox\"\n)\n" +
				"var _ = context.Background\nvar _ flox.None\n" + p.decls + "func wrong() {\n" + p.body + "\n}\n"
			got := c.check(t, program)
			if got == "" {
				t.Fatalf("compiles, want an error with %q", p.want)
			}
			if !strings.Contains(got, p.want) {
				t.Errorf("error\n\t%s\nwant one with\n\t%s", got, p.want)
			}
		})
	}
}
