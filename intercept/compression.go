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
}

// askCompression makes the login ask the server for what the server leg is to have. It returns the
// packet, and changes m likewise.
func (s *session) askCompression(packet []byte, m *mysqlwire.Login, g *mysqlwire.Greeting) ([]byte, error) {
	asks := s.proxy.o.BackendCompress.Asks(g.Caps, m.Caps)
	if asks.Has(mysqlwire.ZstdCompressionAlgorithm) && m.ZstdLevel == 0 {
		m.ZstdLevel = compress.DefaultLevel
	}
	s.link.packing = compression{compress.Agreed(g.Caps, asks), int(m.ZstdLevel)}
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
