package tlspair

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// An Error is one the person at the keyboard can do something about.
type Error struct {
	Err    error
	Hint   string
	Reason Reason
}

// Reason is why a leg has no TLS, as far as it is known.
type Reason uint8

const (
	Unknown        Reason = iota
	Distrusted            // the other side refused our certificate
	PlainText             // it went on in plain text
	TooOld                // it knows no TLS 1.2
	NoCipher              // no cipher in common
	HungUp                // it left without a word
	BadCertificate        // it presented a certificate that cannot be read
	Untrusted             // its authority is not known, or its certificate is void
	OtherName             // its certificate is for another name
	NeedsOurs             // it wants a certificate of ours, or another one
	NotOffered            // it has no TLS
)

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// PrefixConn returns conn with prefix, bytes already read from it, to be read once more
// before anything else.
func PrefixConn(conn net.Conn, prefix []byte) net.Conn {
	if len(prefix) == 0 {
		return conn
	}
	return &prefixConn{Conn: conn, prefix: bytes.Clone(prefix)}
}

type prefixConn struct {
	net.Conn
	prefix []byte // touched by the reader alone
}

func (c *prefixConn) Read(b []byte) (int, error) {
	if len(c.prefix) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.prefix)
	c.prefix = c.prefix[n:]
	return n, nil
}

// Server performs the handshake on the client leg, after the client's TLS request. prefix is
// what has been read from conn beyond that request. cfg comes from ServerConfig. When ctx
// ends, so does the handshake, and conn is closed.
func (a *Authority) Server(ctx context.Context, conn net.Conn, cfg *tls.Config, prefix []byte) (*tls.Conn, error) {
	c := tls.Server(PrefixConn(conn, prefix), cfg)
	err := c.HandshakeContext(ctx)
	if err == nil {
		return c, nil
	}
	reason, hint := a.clientHint(ctx, err)
	return nil, &Error{fmt.Errorf("TLS handshake with the client: %w", err), hint, reason}
}

func (a *Authority) clientHint(ctx context.Context, err error) (Reason, string) {
	trust := "the client does not trust the authority; add --ssl-ca=" + a.CAFile() + " to it, or let it not verify: --ssl-mode=REQUIRED, for MariaDB's --disable-ssl-verify-server-cert"
	var header tls.RecordHeaderError
	alert := Alert(err)
	switch {
	case ctx.Err() != nil:
		return Unknown, ""
	case errors.As(err, &header):
		return PlainText, "the client announced TLS, but went on in plain text"
	case strings.Contains(alert, "certificate"):
		return Distrusted, trust
	case strings.Contains(err.Error(), "bad record MAC"):
		// OpenSSL sends its alert about the certificate in clear text under TLS 1.3.
		return Distrusted, trust
	case strings.Contains(err.Error(), "unsupported versions"):
		return TooOld, "the client is too old for TLS 1.2; let it connect without TLS (--ssl-mode=DISABLED)"
	case strings.Contains(err.Error(), "no cipher suite"):
		return NoCipher, "client and mydbg have no cipher in common; let it connect without TLS (--ssl-mode=DISABLED)"
	case strings.Contains(err.Error(), "client certificate"), strings.Contains(err.Error(), "invalid signature by the client"):
		return BadCertificate, "mydbg cannot read the certificate that the client presented and asks no client for one from now on: let it connect again"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return HungUp, "the client hung up without a word; perhaps " + trust
	}
	return Unknown, ""
}

// Client performs the handshake on the server leg, after our own TLS request. cfg comes from
// ClientConfig. When ctx ends, so does the handshake, and conn is closed.
func Client(ctx context.Context, conn net.Conn, cfg *tls.Config) (*tls.Conn, error) {
	c := tls.Client(conn, cfg)
	err := c.HandshakeContext(ctx)
	if err == nil {
		return c, nil
	}
	reason, hint := serverHint(ctx, err)
	return nil, &Error{fmt.Errorf("TLS handshake with the server: %w", err), hint, reason}
}

func serverHint(ctx context.Context, err error) (Reason, string) {
	var (
		header  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case ctx.Err() != nil:
		return Unknown, ""
	case errors.As(err, &header):
		return PlainText, "the server announced TLS, but went on in plain text; try --backend-tls=disabled"
	case errors.As(err, &unknown):
		return Untrusted, "give the authority that signed the server's certificate with --backend-ca=FILE, or do not verify it: --backend-tls=required"
	case errors.As(err, &host):
		return OtherName, "the server's certificate is for another name; use that name in --backend, or do not compare it: --backend-tls=verify_ca"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Untrusted, "the server's certificate has expired, or a clock is wrong; to go on without verifying: --backend-tls=required"
	case strings.Contains(Alert(err), "certificate"):
		return NeedsOurs, "the server does not accept our client certificate"
	case strings.Contains(Alert(err), "handshake failure"):
		return NeedsOurs, "the server wants a client certificate, or has no cipher in common with mydbg"
	case strings.Contains(err.Error(), "protocol version"):
		return TooOld, "the server is too old for TLS 1.2; try --backend-tls=disabled"
	}
	return Unknown, ""
}

// Alert is the alert by which the other side ended TLS, in words; "" if err is none. Under TLS 1.3
// a server refuses a client's certificate so after the handshake has succeeded. crypto/tls has no
// exported type for it, only this shape.
func Alert(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return op.Err.Error()
	}
	return ""
}
