package redisstore

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// probeLimit is how long a server may take to show what is wrong with a connection.
const probeLimit = time.Second

// distrust says why the certificate of a server is not accepted, nil if err is not
// about that. Waiting does not help.
func (s *Store) distrust(err error) error {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("redis at %s: its certificate is signed by an authority that is not trusted: name the right one with ?ca=file in the URL", s.address)
	case errors.As(err, &host):
		return fmt.Errorf("redis at %s: its certificate is not for this host: use a name that it has (%w)", s.address, host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("redis at %s: its certificate has expired or is not valid yet: renew it, or set the clock right (%w)", s.address, invalid)
	case errors.As(err, &invalid):
		return fmt.Errorf("redis at %s: its certificate is not valid: %w", s.address, invalid)
	}
	return nil
}

// mismatch looks why nobody answers: one of both sides may speak TLS and the other
// not, or the server may not accept who we are. It returns nil if that is not it.
func (s *Store) mismatch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*probeLimit)
	defer cancel()
	dial := s.dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", s.target.hosts[0])
	if err != nil {
		return nil
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(probeLimit))
	if s.target.tls == nil {
		return s.speaksTLS(ctx, conn)
	}
	secure := tls.Client(conn, s.target.tls)
	if err := secure.HandshakeContext(ctx); err == nil {
		// The alert about a client's certificate comes after the handshake.
		_, err = secure.Read(make([]byte, 1))
		return s.alerted(err)
	} else if known := s.alerted(err); known != nil {
		return known
	}
	return s.speaksPlainly(ctx, dial)
}

func (s *Store) speaksTLS(ctx context.Context, conn net.Conn) error {
	// Nothing is sent over it: it is only asked whether there is TLS.
	err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
	if err != nil && !strings.HasPrefix(err.Error(), "remote error: tls: ") {
		return nil
	}
	return fmt.Errorf("redis at %s speaks TLS: use rediss:// in the URL", s.address)
}

func (s *Store) speaksPlainly(ctx context.Context, dial dialer) error {
	conn, err := dial(ctx, "tcp", s.target.hosts[0])
	if err != nil {
		return nil
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(probeLimit))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return nil
	}
	line, _ := bufio.NewReader(conn).ReadString('\n')
	if !strings.HasPrefix(line, "+PONG") && !strings.HasPrefix(line, "-") {
		return nil
	}
	return fmt.Errorf("redis at %s does not speak TLS there: use redis:// in the URL, or the port with TLS", s.address)
}

// alerted reads what the server says of the client's certificate.
func (s *Store) alerted(err error) error {
	if err == nil {
		return nil
	}
	alert, is := strings.CutPrefix(err.Error(), "remote error: tls: ")
	switch {
	case !is:
		return nil
	case strings.Contains(alert, "certificate required"), strings.Contains(alert, "handshake failure") && len(s.target.tls.Certificates) == 0:
		return fmt.Errorf("redis at %s wants a client certificate: name one with ?cert=file&key=file in the URL", s.address)
	case strings.Contains(alert, "certificate"):
		return fmt.Errorf("redis at %s refuses the client certificate: %s", s.address, alert)
	}
	return fmt.Errorf("redis at %s ends the TLS connection: %s", s.address, alert)
}
