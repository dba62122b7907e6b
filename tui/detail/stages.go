package detail

import (
	"fmt"
	"slices"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// mark says what a row of a difference is.
type mark byte

const (
	markNone  mark = 0
	markGone  mark = '-'
	markAdded mark = '+'
)

// stageRow is a row of the Stages tab.
type stageRow struct {
	mark   mark
	depth  int
	name   string
	value  string
	same   bool // as it was received
	head   bool // of a stage or a query
	tag    theme.State
	tagged bool
	stop   bool // where the keys for changes go

	ref      *frameRef // whose bytes belong to it
	off, len int       // of the payload
}

// frameRef is a packet whose bytes can be shown, and what it was made from.
type frameRef struct {
	stage  string
	packet mysqlwire.Packet
	seq    int
	cx     *mysqlwire.Context
	old    *frameRef
}

func (r *frameRef) frame() []byte {
	if r.seq < 0 {
		return r.packet.Payload
	}
	return append(header(len(r.packet.Payload), r.seq), r.packet.Payload...)
}

// stageList is the Stages tab: what was received, what it became, what is sent, and the difference.
type stageList struct {
	rows     []stageRow
	cursor   int
	top      int
	received *frameRef
	sent     *frameRef
	changes  int
}

// stageRows is the Stages tab of the subject.
func (m *Model) stageRows() *stageList {
	if m.stages != nil {
		return m.stages
	}
	l := &stageList{}
	m.stages = l
	switch {
	case m.s.Held != nil && m.s.Held.Event != nil:
		l.held(m)
	case m.s.Detail != nil:
		l.exchange(m)
	default:
		l.acted(m, 0)
	}
	switch viewNames(tabStages)[m.views[tabStages]] {
	case "diff":
		l.foldSame()
	case "changes":
		l.rows = slices.DeleteFunc(l.rows, func(r stageRow) bool { return r.same })
	}
	for i, r := range l.rows {
		if r.stop {
			l.changes++
			if l.changes == 1 || r.mark == markAdded && l.rows[l.cursor].mark == markGone {
				l.cursor = i // what is sent, if there is anything
			}
		}
	}
	if l.changes == 0 {
		l.cursor = l.last("stage 3")
	}
	return l
}

// foldSame makes one row of three or more that are the same, unless nothing differs at all.
func (l *stageList) foldSame() {
	if !slices.ContainsFunc(l.rows, func(r stageRow) bool { return r.stop }) {
		return
	}
	var rows []stageRow
	for i := 0; i < len(l.rows); {
		n := 1
		for r := l.rows[i]; r.same && i+n < len(l.rows) && l.rows[i+n].same && l.rows[i+n].depth == r.depth; {
			n++
		}
		if n < 3 {
			rows = append(rows, l.rows[i:i+n]...)
		} else {
			first, last := l.rows[i], l.rows[i+n-1]
			names := make([]string, n)
			for j := range names {
				names[j] = l.rows[i+j].name
			}
			first.name, first.value = "…", fmt.Sprintf("%d: %s", n, strings.Join(names, ", "))
			if first.ref == last.ref {
				first.len = last.off + last.len - first.off
			}
			rows = append(rows, first)
		}
		i += n
	}
	l.rows = rows
}

func (l *stageList) last(name string) int {
	at := 0
	for i, r := range l.rows {
		if strings.HasPrefix(r.name, name) {
			at = i
		}
	}
	return at
}

// want puts the cursor where it was.
func (l *stageList) want(row int) { l.cursor = min(max(row, 0), max(len(l.rows)-1, 0)) }

func (l *stageList) selected() *stageRow {
	if l.cursor < 0 || l.cursor >= len(l.rows) {
		return nil
	}
	return &l.rows[l.cursor]
}

func (l *stageList) do(a keymap.ID, h int) bool {
	if to, ok := move(a, l.cursor, len(l.rows), h); ok {
		l.cursor = to
		return true
	}
	switch a {
	case keymap.NextChange:
		for i := l.cursor + 1; i < len(l.rows); i++ {
			if l.rows[i].stop {
				l.cursor = i
				break
			}
		}
		return true
	case keymap.PrevChange:
		for i := l.cursor - 1; i >= 0; i-- {
			if l.rows[i].stop {
				l.cursor = i
				break
			}
		}
		return true
	}
	return false
}

func (l *stageList) add(r stageRow) { l.rows = append(l.rows, r) }

// stage adds the row of a stage; ref is what its bytes are.
func (l *stageList) stage(n int, what, size, note string, ref *frameRef, tag *theme.State) {
	r := stageRow{head: true, name: fmt.Sprintf("stage %d %s", n, what), value: safe.Pad(size, 10) + " " + note, ref: ref}
	if tag != nil {
		r.tag, r.tagged = *tag, true
	}
	l.add(r)
}

func (l *stageList) note(format string, args ...any) {
	l.add(stageRow{depth: 1, name: fmt.Sprintf(format, args...)})
}

// held adds what becomes of a held event.
func (l *stageList) held(m *Model) {
	h, f := m.s.Held, m.about()
	if h.Point == rule.ReadQueryResult && h.File == nil {
		l.heldResult(m)
		return
	}
	if f.received == nil {
		l.note("%s", f.missing)
		return
	}
	st := steps{l: l, f: f, script: effectFrom(&h.SoFar), final: effectOf(h, m.s.Draft), pre: h.Pre, length: h.PacketLen}
	st.changed = st.final.draft
	st.packet(&h.Point)
	l.acted(m, h.ID)
}

func draftTag(e *effect) *theme.State {
	if !e.draft {
		return nil
	}
	t := theme.Draft
	return &t
}

func (e *effect) stageNote(scripts *effect) string {
	switch {
	case e.draft && !e.changes():
		return "as received, your draft changes nothing"
	case e.draft:
		return "edited by you, not sent yet"
	case scripts.changes():
		return "as stage 2"
	}
	return "as received"
}

func scriptNote(e *effect) string {
	if !e.changes() {
		return "unchanged"
	}
	if e.by != "" {
		return strings.TrimPrefix(e.by, "script ") + ": changed"
	}
	return "changed"
}

func sizeOf(payload int) string {
	return bytesOf(payload + mysqlwire.HeaderLen*mysqlwire.Frames(payload))
}

func effectSize(e *effect, received int) string {
	switch {
	case e.packet != nil:
		return sizeOf(len(e.packet))
	case e.queries != nil:
		n := 0
		for _, q := range e.queries {
			n += len(q.Packet) + mysqlwire.HeaderLen*mysqlwire.Frames(len(q.Packet))
		}
		if len(e.queries) > 1 {
			return fmt.Sprintf("%s/%d", bytesOf(n), len(e.queries))
		}
		return bytesOf(n)
	case e.action == intercept.Reply || e.action == intercept.Close || e.action == intercept.Hang:
		return "not sent"
	}
	return sizeOf(received)
}

// effectRef is the packet that takes the place of the one received; nil if there is none.
func (l *stageList) effectRef(stage string, e *effect, f *facts, seq int) *frameRef {
	r := *l.received
	r.stage, r.old, r.seq = stage, l.received, seq
	switch {
	case e.packet != nil:
		r.packet.Payload = mysqlwire.BlankPayload(r.packet.Kind, e.packet, f.cx)
	case e.queries == nil && e.answer != nil:
		own := *f.cx
		own.Command = e.answer.Command
		return answerRef(e.answer, 0, &own, stage)
	case e.action == intercept.Close || e.action == intercept.Hang:
		return nil
	case e.queries != nil:
		i := max(thisOf(e.queries), 0)
		if packets := packetsOf(e.queries, f.cx); i < len(packets) {
			r.packet = packets[i]
		}
	}
	return &r
}

// unchanged lists the fields of a packet that nobody changed.
func (l *stageList) unchanged(ref *frameRef) {
	l.add(stageRow{depth: 1, name: ref.packet.Kind.String(), ref: ref, len: len(ref.packet.Payload), same: true})
	fields, _ := dissect(ref.packet.Kind, ref.packet.Payload, ref.cx)
	l.all(fields, ref, 2, markNone)
}

// all lists fields under one mark.
func (l *stageList) all(fields []mysqlwire.Field, ref *frameRef, depth int, k mark) {
	for _, f := range fields {
		value := f.Value
		if len(f.Children) > 0 && value == "" {
			value = count(len(f.Children))
		}
		l.add(stageRow{mark: k, depth: depth, name: f.Name, value: value, same: k == markNone, ref: ref, off: f.Off, len: f.Len, stop: k != markNone})
		l.all(f.Children, ref, depth+1, k)
	}
}

// message compares two packets field by field.
func (l *stageList) message(was, is *frameRef, depth int) {
	if was.packet.Kind != is.packet.Kind {
		l.add(stageRow{mark: markGone, depth: depth, name: was.packet.Kind.String(), value: summary(was.packet, was.cx), ref: was, stop: true})
		l.add(stageRow{mark: markAdded, depth: depth, name: is.packet.Kind.String(), value: summary(is.packet, is.cx), ref: is, stop: true})
		fields, _ := dissect(is.packet.Kind, is.packet.Payload, is.cx)
		l.all(fields, is, depth+1, markAdded)
		return
	}
	a, errA := dissect(was.packet.Kind, was.packet.Payload, was.cx)
	b, errB := dissect(is.packet.Kind, is.packet.Payload, is.cx)
	l.add(stageRow{depth: depth, name: is.packet.Kind.String(), ref: is, len: len(is.packet.Payload)})
	d := fieldDiff{list: l, was: was, is: is}
	d.fields(a, b, depth+1)
	if err := first(errB, errA); err != nil {
		l.add(stageRow{depth: depth + 1, name: "not decoded", value: err.Error(), ref: is})
	}
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// crafted lists an answer that no server gave.
func (l *stageList) crafted(a *mysqlwire.Answer, cx *mysqlwire.Context, what string) {
	own := *cx
	own.Command = a.Command
	tag := theme.Crafted
	sum, _ := a.Summary(&own)
	l.add(stageRow{head: true, mark: markAdded, name: what, value: summaryText(&sum, a.Partial), stop: true, tag: tag, tagged: true, ref: answerRef(a, 0, &own, "answer")})
	l.packets(a, &own, markAdded)
}

// packets lists the first packets of an answer.
func (l *stageList) packets(a *mysqlwire.Answer, cx *mysqlwire.Context, k mark) {
	const most = 50
	for i, p := range a.Packets {
		if i == most {
			l.note("… %s more, see the Packet and Result tabs", many(len(a.Packets)-i, "packet", "packets"))
			return
		}
		ref := answerRef(a, i, cx, "answer")
		l.add(stageRow{mark: k, depth: 1, name: p.Kind.String(), value: summary(p, cx), ref: ref, len: len(p.Payload), stop: k != markNone})
		if len(a.Packets) == 1 {
			fields, _ := dissect(p.Kind, p.Payload, cx)
			l.all(fields, ref, 2, k)
		}
	}
}

func answerRef(a *mysqlwire.Answer, i int, cx *mysqlwire.Context, stage string) *frameRef {
	if i >= len(a.Packets) {
		return nil
	}
	return &frameRef{stage: stage, packet: a.Packets[i], seq: (1 + i) & 0xff, cx: cx}
}

// heldResult adds what becomes of a held answer.
func (l *stageList) heldResult(m *Model) {
	h, f := m.s.Held, m.about()
	if h.Answer == nil {
		l.note("%s", f.missing)
		return
	}
	st := steps{l: l, f: f, script: effectFrom(&h.SoFar), final: effectOf(h, m.s.Draft), pre: h.Pre}
	st.changed = st.final.draft
	st.answers(h.Answer)
	l.acted(m, h.ID)
}

func answerSize(a *mysqlwire.Answer, cx *mysqlwire.Context) string {
	s, _ := a.Summary(cx)
	return bytesOf(s.Bytes)
}

// exchange adds what became of an exchange of the journal.
func (l *stageList) exchange(m *Model) {
	d, f := m.s.Detail, m.about()
	if f.received == nil {
		l.note("%s", f.missing)
		l.acted(m, 0)
		return
	}
	if f.missing != "" {
		l.note("%s", f.missing)
	}
	if !m.actedAt(rule.ReadQuery) {
		l.command(d, f)
	}
	l.acted(m, 0)
	if len(m.s.Acted) == 0 {
		l.delivered(d, f, changedBy(d))
		return
	}
	if !m.actedAt(rule.ReadQueryResult) && len(d.Answer.Packets) > 0 {
		l.add(stageRow{})
		l.delivered(d, f, changedBy(d))
	}
}

// command adds the stages of the command of an exchange on which no script acted.
func (l *stageList) command(d *intercept.Detail, f *facts) {
	changed := changedBy(d)
	l.received = &frameRef{stage: "received", packet: *f.received, cx: f.cx}
	l.stage(1, "received", sizeOf(len(f.received.Payload)), f.parts[0].note, l.received, nil)
	sent := f.part("sent")
	switch {
	case d.Exchange.Sent.IsZero() && len(sent) == 0:
		l.stage(3, "not sent", "", changed, l.received, nil)
	case len(sent) == 0:
		l.stage(3, "sent", sizeOf(len(f.received.Payload)), "as received", l.received, nil)
		l.unchanged(l.received)
	default:
		l.sent = &frameRef{stage: "sent", packet: sent[len(sent)-1], cx: f.cx, old: l.received}
		l.stage(3, "sent", packetsSize(sent), changed, l.sent, nil)
		for i := range sent {
			l.message(l.received, &frameRef{stage: "sent", packet: sent[i], cx: f.cx, old: l.received}, 1)
		}
	}
}
