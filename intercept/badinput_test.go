package intercept_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// intruder stands between the proxy and a server. It relays, until a client says the magic word: it
// answers that itself, with says, and the server is out of it. Then it hangs up or listens.
type intruder struct {
	Addr   string
	says   []byte
	leaves bool
	heard  chan []byte // everything after the magic word, when the proxy has left
}

const magic = "select 'the magic word'"

func newIntruder(t *testing.T, server string, says []byte, leaves bool) *intruder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &intruder{Addr: l.Addr().String(), says: says, leaves: leaves, heard: make(chan []byte, 1)}
	var running sync.WaitGroup
	running.Go(func() { // ends when l is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { i.serve(c, server) }) // ends when the proxy leaves
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return i
}

func (i *intruder) serve(c net.Conn, server string) {
	defer c.Close()
	s, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer s.Close()
	go func() { // ends when either side closes
		_, _ = io.Copy(c, s)
		_ = c.Close()
	}()
	b := make([]byte, 1<<16)
	for {
		n, err := c.Read(b)
		if bytes.Contains(b[:n], []byte(magic)) {
			_, _ = c.Write(i.says)
			if i.leaves {
				return
			}
			heard, _ := io.ReadAll(c)
			i.heard <- heard
			return
		}
		if _, writeErr := s.Write(b[:n]); err != nil || writeErr != nil {
			return
		}
	}
}

// numbered is packets in frames, the first with this number.
func numbered(seq uint8, payloads ...string) []byte {
	var b []byte
	for _, p := range payloads {
		b, seq = mysqlwire.AppendPacket(b, []byte(p), seq)
	}
	return b
}

const (
	okPacket   = "\x00\x00\x00\x02\x00\x00\x00"
	definition = "\x03def\x00\x00\x00\x01a\x00\x0c\x3f\x00\x01\x00\x00\x00\x08\x81\x00\x00\x00\x00"
	hello      = "\x16\x03\x01\x00\x85\x01\x00\x00\x81\x03\x03" // how a TLS client begins
)

// bad is what one side says once somebody is logged in.
var bad = []struct {
	name           string
	server, client []byte
	keeps          int // bytes of the client's at the end that cannot cross yet
}{
	{"an answer out of order", numbered(7, okPacket), nil, 0},
	{"an answer that begins with number 0", numbered(0, okPacket), nil, 0},
	{"numbers that stand still", append(numbered(1, "\x01", definition), numbered(2, "\x017", okPacket)...), nil, 0},
	{"an empty answer", numbered(1, ""), nil, 0},
	{"an OK that is cut off", numbered(1, "\x00\xfc\x01"), nil, 0},
	{"an OK with another's length", numbered(1, "\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x00\x02\x00\x00\x00"), nil, 0},
	{"an OK that ends in the state of a session that is none", numbered(1, "\x00\x00\x00\x02\x40\x00\x00\x00\xfd\xff\xff\xff\x01\x02"), nil, 0},
	{"an ERR without a code", numbered(1, "\xff"), nil, 0},
	{"an ERR without a state", numbered(1, "\xff\x10\x04nothing"), nil, 0},
	{"more columns than there can be", numbered(1, "\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", definition), nil, 0},
	{"a million columns", numbered(1, "\xfd\x40\x42\x0f", definition, definition), nil, 0},
	{"columns that are none", numbered(1, "\x02", "\xff\xff", "x", "\xfb"), nil, 0},
	{"a column that says it is longer", numbered(1, "\x01", "\x03def\xfd\xff\xff\xff"), nil, 0},
	{"rows of another width", numbered(1, "\x02", definition, definition, "\x017", "\x011\x012\x013", "\xfe\x00\x00\x02\x00\x00\x00"), nil, 0},
	{"a row whose cell goes beyond it", numbered(1, "\x01", definition, "\xfd\xff\xff\xffshort", "\xfe\x00\x00\x02\x00\x00\x00"), nil, 0},
	{"a row that begins with 0xff", numbered(1, "\x01", definition, "\xff", "\xff\xff\xff"), nil, 0},
	{"a file request for nothing", numbered(1, "\xfb"), nil, 0},
	{"two answers to one command", numbered(1, okPacket, okPacket), nil, 0},
	{"a length that lies, and silence", []byte("\xff\xff\xff\x01\x01abc"), nil, 0},
	{"half a header", []byte("\x07\x00"), nil, 0},
	{"another protocol", []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), nil, 0},
	{"TLS", []byte("\x15\x03\x03\x00\x02\x02\x28"), nil, 0},
	{"an old MySQL's EOF", numbered(1, "\xfe"), nil, 0},
	{"an answer to a prepare", numbered(1, "\x00\x01\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00"), nil, 0},
	{"a greeting", numbered(0, "\x0a8.4.0\x00\x01\x00\x00\x00abcdefgh\x00"), nil, 0},
	{"random bytes", []byte("\x03\x00\x00\x01\x9c\xe1\x07\x55\x00\x00\x02\x00\xff\x00\x00\xaa\xaa\xaa\xaa\xaa\xaa"), nil, 0},

	{"a command out of order", nil, numbered(3, "\x0e"), 0},
	{"a command that goes on with number 1", nil, append(numbered(0, "\x0e"), numbered(1, "\x0e")...), 5},
	{"an empty command", nil, numbered(0, ""), 0},
	{"a command nobody knows", nil, numbered(0, "\xc8what"), 0},
	{"COM_SLEEP", nil, numbered(0, "\x00"), 0},
	{"an execute that is cut off", nil, numbered(0, "\x17\x01\x00"), 0},
	{"an execute of a statement that is not there", nil, numbered(0, "\x17\xff\xff\xff\xff\x00\x01\x00\x00\x00\x00\x01\xfe\x00\xfd\xff\xff\xff"), 0},
	{"a close that is cut off", nil, numbered(0, "\x19\x01"), 0},
	{"long data of nothing", nil, numbered(0, "\x18"), 0},
	{"a fetch that is cut off", nil, numbered(0, "\x1c\x01\x00\x00\x00"), 0},
	{"a change of user that is cut off", nil, numbered(0, "\x11root"), 0},
	{"a command that says it is longer", nil, []byte("\xff\xff\xff\x00\x03select"), 11},
	{"half a header of a command", nil, []byte("\x05\x00\x00"), 3},
	{"TLS where plain was expected", nil, []byte(hello), 11},
	{"another protocol's request", nil, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0},
	{"compressed packets that nobody agreed on", nil, []byte("\x0a\x00\x00\x00\x0e\x00\x00\x78\x9c\xd3\x67\x60\x60\x60\x66\x28\x4e\xcd"), 4},
	{"a binary log of nowhere", nil, numbered(0, "\x12\x04\x00\x00\x00\x00\x00\x01\x00\x00\x00nowhere"), 0},
	{"bulk data without types", nil, numbered(0, "\xfa\x01\x00\x00\x00\x80\x00"), 0},
}

// TestBadInputStaysOnItsConnection: what cannot be explained crosses as it is, as far as it is there, and
// another connection sees nothing of it.
func TestBadInputStaysOnItsConnection(t *testing.T) {
	s := realServers(t)[0]
	for _, watched := range []struct {
		name  string
		rules []string
	}{
		{"relayed", nil},
		{"collected", []string{`at query, result if sql contains "never there"`}},
	} {
		for _, tt := range bad {
			t.Run(watched.name+" "+tt.name, func(t *testing.T) {
				says := tt.server
				if says == nil {
					says = numbered(1, okPacket)
				}
				i := newIntruder(t, s.Addr, says, tt.server != nil)
				p := intercepttest.NewProxy(t, intercept.Options{}, i.Addr)
				p.Break(watched.rules...)
				healthy, c := client(t, &s, p.Addr, 0), client(t, &s, p.Addr, 0)
				_ = c.Conn.SetDeadline(time.Now().Add(intercepttest.Patience))
				c.Send(query(c, magic))
				if tt.server != nil {
					got, _ := io.ReadAll(c.Conn) // the proxy may reset the connection
					if !bytes.Equal(got, tt.server) {
						t.Errorf("the client got %.100q, want %.100q", got, tt.server)
					}
				} else {
					if _, err := io.ReadFull(c.Conn, make([]byte, len(says))); err != nil {
						t.Fatal(err)
					}
					if _, err := c.Conn.Write(tt.client); err != nil {
						t.Fatal(err)
					}
				}
				if sum := healthy.Query("select 'two'; select 3"); sum.Error != nil || sum.Results != 2 {
					t.Errorf("the other connection got %+v", sum)
				}
				if got := healthy.Text("select 'well'"); got != "well" {
					t.Errorf("the other connection got %q", got)
				}
				_ = c.Conn.Close()
				p.Until("the connection is closed", func() bool { return p.Conn(2) == nil })
				if tt.server == nil {
					if heard := <-i.heard; !bytes.Equal(heard, tt.client[:len(tt.client)-tt.keeps]) {
						t.Errorf("the server heard %.100q, want %.100q", heard, tt.client)
					}
				}
				for _, n := range p.Journal.Notices(0, nil) {
					if n.Conn == 1 || strings.HasPrefix(n.Text, "internal error") {
						t.Errorf("the proxy noted %q of connection %d", n.Text, n.Conn)
					}
				}
				if o := p.Conn(1).Info().Opaque; o != "" {
					t.Errorf("the other connection became opaque: %s", o)
				}
			})
		}
	}
}
