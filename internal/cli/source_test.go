package cli

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// field is a field of the JSON of a command.
type field struct{ path, kind, meaning string }

// source is what the Go files say of the types: their fields and comments.
type source map[string]ast.Expr

func parseSource(t *testing.T) source {
	t.Helper()
	src := source{}
	for prefix, pattern := range map[string]string{
		"": "*.go", "flox.": "../../pkg/flox/*.go", "redisstore.": "../../pkg/redisstore/*.go",
	} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			src.add(prefix, parsed)
		}
	}
	return src
}

func (s source) add(prefix string, file *ast.File) {
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range decl.Specs {
			if typ, ok := spec.(*ast.TypeSpec); ok {
				s[prefix+typ.Name.Name] = typ.Type
			}
		}
	}
}

// fields are those of a struct in JSON, those of structs in it behind dots.
func (s source) fields(name, path string) []field {
	prefix := name[:strings.LastIndexByte(name, '.')+1]
	var all []field
	for _, f := range s[name].(*ast.StructType).Fields.List {
		typ := s.name(f.Type, prefix)
		if len(f.Names) == 0 {
			all = append(all, s.fields(strings.TrimPrefix(typ, "*"), path)...)
			continue
		}
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
		key, _, _ := strings.Cut(tag, ",")
		one := field{path + key, s.kind(typ), meaning(f)}
		all = append(all, one)
		inner, within := strings.TrimPrefix(typ, "*"), one.path+"."
		if rest, ok := strings.CutPrefix(inner, "[]"); ok {
			inner, within = rest, one.path+"[]."
		}
		if rest, ok := strings.CutPrefix(inner, "map[string]"); ok {
			inner, within = rest, one.path+".*."
		}
		if _, ok := s[inner].(*ast.StructType); ok {
			all = append(all, s.fields(inner, within)...)
		}
	}
	return all
}

// name is a type as text; one of another package has its prefix.
func (s source) name(e ast.Expr, prefix string) string {
	switch e := e.(type) {
	case *ast.Ident:
		if _, ok := s[prefix+e.Name]; ok {
			return prefix + e.Name
		}
		return e.Name
	case *ast.SelectorExpr:
		return s.name(e.X, "") + "." + e.Sel.Name
	case *ast.StarExpr:
		return "*" + s.name(e.X, prefix)
	case *ast.ArrayType:
		return "[]" + s.name(e.Elt, prefix)
	case *ast.MapType:
		return "map[" + "string" + "]" + s.name(e.Value, prefix)
	}
	return fmt.Sprint(e)
}

// kind is what JSON has for a type.
func (s source) kind(typ string) string {
	switch typ = strings.TrimPrefix(typ, "*"); {
	case typ == "millis":
		return "milliseconds"
	case typ == "time.Time":
		return "time"
	case typ == "json.RawMessage":
		return "any"
	case strings.HasPrefix(typ, "[]"):
		return "list"
	case strings.HasPrefix(typ, "map["):
		return "object"
	case typ == "bool":
		return "boolean"
	case strings.Contains("int int64 float64 time.Duration", typ):
		return "number"
	case typ == "string":
		return "string"
	}
	if named, ok := s[typ].(*ast.Ident); ok {
		return s.kind(named.Name)
	}
	return "object"
}

// meaning is the comment of a field.
func meaning(f *ast.Field) string {
	text := f.Doc.Text()
	if text == "" {
		text = f.Comment.Text()
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "\\|")
}
