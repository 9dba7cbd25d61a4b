package worker

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/floxrun/flox/pkg/flox"
)

// InputSchema returns the JSON Schema of a workflow's input, by which the CLI
// checks an input before it starts a run. It is the Config.Schema of Main's
// workers. Where a type cannot be described (a sum type, a recursive type, a
// type with a decoder of its own) the schema allows anything.
func InputSchema(d flox.Definition) ([]byte, error) {
	schema := typeSchema(d.InputType())
	b, err := json.Marshal(schema)
	if err != nil {
		return nil, fmt.Errorf("schema of %v: %w", d.InputType(), err)
	}
	return b, nil
}

func typeSchema(t reflect.Type) *jsonschema.Schema {
	custom := map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[time.Time](): {Type: "string", Format: "date-time"},
		// encoding/json reads and writes bytes as base64.
		reflect.TypeFor[[]byte](): {Types: []string{"null", "string"}, ContentEncoding: "base64"},
	}
	findCustom(t, custom, map[reflect.Type]bool{})
	schema, err := jsonschema.ForType(t, &jsonschema.ForOptions{IgnoreInvalidTypes: true, TypeSchemas: custom})
	if err != nil || schema == nil {
		// A recursive type, or one with no JSON form: the node's decoder judges.
		return &jsonschema.Schema{}
	}
	return schema
}

var (
	jsonDecoder = reflect.TypeFor[json.Unmarshaler]()
	textDecoder = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// findCustom collects the types reachable from t that decode themselves: what
// they look like in JSON cannot be seen from their fields.
func findCustom(t reflect.Type, custom map[reflect.Type]*jsonschema.Schema, seen map[reflect.Type]bool) {
	if seen[t] || custom[t] != nil {
		return
	}
	seen[t] = true
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface {
		switch p := reflect.PointerTo(t); {
		case p.Implements(jsonDecoder):
			custom[t] = &jsonschema.Schema{}
			return
		case p.Implements(textDecoder):
			custom[t] = &jsonschema.Schema{Type: "string"}
			return
		}
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		findCustom(t.Elem(), custom, seen)
	case reflect.Struct:
		for i := range t.NumField() {
			findCustom(t.Field(i).Type, custom, seen)
		}
	}
}
