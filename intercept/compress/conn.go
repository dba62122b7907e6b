package compress

import (
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"mydbg/mysqlwire"
)

const (
	// minBody is the smallest body that is compressed, as in MySQL's own programs.
	minBody = 50
	// maxBody is the largest body that is made of what is written. The protocol allows
	// mysqlwire.MaxFrame; smaller ones cost little and bound the memory.
	maxBody = 256 << 10
	// readAtOnce is what is read from the connection below at once.
	readAtOnce = 32 << 10
	// keptBuffer is the largest buffer that is kept for the next packet.
	keptBuffer = 512 << 10
)

// Error says why the peer's compressed packets cannot be read any further.
type Error struct {
	Algorithm Algorithm
	Header    mysqlwire.CompressedHeader
	Err       error
}

func (e *Error) Error() string {
	return fmt.Sprintf("compressed packet %d, %s, %d bytes that should expand to %d: %v", e.Header.Seq, e.Algorithm, e.Header.Len, e.Header.Plain, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Conn reads and writes a connection's compressed packets. One goroutine may read while another
// writes. A Read that a deadline ended can be repeated: nothing is lost.
type Conn struct {
	net.Conn
	algorithm Algorithm
	codec     codec
	client    bool

	// The reader's.
	raw      []byte
	r, w     int // bytes of raw that have not been used
	header   mysqlwire.CompressedHeader
	inside   bool // a packet, whose header has been read
	left     int  // bytes of its body still to come, where it is not compressed
	expanded []byte
	given    int // bytes of expanded that have been returned
	in       walker
	theirs   uint8 // the newest frame's number, as the peer gave it
	first    bool  // the next frame begins a packet that itself has the number of a command's first
	failed   error

	// The writer's.
	out     []byte
	payload int    // bytes of the frame under way still to come
	held    []byte // the beginning of a frame's header

	mu   sync.Mutex
	next uint8 // number of the next packet written
	last uint8 // right number of the newest frame in either direction
	sent bool  // which was written, not read

	stats struct{ wireIn, in, wireOut, out atomic.Uint64 }
}

// Client is the layer over a connection to a server. prefix are bytes of c that have been read
// already; level is of Zstd, 1 to 22, 0 for DefaultLevel.
func Client(c net.Conn, a Algorithm, level int, prefix []byte) *Conn {
	return newConn(c, a, level, prefix, true)
}

// Server is the layer over a connection to a client.
func Server(c net.Conn, a Algorithm, level int, prefix []byte) *Conn {
	return newConn(c, a, level, prefix, false)
}

func newConn(nc net.Conn, a Algorithm, level int, prefix []byte, client bool) *Conn {
	c := &Conn{Conn: nc, algorithm: a, codec: codecOf(a, level), client: client, sent: !client, raw: make([]byte, max(readAtOnce, len(prefix)))}
	c.w = copy(c.raw, prefix)
	return c
}

// Stats are what has crossed a leg: the bytes of its compressed packets, and of the frames in them.
type Stats struct {
	Algorithm       Algorithm
	WireIn, WireOut uint64
	In, Out         uint64
}

// Ratio is the part of the bytes that was left to send: 0.25 where compression saved three
// quarters, 1 before anything has crossed.
func (s Stats) Ratio() float64 {
	if s.In+s.Out == 0 {
		return 1
	}
	return float64(s.WireIn+s.WireOut) / float64(s.In+s.Out)
}

// Stats are as of now, for any goroutine.
func (c *Conn) Stats() Stats {
	return Stats{
		Algorithm: c.algorithm,
		WireIn:    c.stats.wireIn.Load(), In: c.stats.in.Load(),
		WireOut: c.stats.wireOut.Load(), Out: c.stats.out.Load(),
	}
}

// Read returns frames, or parts of them. Bytes that cannot be expanded are an *Error, for good.
func (c *Conn) Read(p []byte) (int, error) {
	if c.failed != nil {
		return 0, c.failed
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := c.read(p)
		if n > 0 {
			c.number(p[:n])
			c.stats.in.Add(uint64(n))
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// read is Read, but may return nothing.
func (c *Conn) read(p []byte) (int, error) {
	switch {
	case c.given < len(c.expanded):
		n := copy(p, c.expanded[c.given:])
		c.given += n
		if c.given == len(c.expanded) {
			c.given, c.expanded = 0, reusable(c.expanded)
		}
		return n, nil
	case !c.inside:
		return 0, c.begin()
	case c.header.Plain != 0:
		return 0, c.expand()
	}
	return c.plain(p)
}

// begin reads a packet's header.
func (c *Conn) begin() error {
	if err := c.need(mysqlwire.CompressedHeaderLen); err != nil {
		if c.r < c.w {
			err = unexpected(err)
		}
		return err
	}
	c.header = mysqlwire.ParseCompressedHeader(c.raw[c.r:])
	c.r += mysqlwire.CompressedHeaderLen
	c.left = c.header.Len
	c.inside = c.left > 0 || c.header.Plain > 0
	c.stats.wireIn.Add(uint64(mysqlwire.CompressedHeaderLen + c.header.Len))
	c.mu.Lock()
	c.first = c.in.left == 0 && c.in.have == 0 && c.begins(c.header.Seq, c.next-1, false)
	c.next = c.header.Seq + 1
	c.mu.Unlock()
	return nil
}

// plain returns a part of a body that is not compressed.
func (c *Conn) plain(p []byte) (n int, err error) {
	p = p[:min(len(p), c.left)]
	if c.r < c.w {
		n = copy(p, c.raw[c.r:c.w])
		c.r += n
	} else if n, err = c.Conn.Read(p); n == 0 {
		return 0, unexpected(err)
	}
	c.left -= n
	c.inside = c.left > 0
	return n, nil
}

// expand waits for a whole body and expands it.
func (c *Conn) expand() (err error) {
	if err := c.need(c.header.Len); err != nil {
		return unexpected(err)
	}
	body := c.raw[c.r : c.r+c.header.Len]
	c.expanded, err = c.codec.expand(c.expanded[:0], body, c.header.Plain)
	if err == nil && len(c.expanded) != c.header.Plain {
		err = fmt.Errorf("they expand to %d", len(c.expanded))
	}
	if err != nil {
		c.failed = &Error{c.algorithm, c.header, err}
		c.raw, c.expanded = nil, nil
		return c.failed
	}
	c.r += c.header.Len
	c.inside, c.given = false, 0
	if rest := c.raw[c.r:c.w]; cap(c.raw) > keptBuffer && len(rest) <= readAtOnce {
		c.raw = append(make([]byte, 0, readAtOnce), rest...)[:readAtOnce]
		c.r, c.w = 0, len(rest)
	}
	return nil
}

// need reads until n bytes of raw are unused. raw grows as they come.
func (c *Conn) need(n int) error {
	for c.w-c.r < n {
		if c.r > 0 {
			c.w = copy(c.raw, c.raw[c.r:c.w])
			c.r = 0
		}
		if c.w == len(c.raw) {
			c.raw = slices.Grow(c.raw, min(len(c.raw), n-c.w))
			c.raw = c.raw[:cap(c.raw)]
		}
		m, err := c.Conn.Read(c.raw[c.w:])
		c.w += m
		if m == 0 && err != nil {
			return err
		}
	}
	return nil
}

// number gives the frames in b the numbers that they would have without compression.
func (c *Conn) number(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		off, h, ok := c.in.next(b)
		if !ok {
			return
		}
		right := c.last + 1
		if !c.client && (c.first || c.begins(h.Seq, c.theirs, false)) {
			right = 0
		}
		c.first = false
		c.theirs, c.last, c.sent = h.Seq, right, false
		b[off-1] = right
		b = b[off:]
	}
}

// begins reports whether a frame of the client with this number, after one with the number before,
// is a command's first. After 256 frames that nobody has answered 0 comes round again.
func (c *Conn) begins(seq, before uint8, sent bool) bool {
	return seq == 0 && (before != 255 || c.sent != sent)
}

// walker finds the headers in a stream of frames.
type walker struct {
	head [mysqlwire.HeaderLen]byte
	have int // bytes of head
	left int // bytes of the payload still to come
}

// next moves behind the next header in b. Without one it moves to the end of b.
func (w *walker) next(b []byte) (off int, h mysqlwire.Header, ok bool) {
	off = min(w.left, len(b))
	w.left -= off
	n := copy(w.head[w.have:], b[off:])
	w.have += n
	if w.have < mysqlwire.HeaderLen {
		return 0, h, false
	}
	h = mysqlwire.ParseHeader(w.head[:])
	w.have, w.left = 0, h.Len
	return off + n, h, true
}

// Write sends frames, or parts of them. The beginning of a frame's header is kept back until the
// rest of it is written.
func (c *Conn) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		b := rest
		rest = nil
		if len(c.held) > 0 {
			n := min(len(b), readAtOnce)
			c.held = append(c.held, b[:n]...)
			b, rest = c.held, b[n:]
		}
		for {
			n, command := c.cut(b)
			if n == 0 {
				break
			}
			if err := c.send(b[:n], command); err != nil {
				return 0, err
			}
			b = b[n:]
		}
		c.held = append(c.held[:0], b...)
	}
	c.stats.out.Add(uint64(len(p)))
	return len(p), nil
}

// cut finds how much of b goes into packets before the next command begins, and whether b begins
// with one. It leaves out the beginning of a header, 3 bytes at most.
func (c *Conn) cut(b []byte) (n int, command bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n < len(b) {
		if k := min(c.payload, len(b)-n); k > 0 {
			n += k
			c.payload -= k
			continue
		}
		if len(b)-n < mysqlwire.HeaderLen {
			break
		}
		h := mysqlwire.ParseHeader(b[n:])
		if c.client && c.begins(h.Seq, c.last, true) {
			if n > 0 {
				break
			}
			command = true
		}
		c.last, c.sent = h.Seq, true
		c.payload = h.Len
		n += mysqlwire.HeaderLen
	}
	return n, command
}

// send writes b in packets.
func (c *Conn) send(b []byte, command bool) error {
	for len(b) > 0 {
		body := b[:min(len(b), maxBody)]
		b = b[len(body):]
		var blank [mysqlwire.CompressedHeaderLen]byte
		c.out = append(c.out[:0], blank[:]...)
		h := mysqlwire.CompressedHeader{Plain: len(body)}
		if len(body) >= minBody {
			c.out = c.codec.shrink(c.out, body)
		}
		if h.Len = len(c.out) - len(blank); h.Len == 0 || h.Len >= len(body) {
			c.out = append(c.out[:len(blank)], body...)
			h.Len, h.Plain = len(body), 0
		}
		h.Seq = c.packetNumber(command)
		command = false
		h.Append(c.out[:0])
		c.stats.wireOut.Add(uint64(len(c.out)))
		if _, err := c.Conn.Write(c.out); err != nil {
			return err
		}
	}
	return nil
}

// packetNumber is the number of the next packet written.
func (c *Conn) packetNumber(command bool) uint8 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if command {
		c.next = 0
	}
	c.next++
	return c.next - 1
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// reusable is b's memory for the next use, unless it is large.
func reusable(b []byte) []byte {
	if cap(b) > keptBuffer {
		return nil
	}
	return b[:0]
}
