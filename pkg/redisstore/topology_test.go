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
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/redisstore"
)

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "flox test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("cert.pem", "CERTIFICATE", public), write("key.pem", "EC PRIVATE KEY", secret)
}

func TestTLSWithClientCertificate(t *testing.T) {
	cert, key := certificate(t)
	port := testredis.FreePort(t)
	testredis.Start(t, testredis.Args("--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key,
		"--tls-ca-cert-file", cert, "--tls-auth-clients", "yes"))
	url := "rediss://127.0.0.1:" + port
	s := open(t, redisstore.Config{URL: url + "?ca=" + cert + "&cert=" + cert + "&key=" + key})
	if err := s.Start(t.Context(), request("a")); err != nil {
		t.Errorf("Start over TLS = %v, want nil", err)
	}
	refused(t, redisstore.Config{URL: url}, "certificate")
}

func TestSentinelFindsTheMaster(t *testing.T) {
	master := testredis.Start(t)
	sentinel := testredis.StartSentinel(t, "main", master)
	s := open(t, redisstore.Config{URL: "redis+sentinel://" + sentinel.Addr() + "/main"})
	if err := s.Start(t.Context(), request("a")); err != nil {
		t.Errorf("Start through Sentinel = %v, want nil", err)
	}
	c := master.Client()
	defer c.Close()
	keys, err := c.Keys(t.Context(), "*"+s.Namespace()+"*").Result()
	if err != nil || !strings.Contains(strings.Join(keys, " "), ":run:a") {
		t.Errorf("keys of the master = %v, %v, want the run's", keys, err)
	}
	refused(t, redisstore.Config{URL: "redis+sentinel://" + sentinel.Addr() + "/other"}, "cannot be reached")
}
