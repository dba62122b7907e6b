package tlspair

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair returns the two ends of a loopback connection.
func pair(t *testing.T) (here, there net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no loopback: ", err)
	}
	defer ln.Close()
	here, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	there, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

func trusting(t *testing.T, a *Authority) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(a.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate in the authority's file")
	}
	return pool
}

// clientLeg performs the handshake of a client with the proxy and returns what each side
// has got.
func clientLeg(t *testing.T, a *Authority, server, client *tls.Config) (state tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	here, there := pair(t)
	done := make(chan error, 1)
	go func() { // ends with the handshake
		_, err := a.Server(t.Context(), there, server, nil)
		if err != nil {
			there.Close()
		}
		done <- err
	}()
	c := tls.Client(here, client)
	clientErr = c.HandshakeContext(t.Context())
	if clientErr != nil {
		here.Close()
	}
	return c.ConnectionState(), <-done, clientErr
}

func TestClientsCanVerifyTheProxy(t *testing.T) {
	a := testAuthority(t)
	server, err := a.ServerConfig("DB.example", "10.9.8.7")
	if err != nil {
		t.Fatal(err)
	}
	pool := trusting(t, a)
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "db.example", "10.9.8.7", "asked.for.example"} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			state, serverErr, clientErr := clientLeg(t, a, server, &tls.Config{RootCAs: pool, ServerName: name, MaxVersion: version})
			if serverErr != nil || clientErr != nil {
				t.Errorf("%s, TLS %x: client %v, server %v", name, version, clientErr, serverErr)
				continue
			}
			if state.Version != version {
				t.Errorf("%s: got TLS %x, want %x", name, state.Version, version)
			}
			if got := state.PeerCertificates[0].Subject.CommonName; got != "DB.example" {
				t.Errorf("%s: got common name %s, want the first of the listener's names", name, got)
			}
		}
	}
	// A name that is none of the listener's is not served without being asked for.
	_, _, clientErr := clientLeg(t, a, server, &tls.Config{RootCAs: pool, ServerName: "10.1.1.1"})
	var host x509.HostnameError
	if !errors.As(clientErr, &host) {
		t.Errorf("got %v, want a host name error", clientErr)
	}
}

func TestCertificatesAreIssuedOnce(t *testing.T) {
	a := testAuthority(t)
	cfg, err := a.ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(name string) *tls.Certificate {
		cert, err := cfg.GetCertificate(&tls.ClientHelloInfo{ServerName: name})
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	first := ask("one.example")
	if ask("ONE.example") != first {
		t.Error("the same name got another certificate")
	}
	if ask("two.example") == first {
		t.Error("another name got the same certificate")
	}
	if cert := ask("not a name"); cert.Leaf.VerifyHostname("localhost") != nil || len(cert.Leaf.DNSNames) != 1 {
		t.Errorf("got names %q, want localhost alone", cert.Leaf.DNSNames)
	}
	if left := time.Until(first.Leaf.NotAfter); left < 300*24*time.Hour || left > 398*24*time.Hour {
		t.Errorf("the certificate is valid for %s", left)
	}
	var l leaves
	l.a, l.issued = a, map[string]*tls.Certificate{"old.example": {Leaf: &x509.Certificate{NotAfter: time.Now()}}}
	for range maxLeaves {
		l.issued[rand.Text()] = first
	}
	fresh, err := l.get(&tls.ClientHelloInfo{ServerName: "old.example"})
	if err != nil || !fresh.Leaf.NotAfter.Equal(first.Leaf.NotAfter) && fresh.Leaf.NotAfter.Before(first.Leaf.NotAfter) {
		t.Errorf("an expired certificate was used again: %v", err)
	}
	if len(l.issued) != 1 {
		t.Errorf("%d certificates are kept, want the rest forgotten", len(l.issued))
	}
}

func TestClientRefusesTheProxy(t *testing.T) {
	a := testAuthority(t)
	server, err := a.ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		_, serverErr, clientErr := clientLeg(t, a, server, &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost", MaxVersion: version})
		var problem *Error
		if clientErr == nil || !errors.As(serverErr, &problem) {
			t.Fatalf("client %v, server %v", clientErr, serverErr)
		}
		if want := "the client does not trust the authority; add --ssl-ca=" + a.CAFile(); !strings.HasPrefix(problem.Hint, want) {
			t.Errorf("TLS %x: got hint %q for %v, want %q", version, problem.Hint, serverErr, want)
		}
	}
}

func TestClientsThatCannotFinish(t *testing.T) {
	a := testAuthority(t)
	server, err := a.ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		talk func(net.Conn)
		hint string
	}{
		{
			"goes on in plain text",
			func(c net.Conn) { c.Write([]byte("\x20\x00\x00\x02a login packet without TLS")) },
			"the client announced TLS, but went on in plain text",
		},
		{
			"hangs up",
			func(c net.Conn) { c.Close() },
			"the client hung up without a word; perhaps the client does not trust the authority",
		},
		{
			"refuses the certificate as OpenSSL does",
			func(c net.Conn) {
				tls.Client(&plainAlertConn{Conn: c}, &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}).Handshake()
			},
			"the client does not trust the authority",
		},
		{
			"is too old",
			func(c net.Conn) {
				tls.Client(c, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake()
			},
			"the client is too old for TLS 1.2",
		},
		{
			"has no cipher of ours",
			func(c net.Conn) {
				tls.Client(c, &tls.Config{
					InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12,
					CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA256},
				}).Handshake()
			},
			"client and mydbg have no cipher in common",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			here, there := pair(t)
			done := make(chan struct{})
			go func() { // ends when the server's side is closed at the latest
				defer close(done)
				tt.talk(here)
			}()
			_, err := a.Server(t.Context(), there, server, nil)
			there.Close()
			<-done
			var problem *Error
			if !errors.As(err, &problem) || !strings.HasPrefix(problem.Hint, tt.hint) {
				t.Errorf("got %#v (%v), want hint %q", problem, err, tt.hint)
			}
		})
	}
}

// plainAlertConn turns all that follows the client's hello into one alert in clear text:
// fatal, unknown authority.
type plainAlertConn struct {
	net.Conn
	writes int
}

func (c *plainAlertConn) Write(b []byte) (int, error) {
	c.writes++
	switch c.writes {
	case 1:
		return c.Conn.Write(b)
	case 2:
		if _, err := c.Conn.Write([]byte{21, 3, 3, 0, 2, 2, 48}); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func TestHandshakeEndsWithItsContext(t *testing.T) {
	a := testAuthority(t)
	server, err := a.ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	client, err := ClientConfig(Required, "", "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, shake := range map[string]func(context.Context, net.Conn) error{
		"client leg": func(ctx context.Context, c net.Conn) error { _, err := a.Server(ctx, c, server, nil); return err },
		"server leg": func(ctx context.Context, c net.Conn) error { _, err := Client(ctx, c, client); return err },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		here, there := net.Pipe()
		go func() { // ends with the pipe
			io.ReadFull(here, make([]byte, 1)) // the server leg's first byte; none comes on the client leg
		}()
		cancel()
		err := shake(ctx, there)
		here.Close()
		var problem *Error
		if !errors.Is(err, context.Canceled) || !errors.As(err, &problem) || problem.Hint != "" {
			t.Errorf("%s: got %v, want it cancelled", name, err)
		}
		if _, err := there.Write([]byte{1}); err == nil {
			t.Errorf("%s: the connection is still open", name)
		}
	}
}

// Whatever part of the handshake was read together with the TLS request must reach the TLS
// layer, however much that was.
func TestPrefixComesFirst(t *testing.T) {
	a := testAuthority(t)
	server, err := a.ServerConfig()
	if err != nil {
		t.Fatal(err)
	}
	for _, length := range []int{0, 1, 5, 100} {
		here, there := pair(t)
		done := make(chan error, 1)
		go func() { // ends with the connection
			c := tls.Client(here, &tls.Config{RootCAs: trusting(t, a), ServerName: "localhost"})
			_, err := c.Write([]byte("login"))
			done <- err
		}()
		prefix := make([]byte, length)
		if _, err := io.ReadFull(there, prefix); err != nil {
			t.Fatal(err)
		}
		c, err := a.Server(t.Context(), there, server, prefix)
		if err != nil {
			t.Fatalf("prefix of %d: %v", length, err)
		}
		clear(prefix) // the caller's buffer is the caller's again
		got := make([]byte, 5)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "login" {
			t.Errorf("prefix of %d: got %q, %v", length, got, err)
		}
		if err := <-done; err != nil {
			t.Errorf("prefix of %d: %v", length, err)
		}
	}
}

func TestPrefixConnReads(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	if PrefixConn(there, nil) != there {
		t.Error("a connection without prefix was wrapped")
	}
	go func() { // ends when all is read
		here.Write([]byte("the rest"))
		here.Close()
	}()
	c := PrefixConn(there, []byte("first "))
	got := make([]byte, 2)
	if n, err := c.Read(got); n != 2 || err != nil || string(got) != "fi" {
		t.Fatalf("got %q, %v", got[:n], err)
	}
	rest, err := io.ReadAll(c)
	if want := "rst the rest"; err != nil || string(rest) != want {
		t.Errorf("got %q, %v, want %q", rest, err, want)
	}
}

// fakeServer is a database server's TLS side, with a certificate of an authority of its own.
type fakeServer struct {
	caFile string
	cert   tls.Certificate
}

func newFakeServer(t *testing.T, notAfter time.Time, names ...string) fakeServer {
	t.Helper()
	dir := t.TempDir()
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, err := NewRSAKey()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "MySQL_Server_Auto_Generated_Server_Certificate"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: notAfter,
		DNSNames: names,
	}
	der, err := sign(template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return fakeServer{a.CAFile(), tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
}

func TestServerLegVerifies(t *testing.T) {
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	good := newFakeServer(t, tomorrow, "db.example")
	expired := newFakeServer(t, yesterday, "db.example")
	otherCA := testAuthority(t).CAFile()
	for _, tt := range []struct {
		name   string
		server fakeServer
		mode   Mode
		ca     string
		host   string
		hint   string // of the failure; empty: it succeeds
	}{
		{"required verifies nothing", expired, Required, otherCA, "wrong.example", ""},
		{"preferred verifies nothing", expired, Preferred, otherCA, "wrong.example", ""},
		{"mirror without authority", good, Mirror, "", "wrong.example", ""},
		{"mirror with its authority", good, Mirror, good.caFile, "wrong.example", ""},
		{"mirror with another authority", good, Mirror, otherCA, "db.example", "give the authority"},
		{"verify_ca", good, VerifyCA, good.caFile, "wrong.example", ""},
		{"verify_ca without a name", good, VerifyCA, good.caFile, "", ""},
		{"verify_ca with another authority", good, VerifyCA, otherCA, "db.example", "give the authority"},
		{"verify_ca with the system's authorities", good, VerifyCA, "", "db.example", "give the authority"},
		{"verify_ca and an expired certificate", expired, VerifyCA, expired.caFile, "db.example", "the server's certificate has expired"},
		{"verify_identity", good, VerifyIdentity, good.caFile, "db.example", ""},
		{"verify_identity with another name", good, VerifyIdentity, good.caFile, "wrong.example", "the server's certificate is for another name"},
		{"verify_identity with another authority", good, VerifyIdentity, otherCA, "db.example", "give the authority"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := ClientConfig(tt.mode, tt.ca, tt.host, "", "")
			if err != nil {
				t.Fatal(err)
			}
			here, there := pair(t)
			done := make(chan struct{})
			go func() { // ends with the handshake
				defer close(done)
				tls.Server(there, &tls.Config{Certificates: []tls.Certificate{tt.server.cert}}).Handshake()
			}()
			c, err := Client(t.Context(), here, cfg)
			here.Close()
			<-done
			if tt.hint == "" {
				if err != nil || !c.ConnectionState().HandshakeComplete {
					t.Errorf("got %v", err)
				}
				return
			}
			var problem *Error
			if !errors.As(err, &problem) || !strings.HasPrefix(problem.Hint, tt.hint) {
				t.Errorf("got %#v (%v), want hint %q", problem, err, tt.hint)
			}
			var cert *tls.CertificateVerificationError
			if !errors.As(err, &cert) {
				t.Errorf("got %v, want it to be a verification error", err)
			}
		})
	}
}

func TestServersThatCannotFinish(t *testing.T) {
	plain, err := ClientConfig(Required, "", "db.example", "", "")
	if err != nil {
		t.Fatal(err)
	}
	good := newFakeServer(t, time.Now().Add(time.Hour), "db.example")
	for _, tt := range []struct {
		name     string
		withCert bool
		talk     func(net.Conn)
		hint     string
	}{
		{
			"goes on in plain text", false,
			func(c net.Conn) { c.Write([]byte("\x17\x00\x00\x02\xff\x69\x04Host is blocked")) },
			"the server announced TLS, but went on in plain text",
		},
		{
			"is too old", false,
			func(c net.Conn) {
				tls.Server(c, &tls.Config{Certificates: []tls.Certificate{good.cert}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake()
			},
			"the server is too old for TLS 1.2",
		},
		{
			"wants a client certificate", false,
			func(c net.Conn) {
				tls.Server(c, &tls.Config{Certificates: []tls.Certificate{good.cert}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}).Handshake()
			},
			"the server wants a client certificate, or",
		},
		{
			"does not know the client's certificate", true,
			func(c net.Conn) {
				tls.Server(c, &tls.Config{
					Certificates: []tls.Certificate{good.cert}, ClientAuth: tls.RequireAndVerifyClientCert,
					ClientCAs: x509.NewCertPool(), MaxVersion: tls.VersionTLS12,
				}).Handshake()
			},
			"the server does not accept our client certificate",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			here, there := pair(t)
			done := make(chan struct{})
			go func() { // ends when our side is closed at the latest
				defer close(done)
				tt.talk(there)
			}()
			cfg := plain.Clone()
			if tt.withCert {
				cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &good.cert, nil }
			}
			_, err := Client(t.Context(), here, cfg)
			here.Close()
			<-done
			var problem *Error
			if !errors.As(err, &problem) || !strings.HasPrefix(problem.Hint, tt.hint) {
				t.Errorf("got %#v (%v), want hint %q", problem, err, tt.hint)
			}
		})
	}
}

// The client certificate is sent even to a server that names other authorities only.
func TestClientCertificateIsSent(t *testing.T) {
	server := newFakeServer(t, time.Now().Add(time.Hour), "db.example")
	client := newFakeServer(t, time.Now().Add(time.Hour), "client")
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "client.pem"), filepath.Join(dir, "client-key.pem")
	key := client.cert.PrivateKey.(*rsa.PrivateKey)
	for name, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: client.cert.Certificate[0]},
		keyFile:  {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := ClientConfig(Required, "", "db.example", certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	here, there := pair(t)
	got := make(chan []byte, 1)
	go func() { // ends with the handshake
		c := tls.Server(there, &tls.Config{
			Certificates: []tls.Certificate{server.cert},
			ClientAuth:   tls.RequireAnyClientCert,
			ClientCAs:    trusting(t, testAuthority(t)),
		})
		if c.Handshake() != nil {
			got <- nil
			return
		}
		got <- c.ConnectionState().PeerCertificates[0].Raw
	}()
	if _, err := Client(t.Context(), here, cfg); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(<-got, client.cert.Certificate[0]) {
		t.Error("the server did not get the certificate")
	}
}
