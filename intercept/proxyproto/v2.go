package proxyproto

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"
)

const (
	signature = "\r\n\r\n\x00\r\nQUIT\n"
	headV2    = 16 // with version, family and length

	tlvCRC32C = 0x03

	sizeIPv4 = 4 + 4 + 2 + 2
	sizeIPv6 = 16 + 16 + 2 + 2
	unixPath = 108
	maxPath  = unixPath - 1
	sizeUnix = 2 * unixPath
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// parseV2 reads the binary form.
func parseV2(b []byte) (h Header, n int, err error) {
	if len(b) < headV2 {
		return h, 0, ErrShort
	}
	h.Version = 2
	if v := b[12] >> 4; v != 2 {
		return h, 0, fail("version %d behind the signature of version 2", v)
	}
	n = headV2 + int(binary.BigEndian.Uint16(b[14:]))
	switch {
	case n > MaxLen:
		return h, 0, fail("%d bytes long, %d are taken", n, MaxLen)
	case len(b) < n:
		return h, 0, ErrShort
	}
	rest, err := h.addresses(b[12]&0x0f, b[13], b[headV2:n])
	if err != nil {
		return h, 0, err
	}
	return h, n, h.tlvs(b[:n], rest)
}

// addresses reads what stands in front of the TLVs, which it returns.
func (h *Header) addresses(command, family byte, body []byte) (rest []byte, err error) {
	if command > 1 {
		return nil, fail("command %d, want 0 (LOCAL) or 1 (PROXY)", command)
	}
	size := map[byte]int{0x1: sizeIPv4, 0x2: sizeIPv6, 0x3: sizeUnix}[family>>4]
	if len(body) < size {
		return nil, fail("%d bytes, too short for addresses of family %d", len(body), family>>4)
	}
	body, rest = body[:size], body[size:]
	switch {
	case command == 0:
		h.Kind = Local // whatever the addresses are
	case size == 0 || family&0x0f != 1: // not a stream
		h.Kind = Unknown
	case family>>4 == 3:
		h.Source, h.Destination = unixAddress(body[:unixPath]), unixAddress(body[unixPath:])
	default:
		ip := (size - 4) / 2
		src, _ := netip.AddrFromSlice(body[:ip])
		dst, _ := netip.AddrFromSlice(body[ip : 2*ip])
		h.Source.IP = netip.AddrPortFrom(src, binary.BigEndian.Uint16(body[2*ip:]))
		h.Destination.IP = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(body[2*ip+2:]))
	}
	return rest, nil
}

func unixAddress(b []byte) Address {
	if i := bytes.IndexByte(b, 0); i >= 0 && b[0] != 0 {
		b = b[:i]
	}
	return Address{Path: string(bytes.TrimRight(b, "\x00")), Unix: true}
}

// tlvs reads the TLVs of the header whole and checks its checksum.
func (h *Header) tlvs(whole, b []byte) error {
	for len(b) > 0 {
		if len(b) < 3 {
			return fail("%d bytes behind the last TLV", len(b))
		}
		size := int(binary.BigEndian.Uint16(b[1:]))
		if size > len(b)-3 {
			return fail("TLV 0x%02x of %d bytes where %d are left", b[0], size, len(b)-3)
		}
		value := b[3 : 3+size]
		switch {
		case b[0] != tlvCRC32C:
			h.TLVs = append(h.TLVs, TLV{b[0], bytes.Clone(value)})
		case size != 4:
			return fail("checksum of %d bytes, want 4", size)
		case h.Checksum:
			return fail("two checksums")
		default:
			h.Checksum = true
			at := len(whole) - len(b) + 3
			if got, want := checksum(whole, at), binary.BigEndian.Uint32(value); got != want {
				return fail("checksum %08x, want %08x", want, got)
			}
		}
		b = b[3+size:]
	}
	return nil
}

// checksum is that of a header whose field for it, at at, counts as zeros.
func checksum(whole []byte, at int) uint32 {
	sum := crc32.Update(0, castagnoli, whole[:at])
	sum = crc32.Update(sum, castagnoli, make([]byte, 4))
	return crc32.Update(sum, castagnoli, whole[at+4:])
}

func (h *Header) appendV2(dst []byte) ([]byte, error) {
	var body []byte
	command, family := byte(0x21), byte(0x00)
	switch {
	case h.Kind == Local:
		command = 0x20
	case h.Kind == Unknown || h.Source.Unix != h.Destination.Unix:
	case h.Source.Unix:
		family = 0x31
		for _, a := range []Address{h.Source, h.Destination} {
			if len(a.Path) > unixPath {
				return dst, fmt.Errorf("PROXY header: the path %q has more than %d bytes", a.Path, unixPath)
			}
			body = append(body, a.Path...)
			body = append(body, make([]byte, unixPath-len(a.Path))...)
		}
	default:
		src, to := alike(h.Source.IP, h.Destination.IP)
		family = 0x21
		if src.Addr().Is4() {
			family = 0x11
		}
		body = append(append(body, src.Addr().AsSlice()...), to.Addr().AsSlice()...)
		body = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(body, src.Port()), to.Port())
	}
	for _, t := range h.TLVs {
		body = appendTLV(body, t.Type, t.Value)
	}
	if h.Checksum {
		body = appendTLV(body, tlvCRC32C, make([]byte, 4))
	}
	if headV2+len(body) > MaxLen {
		return dst, fmt.Errorf("PROXY header: %d bytes, %d are allowed", headV2+len(body), MaxLen)
	}
	from := len(dst)
	dst = append(dst, signature...)
	dst = append(dst, command, family)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(body)))
	dst = append(dst, body...)
	if h.Checksum {
		at := len(dst) - 4
		binary.BigEndian.PutUint32(dst[at:], checksum(dst[from:], at-from))
	}
	return dst, nil
}

func appendTLV(dst []byte, kind byte, value []byte) []byte {
	return append(binary.BigEndian.AppendUint16(append(dst, kind), uint16(len(value))), value...)
}
