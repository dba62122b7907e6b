package tui

import (
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/sessions"
)

// listed are the exchanges of a recording that a condition lets through: numbers of all of them, so that the
// list is the whole recording although the pane has but a window of it.
type listed struct {
	filter *rule.Expr // nil lets everything through
	rows   []uint32   // what it lets through, ascending
	next   intercept.Seq
	late   []intercept.Seq // under way when they were asked
	done   bool            // everything was asked, and nothing will come
}

// pos is the place of the first row that is s or behind it.
func (l *listed) pos(s intercept.Seq) int {
	if l.filter == nil {
		return int(max(s, 1) - 1)
	}
	i, _ := slices.BinarySearch(l.rows, uint32(s))
	return i
}

// at is the exchange of row i.
func (l *listed) at(i int) intercept.Seq {
	if l.filter == nil {
		return intercept.Seq(i + 1)
	}
	return intercept.Seq(l.rows[i])
}

// asker asks conditions about exchanges of a recording. It is for one goroutine.
type asker struct {
	c      *sessions.Cursor
	infos  map[intercept.ConnID]*intercept.ConnInfo
	marked map[intercept.Seq]bool
}

// withText are the fields that need an exchange's text or error.
var withText = rule.Set("sql", "digest", "digest_text", "verb", "tables", "write", "ddl", "comment", "chatter", "params", "row", "error", "len")

// eval asks a condition about an exchange. Without a condition the answer is true.
func (a *asker) eval(x *rule.Expr, s intercept.Seq) (ok bool, state intercept.State, err error) {
	own, env, err := a.env(s, x.Uses())
	if err != nil {
		return false, 0, err
	}
	ok, err = x.Eval(env)
	return ok, own.State, err
}

// env is what a condition asks about an exchange.
func (a *asker) env(s intercept.Seq, uses rule.FieldSet) (*sessions.Exchange, *rule.Env, error) {
	read := a.c.Counts
	if uses.Has(withText) {
		read = a.c.Exchange
	}
	x, err := read(s)
	if err != nil {
		return nil, nil, err
	}
	if a.marked[s] {
		x.Marks |= intercept.MarkMarked
	}
	who := intercept.ConnInfo{ID: x.Conn}
	if info := a.infos[x.Conn]; info != nil {
		who = *info
	}
	who.User, who.DB = x.User, x.DB
	own := x.Exchange
	var detail *intercept.Detail
	if intercept.NeedsDetail(uses) || own.SQLLen > len(own.SQL) {
		if rec, err := a.c.Look(s, lookLimit); err == nil {
			detail = &rec.Detail
			own.SQL = rec.Statement
		}
	}
	return &x, own.Env(&who, detail, uses), nil
}

// asker makes one, for what is known of the connections now.
func (e *recording) asker() *asker {
	a := &asker{c: e.r.Cursor(), infos: map[intercept.ConnID]*intercept.ConnInfo{}, marked: map[intercept.Seq]bool{}}
	for _, c := range e.r.Conns() {
		info := c.ConnInfo
		a.infos[c.ID] = &info
	}
	for s, n := range e.marked {
		if n%2 == 1 {
			a.marked[s] = true
		}
	}
	return a
}

// askSlice is how long conditions are asked at once, aside of the screen.
const askSlice = 25 * time.Millisecond

// askedMsg is what a condition lets through of some more exchanges.
type askedMsg struct {
	e    *recording
	of   *listed
	rows []uint32
	next intercept.Seq
	late []intercept.Seq
	done bool
}

// ask goes on with a condition. What is under way is asked again when nothing more will come.
func (e *recording) ask(l *listed) tea.Cmd {
	r, a, filter, next := e.r, e.askers(), l.filter, l.next
	late := slices.Clone(l.late)
	return func() tea.Msg {
		msg := askedMsg{e: e, of: l, next: next}
		ended := r.Progress().Done
		n := intercept.Seq(r.Len())
		for end := time.Now().Add(askSlice); msg.next <= n; msg.next++ {
			if msg.next%32 == 0 && time.Now().After(end) {
				return msg
			}
			ok, state, err := a.eval(filter, msg.next)
			switch {
			case ok || err != nil: // what cannot be asked is not hidden
				msg.rows = append(msg.rows, uint32(msg.next))
			case state == intercept.InFlight:
				msg.late = append(msg.late, msg.next)
			}
		}
		if !ended {
			return msg
		}
		msg.done = true
		for _, s := range append(late, msg.late...) {
			if ok, _, err := a.eval(filter, s); ok || err != nil {
				msg.rows = append(msg.rows, uint32(s))
			}
		}
		msg.late = nil
		return msg
	}
}

// askers is the asker that is used aside of the screen, by one command at a time.
func (e *recording) askers() *asker {
	if n := e.r.Len(); e.aside == nil || e.asideOf != n || len(e.marked) > 0 {
		e.aside, e.asideOf = e.asker(), n
	}
	return e.aside
}

// take adds what was asked; false when rows came before others that are there.
func (l *listed) take(msg askedMsg) (inOrder bool) {
	inOrder = true
	before := 0
	if n := len(l.rows); n > 0 {
		before = int(l.rows[n-1])
	}
	for _, s := range msg.rows {
		inOrder = inOrder && int(s) > before
		before = int(s)
	}
	l.rows, l.next, l.done = append(l.rows, msg.rows...), msg.next, msg.done
	l.late = append(l.late, msg.late...)
	if l.done {
		l.late = nil
	}
	if !inOrder {
		l.rows = slices.Sorted(slices.Values(l.rows)) // a search may be reading them
	}
	return inOrder
}

// asks goes on with the condition that is typed, or the one in force, while there is something to ask.
func (m *Model) asks() tea.Cmd {
	if m.rec == nil || m.rec.asking {
		return nil
	}
	for _, l := range []*listed{m.rec.probe, m.rec.list} {
		if l == nil || l.filter == nil || l.done || l.next > intercept.Seq(m.rec.r.Len()) && !m.rec.r.Progress().Done {
			continue
		}
		m.rec.asking = true
		return m.rec.ask(l)
	}
	return nil
}

// asked takes in what a condition lets through.
func (m *Model) asked(msg askedMsg) {
	msg.e.asking = false
	if m.rec != msg.e {
		return
	}
	inOrder := msg.of.take(msg)
	if msg.of != m.rec.list {
		return
	}
	at, any := m.events.Selected()
	if !inOrder {
		m.rec.move(m.rec.list.pos(at.Exchange))
		m.events.Reset()
	}
	m.pull()
	switch want := m.rec.want; {
	case want == 0:
		if !inOrder {
			m.events.SelectExchange(at.Exchange)
		}
	case any && at.Exchange != m.rec.wantFrom: // somebody has moved on
		m.rec.want = 0
	case m.rec.list.done || m.rec.list.next > want:
		m.rec.want = 0
		m.nearest(want)
	default:
		if t, ok := m.events.Selected(); ok {
			m.rec.wantFrom = t.Exchange
		}
	}
}

// filterRecorded lists what a condition lets through, of the whole recording; everything with nil.
func (m *Model) filterRecorded(x *rule.Expr) {
	e := m.rec
	t, _ := m.events.Selected()
	l := e.probe
	if l == nil || x == nil || l.filter.String() != x.String() {
		l = &listed{filter: x, next: 1}
	}
	e.probe, e.list, e.want = nil, l, 0
	if x == nil || l.done || l.next > t.Exchange {
		m.nearest(t.Exchange)
		return
	}
	e.want = t.Exchange
	e.move(0)
	m.events.Reset()
	m.pull()
	if e.rows() > 0 {
		m.events.Pin(e.list.at(0))
	}
	at, _ := m.events.Selected()
	e.wantFrom = at.Exchange
}

// nearest selects the row that is s, or the next one, or the last one.
func (m *Model) nearest(s intercept.Seq) {
	e := m.rec
	n := e.rows()
	i := min(e.list.pos(s), n-1)
	e.move(max(i, 0))
	m.events.Reset()
	m.pull()
	if n > 0 && m.events.Pin(e.list.at(i)) {
		m.events.Reveal()
	}
}
