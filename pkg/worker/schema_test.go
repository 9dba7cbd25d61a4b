package worker

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

type shape interface{ VariantOf(shape) }

type tree struct {
	Children []tree `json:"children"`
}

func TestTypeSchema(t *testing.T) {
	for _, tt := range []struct {
		typ  reflect.Type
		want string
	}{
		{reflect.TypeFor[struct {
			Name string `json:"name"`
			Age  int    `json:"age,omitempty"`
		}](), `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name"],"additionalProperties":false}`},
		{reflect.TypeFor[string](), `{"type":"string"}`},
		{reflect.TypeFor[time.Time](), `{"type":"string","format":"date-time"}`},
		{reflect.TypeFor[[]byte](), `{"type":["null","string"],"contentEncoding":"base64"}`},
		{reflect.TypeFor[netip.Addr](), `{"type":"string"}`},
		{reflect.TypeFor[*netip.Addr](), `{"type":["null","string"]}`},
		{reflect.TypeFor[json.RawMessage](), `true`},
		{reflect.TypeFor[big.Int](), `true`},
		{reflect.TypeFor[shape](), `true`},
		{reflect.TypeFor[tree](), `true`},
		{reflect.TypeFor[func()](), `true`},
	} {
		got, err := json.Marshal(typeSchema(tt.typ))
		if err != nil || string(got) != tt.want {
			t.Errorf("schema of %v = %s, %v, want %s", tt.typ, got, err, tt.want)
		}
	}
}
