package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checkRefs refuses a schema that leads back to itself without going into the
// value, as {"$ref": "#"} does: who checks by it would not come to an end. It also
// refuses references to anything but a place of the schema, "#" or "#/a/b".
func checkRefs(text []byte) error {
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		return err
	}
	r := refs{root: root, state: map[string]int{}}
	return r.everywhere(root, "")
}

// refs looks for cycles.
type refs struct {
	root  any
	state map[string]int // of places: 1 while they are followed, 2 when they are known to end
}

// everywhere follows from each place of the schema; one that is no schema does no harm.
func (r *refs) everywhere(v any, at string) error {
	if err := r.follow(v, at); err != nil {
		return err
	}
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if err := r.everywhere(inner, at+"/"+pointerName.Replace(name)); err != nil {
				return err
			}
		}
	case []any:
		for i, inner := range v {
			if err := r.everywhere(inner, at+"/"+strconv.Itoa(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// pointerName writes a name as a JSON pointer has it.
var (
	pointerName = strings.NewReplacer("~", "~0", "/", "~1")
	plainName   = strings.NewReplacer("~1", "/", "~0", "~")
)

// inPlace are the keywords whose schemas judge the same value.
var inPlace = []string{"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"}

// follow goes to the schemas that judge the same value as that at a place.
func (r *refs) follow(v any, at string) error {
	s, ok := v.(map[string]any)
	if !ok || r.state[at] == 2 {
		return nil
	}
	if r.state[at] == 1 {
		return fmt.Errorf("it leads back to itself at #%s", at)
	}
	r.state[at] = 1
	for _, word := range []string{"$ref", "$dynamicRef", "$recursiveRef"} {
		if ref, ok := s[word].(string); ok {
			target, place, found := r.find(ref)
			if !found {
				return fmt.Errorf("%s %q: want a place of it, such as #/$defs/a", word, ref)
			}
			if err := r.follow(target, place); err != nil {
				return err
			}
		}
	}
	for _, word := range inPlace {
		inner, there := s[word]
		if !there {
			continue
		}
		place := at + "/" + word
		if err := r.follow(inner, place); err != nil { // one schema, or schemas by name
			return err
		}
		if err := r.followAll(inner, place); err != nil {
			return err
		}
	}
	r.state[at] = 2
	return nil
}

func (r *refs) followAll(v any, at string) error {
	switch v := v.(type) {
	case []any:
		for i, inner := range v {
			if err := r.follow(inner, at+"/"+strconv.Itoa(i)); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, inner := range v {
			if !slices.Contains(inPlace, name) {
				if err := r.follow(inner, at+"/"+pointerName.Replace(name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// find returns what is at "#/a/b", and the place as follow calls it.
func (r *refs) find(ref string) (v any, place string, ok bool) {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok || path != "" && path[0] != '/' || strings.Contains(path, "%") {
		return nil, "", false
	}
	v = r.root
	for _, name := range strings.Split(path, "/")[1:] {
		switch in := v.(type) {
		case map[string]any:
			name = plainName.Replace(name)
			v, ok = in[name]
			place += "/" + pointerName.Replace(name)
		case []any:
			i, err := strconv.Atoi(name)
			if ok = err == nil && i >= 0 && i < len(in); ok {
				v = in[i]
			}
			place += "/" + strconv.Itoa(i)
		default:
			ok = false
		}
		if !ok {
			return nil, "", false
		}
	}
	return v, place, true
}
