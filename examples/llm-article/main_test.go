package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// model is a small server that answers as a language model does, each kind of
// trouble once.
type model struct {
	mu    sync.Mutex
	asked map[string]int // by question
	waits []time.Time    // when it was asked for the outline
}

func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q question
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/v1/chat/completions" || len(q.Messages) != 2 {
		http.Error(w, "what?", http.StatusBadRequest)
		return
	}
	if q.Model != "test" || r.Header.Get("Authorization") != "Bearer secret" {
		http.Error(w, "wrong key", http.StatusUnauthorized)
		return
	}
	text := q.Messages[1].Content
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked[text]++
	first := m.asked[text] == 1
	switch {
	case strings.HasPrefix(text, "Give the headings"):
		m.waits = append(m.waits, time.Now())
		if first {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many requests", http.StatusTooManyRequests)
			return
		}
		say(w, "1. Rain\n2. Rivers\n")
	case strings.Contains(text, `"Rain"`):
		if first {
			io.WriteString(w, `{"choices": [{"mess`)
			return
		}
		say(w, "It rains.")
	case strings.Contains(text, `"Rivers"`):
		say(w, "They flow.")
	default: // the editor says what it got
		_, draft, _ := strings.Cut(text, ":\n")
		say(w, "# The sea\n"+draft)
	}
}

func say(w io.Writer, text string) {
	answer, _ := json.Marshal(text)
	fmt.Fprintf(w, `{"choices": [{"message": {"role": "assistant", "content": %s}}], "usage": {"total_tokens": 10}}`, answer)
}

// serve starts a server and says by environment where it is.
func serve(t *testing.T, h http.Handler) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	t.Setenv("OPENAI_BASE_URL", server.URL)
	t.Setenv("OPENAI_MODEL", "test")
	t.Setenv("OPENAI_API_KEY", "secret")
}

func TestRun(t *testing.T) {
	m := &model{asked: map[string]int{}}
	serve(t, m)
	var out strings.Builder
	if err := run(t.Context(), &out, "the sea"); err != nil {
		t.Fatal(err)
	}
	want := "# The sea\n## Rain\nIt rains.\n## Rivers\nThey flow.\n(4 answers, 40 tokens)\n"
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
	if len(m.waits) != 2 || m.waits[1].Sub(m.waits[0]) < time.Second {
		t.Errorf("asked for the outline at %v, want twice, a second apart", m.waits)
	}
	for question, n := range m.asked {
		if n > 2 || n == 2 && strings.Contains(question, "Rivers") {
			t.Errorf("asked %d times: %s", n, question)
		}
	}
}

// TestWrongKey checks that what a retry cannot mend is not retried.
func TestWrongKey(t *testing.T) {
	serve(t, &model{asked: map[string]int{}})
	t.Setenv("OPENAI_API_KEY", "guessed")
	err := run(t.Context(), io.Discard, "the sea")
	failed, ok := errors.AsType[*flox.RunError](err)
	if !ok || failed.Node != "outline" || failed.Attempt != 1 || !strings.Contains(failed.Cause, "401 Unauthorized: wrong key") {
		t.Errorf("run = %v, want it to fail at once for a wrong key", err)
	}
}

// TestBadAnswers checks what is worth another attempt.
func TestBadAnswers(t *testing.T) {
	var status int
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	defer server.Close()
	for _, tt := range []struct {
		status int
		body   string
		want   string
	}{
		{200, `{"choices": []}`, "the answer is empty"},
		{200, `<html>`, "the answer is not what was agreed: invalid character '<' looking for beginning of value"},
		{404, "no such model", "the model's server says 404 Not Found: no such model"},
		{503, "busy", "the model's server says 503 Service Unavailable: busy"},
	} {
		status, body = tt.status, tt.body
		_, _, err := (&Chat{URL: server.URL + "/v1/"}).Ask(t.Context(), "", "")
		if err == nil || err.Error() != tt.want {
			t.Errorf("Ask = %v, want %s", err, tt.want)
		}
	}
}
