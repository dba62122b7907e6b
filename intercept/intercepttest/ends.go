package intercepttest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// Ends are the client and the server of a session in memory, in the hands of a test.
type Ends struct {
	Proxy          *intercept.Proxy
	Client, Server *End
	ended          chan struct{}
}

// End is one of them. It counts packets as its side does.
type End struct {
	net.Conn
	Seq uint8 // of the next packet either way

	in   chan []byte // what has come, once it listens
	rest []byte
}

// NewEnds starts a session whose greeting, which offers caps, and login have been exchanged.
func NewEnds(t testing.TB, o intercept.Options, caps mysqlwire.Caps, mariadb bool) *Ends {
	t.Helper()
	o.ClientTLS = tlspair.Disabled
	e := NewStrangers(t, o)
	if err := e.login(caps, mariadb); err != nil {
		t.Fatalf("login: %v", err)
	}
	return e
}

// NewStrangers starts a session in which nothing has been said yet: the server comes first.
func NewStrangers(t testing.TB, o intercept.Options) *Ends {
	t.Helper()
	client, ours := net.Pipe()
	theirs, server := net.Pipe()
	if o.ClientTLS != tlspair.Disabled && o.StateDir == "" {
		o.StateDir = stateDir(t)
	}
	o.JournalSize, o.JournalBytes = 100, 1
	o.Backends = []intercept.Backend{{Address: "in memory", Dial: func(context.Context) (net.Conn, error) { return theirs, nil }}}
	p, err := intercept.New(o)
	if err != nil {
		t.Fatal(err)
	}
	e := &Ends{Proxy: p, Client: &End{Conn: client}, Server: &End{Conn: server}, ended: make(chan struct{})}
	go func() { // ends with the session, which Close ends
		p.Serve(context.Background(), ours)
		close(e.ended)
	}()
	return e
}

// Close leaves with both ends and waits for the end of the session.
func (e *Ends) Close() error {
	_ = e.Client.Conn.Close()
	_ = e.Server.Conn.Close()
	<-e.ended
	return e.Proxy.Close()
}

// Ended is closed when the session is over.
func (e *Ends) Ended() <-chan struct{} { return e.ended }

func (e *Ends) login(caps mysqlwire.Caps, mariadb bool) error {
	greeting := mysqlwire.Greeting{
		Version: "8.4.0", ConnectionID: 9, Scramble: []byte("01234567890123456789"), Caps: caps, Collation: 45,
		PluginName: "mysql_native_password", Status: mysqlwire.StatusAutocommit,
	}
	if mariadb {
		greeting.Version = "11.4.2-MariaDB"
	}
	hello, err := greeting.Encode(nil, nil)
	if err != nil {
		return err
	}
	login, err := (&mysqlwire.Login{Caps: caps, User: "app", PluginName: "mysql_native_password"}).Encode(nil, nil)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		from, to *End
		payload  []byte
	}{{e.Server, e.Client, hello}, {e.Client, e.Server, login}, {e.Server, e.Client, []byte{0, 0, 0, 2, 0, 0, 0}}} {
		if err := step.from.Send(step.payload); err != nil {
			return err
		}
		if _, err := step.to.Receive(); err != nil {
			return err
		}
	}
	return nil
}

// Send sends a packet with the next number.
func (e *End) Send(payload []byte) error {
	var b []byte
	b, e.Seq = mysqlwire.AppendPacket(nil, payload, e.Seq)
	return e.Write(b)
}

// Write sends bytes, for which the other side has Patience.
func (e *End) Write(b []byte) error {
	_ = e.SetWriteDeadline(time.Now().Add(Patience)) // a pipe has them
	_, err := e.Conn.Write(b)
	return err
}

// listen has the end read whatever comes from now on, so that nobody waits for it to listen.
func (e *End) listen() {
	_ = e.SetReadDeadline(time.Time{}) // the login's
	e.in = make(chan []byte, 1024)
	go func() { // ends when the session closes its side
		defer close(e.in)
		for {
			b := make([]byte, 64<<10)
			n, err := e.Read(b)
			if n > 0 {
				e.in <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
}

// next reads n bytes.
func (e *End) next(n int) ([]byte, error) {
	if e.in == nil {
		_ = e.SetReadDeadline(time.Now().Add(Patience))
		b := make([]byte, n)
		_, err := io.ReadFull(e.Conn, b)
		return b, err
	}
	late := time.NewTimer(Patience)
	defer late.Stop()
	for len(e.rest) < n {
		select {
		case b, open := <-e.in:
			if !open {
				return e.rest, io.EOF
			}
			e.rest = append(e.rest, b...)
		case <-late.C:
			return e.rest, os.ErrDeadlineExceeded
		}
	}
	b := e.rest[:n:n]
	e.rest = e.rest[n:]
	return b, nil
}

// Receive reads a packet, which must have the next number. A command's is 0.
func (e *End) Receive() ([]byte, error) {
	head, err := e.next(mysqlwire.HeaderLen)
	if err != nil {
		return nil, err
	}
	h := mysqlwire.ParseHeader(head)
	payload, err := e.next(h.Len)
	if err != nil {
		return nil, err
	}
	if h.Seq != e.Seq {
		return payload, fmt.Errorf("packet number %d, want %d", h.Seq, e.Seq)
	}
	e.Seq++
	return payload, nil
}
