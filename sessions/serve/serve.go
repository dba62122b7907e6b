// Package serve answers clients from a recording, with no server behind it.
//
// A statement is recognised by its digest and its values: literals in the text, or parameters of an execute, so it does
// not matter whether an application now prepares what it sent as text when it was recorded. Statements that are recorded
// several times are answered in the recorded order, each connection following one recorded connection as long as
// that goes; what was changed in between shows in the answers as it did. When the recorded answers are used up, the last
// one is given again.
//
// A statement that is not recorded is a miss: an error that names the nearest recorded statement, and a line in the
// report. What only sets up a session (SET, USE, BEGIN, COMMIT) is never a miss.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
	"mydbg/sessions"
)

// OnMiss is what a statement that is not recorded gets.
type OnMiss uint8

const (
	MissError   OnMiss = iota // an error that says what is near
	MissEmpty                 // OK, or a result set without rows
	MissForward               // the answer of a real server
)

// Options say how to serve. The zero value lets anybody in and answers at once.
type Options struct {
	User, Password string // who is let in; anybody where User is ""
	OnMiss         OnMiss
	Forward        func(ctx context.Context, user, db string) (Forwarder, error) // for MissForward
	Latency        bool                                                          // answers take as long as they did
	// Log is told of every miss, from any goroutine. nil is fine.
	Log func(Miss)
}

// Forwarder is a session with a real server.
type Forwarder interface {
	Do(command []byte) (*mysqlwire.Answer, *mysqlwire.Context, error)
	Close() error
}

// Server answers from one recording. Its sessions share what has been used up.
type Server struct {
	o        Options
	r        *sessions.Reader
	greeting mysqlwire.Greeting
	ix       *index

	mu     sync.Mutex
	thread uint32
	totals Totals
}

// Totals count what was asked.
type Totals struct {
	Conns    int
	Answered int
	Misses   int
	Missed   map[string]int // by statement in its normal form
	Unused   int            // recorded statements that nobody asked
}

// ErrNothing means that a recording has no statement with an answer.
var ErrNothing = errors.New("the recording has no statement with an answer")

// unsupported are capabilities that are not offered, as their forms are not spoken here.
const unsupported = mysqlwire.SSL | mysqlwire.Compress | mysqlwire.ZstdCompressionAlgorithm | mysqlwire.OptionalResultsetMetadata |
	mysqlwire.MariaDBCacheMetadata | mysqlwire.MultiFactorAuthentication

// New reads a recording and gets ready to answer from it.
func New(r *sessions.Reader, o Options) (*Server, error) {
	s := &Server{o: o, r: r, totals: Totals{Missed: map[string]int{}}}
	for _, c := range r.Conns() {
		if c.Greeting != nil {
			s.greeting = *c.Greeting
			break
		}
	}
	if s.greeting.Version == "" { // the recording begins in the middle of every connection
		s.greeting = mysqlwire.Greeting{
			Version: "8.0.0-recorded", Collation: 45, Status: mysqlwire.StatusAutocommit,
			Caps: mysqlwire.Protocol41 | mysqlwire.LongPassword | mysqlwire.LongFlag | mysqlwire.ConnectWithDB | mysqlwire.SecureConnection | mysqlwire.PluginAuth |
				mysqlwire.PluginAuthLenencClientData | mysqlwire.ConnectAttrs | mysqlwire.Transactions | mysqlwire.MultiStatements | mysqlwire.MultiResults |
				mysqlwire.PSMultiResults | mysqlwire.DeprecateEOF | mysqlwire.FoundRows,
		}
	}
	s.greeting.Caps &^= unsupported
	s.greeting.PluginName = "mysql_native_password"
	var err error
	if s.ix, err = newIndex(r); err != nil {
		return nil, err
	}
	if len(s.ix.all) == 0 {
		return nil, ErrNothing
	}
	return s, nil
}

// Version is the recorded server's.
func (s *Server) Version() string { return s.greeting.ServerVersion() }

// Totals count what was asked so far.
func (s *Server) Totals() Totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.totals
	t.Missed = make(map[string]int, len(s.totals.Missed))
	for k, n := range s.totals.Missed {
		t.Missed[k] = n
	}
	t.Unused = s.ix.unused()
	return t
}

// Dial opens a session in this process, for a proxy whose server this is. It ends with ctx's cancel or with the
// connection, whichever comes first.
func (s *Server) Dial(context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	go func() { // ends with the pipe
		_ = s.ServeConn(context.Background(), far) // the client sees it
	}()
	return near, nil
}

// ServeConn answers one client until it leaves or ctx ends, and closes its connection.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) error {
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) }) // ends what waits
	defer stop()
	c := newSession(s, nc)
	defer c.close()
	if err := c.login(); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	for {
		command, err := c.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(command) > 0 && mysqlwire.Command(command[0]) == mysqlwire.ComQuit {
			return nil
		}
		if err := c.command(ctx, command); err != nil {
			return err
		}
	}
}

// login greets and lets in.
func (c *session) login() error {
	s := c.server
	s.mu.Lock()
	s.thread++
	s.totals.Conns++
	g := s.greeting
	g.ConnectionID = s.thread
	s.mu.Unlock()
	g.Scramble = auth.NewScramble()
	b, err := g.Encode(nil, nil)
	if err != nil {
		return err
	}
	if err := c.write(b); err != nil {
		return err
	}
	p, err := c.read()
	if err != nil {
		return err
	}
	var m mysqlwire.Login
	if err := m.Decode(p, nil); err != nil {
		return errors.Join(err, c.fail(1043, "08S01", "mydbg serve: this is no login: "+err.Error()))
	}
	c.cx = mysqlwire.Context{Caps: m.Caps & g.Caps, MariaDB: g.MariaDB()}
	c.user, c.db = m.User, m.DB
	if s.o.User != "" {
		ok, err := c.proven(&m, g.Scramble)
		if err != nil {
			return err
		}
		if !ok {
			return errors.Join(errors.New("refused"), c.fail(1045, "28000", fmt.Sprintf("Access denied for user '%s' (mydbg serve --auth names another user or password)", m.User)))
		}
	}
	return c.send(mysqlwire.OKAnswer(0, 0, mysqlwire.StatusAutocommit, 0, ""))
}

// proven checks a password. A client that began with another plugin is asked for the native one.
func (c *session) proven(m *mysqlwire.Login, scramble []byte) (bool, error) {
	answer := m.AuthResponse
	if m.PluginName != "" && m.PluginName != "mysql_native_password" {
		b, err := (&mysqlwire.AuthSwitch{PluginName: "mysql_native_password", Data: append(append([]byte(nil), scramble...), 0)}).Encode(nil, nil)
		if err != nil {
			return false, err
		}
		if err := c.write(b); err != nil {
			return false, err
		}
		if answer, err = c.read(); err != nil {
			return false, err
		}
	}
	if m.User != c.server.o.User {
		return false, nil
	}
	if c.server.o.Password == "" {
		return len(answer) == 0, nil
	}
	return auth.CheckNative(auth.NativeHash([]byte(c.server.o.Password)), scramble, answer), nil
}
