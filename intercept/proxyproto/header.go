// Package proxyproto reads and writes the header of the PROXY protocol, versions 1 and 2: what a
// proxy sends in front of everything else so that the other side learns who has connected to it.
// It does no I/O. See "The PROXY protocol" of HAProxy, sections 2.1 and 2.2.
//
// Nothing about a header can be trusted beyond whoever sent it: believe only those who may announce
// others.
package proxyproto

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Kind says what a header announces.
type Kind uint8

const (
	// Proxied is a connection of the client at Source to Destination.
	Proxied Kind = iota
	// Local is a connection that the proxy makes for itself, a health check for example. Only
	// version 2 can say so.
	Local
	// Unknown is a client whose address the proxy does not know or cannot say.
	Unknown
)

// Header is what a proxy announces.
type Header struct {
	Version     int // 1 or 2
	Kind        Kind
	Source      Address // zero unless Proxied
	Destination Address
	TLVs        []TLV // in the order they came; version 2 only. That of the checksum is not among them
	// Checksum is whether the header has one. It is checked by Parse and made by Append.
	Checksum bool
}

// Address is an end of a connection: IP and port, or the path of a Unix socket.
type Address struct {
	IP   netip.AddrPort
	Path string // at most 107 bytes; for Unix sockets, where it may be empty
	Unix bool
}

func (a Address) String() string {
	if a.Unix {
		return "unix:" + a.Path
	}
	return a.IP.String()
}

// AddressOf is a as an Address. ok is false for what is neither TCP nor a Unix socket.
func AddressOf(a net.Addr) (addr Address, ok bool) {
	switch a := a.(type) {
	case *net.TCPAddr:
		p := a.AddrPort()
		return Address{IP: netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())}, p.IsValid()
	case *net.UnixAddr:
		name := a.Name
		if len(name) > maxPath {
			name = name[:maxPath]
		}
		return Address{Path: name, Unix: true}, true
	}
	return Address{}, false
}

// TLV is something more that a header of version 2 says: a type, see section 2.2, and its value.
type TLV struct {
	Type  byte
	Value []byte
}

// MaxLen is the longest header that Parse takes. The format allows more, nobody sends it.
const MaxLen = 8 << 10

// ErrShort means that the header goes on beyond the bytes there are.
var ErrShort = errors.New("the PROXY header is not complete")

// Error says what is wrong with a header.
type Error struct{ Msg string }

func (e *Error) Error() string { return "PROXY header: " + e.Msg }

func fail(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Parse reads the header at the beginning of b, at most MaxLen bytes of it, and says how many bytes
// it takes. It is ErrShort as long as more bytes could make a header of b, else an *Error.
func Parse(b []byte) (h Header, n int, err error) {
	switch {
	case begins(b, signature):
		if len(b) < len(signature) {
			return h, 0, ErrShort
		}
		return parseV2(b)
	case begins(b, prefix):
		if len(b) < len(prefix) {
			return h, 0, ErrShort
		}
		return parseV1(b)
	}
	return h, 0, fail("none; the connection begins with %q", b[:min(len(b), 16)])
}

// Begins reports whether b, which may be short, is or could become the beginning of a header.
func Begins(b []byte) bool { return begins(b, signature) || begins(b, prefix) }

// begins reports whether b and want agree as far as both go.
func begins(b []byte, want string) bool {
	n := min(len(b), len(want))
	return string(b[:n]) == want[:n]
}

// Append appends the header's wire form, of the version it names.
func (h *Header) Append(dst []byte) ([]byte, error) {
	switch h.Version {
	case 1:
		return h.appendV1(dst), nil
	case 2:
		return h.appendV2(dst)
	}
	return dst, fmt.Errorf("there is no version %d of the PROXY protocol", h.Version)
}
