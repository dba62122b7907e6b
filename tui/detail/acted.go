package detail

import (
	"fmt"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/safe"
)

// acted adds the events on which scripts acted, each with its three stages and the differences between them.
// Other is left out: the event that is shown by itself.
func (l *stageList) acted(m *Model, other intercept.HoldID) {
	for i := range m.s.Acted {
		a := &m.s.Acted[i]
		if a.Event == other {
			continue
		}
		if len(l.rows) > 0 {
			l.add(stageRow{})
		}
		name := a.Point.String()
		if a.Point == rule.ReadQueryResult {
			name += "  of " + queryName(&a.Query, a.Context)
		}
		l.add(stageRow{head: true, name: name, value: a.At.Format("15:04:05.000")})
		s := steps{l: l, f: factsOf(a, m.about()), script: effectFrom(&a.Script), final: effectFrom(&a.Sent), changed: a.Changed, past: true}
		if a.Point == rule.ReadQueryResult {
			s.answers(a.Answer)
		} else {
			s.packet(&a.Point)
		}
	}
}

// queryName is a query of a plan in a few words.
func queryName(q *intercept.Query, cx *mysqlwire.Context) string {
	packets := packetsOf([]intercept.Query{*q}, cx)
	if len(packets) == 0 {
		return "an empty command"
	}
	return safe.Elide(summary(packets[0], cx), 48)
}

// factsOf is what an event on which scripts acted is about.
func factsOf(a *intercept.Acted, of *facts) *facts {
	f := &facts{point: a.Point, cx: a.Context, statement: of.statement}
	if f.cx == nil {
		f.cx = &mysqlwire.Context{}
	}
	if a.Packet != nil {
		p := mysqlwire.Packet{Kind: a.Kind, Payload: mysqlwire.BlankPayload(a.Kind, a.Packet, a.Context)}
		f.received = &p
		f.parts = []part{{packets: []mysqlwire.Packet{p}, cx: *f.cx, seq: -1}}
	}
	return f
}

// steps is one event on its way: as received, after the scripts, to send.
type steps struct {
	l       *stageList
	f       *facts
	script  effect
	final   effect
	changed bool // the person, or a rule, has the last word
	pre     bool // held before the scripts
	past    bool // it was sent
	length  int  // of the packet received where only its head is there; 0 for whole ones
}

func (s *steps) names() (note2, what3, note3 string) {
	what3, note2 = "to send", scriptNote(&s.script)
	if s.past {
		what3 = "sent"
	}
	if s.pre {
		note2 = "the scripts come next"
	}
	switch {
	case s.past && s.changed:
		note3 = "changed by " + orNone(s.final.by)
	case s.past:
		note3 = "as stage 2"
	default:
		note3 = s.final.stageNote(&s.script)
		switch {
		case s.pre && s.final.changes():
			note3 += "; the scripts are not asked"
		case s.pre:
			note3 += ", then the scripts"
		}
	}
	return note2, what3, note3
}

// size2 is the size of stage 2, where there is one already.
func (s *steps) size2(size string) string {
	if s.pre {
		return "not yet"
	}
	return size
}

// packet adds the stages of a command or of a packet of the login.
func (s *steps) packet(p *intercept.Point) {
	l, f := s.l, s.f
	if f.received == nil { // connect_server: there are only decisions
		for _, c := range s.script.also() {
			l.add(stageRow{depth: 1, mark: markAdded, name: c, stop: true})
		}
		if s.script.answer != nil {
			l.crafted(s.script.answer, f.cx, "greeting or error to the client, in the server's place")
		}
		if s.changed {
			l.note("then changed by %s", orNone(s.final.by))
		}
		return
	}
	from, seq := "from client", f.parts[0].seq
	if *p == rule.ReadHandshake || *p == rule.ReadAuthResult {
		from = "from server"
	}
	if s.length == 0 {
		s.length = len(f.received.Payload)
	}
	l.received = &frameRef{stage: "stage 1", packet: *f.received, seq: seq, cx: f.cx}
	note2, what3, note3 := s.names()
	l.stage(1, "received", sizeOf(s.length), from, l.received, nil)
	second := l.effectRef("stage 2", &s.script, f, seq)
	l.stage(2, "after script", s.size2(effectSize(&s.script, s.length)), note2, second, nil)
	l.sent = l.effectRef("stage 3", &s.final, f, seq)
	l.stage(3, what3, effectSize(&s.final, s.length), note3, l.sent, draftTag(&s.final))
	if !s.changed || !s.script.changes() {
		s.made(&s.final, l.received)
		return
	}
	first, third := l.received, l.sent
	l.add(stageRow{head: true, name: "by the scripts"})
	s.made(&s.script, first)
	l.add(stageRow{head: true, name: "then by " + s.final.whoShort()})
	switch {
	case onePacket(&s.script) && onePacket(&s.final) && second != nil && third != nil:
		third.old = second
		l.message(second, third, 1)
	case s.script.queries == nil && s.final.queries == nil && s.script.answer != nil && s.final.answer != nil:
		l.answers(s.script.answer, s.final.answer, f.cx)
	default:
		s.made(&s.final, first)
	}
	l.received, l.sent = first, third
}

// onePacket reports whether an effect is one packet instead of another.
func onePacket(e *effect) bool {
	return e.answer == nil && (e.packet != nil || len(e.queries) == 1)
}

// whoShort is who made an effect.
func (e *effect) whoShort() string {
	if e.by == "" {
		return "you"
	}
	return e.by
}

// made lists what an effect makes of the packet received.
func (s *steps) made(e *effect, received *frameRef) {
	l, f := s.l, s.f
	for _, c := range e.also() {
		l.add(stageRow{depth: 1, mark: markAdded, name: c, stop: true})
	}
	switch {
	case e.packet != nil:
		is := l.effectRef("stage 3", e, f, received.seq)
		l.message(received, is, 1)
	case e.queries == nil && e.action == intercept.Reply:
		l.add(stageRow{head: true, mark: markGone, name: "not sent", value: f.received.Kind.String(), ref: received, stop: true})
	case e.queries == nil:
		l.unchanged(received)
	}
	l.plan(e.queries, f, e.action == intercept.Reply)
	if e.answer != nil {
		l.crafted(e.answer, f.cx, "answer to the client, in the server's place")
	}
}

// answers adds the stages of an answer; received is nil if it was not kept.
func (s *steps) answers(received *mysqlwire.Answer) {
	l, own := s.l, *s.f.cx
	size := func(a *mysqlwire.Answer) string {
		if a == nil {
			return "not kept"
		}
		return answerSize(a, &own)
	}
	ref := func(a *mysqlwire.Answer, stage string) *frameRef {
		if a == nil {
			return nil
		}
		return answerRef(a, 0, &own, stage)
	}
	if received != nil {
		own.Command = received.Command
	}
	after, sent := received, received
	if s.script.answer != nil {
		after = s.script.answer
	}
	if s.final.answer != nil {
		sent = s.final.answer
	}
	note2, what3, note3 := s.names()
	size3 := size(sent)
	if s.final.action == intercept.Drop {
		size3 = "not sent"
	}
	l.received, l.sent = ref(received, "stage 1"), ref(sent, "stage 3")
	l.stage(1, "received", size(received), "from server", l.received, nil)
	l.stage(2, "after script", s.size2(size(after)), note2, ref(after, "stage 2"), nil)
	l.stage(3, what3, size3, note3, l.sent, draftTag(&s.final))
	for _, c := range s.final.also() {
		l.add(stageRow{depth: 1, mark: markAdded, name: c, stop: true})
	}
	switch {
	case received == nil && sent == nil:
		l.note("the answer went to the client as it came: the script did not ask to see it whole")
	case received == nil:
		l.crafted(sent, &own, "answer to the client, in the server's place")
	case s.changed && after != received && sent != after:
		l.add(stageRow{head: true, name: "by the scripts"})
		l.answers(received, after, &own)
		l.add(stageRow{head: true, name: "then by " + s.final.whoShort()})
		l.answers(after, sent, &own)
	default:
		l.answers(received, sent, &own)
	}
	if n := len(s.final.queries); n > 0 {
		l.add(stageRow{head: true, name: fmt.Sprintf("and %s before the rest of the queue", many(n, "query", "queries"))})
	}
	l.plan(s.final.queries, s.f, true)
}

// actedAt reports whether scripts acted at a point of the exchange.
func (m *Model) actedAt(p intercept.Point) bool {
	for i := range m.s.Acted {
		if m.s.Acted[i].Point == p {
			return true
		}
	}
	return false
}
