// Package wiretext writes what crossed one connection as text that a person can read, edit and
// review, and reads it back. Nothing is lost: Parse(c.String()) equals c, byte for byte.
//
//	server: 10.11.19-MariaDB
//
//	# What the customer sees.
//	C 0 COM_QUERY: 03 "select id, name from customers"
//	S 1 column count: 02
//	S 2 ColumnDefinition41: <"def"> <"lab"> <"customers"> <"customers"> <"id"> <"id"> 0c 3f00 0b000000 03 0342 00 0000  # type=LONG, flags=16899
//	S 5 text row: <"1"> <"Ada">
//	S 6 text row: <"2"> null
//
// First come facts, one on a line. Then every packet is a line: who sends it (C or S), the sequence
// number of its first frame, its kind in MySQL's words, and the payload as pieces:
//
//	"text"     bytes as text; \" \\ \n \r \t and \xNN for what cannot be shown
//	0c3f00     bytes in hex
//	<...>      the pieces inside behind their length, as a length-encoded string
//	null       the NULL of a text row, fb
//	"x"*16000  a piece so many times; 00*8 too
//	...        at the end: the packet filled its frames and its last frame was not seen
//
// A line that begins with a space goes on with the packet before. What follows # is a comment:
// String writes one that says what a packet's numbers mean, Parse skips them all.
//
// The kind stands there for people and for tests to compare with. The bytes alone decide what a
// reader does: see Conversation.Explain. A conversation that begins in the middle has a fact
// "capabilities", the agreed ones as a number, because nobody can decode without them.
package wiretext

import (
	"strings"

	"mydbg/mysqlwire"
)

// Names of facts that decoding uses.
const (
	FactServer       = "server"       // version as the server says it; MariaDB if it has that in it
	FactCapabilities = "capabilities" // a number; there is no login in a conversation that has it
)

// Fact is a header line. Names are lower-case letters, digits, blanks and hyphens, beginning with a letter.
type Fact struct{ Name, Value string }

// Packet is one payload, however many frames it took.
type Packet struct {
	Dir     mysqlwire.Direction
	Seq     uint8 // of the first frame; the others count on
	Kind    mysqlwire.Kind
	Payload []byte
	Cut     bool // the last frame is missing: the payload is whole frames of mysqlwire.MaxFrame bytes
}

// Conversation is what crossed one connection, in the order it was seen. The zero value is empty.
type Conversation struct {
	Facts   []Fact
	packets []Packet
}

// New is a conversation of these packets. Their payloads are kept, not copied.
func New(facts []Fact, packets ...Packet) *Conversation {
	return &Conversation{Facts: facts, packets: packets}
}

// Add appends a packet. Its payload is kept, not copied.
func (c *Conversation) Add(p Packet) { c.packets = append(c.packets, p) }

// Packets are all packets in order. Callers leave them as they are.
func (c *Conversation) Packets() []Packet { return c.packets }

// Fact is the value of a header line, "" if there is none.
func (c *Conversation) Fact(name string) string {
	for _, f := range c.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Frames are the frames of one direction as they are on the wire, headers included.
func (c *Conversation) Frames(dir mysqlwire.Direction) [][]byte {
	var frames [][]byte
	for _, p := range c.packets {
		if p.Dir != dir {
			continue
		}
		p.each(func(h mysqlwire.Header, body []byte) {
			frames = append(frames, append(h.Append(make([]byte, 0, mysqlwire.HeaderLen+len(body))), body...))
		})
	}
	return frames
}

// each calls f for every frame of the packet.
func (p *Packet) each(f func(h mysqlwire.Header, body []byte)) {
	rest, seq := p.Payload, p.Seq
	for {
		n := min(len(rest), mysqlwire.MaxFrame)
		f(mysqlwire.Header{Len: n, Seq: seq}, rest[:n])
		rest = rest[n:]
		seq++
		if n < mysqlwire.MaxFrame || p.Cut && len(rest) == 0 {
			return
		}
	}
}

// mariadb reports what the facts say of the server.
func (c *Conversation) mariadb() bool { return strings.Contains(c.Fact(FactServer), "MariaDB") }
