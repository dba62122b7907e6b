package intercept

import (
	"fmt"
	"net"

	"mydbg/intercept/compress"
	"mydbg/mysqlwire"
)

// compression is what has been agreed on one leg.
type compression struct {
	algorithm compress.Algorithm
	level     int // of Zstd
}

// clientCompresses notes what the client has chosen from what it was offered.
func (s *session) clientCompresses(m *mysqlwire.Login) {
	s.packing = compression{compress.Agreed(s.offered, m.Caps), int(m.ZstdLevel)}
	why := ""
	if s.proxy.o.ClientCompress == compress.Offer && s.packing.algorithm == compress.None {
		why = "the client asks for no compression, which --client-compress=offer offers it"
		s.noteOnce(Info, why)
	}
	s.conn.change(func(i *ConnInfo) { i.Uncompressed = why })
}

// noteOnce notes what concerns many connections for the first of them.
func (s *session) noteOnce(l Level, text string) {
	if _, known := s.proxy.plainLegs.LoadOrStore(text, nil); !known {
		s.note(l, "connection %d: %s. Said once", s.conn.ID, text)
	}
}

// notWanted notes that the server leg stays plain though the options want it compressed.
func (s *session) notWanted(offered mysqlwire.Caps) {
	mode := s.proxy.o.BackendCompress
	if mode != compress.WantZlib && mode != compress.WantZstd {
		return
	}
	can := "no compression"
	switch {
	case offered.Has(mysqlwire.Compress):
		can = "zlib"
	case offered.Has(mysqlwire.ZstdCompressionAlgorithm):
		can = "zstd"
	}
	text := fmt.Sprintf("the server %s cannot do %s, which --backend-compress asks for; it offers %s. That leg is not compressed", s.link.at.Address, mode, can)
	s.noteOnce(Warning, text)
	s.conn.change(func(i *ConnInfo) {
		if i.Uncompressed != "" {
			text = i.Uncompressed + "; " + text
		}
		i.Uncompressed = text
	})
}

// askCompression makes the login ask the server for what the server leg is to have. It returns the
// packet, and changes m likewise.
func (s *session) askCompression(packet []byte, m *mysqlwire.Login, g *mysqlwire.Greeting) ([]byte, error) {
	asks := s.proxy.o.BackendCompress.Asks(g.Caps, m.Caps)
	if asks.Has(mysqlwire.ZstdCompressionAlgorithm) && m.ZstdLevel == 0 {
		m.ZstdLevel = compress.DefaultLevel
	}
	s.link.packing = compression{compress.Agreed(g.Caps, asks), int(m.ZstdLevel)}
	if s.link.packing.algorithm == compress.None {
		s.notWanted(g.Caps)
	}
	if asks == m.Caps&compress.Flags {
		return packet, nil
	}
	m.Caps = m.Caps&^compress.Flags | asks
	packet, err := m.Encode(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	return packet, nil
}

// compressLegs begins compression where it was agreed and has not begun. It is called right after
// the OK of the login; what the legs have read beyond it is compressed already.
func (s *session) compressLegs() {
	s.client.compress(s.packing, compress.Server)
	s.client.loggedIn()
	if s.link != nil {
		s.server.compress(s.link.packing, compress.Client)
		s.server.loggedIn()
	}
	s.conn.change(func(*ConnInfo) {
		s.conn.packed[ClientLeg] = s.client.packed
		if s.link != nil {
			s.conn.packed[ServerLeg] = s.server.packed
		}
	})
}

func (l *leg) compress(with compression, as func(net.Conn, compress.Algorithm, int, []byte) *compress.Conn) {
	if with.algorithm == compress.None || l.packed != nil {
		return
	}
	l.packed = as(l.conn, with.algorithm, with.level, l.unread())
	l.r, l.w, l.run = 0, 0, 0
	l.conn = l.packed
}

// garbled reports a peer whose compressed packets cannot be read, which ends its connection.
func (s *session) garbled(l *leg, err *compress.Error) error {
	who := "server"
	if l == s.client {
		who = "client"
	}
	s.note(Error, "connection %d: from the %s: %v", s.conn.ID, who, err)
	return fmt.Errorf("from the %s: %w", who, err)
}
