// Package traffic is the pane of events: connections with their exchanges as a tree, or all
// exchanges as a flat list.
//
// The pane keeps a copy of what the journal holds and is told what changed (Sync); it never reads
// everything again, so its cost is that of the changes and of the rows in sight. A filter is
// evaluated on what changed; over what is kept already it runs in slices of time (Work), and takes
// effect when it has seen everything.
//
// The selection belongs to a row's identity: nothing that arrives moves it, and nothing that is
// selected folds away by itself.
package traffic

import (
	"math"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
	"mydbg/tui/vlist"
)

// Keep is how many exchanges are shown unless New is told otherwise; as many as a journal keeps.
const Keep = 20_000

// Feed is what changed since the last one.
type Feed struct {
	Changed []intercept.Exchange
	Conns   []intercept.ConnInfo
	Held    []intercept.Held
	Gone    uint64 // exchanges that the journal has no more
	Now     time.Time
}

// Detail looks up an exchange's bytes for filters that ask for parameters or rows.
type Detail func(intercept.Seq) (intercept.Detail, bool)

// Pane is the list of events. Use New.
type Pane struct {
	th     *theme.Theme
	detail Detail
	now    time.Time
	list   *vlist.List
	w, h   int

	focused bool
	look    int // grows with every change of how rows are drawn

	ring     []item // exchange s is in ring[s % len], of a recording in ring[places[s]]
	places   map[intercept.Seq]int
	nowhere  item   // of what has no place
	whole    *Whole // nil for live traffic
	lo, hi   intercept.Seq
	kept     int // items in the ring
	gone     uint64
	sections []*section // in the order of the tree
	byConn   map[intercept.ConnID]*section
	held     []intercept.Held
	drafts   map[intercept.HoldID]bool
	length   int // rows of the tree

	resume bool // follow again when nothing is held any more

	flat  bool
	order []intercept.Seq // rows of the flat list
	extra []intercept.HoldID

	filter  *rule.Expr
	todo    []intercept.Seq // changed, and not asked about filter yet
	probe   *probe
	search  string
	gen     uint32
	matched int // shown exchanges
}

// item is an exchange and what is remembered about it.
type item struct {
	x     intercept.Exchange
	shown bool // it has a row, unless folded
	pin   bool // shown whatever the filter says
	probe struct {
		gen uint32
		ver uint64
		ok  bool
	}
	line string // its row as drawn
	of   drawn
}

// drawn is what a row depends on: while it stays the same, so does the row.
type drawn struct {
	version uint64
	w       int
	look    int
}

// section is a connection in the tree.
type section struct {
	info   intercept.ConnInfo
	known  bool            // info is from the proxy
	rows   []intercept.Seq // shown exchanges, ascending
	first  int             // rows before it are folded into one
	whole  bool            // the user wants all rows
	fold   fold
	auto   bool // folded by itself, being closed
	held   *intercept.Held
	at     int // place of its first row in the tree
	kept   int // exchanges of it, shown or not
	hidden bool
}

// fold is whether a section is closed: by itself (connections that are) unless the user said.
type fold uint8

const (
	foldAuto fold = iota
	foldOpen
	foldClosed
)

// New makes a pane that keeps so many exchanges; 0 is Keep. detail may be nil.
func New(th *theme.Theme, keep int, detail Detail) *Pane {
	if keep <= 0 {
		keep = Keep
	}
	p := &Pane{
		th: th, detail: detail, ring: make([]item, keep),
		byConn: map[intercept.ConnID]*section{}, drafts: map[intercept.HoldID]bool{},
	}
	p.list = vlist.New(p)
	p.list.SetFollow(true)
	return p
}

// SetDetail changes where exchanges' bytes are looked up.
func (p *Pane) SetDetail(d Detail) { p.detail = d }

// SetTheme changes the looks.
func (p *Pane) SetTheme(th *theme.Theme) {
	p.th = th
	p.look++
}

// SetSize changes the size of the box.
func (p *Pane) SetSize(w, h int) {
	if w == p.w && h == p.h {
		return
	}
	p.w, p.h = w, h
	iw, ih := theme.Inner(w, h)
	p.list.SetSize(iw, ih)
	p.arrange()
}

// SetFocused says whether keys go here; it changes how the selection looks.
func (p *Pane) SetFocused(on bool) { p.focused = on }

// SetNow tells the time for what counts up.
func (p *Pane) SetNow(now time.Time) { p.now = now }

// SetDrafts tells which held events have an unsent edit.
func (p *Pane) SetDrafts(d map[intercept.HoldID]bool) { p.drafts = d }

// Do carries out a movement or a change of the view; false when a is not the pane's.
func (p *Pane) Do(a keymap.ID) bool {
	p.resume = false // whoever moves decides
	switch a {
	case keymap.Down:
		p.list.Move(1)
	case keymap.Up:
		p.list.Move(-1)
	case keymap.Top:
		p.list.Home()
	case keymap.Bottom:
		p.list.End()
	case keymap.HalfDown:
		p.list.HalfPage(1)
	case keymap.HalfUp:
		p.list.HalfPage(-1)
	case keymap.PageDown:
		p.list.Page(1)
	case keymap.PageUp:
		p.list.Page(-1)
	case keymap.Left:
		p.toParent()
	case keymap.Right:
		p.unfold()
	case keymap.Toggle:
		p.toggle()
	case keymap.Follow:
		p.list.SetFollow(!p.list.Following())
	case keymap.Tree:
		p.setFlat(!p.flat)
	default:
		return false
	}
	p.arrange() // what may fold depends on the selection and on following
	return true
}

// Target is what the selected row stands for.
type Target struct {
	Conn     intercept.ConnID
	Exchange intercept.Seq    // 0 on the row of a connection
	Hold     intercept.HoldID // the held event of the row, or the oldest one below it; 0 for none
	Below    bool             // the held event is not the row's own
}

// Selected is the target of the selected row.
func (p *Pane) Selected() (t Target, ok bool) {
	id, _, ok := p.list.Selected()
	if !ok {
		return t, false
	}
	switch n := id >> kindBits; id & kindMask {
	case rowExchange:
		it := p.item(intercept.Seq(n))
		if it == nil {
			return t, false
		}
		t.Conn, t.Exchange = it.x.Conn, it.x.Seq
		if h := p.heldBy(it.x.Seq); h != nil {
			t.Hold, t.Below = h.ID, p.ownRow(h)
		}
	case rowHold:
		h := p.heldID(intercept.HoldID(n))
		if h == nil {
			return t, false
		}
		t.Conn, t.Exchange, t.Hold = h.Conn.ID, h.Exchange, h.ID
	default:
		t.Conn = intercept.ConnID(n)
		if s := p.byConn[t.Conn]; s != nil && s.held != nil {
			t.Hold, t.Below = s.held.ID, true
		}
	}
	return t, true
}

// SelectionVisible reports whether the selected row is in sight.
func (p *Pane) SelectionVisible() bool { return p.list.SelectionVisible() }

// Reveal brings the selected row into sight.
func (p *Pane) Reveal() {
	if id, _, ok := p.list.Selected(); ok {
		p.stay()
		p.list.Select(id)
	}
}

// stay stops following while something is held, so that it stays in sight.
func (p *Pane) stay() {
	if p.list.Following() {
		p.list.SetFollow(false)
		p.resume = len(p.held) > 0
	}
}

// SelectHeld selects the row of a held event, and shows it although the filter hides it. Until nothing is held
// any more the list does not follow.
func (p *Pane) SelectHeld(id intercept.HoldID) bool {
	h := p.heldID(id)
	if h == nil {
		return false
	}
	p.stay()
	if it := p.item(h.Exchange); it != nil && !it.shown {
		it.pin = true
		p.show(it)
		p.arrange()
	}
	if s := p.byConn[h.Conn.ID]; s != nil && p.folded(s) {
		s.fold = foldOpen
		p.arrange()
	}
	if p.ownRow(h) {
		return p.list.Select(uint64(h.ID)<<kindBits | rowHold)
	}
	return p.SelectExchange(h.Exchange)
}

// Pin selects an exchange although the filter hides it; false when it is not kept.
func (p *Pane) Pin(s intercept.Seq) bool {
	it := p.item(s)
	if it == nil {
		return false
	}
	p.list.SetFollow(false)
	if !it.shown {
		it.pin = true
		p.show(it)
		p.arrange()
	}
	return p.SelectExchange(s)
}

// SelectExchange selects an exchange; false when it has no row.
func (p *Pane) SelectExchange(s intercept.Seq) bool {
	it := p.item(s)
	if it == nil || !it.shown {
		return false
	}
	if sec := p.byConn[it.x.Conn]; sec != nil && !p.flat {
		if i := find(sec.rows, s); i >= 0 && i < sec.first {
			p.list.SetFollow(false) // or it would fold away again at once
			sec.first = i
		}
		if p.folded(sec) {
			sec.fold = foldOpen
		}
		p.arrange()
	}
	return p.list.Select(uint64(s)<<kindBits | rowExchange)
}

// Exchange is the pane's copy of an exchange.
func (p *Pane) Exchange(s intercept.Seq) (intercept.Exchange, bool) {
	if it := p.item(s); it != nil {
		return it.x, true
	}
	return intercept.Exchange{}, false
}

// Oldest is the exchange with the smallest number that is kept.
func (p *Pane) Oldest() (x intercept.Exchange, ok bool) {
	for i := range p.ring {
		if it := p.nth(i); it.x.Seq != 0 {
			return it.x, true
		}
	}
	return x, false
}

// Nearest is the kept exchange of a connection that began nearest to a time.
func (p *Pane) Nearest(c intercept.ConnID, at time.Time) (s intercept.Seq, ok bool) {
	best := time.Duration(math.MaxInt64)
	for i := range p.ring {
		it := &p.ring[i]
		if d := it.x.Begun.Sub(at).Abs(); it.x.Seq != 0 && it.x.Conn == c && d < best {
			best, s = d, it.x.Seq
		}
	}
	return s, s != 0
}

// Following reports whether the list stays at the newest rows.
func (p *Pane) Following() bool { return p.list.Following() }

// Flat reports whether the list is flat.
func (p *Pane) Flat() bool { return p.flat }

// Counts are how many exchanges are shown and how many kept.
func (p *Pane) Counts() (shown, kept int) { return p.matched, p.kept }

// Clear forgets every finished exchange, as the journal's Clear does.
func (p *Pane) Clear() {
	for i := range p.ring {
		if it := &p.ring[i]; it.x.Seq != 0 && over(it.x.State) {
			p.drop(it)
		}
	}
	p.rebuild()
}

func over(s intercept.State) bool { return s == intercept.Done || s == intercept.Gone }
