//go:build !nodemo

package shop_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
)

// command is one command of a client, as the tap sees it.
type command struct {
	conn    int    // number of the connection
	program string // its connection attribute program_name
	name    string // query, prepare, execute, close, quit, other
	sql     string // of the statement, also for execute and close
}

// answer is what the tap does with a command.
type answer int

const (
	pass answer = iota
	deadlock
	refuse // error 1105
	cut    // close the connection
	hold   // never answer
)

// A tap is a proxy between the shop and the server: it reads along, and answers in the server's place when told.
type tap struct {
	listener net.Listener
	server   string
	decide   func(command) answer // called for one command at a time
	deciding sync.Mutex
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	count int
}

func newTap(t *testing.T, server string, decide func(command) answer) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{listener: l, server: server, decide: decide}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.running.Wait()
	})
	return p
}

func (p *tap) addr() string { return p.listener.Addr().String() }

func (p *tap) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.count++
		l := &leg{tap: p, client: client, server: server, number: p.count, statements: make(map[uint32]string)}
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		p.running.Go(l.toClient)
		p.running.Go(l.toServer)
	}
}

// leg is one connection through the tap.
type leg struct {
	tap            *tap
	client, server net.Conn
	number         int
	program        string

	mu         sync.Mutex
	preparing  string // the statement whose number the server is about to say
	statements map[uint32]string
}

func (l *leg) toClient() {
	defer l.client.Close()
	for {
		frame, err := readFrame(l.server)
		if err != nil {
			return
		}
		l.mu.Lock()
		if l.preparing != "" && frame[3] == 1 {
			if frame[4] == 0 {
				l.statements[binary.LittleEndian.Uint32(frame[5:])] = l.preparing
			}
			l.preparing = ""
		}
		l.mu.Unlock()
		if _, err := l.client.Write(frame); err != nil {
			return
		}
	}
}

func (l *leg) toServer() {
	defer l.server.Close()
	for {
		frame, err := readFrame(l.client)
		if err != nil {
			return
		}
		what := pass
		if frame[3] == 0 {
			what = l.ask(frame[4:])
		} else if _, after, ok := bytes.Cut(frame, []byte("\x0cprogram_name")); ok { // the login
			l.program = string(after[1 : 1+after[0]])
		}
		switch what {
		case pass:
			_, err = l.server.Write(frame)
		case deadlock:
			err = l.refuse(1213, "Deadlock found when trying to get lock; try restarting transaction")
		case refuse:
			err = l.refuse(1105, "no")
		case cut:
			l.client.Close()
			return
		case hold:
			_, err = io.Copy(io.Discard, l.client) // until the client gives up
		}
		if err != nil {
			return
		}
	}
}

// ask names the command and asks what to do with it.
func (l *leg) ask(payload []byte) answer {
	c := command{conn: l.number, program: l.program}
	l.mu.Lock()
	switch payload[0] {
	case 0x01:
		c.name = "quit"
	case 0x03:
		c.name, c.sql = "query", string(payload[1:])
	case 0x16:
		c.name, c.sql = "prepare", string(payload[1:])
	case 0x17:
		c.name, c.sql = "execute", l.statements[binary.LittleEndian.Uint32(payload[1:])]
	case 0x19:
		c.name, c.sql = "close", l.statements[binary.LittleEndian.Uint32(payload[1:])]
	default:
		c.name = "other"
	}
	l.mu.Unlock()
	l.tap.deciding.Lock()
	what := l.tap.decide(c)
	l.tap.deciding.Unlock()
	if what == pass && c.name == "prepare" {
		l.mu.Lock()
		l.preparing = c.sql
		l.mu.Unlock()
	}
	return what
}

// refuse answers a command with an error.
func (l *leg) refuse(number uint16, message string) error {
	body := binary.LittleEndian.AppendUint16([]byte{0xff}, number)
	body = append(body, "#HY000"+message...)
	_, err := l.client.Write(append([]byte{byte(len(body)), byte(len(body) >> 8), 0, 1}, body...))
	return err
}

// readFrame reads a packet with its header.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, 4+(int(head[0])|int(head[1])<<8|int(head[2])<<16))
	copy(frame, head[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}
