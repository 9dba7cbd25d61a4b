package redisstore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/redisstore"
)

// authority signs certificates for a test, into files of dir.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T, dir, name string) *authority {
	a := &authority{t: t, dir: dir}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	a.key = newKey(t)
	a.cert, a.file = a.write(name, template, template, a.key)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue writes a certificate and its key, for a server at 127.0.0.1 or a client.
func (a *authority) issue(name string, until time.Time) (certFile, keyFile string) {
	a.t.Helper()
	key := newKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	_, certFile = a.write(name, template, a.cert, key)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return certFile, a.save(name+".key", "PRIVATE KEY", raw)
}

func (a *authority) write(name string, template, parent *x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, string) {
	a.t.Helper()
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, a.save(name+".crt", "CERTIFICATE", raw)
}

func (a *authority) save(name, kind string, raw []byte) string {
	a.t.Helper()
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// startTLS starts a server that speaks TLS at one port and plainly at another; it
// returns the first.
func startTLS(t *testing.T, clients, ca, cert, key string) (server *testredis.Server, address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	_ = l.Close()
	return testredis.Start(t, testredis.Password("canary-1"), testredis.Args("--tls-port", port, "--tls-auth-clients", clients,
		"--tls-ca-cert-file", ca, "--tls-cert-file", cert, "--tls-key-file", key)), address
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir, soon := t.TempDir(), time.Now().Add(time.Hour)
	ours, theirs := newAuthority(t, dir, "ours"), newAuthority(t, dir, "theirs")
	cert, key := ours.issue("server", soon)
	clientCert, clientKey := ours.issue("client", soon)
	strangeCert, strangeKey := theirs.issue("stranger", soon)
	oldCert, oldKey := ours.issue("old", time.Now().Add(-time.Hour))
	plain, address := startTLS(t, "no", ours.file, cert, key)
	_, mutual := startTLS(t, "yes", ours.file, cert, key)
	_, expired := startTLS(t, "no", ours.file, oldCert, oldKey)

	const secret = "rediss://:canary-1@"
	show := func(cert, key string) string { return "&cert=" + cert + "&key=" + key }
	for _, url := range []string{
		secret + address + "?ca=" + ours.file,
		secret + address + "?ca=" + ours.file + show(clientCert, clientKey),
		secret + mutual + "?ca=" + ours.file + show(clientCert, clientKey),
	} {
		s := open(t, redisstore.Config{URL: url})
		if err := s.Start(t.Context(), request("r")); err != nil {
			t.Errorf("Start over TLS = %v", err)
		}
	}
	for _, test := range []struct{ what, url, want string }{
		{"a CA that did not sign", secret + address + "?ca=" + theirs.file, "certificate is signed by an authority that is not trusted"},
		{"the system's CAs", secret + address, "certificate is signed by an authority that is not trusted"},
		{"another host's name", "rediss://:canary-1@localhost:" + portOf(address) + "?ca=" + ours.file, "certificate is not for this host"},
		{"an expired certificate", secret + expired + "?ca=" + ours.file, "certificate has expired"},
		{"no client certificate", secret + mutual + "?ca=" + ours.file, "wants a client certificate"},
		{"a stranger's client certificate", secret + mutual + "?ca=" + ours.file + show(strangeCert, strangeKey), "refuses the client certificate"},
		{"an expired client certificate", secret + mutual + "?ca=" + ours.file + show(oldCert, oldKey), "refuses the client certificate"},
		{"plain to the TLS port", "redis://:canary-1@" + address, "use rediss://"},
		{"TLS to the plain port", secret + plain.Addr() + "?ca=" + ours.file, "does not speak TLS"},
		{"a CA file that is none", secret + address + "?ca=" + key, "no certificate in"},
		{"a CA file that is not there", secret + address + "?ca=" + dir + "/none", "redis URL: ca: open"},
		{"a key of another certificate", secret + address + "?ca=" + ours.file + show(clientCert, key), "cert and key"},
	} {
		t.Run(test.what, func(t *testing.T) { refused(t, redisstore.Config{URL: test.url}, test.want) })
	}
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}
