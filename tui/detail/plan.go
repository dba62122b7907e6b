package detail

import (
	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/tui/theme"
)

// plan lists the queries that are sent instead of a command.
func (l *stageList) plan(queries []intercept.Query, f *facts, replied bool) {
	if len(queries) == 0 {
		return
	}
	this := thisOf(queries)
	packets := packetsOf(queries, f.cx)
	if len(packets) != len(queries) {
		l.note("an empty query cannot be sent")
		return
	}
	if len(queries) > 1 {
		l.add(stageRow{head: true, name: "plan", value: many(len(queries), "query", "queries") + " in order"})
	}
	for i, q := range queries {
		ref := &frameRef{stage: "stage 3", packet: packets[i], cx: f.cx}
		switch {
		case i == this && !replied:
			ref.old = l.received
			l.sent = ref
			if len(queries) > 1 {
				l.add(stageRow{head: true, depth: 1, name: "this", value: answerNote(q), ref: ref})
			}
			l.message(l.received, ref, 1)
		case preparedAnew(queries, i, this):
			l.prepared(f, ref)
		default:
			text := summary(packets[i], f.cx)
			if packets[i].Kind != mysqlwire.KindQuery {
				text = packets[i].Kind.String() + "  " + text
			}
			l.add(stageRow{
				head: true, mark: markAdded, depth: 1, name: roleOf(queries, i), value: text + "  " + answerNote(q),
				ref: ref, len: len(packets[i].Payload), stop: true, tag: theme.Injected, tagged: true,
			})
		}
	}
}

// preparedAnew reports whether query i prepares what the command's execute then names.
func preparedAnew(queries []intercept.Query, i, this int) bool {
	return this >= 0 && i < this && queries[this].LastPrepared && len(queries[i].Packet) > 0 &&
		mysqlwire.Command(queries[i].Packet[0]) == mysqlwire.ComStmtPrepare
}

// prepared compares the text that a statement is prepared anew with to the old one.
func (l *stageList) prepared(f *facts, ref *frameRef) {
	var p mysqlwire.StmtPrepare
	if p.Decode(ref.packet.Payload, f.cx) != nil {
		return
	}
	l.add(stageRow{head: true, depth: 1, name: "before", value: "prepared anew on this connection, hidden from app", ref: ref})
	d := fieldDiff{list: l, was: l.received, is: ref}
	d.lines("statement", f.statement.sql, f.cx.ClientText(p.SQL), 2, mysqlwire.Field{}, mysqlwire.Field{Off: 1, Len: len(p.SQL)})
}

// answerNote says who gets the answer to a query of a plan.
func answerNote(q intercept.Query) string {
	note := "hidden from app"
	switch {
	case q.Join:
		note = "joined to the answer as a further result"
	case q.Show:
		note = "answer goes to app"
	}
	if q.LastPrepared {
		note += ", for the statement prepared last"
	}
	if q.Origin != intercept.FromClient {
		note += ", by " + q.Origin.String()
	}
	return note
}

// roleOf says what a query is in a plan: before, this or after the command's own answer.
func roleOf(queries []intercept.Query, i int) string {
	this := thisOf(queries)
	switch {
	case i == this:
		return "this"
	case this < 0 || i < this:
		return "before"
	}
	return "after"
}

// thisOf is the query whose answer the client gets; -1 if it gets none.
func thisOf(queries []intercept.Query) int {
	for i, q := range queries {
		if q.Show && !q.Join {
			return i
		}
	}
	for i, q := range queries { // commands without an answer are not shown
		if q.Origin == intercept.FromClient {
			return i
		}
	}
	return -1
}
