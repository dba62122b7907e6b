package detail

import (
	"fmt"
	"time"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

// effect is what a verdict makes of an event: what leaves, and what the client gets.
type effect struct {
	action  intercept.Action
	packet  []byte            // of a login; nil is as received
	queries []intercept.Query // nil is as received
	answer  *mysqlwire.Answer // nil is the server's own

	backend int  // that is connected to; 0 is the proxy's choice
	pooled  bool // with a connection from its pool

	closeAfter bool
	delay      time.Duration
	by         string
	draft      bool
}

// effectOf is what happens to a held event as things stand: the draft's way if there is one, else
// that of the scripts.
func effectOf(h *intercept.Held, draft *intercept.Verdict) effect {
	if draft != nil {
		e := effectFrom(draft)
		e.draft = true
		if e.by == "" {
			e.by = "you"
		}
		return e
	}
	return effectFrom(&h.SoFar)
}

func effectFrom(v *intercept.Verdict) effect {
	return effect{
		action: v.Action, packet: v.Packet, queries: v.Queries, answer: v.Answer,
		backend: v.Backend, pooled: v.Pooled, closeAfter: v.CloseAfter, delay: v.Delay, by: v.By,
	}
}

// changes reports whether anything is not as it came.
func (e *effect) changes() bool {
	return e.packet != nil || e.queries != nil || e.answer != nil || e.action > intercept.Hold || e.closeAfter || e.delay > 0 || e.backend > 0 || e.pooled
}

// who says who made it so.
func (e *effect) who() string {
	switch {
	case e.draft:
		return "edited by you, not sent yet"
	case e.by == "":
		return "changed"
	}
	return "changed by " + e.by
}

// also are the consequences that no packet shows.
func (e *effect) also() []string {
	var list []string
	switch e.action {
	case intercept.Close:
		list = append(list, "both sides are closed")
	case intercept.Hang:
		list = append(list, "the client gets nothing and waits until it gives up")
	case intercept.Drop:
		list = append(list, "the answer is kept from the client")
	}
	switch {
	case e.pooled:
		list = append(list, fmt.Sprintf("goes on with a pooled connection of backend %d", e.backend))
	case e.backend > 0:
		list = append(list, fmt.Sprintf("connects to backend %d", e.backend))
	}
	if e.delay > 0 {
		list = append(list, fmt.Sprintf("delayed by %v", e.delay))
	}
	if e.closeAfter {
		list = append(list, "the connection is closed after the answer")
	}
	return list
}
