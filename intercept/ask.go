package intercept

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// traced is an error that knows the calls which led to it, in lines of their own.
type traced interface {
	error
	Traceback() string
}

// wants reports whether anybody has to be asked at p.
func (s *session) wants(p Point) bool {
	return s.chain().Wants(p) || s.proxy.Stepper.wants(s.conn, p)
}

// event begins a new event of the session.
func (s *session) event(p Point) *Event {
	return &Event{
		ID: HoldID(lastEvent.Add(1)), Point: p, Conn: s.conn, Exchange: s.x.Seq, At: time.Now(),
		Context: &mysqlwire.Context{Caps: s.dec.Caps()}, Queued: len(s.plan), Loop: s.x.Marks&MarkLoop != 0,
	}
}

// ask puts an event before the hooks and, where a stop says so, before the person. own is the leg
// that no pump reads meanwhile; nil in the login, where both are watched. The verdict that comes
// back is never Hold. ok is false when the session ended while it waited.
func (s *session) ask(ctx context.Context, ev *Event, own *leg) (v Verdict, ok bool) {
	before := s.held
	v, ok = s.decide(ctx, ev, own)
	if ok {
		s.acted(ev, &v)
		tap{s.proxy.o.Tap}.decided(s, ev, s.held-before, &v)
	}
	return v, ok
}

// decide is ask.
func (s *session) decide(ctx context.Context, ev *Event, own *leg) (v Verdict, ok bool) {
	chain := s.chain()
	report := func(err error) {
		text := fmt.Sprintf("connection %d: %v. Event passed on unchanged.", s.conn.ID, err)
		var t traced
		if errors.As(err, &t) && t.Traceback() != "" {
			text += "\n" + t.Traceback()
		}
		s.note(Error, "%s", text)
	}

	before := chain.stops(ctx, chain.pre, ev, report)
	if v, done, ok := s.heed(ctx, ev, before, own, true); done || !ok {
		return v, ok
	}
	if len(chain.auto) > 0 {
		s.conn.askedBy(s)
		ev.SoFar = chain.automatic(ctx, ev, ev.Query.owner, report)
		s.conn.askedBy(nil)
	}
	why, scriptHolds := heldByScript(&ev.SoFar)
	after := chain.stops(ctx, chain.post, ev, report)
	if scriptHolds {
		after = merge(after, why)
	}
	if step, stops := s.proxy.Stepper.stop(s.conn, ev); stops {
		after = merge(after, step)
	}
	if v, done, ok := s.heed(ctx, ev, after, own, false); done || !ok {
		return v, ok
	}
	v = ev.SoFar
	if v.Touches() {
		s.mark(MarkScripted, v.By, ev)
	}
	return v, s.delay(ctx, v.Delay, own)
}

// heldByScript takes a Hold out of an automatic hook's verdict: what else it decided is what will be
// sent unless the person decides otherwise.
func heldByScript(v *Verdict) (why Verdict, holds bool) {
	if v.Action != Hold {
		return Verdict{}, false
	}
	why = Verdict{Action: Hold, By: v.By, Why: v.Why}
	v.Action = Pass
	if v.Packet != nil || v.Queries != nil || v.Answer != nil {
		v.Action = Forward
	}
	return why, true
}

// heed carries out what stops said, before the scripts or after them. done means that v is the last word.
func (s *session) heed(ctx context.Context, ev *Event, said Verdict, own *leg, pre bool) (v Verdict, done, ok bool) {
	if said.Marked {
		s.mark(MarkMarked, said.By, ev)
	}
	if !s.delay(ctx, said.Delay, own) {
		return Verdict{}, true, false
	}
	switch said.Action {
	case Pass:
		if said.Delay > 0 {
			s.mark(MarkRule, said.By, ev)
		}
		return Verdict{}, false, true
	case Hold:
		v, err := s.hold(ctx, ev, said, own, pre)
		if err != nil {
			return Verdict{}, true, false
		}
		if v.Action == Pass && !v.Touches() { // go on as decided so far
			if v = ev.SoFar; v.Touches() {
				s.mark(MarkScripted, v.By, ev)
			}
			// Before the scripts there is nothing decided yet: they come next.
			return v, v.Touches(), s.delay(ctx, v.Delay, own)
		}
		if v.By == "" {
			v.By = "you"
		}
		s.mark(MarkEdited, v.By, ev)
		return v, true, s.delay(ctx, v.Delay, own)
	}
	said.Delay = 0
	s.mark(MarkRule, said.By, ev)
	return said, true, true
}

// hold parks the event until somebody resolves it, with the peers watched.
func (s *session) hold(ctx context.Context, ev *Event, why Verdict, own *leg, pre bool) (Verdict, error) {
	held, over := s.holding(ev)
	defer s.watch(own)()
	began := time.Now()
	s.x.By = why.By
	s.x.Marks |= MarkPaused
	s.showHeld(ev)
	what := fmt.Sprintf("#%d", ev.Exchange)
	if ev.Exchange == 0 {
		what = fmt.Sprintf("connection %d", s.conn.ID)
	}
	when := ""
	if pre {
		when = ", before the scripts"
	}
	s.note(Info, "%s stopped at %s by %s%s", what, ev.Point, why.By, when)
	s.attempt.held = ev.Point.String()
	o := holdOptions(&why, pre)
	o.listed = held
	v, err := s.proxy.Gate.Hold(ctx, ev, why, o)
	over() // who leaves from here on ends the session
	if err == nil {
		err = s.heedLeft(&v)
	}
	if err == nil {
		s.attempt.held = ""
	}
	waited := time.Since(began)
	s.x.HeldFor += waited
	s.held += waited
	if err == nil && s.x.Seq != 0 {
		s.x.State = InFlight
		s.publish()
	}
	return v, err
}

// holdOptions takes what `for DURATION then ACTION` said out of the stop's verdict.
func holdOptions(why *Verdict, pre bool) HoldOptions {
	if why.then == nil {
		return HoldOptions{Pre: pre}
	}
	return HoldOptions{For: why.holdFor, Then: *why.then, Pre: pre}
}

// showHeld publishes that the running exchange is held.
func (s *session) showHeld(ev *Event) {
	if s.x.Seq == 0 {
		return
	}
	s.x.State, s.x.HeldAt, s.x.Hold = Paused, ev.Point, ev.ID
	s.publish()
}

// publish shows the running exchange as it stands.
func (s *session) publish() {
	x := s.x
	s.proxy.Journal.update(x.Seq, func(at *Exchange) {
		marked := at.Marks & MarkMarked
		x.Version, x.SQL = at.Version, ""
		*at = x
		at.Marks |= marked
	})
}

func (s *session) mark(m Mark, by string, ev *Event) {
	if ev.Point != rule.ReadQuery && ev.Point != rule.ReadQueryResult {
		return
	}
	s.x.Marks |= m
	if by != "" {
		s.x.By = by
	}
}

// delay waits with the peers watched; false when the session ended meanwhile.
func (s *session) delay(ctx context.Context, d time.Duration, own *leg) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	defer s.watch(own)()
	t := time.NewTimer(d)
	defer t.Stop()
	began := time.Now()
	defer func() { s.x.HeldFor += time.Since(began) }()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// watch watches the leg that nobody reads while its pump waits; both legs in the login.
func (s *session) watch(own *leg) (stop func()) {
	if own != nil {
		return own.watch(s.gone(own))
	}
	stopClient := s.client.watch(s.gone(s.client))
	if s.server == nil || s.attempt.refused != nil { // a server that has refused leaves, and what it said is still to be told
		return stopClient
	}
	stopServer := s.server.watch(s.gone(s.server))
	return func() { stopClient(); stopServer() }
}
