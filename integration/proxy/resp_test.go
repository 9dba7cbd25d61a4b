package proxy

import (
	"bufio"
	"strings"
	"testing"
)

func TestReadValue(t *testing.T) {
	values := []string{
		"+OK\r\n", "-ERR no\r\n", ":12\r\n", "$3\r\na\r\n\r\n", "$-1\r\n", "$0\r\n\r\n", "*-1\r\n", "*0\r\n",
		"*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", "%1\r\n+a\r\n:1\r\n", ">2\r\n+message\r\n$2\r\nhi\r\n", "|1\r\n+k\r\n+v\r\n:7\r\n", "#t\r\n", ",1.5\r\n", "_\r\n",
		"=5\r\ntxt:x\r\n", "-" + strings.Repeat("long ", 10_000) + "\r\n",
	}
	r := bufio.NewReader(strings.NewReader(strings.Join(values, "")))
	for _, want := range values {
		if got, err := readValue(r, nil); err != nil || string(got) != want {
			t.Errorf("readValue = %.40q, %v, want %.40q", got, err, want)
		}
	}
	if _, err := readValue(r, nil); err == nil {
		t.Error("read more than there is")
	}
	for _, bad := range []string{"*x\r\n", "$999999999999\r\n", "$5\r\nab", "*2\r\n:1\r\n"} {
		if got, err := readValue(bufio.NewReader(strings.NewReader(bad)), nil); err == nil {
			t.Errorf("readValue(%q) = %q, want an error", bad, got)
		}
	}
}

func TestReadCommand(t *testing.T) {
	r := bufio.NewReader(strings.NewReader("*5\r\n$7\r\nevalsha\r\n$1\r\nf\r\n$1\r\n1\r\n$1\r\nk\r\n$2\r\n\r\n\r\n" + "*2\r\n:1\r\n:2\r\n"))
	cmd, raw, err := readCommand(r)
	if err != nil || cmd.Name() != "EVALSHA" || len(cmd.Args) != 5 || string(cmd.Args[4]) != "\r\n" || len(raw) == 0 {
		t.Errorf("readCommand = %q, %v", cmd.Args, err)
	}
	if keys := cmd.Keys(); len(keys) != 1 || string(keys[0]) != "k" {
		t.Errorf("keys %q, want k", keys)
	}
	if _, _, err := readCommand(r); err == nil {
		t.Error("a request of numbers was taken")
	}
}
