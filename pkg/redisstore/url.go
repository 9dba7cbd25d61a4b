package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// kind is how a server is reached.
type kind int

const (
	kindSingle kind = iota
	kindSentinel
	kindCluster
)

var schemes = map[string]struct {
	kind kind
	tls  bool
	port string
}{
	"redis":           {kindSingle, false, "6379"},
	"rediss":          {kindSingle, true, "6379"},
	"redis+sentinel":  {kindSentinel, false, "26379"},
	"rediss+sentinel": {kindSentinel, true, "26379"},
	"redis+cluster":   {kindCluster, false, "6379"},
	"rediss+cluster":  {kindCluster, true, "6379"},
}

// target is a parsed URL.
type target struct {
	kind           kind
	hosts          []string
	user, password string
	master         string // Sentinel's name of the master
	db             int
	tls            *tls.Config
}

// address names the target for messages: hosts alone, no credentials.
func (t *target) address() string { return strings.Join(t.hosts, ",") }

// parseURL reads a URL by hand: net/url takes one host only, and repeats the
// password in its errors.
func parseURL(raw string) (*target, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	form, known := schemes[scheme]
	if !ok || !known {
		return nil, errors.New("redis URL: want redis://, rediss://, redis+sentinel:// or redis+cluster://, then user:password@host:port")
	}
	t := &target{kind: form.kind}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		if err := t.credentials(authority[:at]); err != nil {
			return nil, err
		}
		authority = authority[at+1:]
	}
	for host := range strings.SplitSeq(authority, ",") {
		address, err := withPort(host, form.port)
		if err != nil {
			return nil, err
		}
		t.hosts = append(t.hosts, address)
	}
	if t.kind == kindSingle && len(t.hosts) > 1 {
		return nil, fmt.Errorf("redis URL: %d hosts; for several use redis+sentinel:// or redis+cluster://", len(t.hosts))
	}
	if err := t.path(path); err != nil {
		return nil, err
	}
	if err := t.options(query, form.tls); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *target) credentials(s string) error {
	user, password, _ := strings.Cut(s, ":")
	var err1, err2 error
	t.user, err1 = url.PathUnescape(user)
	t.password, err2 = url.PathUnescape(password)
	if err1 != nil || err2 != nil {
		return errors.New("redis URL: the user or password is not percent-encoded rightly (write % as %25)")
	}
	return nil
}

func withPort(host, port string) (string, error) {
	if host == "" {
		return "", errors.New("redis URL: a host is missing")
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host, nil
	}
	bare := strings.Trim(host, "[]")
	if strings.Contains(bare, ":") && net.ParseIP(bare) == nil {
		return "", fmt.Errorf("redis URL: host %q: want host:port", host)
	}
	return net.JoinHostPort(bare, port), nil
}

// path reads /db, or /master/db with Sentinel.
func (t *target) path(path string) error {
	db := path
	if t.kind == kindSentinel {
		t.master, db, _ = strings.Cut(path, "/")
		if t.master == "" {
			return errors.New("redis URL: the master's name is missing: redis+sentinel://host:port/master")
		}
	}
	if db == "" {
		return nil
	}
	n, err := strconv.Atoi(db)
	if err != nil || n < 0 {
		return fmt.Errorf("redis URL: database %q: want a number", db)
	}
	if t.kind == kindCluster && n != 0 {
		return fmt.Errorf("redis URL: database %d: a Redis Cluster has only database 0", n)
	}
	t.db = n
	return nil
}

// options reads the files of the TLS connection.
func (t *target) options(query string, secure bool) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("redis URL: what follows the ? is malformed")
	}
	if secure {
		host, _, _ := net.SplitHostPort(t.hosts[0])
		t.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	}
	for name := range values {
		if !secure || name != "ca" && name != "cert" && name != "key" {
			return fmt.Errorf("redis URL: unknown option %q; with rediss:// there are ca, cert and key", name)
		}
	}
	if file := values.Get("ca"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("redis URL: ca: %w", err)
		}
		t.tls.RootCAs = x509.NewCertPool()
		if !t.tls.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("redis URL: ca: no certificate in %s", file)
		}
	}
	if values.Has("cert") || values.Has("key") {
		pair, err := tls.LoadX509KeyPair(values.Get("cert"), values.Get("key"))
		if err != nil {
			return fmt.Errorf("redis URL: cert and key: %w", err)
		}
		t.tls.Certificates = []tls.Certificate{pair}
	}
	return nil
}
