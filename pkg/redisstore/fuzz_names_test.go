package redisstore

import (
	"maps"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// FuzzKeys looks for names, all of them valid, that put keys of one partition into
// two slots, or give one key to two things.
func FuzzKeys(f *testing.F) {
	f.Add("ns", "ns", "run", "queue", "run.1", uint8(1), uint8(64))
	f.Add("a", "a.1", "active", "completed", "1", uint8(1), uint8(12))
	f.Add("1", "1.", "-", ".", "_", uint8(2), uint8(1))
	f.Fuzz(func(t *testing.T, ns, other, run, queue, run2 string, parts, otherParts uint8) {
		for _, name := range []string{ns, other, run, queue, run2} {
			if flox.CheckName("name", name) != nil {
				return
			}
		}
		k := newKeyspace(ns, 1+int(parts))
		n, p := k.of(run)
		named := map[string]string{}
		slot := slotOf(p.run(run))
		add := func(what string, keys ...string) {
			for _, key := range keys {
				if was := named[key]; was != "" {
					t.Fatalf("%s is a key of %s and of %s", key, was, what)
				}
				named[key] = what
			}
		}
		of := func(q partition, id, what string) {
			add(what+" "+id, q.run(id), q.state(id), q.history(id), q.errors(id))
		}
		of(p, run, "run")
		add("queue", p.queue(queue))
		add("partition", append(slices.Collect(maps.Keys(p.types())), p.events(), p.alerts())...)
		for key := range named {
			if got := slotOf(key); got != slot {
				t.Fatalf("slot of %s is %d, of %s %d: they are of one partition", key, got, p.run(run), slot)
			}
			if place, ok := k.place(key); key != p.events() && key != p.alerts() && (!ok || place.part != n) {
				t.Fatalf("place(%s) = %+v, %v, want partition %d", key, place, ok, n)
			}
		}
		if got := p.queueName(p.queue(queue)); got != queue {
			t.Fatalf("queueName of the queue %q = %q", queue, got)
		}
		add("namespace", k.config(), k.workflows(), k.workers(), k.worker(run))
		if run2 != run {
			_, q := k.of(run2)
			of(q, run2, "run")
			add("worker", k.worker(run2))
		}
		if other != ns {
			foreign(t, newKeyspace(other, 1+int(otherParts)), run, queue, named)
		}
	})
}

// foreign checks that another namespace takes none of the keys, and that none of
// its own would be found by a search for keys of those.
func foreign(t *testing.T, k keyspace, run, queue string, named map[string]string) {
	t.Helper()
	keys := []string{k.config(), k.workflows(), k.workers(), k.worker(run)}
	for _, p := range k.parts {
		keys = append(keys, p.run(run), p.state(run), p.history(run), p.errors(run), p.queue(queue), p.events(), p.alerts())
		keys = slices.AppendSeq(keys, maps.Keys(p.types()))
	}
	for _, key := range keys {
		if was := named[key]; was != "" {
			t.Fatalf("%s is a key of another namespace's %s", key, was)
		}
	}
	for key := range named {
		if place, ok := k.place(key); ok {
			t.Fatalf("namespace %s takes %s for its own: %+v", k.ns, key, place)
		}
	}
}

// FuzzForeignKeys gives what looks for keys of a namespace any key.
func FuzzForeignKeys(f *testing.F) {
	for _, key := range []string{"", "flox:{ns}:config", "flox:{ns:3}:run:a:b", "flox:{ns:03}:run:r", "flox:{ns:99}:run:r", "flox:{ns:}:", "flox:{ns", "flox:{ns:1}:queue:", "flox:{ns}:worker:"} {
		f.Add(key)
	}
	k := newKeyspace("ns", 4)
	f.Fuzz(func(t *testing.T, key string) {
		if place, ok := k.place(key); ok && !strings.HasPrefix(key, "flox:{ns") {
			t.Fatalf("place(%q) = %+v: it is of no namespace ns", key, place)
		}
	})
}

// FuzzURL gives the reader of URLs any text: it answers with hosts that can be
// dialled and without the password in what it says, or errs without it.
func FuzzURL(f *testing.F) {
	for _, s := range []string{
		"redis://localhost", "rediss://u:p@h:1/3", "redis+sentinel://:secret@a,b:2/master/4", "redis+cluster://[::1]:7000,h/0", "redis://u:%zz@h",
		"rediss://h?ca=/nowhere", "redis://h?x=1", "redis://@@h", "redis://[::1", "redis://h:1:2", "://", "redis://a%2Fb:c%40d@h/1?",
	} {
		f.Add(s, "secret")
	}
	f.Fuzz(func(t *testing.T, s, password string) {
		u, err := parseURL(s)
		if err == nil {
			for _, host := range u.hosts {
				if h, port, err := net.SplitHostPort(host); err != nil || port == "" && h == "" {
					t.Fatalf("host of %q is %q: %v", s, host, err)
				}
			}
			if len(u.hosts) == 0 || u.db < 0 || (u.kind == kindSentinel) != (u.master != "") {
				t.Fatalf("parseURL(%q) = %+v", s, u)
			}
		}
		// Encoded as RFC 3986 says, a password comes out as it was, and is shown nowhere.
		if len(password) < 4 || !strings.ContainsAny(password, "Zz") {
			return
		}
		for _, tail := range []string{"h:1", "h:x:y", "h/x", "h?x=1", ""} {
			u, err := parseURL("redis://u:" + percent(password) + "@" + tail)
			if err != nil && strings.Contains(err.Error(), password) {
				t.Fatalf("the error shows the password %q: %v", password, err)
			}
			if err == nil && (u.password != password || strings.Contains(u.address(), password)) {
				t.Fatalf("password %q came out as %q, address %q", password, u.password, u.address())
			}
		}
	})
}

func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString("%" + string("0123456789ABCDEF"[s[i]>>4]) + string("0123456789ABCDEF"[s[i]&15]))
	}
	return b.String()
}

// FuzzCursors gives the readers of cursors any text: what they take, they take
// again as what they made of it.
func FuzzCursors(f *testing.F) {
	f.Add("MCAxNzAwMDAwMDAwMDAwIHJ1bnx3Zg", "12:3")
	f.Add(indexed{3, -1, "a b|c"}.cursor(), "18446744073709551615:0")
	f.Add("", "0:-1")
	f.Fuzz(func(t *testing.T, list, tokens string) {
		if at, err := parseCursor(list); err == nil && list != "" {
			if again, err := parseCursor(at.cursor()); err != nil || again != at {
				t.Fatalf("cursor %q is %+v, again %+v, %v", list, at, again, err)
			}
		}
		if at, skip, err := splitCursor(tokens); err == nil && (at == "" || skip < 0) {
			t.Fatalf("splitCursor(%q) = %q, %d", tokens, at, skip)
		}
	})
}
