package flox

import (
	"errors"
	"reflect"
	"strings"
)

// unstorable says why values of a type cannot be stored.
type unstorable struct {
	path []string // of fields
	why  string
}

func (u *unstorable) Error() string {
	if len(u.path) == 0 {
		return u.why
	}
	return "field " + strings.Join(u.path, ".") + ": " + u.why
}

// inField says that err was met in a field.
func inField(name string, err error) error {
	if u, ok := errors.AsType[*unstorable](err); ok {
		return &unstorable{path: append([]string{name}, u.path...), why: u.why}
	}
	return err
}

// storedField is a field of a struct as it is stored: under its json name.
type storedField struct {
	name   string
	goName string
	index  []int
	typ    reflect.Type
	codec  *codec
}

// storedFields lists the fields of t that are stored, those of embedded structs
// among them, as encoding/json has it.
func storedFields(t reflect.Type) ([]storedField, error) {
	var fields []storedField
	seen := map[string]int{} // name to depth
	for _, f := range visibleFields(t) {
		depth, twice := seen[f.name]
		if twice && depth < len(f.index) {
			continue // shadowed
		}
		if twice {
			return nil, &unstorable{why: "two of its fields are stored as " + f.name}
		}
		seen[f.name] = len(f.index)
		fields = append(fields, f)
	}
	if len(fields) == 0 && t.NumField() > 0 {
		return nil, &unstorable{why: "all its fields are unexported"}
	}
	return fields, nil
}

// visibleFields walks t level by level, so that outer fields come first.
func visibleFields(t reflect.Type) []storedField {
	type level struct {
		t     reflect.Type
		index []int
	}
	var fields []storedField
	for levels := []level{{t: t}}; len(levels) > 0; levels = levels[1:] {
		at := levels[0]
		for i := range at.t.NumField() {
			f := at.t.Field(i)
			index := append(append([]int{}, at.index...), i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			inlined := f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct && f.Type != timeType && storesItself(f.Type) < 0
			switch {
			case f.Tag.Get("json") == "-":
			case inlined:
				levels = append(levels, level{f.Type, index})
			case f.IsExported():
				if name == "" {
					name = f.Name
				}
				fields = append(fields, storedField{name: name, goName: f.Name, index: index, typ: f.Type})
			}
		}
	}
	return fields
}
