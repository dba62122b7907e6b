package intercept_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// FuzzLogin has both sides say anything from the first byte on. The session must end when they have left,
// whatever they said, and a login that came to nothing must be explained.
func FuzzLogin(f *testing.F) {
	packet := func(who byte, seq uint8, payload string) string {
		return string([]byte{who | 4, byte(len(payload)), seq}) + payload
	}
	const server, client = 1, 0
	encode := func(m mysqlwire.Message) string {
		b, err := m.Encode(nil, nil)
		if err != nil {
			f.Fatal(err)
		}
		return string(b)
	}
	greeting := mysqlwire.Greeting{
		Version: "8.4.0", Scramble: []byte("01234567890123456789"), Caps: intercepttest.ClientCaps | mysqlwire.SSL | mysqlwire.MultiFactorAuthentication,
		PluginName: "caching_sha2_password",
	}
	login := mysqlwire.Login{Caps: greeting.Caps &^ mysqlwire.SSL, User: "app", PluginName: "caching_sha2_password", AuthResponse: []byte("hash")}
	begin := packet(server, 0, encode(&greeting)) + packet(client, 1, encode(&login))
	request := login
	request.Caps |= mysqlwire.SSL
	for _, seed := range []string{
		begin + packet(server, 2, "\x01\x03") + packet(server, 3, allowed) + packet(client, 0, "\x03select 1"),
		begin + packet(server, 2, "\x01\x04") + packet(client, 3, "\x02") + packet(server, 4, "\x01no key") + packet(client, 5, "secret\x00"),
		begin + packet(server, 2, "\xfedialog\x00\x04Password: ") + packet(client, 3, "secret\x00") + packet(server, 4, "\xff\x15\x04#28000no"),
		begin + packet(server, 2, "\xfeauth_gssapi_client\x00x") + packet(server, 3, "y") + packet(client, 4, "z"),
		begin + packet(server, 2, "\xfe") + packet(client, 3, "12345678"),
		begin + packet(server, 2, "\x02authentication_webauthn_client\x00x") + packet(client, 9, "out of order"),
		packet(server, 0, encode(&greeting)) + packet(client, 1, encode(&request)[:32]) + "\x00\x01\x02\x16\x03\x01\x00\x05hello",
		packet(server, 0, "\xff\x10\x04Too many connections"),
		packet(server, 0, encode(&greeting)) + packet(client, 1, "\x05\x24\x00\x00\x00root\x0012345678\x00"),
		packet(server, 0, encode(&greeting)) + "\x32GET / HTTP/1.1",
		"\x33HTTP/1.1 400\r\n",
		"\x13\xff\xff\xff\x00",
	} {
		f.Add(uint8(0), []byte(seed))
		f.Add(uint8(5), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, config uint8, traffic []byte) {
		if len(traffic) > 4096 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			// The time of a test's bubble is long past: so are the certificates of its authority.
			o := intercept.Options{
				ClientTLS: tlspair.Mode(config % 4), BackendTLS: tlspair.Mode(config / 4 % 3), AllowCleartext: config&64 != 0,
				StateDir: filepath.Join(os.TempDir(), "mydbg-test-authority-of-2000"),
			}
			e := intercepttest.NewStrangers(t, o)
			for _, end := range []*intercepttest.End{e.Client, e.Server} {
				go func() { _, _ = io.Copy(io.Discard, end.Conn) }() // ends when the session closes its side
			}
			play(t, e, traffic)
			if err := e.Close(); err != nil {
				t.Error(err)
			}
			for _, n := range e.Proxy.Journal.Notices(0, nil) {
				if strings.HasPrefix(n.Text, "internal error") {
					t.Error(n.Text)
				}
			}
			i := e.Proxy.Conns()[0]
			if i.Commands == 0 && i.LoginFailure == nil && i.Login == nil {
				t.Errorf("nothing explains the end: %s", i.Cause)
			}
			if r := i.LoginFailure; r != nil && (r.Cause == "" || r.Line == "" || len(r.Text()) > 64<<10 || len(r.Steps) > 1000) {
				t.Errorf("got %q, %d bytes, %d steps", r.Title(), len(r.Text()), len(r.Steps))
			}
		})
	})
}

// TestEndlessLogin is ended, and keeps nothing of what was said.
func TestEndlessLogin(t *testing.T) {
	s := strangers(t, intercept.Options{ClientTLS: tlspair.Disabled})
	s.begin(false, false, mysqlwire.Login{})
	s.must(s.Server.Send([]byte("\xfeauth_gssapi_client\x00")))
	go func() { _, _ = io.Copy(io.Discard, s.Client.Conn) }() // ends with the session
	big := bytes.Repeat([]byte("x"), 256<<10)
	for s.Server.Send(big) == nil {
	}
	r := s.failure()
	if r.Cause != intercept.CauseExchange || !strings.Contains(r.Line, "more than 200 packets") {
		t.Errorf("got %s", r.Text())
	}
	if n := len(r.Text()); n > 64<<10 {
		t.Errorf("the explanation has %d bytes", n)
	}
}
