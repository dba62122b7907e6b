package scripts

import (
	"slices"

	"mydbg/intercept"
	"mydbg/intercept/rule"
)

// Subject is what a snippet or the hooks are tried on.
type Subject struct {
	Event *intercept.Event   // nil for nothing
	Hooks []*intercept.Event // what the hooks are asked about, nil for Event alone
	Held  bool               // it waits, so what the snippet decides can be used
	Name  string             // "#1381 read_query_result", "a copy of #1374"
}

// events are what the hooks are asked about.
func (s *Subject) events() []*intercept.Event {
	if s.Hooks == nil && s.Event != nil {
		return []*intercept.Event{s.Event}
	}
	return s.Hooks
}

// Copies are an exchange as the events that the hooks of a script are asked about: its command, and its
// results. They are not held. Where scripts acted, the results are those of the queries that they sent.
func Copies(d *intercept.Detail, conn *intercept.Conn, acted []intercept.Acted) []*intercept.Event {
	asked := *d
	asked.Answer.Packets = nil
	list := []*intercept.Event{Copy(&asked, conn)}
	var sent []intercept.Query
	for i := range acted {
		switch a := &acted[i]; {
		case a.Point == rule.ReadQuery:
			sent = a.Sent.Queries
		case a.Point == rule.ReadQueryResult && a.Answer != nil:
			ev := Copy(d, conn)
			ev.Point, ev.Query, ev.Answer, ev.Context, ev.Packet, ev.PacketLen = a.Point, a.Query, a.Answer, a.Context, nil, 0
			list = append(list, ev)
		}
	}
	if len(list) > 1 || len(d.Answer.Packets) == 0 {
		return list
	}
	ev := Copy(d, conn)
	if i := slices.IndexFunc(sent, func(q intercept.Query) bool { return q.Show }); i >= 0 {
		ev.Query = sent[i]
	}
	return append(list, ev)
}

// Copy is an exchange as an event that a snippet can look at: its result if it has one, else its command.
// It is not held.
func Copy(d *intercept.Detail, conn *intercept.Conn) *intercept.Event {
	ev := &intercept.Event{
		Conn: conn, Exchange: d.Seq, At: d.Begun, Context: d.Context, SQL: d.SQL, Stmt: d.Stmt, Counts: d.Counts,
		Point: rule.ReadQuery, Packet: d.Received.Payload, PacketLen: len(d.Received.Payload), Kind: d.Received.Kind,
	}
	if len(d.Answer.Packets) == 0 {
		return ev
	}
	answer := d.Answer
	ev.Point, ev.Query, ev.Answer = rule.ReadQueryResult, intercept.Query{Packet: ev.Packet, Origin: d.Origin, Show: true}, &answer
	ev.Packet, ev.PacketLen = nil, 0
	return ev
}
