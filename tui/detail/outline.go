package detail

import (
	"slices"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
)

// spot names a row of the outline whatever is folded above it.
type spot struct {
	part   int
	packet int // -1: the part's own row; as many as there are packets: what is said after them
	node   int // -1: the packet's own row
}

// outline is the tree of all packets of a subject: parts, their packets, and the fields of those that
// are opened. A packet alone has neither a row for its part nor one for itself.
type outline struct {
	parts  []part
	alone  bool
	shut   []bool      // by part
	open   [][]unfold  // by part, ordered by packet
	counts []*segments // by part
	sums   map[[2]int]string
	cur    spot
	top    int
}

// unfold is an opened packet in its part.
type unfold struct {
	packet int
	*opened
}

// outline is the tree of the subject's packets.
func (m *Model) outline() *outline {
	if m.tree == nil {
		m.tree = newOutline(m.about().parts, m.about().point)
	}
	return m.tree
}

func newOutline(parts []part, from intercept.Point) *outline {
	o := &outline{
		parts: parts, alone: len(parts) == 1 && len(parts[0].packets) == 1,
		shut: make([]bool, len(parts)), open: make([][]unfold, len(parts)), counts: make([]*segments, len(parts)),
		sums: map[[2]int]string{}, cur: spot{packet: -1, node: -1},
	}
	for i := range parts {
		o.counts[i] = newSegments(&parts[i])
	}
	if o.alone {
		o.unfold(0, 0)
		o.cur = spot{0, 0, 0}
		return o
	}
	start := 0
	for i := range parts { // a packet alone is worth seeing, but not at the cost of an answer
		if parts[i].name == "answer" && len(parts[i].packets) > 0 && parts[0].name == "command" && from == rule.ReadQueryResult {
			start = i
		}
	}
	for i := range parts {
		if len(parts[i].packets) == 1 && i >= start {
			o.unfold(i, 0)
		}
	}
	if len(parts) > 0 {
		o.cur = spot{start, 0, -1}
		if len(parts[start].packets) == 0 {
			o.cur.packet = -1
		}
	}
	return o
}

// takeOver goes on where another outline of the same event was.
func (o *outline) takeOver(was *outline) {
	same := func(i int) bool {
		return i < len(o.parts) && i < len(was.parts) && o.parts[i].name == was.parts[i].name && o.alone == was.alone
	}
	for i := range was.parts {
		if !same(i) {
			continue
		}
		o.shut[i] = was.shut[i]
		kept := o.open[i]
		o.open[i] = nil
		for _, u := range was.open[i] {
			if u.packet >= len(o.parts[i].packets) {
				continue
			}
			o.unfold(i, u.packet)
			if now := o.unfolded(i, u.packet); now != nil && len(now.nodes) == len(u.nodes) {
				for j := range now.nodes {
					now.nodes[j].folded = u.nodes[j].folded
				}
				now.show()
			}
		}
		if len(was.open[i]) == 0 && len(was.parts[i].packets) != len(o.parts[i].packets) {
			o.open[i] = kept
		}
	}
	if same(was.cur.part) && was.cur.packet <= len(o.parts[was.cur.part].packets) {
		o.cur, o.top = was.cur, was.top
	}
	if u := o.unfolded(o.cur.part, o.cur.packet); o.cur.node >= 0 && (u == nil || o.cur.node >= len(u.nodes)) {
		o.cur.node = -1
		if o.alone {
			o.cur.node = 0
		}
	}
}

func (o *outline) unfolded(part, packet int) *opened {
	if part < 0 || part >= len(o.open) {
		return nil
	}
	list := o.open[part]
	i, ok := slices.BinarySearchFunc(list, packet, func(u unfold, p int) int { return u.packet - p })
	if !ok {
		return nil
	}
	return list[i].opened
}

// unfold takes a packet apart.
func (o *outline) unfold(part, packet int) {
	list := o.open[part]
	i, ok := slices.BinarySearchFunc(list, packet, func(u unfold, p int) int { return u.packet - p })
	if ok {
		return
	}
	opened := o.takeApart(part, packet)
	o.open[part] = slices.Insert(list, i, unfold{packet, opened})
}

func (o *outline) takeApart(part, packet int) *opened {
	p := &o.parts[part]
	return open(p.packets[packet], o.counts[part].seq(packet), o.counts[part].context(packet), p.full, o.alone)
}

func (o *outline) fold(part, packet int) {
	o.open[part] = slices.DeleteFunc(o.open[part], func(u unfold) bool { return u.packet == packet })
}

// ownRow is 1 where packets and parts have rows of their own.
func (o *outline) ownRow() int {
	if o.alone {
		return 0
	}
	return 1
}

// length is the number of rows of a part.
func (o *outline) length(part int) int {
	n := o.ownRow()
	if o.shut[part] {
		return n
	}
	n += len(o.parts[part].packets) * o.ownRow()
	for _, u := range o.open[part] {
		n += len(u.visible)
	}
	if o.parts[part].cut != "" {
		n++
	}
	return n
}

func (o *outline) rows() int {
	n := 0
	for i := range o.parts {
		n += o.length(i)
	}
	return n
}

// at is what stands in a row.
func (o *outline) at(row int) spot {
	for i := range o.parts {
		n := o.length(i)
		if row >= n {
			row -= n
			continue
		}
		row -= o.ownRow()
		if row < 0 {
			return spot{i, -1, -1}
		}
		packet := 0
		for _, u := range o.open[i] {
			if before := (u.packet - packet) * o.ownRow(); row < before {
				return spot{i, packet + row, -1}
			} else {
				row -= before
			}
			packet = u.packet
			row -= o.ownRow()
			switch {
			case row < 0:
				return spot{i, packet, -1}
			case row < len(u.visible):
				return spot{i, packet, u.visible[row]}
			}
			row -= len(u.visible)
			packet++
		}
		if o.alone {
			return spot{i, len(o.parts[i].packets), -1}
		}
		return spot{i, min(packet+row, len(o.parts[i].packets)), -1}
	}
	return spot{packet: -1, node: -1}
}

// row is where a spot stands.
func (o *outline) row(s spot) int {
	row := 0
	for i := 0; i < s.part && i < len(o.parts); i++ {
		row += o.length(i)
	}
	if s.part >= len(o.parts) || s.packet < 0 || o.shut[s.part] {
		return row
	}
	row += o.ownRow() + s.packet*o.ownRow()
	for _, u := range o.open[s.part] {
		if u.packet > s.packet {
			break
		}
		if u.packet == s.packet {
			if s.node >= 0 {
				row += o.ownRow() + u.place(s.node)
			}
			return row
		}
		row += len(u.visible)
	}
	return row
}

// selected is the node under the cursor; nil on rows that are none.
func (o *outline) selected() *node {
	u := o.unfolded(o.cur.part, o.cur.packet)
	if u == nil || o.cur.node < 0 || o.cur.node >= len(u.nodes) {
		return nil
	}
	return &u.nodes[o.cur.node]
}

func (o *outline) do(a keymap.ID, h int) bool {
	if len(o.parts) == 0 {
		return false
	}
	row := o.row(o.cur)
	if to, ok := move(a, row, o.rows(), h); ok {
		o.cur = o.at(to)
		return true
	}
	if a == keymap.Toggle || a == keymap.Open {
		o.toggle()
		return true
	}
	return false
}

// toggle opens or folds what is under the cursor; on a field, the group it is in.
func (o *outline) toggle() {
	c := &o.cur
	switch {
	case c.packet < 0:
		o.shut[c.part] = !o.shut[c.part]
	case c.packet >= len(o.parts[c.part].packets):
	case c.node < 0:
		if o.unfolded(c.part, c.packet) != nil {
			o.fold(c.part, c.packet)
		} else {
			o.unfold(c.part, c.packet)
		}
	default:
		u := o.unfolded(c.part, c.packet)
		i := c.node
		for i > 0 && u.nodes[i].leaf() {
			parent := i - 1
			for parent >= 0 && parent+u.nodes[parent].kids < i {
				parent--
			}
			if parent < 0 {
				break
			}
			i = parent
		}
		if u.nodes[i].leaf() {
			if !o.alone {
				o.fold(c.part, c.packet)
				c.node = -1
			}
			return
		}
		u.nodes[i].folded = !u.nodes[i].folded
		u.show()
		c.node = i
	}
}

// packet is the one under the cursor, or the first of its part; nil if there is none.
func (o *outline) packet() (at [2]int, ok bool) {
	c := o.cur
	if c.part >= len(o.parts) || len(o.parts[c.part].packets) == 0 {
		return at, false
	}
	return [2]int{c.part, min(max(c.packet, 0), len(o.parts[c.part].packets)-1)}, true
}

// segments know what a part's packets need to be decoded: columns and sequence numbers.
type segments struct {
	part     *part
	long     []int // packets of several frames
	size     int   // with headers
	results  []segment
	contexts map[int]*mysqlwire.Context
}

// segment is where the definitions of a result's columns are.
type segment struct{ first, defs, end int }

func newSegments(p *part) *segments {
	s := &segments{part: p, contexts: map[int]*mysqlwire.Context{}}
	defining := false
	for i := range p.packets {
		n := len(p.packets[i].Payload)
		s.size += mysqlwire.HeaderLen*mysqlwire.Frames(n) + n
		if n >= mysqlwire.MaxFrame {
			s.long = append(s.long, i)
		}
		switch p.packets[i].Kind {
		case mysqlwire.KindColumnCount:
			s.results = append(s.results, segment{first: i, defs: i + 1, end: i + 1})
			defining = true
		case mysqlwire.KindColumn:
			if n := len(s.results); defining && n > 0 {
				s.results[n-1].end = i + 1
			}
		default:
			defining = false
		}
	}
	return s
}

// seq is the sequence number of a packet; -1 if it is not known.
func (s *segments) seq(packet int) int {
	if s.part.seq < 0 {
		return -1
	}
	n := packet
	if s.part.seq == 0 { // every command begins anew
		n = 0
	}
	for _, l := range s.long {
		if l < packet && s.part.seq > 0 {
			n += mysqlwire.Frames(len(s.part.packets[l].Payload)) - 1
		}
	}
	return (s.part.seq + n) & 0xff
}

// context decodes a packet: rows need the columns of their own result.
func (s *segments) context(packet int) *mysqlwire.Context {
	if !s.part.packets[packet].Kind.IsRow() {
		return &s.part.cx
	}
	at := -1
	for i := range s.results {
		if s.results[i].first <= packet {
			at = i
		}
	}
	if at < 0 || s.results[at].end <= s.results[at].defs {
		return &s.part.cx
	}
	if cx := s.contexts[at]; cx != nil {
		return cx
	}
	cx := s.part.cx
	cx.Columns = nil
	for _, p := range s.part.packets[s.results[at].defs:s.results[at].end] {
		var c mysqlwire.Column
		if c.Decode(p.Payload, &cx) != nil {
			break
		}
		cx.Columns = append(cx.Columns, c)
	}
	s.contexts[at] = &cx
	return &cx
}
