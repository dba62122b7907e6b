package intercept

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrNotHeld means that an event was answered before, or its connection is gone.
var ErrNotHeld = errors.New("this event is not held any more")

// ErrUnawaited means that the client of a held event has left, and that the verdict does not say that it knows.
var ErrUnawaited = errors.New("the client has left: nobody awaits this any more")

// Held is a parked event.
type Held struct {
	*Event
	Since    time.Time
	Pre      bool      // before the scripts: they are asked when it goes on unchanged
	Reason   Verdict   // of the stop that held it
	Deadline time.Time // when Then happens by itself; zero for never
	Then     Verdict
	// Left is when the client left; zero while it waits. The event stays held so that what it asked for can
	// still be carried out, with Verdict.Unawaited. Whatever else is said of it discards it.
	Left time.Time
}

// Gate parks events. A held event blocks its own connection and nothing else.
type Gate struct {
	bell func()

	mu   sync.Mutex
	held []*parked // oldest first
}

type parked struct {
	Held
	answer chan Verdict // one slot
	stop   *time.Timer
}

// HoldOptions says what happens to a held event that nobody answers.
type HoldOptions struct {
	For  time.Duration // 0 is for ever
	Then Verdict
	Pre  bool // see Held.Pre

	listed func() // called once the event can be found
}

// Hold parks ev until Resolve answers it or ctx ends.
func (g *Gate) Hold(ctx context.Context, ev *Event, reason Verdict, o HoldOptions) (Verdict, error) {
	p := &parked{Held: Held{Event: ev, Since: time.Now(), Pre: o.Pre, Reason: reason, Then: o.Then}, answer: make(chan Verdict, 1)}
	g.mu.Lock()
	g.held = append(g.held, p)
	if o.For > 0 { // not before the event can be found
		p.Deadline = p.Since.Add(o.For)
		p.stop = time.AfterFunc(o.For, func() { _ = g.answer(ev.ID, o.Then) })
	}
	g.mu.Unlock()
	if o.listed != nil {
		o.listed()
	}
	g.ring()
	defer g.ring()

	select {
	case v := <-p.answer:
		return v, nil
	case <-ctx.Done():
		g.remove(ev.ID)
		select {
		case v := <-p.answer: // answered at the same moment
			return v, nil
		default:
			return Verdict{}, context.Cause(ctx)
		}
	}
}

// Pending lists what is held, oldest first.
func (g *Gate) Pending() []Held {
	g.mu.Lock()
	defer g.mu.Unlock()
	held := make([]Held, len(g.held))
	for i, p := range g.held {
		held[i] = p.Held
	}
	return held
}

// Resolve answers a held event. Only the first answer counts, later ones get ErrNotHeld, so a
// deadline and the person can race safely. A verdict that the event cannot have is refused with
// the reason, and the event stays held.
func (g *Gate) Resolve(id HoldID, v Verdict) error {
	g.mu.Lock()
	i := g.index(id)
	if i < 0 {
		g.mu.Unlock()
		return ErrNotHeld
	}
	ev, left := g.held[i].Event, !g.held[i].Left.IsZero()
	g.mu.Unlock()
	if left && !v.Unawaited && v.Action != Close && v.Action != Hang {
		return ErrUnawaited
	}
	if err := Check(ev, &v); err != nil {
		return err
	}
	return g.answer(id, v)
}

// Keep turns the event's deadline off: a person is at work on it.
func (g *Gate) Keep(id HoldID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := g.index(id); i >= 0 && g.held[i].stop != nil && g.held[i].stop.Stop() {
		g.held[i].Deadline = time.Time{}
	}
}

// left notes when the client of a held event left.
func (g *Gate) left(id HoldID, at time.Time) {
	g.mu.Lock()
	if i := g.index(id); i >= 0 {
		g.held[i].Left = at
	}
	g.mu.Unlock()
	g.ring()
}

// ReleaseAll answers everything held with v. What no client awaits any more is discarded, unless v says Unawaited.
func (g *Gate) ReleaseAll(v Verdict) {
	for _, h := range g.Pending() {
		_ = g.answer(h.ID, v) // gone is as good as released
	}
}

func (g *Gate) answer(id HoldID, v Verdict) error {
	p := g.remove(id)
	if p == nil {
		return ErrNotHeld
	}
	p.answer <- v
	return nil
}

func (g *Gate) remove(id HoldID) *parked {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := g.index(id)
	if i < 0 {
		return nil
	}
	p := g.held[i]
	g.held = slices.Delete(g.held, i, i+1)
	if p.stop != nil {
		p.stop.Stop()
	}
	return p
}

// index finds a parked event; the caller holds mu.
func (g *Gate) index(id HoldID) int {
	return slices.IndexFunc(g.held, func(p *parked) bool { return p.ID == id })
}

func (g *Gate) ring() {
	if g.bell != nil {
		g.bell()
	}
}
