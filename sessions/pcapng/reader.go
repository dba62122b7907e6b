package pcapng

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
)

// Block is a packet or a custom block. Its slices are valid until the next one is read.
type Block struct {
	Custom bool
	Data   []byte // the packet as captured, or the custom block's data with what pads it
	Off    int64  // where Data begins in the file

	// Of a packet.
	Interface int   // over all sections, from 0 in the order they are described
	At        int64 // nanoseconds since 1970
	Length    int   // on the wire; more than Data where the capture cut packets

	Enterprise uint32 // of a custom block
	Section    int    // from 0
}

// Interface is where packets were captured.
type Interface struct {
	Link LinkType
	Name string

	perSecond uint64 // units of a packet's time
	offset    int64  // seconds added to it
}

// Section is a part of a file that was written in one go.
type Section struct{ Application string }

// ErrNotCapture means that a file is neither pcap nor pcapng.
var ErrNotCapture = errors.New("this is no capture: neither pcap nor pcapng")

// A FormatError says where a file stops making sense.
type FormatError struct {
	Off int64 // byte of the file
	Msg string
}

func (e *FormatError) Error() string { return fmt.Sprintf("%s at byte %d", e.Msg, e.Off) }

const readAhead = 256 << 10

// Reader reads blocks from a stream. Make it with NewReader.
type Reader struct {
	Interfaces []Interface
	Sections   []Section

	src   io.Reader
	buf   []byte // buf[r:w] is unread
	r, w  int
	off   int64 // of buf[r] in the file
	ended error // what src said

	order binary.ByteOrder
	next  func(*Block) (bool, error)
	base  int // first interface of the section
}

// NewReader looks at the beginning of src. A file of less than a whole magic number is one that was cut
// off: it has no blocks.
func NewReader(src io.Reader) (*Reader, error) {
	r := &Reader{src: src, buf: make([]byte, readAhead)}
	if err := r.fill(4); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			r.next = func(*Block) (bool, error) { return false, io.ErrUnexpectedEOF }
			return r, r.prefix()
		}
		return nil, err
	}
	head := r.buf[r.r:r.w]
	switch magic := binary.LittleEndian.Uint32(head); magic {
	case blockSection:
		r.next = r.block
		return r, nil
	case 0xa1b2c3d4, 0xa1b23c4d:
		r.order = binary.LittleEndian
	case bits.ReverseBytes32(0xa1b2c3d4), bits.ReverseBytes32(0xa1b23c4d):
		r.order = binary.BigEndian
	default:
		return nil, ErrNotCapture
	}
	return r, r.pcap()
}

// prefix reports whether the few bytes there are can be the beginning of a capture.
func (r *Reader) prefix() error {
	head := r.buf[r.r:r.w]
	for _, magic := range []string{"\x0a\x0d\x0d\x0a", "\xd4\xc3\xb2\xa1", "\x4d\x3c\xb2\xa1", "\xa1\xb2\xc3\xd4", "\xa1\xb2\x3c\x4d"} {
		if string(head) == magic[:len(head)] {
			return nil
		}
	}
	return ErrNotCapture
}

// Next reads the next packet or custom block. At the end of the file it is io.EOF, inside a block
// io.ErrUnexpectedEOF: what was read so far stands. A *FormatError ends the reading too.
func (r *Reader) Next(b *Block) error {
	for {
		ok, err := r.next(b)
		if ok || err != nil {
			return err
		}
	}
}

// Off is how far the file has been read.
func (r *Reader) Off() int64 { return r.off }

// fill has n unread bytes in the buffer. Without any it is io.EOF, with too few io.ErrUnexpectedEOF.
func (r *Reader) fill(n int) error {
	if r.w-r.r >= n {
		return nil
	}
	copy(r.buf, r.buf[r.r:r.w])
	r.w -= r.r
	r.r = 0
	for r.w < n {
		if r.w == len(r.buf) { // not more at once than has come: the length may be wrong
			r.buf = append(r.buf, make([]byte, len(r.buf))...)
		}
		if r.ended != nil {
			if !errors.Is(r.ended, io.EOF) {
				return r.ended
			}
			if r.w == 0 {
				return io.EOF
			}
			return io.ErrUnexpectedEOF
		}
		got, err := r.src.Read(r.buf[r.w:])
		r.w += got
		r.ended = err
	}
	return nil
}

func (r *Reader) take(n int) []byte {
	b := r.buf[r.r : r.r+n : r.r+n]
	r.r += n
	r.off += int64(n)
	return b
}

func (r *Reader) wrong(format string, args ...any) error {
	return &FormatError{r.off, fmt.Sprintf(format, args...)}
}

// block reads a block of pcapng; false when it is none to hand out.
func (r *Reader) block(b *Block) (bool, error) {
	if err := r.fill(8); err != nil {
		return false, err
	}
	head := r.buf[r.r:r.w]
	kind := binary.LittleEndian.Uint32(head)
	if kind == blockSection {
		if err := r.fill(12); err != nil {
			return false, err
		}
		head = r.buf[r.r:r.w]
		switch binary.LittleEndian.Uint32(head[8:]) {
		case byteOrder:
			r.order = binary.LittleEndian
		case bits.ReverseBytes32(byteOrder):
			r.order = binary.BigEndian
		default:
			return false, r.wrong("a section header has no byte order")
		}
	} else {
		if r.order == nil {
			return false, r.wrong("the file does not begin with a section header")
		}
		kind = r.order.Uint32(head)
	}
	n := r.order.Uint32(head[4:])
	if n < minimumBlock || n%4 != 0 || n > maxBlock {
		return false, r.wrong("a block has a length of %d bytes", n)
	}
	if err := r.fill(int(n)); err != nil {
		return false, err
	}
	at := r.off + 8
	whole := r.buf[r.r : r.r+int(n)]
	if r.order.Uint32(whole[n-4:]) != n {
		return false, r.wrong("a block's two lengths differ, %d and %d", n, r.order.Uint32(whole[n-4:]))
	}
	body := whole[8 : n-4 : n-4]
	ok, err := r.body(b, kind, body, at)
	if err != nil {
		return false, err
	}
	r.take(int(n))
	return ok, nil
}

func (r *Reader) body(b *Block, kind uint32, body []byte, at int64) (bool, error) {
	switch kind {
	case blockEnhanced, blockPacket:
		if len(body) < 20 {
			return false, r.wrong("a packet block is too short")
		}
		iface := int(r.order.Uint32(body))
		if kind == blockPacket {
			iface = int(r.order.Uint16(body))
		}
		n, length := int(r.order.Uint32(body[12:])), int(r.order.Uint32(body[16:]))
		if n > len(body)-20 {
			return false, r.wrong("a packet has %d bytes where its block has %d", n, len(body)-20)
		}
		at64 := uint64(r.order.Uint32(body[4:]))<<32 | uint64(r.order.Uint32(body[8:]))
		return r.packet(b, iface, at64, body[20:20+n:20+n], length, at+20)
	case blockSimple:
		if len(body) < 4 {
			return false, r.wrong("a packet block is too short")
		}
		length := int(r.order.Uint32(body))
		n := min(length, len(body)-4)
		return r.packet(b, 0, 0, body[4:4+n:4+n], length, at+4)
	case blockSection:
		if len(body) < 16 {
			return false, r.wrong("a section header is too short")
		}
		s := Section{}
		r.options(body[16:], func(code uint16, v []byte) {
			if code == optUserAppl {
				s.Application = string(v)
			}
		})
		r.Sections = append(r.Sections, s)
		r.base = len(r.Interfaces)
	case blockInterface:
		return false, r.describe(body)
	case blockCustom, blockCustomNo:
		if len(body) < 4 {
			return false, r.wrong("a custom block is too short")
		}
		*b = Block{Custom: true, Enterprise: r.order.Uint32(body), Data: body[4:], Off: at + 4, Section: len(r.Sections) - 1}
		return true, nil
	}
	return false, nil
}

func (r *Reader) describe(body []byte) error {
	if len(body) < 8 {
		return r.wrong("an interface description is too short")
	}
	i := Interface{Link: LinkType(r.order.Uint16(body)), perSecond: 1e6}
	r.options(body[8:], func(code uint16, v []byte) {
		switch {
		case code == optName:
			i.Name = string(v)
		case code == optTSResol && len(v) == 1 && v[0]&0x80 != 0 && v[0]&0x7f < 63:
			i.perSecond = 1 << (v[0] & 0x7f)
		case code == optTSResol && len(v) == 1 && v[0] <= 18:
			i.perSecond = uint64(math.Pow10(int(v[0])))
		case code == optTSOffset && len(v) == 8:
			i.offset = int64(r.order.Uint64(v))
		}
	})
	r.Interfaces = append(r.Interfaces, i)
	return nil
}

func (r *Reader) packet(b *Block, iface int, at uint64, data []byte, length int, off int64) (bool, error) {
	i := r.base + iface
	if i >= len(r.Interfaces) || iface < 0 {
		return false, r.wrong("a packet is from interface %d, which is not described", iface)
	}
	*b = Block{
		Data: data, Off: off, Interface: i, At: r.Interfaces[i].nanoseconds(at), Length: max(length, len(data)), Section: len(r.Sections) - 1,
	}
	return true, nil
}

func (i *Interface) nanoseconds(at uint64) int64 {
	switch i.perSecond {
	case 1e9:
		return int64(at) + i.offset*1e9
	case 1e6:
		return int64(at)*1e3 + i.offset*1e9
	}
	hi, lo := bits.Mul64(at%i.perSecond, 1e9)
	part, _ := bits.Div64(hi, lo, i.perSecond)
	return int64(at/i.perSecond)*1e9 + int64(part) + i.offset*1e9
}

// options calls each for those there are. A list that is broken ends there.
func (r *Reader) options(b []byte, each func(code uint16, v []byte)) {
	for len(b) >= 4 {
		code, n := r.order.Uint16(b), int(r.order.Uint16(b[2:]))
		padded := (n + 3) &^ 3
		if code == optEnd || 4+n > len(b) {
			return
		}
		each(code, b[4:4+n])
		b = b[min(4+padded, len(b)):]
	}
}

// pcap reads the header of the older format.
func (r *Reader) pcap() error {
	r.next = func(*Block) (bool, error) { return false, io.ErrUnexpectedEOF }
	if err := r.fill(24); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		return err
	}
	head := r.take(24)
	i := Interface{Link: LinkType(r.order.Uint32(head[20:])), perSecond: 1e6}
	if r.order.Uint32(head) == 0xa1b23c4d {
		i.perSecond = 1e9
	}
	r.Interfaces, r.Sections = []Interface{i}, []Section{{}}
	r.next = r.record
	return nil
}

// record reads a packet of the older format.
func (r *Reader) record(b *Block) (bool, error) {
	const head = 16
	if err := r.fill(head); err != nil {
		return false, err
	}
	h := r.buf[r.r:r.w]
	n, length := r.order.Uint32(h[8:]), r.order.Uint32(h[12:])
	if n > maxBlock {
		return false, r.wrong("a packet has %d bytes", n)
	}
	if err := r.fill(head + int(n)); err != nil {
		return false, err
	}
	h = r.take(head)
	i := &r.Interfaces[0]
	at := int64(r.order.Uint32(h)) * 1e9
	if sub := int64(r.order.Uint32(h[4:])); i.perSecond == 1e9 {
		at += sub
	} else {
		at += sub * 1e3
	}
	off := r.off
	*b = Block{Data: r.take(int(n)), Off: off, At: at, Length: max(int(length), int(n))}
	return true, nil
}
