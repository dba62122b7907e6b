package intercept

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"mydbg/intercept/proxyproto"
)

// headerWait is how long a listener that takes connections with and without a PROXY header waits for
// one: MySQL's clients listen first. A proxy sends its header as soon as it is connected.
const headerWait = 100 * time.Millisecond

// announced reads the PROXY header in front of what the client sends, where there should be one.
func (s *session) announced(ctx context.Context) error {
	mode := s.proxy.o.ProxyProtocol
	if mode == proxyproto.Off {
		return nil
	}
	if !s.proxy.mayAnnounce(s.client.conn.RemoteAddr()) {
		if mode == proxyproto.Accept {
			return nil
		}
		return refuse(erBadHandshake, "08S01", "connections come through a proxy only (--proxy-protocol=require), and %s is none (--proxy-protocol-from)", s.conn.Info().Client)
	}
	h, err := s.readHeader(mode)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil || h == nil:
		return err
	}
	s.proxied = h
	s.conn.change(func(i *ConnInfo) {
		i.Via = fmt.Sprintf("%s, PROXY v%d", i.Client, h.Version)
		switch h.Kind {
		case proxyproto.Proxied:
			i.Client = h.Source.String()
		case proxyproto.Local:
			i.Via += " (its own connection)"
		case proxyproto.Unknown:
			i.Via += " (client not known)"
		}
	})
	return nil
}

// readHeader reads a PROXY header; nil if there is none and none is needed.
func (s *session) readHeader(mode proxyproto.Mode) (*proxyproto.Header, error) {
	l := s.client
	defer l.deadline(time.Time{})
	wait := s.proxy.o.ConnectTimeout
	if mode == proxyproto.Accept {
		l.deadline(time.Now().Add(headerWait))
		switch err := l.fill(); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, nil
		case err != nil:
			return nil, s.left(l, err)
		case !proxyproto.Begins(l.unread()):
			return nil, nil
		}
	}
	l.deadline(time.Now().Add(wait))
	for {
		h, n, err := proxyproto.Parse(l.unread())
		switch {
		case err == nil:
			l.r += n
			return &h, nil
		case !errors.Is(err, proxyproto.ErrShort):
			return nil, refuse(erBadHandshake, "08S01", "from %s: %w", s.conn.Info().Client, err)
		}
		switch err := l.fill(); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, refuse(erBadHandshake, "08S01", "%s sent no PROXY header within %v. Clients that connect themselves need --proxy-protocol=accept", s.conn.Info().Client, wait)
		case err != nil:
			return nil, s.left(l, err)
		}
	}
}

// mayAnnounce reports whether a peer's PROXY headers are believed.
func (p *Proxy) mayAnnounce(peer net.Addr) bool {
	if len(p.o.ProxyFrom) == 0 {
		return true
	}
	a, ok := proxyproto.AddressOf(peer)
	if !ok || a.Unix {
		return ok // whoever may use our socket
	}
	return slices.ContainsFunc(p.o.ProxyFrom, func(n netip.Prefix) bool { return n.Contains(a.IP.Addr()) })
}

// announcement is the header that tells the server who the client is: what was announced to us, or
// the client's own addresses.
func (s *session) announcement() *proxyproto.Header {
	var h proxyproto.Header
	if s.proxied != nil {
		h = *s.proxied
	} else {
		var known, too bool
		h.Source, known = proxyproto.AddressOf(s.client.conn.RemoteAddr())
		h.Destination, too = proxyproto.AddressOf(s.client.conn.LocalAddr())
		if !known || !too {
			h.Kind = proxyproto.Unknown
		}
	}
	h.Version = s.proxy.o.BackendProxyProtocol
	if h.Version == 2 && h.Kind == proxyproto.Unknown {
		h.Kind = proxyproto.Local // MariaDB refuses version 2's way to say it
	}
	return &h
}

// announce sends a new server connection its PROXY header, if it should have one. It returns who
// was announced, without the port; "" for nobody.
func (s *session) announce(ctx context.Context, c net.Conn) (who string, err error) {
	if s.proxy.o.BackendProxyProtocol == 0 {
		return "", nil
	}
	h := s.announcement()
	b, err := h.Append(nil)
	if err != nil {
		return "", err
	}
	if at, ok := ctx.Deadline(); ok {
		_ = c.SetWriteDeadline(at)
		defer func() { _ = c.SetWriteDeadline(time.Time{}) }()
	}
	if _, err := c.Write(b); err != nil {
		return "", fmt.Errorf("send the PROXY header: %w", err)
	}
	return host(h), nil
}

// host is whom a header announces, which is what servers check accounts against.
func host(h *proxyproto.Header) string {
	switch {
	case h.Kind != proxyproto.Proxied:
		return "nobody"
	case h.Source.Unix:
		return "a Unix socket"
	}
	return h.Source.IP.Addr().String()
}
