package mysqlwire

// Direction is which way a frame travels.
type Direction uint8

const (
	ToServer Direction = iota
	ToClient
)

// Other is the opposite direction.
func (d Direction) Other() Direction { return 1 - d }

func (d Direction) String() string {
	if d == ToServer {
		return "to server"
	}
	return "to client"
}

const (
	HeaderLen = 4
	// MaxFrame is the largest payload of one frame. A payload of MaxFrame bytes or more is
	// continued in further frames, the last of which is shorter and may be empty.
	MaxFrame = 1<<24 - 1
	// HeadLen is how many payload bytes of a frame the Tracker asks for (fewer if the payload is shorter).
	HeadLen = 32
)

// Header is the four bytes in front of every frame.
type Header struct {
	Len int // payload bytes, 0 to MaxFrame
	Seq uint8
}

// ParseHeader reads the first HeaderLen bytes of b, which must be there.
func ParseHeader(b []byte) Header {
	_ = b[3]
	return Header{Len: int(b[0]) | int(b[1])<<8 | int(b[2])<<16, Seq: b[3]}
}

// Append appends the header's wire form.
func (h Header) Append(dst []byte) []byte {
	return append(dst, byte(h.Len), byte(h.Len>>8), byte(h.Len>>16), h.Seq)
}

// AppendPacket appends payload as frames numbered from seq, and returns the number after the
// last one. A payload whose length is a multiple of MaxFrame ends with an empty frame.
func AppendPacket(dst, payload []byte, seq uint8) ([]byte, uint8) {
	for {
		n := min(len(payload), MaxFrame)
		dst = Header{Len: n, Seq: seq}.Append(dst)
		dst = append(dst, payload[:n]...)
		payload = payload[n:]
		seq++
		if n < MaxFrame {
			return dst, seq
		}
	}
}

// Frames says how many frames a payload of n bytes takes.
func Frames(n int) int { return n/MaxFrame + 1 }
