package intercept

import (
	"fmt"
	"sync"
	"time"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// A client that leaves while its command, or the answer to it, is held leaves a decision behind: what
// it asked for can still be sent to the server or be dropped. So the event stays held and is marked, and the
// server connection stays as it is, its transaction included. From then on whatever is meant for the
// client is thrown away. Nothing goes on by accident: a verdict must say that it knows (Verdict.Unawaited),
// timers and whoever releases everything discard the event. When its exchange is over the session ends, as
// it would have when the client left.

// departure is what a session knows of a client that has left during a hold.
type departure struct {
	mu    sync.Mutex
	keeps bool   // a hold is under way that outlives the client
	id    HoldID // of the held event, once the gate has it
	told  bool   // of that event
	gone  error  // why the client is no longer there; nil while it is
	at    time.Time
}

// outlives reports whether ev stays held when its client leaves: there is a server that could still be
// sent something, and the rest of the exchange needs nothing from the client.
func (s *session) outlives(ev *Event) bool {
	switch {
	case s.server == nil || s.exchange != nil || s.opaque.Load() || ev.File != nil || !s.x.Command.Answered():
		return false
	case ev.Point == rule.ReadQuery:
		return ev.Whole() && !needsClient(s.x.Command)
	}
	return ev.Point == rule.ReadQueryResult && ev.Answer != nil && !ev.Answer.Partial
}

// needsClient reports whether a command is a dialogue, or never ends.
func needsClient(c mysqlwire.Command) bool {
	return c == mysqlwire.ComChangeUser || c == mysqlwire.ComBinlogDump || c == mysqlwire.ComBinlogDumpGTID
}

// clientLeft notes that the client has left. It is false where that ends the session.
func (s *session) clientLeft(err error) (stays bool) {
	d := &s.departure
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone == nil {
		if !d.keeps {
			return false
		}
		d.gone, d.at = s.left(s.client, err), time.Now()
		s.client.deaf.Store(true)
	}
	s.tellLeft()
	return true
}

// holding begins a hold of ev. held is for the gate to say that it has the event, over ends the hold.
func (s *session) holding(ev *Event) (held, over func()) {
	d := &s.departure
	d.mu.Lock()
	d.keeps, d.told = s.outlives(ev), false
	d.mu.Unlock()
	held = func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.id = ev.ID
		s.tellLeft()
	}
	over = func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.keeps, d.id = false, 0
	}
	return held, over
}

// tellLeft tells whoever looks at the held event, once. The caller holds departure.mu; the session's
// exchange does not change during a hold.
func (s *session) tellLeft() {
	d := &s.departure
	if d.gone == nil || d.id == 0 || d.told {
		return
	}
	d.told = true
	note := s.leftNote()
	s.proxy.Journal.update(s.x.Seq, func(x *Exchange) {
		x.Marks |= MarkUnawaited
		x.Note = note
	})
	s.proxy.Journal.Note(Warning, s.conn.ID, s.x.Seq, "#%d: %s. It stays held, and its server connection open, until it is sent all the same or discarded", s.x.Seq, note)
	s.proxy.Gate.left(d.id, d.at)
}

func (s *session) leftNote() string {
	d := &s.departure
	return fmt.Sprintf("%v after %.1fs, while held at %s", d.gone, max(d.at.Sub(s.x.Begun), 0).Seconds(), s.x.HeldAt)
}

// unawaited is why the client is gone of a session that went on without it; nil while the client is there.
func (s *session) unawaited() error {
	if !s.client.deaf.Load() {
		return nil
	}
	d := &s.departure
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gone
}

// heedLeft is what becomes of a verdict on an event whose client may have left: unless it was meant all
// the same the session ends.
func (s *session) heedLeft(v *Verdict) error {
	gone := s.unawaited()
	if gone == nil {
		return nil
	}
	s.x.Marks |= MarkUnawaited
	s.x.Note = s.leftNote()
	if !v.Unawaited || v.Action == Close || v.Action == Hang {
		s.x.Note += ", and discarded"
		s.cancel(gone)
		return gone
	}
	s.x.Note += ", and carried out all the same"
	return nil
}
