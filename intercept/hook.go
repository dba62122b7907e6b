package intercept

import (
	"context"
	"fmt"
	"slices"

	"mydbg/intercept/rule"
)

// Points is a set of hook events.
type Points uint16

// At makes a set.
func At(points ...Point) Points {
	var s Points
	for _, p := range points {
		s |= 1 << p
	}
	return s
}

// FileRequests is added to a Hook's interest in read_query_result, or stands for itself: the hook is
// asked when the server wants a file of the client's, see Event.File. Other hooks are not.
const FileRequests Points = 1 << 15

// asked reports whether a hook with this interest is asked about ev.
func (s Points) asked(ev *Event) bool {
	if ev.File != nil {
		return s&FileRequests != 0
	}
	return s.Has(ev.Point)
}

// Has reports whether p is in the set.
func (s Points) Has(p Point) bool { return s>>p&1 != 0 }

// Everywhere is all hook events.
var Everywhere = At(rule.Points()...)

// A Hook may change traffic. Handle is called from the goroutine of the event's session, must not
// wait for network, disk or people, and must not keep the event. An error counts as Pass and is
// shown; of a stop it holds the event.
type Hook interface {
	Name() string
	// Interest is where the hook wants to be asked. Interest in read_query_result has every answer
	// collected before the client gets any of it. A hook is asked about the answers of queries that
	// it put into a plan even without that interest; of one that was too large to collect, or that
	// streamed, when it is over, with Answer nil.
	Interest() Points
	Handle(ctx context.Context, ev *Event) (Verdict, error)
}

// Chain is the hooks of a proxy. It is immutable: Proxy.SetHooks and every change of a breakpoint
// publish a new one, and a session looks it up once per event.
type Chain struct {
	pre, auto, post []Hook
	interest        Points
}

// NewChain orders hooks: stops asked before the automatic hooks, the automatic ones (scripts), and
// stops asked after them.
func NewChain(pre, auto, post []Hook) *Chain {
	c := &Chain{pre: pre, auto: auto, post: post}
	for _, hooks := range [][]Hook{pre, auto, post} {
		for _, h := range hooks {
			c.interest |= h.Interest()
		}
	}
	return c
}

// Wants reports whether any hook is interested in p.
func (c *Chain) Wants(p Point) bool { return c.interest.Has(p) }

// scripted reports whether an automatic hook is interested in p.
func (c *Chain) scripted(p Point) bool {
	return slices.ContainsFunc(c.auto, func(h Hook) bool { return h.Interest().Has(p) })
}

// HookError says which hook failed at which event.
type HookError struct {
	Hook  string
	Point Point
	Err   error
}

func (e *HookError) Error() string { return fmt.Sprintf("%s (%s): %v", e.Hook, e.Point, e.Err) }
func (e *HookError) Unwrap() error { return e.Err }

// automatic asks the automatic hooks: the first verdict that is not Pass ends the stage, delays add
// up, errors are reported and passed over. owner is the hook whose plan the event belongs to.
func (c *Chain) automatic(ctx context.Context, ev *Event, owner Hook, report func(error)) Verdict {
	var sum Verdict
	for _, h := range c.auto {
		if !h.Interest().asked(ev) && (h != owner || ev.File != nil) {
			continue
		}
		if ev.Point == rule.ReadQueryResult && owner != nil && h != owner {
			continue
		}
		v, err := h.Handle(ctx, ev)
		if err != nil {
			report(&HookError{h.Name(), ev.Point, err})
			continue
		}
		delay := sum.Delay + v.Delay
		if v.Action != Pass || v.Touches() {
			sum = v
			sum.Delay = delay
			for i := range sum.Queries {
				sum.Queries[i].owner = h
			}
			if sum.By == "" {
				sum.By = h.Name()
			}
		}
		sum.Delay = delay
		if v.Action != Pass {
			break
		}
	}
	return sum
}

// stops asks one set of stops. All are asked, so that a rule that only logs or delays does not keep
// a breakpoint from holding: Hold outweighs, then the first verdict that is not Pass.
func (c *Chain) stops(ctx context.Context, hooks []Hook, ev *Event, report func(error)) Verdict {
	var sum Verdict
	for _, h := range hooks {
		if !h.Interest().asked(ev) {
			continue
		}
		v, err := h.Handle(ctx, ev)
		if err != nil {
			err = &HookError{h.Name(), ev.Point, err}
			report(err)
			v = Verdict{Action: Hold, By: h.Name(), Why: err.Error()}
		}
		sum = merge(sum, v)
	}
	return sum
}

// merge joins the verdicts of two stops.
func merge(a, b Verdict) Verdict {
	delay, marked := a.Delay+b.Delay, a.Marked || b.Marked
	if b.Action == Hold && a.Action != Hold || a.Action == Pass {
		a = b
	}
	a.Delay, a.Marked = delay, marked
	return a
}
