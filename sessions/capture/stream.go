package capture

import (
	"io"
	"net/netip"
	"slices"

	"mydbg/sessions/pcapng"
)

// Side is an end of a stream: 0 is who opened the connection, or who was seen first.
type Side int

// Other is the opposite end.
func (s Side) Other() Side { return 1 - s }

// Stream is one TCP connection. Owner is for whoever listens.
type Stream struct {
	Addr      [2]netip.AddrPort // of its sides
	Interface int               // where its first packet was seen
	Late      bool              // its beginning is not in the capture
	Closed    bool
	Owner     any

	half [2]half
}

// half is what one side sends.
type half struct {
	started bool
	next    uint32 // sequence number expected
	acked   uint32 // by the other side
	fin     bool
	finSeq  uint32
	early   []early // came before their turn, ascending, not overlapping what was delivered
	waited  int     // packets of the stream since the first of early came
}

// early is a segment before its turn.
type early struct {
	seq       uint32
	n         int   // bytes in the file
	announced int   // bytes on the wire
	off       int64 // in the file
	at        int64
	ack       uint32
	acks      bool
}

// Segment is a piece of a stream in its turn. Data is valid during the call.
type Segment struct {
	Data []byte
	Off  int64 // of Data in the file
	At   int64 // nanoseconds since 1970
	// Ahead is how many bytes of the other side, of those handed on so far, the sender had not acknowledged
	// yet; negative when it has acknowledged bytes that are still to come.
	Ahead int
}

// A Sink is told what happens to streams.
type Sink interface {
	Opened(s *Stream, at int64)
	Data(s *Stream, from Side, seg Segment)
	// Missing says that n bytes are not in the capture.
	Missing(s *Stream, from Side, n int, at int64)
	// Ended says that both sides have closed, or that one has reset the connection.
	Ended(s *Stream, reset bool, at int64)
}

// How long a hole waits to be filled.
const (
	patienceAcked = 10  // packets of the stream once the receiver has acknowledged what is missing
	patience      = 512 // packets of the stream in any case
)

// Counts say what was odd about a capture.
type Counts struct {
	Packets, Other uint64 // all; those without TCP
	Repeated       uint64 // segments that had come already
	Early          uint64 // segments before their turn
	Missing        uint64 // bytes
	Cut            uint64 // packets that were not captured whole
}

// Assembler makes streams of packets.
type Assembler struct {
	Counts Counts
	// PerInterface keeps streams of different interfaces apart, though their addresses be the same.
	PerInterface bool
	// InOrder says that nothing comes before its turn: a hole will not be filled.
	InOrder bool

	src     io.ReaderAt
	sink    Sink
	streams map[key]*Stream
	last    *Stream // of the packet before
	lastKey key
	buf     []byte
	now     int64
}

// key names a stream: its ends, the smaller one first.
type key struct {
	lo, hi netip.AddrPort
	iface  int
}

// NewAssembler makes one that tells sink. src is the file that packets' offsets are about.
func NewAssembler(src io.ReaderAt, sink Sink) *Assembler {
	return &Assembler{src: src, sink: sink, streams: map[key]*Stream{}}
}

// Packet takes the next packet of the capture.
func (a *Assembler) Packet(link pcapng.LinkType, b *pcapng.Block) {
	a.Counts.Packets++
	var p packet
	if !p.decode(link, b.Data) {
		a.Counts.Other++
		return
	}
	if p.announced > p.n {
		a.Counts.Cut++
	}
	a.now = b.At
	s, from := a.stream(&p, b)
	if s == nil {
		return
	}
	h := &s.half[from]
	if p.syn {
		h.begin(p.seq + 1)
		p.seq++
	}
	if p.acks {
		a.acked(s, from.Other(), p.ack)
	}
	if p.n > 0 || p.announced > 0 {
		a.segment(s, from, early{p.seq, p.n, p.announced, b.Off + int64(p.at), b.At, p.ack, p.acks}, b.Data[p.at:p.at+p.n])
	}
	if p.fin {
		h.fin, h.finSeq = true, p.seq+uint32(p.announced)
	}
	if p.rst || s.half[0].finished() && s.half[1].finished() {
		a.end(s, p.rst)
	}
}

func (h *half) begin(seq uint32) {
	if !h.started {
		h.started, h.next, h.acked = true, seq, seq
	}
}

// finished reports whether all up to the side's FIN has been delivered.
func (h *half) finished() bool { return h.fin && int32(h.next-h.finSeq) >= 0 }

// stream finds the packet's stream, or begins one.
func (a *Assembler) stream(p *packet, b *pcapng.Block) (*Stream, Side) {
	k := key{lo: p.src, hi: p.dst}
	if p.dst.Compare(p.src) < 0 {
		k.lo, k.hi = p.dst, p.src
	}
	if a.PerInterface {
		k.iface = b.Interface
	}
	s := a.last
	if s == nil || a.lastKey != k {
		s = a.streams[k]
	}
	if s != nil && p.syn && !p.acks { // a new connection between the same ports?
		side := s.side(p.src)
		if h := &s.half[side]; s.Closed || h.started && h.next != p.seq+1 && side == 0 {
			a.end(s, false)
			s = nil
		}
	}
	if s == nil || s.Closed {
		if p.n == 0 && !p.syn || p.rst {
			return nil, 0
		}
		s = &Stream{Addr: [2]netip.AddrPort{p.src, p.dst}, Interface: b.Interface, Late: !p.syn}
		if p.syn && p.acks {
			s.Addr[0], s.Addr[1] = p.dst, p.src
		}
		a.streams[k] = s
		a.sink.Opened(s, b.At)
	}
	a.last, a.lastKey = s, k
	return s, s.side(p.src)
}

func (s *Stream) side(src netip.AddrPort) Side {
	if s.Addr[0] == src {
		return 0
	}
	return 1
}

// acked notes how far the other side has received what a side sends.
func (a *Assembler) acked(s *Stream, side Side, ack uint32) {
	h := &s.half[side]
	if !h.started { // whose first bytes are still to come, or never will
		return
	}
	if int32(ack-h.acked) > 0 {
		h.acked = ack
	}
	if h.fin && ack == h.finSeq+1 {
		ack--
	}
	if lack := int(int32(ack - h.next)); a.InOrder && lack > 0 && len(h.early) == 0 {
		h.next = ack
		a.missing(s, side, lack)
	}
	if len(h.early) == 0 {
		return
	}
	h.waited++
	if int32(h.acked-h.early[0].seq) >= 0 && h.waited >= patienceAcked || h.waited >= patience {
		a.skip(s, side)
	}
}

// segment takes bytes of a side.
func (a *Assembler) segment(s *Stream, from Side, e early, data []byte) {
	h := &s.half[from]
	h.begin(e.seq)
	switch ahead := int32(e.seq - h.next); {
	case ahead > 0:
		a.Counts.Early++
		h.keep(e)
		if h.waited++; h.waited >= patience || a.InOrder {
			a.skip(s, from)
		}
		return
	case ahead < 0:
		over := -int(ahead)
		a.Counts.Repeated++
		if over >= e.announced {
			return
		}
		cut := min(over, e.n)
		data, e.n, e.off = data[cut:], e.n-cut, e.off+int64(cut)
		e.seq, e.announced = h.next, e.announced-over
	}
	a.deliver(s, from, e, data)
	a.drain(s, from)
}

func (a *Assembler) deliver(s *Stream, from Side, e early, data []byte) {
	h := &s.half[from]
	h.next = e.seq + uint32(e.announced)
	if len(data) > 0 {
		seg := Segment{Data: data, Off: e.off, At: max(e.at, a.now)}
		if other := &s.half[from.Other()]; e.acks && other.started {
			seg.Ahead = int(int32(other.next - e.ack))
		}
		a.sink.Data(s, from, seg)
	}
	if lack := e.announced - e.n; lack > 0 {
		a.missing(s, from, lack)
	}
}

func (a *Assembler) missing(s *Stream, from Side, n int) {
	a.Counts.Missing += uint64(n)
	a.sink.Missing(s, from, n, a.now)
}

// keep remembers a segment before its turn.
func (h *half) keep(e early) {
	if len(h.early) == 0 {
		h.waited = 0
	}
	i, _ := slices.BinarySearchFunc(h.early, e.seq, func(x early, seq uint32) int { return int(int32(x.seq - seq)) })
	if i < len(h.early) && h.early[i].seq == e.seq {
		if h.early[i].n < e.n {
			h.early[i] = e
		}
		return
	}
	h.early = slices.Insert(h.early, i, e)
}

// drain delivers what has become due.
func (a *Assembler) drain(s *Stream, from Side) {
	h := &s.half[from]
	for len(h.early) > 0 && int32(h.early[0].seq-h.next) <= 0 {
		e := h.early[0]
		h.early = h.early[1:]
		over := int(int32(h.next - e.seq))
		if over >= e.announced {
			continue
		}
		cut := min(over, e.n)
		e.seq, e.n, e.announced, e.off = h.next, e.n-cut, e.announced-over, e.off+int64(cut)
		a.buf = slices.Grow(a.buf[:0], e.n)[:e.n]
		if n, _ := a.src.ReadAt(a.buf, e.off); n < e.n { // the file has become shorter meanwhile
			e.n = n
		}
		a.deliver(s, from, e, a.buf[:e.n])
	}
	if len(h.early) == 0 {
		h.early, h.waited = nil, 0
	}
}

// skip gives up waiting for what is missing in front of the first early segment.
func (a *Assembler) skip(s *Stream, from Side) {
	h := &s.half[from]
	if len(h.early) == 0 {
		return
	}
	if lack := int(int32(h.early[0].seq - h.next)); lack > 0 {
		h.next = h.early[0].seq
		a.missing(s, from, lack)
	}
	h.waited = 0
	a.drain(s, from)
}

// end closes a stream.
func (a *Assembler) end(s *Stream, reset bool) {
	if s.Closed {
		return
	}
	a.flush(s)
	s.Closed = true
	a.sink.Ended(s, reset, a.now)
}

// flush delivers what is early, with the holes.
func (a *Assembler) flush(s *Stream) {
	for side := range Side(2) {
		for len(s.half[side].early) > 0 {
			a.skip(s, side)
		}
		h := &s.half[side]
		if lack := int(int32(h.finSeq - h.next)); h.fin && h.started && lack > 0 { // the end is known
			h.next = h.finSeq
			a.missing(s, side, lack)
		}
	}
}

// Flush delivers what still waits for missing bytes: the capture is over. Streams stay open that were.
func (a *Assembler) Flush() {
	for _, s := range a.streams {
		if s.Closed {
			continue
		}
		a.flush(s)
		if s.half[0].finished() && s.half[1].finished() {
			a.end(s, false)
		}
	}
}
