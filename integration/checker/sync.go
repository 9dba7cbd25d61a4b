package checker

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// connect asks the server for all that it does.
func (w *Watch) connect(ctx context.Context) (net.Conn, *bufio.Reader, error) {
	opts := w.rdb.Options()
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", opts.Addr)
	if err != nil {
		return nil, nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	lines := bufio.NewReaderSize(conn, 1<<20)
	ask := func(words ...string) {
		if err != nil {
			return
		}
		fmt.Fprintf(conn, "*%d\r\n", len(words))
		for _, word := range words {
			fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(word), word)
		}
		var answer string
		if answer, err = lines.ReadString('\n'); err == nil && answer != "+OK\r\n" {
			err = fmt.Errorf("%s: %s", words[0], strings.TrimSpace(answer))
		}
	}
	switch {
	case opts.Username != "":
		ask("AUTH", opts.Username, opts.Password)
	case opts.Password != "":
		ask("AUTH", opts.Password)
	}
	ask("MONITOR")
	if err != nil {
		conn.Close()
	}
	return conn, lines, err
}

// sync begins anew from the server's keys. They are read by a script whose own line
// is then found among the others: what comes before it is in what it has read.
func (w *Watch) sync(ctx context.Context, conn net.Conn, lines *bufio.Reader) error {
	type answer struct {
		reply []any
		err   error
	}
	for {
		mark, done := "checker:dump:"+rand.Text(), make(chan answer, 1)
		go func() {
			err := w.master(ctx)
			var reply []any
			if err == nil {
				reply, err = w.dump(ctx, mark)
			}
			if err != nil { // there may be no line: let the reader stop
				_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			}
			done <- answer{reply, err}
		}()
		read := w.skip(lines, mark)
		a := <-done
		_ = conn.SetReadDeadline(time.Time{})
		switch {
		case a.err == nil && read == nil:
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.mirror.load(a.reply)
		case ctx.Err() != nil:
			return ctx.Err()
		case read != nil && !isTimeout(read):
			return read
		}
	}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// master returns an error while the server is a replica.
func (w *Watch) master(ctx context.Context) error {
	role, err := w.rdb.Do(ctx, "ROLE").Slice()
	if err == nil && (len(role) == 0 || role[0] != "master") {
		err = errors.New("the server is a replica")
	}
	return err
}

func (w *Watch) dump(ctx context.Context, mark string) ([]any, error) {
	return w.rdb.Eval(ctx, dumpScript, nil, w.mirror.prefix, mark).Slice()
}

// skip reads up to the line with the mark, and what that script did. Scripts that
// are loaded meanwhile are learnt.
func (w *Watch) skip(lines *bufio.Reader, mark string) error {
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		c, ok := parseCommand(line)
		if !ok || c.lua {
			continue
		}
		if c.name == "SCRIPT" || c.name == "EVAL" {
			learnScript(c)
		}
		w.reached(c)
		if c.args[len(c.args)-1] == mark {
			return nil
		}
	}
}
