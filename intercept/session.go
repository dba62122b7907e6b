package intercept

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
)

// Why sessions end.
var (
	errClientLeft = errors.New("client left")
	errServerLeft = errors.New("server left")
	errClosed     = errors.New("closed by verdict")
)

// session is one client connection and the server connection behind it. All fields below turn
// belong to whoever has the turn.
type session struct {
	proxy  *Proxy
	conn   *Conn
	client *leg
	server *leg // nil when somebody else answers: a script, a recording, a person
	cancel context.CancelCauseFunc
	socks  sockets
	opaque atomic.Bool
	idle   chan struct{} // one slot: rung when an exchange ends while the client pump waits for it
	wait   atomic.Bool   // it does

	turn     sync.Mutex
	dec      mysqlwire.Decoder // follows the server leg
	ok       mysqlwire.OK      // decoded into again and again
	in       [2]incoming       // per leg
	exchange *auth.Exchange    // of a COM_CHANGE_USER under way
	change   *mysqlwire.ChangeUser
	scramble []byte // for the next COM_CHANGE_USER
	hung     bool   // a verdict left the client without an answer

	x        Exchange // the client's running command; Seq 0 while idle
	kept     capture
	kid      Exchange // an injected query under way; Seq 0 without one
	kin      capture
	plan     []Query // queries not sent yet
	now      running
	reply    *mysqlwire.Answer // for the client when the plan is done
	final    Verdict           // the verdict on the command
	seq      uint8             // of the next packet of the answer to the client
	shown    bool              // the client has had (the beginning of) an answer
	prepared uint32            // id that the plan's latest COM_STMT_PREPARE got
	// types are a statement's parameter types as the client knows them, where an edited execute
	// told the server others: the client's next execute may leave them out.
	types map[uint32][]mysqlwire.Param
	out   []byte // frames being built
}

// sockets are closed in one place, when the session's context ends.
type sockets struct {
	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

func (s *sockets) add(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return
	}
	s.conns = append(s.conns, c)
}

func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.conns {
		_ = c.Close() // nothing to lose any more
	}
}

// serve runs one client connection to its end. Cancelling ctx ends it.
func (p *Proxy) serve(ctx context.Context, nc net.Conn) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &session{
		proxy: p, client: newLeg(nc, mysqlwire.ToServer), cancel: cancel,
		idle: make(chan struct{}, 1), types: map[uint32][]mysqlwire.Param{},
	}
	s.conn = p.open(nc, cancel)
	p.tapped(s.conn, s.client)
	s.socks.add(nc)
	stop := context.AfterFunc(ctx, s.socks.close)
	err := s.run(ctx)
	cancel(err)
	stop()
	s.socks.close()
	s.end(context.Cause(ctx))
}

// run logs in and relays until one side ends or ctx is cancelled, and returns the cause.
func (s *session) run(ctx context.Context) (err error) {
	defer s.recovered(&err)
	if err := s.login(ctx); err != nil {
		return err
	}
	var pumps sync.WaitGroup
	pumps.Go(func() { s.cancel(s.pump(ctx, s.client, s.fromClient)) })
	if s.server != nil {
		pumps.Go(func() { s.cancel(s.pump(ctx, s.server, s.fromServer)) })
	}
	pumps.Wait()
	return context.Cause(ctx)
}

// pump reads a leg and handles what came under the session's turn.
func (s *session) pump(ctx context.Context, l *leg, handle func(context.Context) error) (err error) {
	defer s.recovered(&err)
	for first := true; ; first = false {
		// The login may have read ahead.
		if !first || len(l.unread()) == 0 {
			if err := l.fill(); err != nil {
				return s.left(l, err)
			}
		}
		if s.opaque.Load() {
			if err := s.relayRaw(l); err != nil {
				return err
			}
			continue
		}
		s.turn.Lock()
		err := ctx.Err()
		if err == nil {
			err = handle(ctx)
		}
		s.turn.Unlock()
		if errors.Is(err, errWaitIdle) {
			err = s.waitIdle(ctx, l, handle)
		}
		if err != nil {
			return err
		}
	}
}

// left says who went and why, given what reading l said.
func (s *session) left(l *leg, err error) error {
	who := errServerLeft
	if l == s.client {
		who = errClientLeft
	}
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return who
	}
	return fmt.Errorf("%w: %w", who, err)
}

// gone is left as a callback of leg.watch.
func (s *session) gone(l *leg) func(error) {
	return func(err error) { s.cancel(s.left(l, err)) }
}

func (s *session) recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("internal error, please report: %v", p)
		s.note(Error, "%v\n%s", *err, debug.Stack())
	}
}

// end reports a session that is over. Its pumps have ended, so it has the turn.
func (s *session) end(cause error) {
	if s.x.Seq != 0 {
		held := s.x.State == Paused
		s.x.State = Gone
		if s.x.Note == "" {
			s.x.Note = cause.Error()
			if held {
				s.x.Note = fmt.Sprintf("%v after %.1fs, while held at %s", cause, time.Since(s.x.Begun).Seconds(), s.x.HeldAt)
			}
		}
		s.endExchange()
	}
	s.conn.change(func(i *ConnInfo) {
		i.Closed, i.Cause, i.Phase = time.Now(), cause.Error(), Closed
	})
	s.disconnected()
	s.proxy.closed(s.conn, cause)
}

// disconnected asks the hooks at disconnect, where nothing can be changed but things can be seen.
func (s *session) disconnected() {
	if !s.wants(rule.Disconnect) {
		return
	}
	s.ask(s.proxy.base, s.event(rule.Disconnect), nil)
}

func (s *session) note(l Level, format string, args ...any) {
	s.proxy.Journal.Note(l, s.conn.ID, s.x.Seq, format, args...)
}

// lost turns the session opaque: its bytes still cross, nobody follows them.
func (s *session) lost(why error) {
	if s.opaque.Swap(true) {
		return
	}
	s.note(Warning, "connection %d is relayed without being followed: %v. Its breakpoints no longer work.", s.conn.ID, why)
	s.conn.change(func(i *ConnInfo) { i.Opaque, i.Phase = why.Error(), Relayed })
	if s.x.Seq != 0 {
		s.x.Marks |= MarkOpaque
		s.x.Note = why.Error()
		s.endExchange()
	}
}

// relayRaw passes on what l has read.
func (s *session) relayRaw(l *leg) error {
	to := s.server
	if l == s.server {
		to = s.client
	}
	if to == nil {
		return errClosed
	}
	b := l.unread()
	l.r = l.w
	if err := first(to.queue(b), to.flush()); err != nil {
		return s.left(to, err)
	}
	return nil
}
