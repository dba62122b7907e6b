package traffic

import (
	"slices"

	"mydbg/intercept"
)

// The kind of a row is in the lowest bits of its id, the number of what it shows above them.
const (
	rowExchange = iota + 1
	rowConn
	rowHold
	rowEarlier

	kindBits = 3
	kindMask = 1<<kindBits - 1
)

// arrange works out where each row is. It costs as much as there are connections.
func (p *Pane) arrange() {
	tail := p.tail()
	selected, _, any := p.list.Selected()
	if p.list.Following() {
		p.foldClosed(selected, any)
	}
	p.length = 0
	p.extra = p.extra[:0]
	for _, s := range p.sections {
		s.hidden = p.Filter() != nil && len(s.rows) == 0 && s.held == nil
		// Rows fold away only while the list follows, and never the selected one or those after it.
		if p.list.Following() && !s.whole {
			first := max(len(s.rows)-tail, 0)
			if it := p.item(intercept.Seq(selected >> kindBits)); any && selected&kindMask == rowExchange && it != nil && it.x.Conn == s.info.ID {
				if i := find(s.rows, it.x.Seq); i >= 0 {
					first = min(first, i)
				}
			}
			if first > s.first || first < s.first && len(s.rows)-s.first < tail {
				s.first = first
			}
		}
		s.at = p.length
		p.length += p.height(s)
		if s.held != nil && p.flat && p.ownRow(s.held) {
			p.extra = append(p.extra, s.held.ID)
		}
	}
	p.list.Sync()
}

// tail is how many of its newest rows each open connection shows while the list follows: as many as let all of them
// be in sight, but not fewer than two.
func (p *Pane) tail() int {
	_, h := p.list.Size()
	for t := min(h, 40); t > 2; t-- {
		need := 0
		for _, s := range p.sections {
			need++
			if s.closed() {
				continue
			}
			if need += min(len(s.rows), t); len(s.rows) > t {
				need++
			}
			if s.held != nil && p.ownRow(s.held) {
				need++
			}
		}
		if need <= h {
			return t
		}
	}
	return 2
}

func (p *Pane) folded(s *section) bool {
	switch s.fold {
	case foldOpen:
		return false
	case foldClosed:
		return true
	default:
		return s.auto && s.held == nil
	}
}

// foldClosed folds the oldest closed connections, as many as it takes for the others to have room. The
// one with the selection stays as it is.
func (p *Pane) foldClosed(selected uint64, any bool) {
	var keep *section
	if any {
		keep, _ = p.rowOf(selected)
	}
	_, room := p.list.Size()
	for i := len(p.sections) - 1; i >= 0; i-- {
		s := p.sections[i]
		room--
		if s.closed() {
			n := min(len(s.rows), p.tail())
			if s != keep {
				s.auto = n > room
			}
			if s.auto {
				continue
			}
		} else {
			s.auto = false
		}
		room -= min(len(s.rows), p.tail())
	}
}

// height is how many rows a section has: itself, what is folded away, its exchanges, a held event
// with a row of its own.
func (p *Pane) height(s *section) int {
	switch {
	case s.hidden:
		return 0
	case p.folded(s):
		return 1
	}
	n := 1 + len(s.rows) - s.first
	if s.first > 0 {
		n++
	}
	if s.held != nil && p.ownRow(s.held) {
		n++
	}
	return n
}

// Len is the number of rows.
func (p *Pane) Len() int {
	if p.flat {
		return len(p.order) + len(p.extra)
	}
	return p.length
}

// ID is the identity of row i.
func (p *Pane) ID(i int) uint64 {
	if p.flat {
		if i < len(p.order) {
			return uint64(p.order[i])<<kindBits | rowExchange
		}
		return uint64(p.extra[i-len(p.order)])<<kindBits | rowHold
	}
	s := p.sectionAt(i)
	n := uint64(s.info.ID) << kindBits
	switch k := i - s.at; {
	case k == 0:
		return n | rowConn
	case k == 1 && s.first > 0:
		return n | rowEarlier
	default:
		if s.first > 0 {
			k--
		}
		if r := s.first + k - 1; r < len(s.rows) {
			return uint64(s.rows[r])<<kindBits | rowExchange
		}
		return uint64(s.held.ID)<<kindBits | rowHold
	}
}

// sectionAt is the section that row i is in.
func (p *Pane) sectionAt(i int) *section {
	at, _ := slices.BinarySearchFunc(p.sections, i, func(s *section, i int) int {
		switch {
		case s.at+p.height(s) <= i:
			return -1
		case s.at > i:
			return 1
		default:
			return 0
		}
	})
	return p.sections[at]
}

// Index is the place of the row with that identity, -1 if there is none.
func (p *Pane) Index(id uint64) int {
	n := id >> kindBits
	if p.flat {
		switch id & kindMask {
		case rowExchange:
			return find(p.order, intercept.Seq(n))
		case rowHold:
			if i := slices.Index(p.extra, intercept.HoldID(n)); i >= 0 {
				return len(p.order) + i
			}
		}
		return -1
	}
	s, rest := p.rowOf(id)
	if s == nil || s.hidden || rest != 0 && p.folded(s) {
		return -1
	}
	return s.at + rest
}

// rowOf is a row's section and its place in it; nil if there is no such row.
func (p *Pane) rowOf(id uint64) (s *section, at int) {
	n := id >> kindBits
	earlier := func(s *section) int {
		if s.first > 0 {
			return 1
		}
		return 0
	}
	switch id & kindMask {
	case rowConn:
		return p.byConn[intercept.ConnID(n)], 0
	case rowEarlier:
		if s := p.byConn[intercept.ConnID(n)]; s != nil && s.first > 0 {
			return s, 1
		}
	case rowHold:
		h := p.heldID(intercept.HoldID(n))
		if h == nil || !p.ownRow(h) {
			return nil, 0
		}
		if s := p.byConn[h.Conn.ID]; s != nil && s.held != nil && s.held.ID == h.ID {
			return s, 1 + earlier(s) + len(s.rows) - s.first
		}
	default:
		it := p.item(intercept.Seq(n))
		if it == nil || !it.shown {
			return nil, 0
		}
		s := p.byConn[it.x.Conn]
		if i := find(s.rows, it.x.Seq); i >= s.first {
			return s, 1 + earlier(s) + i - s.first
		}
	}
	return nil, 0
}

// toggle folds or unfolds what the selected row stands for.
func (p *Pane) toggle() {
	id, _, ok := p.list.Selected()
	if !ok || p.flat {
		return
	}
	s, _ := p.rowOf(id)
	if s == nil {
		return
	}
	switch {
	case id&kindMask == rowEarlier:
		s.whole, s.first = true, 0
		if len(s.rows) > 0 {
			defer p.list.Select(uint64(s.rows[0])<<kindBits | rowExchange)
		}
	case p.folded(s):
		s.fold = foldOpen
	default:
		s.fold, s.whole = foldClosed, false
		defer p.list.Select(uint64(s.info.ID)<<kindBits | rowConn)
	}
	p.arrange()
}

func (p *Pane) unfold() {
	if id, _, ok := p.list.Selected(); ok && !p.flat {
		if s, _ := p.rowOf(id); s != nil && (p.folded(s) || id&kindMask == rowEarlier) {
			p.toggle()
		}
	}
}

// toParent goes to the connection's row, and folds it when it is there already.
func (p *Pane) toParent() {
	id, _, ok := p.list.Selected()
	if !ok || p.flat {
		return
	}
	s, at := p.rowOf(id)
	switch {
	case s == nil:
	case at > 0:
		p.list.Select(uint64(s.info.ID)<<kindBits | rowConn)
	case !p.folded(s):
		p.toggle()
	}
}
