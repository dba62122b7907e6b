package capture

import (
	"encoding/binary"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"mydbg/sessions/pcapng"
)

// packet is what matters of a captured TCP segment.
type packet struct {
	src, dst         netip.AddrPort
	seq, ack         uint32
	syn, fin, rst    bool
	acks             bool
	at, n, announced int // payload is data[at : at+n]; announced bytes of it were on the wire
}

// decode finds the TCP segment in a packet; false when there is none.
func (p *packet) decode(link pcapng.LinkType, b []byte) bool {
	switch p.fast(link, b) {
	case found:
		return true
	case notTCP:
		return false
	}
	return p.slow(link, b)
}

type verdict uint8

const (
	notTCP  verdict = iota
	found           // in p
	unusual         // for gopacket
)

const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherARP  = 0x0806
)

func (p *packet) fast(link pcapng.LinkType, b []byte) verdict {
	off := 0
	var ether uint16
	switch link {
	case pcapng.LinkEthernet:
		if len(b) < 14 {
			return notTCP
		}
		ether, off = binary.BigEndian.Uint16(b[12:]), 14
		for (ether == 0x8100 || ether == 0x88a8 || ether == 0x9100) && len(b) >= off+4 { // VLAN tags
			ether, off = binary.BigEndian.Uint16(b[off+2:]), off+4
		}
	case pcapng.LinkLinuxSLL:
		if len(b) < 16 {
			return notTCP
		}
		ether, off = binary.BigEndian.Uint16(b[14:]), 16
	case pcapng.LinkLinuxSLL2:
		if len(b) < 20 {
			return notTCP
		}
		ether, off = binary.BigEndian.Uint16(b), 20
	case pcapng.LinkNull, pcapng.LinkLoop:
		ether, off = byVersion(b, 4), 4
	case pcapng.LinkRaw, pcapng.LinkIPv4, pcapng.LinkIPv6, 12, 14: // the last two are raw IP on some BSDs
		ether = byVersion(b, 0)
	default:
		return unusual
	}
	switch ether {
	case etherIPv4:
		return p.ipv4(b, off)
	case etherIPv6:
		return p.ipv6(b, off)
	case 0, etherARP:
		return notTCP
	}
	return unusual
}

func byVersion(b []byte, off int) uint16 {
	if len(b) <= off {
		return 0
	}
	switch b[off] >> 4 {
	case 4:
		return etherIPv4
	case 6:
		return etherIPv6
	}
	return 0
}

const (
	protoTCP = 6
	protoUDP = 17
)

func (p *packet) ipv4(b []byte, off int) verdict {
	if len(b) < off+20 {
		return notTCP
	}
	h := b[off:]
	ihl, total := int(h[0]&0xf)*4, int(binary.BigEndian.Uint16(h[2:]))
	if h[0]>>4 != 4 || ihl < 20 || binary.BigEndian.Uint16(h[6:])&0x3fff != 0 { // a fragment
		return notTCP
	}
	switch h[9] {
	case protoTCP:
	case 1, 2, protoUDP:
		if h[9] == protoUDP {
			return unusual // a tunnel, perhaps
		}
		return notTCP
	default:
		return unusual
	}
	if total == 0 { // the network card cut it into pieces after it was captured
		total = len(h)
	}
	return p.tcp(b, off+ihl, off+total, netip.AddrFrom4([4]byte(h[12:])), netip.AddrFrom4([4]byte(h[16:])))
}

func (p *packet) ipv6(b []byte, off int) verdict {
	if len(b) < off+40 {
		return notTCP
	}
	h := b[off:]
	end, next := off+40+int(binary.BigEndian.Uint16(h[4:])), h[6]
	if end == off+40 {
		end = len(b)
	}
	src, dst := netip.AddrFrom16([16]byte(h[8:])), netip.AddrFrom16([16]byte(h[24:]))
	for off += 40; ; {
		switch next {
		case protoTCP:
			return p.tcp(b, off, end, src, dst)
		case 0, 43, 60: // options, routing
			if len(b) < off+8 {
				return notTCP
			}
			next, off = b[off], off+8+8*int(b[off+1])
		case protoUDP, 4, 41, 47:
			return unusual
		default:
			return notTCP
		}
	}
}

func (p *packet) tcp(b []byte, off, end int, src, dst netip.Addr) verdict {
	if len(b) < off+20 {
		return notTCP
	}
	h := b[off:]
	at := off + int(h[12]>>4)*4
	if at < off+20 || at > end || at > len(b) {
		return notTCP
	}
	flags := h[13]
	*p = packet{
		src: netip.AddrPortFrom(src, binary.BigEndian.Uint16(h)), dst: netip.AddrPortFrom(dst, binary.BigEndian.Uint16(h[2:])),
		seq: binary.BigEndian.Uint32(h[4:]), ack: binary.BigEndian.Uint32(h[8:]),
		fin: flags&1 != 0, syn: flags&2 != 0, rst: flags&4 != 0, acks: flags&16 != 0,
		at: at, n: min(end, len(b)) - at, announced: end - at,
	}
	return found
}

// slow lets gopacket find the innermost TCP segment.
func (p *packet) slow(link pcapng.LinkType, b []byte) bool {
	if link > 0xff {
		return false
	}
	d := gopacket.NewPacket(b, layers.LinkType(link), gopacket.DecodeOptions{Lazy: false, NoCopy: true})
	var src, dst netip.Addr
	var segment *layers.TCP
	length := 0
	for _, l := range d.Layers() {
		switch l := l.(type) {
		case *layers.IPv4:
			src, _ = netip.AddrFromSlice(l.SrcIP)
			dst, _ = netip.AddrFromSlice(l.DstIP)
			length = int(l.Length) - int(l.IHL)*4
		case *layers.IPv6:
			src, _ = netip.AddrFromSlice(l.SrcIP)
			dst, _ = netip.AddrFromSlice(l.DstIP)
			length = int(l.Length)
		case *layers.TCP:
			segment = l
		}
	}
	if segment == nil || !src.IsValid() || !dst.IsValid() {
		return false
	}
	at := cap(b) - cap(segment.Contents) + len(segment.Contents) // both share the packet's memory
	if at < 0 || at > len(b) {
		return false
	}
	n := min(len(segment.Payload), len(b)-at)
	*p = packet{
		src: netip.AddrPortFrom(src, uint16(segment.SrcPort)), dst: netip.AddrPortFrom(dst, uint16(segment.DstPort)),
		seq: segment.Seq, ack: segment.Ack, fin: segment.FIN, syn: segment.SYN, rst: segment.RST, acks: segment.ACK,
		at: at, n: n, announced: max(length-len(segment.Contents), n),
	}
	return true
}
