package compress

import (
	"fmt"

	"mydbg/mysqlwire"
)

// Expander takes apart what one side of a connection sent, for those who only listen. The numbers of the frames in it
// are those that were sent, which mean nothing.
type Expander struct {
	algorithm Algorithm
	codec     codec
	held      []byte // of a packet that is not there whole
	failed    error
}

// NewExpander makes one for what comes from the first byte behind the login on.
func NewExpander(a Algorithm) *Expander { return &Expander{algorithm: a, codec: codecOf(a, 0)} }

// Append takes the next bytes and appends to dst what the packets expand to that are whole now. Bytes that cannot be
// expanded are an *Error, for good; what came before them has been appended.
func (e *Expander) Append(dst, b []byte) ([]byte, error) {
	if e.failed != nil {
		return dst, e.failed
	}
	if len(e.held) > 0 {
		e.held = append(e.held, b...)
		b = e.held
	}
	for len(b) >= mysqlwire.CompressedHeaderLen {
		h := mysqlwire.ParseCompressedHeader(b)
		if len(b) < mysqlwire.CompressedHeaderLen+h.Len {
			break
		}
		body := b[mysqlwire.CompressedHeaderLen:][:h.Len]
		b = b[mysqlwire.CompressedHeaderLen+h.Len:]
		if h.Plain == 0 {
			dst = append(dst, body...)
			continue
		}
		out, err := e.codec.expand(nil, body, h.Plain)
		if err == nil && len(out) != h.Plain {
			err = fmt.Errorf("they expand to %d", len(out))
		}
		if err != nil {
			e.failed = &Error{e.algorithm, h, err}
			e.held = nil
			return dst, e.failed
		}
		dst = append(dst, out...)
	}
	e.held = append(e.held[:0], b...)
	return dst, nil
}
