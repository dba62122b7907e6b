package tui

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/tui/theme"
	"mydbg/tui/tuitest"
)

// packet reads one packet's payload.
func packet(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var h [4]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil
	}
	b := make([]byte, int(h[0])|int(h[1])<<8|int(h[2])<<16)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil
	}
	return b
}

func send(w io.Writer, seq byte, payload []byte) error {
	n := len(payload)
	_, err := w.Write(append([]byte{byte(n), byte(n >> 8), byte(n >> 16), seq}, payload...))
	return err
}

// server logs one client in and answers every command with OK. It tells what it was asked, and ends
// with its connection.
func server(t *testing.T, c net.Conn, asked chan<- string) {
	defer close(asked)
	defer c.Close()
	caps := mysqlwire.Protocol41 | mysqlwire.SecureConnection | mysqlwire.PluginAuth | mysqlwire.ConnectWithDB
	greeting := &mysqlwire.Greeting{
		Version: "8.4.2", ConnectionID: 7, Caps: caps, Collation: 45, Status: mysqlwire.StatusAutocommit,
		Scramble: []byte("12345678901234567890"), PluginName: "mysql_native_password",
	}
	b, err := greeting.Encode(nil, &mysqlwire.Context{Caps: caps})
	if err != nil {
		t.Error(err)
		return
	}
	ok, err := (&mysqlwire.OK{Status: mysqlwire.StatusAutocommit}).Encode(nil, &mysqlwire.Context{Caps: caps})
	if err != nil {
		t.Error(err)
		return
	}
	if send(c, 0, b) != nil || packet(t, c) == nil || send(c, 2, ok) != nil {
		return
	}
	for {
		cmd := packet(t, c)
		if cmd == nil || cmd[0] == 1 {
			return
		}
		asked <- string(cmd[1:])
		if send(c, 1, ok) != nil {
			return
		}
	}
}

// A statement stops at a breakpoint set on the screen, goes on by a key, and reaches the server then.
func TestLiveProxy(t *testing.T) {
	asked := make(chan string, 10)
	p, err := intercept.New(intercept.Options{
		StateDir: t.TempDir(),
		Backends: []intercept.Backend{{Address: "shop", Dial: func(context.Context) (net.Conn, error) {
			a, b := net.Pipe()
			go server(t, b, asked)
			return a, nil
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	d := tuitest.New(t, time.Now())
	m, err := newModel(Options{
		Listen: []string{"127.0.0.1:4040"}, Backend: "shop", Now: d.Now, After: d.After,
		Theme: theme.Options{Name: "dark", Renderer: renderer(termenv.Ascii)}, Getenv: func(string) string { return "" },
	}, deaf{live{p}})
	if err != nil {
		t.Fatal(err)
	}
	d.Start(m, 120, 36)
	bell := p.Journal.Listen()
	until := func(text string) {
		t.Helper()
		limit := time.After(10 * time.Second)
		for {
			wake(d)
			if strings.Contains(d.Text(), text) {
				return
			}
			select {
			case <-bell:
			case <-limit:
				t.Fatalf("the screen never had %q:\n%s", text, d.Text())
			}
		}
	}
	d.Has("Waiting for the first client")
	d.Press("i")
	d.Type(`"stock" in tables`)
	d.Press("enter")

	near, far := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); p.Serve(context.Background(), far) }()
	in := bufio.NewReader(near)
	if packet(t, in) == nil {
		t.Fatal("no greeting")
	}
	caps := mysqlwire.Protocol41 | mysqlwire.SecureConnection | mysqlwire.PluginAuth
	login, err := (&mysqlwire.Login{Caps: caps, MaxPacket: 1 << 24, Collation: 45, User: "app", AuthResponse: make([]byte, 20), PluginName: "mysql_native_password"}).Encode(nil, &mysqlwire.Context{Caps: caps})
	if err != nil {
		t.Fatal(err)
	}
	if err := send(near, 1, login); err != nil {
		t.Fatal(err)
	}
	if b := packet(t, in); len(b) == 0 || b[0] != 0 {
		t.Fatalf("login: %q", b)
	}
	query := func(sql string) {
		t.Helper()
		if err := send(near, 0, append([]byte{3}, sql...)); err != nil {
			t.Fatal(err)
		}
	}
	query("SELECT 1")
	if packet(t, in) == nil || <-asked != "SELECT 1" {
		t.Fatal("what no breakpoint wants does not pass")
	}
	query("UPDATE stock SET qty = 1")
	until("1 PAUSED")
	select {
	case sql := <-asked:
		t.Fatalf("%q reached the server while it was paused", sql)
	default:
	}
	d.Press("c")
	if got := <-asked; got != "UPDATE stock SET qty = 1" {
		t.Errorf("the server got %q", got)
	}
	if packet(t, in) == nil {
		t.Error("the client got no answer")
	}
	until("goes on")
	d.Lacks("1 PAUSED")
	near.Close()
	<-done
	for range asked { // until the server has gone
	}
}

// deaf is a live proxy whose bell does not ring the screen: the test wakes it.
type deaf struct{ live }

func (deaf) Listen() <-chan struct{} { return nil }
