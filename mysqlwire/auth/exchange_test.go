package auth

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
)

const testPassword = "correct horse"

var (
	okPacket   = []byte{0, 0, 0, 2, 0, 0, 0}
	badPacket  = []byte("\xff\x15\x04#28000Access denied for user 'app'@'localhost'")
	testSwitch = []byte("zyxwvutsrqponmlkjihg") // the scramble of switches
)

// fakeClient is a client library: it knows its own leg and nothing of the proxy.
type fakeClient struct {
	plugin   string
	password string
	leg      Leg
	pinned   *rsa.PublicKey // server-public-key-path

	scramble []byte
	t        *testing.T
}

func (c *fakeClient) clear() []byte { return append([]byte(c.password), 0) }

func (c *fakeClient) encrypt(pub *rsa.PublicKey) []byte {
	cipher, err := EncryptPassword([]byte(c.password), c.scramble, pub)
	if err != nil {
		c.t.Fatal(err)
	}
	return cipher
}

// first is the plugin's first answer.
func (c *fakeClient) first() []byte {
	switch c.plugin {
	case "mysql_native_password":
		return append([]byte{}, NativePassword([]byte(c.password), c.scramble)...) // empty, not nil
	case "caching_sha2_password":
		if c.password == "" {
			return []byte{0}
		}
		return CachingSHA2([]byte(c.password), c.scramble)
	case "sha256_password":
		switch {
		case c.password == "":
			return []byte{0}
		case c.leg.TLS:
			return c.clear()
		case c.pinned != nil:
			return c.encrypt(c.pinned)
		}
		return []byte{1}
	case "mysql_clear_password":
		return c.clear()
	}
	c.t.Fatalf("client has no plugin %s", c.plugin)
	return nil
}

// receive takes a packet; nil means it has nothing to say.
func (c *fakeClient) receive(p []byte) []byte {
	switch {
	case p[0] == 0 || p[0] == 0xff:
		return nil
	case p[0] == 0xfe || p[0] == 2:
		name, data := cutName(p[1:])
		c.plugin, c.scramble = name, bytes.Clone(trimScramble(data))
		return c.first()
	}
	p = bytes.TrimPrefix(p, []byte{1})
	switch {
	case bytes.Equal(p, []byte{3}):
		return nil
	case bytes.Equal(p, []byte{4}):
		switch {
		case c.leg.TLS || c.leg.Socket:
			return c.clear()
		case c.pinned != nil:
			return c.encrypt(c.pinned)
		}
		return []byte{2}
	}
	pub, err := ParsePublicKey(p)
	if err != nil {
		c.t.Fatalf("client expected a key, got %q: %v", p, err)
	}
	return c.encrypt(pub)
}

// fakeServer is a server with one account.
type fakeServer struct {
	plugin   string
	password string
	leg      Leg
	cached   bool
	raw      bool // MariaDB: no 0x01 before plugin data

	scramble []byte
	state    string
	t        *testing.T
}

func (s *fakeServer) data(b ...byte) []byte {
	if s.raw {
		return b
	}
	return append([]byte{1}, b...)
}

// login takes the login packet.
func (s *fakeServer) login(plugin string, response []byte) [][]byte {
	if plugin == s.plugin {
		return s.receive(response)
	}
	s.scramble = testSwitch
	return [][]byte{[]byte("\xfe" + s.plugin + "\x00" + string(testSwitch) + "\x00")}
}

func (s *fakeServer) verdict(ok bool) [][]byte {
	s.state = "over"
	if ok {
		return [][]byte{okPacket}
	}
	return [][]byte{badPacket}
}

func (s *fakeServer) receive(p []byte) [][]byte {
	switch {
	case s.state == "over":
		s.t.Fatalf("server got %x after its verdict", p)
	case s.plugin == "mysql_native_password":
		return s.verdict(CheckNative(NativeHash([]byte(s.password)), s.scramble, p))
	case s.plugin == "mysql_clear_password":
		return s.verdict(string(p) == s.password+"\x00")
	case s.state == "cipher":
		got, err := DecryptPassword(p, s.scramble, serverKey())
		return s.verdict(err == nil && string(got) == s.password)
	case noPassword(p) && s.state == "":
		return s.verdict(s.password == "")
	case s.plugin == "caching_sha2_password" && s.state == "":
		if s.cached && CheckCachingSHA2(CachingSHA2Hash([]byte(s.password)), s.scramble, p) {
			return [][]byte{s.data(3), s.verdict(true)[0]}
		}
		s.state = "full"
		return [][]byte{s.data(4)}
	}
	request, secure := byte(2), s.leg.TLS || s.leg.Socket
	if s.plugin == "sha256_password" {
		request, secure = 1, s.leg.TLS
	}
	if secure {
		return s.verdict(string(p) == s.password+"\x00")
	}
	s.state = "cipher"
	if bytes.Equal(p, []byte{request}) {
		text, err := MarshalPublicKey(&serverKey().PublicKey)
		if err != nil {
			s.t.Fatal(err)
		}
		return [][]byte{s.data(text...)}
	}
	return s.receive(p)
}

// run lets client and server log in through the exchange, as a proxy would drive it, and
// returns its last step.
func run(t *testing.T, e *Exchange, c *fakeClient, s *fakeServer) (Step, error) {
	t.Helper()
	c.t, s.t = t, t
	c.scramble, s.scramble = testScramble, testScramble
	plugin := c.plugin
	var fromServer, fromClient [][]byte
	logins := 0
	given := c.first()
	step, err := e.Begin(plugin, append(bytes.Clone(testScramble), 0), given)
	for range 30 {
		if err != nil {
			return step, err
		}
		for _, p := range slices.Concat(step.ToServer, step.ToClient, [][]byte{given}) {
			if (bytes.Contains(p, []byte("horse")) || len(p) == serverKey().Size()) && !step.Secret {
				t.Errorf("a step with a password is not secret: %s", e.Describe())
			}
			if bytes.Contains(p, []byte("BEGIN PUBLIC KEY")) && len(step.ToClient) > 0 && step.Secret {
				t.Errorf("a public key on its way to the client is secret: %s", e.Describe())
			}
		}
		for i, p := range step.ToServer {
			if step.Login && i == 0 {
				logins++
				fromServer = append(fromServer, s.login(plugin, p)...)
			} else {
				fromServer = append(fromServer, s.receive(p)...)
			}
		}
		for _, p := range step.ToClient {
			if answer := c.receive(p); answer != nil {
				fromClient = append(fromClient, answer)
			}
		}
		if step.Done {
			if logins != 1 {
				t.Errorf("%d steps had the login response, want 1", logins)
			}
			if len(fromServer)+len(fromClient) > 0 {
				t.Errorf("packets left over: server %x, client %x", fromServer, fromClient)
			}
			return step, nil
		}
		switch {
		case step.Next == Client && len(fromClient) > 0:
			given, fromClient = fromClient[0], fromClient[1:]
			step, err = e.FromClient(given)
		case step.Next == Server && len(fromServer) > 0:
			given, fromServer = fromServer[0], fromServer[1:]
			step, err = e.FromServer(given)
		default:
			t.Fatalf("both sides wait, the turn is of the %s; %s", step.Next, e.Describe())
		}
	}
	t.Fatalf("no end: %s", e.Describe())
	return Step{}, nil
}

// TestLogins is the table of what a proxy has to do, lived through: every plugin on every
// pair of legs must end as a direct login would.
func TestLogins(t *testing.T) {
	plain, tls, socket := Leg{}, Leg{TLS: true}, Leg{Socket: true}
	legs := map[string]Leg{"plain": plain, "TLS": tls, "socket": socket}
	accounts := []fakeServer{
		{plugin: "mysql_native_password"},
		{plugin: "caching_sha2_password"},
		{plugin: "caching_sha2_password", cached: true},
		{plugin: "caching_sha2_password", raw: true},
		{plugin: "sha256_password"},
		{plugin: "sha256_password", raw: true},
	}
	passwords := []struct{ name, client, server string }{
		{"right", testPassword, testPassword},
		{"wrong", "wrong horse", testPassword},
		{"none", "", ""},
		{"missing", "", testPassword},
	}
	for _, account := range accounts {
		for clientName, clientLeg := range legs {
			for serverName, serverLeg := range legs {
				for _, login := range []string{"mysql_native_password", "caching_sha2_password", "sha256_password"} {
					for _, pw := range passwords {
						name := fmt.Sprintf("%s cached=%t raw=%t/%s to %s/login with %s/%s password", account.plugin, account.cached, account.raw, clientName, serverName, login, pw.name)
						t.Run(name, func(t *testing.T) {
							c := &fakeClient{plugin: login, password: pw.client, leg: clientLeg}
							s := account
							s.password, s.leg = pw.server, serverLeg
							e := NewExchange(clientLeg, serverLeg, Options{Key: func() (*rsa.PrivateKey, error) { return proxyKey(), nil }})
							step, err := run(t, e, c, &s)
							if err != nil {
								t.Fatal(err)
							}
							want := okPacket
							if pw.client != pw.server {
								want = badPacket
							}
							if step.OK != (pw.client == pw.server) || step.Next != Nobody || !reflect.DeepEqual(step.ToClient, [][]byte{want}) {
								t.Errorf("got %+v, want the end with %x; %s", step, want, e.Describe())
							}
							if e.Plugin() != account.plugin {
								t.Errorf("got plugin %s, want %s", e.Plugin(), account.plugin)
							}
							wantScramble := testScramble
							if login != account.plugin {
								wantScramble = testSwitch
							}
							if !bytes.Equal(e.Scramble(), wantScramble) {
								t.Errorf("got scramble %q, want %q", e.Scramble(), wantScramble)
							}
							if strings.Contains(e.Describe(), "horse") {
								t.Errorf("the history tells the password: %s", e.Describe())
							}
							if len(e.password) != 0 {
								t.Error("the password is still kept")
							}
						})
					}
				}
			}
		}
	}
}

// A client that holds the server's key can be served on like legs, and across unlike ones
// only with that server's private key.
func TestPinnedServerKey(t *testing.T) {
	for _, plugin := range []string{"caching_sha2_password", "sha256_password"} {
		for _, login := range []string{plugin, "mysql_native_password"} {
			for _, tt := range []struct {
				name   string
				server Leg
				key    *rsa.PrivateKey
				ok     bool
			}{
				{"plain legs", Leg{}, nil, true},
				{"TLS to the server, with its key", Leg{TLS: true}, serverKey(), true},
				{"TLS to the server, with another key", Leg{TLS: true}, proxyKey(), false},
				{"TLS to the server, without a key", Leg{TLS: true}, nil, false},
			} {
				t.Run(plugin+"/login with "+login+"/"+tt.name, func(t *testing.T) {
					c := &fakeClient{plugin: login, password: testPassword, pinned: &serverKey().PublicKey}
					s := &fakeServer{plugin: plugin, password: testPassword, leg: tt.server}
					var o Options
					if tt.key != nil {
						o.Key = func() (*rsa.PrivateKey, error) { return tt.key, nil }
					}
					e := NewExchange(Leg{}, tt.server, o)
					step, err := run(t, e, c, s)
					if got := err == nil && step.OK; got != tt.ok {
						t.Fatalf("got %t (%v), want %t; %s", got, err, tt.ok, e.Describe())
					}
					if tt.ok {
						return
					}
					if plugin == "sha256_password" && login == plugin {
						// What cannot be read in a login packet is left to the server to refuse.
						if err != nil || !strings.Contains(e.Describe(), "could not be decrypted") {
							t.Errorf("got %v, %s", err, e.Describe())
						}
						return
					}
					var problem *Error
					if !errors.As(err, &problem) || problem.Plugin != plugin || !strings.Contains(problem.Hint, "server-public-key-path") {
						t.Errorf("got %#v", err)
					}
				})
			}
		}
	}
}

// turn is one packet of a script and what must follow from it.
type turn struct {
	from Speaker
	p    string
	want Step
}

func fromS(p string, want Step) turn { return turn{Server, p, want} }
func fromC(p string, want Step) turn { return turn{Client, p, want} }

func toC(next Speaker, p string) Step {
	return Step{ToClient: [][]byte{[]byte(p)}, Next: next}
}

func toS(next Speaker, secret bool, p string) Step {
	return Step{ToServer: [][]byte{[]byte(p)}, Next: next, Secret: secret}
}

func accepted() turn {
	return fromS(string(okPacket), Step{ToClient: [][]byte{okPacket}, Done: true, OK: true})
}

func refused() turn {
	return fromS(string(badPacket), Step{ToClient: [][]byte{badPacket}, Done: true})
}

// play runs a script after a login packet that carries a native hash.
func play(t *testing.T, e *Exchange, script []turn) {
	t.Helper()
	begin, err := e.Begin("", testScramble, []byte("hash"))
	if want := (Step{ToServer: [][]byte{[]byte("hash")}, Login: true, Next: Server, Secret: true}); err != nil || !reflect.DeepEqual(begin, want) {
		t.Fatalf("begin: got %+v, %v, want %+v", begin, err, want)
	}
	for i, x := range script {
		say := e.FromServer
		if x.from == Client {
			say = e.FromClient
		}
		p := []byte(x.p)
		got, err := say(p)
		if err != nil || !reflect.DeepEqual(got, x.want) {
			t.Fatalf("turn %d: got %+v, %v, want %+v", i+1, got, err, x.want)
		}
		for _, out := range append(got.ToClient, got.ToServer...) {
			if string(out) == x.p && len(p) > 0 && &out[0] != &p[0] {
				t.Errorf("turn %d: an untouched payload was copied", i+1)
			}
		}
	}
}

func TestRelayedConversations(t *testing.T) {
	const scramble = "zyxwvutsrqponmlkjihg\x00"
	like := [2]Leg{}
	fromTLS := [2]Leg{{TLS: true}, {}}
	toTLS := [2]Leg{{}, {TLS: true}}
	for _, tt := range []struct {
		name   string
		legs   [2]Leg
		o      Options
		script []turn
	}{
		{"refused at once", like, Options{}, []turn{refused()}},
		{"an ERR in the client's turn", like, Options{}, []turn{
			fromS("\xfeclient_ed25519\x00nonce", toC(Client, "\xfeclient_ed25519\x00nonce")),
			refused(),
		}},
		{"ed25519 across unlike legs", fromTLS, Options{}, []turn{
			fromS("\xfeclient_ed25519\x0032-byte nonce", toC(Client, "\xfeclient_ed25519\x0032-byte nonce")),
			fromC("signature", toS(Server, true, "signature")),
			accepted(),
		}},
		{"parsec asks with an empty packet", fromTLS, Options{}, []turn{
			fromS("\xfeparsec\x00scramble", toC(Client, "\xfeparsec\x00scramble")),
			fromC("", toS(Server, false, "")),
			fromS("P\x00salt", toC(Client, "P\x00salt")),
			fromC("signature", toS(Server, true, "signature")),
			accepted(),
		}},
		{"dialog with raw prompts", toTLS, Options{}, []turn{
			fromS("\xfedialog\x00\x04Password, please:", toC(Client, "\xfedialog\x00\x04Password, please:")),
			fromC("secret\x00", toS(Server, true, "secret\x00")),
			fromS("\x02Name of your cat?", toC(Client, "\x02Name of your cat?")),
			fromC("secret\x00", toS(Server, true, "secret\x00")),
			accepted(),
		}},
		{"clear text where it is allowed", fromTLS, Options{AllowCleartext: true}, []turn{
			fromS("\xfemysql_clear_password\x00", toC(Client, "\xfemysql_clear_password\x00")),
			fromC("secret\x00", toS(Server, true, "secret\x00")),
			accepted(),
		}},
		{"GSSAPI in its own order", fromTLS, Options{}, []turn{
			fromS("\xfeauth_gssapi_client\x00spn", toC(Either, "\xfeauth_gssapi_client\x00spn")),
			fromC("token", toS(Either, true, "token")),
			fromS("token", toC(Either, "token")),
			accepted(),
		}},
		{"a plugin nobody knows, on like legs", like, Options{}, []turn{
			fromS("\xfehomemade\x00data", toC(Either, "\xfehomemade\x00data")),
			fromC("answer", toS(Either, true, "answer")),
			fromS("\x01more", toC(Either, "\x01more")),
			fromS("\x01more", toC(Either, "\x01more")),
			fromC("answer", toS(Either, true, "answer")),
			accepted(),
		}},
		{"a round that the plugin does not have", like, Options{}, []turn{
			fromS("\x01surprise", toC(Either, "\x01surprise")),
			fromC("answer", toS(Server, true, "answer")),
			accepted(),
		}},
		{"two switches", like, Options{}, []turn{
			fromS("\xfeclient_ed25519\x00nonce", toC(Client, "\xfeclient_ed25519\x00nonce")),
			fromC("signature", toS(Server, true, "signature")),
			fromS("\xfemysql_native_password\x00"+scramble, toC(Client, "\xfemysql_native_password\x00"+scramble)),
			fromC("", toS(Server, false, "")),
			accepted(),
		}},
		{"three factors", fromTLS, Options{MultiFactor: true}, []turn{
			fromS("\x02client_ed25519\x00nonce", toC(Client, "\x02client_ed25519\x00nonce")),
			fromC("signature", toS(Server, true, "signature")),
			fromS("\x02authentication_webauthn_client\x00challenge", toC(Either, "\x02authentication_webauthn_client\x00challenge")),
			fromC("proof", toS(Either, true, "proof")),
			accepted(),
		}},
		{"keys asked for and sent between plain legs", like, Options{}, []turn{
			fromS("\xfecaching_sha2_password\x00"+scramble, toC(Client, "\xfecaching_sha2_password\x00"+scramble)),
			fromC("hash", toS(Server, true, "hash")),
			fromS("\x01\x04", toC(Client, "\x01\x04")),
			fromC("\x02", toS(Server, false, "\x02")),
			fromS("\x01-----BEGIN", toC(Client, "\x01-----BEGIN")),
			fromC("cipher", toS(Server, true, "cipher")),
			refused(),
		}},
		{"fast caching_sha2_password", toTLS, Options{}, []turn{
			fromS("\xfecaching_sha2_password\x00"+scramble, toC(Client, "\xfecaching_sha2_password\x00"+scramble)),
			fromC("hash", toS(Server, true, "hash")),
			fromS("\x01\x03", toC(Server, "\x01\x03")),
			accepted(),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, NewExchange(tt.legs[0], tt.legs[1], tt.o), tt.script)
		})
	}
}

// The second factor of a multi-factor login is translated as the first would be.
func TestSecondFactorIsTranslated(t *testing.T) {
	e := NewExchange(Leg{TLS: true}, Leg{}, Options{MultiFactor: true})
	factor := "\x02sha256_password\x00" + string(testSwitch) + "\x00"
	play(t, e, []turn{
		fromS(factor, toC(Client, factor)),
		fromC("secret\x00", toS(Server, true, "\x01")),
	})
	text, err := MarshalPublicKey(&serverKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.FromServer(append([]byte{1}, text...))
	if err != nil || len(s.ToClient) != 0 || len(s.ToServer) != 1 || !s.Secret || s.Next != Server {
		t.Fatalf("got %+v, %v", s, err)
	}
	if got, err := DecryptPassword(s.ToServer[0], testSwitch, serverKey()); err != nil || string(got) != "secret" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestExchangeErrors(t *testing.T) {
	const scramble = "zyxwvutsrqponmlkjihg\x00"
	fromTLS := [2]Leg{{TLS: true}, {}}
	toTLS := [2]Leg{{}, {TLS: true}}
	noKey := errors.New("no key today")
	switchTo := func(plugin string, next Speaker) turn {
		p := "\xfe" + plugin + "\x00" + scramble
		return fromS(p, toC(next, p))
	}
	for _, tt := range []struct {
		name   string
		legs   [2]Leg
		o      Options
		script []turn
		last   turn // fails
		cause  error
		want   string
	}{
		{
			"the hash from before 4.1",
			[2]Leg{},
			Options{},
			nil, fromS("\xfe", Step{}), ErrOldPassword,
			"mysql_old_password: switch: the password hash from before MySQL 4.1 is not supported",
		},
		{
			"the same by name",
			[2]Leg{},
			Options{},
			nil, fromS("\xfemysql_old_password\x00scramble", Step{}), ErrOldPassword,
			"mysql_old_password: switch: the password hash from before MySQL 4.1 is not supported",
		},
		{
			"the client out of turn",
			[2]Leg{},
			Options{},
			nil, fromC("answer", Step{}), nil,
			"mysql_native_password: exchange: the client spoke, but it was the turn of the server",
		},
		{
			"the server out of turn",
			[2]Leg{},
			Options{},
			[]turn{switchTo("client_ed25519", Client)},
			fromS(string(okPacket), Step{}), nil,
			"client_ed25519: first answer: the server spoke, but it was the turn of the client",
		},
		{
			"a packet after the end",
			[2]Leg{},
			Options{},
			[]turn{accepted()},
			fromS(string(okPacket), Step{}), nil,
			"mysql_native_password: exchange: the server spoke, but the exchange was not going on",
		},
		{
			"clear text onto a plain leg", fromTLS,
			Options{},
			[]turn{switchTo("mysql_clear_password", Client)},
			fromC("secret\x00", Step{}), ErrCleartext,
			"mysql_clear_password: client's answer: the password would cross the server leg in clear text",
		},
		{
			"a dialog's answer onto a plain leg, from a socket",
			[2]Leg{{Socket: true}, {}},
			Options{},
			[]turn{switchTo("dialog", Client)},
			fromC("secret\x00", Step{}), ErrCleartext,
			"dialog: client's answer: the password would cross the server leg in clear text",
		},
		{
			"an unknown plugin onto a plain leg", fromTLS,
			Options{},
			[]turn{switchTo("homemade\x1b[31m", Either)},
			fromC("secret\x00", Step{}), ErrCleartext,
			"homemade?[31m: client's answer: the password would cross the server leg in clear text",
		},
		{
			"no key for the client", toTLS,
			Options{},
			[]turn{switchTo("sha256_password", Client)},
			fromC("\x01", Step{}), nil,
			"sha256_password: answer the client's key request: the proxy has no RSA key",
		},
		{
			"a key that cannot be had", toTLS,
			Options{Key: func() (*rsa.PrivateKey, error) { return nil, noKey }},
			[]turn{
				switchTo("caching_sha2_password", Client),
				fromC("hash", toS(Server, true, "hash")),
				fromS("\x01\x04", toC(Client, "\x01\x04")),
			},
			fromC("\x02", Step{}), noKey,
			"caching_sha2_password: answer the client's key request: no key today",
		},
		{
			"clear text where a cipher was due", toTLS,
			Options{Key: func() (*rsa.PrivateKey, error) { return proxyKey(), nil }},
			[]turn{switchTo("sha256_password", Client)},
			fromC("secret\x00", Step{}), rsa.ErrDecryption,
			"sha256_password: decrypt the client's password: decrypt password: crypto/rsa: decryption error",
		},
		{
			"no key of the server", fromTLS,
			Options{},
			[]turn{
				switchTo("sha256_password", Client),
				fromC("secret\x00", toS(Server, true, "\x01")),
			},
			fromS("\x01no key", Step{}), nil,
			"sha256_password: encrypt the password for the server: parse public key: no PEM block",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := NewExchange(tt.legs[0], tt.legs[1], tt.o)
			play(t, e, tt.script)
			say := e.FromServer
			if tt.last.from == Client {
				say = e.FromClient
			}
			step, err := say([]byte(tt.last.p))
			if err == nil || err.Error() != tt.want {
				t.Fatalf("got %+v, %v, want error %s", step, err, tt.want)
			}
			if tt.cause != nil && !errors.Is(err, tt.cause) {
				t.Errorf("the cause is not %v", tt.cause)
			}
			if strings.Contains(e.Describe(), "secret") {
				t.Errorf("the history tells the password: %s", e.Describe())
			}
			if _, again := e.FromServer(okPacket); again != err {
				t.Errorf("the error does not stick: got %v", again)
			}
			if len(e.password) != 0 {
				t.Error("the password is still kept")
			}
		})
	}
}

// A caller may blank a secret step in place.
func TestBlankedStepsDoNotHurtTheNext(t *testing.T) {
	for range 2 {
		e := NewExchange(Leg{TLS: true}, Leg{}, Options{})
		s, err := e.Begin("sha256_password", testScramble, []byte("secret\x00"))
		want := Step{ToServer: [][]byte{{1}}, Login: true, Next: Server, Secret: true}
		if err != nil || !reflect.DeepEqual(s, want) {
			t.Fatalf("got %+v, %v, want %+v", s, err, want)
		}
		clear(s.ToServer[0])
	}
}

func TestBeginErrors(t *testing.T) {
	e := NewExchange(Leg{}, Leg{}, Options{})
	if _, err := e.Begin("mysql_old_password", testScramble, []byte("12345678")); !errors.Is(err, ErrOldPassword) {
		t.Errorf("got %v, want %v", err, ErrOldPassword)
	}
	e = NewExchange(Leg{TLS: true}, Leg{}, Options{})
	if _, err := e.Begin("mysql_clear_password", testScramble, []byte("secret\x00")); !errors.Is(err, ErrCleartext) {
		t.Errorf("got %v, want %v", err, ErrCleartext)
	}
	e = NewExchange(Leg{}, Leg{}, Options{})
	if _, err := e.FromServer(badPacket); err == nil || err.Error() != "exchange: the server spoke, but the exchange was not going on" {
		t.Errorf("before it began: got %v", err)
	}
	e = NewExchange(Leg{}, Leg{}, Options{})
	if _, err := e.Begin("", testScramble, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Begin("", testScramble, nil); err == nil {
		t.Error("an exchange began twice")
	}
}

func TestEndlessDialogIsEnded(t *testing.T) {
	e := NewExchange(Leg{}, Leg{}, Options{})
	if _, err := e.Begin("dialog", testScramble, nil); err != nil {
		t.Fatal(err)
	}
	for range maxPackets {
		if _, err := e.FromServer([]byte("\x02Again?")); err != nil {
			return
		}
		if _, err := e.FromClient([]byte("yes\x00")); err != nil {
			return
		}
	}
	t.Error("no error")
}

func TestDescribeExplainsAFailedLogin(t *testing.T) {
	c := &fakeClient{plugin: "mysql_native_password", password: "wrong horse", leg: Leg{}}
	s := &fakeServer{plugin: "caching_sha2_password", password: testPassword, leg: Leg{TLS: true}}
	e := NewExchange(c.leg, s.leg, Options{Key: func() (*rsa.PrivateKey, error) { return proxyKey(), nil }})
	if _, err := run(t, e, c, s); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"client began with mysql_native_password",
		"client sent 20 B for mysql_native_password",
		"server switched to caching_sha2_password",
		"client sent 32 B for caching_sha2_password",
		"server asked for caching_sha2_password full authentication",
		"client asked for the server's public key; sent ours, the server's leg being secure",
		"client sent its RSA-encrypted password (256 B); passed it on in clear text, the server's leg being secure",
		"server refused the login: 1045 (28000) Access denied for user 'app'@'localhost'",
	}
	if got := e.History(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, want := e.Describe(), strings.Join(want, "; "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzExchange lets both sides say anything, in any order: nothing may panic, every step
// must name a next speaker or be the end, and there is an end.
func FuzzExchange(f *testing.F) {
	f.Add(uint8(0), "mysql_native_password", []byte("S\x07\x00\x00\x00\x02\x00\x00\x00"))
	f.Add(uint8(1), "sha256_password", []byte("S\x08\x01no key!C\x01\x02"))
	f.Add(uint8(4), "caching_sha2_password", []byte("S\x02\x01\x04C\x01\x02C\x03abc"))
	f.Add(uint8(35), "dialog", []byte("S\x08\xfedialog\x00C\x02x\x00"))
	f.Fuzz(func(t *testing.T, flags uint8, plugin string, script []byte) {
		if len(plugin) > 64 || len(script) > 1024 {
			return
		}
		// The same input must take the same path: the fuzzer tries for a minute to make smaller what it
		// cannot make happen twice, and does nothing else meanwhile. -fuzzminimizetime 1s helps with the rest.
		cryptotest.SetGlobalRandom(t, 1)
		bit := func(n int) bool { return flags>>n&1 == 1 }
		client, server := Leg{TLS: bit(0), Socket: bit(1)}, Leg{TLS: bit(2), Socket: bit(3)}
		e := NewExchange(client, server, Options{
			Key:            func() (*rsa.PrivateKey, error) { return proxyKey(), nil },
			AllowCleartext: bit(4),
			MultiFactor:    bit(5),
		})
		logins := 0
		check := func(s Step, err error) bool {
			if err != nil {
				var problem *Error
				if !errors.As(err, &problem) {
					t.Fatalf("got %T, want *Error", err)
				}
				return false
			}
			if s.Done != (s.Next == Nobody) || s.OK && !s.Done || len(s.ToClient)+len(s.ToServer) == 0 {
				t.Fatalf("impossible step %+v", s)
			}
			if s.Login {
				logins++
			} else if len(s.ToServer) > 0 && logins == 0 {
				t.Fatalf("a packet for the server before the login: %+v", s)
			}
			return !s.Done
		}
		goesOn := check(e.Begin(plugin, testScramble, script))
		for len(script) >= 2 && goesOn {
			n := min(int(script[1]), len(script)-2)
			p := script[2 : 2+n]
			if script[0] == 'S' {
				goesOn = check(e.FromServer(p))
			} else {
				goesOn = check(e.FromClient(p))
			}
			script = script[2+n:]
		}
		if logins > 1 || len(e.history) > 3*maxPackets {
			t.Fatalf("%d logins, %d lines of history", logins, len(e.history))
		}
		if !goesOn && e.password != nil {
			t.Fatal("the password is still kept")
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	text, err := MarshalPublicKey(&serverKey().PublicKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		pub, err := ParsePublicKey(text)
		if err != nil {
			return
		}
		again, err := MarshalPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParsePublicKey(again); err != nil || !got.Equal(pub) {
			t.Errorf("got %v, %v, want %v", got, err, pub)
		}
	})
}
