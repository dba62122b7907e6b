package intercept_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// saying is a server that says something to everybody and then waits for them to leave.
func saying(t *testing.T, what []byte, thenLeaves bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends when l is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ends when the proxy leaves
				defer c.Close()
				if _, err := c.Write(what); err == nil && !thenLeaves {
					_, _ = io.Copy(io.Discard, c)
				}
			}()
		}
	}()
	return l.Addr().String()
}

func TestServersThatAreNone(t *testing.T) {
	for _, tt := range []struct {
		name   string
		says   []byte
		leaves bool
		code   uint16
		text   string // in the error and in the log
		cause  intercept.LoginCause
	}{
		{"a web server", []byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), false, 1429, "not MySQL's protocol", intercept.CauseNotServer},
		{"an SSH server", []byte("SSH-2.0-OpenSSH_9.2\r\n"), false, 1429, "not MySQL's protocol", intercept.CauseNotServer},
		{"one that hangs up", nil, true, 1429, "sent no greeting", intercept.CauseServerLeft},
		{"one that hangs up in the middle", []byte("\x4a\x00\x00\x00\x0a8.4.0"), true, 1429, "sent no greeting", intercept.CauseServerLeft},
		{"one of another version", []byte("\x03\x00\x00\x00\x090\x00"), false, 1429, "greet", intercept.CauseNotServer},
		{"one that greets cut off", []byte("\x08\x00\x00\x00\x0a8.4.0\x00\x01"), false, 1429, "greet", intercept.CauseNotServer},
		{"one of the X Protocol", []byte("\x05\x00\x00\x00\x0b\x08\x05\x1a\x00"), false, 1429, "greet", intercept.CauseNotServer},
		{"one that begins TLS at once", []byte("\x15\x03\x03\x00\x02\x02\x0a"), false, 1429, "not MySQL's protocol", intercept.CauseNotServer},
		{"one that refuses", []byte("\x17\x00\x00\x00\xff\x10\x04Too many connections"), false, 1040, "Too many", intercept.CauseTooMany},
		{"one that lies about lengths", []byte("\xff\xff\xff\x00\x0a8.4.0\x00"), false, 1429, "not MySQL's protocol", intercept.CauseNotServer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{ConnectTimeout: 5 * time.Second}, saying(t, tt.says, tt.leaves))
			_, err := intercepttest.TryDial(t, "tcp", p.Addr, "u", "", "", 0)
			var e *mysqlwire.ERR
			if !errors.As(err, &e) || e.Code != tt.code || !strings.Contains(e.Message, tt.text) {
				t.Errorf("got %v, want %d with %q", err, tt.code, tt.text)
			}
			failedLogin(t, p, tt.cause, "")
			p.Until("the connection is closed", func() bool { return p.Conns()[0].Phase == intercept.Closed })
		})
	}
}

func TestClientsThatAreNone(t *testing.T) {
	s := servers(t)[0]
	login, err := (&mysqlwire.Login{Caps: intercepttest.ClientCaps, User: "nobody", PluginName: "mysql_native_password"}).Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	numbered := func(payload []byte, seq uint8) []byte {
		b, _ := mysqlwire.AppendPacket(nil, payload, seq)
		return b
	}
	ssl := bytes.Clone(login[:32])
	ssl[1] |= 8
	for _, tt := range []struct {
		name  string
		says  []byte
		text  string // in the log
		cause intercept.LoginCause
	}{
		{"a browser", []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "not MySQL's protocol", intercept.CauseNotClient},
		{"one that begins TLS at once", []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "not MySQL's protocol", intercept.CauseClientTLSFirst},
		{"one whose TLS looks like a packet", []byte("\x16\x03\x01\x01\x1e\x01\x00\x01\x1a\x03\x03"), "not MySQL's protocol", intercept.CauseClientTLSFirst},
		{"one from before 4.1", numbered([]byte("\x05\x00\x00\x00\x00root\x00\x00"), 1), "4.1", intercept.CauseOldProtocol},
		{"one whose login is cut off", numbered(login[:36], 1), "no login", intercept.CauseMalformed},
		{"one that counts wrongly", numbered(login, 3), "packet number 3", intercept.CauseOutOfOrder},
		{"one that announces TLS and goes on in plain text", append(numbered(ssl, 1), numbered(login, 2)...), "plain text", intercept.CauseClientPlain},
		{"one that lies about lengths", []byte("\xff\xff\xff\x01abc"), "not MySQL's protocol", intercept.CauseOutOfOrder},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
			other := client(t, &s, p.Addr, 0)
			c, err := net.Dial("tcp", p.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Read(make([]byte, 500)); err != nil { // the greeting
				t.Fatal(err)
			}
			if _, err := c.Write(tt.says); err != nil {
				t.Fatal(err)
			}
			p.Until("the connection is closed", func() bool { return p.Conn(2) == nil && len(p.Conns()) == 2 })
			said := ""
			for _, n := range p.Journal.Notices(0, nil) {
				said += n.Text + "\n"
			}
			if !strings.Contains(said, tt.text) {
				t.Errorf("the log has %q, want %q", said, tt.text)
			}
			failedLogin(t, p, tt.cause, "")
			if got := other.Text("select 1"); got != "1" {
				t.Errorf("the other connection got %s", got)
			}
		})
	}
}

// TestLengthsThatLie in the command phase: memory stays bounded, and others go on.
func TestLengthsThatLie(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		p.Break(`at query, result if sql contains "never there"`)
		other := client(t, &s, p.Addr, 0)
		for range 50 {
			c := client(t, &s, p.Addr, 0)
			if _, err := c.Conn.Write([]byte("\xfe\xff\xff\x00\x03select 1")); err != nil {
				t.Fatal(err)
			}
		}
		if got := other.Text("select 1"); got != "1" {
			t.Errorf("got %s", got)
		}
	})
}

// TestConnectionsComeAndGo leaves nothing behind: NewProxy looks for it.
func TestConnectionsComeAndGo(t *testing.T) {
	s := servers(t)[0]
	p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
	for i := range 60 {
		c, err := net.Dial("tcp", p.Addr)
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			if _, err := intercepttest.NewClient(t, c, s.User, s.Password, "", 0); err != nil {
				t.Fatal(err)
			}
		}
		if i%2 == 0 {
			_ = c.Close()
		}
	}
}
