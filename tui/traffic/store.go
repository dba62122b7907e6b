package traffic

import (
	"cmp"
	"slices"

	"mydbg/intercept"
	"mydbg/intercept/rule"
)

// Sync takes in what changed.
func (p *Pane) Sync(f Feed) {
	p.now, p.gone = f.Now, f.Gone
	p.setHeld(f.Held)
	digits := p.digits()
	for i := range f.Changed {
		p.take(&f.Changed[i])
	}
	if p.digits() != digits {
		p.look++
	}
	p.setConns(f.Conns)
	p.arrange()
	if p.resume && len(p.held) == 0 {
		p.resume = false
		p.list.SetFollow(true)
		p.arrange()
	}
}

// Reset forgets everything: what comes next is another part of a recording.
func (p *Pane) Reset() {
	clear(p.ring)
	p.lo, p.hi, p.kept, p.matched = 0, 0, 0, 0
	if p.places != nil {
		clear(p.places)
	}
	p.sections, p.byConn = nil, map[intercept.ConnID]*section{}
	p.order, p.todo = p.order[:0], nil
	if p.probe != nil {
		p.probe.next, p.probe.matched, p.probe.done = 0, 0, false
	}
	p.arrange()
}

func (p *Pane) slot(s intercept.Seq) *item {
	if p.places == nil {
		return &p.ring[uint64(s)%uint64(len(p.ring))]
	}
	if at, ok := p.places[s]; ok {
		return &p.ring[at]
	}
	return &p.nowhere
}

// nth is the ring in the order of numbers.
func (p *Pane) nth(i int) *item {
	if p.places != nil {
		return &p.ring[i]
	}
	return p.slot(p.hi + 1 + intercept.Seq(i)) // from its oldest slot on
}

// item finds a kept exchange; nil if there is none.
func (p *Pane) item(s intercept.Seq) *item {
	if it := p.slot(s); s != 0 && it.x.Seq == s {
		return it
	}
	return nil
}

// take stores an exchange that is new or has changed.
func (p *Pane) take(x *intercept.Exchange) {
	if p.places != nil {
		if _, ok := p.places[x.Seq]; !ok {
			if len(p.places) == len(p.ring) {
				return // it is a part that has no end
			}
			p.places[x.Seq] = len(p.places)
		}
	}
	it := p.slot(x.Seq)
	switch {
	case it.x.Seq == x.Seq:
		if x.SQL == "" {
			x.SQL = it.x.SQL
		}
		it.x = *x
	case it.x.Seq > x.Seq:
		return // a newer one has taken its place
	default:
		if it.x.Seq != 0 {
			p.drop(it)
		}
		*it = item{x: *x}
		p.kept++
		p.section(x.Conn).kept++
		p.hi = max(p.hi, x.Seq)
		if p.lo == 0 || x.Seq < p.lo {
			p.lo = x.Seq
		}
	}
	if p.filter != nil {
		p.todo = append(p.todo, x.Seq)
		return
	}
	p.show(it)
}

// drop forgets an exchange.
func (p *Pane) drop(it *item) {
	p.hide(it)
	p.kept--
	if s := p.byConn[it.x.Conn]; s != nil {
		s.kept--
	}
	*it = item{}
}

// show gives an exchange a row. Rows come nearly in order, so a search from the end is short.
func (p *Pane) show(it *item) {
	if it.shown {
		return
	}
	it.shown = true
	p.matched++
	s := p.section(it.x.Conn)
	at := place(s.rows, it.x.Seq)
	s.rows = slices.Insert(s.rows, at, it.x.Seq)
	if at < s.first {
		s.first++
	}
	if p.flat {
		p.order = slices.Insert(p.order, place(p.order, it.x.Seq), it.x.Seq)
	}
}

// hide takes an exchange's row away.
func (p *Pane) hide(it *item) {
	if !it.shown {
		return
	}
	it.shown = false
	p.matched--
	s := p.section(it.x.Conn)
	if at := find(s.rows, it.x.Seq); at >= 0 {
		s.rows = without(s.rows, at)
		if at < s.first {
			s.first--
		}
	}
	if p.flat {
		if at := find(p.order, it.x.Seq); at >= 0 {
			p.order = without(p.order, at)
		}
	}
}

// without removes row at; the first one, which is what falls out as a rule, without moving the others.
func without(rows []intercept.Seq, at int) []intercept.Seq {
	if at == 0 {
		return rows[1:]
	}
	return slices.Delete(rows, at, at+1)
}

// place is where s belongs in ascending rows.
func place(rows []intercept.Seq, s intercept.Seq) int {
	if n := len(rows); n == 0 || rows[n-1] < s {
		return n
	}
	at, _ := slices.BinarySearch(rows, s)
	return at
}

func find(rows []intercept.Seq, s intercept.Seq) int {
	if at, ok := slices.BinarySearch(rows, s); ok {
		return at
	}
	return -1
}

// section finds a connection's part of the tree, or makes it.
func (p *Pane) section(c intercept.ConnID) *section {
	s := p.byConn[c]
	if s == nil {
		s = &section{info: intercept.ConnInfo{ID: c}}
		p.byConn[c] = s
		p.sections = append(p.sections, s)
	}
	return s
}

// setConns takes the connections' states, forgets those of which nothing is left, and puts the
// closed ones first, so that what lives is near the tail.
func (p *Pane) setConns(infos []intercept.ConnInfo) {
	for _, s := range p.sections {
		s.known = false
	}
	for i := range infos {
		s := p.section(infos[i].ID)
		s.info, s.known = infos[i], true
	}
	p.sections = slices.DeleteFunc(p.sections, func(s *section) bool {
		if !s.known && s.info.Closed.IsZero() {
			s.info.Phase = intercept.Closed // too long ago for the proxy to know
		}
		if s.kept > 0 || s.held != nil || s.known && s.info.Phase != intercept.Closed {
			return false
		}
		delete(p.byConn, s.info.ID)
		return true
	})
	slices.SortFunc(p.sections, func(a, b *section) int {
		if ac, bc := a.closed(), b.closed(); ac != bc {
			if ac {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.info.ID, b.info.ID)
	})
}

func (s *section) closed() bool { return s.info.Phase == intercept.Closed }

func (p *Pane) setHeld(held []intercept.Held) {
	p.held = held
	for _, s := range p.sections {
		s.held = nil
	}
	p.extra = p.extra[:0]
	for i := range held {
		h := &held[i]
		if s := p.section(h.Conn.ID); s.held == nil {
			s.held = h
		}
	}
}

func (p *Pane) heldID(id intercept.HoldID) *intercept.Held {
	for i := range p.held {
		if p.held[i].ID == id {
			return &p.held[i]
		}
	}
	return nil
}

func (p *Pane) heldBy(s intercept.Seq) *intercept.Held {
	for i := range p.held {
		if s != 0 && p.held[i].Exchange == s {
			return &p.held[i]
		}
	}
	return nil
}

// ownRow reports whether a held event has a row of its own: login events, which belong to no
// exchange, and, in the tree, results, which come after their query.
func (p *Pane) ownRow(h *intercept.Held) bool {
	if it := p.item(h.Exchange); it == nil || !it.shown {
		return true
	}
	return !p.flat && h.Point != rule.ReadQuery
}

// HiddenHeld counts the held events whose exchange the filter hides.
func (p *Pane) HiddenHeld() (n int) {
	for i := range p.held {
		if it := p.item(p.held[i].Exchange); it != nil && !it.shown {
			n++
		}
	}
	return n
}

// rebuild makes all rows anew from shown.
func (p *Pane) rebuild() {
	for _, s := range p.sections {
		s.rows, s.first = s.rows[:0], 0
	}
	p.order, p.matched = p.order[:0], 0
	for i := range p.ring {
		it := p.nth(i)
		if it.x.Seq == 0 || !it.shown {
			continue
		}
		p.matched++
		s := p.section(it.x.Conn)
		s.rows = append(s.rows, it.x.Seq)
		if p.flat {
			p.order = append(p.order, it.x.Seq)
		}
	}
	for _, s := range p.sections {
		s.first = max(len(s.rows)-p.tail(), 0)
	}
	p.arrange()
}

func (p *Pane) setFlat(on bool) {
	p.flat = on
	p.look++
	p.rebuild()
}
