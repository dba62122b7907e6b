package intercept

import (
	"encoding/binary"

	"mydbg/mysqlwire"
)

// stage says which of an exchange's packets a captured one is.
type stage uint8

const (
	stageReceived  stage = iota // the client's command
	stageSent                   // what the server was sent instead
	stageAnswer                 // the server's answer
	stageDelivered              // what the client was sent instead
	stageUpload                 // the beginning of what the client sends of a file
)

// captureLimit is how many bytes of one exchange the journal keeps: enough to look at any
// statement and the first rows of its answer. Recordings keep everything.
const captureLimit = 64 << 10

const captureHeader = 10 // stage, kind, length on the wire, bytes kept

// capture collects the packets of one exchange. It is reused from one to the next.
type capture struct {
	buf  []byte
	open int // offset of the record that more appends to
	more int // bytes it still takes
	cut  bool
}

func (c *capture) reset() { *c = capture{buf: c.buf[:0]} }

// begin opens the record of a packet of n bytes; add fills it.
func (c *capture) begin(s stage, k mysqlwire.Kind, n int) {
	c.more = 0
	room := captureLimit - len(c.buf) - captureHeader
	if room < 0 {
		c.cut = true
		return
	}
	c.open = len(c.buf)
	c.more = min(n, room)
	c.cut = c.cut || c.more < n
	c.buf = append(c.buf, byte(s), byte(k))
	c.buf = binary.LittleEndian.AppendUint32(c.buf, uint32(min(n, 1<<32-1)))
	c.buf = binary.LittleEndian.AppendUint32(c.buf, 0)
}

// head is begin for a packet of which no more than most bytes are wanted; what is left out is not missed.
func (c *capture) head(s stage, k mysqlwire.Kind, n, most int) {
	cut := c.cut
	c.begin(s, k, n)
	c.cut, c.more = cut, min(c.more, most)
}

// command is the command that the server got last, as far as it was kept.
func (c *capture) command() (k mysqlwire.Kind, payload []byte, whole bool) {
	for buf := c.buf; len(buf) >= captureHeader; {
		full, kept := binary.LittleEndian.Uint32(buf[2:]), binary.LittleEndian.Uint32(buf[6:])
		if s := stage(buf[0]); s == stageReceived || s == stageSent {
			k, payload, whole = mysqlwire.Kind(buf[1]), buf[captureHeader:][:kept:kept], full == kept
		}
		buf = buf[captureHeader+kept:]
	}
	return k, payload, whole
}

// extend says that the packet goes on in another frame of n bytes.
func (c *capture) extend(n int) {
	if c.open+captureHeader > len(c.buf) || c.cut {
		c.cut = true
		return
	}
	rec := c.buf[c.open:]
	binary.LittleEndian.PutUint32(rec[2:], binary.LittleEndian.Uint32(rec[2:])+uint32(n))
	c.more = min(n, captureLimit-len(c.buf))
	c.cut = c.more < n
}

func (c *capture) add(b []byte) {
	if c.more == 0 {
		return
	}
	b = b[:min(len(b), c.more)]
	c.buf = append(c.buf, b...)
	c.more -= len(b)
	kept := c.buf[c.open+6:]
	binary.LittleEndian.PutUint32(kept, binary.LittleEndian.Uint32(kept)+uint32(len(b)))
}

// packet is begin and add for a packet that is there whole.
func (c *capture) packet(s stage, k mysqlwire.Kind, payload []byte) {
	c.begin(s, k, len(payload))
	c.add(payload)
	c.more = 0
}

// rows is packet for whole rows of an answer, headers included.
func (c *capture) rows(k mysqlwire.Kind, frames []byte) {
	for len(frames) > 0 && !c.cut {
		end := mysqlwire.HeaderLen + mysqlwire.ParseHeader(frames).Len
		c.packet(stageAnswer, k, frames[mysqlwire.HeaderLen:end])
		frames = frames[end:]
	}
}

func (c *capture) answer(s stage, a *mysqlwire.Answer) {
	for _, p := range a.Packets {
		c.packet(s, p.Kind, p.Payload)
	}
	c.cut = c.cut || a.Partial
}

// Detail is what the journal still has of an exchange's bytes.
type Detail struct {
	Exchange
	Context  *mysqlwire.Context // decodes its packets; Columns are those of the last result
	Stmt     *mysqlwire.Stmt    // of an execute
	Received mysqlwire.Packet   // the command as it came; no payload when an exchange was injected
	Sent     []mysqlwire.Packet // what the server was sent instead; nil when it was the same
	Answer   mysqlwire.Answer   // the server's
	// Delivered is what the client was sent instead of Answer; nil when it was the same. An empty
	// one with MarkHidden: the client saw nothing.
	Delivered *mysqlwire.Answer
	Uploaded  []mysqlwire.Packet // the beginning of the files that the client sent, each as far as it was kept
	Missing   bool               // the bytes are gone from memory
	Cut       bool               // only the first captureLimit bytes were kept
}

// replay reads captured records into d.
func (d *Detail) replay(buf []byte) {
	for len(buf) >= captureHeader {
		s, k := stage(buf[0]), mysqlwire.Kind(buf[1])
		full, kept := binary.LittleEndian.Uint32(buf[2:]), binary.LittleEndian.Uint32(buf[6:])
		buf = buf[captureHeader:]
		p := mysqlwire.Packet{Kind: k, Payload: buf[:kept:kept]}
		buf = buf[kept:]
		partial := kept < full
		switch s {
		case stageReceived:
			d.Received = p
			d.Cut = d.Cut || partial
		case stageSent:
			d.Sent = append(d.Sent, p)
			d.Cut = d.Cut || partial
		case stageAnswer:
			addPacket(&d.Answer, p, partial)
		case stageDelivered:
			if d.Delivered == nil {
				d.Delivered = &mysqlwire.Answer{Command: d.Command}
			}
			addPacket(d.Delivered, p, partial)
		case stageUpload:
			d.Uploaded = append(d.Uploaded, p)
		}
	}
}

// addPacket leaves the torso of a packet that was cut out: its decoder would only stumble.
func addPacket(a *mysqlwire.Answer, p mysqlwire.Packet, partial bool) {
	if partial {
		a.Partial = true
		return
	}
	a.Packets = append(a.Packets, p)
}
