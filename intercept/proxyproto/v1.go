package proxyproto

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

const (
	prefix = "PROXY "
	maxV1  = 107 // with the CRLF
)

// parseV1 reads a line such as "PROXY TCP4 192.0.2.1 192.0.2.9 56324 3306\r\n".
func parseV1(b []byte) (h Header, n int, err error) {
	end := bytes.Index(b[:min(len(b), maxV1)], []byte("\r\n"))
	switch {
	case end < 0 && len(b) < maxV1:
		return h, 0, ErrShort
	case end < 0:
		return h, 0, fail("its line does not end within %d bytes", maxV1)
	}
	h.Version = 1
	fields := strings.Split(string(b[len(prefix):end]), " ")
	if fields[0] == "UNKNOWN" { // whatever follows
		h.Kind = Unknown
		return h, end + 2, nil
	}
	if fields[0] != "TCP4" && fields[0] != "TCP6" {
		return h, 0, fail("protocol %q, want TCP4, TCP6 or UNKNOWN", fields[0])
	}
	if len(fields) != 5 {
		return h, 0, fail("%d fields after the protocol, want two addresses and two ports", len(fields)-1)
	}
	if h.Source.IP, err = addrPort(fields[0], fields[1], fields[3]); err != nil {
		return h, 0, err
	}
	if h.Destination.IP, err = addrPort(fields[0], fields[2], fields[4]); err != nil {
		return h, 0, err
	}
	return h, end + 2, nil
}

func addrPort(protocol, ip, port string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Zone() != "" || a.Is4() != (protocol == "TCP4") {
		return netip.AddrPort{}, fail("%q is no address of %s", ip, protocol)
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(p, 10) != port {
		return netip.AddrPort{}, fail("%q is no port", port)
	}
	return netip.AddrPortFrom(a, uint16(p)), nil
}

// appendV1 knows nothing of Unix sockets and of connections of the proxy's own: they are UNKNOWN.
func (h *Header) appendV1(dst []byte) []byte {
	if h.Kind != Proxied || h.Source.Unix || h.Destination.Unix {
		return append(dst, "PROXY UNKNOWN\r\n"...)
	}
	src, to := alike(h.Source.IP, h.Destination.IP)
	protocol := "TCP6"
	if src.Addr().Is4() {
		protocol = "TCP4"
	}
	return fmt.Appendf(dst, "PROXY %s %s %s %d %d\r\n", protocol, src.Addr(), to.Addr(), src.Port(), to.Port())
}

// alike gives both addresses of a connection the same family.
func alike(a, b netip.AddrPort) (netip.AddrPort, netip.AddrPort) {
	if a.Addr().Is4() == b.Addr().Is4() {
		return a, b
	}
	six := func(p netip.AddrPort) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom16(p.Addr().As16()), p.Port())
	}
	return six(a), six(b)
}
