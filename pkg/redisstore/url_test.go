package redisstore

import (
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	tests := []struct {
		url, hosts, user, password, master string
		kind                               kind
		db                                 int
		tls                                bool
	}{
		{url: "redis://localhost", hosts: "localhost:6379"},
		{url: "redis://:p%40ss@h:1/2", hosts: "h:1", password: "p@ss", db: 2},
		{url: "redis://u:p@[::1]:7", hosts: "[::1]:7", user: "u", password: "p"},
		{url: "rediss://h", hosts: "h:6379", tls: true},
		{url: "redis+sentinel://u:p@a:1,b/main/3", kind: kindSentinel, hosts: "a:1,b:26379", user: "u", password: "p", master: "main", db: 3},
		{url: "redis+cluster://a:1,b:2", kind: kindCluster, hosts: "a:1,b:2"},
		{url: "rediss+cluster://a:1", kind: kindCluster, hosts: "a:1", tls: true},
	}
	for _, test := range tests {
		got, err := parseURL(test.url)
		if err != nil {
			t.Errorf("parseURL(%q) = %v, want nil", test.url, err)
			continue
		}
		if got.address() != test.hosts || got.user != test.user || got.password != test.password ||
			got.master != test.master || got.kind != test.kind || got.db != test.db || (got.tls != nil) != test.tls {
			t.Errorf("parseURL(%q) = %+v, want %+v", test.url, got, test)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for url, want := range map[string]string{
		"":                                    "want redis://",
		"http://u:canary@h":                   "want redis://",
		"redis://u:canary@":                   "host is missing",
		"redis://u:canary@h/x":                `database "x"`,
		"redis://u:can%ary@h":                 "percent-encoded",
		"redis://u:canary@a,b":                "2 hosts",
		"redis+cluster://u:canary@a/1":        "only database 0",
		"redis+sentinel://u:canary@a":         "master's name is missing",
		"redis://u:canary@h?tls=1":            `unknown option "tls"`,
		"rediss://u:canary@h?ca=/no/such.pem": "ca:",
		"redis://u:canary@a:b:c":              "want host:port",
	} {
		_, err := parseURL(url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseURL(%q) = %v, want an error with %q", url, err, want)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("parseURL(%q) = %v, which shows the password", url, err)
		}
	}
}
