package intercept

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"mydbg/mysqlwire"
)

// Acted is an event on which a script acted, in three stages: what was received, what the scripts
// made of it, and what was sent. Stages that do not differ share their bytes, which nobody changes.
type Acted struct {
	Event    HoldID
	Point    Point
	Conn     ConnID
	Exchange Seq // 0 in the login
	At       time.Time
	Packet   []byte             // as received: the command or the packet of the login; without secrets
	Kind     mysqlwire.Kind     // of Packet
	Query    Query              // read_query_result: what was answered
	Answer   *mysqlwire.Answer  // read_query_result: as received; nil if it was not kept
	Context  *mysqlwire.Context // decodes these
	Script   Verdict            // of the scripts: By says which decided
	Sent     Verdict            // what was carried out
	Changed  bool               // Sent is not what the scripts decided
}

// Limits of what is remembered.
const (
	actedEvents = 2000
	actedBytes  = 16 << 20
)

// actedLog is the memory of Journal.Acted: the newest events, oldest first.
type actedLog struct {
	mu    sync.Mutex
	list  []Acted
	bytes int
}

// size is about what an entry holds on to.
func (a *Acted) size() int {
	n := 512 + len(a.Packet)
	for _, v := range []*Verdict{&a.Script, &a.Sent} {
		n += len(v.Packet)
		for _, q := range v.Queries {
			n += len(q.Packet)
		}
	}
	for _, answer := range []*mysqlwire.Answer{a.Answer, a.Script.Answer, a.Sent.Answer} {
		if answer == nil {
			continue
		}
		for _, p := range answer.Packets {
			n += 32 + len(p.Payload)
		}
	}
	return n
}

// add remembers an entry and forgets the oldest beyond the limits. One that is larger than half of all
// is remembered without the answers.
func (l *actedLog) add(a Acted) {
	if a.size() > actedBytes/2 {
		a.Answer, a.Script.Answer, a.Sent.Answer = nil, nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, a)
	l.bytes += a.size()
	if len(l.list) <= actedEvents*5/4 && l.bytes <= actedBytes*5/4 {
		return // the list is moved once in a while only
	}
	drop := 0
	for len(l.list)-drop > actedEvents || l.bytes > actedBytes && drop < len(l.list)-1 {
		l.bytes -= l.list[drop].size()
		drop++
	}
	l.list = slices.Delete(l.list, 0, drop)
}

// Acted lists the events of an exchange on which scripts acted, in order; those of a connection's
// login are asked for with exchange 0. Old ones are forgotten.
func (j *Journal) Acted(c ConnID, x Seq) (list []Acted) {
	j.acted.mu.Lock()
	defer j.acted.mu.Unlock()
	for _, a := range j.acted.list {
		if a.Exchange == x && a.Conn == c {
			list = append(list, a)
		}
	}
	return list
}

// acted remembers what scripts decided about ev and what became of it.
func (s *session) acted(ev *Event, v *Verdict) {
	if !ev.SoFar.Touches() && ev.SoFar.Backend == 0 && !ev.SoFar.Pooled {
		return
	}
	a := Acted{
		Event: ev.ID, Point: ev.Point, Conn: s.conn.ID, Exchange: ev.Exchange, At: ev.At, Packet: ev.Packet, Kind: ev.Kind, Query: ev.Query,
		Answer: ev.Answer, Context: ev.Context, Script: ev.SoFar, Sent: *v, Changed: !sameVerdict(&ev.SoFar, v),
	}
	for _, said := range []*Verdict{&a.Script, &a.Sent} {
		if said.Packet != nil { // a login, perhaps with a proof
			said.Packet = mysqlwire.BlankPayload(ev.Kind, said.Packet, ev.Context)
		}
		said.Queries = slices.Clone(said.Queries)
		for i := range said.Queries {
			q := &said.Queries[i]
			q.owner = nil
			q.Packet = mysqlwire.BlankPayload(q.command().Kind(), q.Packet, ev.Context)
		}
	}
	s.proxy.Journal.acted.add(a)
}

// sameVerdict reports whether two verdicts do the same.
func sameVerdict(a, b *Verdict) bool {
	return a.Action == b.Action && a.Answer == b.Answer && a.Backend == b.Backend && a.CloseAfter == b.CloseAfter &&
		bytes.Equal(a.Packet, b.Packet) &&
		slices.EqualFunc(a.Queries, b.Queries, func(p, q Query) bool {
			return p.ID == q.ID && p.Show == q.Show && p.Need == q.Need && bytes.Equal(p.Packet, q.Packet)
		})
}
