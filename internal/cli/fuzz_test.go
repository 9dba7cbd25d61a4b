package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// FuzzLines gives start --from any file: each line becomes a run with a name of its
// own that is the same the next time, or is named as the line that is wrong.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"id\":\"a\"}\n\n {\"id\": 7}\r\n[1]\n"), "id")
	f.Add([]byte("\xef\xbb\xbf1\n1\n 1 \n1e999\n"), "")
	f.Add([]byte("{\"id\":null}\x00\n\xff\n"), "id")
	f.Add([]byte(strings.Repeat("[", 20000)+"\n"), "")
	f.Fuzz(func(t *testing.T, file []byte, field string) {
		first, err1 := linesOf(file, field, "b")
		again, err2 := linesOf(file, field, "b")
		if (err1 == nil) != (err2 == nil) || len(first) != len(again) {
			t.Fatalf("%q gives %d runs, %v, then %d, %v", file, len(first), err1, len(again), err2)
		}
		other, _ := linesOf(file, field, "c")
		ids := map[string]bool{}
		for i, item := range first {
			if !json.Valid(item.Input) || len(bytes.TrimSpace(item.Input)) == 0 || bytes.ContainsRune(item.Input, '\n') {
				t.Fatalf("input %q is not one line of JSON", item.Input)
			}
			if flox.CheckName("run id", item.ID) != nil || item.ID != again[i].ID {
				t.Fatalf("id of %q is %q, then %q", item.Input, item.ID, again[i].ID)
			}
			if field == "" && (ids[item.ID] || item.ID == other[i].ID) {
				t.Fatalf("id %q of %q is that of another line or batch", item.ID, item.Input)
			}
			ids[item.ID] = true
		}
		if _, ok := errors.AsType[*lineError](err1); err1 != nil && (!ok || !strings.HasPrefix(err1.Error(), "standard input: line ")) {
			t.Fatalf("the error %v does not name a line", err1)
		}
	})
}

// linesOf returns the runs of a file, and the error that ends them.
func linesOf(file []byte, field, batch string) (items []flox.StartItem, err error) {
	l := &lineItems{
		file: &lineReader{name: "standard input", r: bytes.NewReader(file)}, workflow: "w", seen: map[uint64]int{},
		flags: linesFlags{idField: field, batch: batch},
		start: func(string) (flox.StartOption, func(bool, error)) { return flox.WithTrace(""), nil },
	}
	for item, err := range l.all(context.Background()) {
		if err != nil {
			return items, err
		}
		items = append(items, item)
	}
	return items, nil
}

// FuzzInput gives the check of inputs any text: it takes JSON alone, and the place
// that it names is one of the text.
func FuzzInput(f *testing.F) {
	for _, s := range []string{"", " ", "{}", "{\n\"a\": é}", "[1,\n 2", "1e999", "\xff", "null", "\"\\ud800\"", "{} {}", "é é"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		lines, columns := 0, 0
		err := checkSyntax("input", b, func(line, column int) string { lines, columns = line, column; return "place" })
		var v any
		if valid := json.Unmarshal(b, &v) == nil && utf8.Valid(b); valid != (err == nil) {
			t.Fatalf("checkSyntax(%q) = %v, want it to take JSON alone", b, err)
		}
		if lines == 0 {
			return
		}
		all := bytes.Split(b, []byte("\n"))
		if lines > len(all) || columns < 1 || columns > utf8.RuneCount(all[lines-1])+1 {
			t.Fatalf("checkSyntax(%q) names line %d, column %d", b, lines, columns)
		}
	})
}

// FuzzSchema gives the check by a schema any schema and any input: what is wrong
// is named with its place, and what was taken is taken again.
func FuzzSchema(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"n":{"type":"integer","minimum":0,"maximum":9},"t":{"type":"string","format":"date-time"},`+
		`"b":{"types":["null","string"],"contentEncoding":"base64"},"l":{"type":"array","items":{"type":"number"},"minItems":1,"maxItems":2}},`+
		`"required":["n"],"additionalProperties":false}`), []byte(`{"n":1.5,"t":"x","b":"?","l":[]}`))
	f.Add([]byte(`{"$ref":"#"}`), []byte(`1`))
	f.Add([]byte(`{"$defs":{"a":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}`), []byte(`{}`))
	f.Add([]byte(`{"pattern":"(a+)+$","anyOf":[true,false]}`), []byte(`"aaaaaaaaaaaaaaaaaaaaaaaa!"`))
	f.Add([]byte(`true`), []byte(`null`))
	f.Add([]byte(`{"maxItems":-1}`), []byte(`[1]`))
	f.Fuzz(func(t *testing.T, text, input []byte) {
		s, err := parseSchema(text)
		if err != nil || !json.Valid(input) {
			return
		}
		first, second := s.check(input), s.check(input)
		if (first == nil) != (second == nil) {
			t.Fatalf("schema %q takes %q: %v, then %v", text, input, first, second)
		}
		if err := checkSchema(text, input); (err == nil) != (first == nil) {
			t.Fatalf("schema %q takes %q: %v, read anew: %v", text, input, first, err)
		}
	})
}

// A schema that leads back to itself is refused; one that goes into the value on its
// way is not.
func TestSchemaRefs(t *testing.T) {
	for text, want := range map[string]string{
		`{"$ref":"#"}`: "leads back to itself",
		`{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}},"items":{"$ref":"#/$defs/a"}}`: "leads back to itself",
		`{"$ref":"http://example.com/s"}`: "want a place of it",
		`{"$ref":"#/$defs/none"}`:         "want a place of it",
		`{"$defs":{"tree":{"type":"object","properties":{"left":{"$ref":"#/$defs/tree"}},"additionalProperties":{"$ref":"#/$defs/tree"}}},"$ref":"#/$defs/tree"}`: "",
	} {
		_, err := parseSchema([]byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("parseSchema(%s) = %v, want an error with %q", text, err, want)
		}
	}
	if err := checkSchema([]byte(`{"$defs":{"t":{"type":"object","properties":{"l":{"$ref":"#/$defs/t"}}}},"$ref":"#/$defs/t"}`), []byte(`{"l":{"l":3}}`)); err == nil {
		t.Error("a number in a tree of objects = nil, want an error")
	}
}

// FuzzFilter gives the flags that select runs any words.
func FuzzFilter(f *testing.F) {
	f.Add("all", "k=v", "90s")
	f.Add("active", "k=", "1d12h")
	f.Add("Running", "=v", "-1s")
	f.Add("", "a=b=c", "9223372036854775807ns")
	f.Fuzz(func(t *testing.T, status, label, age string) {
		selected, err := parseStatuses([]string{status, "failed"})
		for _, s := range selected {
			if err == nil && !strings.Contains(strings.Join(statusWords(), " "), string(s)) {
				t.Fatalf("--status=%q selects %q", status, s)
			}
		}
		if labels, err := parseLabels([]string{label}); err == nil && (len(labels) != 1 || flox.CheckLabels(labels) != nil) {
			t.Fatalf("--label=%q selects %q", label, labels)
		}
		var d, again flags.Duration
		if d.Set(age) == nil {
			if err := again.Set(d.String()); err != nil || again != d {
				t.Fatalf("%q is %v, which is read as %v, %v", age, time.Duration(d), time.Duration(again), err)
			}
		}
	})
}
