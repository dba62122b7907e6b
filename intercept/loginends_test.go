package intercept_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// stranger is a session between scripted ends that log in themselves.
type stranger struct {
	*intercepttest.Ends
	t       *testing.T
	caps    mysqlwire.Caps
	version uint16 // the newest of TLS; 0 for any
}

const strangerCaps = intercepttest.ClientCaps | mysqlwire.MultiFactorAuthentication

func strangers(t *testing.T, o intercept.Options) *stranger {
	t.Helper()
	s := &stranger{Ends: intercepttest.NewStrangers(t, o), t: t, caps: strangerCaps}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stranger) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// greeting is what the server says first.
func (s *stranger) greeting(withTLS bool) []byte {
	s.t.Helper()
	g := mysqlwire.Greeting{
		Version: "8.4.0", ConnectionID: 9, Scramble: []byte("01234567890123456789"), Caps: s.caps, Collation: 45,
		PluginName: "mysql_native_password", Status: mysqlwire.StatusAutocommit,
	}
	if withTLS {
		g.Caps |= mysqlwire.SSL
	}
	b, err := g.Encode(nil, nil)
	s.must(err)
	return b
}

// login is what the client says then.
func (s *stranger) login(m mysqlwire.Login) []byte {
	s.t.Helper()
	m.Caps |= s.caps
	if m.User == "" {
		m.User = "app"
	}
	b, err := m.Encode(nil, nil)
	s.must(err)
	return b
}

// serverSays sends a packet of the server and has the client receive want, "" for the same.
func (s *stranger) serverSays(payload, want string) {
	s.t.Helper()
	s.must(s.Server.Send([]byte(payload)))
	s.hears(s.Client, payload, want)
}

func (s *stranger) clientSays(payload, want string) {
	s.t.Helper()
	s.must(s.Client.Send([]byte(payload)))
	s.hears(s.Server, payload, want)
}

func (s *stranger) hears(end *intercepttest.End, payload, want string) {
	s.t.Helper()
	if want == "" {
		want = payload
	}
	got, err := end.Receive()
	if err != nil || string(got) != want {
		s.t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// begin exchanges greeting and login, with TLS where it is asked for.
func (s *stranger) begin(clientTLS, serverTLS bool, m mysqlwire.Login) {
	s.t.Helper()
	s.must(s.Server.Send(s.greeting(serverTLS)))
	_, err := s.Client.Receive()
	s.must(err)
	login := s.login(m)
	if clientTLS {
		login[1] |= 8
		s.must(s.Client.Send(login[:32]))
		c := tls.Client(s.Client.Conn, &tls.Config{InsecureSkipVerify: true, MaxVersion: s.version})
		s.must(c.HandshakeContext(s.t.Context()))
		s.Client.Conn = c
	}
	s.must(s.Client.Send(login))
	if serverTLS {
		request, err := s.Server.Receive()
		s.must(err)
		if !mysqlwire.IsSSLRequest(request) {
			s.t.Fatalf("got %x, want a request for TLS", request)
		}
		c := tls.Server(s.Server.Conn, &tls.Config{Certificates: []tls.Certificate{s.certificate()}, MaxVersion: s.version})
		s.must(c.HandshakeContext(s.t.Context()))
		s.Server.Conn = c
	}
	got, err := s.Server.Receive()
	s.must(err)
	var seen mysqlwire.Login
	s.must(seen.Decode(got, nil))
	if seen.User != m.User && m.User != "" || seen.Caps.Has(mysqlwire.SSL) != serverTLS || !bytes.Equal(seen.AuthResponse, m.AuthResponse) {
		s.t.Fatalf("the server got %+v", seen)
	}
}

// certificate is a server's: one of the tests' authority does.
func (s *stranger) certificate() tls.Certificate {
	s.t.Helper()
	file, err := s.Proxy.CAFile()
	s.must(err)
	a, err := tlspair.OpenAuthority(filepath.Dir(file))
	s.must(err)
	conf, err := a.ServerConfig("db.example")
	s.must(err)
	c, err := conf.GetCertificate(&tls.ClientHelloInfo{})
	s.must(err)
	return *c
}

// failure waits for the end of the session and says why the login failed.
func (s *stranger) failure() *intercept.LoginReport {
	s.t.Helper()
	<-s.Ended()
	r := s.Proxy.Conns()[0].LoginFailure
	if r == nil {
		s.t.Fatal("the login did not fail")
	}
	return r
}

// mode is how the legs of a stranger are configured.
func modes(serverTLS bool) intercept.Options {
	o := intercept.Options{ClientTLS: tlspair.Preferred, BackendTLS: tlspair.Disabled}
	if serverTLS {
		o.BackendTLS = tlspair.Required
	}
	return o
}

const allowed = "\x00\x00\x00\x02\x00\x00\x00"

// TestPluginsBetweenScriptedEnds carries what servers without such plugins cannot show, over every pair of
// legs. A line begins with who speaks; S: and C: reach the other side as they are.
func TestPluginsBetweenScriptedEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		clear  bool // the password itself is sent: not onto a plain leg that the client does not see
		script []string
	}{
		{"clear text", true, []string{"S\xfemysql_clear_password\x00", "Csecret\x00"}},
		{"PAM with three questions, raw", true, []string{
			"S\xfedialog\x00\x04Password: ", "Csecret\x00", "S\x02One-time code: ", "C123456\x00", "S\x03Again: ", "C\x00",
		}},
		{"PAM whose data is marked", true, []string{"S\xfedialog\x00", "C\x00", "S\x01\x04Password: ", "Csecret\x00"}},
		{"two factors", false, []string{"S\x02authentication_webauthn_client\x00challenge", "Csigned", "S\x01more", "Cmore signed"}},
		{"three factors", true, []string{"S\x02mysql_clear_password\x00", "Cone-time\x00", "S\x02dialog\x00\x02Code: ", "C99\x00"}},
		{"GSSAPI", false, []string{"S\xfeauth_gssapi_client\x00mariadb/host@REALM\x00Kerberos\x00", "Ctoken 1", "S\x01token 2", "Ctoken 3", "S\x01token 4"}},
		{"Kerberos", false, []string{"S\xfeauthentication_kerberos_client\x00\x04\x00mysq\x05\x00REALM", "Cticket", "S\x01reply"}},
		{"LDAP with SASL", false, []string{"S\xfeauthentication_ldap_sasl_client\x00SCRAM-SHA-256", "Cn,,n=app,r=abc", "S\x01r=abcdef,s=c2FsdA==,i=4096", "Cc=biws,r=abcdef,p=proof", "S\x01v=verifier"}},
		{"WebAuthn", false, []string{"S\xfeauthentication_webauthn_client\x00\x01challenge", "C\x01", "S\x01ids", "Csignature"}},
		{"OpenID Connect", true, []string{"S\xfeauthentication_openid_connect_client\x00", "C\x01\x03abc"}},
		{"PARSEC", false, []string{"S\xfeparsec\x0001234567890123456789012345678901", "C", "S\x01P\x00salt", "Csigned"}},
		{"one that nobody knows", true, []string{"S\xfehomemade\x00?", "Canswer", "S\x01!", "Cagain"}},
	} {
		for _, way := range []struct{ client, server bool }{{}, {true, false}, {false, true}, {true, true}} {
			mode := tlspair.Disabled
			if way.server {
				mode = tlspair.Required
			}
			for _, allow := range []bool{false, true} {
				refused := tt.clear && way.client && !way.server && !allow
				if allow && !(tt.clear && way.client && !way.server) {
					continue
				}
				name := tt.name + ", " + legNames(way.client, mode)
				if allow {
					name += ", --allow-cleartext"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					o := modes(way.server)
					o.AllowCleartext = allow
					s := strangers(t, o)
					s.begin(way.client, way.server, mysqlwire.Login{PluginName: "mysql_native_password"})
					for _, line := range tt.script {
						switch {
						case line[0] == 'S':
							s.serverSays(line[1:], "")
						case refused && line != "C\x00" && line != "C":
							s.must(s.Client.Send([]byte(line[1:])))
							got, err := s.Client.Receive()
							s.must(err)
							if !bytes.Contains(got, []byte("clear text")) {
								t.Errorf("the client is told %q", got)
							}
							r := s.failure()
							if r.Cause != intercept.CauseCleartext || !strings.Contains(r.Hint(), "--allow-cleartext") || strings.Contains(r.Text(), "secret") {
								t.Errorf("got %s", r.Text())
							}
							return
						default:
							s.clientSays(line[1:], "")
						}
					}
					s.serverSays(allowed, "")
					s.Client.Seq, s.Server.Seq = 0, 0
					s.clientSays("\x03select 1", "")
					if i := s.Proxy.Conns()[0]; i.LoginFailure != nil || i.Opaque != "" || strings.Contains(strings.Join(i.Login, "\n"), "secret") {
						t.Errorf("got %+v", i)
					}
				})
			}
		}
	}
}

// TestServerErrors: each way of saying no is told from the others.
func TestServerErrors(t *testing.T) {
	for _, tt := range []struct {
		code       uint16
		message    string
		inGreeting bool
		cause      intercept.LoginCause
		hint       string
	}{
		{1040, "Too many connections", true, intercept.CauseTooMany, "max_connections"},
		{1040, "Too many connections", false, intercept.CauseTooMany, "max_connections"},
		{1129, "Host '10.0.0.1' is blocked because of many connection errors", true, intercept.CauseHostBlocked, "flush-hosts"},
		{1130, "Host '10.0.0.1' is not allowed to connect to this MySQL server", true, intercept.CauseHostNotAllowed, "account"},
		{1159, "Got timeout reading communication packets", true, intercept.CauseTimeout, "connect_timeout"},
		{1203, "User app already has more than 'max_user_connections' active connections", false, intercept.CauseTooMany, "MAX_USER_CONNECTIONS"},
		{1226, "User 'app' has exceeded the 'max_connections_per_hour' resource", false, intercept.CauseTooMany, "limit"},
		{1044, "Access denied for user 'app'@'%' to database 'x'", false, intercept.CauseDatabaseDenied, "GRANT"},
		{1049, "Unknown database 'x'", false, intercept.CauseDatabaseUnknown, "create"},
		{1045, "Access denied for user 'app'@'%' (using password: YES)", false, intercept.CauseDenied, "at the server itself"},
		{1045, "Access denied for user 'app'@'%' (using password: NO)", false, intercept.CauseNoPassword, "password"},
		{1698, "Access denied for user 'app'@'localhost'", false, intercept.CauseDenied, "socket"},
		{1043, "Bad handshake", false, intercept.CauseMalformed, "edited"},
		{1251, "Client does not support authentication protocol requested by server", false, intercept.CauseOldPassword, "update"},
		{1275, "Server is running in --secure-auth mode", false, intercept.CauseOldPassword, "newer password"},
		{1524, "Plugin 'mysql_native_password' is not loaded", false, intercept.CausePluginNotLoaded, "ALTER USER"},
		{1820, "You must reset your password", false, intercept.CauseExpired, "ALTER USER"},
		{1862, "Your password has expired", false, intercept.CauseExpired, "--connect-expired-password"},
		{3032, "The server is currently in offline mode", false, intercept.CauseOffline, "offline_mode"},
		{3118, "Access denied for user 'app'. Account is locked.", false, intercept.CauseLocked, "ACCOUNT UNLOCK"},
		{4151, "Access denied, this account is locked", false, intercept.CauseLocked, "ACCOUNT UNLOCK"},
		{3955, "Account is blocked after too many consecutive failed logins", false, intercept.CauseLocked, "wait"},
		{3159, "Connections using insecure transport are prohibited", false, intercept.CauseServerRequiresTLS, "--backend-tls=required"},
		{1234, "Something new", false, intercept.CauseRefused, ""},
	} {
		t.Run(string(tt.cause)+" "+tt.message, func(t *testing.T) {
			s := strangers(t, intercept.Options{ClientTLS: tlspair.Disabled})
			e, err := (&mysqlwire.ERR{Code: tt.code, SQLState: "HY000", Message: tt.message}).Encode(nil, nil)
			s.must(err)
			response := []byte("20 bytes of a proof.")
			if strings.Contains(tt.message, "NO)") {
				response = nil
			}
			if !tt.inGreeting {
				s.begin(false, false, mysqlwire.Login{User: "app", AuthResponse: response})
			}
			s.serverSays(string(e), "")
			r := s.failure()
			if r.Cause != tt.cause || !strings.Contains(r.Hint(), tt.hint) || !strings.Contains(r.Line, tt.message) {
				t.Errorf("got %s\nwant %s, %q", r.Text(), tt.cause, tt.hint)
			}
			if r.Error == nil || r.Error.Code != tt.code {
				t.Errorf("the client is said to have been told %v", r.Error)
			}
		})
	}
}

// TestClientsThatGiveUp leave without a word; what they were asked last tells why.
func TestClientsThatGiveUp(t *testing.T) {
	mariadb := []mysqlwire.Attr{{Name: "_client_name", Value: "libmariadb"}}
	for _, tt := range []struct {
		name   string
		tls    bool
		attrs  []mysqlwire.Attr
		server []string // what it is sent before it leaves
		says   string   // its answer to that
		cause  intercept.LoginCause
		hint   string
	}{
		{"at a plugin", false, nil, []string{"\xfeauthentication_kerberos_client\x00x"}, "", intercept.CausePluginUnsupported, "ALTER USER"},
		{"at a plugin, being MariaDB's with TLS", true, mariadb, []string{"\xfecaching_sha2_password\x0001234567890123456789\x00"}, "", intercept.CausePluginUnsupported, "--ssl-ca="},
		{"at clear text", false, nil, []string{"\xfemysql_clear_password\x00"}, "", intercept.CauseClearPlugin, "--enable-cleartext-plugin"},
		{"at a dialog", false, nil, []string{"\xfedialog\x00\x04Password: "}, "", intercept.CauseClearPlugin, "--enable-cleartext-plugin"},
		{"at a second factor", false, nil, []string{"\x02authentication_webauthn_client\x00x"}, "", intercept.CausePluginUnsupported, "authentication_webauthn_client"},
		{"at the full path", false, nil, []string{"\xfecaching_sha2_password\x0001234567890123456789\x00", "\x01\x04"}, "hash", intercept.CauseKeyNeeded, "allowPublicKeyRetrieval"},
		{"at the proof of a certificate", true, nil, []string{"\x00\x00\x00\x02\x00\x00\x00" + "\x41\x01" + strings.Repeat("AB", 32)}, "", intercept.CauseCertificateBound, "--disable-ssl-verify-server-cert"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := strangers(t, modes(false))
			s.caps |= mysqlwire.ConnectAttrs
			s.begin(tt.tls, false, mysqlwire.Login{User: "app", Attrs: tt.attrs})
			for i, p := range tt.server {
				if i > 0 {
					s.clientSays(tt.says, "")
				}
				s.serverSays(p, "")
			}
			s.must(s.Client.Conn.Close())
			if r := s.failure(); r.Cause != tt.cause || !strings.Contains(r.Hint(), tt.hint) {
				t.Errorf("got %s\nwant %s, %q", r.Text(), tt.cause, tt.hint)
			}
		})
	}
}

// TestTheRightPasswordIsNotBlamed: the server's cache found it right, and then it was refused.
func TestTheRightPasswordIsNotBlamed(t *testing.T) {
	s := strangers(t, intercept.Options{ClientTLS: tlspair.Disabled})
	s.caps |= mysqlwire.SSL
	s.begin(false, false, mysqlwire.Login{PluginName: "caching_sha2_password", AuthResponse: []byte("32 bytes of a proof that is none")})
	s.serverSays("\x01\x03", "")
	s.serverSays("\xff\x15\x04#28000Access denied for user 'app'@'%' (using password: YES)", "")
	r := s.failure()
	if r.Cause != intercept.CauseServerRequiresTLS || !strings.HasPrefix(r.Line, "the password is right") || !strings.Contains(r.Hint(), "--backend-tls") {
		t.Errorf("got %s", r.Text())
	}
}

// TestOldWays are refused with the reason, to the client and in the log.
func TestOldWays(t *testing.T) {
	for _, tt := range []struct {
		name  string
		run   func(s *stranger)
		told  string
		cause intercept.LoginCause
	}{
		{"the switch of one byte", func(s *stranger) {
			s.begin(false, false, mysqlwire.Login{})
			s.must(s.Server.Send([]byte{0xfe}))
		}, "before MySQL 4.1", intercept.CauseOldPassword},
		{"a switch by name", func(s *stranger) {
			s.begin(false, false, mysqlwire.Login{})
			s.must(s.Server.Send([]byte("\xfemysql_old_password\x0012345678\x00")))
		}, "before MySQL 4.1", intercept.CauseOldPassword},
		{"a client that begins with it", func(s *stranger) {
			s.must(s.Server.Send(s.greeting(false)))
			_, err := s.Client.Receive()
			s.must(err)
			s.must(s.Client.Send(s.login(mysqlwire.Login{PluginName: "mysql_old_password", AuthResponse: []byte("12345678")})))
		}, "before MySQL 4.1", intercept.CauseOldPassword},
		{"the login of MySQL 3.23", func(s *stranger) {
			s.must(s.Server.Send(s.greeting(false)))
			_, err := s.Client.Receive()
			s.must(err)
			s.must(s.Client.Send([]byte("\x05\x24\x00\x00\x00root\x0012345678\x00")))
		}, "before MySQL 4.1", intercept.CauseOldProtocol},
		{"a greeting of version 9", func(s *stranger) {
			s.must(s.Server.Send([]byte("\x093.23.58\x00\x01\x00\x00\x0012345678\x00")))
		}, "does not greet", intercept.CauseNotServer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := strangers(t, intercept.Options{ClientTLS: tlspair.Disabled})
			tt.run(s)
			got, err := s.Client.Receive()
			s.must(err)
			var e mysqlwire.ERR
			s.must(e.Decode(got, nil))
			if !strings.Contains(e.Message, tt.told) {
				t.Errorf("the client is told %v", &e)
			}
			if r := s.failure(); r.Cause != tt.cause || len(r.Hints) == 0 || r.Error == nil || r.Error.Code != e.Code {
				t.Errorf("got %s", r.Text())
			}
		})
	}
}

// tee keeps the head of the record that came last, from the moment it follows: before, there was no TLS.
// It always reads, as a system does for its connections: the proxy does not wait long with its farewell.
type tee struct {
	net.Conn
	in      chan []byte
	rest    []byte
	follows bool
	head    []byte
	left    int // bytes of the record still to come
	last    [5]byte
}

func newTee(c net.Conn) *tee {
	t := &tee{Conn: c, in: make(chan []byte, 1000)}
	go func() { // ends with the connection
		defer close(t.in)
		for {
			b := make([]byte, 1<<14)
			n, err := c.Read(b)
			t.in <- b[:n]
			if err != nil {
				return
			}
		}
	}()
	return t
}

func (c *tee) Read(b []byte) (int, error) {
	for len(c.rest) == 0 {
		more, open := <-c.in
		if !open {
			return 0, io.EOF
		}
		c.rest = more
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	for rest := b[:n]; c.follows && len(rest) > 0; {
		skip := min(c.left, len(rest))
		c.left -= skip
		rest = rest[skip:]
		take := min(len(c.last)-len(c.head), len(rest))
		c.head = append(c.head, rest[:take]...)
		rest = rest[take:]
		if len(c.head) == len(c.last) {
			c.last = [5]byte(c.head)
			c.head, c.left = c.head[:0], int(c.last[3])<<8|int(c.last[4])
		}
	}
	return n, nil
}

// TestTLSEndsInOrder: close_notify on both legs, so that nobody takes the end for an attack.
func TestTLSEndsInOrder(t *testing.T) {
	s := strangers(t, modes(true))
	ends := []*intercepttest.End{s.Client, s.Server}
	var tees []*tee
	for _, end := range ends {
		tees = append(tees, newTee(end.Conn))
		end.Conn = tees[len(tees)-1]
	}
	s.version = tls.VersionTLS12 // which does not hide the types of its records
	s.begin(true, true, mysqlwire.Login{})
	s.serverSays(allowed, "")
	for _, end := range tees {
		end.follows = true
	}
	read := make(chan error, len(ends))
	for _, end := range ends {
		go func() { // ends with the session
			_, err := end.Conn.Read(make([]byte, 1))
			read <- err
		}()
	}
	// A write that is under way is broken off without a farewell.
	bell, late := s.Proxy.Journal.Listen(), time.After(intercepttest.Patience)
	for s.Proxy.Conns()[0].Phase != intercept.Ready {
		select {
		case <-bell:
		case <-late:
			t.Fatal("the login has not ended")
		}
	}
	s.Proxy.Conn(1).Kill(errors.New("enough"))
	for range ends {
		if err := <-read; !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
	}
	for i, end := range tees {
		if alert := byte(21); end.last[0] != alert {
			t.Errorf("leg %d ended with a record %x, want an alert", i, end.last)
		}
	}
}

// readPEM is the certificates of a file.
func readPEM(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
