package detail

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"mydbg/mysqlwire"
	"mydbg/tui/hexview"
)

const (
	// textDissected is how much of a long statement is taken apart; the rest belongs to its last field.
	textDissected = 64 << 10
	// bulkDissected is how much of a bulk execute is: every row of it is a group of fields.
	bulkDissected = 1 << 20
	maxSpans      = 2000
)

// node is a row of an opened packet: a field, or a group of fields. Offsets count from the header.
type node struct {
	depth    int
	name     string
	value    string // of a group, what is in it
	off, len int
	kids     int // descendants, which follow it
	folded   bool
	bad      bool // says what could not be decoded
	number   int  // in the packet, from 0
	from     *opened
}

func (n *node) leaf() bool { return n.kids == 0 }

// bytes are those of the field.
func (n *node) bytes() []byte {
	b := n.from.frame
	off := min(max(n.off, 0), len(b))
	return b[off:min(off+n.len, len(b))]
}

// copied is the value for the clipboard; text without the quotes it is shown in.
func (n *node) copied() string {
	if s, err := strconv.Unquote(n.value); err == nil && strings.HasPrefix(n.value, `"`) {
		return s
	}
	return n.value
}

// raw is the field's bytes, as far as a line may want them.
func (n *node) raw() string {
	b := n.bytes()
	const most = 64
	if len(b) > most {
		return hex.EncodeToString(b[:most]) + fmt.Sprintf("… (%s)", bytesOf(len(b)))
	}
	return hex.EncodeToString(b)
}

// opened is a packet taken apart.
type opened struct {
	frame   []byte // header and payload
	headed  bool   // the header is known
	nodes   []node // each before its descendants
	visible []int  // of nodes
}

// header is what stands in front of a payload: of a packet of several frames, the first frame's.
func header(n, seq int) []byte {
	return mysqlwire.Header{Len: min(n, mysqlwire.MaxFrame), Seq: uint8(seq)}.Append(nil)
}

// open takes a packet apart. seq is -1 if it is not known: then there is no header to show. full is
// the length of a packet of which only the beginning is here, else 0.
func open(p mysqlwire.Packet, seq int, cx *mysqlwire.Context, full int, alone bool) *opened {
	full = max(full, len(p.Payload))
	o := &opened{headed: seq >= 0}
	skip := 0
	if o.headed {
		skip = mysqlwire.HeaderLen
		o.frame = append(append(make([]byte, 0, skip+len(p.Payload)), header(full, seq)...), p.Payload...)
	} else {
		o.frame = p.Payload
	}
	fields, err := dissect(p.Kind, p.Payload, cx)
	depth := 0
	if alone {
		o.add(node{name: "packet", value: packetInfo(full, seq), off: 0, len: skip})
		name := p.Kind.String()
		message := node{depth: 1, name: name, off: skip, len: len(p.Payload)}
		if p.Kind.IsCommand() && len(fields) > 0 && fields[0].Name == "command" && len(p.Payload) > 0 {
			message.value = fmt.Sprintf("0x%02x", p.Payload[0])
			fields = fields[1:]
		}
		o.add(message)
		depth = 2
	} else if o.headed {
		o.add(node{name: "packet", value: packetInfo(full, seq), off: 0, len: skip})
	}
	o.fields(fields, depth, skip)
	if err != nil {
		off, _ := decodeOffset(err)
		o.add(node{depth: depth, name: "not decoded", value: err.Error(), off: skip + off, len: max(len(p.Payload)-off, 0), bad: true})
	}
	for i := range o.nodes {
		n := &o.nodes[i]
		n.number, n.from = i, o
		for j := i + 1; j < len(o.nodes) && o.nodes[j].depth > n.depth; j++ {
			n.kids++
		}
		// The types stand with the values again, and a screen full of anything says nothing.
		n.folded = n.kids > 0 && (n.name == "parameter_types" || n.kids > 200 && n.depth > 1)
	}
	o.show()
	return o
}

func (o *opened) add(n node) { o.nodes = append(o.nodes, n) }

func (o *opened) fields(list []mysqlwire.Field, depth, skip int) {
	for _, f := range list {
		n := node{depth: depth, name: f.Name, value: f.Value, off: f.Off + skip, len: f.Len}
		if len(f.Children) > 0 && n.value == "" {
			n.value = count(len(f.Children))
		}
		o.add(n)
		o.fields(f.Children, depth+1, skip)
	}
}

// dissect is mysqlwire's, but for long packets only as far as anybody reads.
func dissect(k mysqlwire.Kind, payload []byte, cx *mysqlwire.Context) ([]mysqlwire.Field, error) {
	limit := len(payload)
	switch k {
	case mysqlwire.KindQuery, mysqlwire.KindStmtPrepare:
		limit = textDissected
	case mysqlwire.KindStmtBulkExecute:
		limit = bulkDissected
	}
	if limit >= len(payload) {
		return mysqlwire.Dissect(k, payload, cx)
	}
	fields, err := mysqlwire.Dissect(k, payload[:limit], cx)
	if k == mysqlwire.KindStmtBulkExecute {
		return fields, fmt.Errorf("only the first %s of %s are taken apart here", bytesOf(limit), bytesOf(len(payload)))
	}
	if err != nil || len(fields) == 0 { // long before the text
		return mysqlwire.Dissect(k, payload, cx)
	}
	last := &fields[len(fields)-1]
	last.Value += fmt.Sprintf("… (%s)", bytesOf(len(payload)-last.Off))
	last.Len = len(payload) - last.Off
	return fields, nil
}

// decodeOffset is where a decoder stopped.
func decodeOffset(err error) (off int, ok bool) {
	if e, is := err.(*mysqlwire.DecodeError); is {
		return e.Off, true
	}
	return 0, false
}

// packetInfo is what the header says.
func packetInfo(n, seq int) string {
	s := "len " + count(n)
	if seq >= 0 {
		s += fmt.Sprintf("   seq %d", uint8(seq))
	}
	if n := mysqlwire.Frames(n); n > 1 {
		s += fmt.Sprintf("   in %d frames, joined", n)
	}
	return s
}

// show works out which nodes are visible.
func (o *opened) show() {
	o.visible = o.visible[:0]
	for i := 0; i < len(o.nodes); i++ {
		o.visible = append(o.visible, i)
		if o.nodes[i].folded {
			i += o.nodes[i].kids
		}
	}
}

// place is the row of a node; that of what hides it if it is folded away.
func (o *opened) place(number int) int {
	lo, hi := 0, len(o.visible)
	for lo < hi {
		if mid := (lo + hi) / 2; o.visible[mid] <= number {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return max(lo-1, 0)
}

// innermost is the deepest node with the byte at off; -1 if there is none.
func (o *opened) innermost(off int) int {
	best := -1
	for i := range o.nodes {
		n := &o.nodes[i]
		if off >= n.off && off < n.off+n.len && (best < 0 || n.depth >= o.nodes[best].depth) {
			best = i
		}
	}
	return best
}

// reveal opens all that hides a node.
func (o *opened) reveal(number int) {
	for i := range o.nodes[:number] {
		if n := &o.nodes[i]; n.folded && i+n.kids >= number {
			n.folded = false
		}
	}
	o.show()
}

// spans are what stretches of the bytes mean.
func (o *opened) spans() []hexview.Span {
	var list []hexview.Span
	for i := range o.nodes {
		n := &o.nodes[i]
		if len(list) == maxSpans {
			break
		}
		switch {
		case n.len == 0, n.bad:
		case n.off == 0 && o.headed && n.depth == 0:
			list = append(list, hexview.Span{Off: 0, Len: mysqlwire.HeaderLen, Label: "header"})
		case n.leaf():
			list = append(list, hexview.Span{Off: n.off, Len: n.len, Label: n.name + " " + firstOf(n.value, 40)})
		case n.depth == 1 && strings.HasPrefix(n.name, "COM_"):
			list = append(list, hexview.Span{Off: n.off, Len: 1, Label: n.name})
		}
	}
	return list
}
