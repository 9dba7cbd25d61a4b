package httpserve

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func serving(t *testing.T) string {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /read", func(rw http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		fmt.Fprintln(rw, n)
	})
	t.Cleanup(Serve(l, mux, slog.New(slog.DiscardHandler)))
	return l.Addr().String()
}

// TestSlowClients: one that sends its header, or its body, a byte at a time does not
// keep its connection, and meanwhile others are answered.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	address := serving(t)
	for _, begin := range []string{"GET / HTTP/1.1\r\nHost: a\r\nX-", "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"} {
		t.Run(begin[:4], func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, begin); err != nil {
				t.Fatal(err)
			}
			closed := make(chan error, 1)
			go func() {
				_, err := io.ReadAll(c)
				closed <- err
			}()
			limit := time.After(6 * headerTimeout)
			for tick := time.NewTicker(headerTimeout / 20); ; {
				select {
				case <-closed:
					return
				case <-tick.C:
					_, _ = io.WriteString(c, "a") // fails once the server has closed
				case <-limit:
					t.Fatalf("the server keeps a slow client for more than %v", 6*headerTimeout)
				}
			}
		})
	}
	resp, err := http.Get("http://" + address + "/")
	if err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("GET beside slow clients = %v, %v, want an answer", resp, err)
	}
	if err == nil {
		resp.Body.Close()
	}
}

// TestRequestLimits: a header or body is taken up to a size.
func TestRequestLimits(t *testing.T) {
	t.Parallel()
	address := serving(t)
	send := func(header string, body int) string {
		t.Helper()
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		go func() {
			_, _ = fmt.Fprintf(c, "POST /read HTTP/1.1\r\nHost: a\r\nX-Long: %s\r\nContent-Length: %d\r\n\r\n%s", header, body, strings.Repeat("a", body))
		}()
		line, _ := bufio.NewReader(c).ReadString('\n')
		return line
	}
	if line := send("short", maxBody); !strings.Contains(line, "200") {
		t.Errorf("a request of allowed size = %q, want 200", line)
	}
	if line := send("short", maxBody+1); !strings.Contains(line, "413") {
		t.Errorf("a body that is too long = %q, want 413", line)
	}
	if line := send(strings.Repeat("a", 64<<10), 0); !strings.Contains(line, "431") {
		t.Errorf("a header that is too long = %q, want 431", line)
	}
}

func TestListenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "9464", "a:b:c"} {
		if l, err := Listen(address); err == nil {
			l.Close()
			t.Errorf("Listen(%q) = nil, want an error", address)
		}
	}
}
