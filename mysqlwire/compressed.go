package mysqlwire

// CompressedHeaderLen is the size of a CompressedHeader.
const CompressedHeaderLen = 7

// CompressedHeader is the seven bytes in front of every compressed packet, which stands under the
// frames once compression has been agreed: its body is any slice of the stream of frames, half a
// one or many. See MySQL's Protocol::CompressedPacket.
type CompressedHeader struct {
	Len   int   // bytes of the body that follow, 0 to MaxFrame
	Seq   uint8 // counted for itself: a command begins with 0, either side continues the other's
	Plain int   // bytes that the body expands to, 0 to MaxFrame; 0: the body is not compressed
}

// ParseCompressedHeader reads the first CompressedHeaderLen bytes of b, which must be there.
func ParseCompressedHeader(b []byte) CompressedHeader {
	_ = b[6]
	return CompressedHeader{
		Len: int(b[0]) | int(b[1])<<8 | int(b[2])<<16, Seq: b[3],
		Plain: int(b[4]) | int(b[5])<<8 | int(b[6])<<16,
	}
}

// Append appends the header's wire form.
func (h CompressedHeader) Append(dst []byte) []byte {
	return append(dst, byte(h.Len), byte(h.Len>>8), byte(h.Len>>16), h.Seq, byte(h.Plain), byte(h.Plain>>8), byte(h.Plain>>16))
}

// Expands is how many bytes of frames the body carries.
func (h CompressedHeader) Expands() int {
	if h.Plain == 0 {
		return h.Len
	}
	return h.Plain
}
