package intercept

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"mydbg/intercept/compress"
	"mydbg/intercept/proxyproto"
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
	proxy    *Proxy
	limits   limits
	door     *door // where the client came in; nil for one without hooks of its own
	conn     *Conn
	client   *leg
	server   *leg   // nil when somebody else answers: a script, a recording, a person
	link     *link  // whose leg it is
	given    *spare // the link, given to the pool by a hook; settle does it
	taken    *spare // taken from the pool by a hook
	pumps    sync.WaitGroup
	relaying bool   // the login is over
	dbWas    string // the server's current schema when the exchange began
	asUser   string // who the server took the client for at its last login
	dbAsked  string // that the client's last COM_INIT_DB names
	cancel   context.CancelCauseFunc
	socks    sockets
	opaque   atomic.Bool
	idle     chan struct{}      // one slot: rung when an exchange ends while the client pump waits for it
	wait     atomic.Bool        // it does
	offered  mysqlwire.Caps     // to the client
	packing  compression        // agreed on the client's leg
	proxied  *proxyproto.Header // in front of what the client sends; nil without one

	turn      turn
	dec       *mysqlwire.Decoder // follows the server leg
	ok        mysqlwire.OK       // decoded into again and again
	in        [2]incoming        // per leg
	exchange  *auth.Exchange     // of a COM_CHANGE_USER under way
	change    *mysqlwire.ChangeUser
	attempt   attempt // the login
	up        uploading
	sending   atomic.Bool     // the client is in the middle of a command that was decided on by its head
	sent      chan struct{}   // one slot: rung when it has sent all of it
	departure departure       // of a client that left while an event was held
	over      <-chan struct{} // closed when the session ends
	watched   bool            // somebody shows the progress of its streams
	binlog    *streaming      // of the binary log; nil without one
	hung      bool            // a verdict left the client without an answer

	x        Exchange        // the client's running command; Seq 0 while idle
	asked    []byte          // the beginning of its packet
	texts    mysqlwire.Texts // in force when it came
	loop     Loop            // what came before it
	kept     capture
	kid      Exchange // an injected query under way; Seq 0 without one
	kin      capture
	plan     []Query // queries not sent yet
	now      running
	reply    *mysqlwire.Answer // for the client when the plan is done
	final    Verdict           // the verdict on the command
	seq      uint8             // of the next packet of the answer to the client
	shown    bool              // the client has had (the beginning of) an answer
	owed     bool              // which promised a further result
	broken   bool              // which ended with an error, so that no result can join it
	held     time.Duration     // waited for people, in all
	queries  uint64            // commands that the server has got
	prepared uint32            // id that the plan's latest COM_STMT_PREPARE got; 0 if it failed
	failed   *mysqlwire.ERR    // why it did

	// types are a statement's parameter types as the client knows them, where the server was told
	// others or nothing: the client's next execute may leave them out.
	types map[uint32][]mysqlwire.Param
	// reshaped are the statements whose columns the client was told otherwise than the server did:
	// MariaDB's next answer may leave them out.
	reshaped map[uint32]bool
}

// turn is the right to act for a session. Only who has it touches the session's state.
type turn chan struct{}

// turnPatience is how long a pump waits for its turn before it begins to watch its leg: the other
// one may be holding an event for hours. The usual wait is that for the end of a write.
const turnPatience = 2 * time.Millisecond

// take waits for the turn. Meanwhile l's peer may leave, which ends the session. It is false if l was
// released instead.
func (s *session) take(l *leg) bool {
	select {
	case s.turn <- struct{}{}:
		return true
	default:
	}
	soon := time.NewTimer(turnPatience)
	defer soon.Stop()
	select {
	case s.turn <- struct{}{}:
		return true
	case <-l.releasing:
		return false
	case <-soon.C:
	}
	defer l.watch(s.gone(l))()
	select { // who has it gives it up at the latest when the session's sockets close
	case s.turn <- struct{}{}:
		return true
	case <-l.releasing:
		return false
	}
}

// serve runs one client connection to its end. Cancelling ctx ends it.
func (p *Proxy) serve(ctx context.Context, nc net.Conn, d *door) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &session{
		proxy: p, door: d, client: newLeg(nc, mysqlwire.ToServer), cancel: cancel,
		over: ctx.Done(), turn: make(turn, 1), idle: make(chan struct{}, 1), sent: make(chan struct{}, 1), dec: &mysqlwire.Decoder{},
		types: map[uint32][]mysqlwire.Param{}, reshaped: map[uint32]bool{},
	}
	s.conn = p.open(nc, cancel)
	p.tapped(s.conn, s.client)
	s.patience(ctx)
	s.timed(s.client)
	s.socks.add(nc)
	hangUp := func() { s.socks.close(s.chain().scripted(rule.Disconnect)) }
	stop := context.AfterFunc(ctx, hangUp)
	err := s.run(ctx)
	cancel(err)
	stop()
	hangUp()
	s.end(context.Cause(ctx))
}

// run logs in and relays until one side ends or ctx is cancelled, and returns the cause.
func (s *session) run(ctx context.Context) (err error) {
	defer s.recovered(&err)
	if err := s.login(ctx); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.relaying = true
	if s.server != nil {
		s.relay(ctx)
	}
	s.pumps.Go(func() { s.cancel(s.pump(ctx, s.client, s.fromClient)) })
	s.pumps.Wait()
	return context.Cause(ctx)
}

// pump reads a leg and handles what came.
func (s *session) pump(ctx context.Context, l *leg, handle func(context.Context) error) error {
	raw := false // nobody follows the session, and neither pump queues for the other's leg any more
	for first := true; ; first = false {
		// The login may have read ahead.
		if !first || len(l.unread()) == 0 {
			err := l.fill()
			switch {
			case l.released():
				return errReleased
			case err != nil && l == s.client && s.clientLeft(err):
				<-ctx.Done() // when what was held has been decided and is over
				return context.Cause(ctx)
			case err != nil:
				if l != s.client {
					s.linger(ctx)
					s.lastWords()
				}
				return s.left(l, err)
			}
		}
		if raw {
			if err := s.relayRaw(l); err != nil {
				return err
			}
			continue
		}
		err := s.act(ctx, l, handle)
		if errors.Is(err, errWaitIdle) {
			err = s.waitIdle(ctx, l, handle)
		}
		if err != nil {
			return err
		}
		if l.released() {
			return errReleased
		}
		raw = s.opaque.Load()
	}
}

// act handles what l has read under the session's turn.
func (s *session) act(ctx context.Context, l *leg, handle func(context.Context) error) (err error) {
	if !s.take(l) {
		return errReleased
	}
	defer func() { <-s.turn }()
	defer s.recovered(&err)
	switch {
	case l.released():
		return errReleased
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if gone := s.unawaited(); gone != nil && s.x.Seq == 0 {
		return gone
	}
	if s.opaque.Load() {
		return s.relayRaw(l)
	}
	return handle(ctx)
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
	if bad := (*compress.Error)(nil); errors.As(err, &bad) {
		return s.garbled(l, bad)
	}
	if s.limits.write > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: it took nothing of what it was sent for %v (--proxy-write-timeout)", who, s.limits.write)
	}
	return fmt.Errorf("%w: %w", who, err)
}

// gone is left as a callback of leg.watch.
func (s *session) gone(l *leg) func(error) {
	return func(err error) {
		if l != s.client || !s.clientLeft(err) {
			s.cancel(s.left(l, err))
		}
	}
}

// recovered ends the session that panicked, and no other.
func (s *session) recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("internal error, please report: %v", p)
		s.note(Error, "%v\n%s", *err, debug.Stack())
		s.cancel(*err)
	}
}

// end reports a session that is over. Its pumps have ended, so it has the turn.
func (s *session) end(cause error) {
	defer s.proxy.closed(s.conn, cause)
	var err error
	defer s.recovered(&err)
	if s.x.Seq != 0 {
		held := s.x.State == Paused
		s.x.State = Gone
		if s.x.Note == "" {
			s.x.Note = cause.Error()
			if held {
				s.x.Note = fmt.Sprintf("%v after %.1fs, while held at %s", cause, time.Since(s.x.Begun).Seconds(), s.x.HeldAt)
			}
		}
		if s.kid.Seq != 0 {
			s.finishKid(Gone)
		}
		s.endStream(cause)
		s.endExchange()
	}
	if s.attempt.bound && s.x.Seq == 0 && s.conn.commands.Load() == 0 && errors.Is(cause, errClientLeft) {
		s.unproven(cause)
	}
	s.conn.change(func(i *ConnInfo) {
		i.Closed, i.Cause = time.Now(), cause.Error()
		if i.LoginFailure != nil && i.Phase != Ready && !errors.Is(cause, errClientLeft) && !errors.Is(cause, errServerLeft) {
			i.Cause = i.LoginFailure.Title()
		}
		i.Phase = Closed
	})
	s.disconnected()
	s.parting()
	s.socks.close(false)
}

// unproven notes that the client left because of a certificate that the server could not vouch for.
func (s *session) unproven(cause error) {
	i := s.conn.Info()
	s.failedLogin(Warning, s.report(&i, cause))
}

// sandboxed notes once that the server let a client in only to change its password.
func (s *session) sandboxed() {
	if e := s.x.Error; e != nil && e.Code == erPasswordMustChange && s.attempt.refused == nil {
		s.attempt.refused = e
		i := s.conn.Info()
		s.failedLogin(Warning, s.report(&i, errRefused))
	}
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

// lost turns the session opaque: its bytes still cross, nobody follows them. It is an error where
// that cannot go well: in the middle of an answer that the client must not see.
func (s *session) lost(why error) error {
	if s.opaque.Swap(true) {
		return nil
	}
	s.conn.busy.Store(false)
	s.note(Warning, "connection %d is relayed without being followed: %v. Its breakpoints no longer work.", s.conn.ID, why)
	s.conn.change(func(i *ConnInfo) { i.Opaque, i.Phase = why.Error(), Relayed })
	if s.x.Seq == 0 {
		return nil
	}
	s.x.Marks |= MarkOpaque
	s.x.State, s.x.Note = Done, why.Error()
	if s.now.mode == discarded {
		return fmt.Errorf("the answer to an injected query cannot be followed: %w", why)
	}
	err := s.salvage()
	s.endExchange()
	return first(err, s.unawaited())
}

// salvage sends the client what was collected of an answer that cannot be followed to its end.
func (s *session) salvage() error {
	if s.now.mode != collected || s.now.answer == nil {
		return nil
	}
	if !s.now.query.Show {
		return errors.New("the answer to an injected query cannot be followed")
	}
	if err := s.deliver(s.now.answer); err != nil {
		return err
	}
	return s.deliverFrames(s.in[mysqlwire.ToClient].body)
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
