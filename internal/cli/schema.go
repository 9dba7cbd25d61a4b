package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// schema is a workflow's registered schema, made ready to check many inputs; one
// that takes anything is nil.
type schema struct {
	text     *jsonschema.Schema
	resolved *jsonschema.Resolved
}

// parseSchema reads a registered schema, which may be empty.
func parseSchema(text []byte) (*schema, error) {
	if len(text) == 0 {
		return nil, nil
	}
	s := &schema{text: &jsonschema.Schema{}}
	err := json.Unmarshal(text, s.text)
	if err == nil {
		err = checkRefs(text)
	}
	if err == nil {
		s.resolved, err = s.text.Resolve(nil)
	}
	if err != nil {
		return nil, fmt.Errorf("registered schema: %w", err)
	}
	return s, nil
}

// check checks an input. The error names the place in the input and what was
// expected there.
func (s *schema) check(input []byte) error {
	if s == nil {
		return nil
	}
	var exact, v any
	exactly := json.NewDecoder(bytes.NewReader(input))
	exactly.UseNumber() // what a float64 rounds, the node may refuse
	if err := exactly.Decode(&exact); err != nil {
		return err
	}
	if err := mismatch(s.text, exact, "$"); err != nil {
		return err
	}
	if err := json.Unmarshal(input, &v); err != nil {
		return err
	}
	return s.resolved.Validate(v) // knows the keywords that mismatch does not
}

// checkSchema checks one input by a workflow's registered schema.
func checkSchema(text, input []byte) error {
	s, err := parseSchema(text)
	if err != nil {
		return err
	}
	return s.check(input)
}

// mismatch finds the first place where v differs from s, as far as the schemas
// of Go types go. jsonschema's own errors name places in the schema instead.
func mismatch(s *jsonschema.Schema, v any, path string) error {
	if s == nil {
		return nil
	}
	if types := typesOf(s); len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return hasType(t, v) }) {
		return fmt.Errorf("%s: got %s, want %s", path, describe(v), strings.Join(types, " or "))
	}
	switch v := v.(type) {
	case map[string]any:
		return objectMismatch(s, v, path)
	case []any:
		if s.MinItems != nil && len(v) < *s.MinItems || s.MaxItems != nil && len(v) > *s.MaxItems {
			return fmt.Errorf("%s: got %d items, want %s", path, len(v), itemRange(s))
		}
		for i, item := range v {
			if err := mismatch(s.Items, item, path+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
	case json.Number:
		return numberMismatch(s, v, path)
	case string:
		return stringMismatch(s, v, path)
	}
	return nil
}

// numberMismatch takes as integers what Go's integer types do: digits alone, of
// 64 bits at most.
func numberMismatch(s *jsonschema.Schema, v json.Number, path string) error {
	f, err := v.Float64()
	if err != nil {
		return fmt.Errorf("%s: got %v, want a number that 64 bits can hold", path, v)
	}
	if s.Minimum != nil && f < *s.Minimum {
		return fmt.Errorf("%s: got %v, want %v or more", path, v, *s.Minimum)
	}
	if s.Maximum != nil && f > *s.Maximum {
		return fmt.Errorf("%s: got %v, want %v or less", path, v, *s.Maximum)
	}
	types := typesOf(s)
	if !slices.Contains(types, "integer") || slices.Contains(types, "number") {
		return nil
	}
	unsigned := s.Minimum != nil && *s.Minimum >= 0
	if _, err = v.Int64(); err != nil && unsigned {
		_, err = strconv.ParseUint(v.String(), 10, 64)
	}
	switch {
	case err == nil:
		return nil
	case unsigned:
		return fmt.Errorf("%s: got %v, want %d or less", path, v, uint64(math.MaxUint64))
	}
	return fmt.Errorf("%s: got %v, want %d to %d", path, v, math.MinInt64, math.MaxInt64)
}

func stringMismatch(s *jsonschema.Schema, v, path string) error {
	if s.Format == "date-time" {
		if _, err := time.Parse(time.RFC3339, v); err != nil {
			return fmt.Errorf("%s: got %s, want a time such as 2006-01-02T15:04:05Z", path, describe(v))
		}
	}
	if s.ContentEncoding == "base64" {
		if _, err := base64.StdEncoding.DecodeString(v); err != nil {
			return fmt.Errorf("%s: got %s, want bytes in base64", path, describe(v))
		}
	}
	return nil
}

func objectMismatch(s *jsonschema.Schema, v map[string]any, path string) error {
	closed := s.AdditionalProperties != nil && s.AdditionalProperties.Not != nil
	for _, name := range slices.Sorted(maps.Keys(v)) {
		property, ok := s.Properties[name]
		if !ok && closed {
			return unknownField(s, path, name)
		}
		if !ok {
			property = s.AdditionalProperties
		}
		if err := mismatch(property, v[name], path+"."+name); err != nil {
			return err
		}
	}
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			return fmt.Errorf("%s.%s: missing, want %s", path, name, wanted(s.Properties[name]))
		}
	}
	return nil
}

func unknownField(s *jsonschema.Schema, path, name string) error {
	names := slices.Sorted(maps.Keys(s.Properties))
	if near := nearest(name, names); near != "" {
		return fmt.Errorf("%s.%s: unknown field, did you mean %s?", path, name, near)
	}
	if len(names) == 0 {
		return fmt.Errorf("%s.%s: unknown field, want none", path, name)
	}
	return fmt.Errorf("%s.%s: unknown field, want only %s", path, name, strings.Join(names, ", "))
}

func typesOf(s *jsonschema.Schema) []string {
	if s.Type != "" {
		return []string{s.Type}
	}
	return s.Types
}

// wanted words what a schema takes.
func wanted(s *jsonschema.Schema) string {
	if s == nil || len(typesOf(s)) == 0 {
		return "a value"
	}
	return strings.Join(typesOf(s), " or ")
}

func itemRange(s *jsonschema.Schema) string {
	switch {
	case s.MinItems != nil && s.MaxItems != nil && *s.MinItems == *s.MaxItems:
		return strconv.Itoa(*s.MinItems)
	case s.MinItems != nil && s.MaxItems != nil:
		return fmt.Sprintf("%d to %d", *s.MinItems, *s.MaxItems)
	case s.MinItems != nil:
		return fmt.Sprintf("%d or more", *s.MinItems)
	}
	return fmt.Sprintf("%d or less", *s.MaxItems)
}

// hasType reports whether a decoded JSON value is of a JSON Schema type.
func hasType(t string, v any) bool {
	switch t {
	case "integer":
		n, ok := v.(json.Number)
		return ok && !strings.ContainsAny(n.String(), ".eE")
	case "number":
		_, ok := v.(json.Number)
		return ok
	}
	return t == kind(v)
}

func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// describe is a value's kind and, if it is short, the value.
func describe(v any) string {
	switch v.(type) {
	case string, json.Number, bool:
		if b, err := json.Marshal(v); err == nil && len(b) <= 40 {
			return kind(v) + " " + string(b)
		}
	}
	return kind(v)
}
