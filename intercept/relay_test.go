package intercept

import (
	"context"
	"io"
	"net"
	"testing"

	"mydbg/mysqlwire"
)

// sink is a connection that swallows what is written to it.
type sink struct{ net.Conn }

func (sink) Write(b []byte) (int, error) { return len(b), nil }
func (sink) LocalAddr() net.Addr         { return &net.TCPAddr{} }
func (sink) RemoteAddr() net.Addr        { return &net.TCPAddr{} }

// answering is a session whose server is in the middle of a result set, with no hooks interested.
func answering(t testing.TB) *session {
	t.Helper()
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{proxy: p, dec: &mysqlwire.Decoder{}, types: map[uint32][]mysqlwire.Param{}, cancel: func(error) {}}
	s.conn = p.open(sink{}, s.cancel)
	s.client = newLeg(sink{}, mysqlwire.ToServer)
	s.server = newLeg(sink{}, mysqlwire.ToClient)
	s.dec.Agree(mysqlwire.Protocol41|mysqlwire.DeprecateEOF, false)
	s.dec.Ready()
	if err := s.command(context.Background(), []byte("\x03select a from t"), 16, false); err != nil {
		t.Fatal(err)
	}
	column, err := (&mysqlwire.Column{Catalog: "def", Name: "a", Type: 253}).Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	feed(t, s, [][]byte{{1}, column}, 1)
	return s
}

// feed puts packets into the server leg's buffer and handles them.
func feed(t testing.TB, s *session, payloads [][]byte, seq uint8) {
	t.Helper()
	l := s.server
	l.r, l.w = 0, 0
	b := l.buf[:0]
	for _, p := range payloads {
		b, seq = mysqlwire.AppendPacket(b, p, seq)
	}
	l.w = len(b)
	if err := s.fromServer(context.Background()); err != nil {
		t.Fatal(err)
	}
}

const (
	rowLen  = 60
	perFeed = 256 // so that packet numbers come round to where they were
)

func rows() [][]byte {
	row := append([]byte{rowLen - 1}, make([]byte, rowLen-1)...)
	list := make([][]byte, perFeed)
	for i := range list {
		list[i] = row
	}
	return list
}

func TestRelayedFramesAllocateNothing(t *testing.T) {
	s := answering(t)
	batch := rows()
	feed(t, s, batch, 3) // fills the capture
	for range 20 {
		feed(t, s, batch, 3)
	}
	if n := testing.AllocsPerRun(100, func() { feed(t, s, batch, 3) }); n != 0 {
		t.Errorf("%d frames took %v allocations", perFeed, n)
	}
	if s.opaque.Load() {
		t.Fatal("the session lost track")
	}
	if s.now.counts.Rows == 0 || s.now.counts.Rows%perFeed != 0 {
		t.Errorf("counted %d rows", s.now.counts.Rows)
	}
}

func BenchmarkRelayedFrame(b *testing.B) {
	s := answering(b)
	batch := rows()
	var wire []byte
	for i, p := range batch {
		wire, _ = mysqlwire.AppendPacket(wire, p, uint8(3+i))
	}
	for range 20 {
		feed(b, s, batch, 3)
	}
	b.SetBytes(rowLen + mysqlwire.HeaderLen)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += perFeed {
		l := s.server
		l.r, l.w = 0, copy(l.buf, wire)
		if err := s.fromServer(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// question and reply are one round trip: a short query and its OK.
var (
	question, _ = mysqlwire.AppendPacket(nil, []byte("\x03update stock set qty = qty - 1 where sku = 'SKU-77'"), 0)
	reply, _    = mysqlwire.AppendPacket(nil, []byte{0, 1, 0, 2, 0, 0, 0}, 1)
)

// answerer is a server that greets, lets anybody in and answers every query at once.
func answerer(b *testing.B, query, answer []byte) string {
	b.Helper()
	return listening(b, func(c net.Conn) {
		greeting, err := (&mysqlwire.Greeting{
			Version: "8.4.0", ConnectionID: 1, Scramble: []byte("01234567890123456789"),
			Caps:       mysqlwire.Protocol41 | mysqlwire.SecureConnection | mysqlwire.PluginAuth | mysqlwire.DeprecateEOF | mysqlwire.LongPassword,
			PluginName: "mysql_native_password", Status: mysqlwire.StatusAutocommit,
		}).Encode(nil, nil)
		if err != nil {
			b.Error(err)
			return
		}
		l := newLeg(c, mysqlwire.ToServer)
		if l.writePacket(greeting) != nil {
			return
		}
		if _, err := l.readPacket(loginLimit); err != nil {
			return
		}
		if l.writePacket([]byte{0, 0, 0, 2, 0, 0, 0}) != nil {
			return
		}
		buf := make([]byte, len(query))
		for {
			if _, err := io.ReadFull(c, buf); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	})
}

func listening(b *testing.B, serve func(net.Conn)) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() { // ends when l is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { serve(c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

// copier is the least a proxy can do.
func copier(b *testing.B, backend string) string {
	return listening(b, func(c net.Conn) {
		s, err := net.Dial("tcp", backend)
		if err != nil {
			b.Error(err)
			return
		}
		go func() { _, _ = io.Copy(s, c); _ = s.Close() }()
		_, _ = io.Copy(c, s)
	})
}

func proxied(b *testing.B, backend string, rules ...string) string {
	b.Helper()
	p, err := New(Options{Backends: []Backend{{Address: backend}}})
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range rules {
		if _, err := p.Breakpoints.Add(r); err != nil {
			b.Fatal(err)
		}
	}
	a, err := p.Listen("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.Close() })
	return a.String()
}

// BenchmarkRoundTrip compares one client's query and answer: direct, through a plain copying proxy,
// and through this one, without and with a rule that has to look at every command.
func BenchmarkRoundTrip(b *testing.B) {
	for _, way := range []struct {
		name string
		addr func(*testing.B, string) string
	}{
		{"direct", func(_ *testing.B, a string) string { return a }},
		{"copy", copier},
		{"mydbg", func(b *testing.B, a string) string { return proxied(b, a) }},
		{"mydbg-rule", func(b *testing.B, a string) string { return proxied(b, a, `if verb == "DELETE" and "stock" in tables`) }},
		{"mydbg-result", func(b *testing.B, a string) string { return proxied(b, a, `if affected > 5`) }},
	} {
		b.Run(way.name, func(b *testing.B) {
			roundTrips(b, way.addr(b, answerer(b, question, reply)), question, reply)
		})
	}
}

func roundTrips(b *testing.B, addr string, query, answer []byte) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	l := newLeg(c, mysqlwire.ToClient)
	if _, err := l.readPacket(loginLimit); err != nil {
		b.Fatal(err)
	}
	login, err := (&mysqlwire.Login{
		Caps: mysqlwire.Protocol41 | mysqlwire.SecureConnection | mysqlwire.PluginAuth | mysqlwire.DeprecateEOF | mysqlwire.LongPassword,
		User: "u", PluginName: "mysql_native_password",
	}).Encode(nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := l.writePacket(login); err != nil {
		b.Fatal(err)
	}
	if _, err := l.readPacket(loginLimit); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, len(answer))
	b.SetBytes(int64(len(query) + len(answer)))
	b.ResetTimer()
	for range b.N {
		if _, err := c.Write(query); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkResult moves an answer of 10,000 rows.
func BenchmarkResult(b *testing.B) {
	var answer []byte
	seq := uint8(1)
	column, err := (&mysqlwire.Column{Catalog: "def", Name: "a", Type: 253}).Encode(nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	packets := [][]byte{{1}, column}
	row := append([]byte{rowLen - 1}, make([]byte, rowLen-1)...)
	for range 10_000 {
		packets = append(packets, row)
	}
	for _, p := range append(packets, []byte{0xfe, 0, 0, 2, 0, 0, 0}) {
		answer, seq = mysqlwire.AppendPacket(answer, p, seq)
	}
	for _, way := range []struct {
		name string
		addr func(*testing.B, string) string
	}{
		{"direct", func(_ *testing.B, a string) string { return a }},
		{"copy", copier},
		{"mydbg", func(b *testing.B, a string) string { return proxied(b, a) }},
	} {
		b.Run(way.name, func(b *testing.B) {
			roundTrips(b, way.addr(b, answerer(b, question, answer)), question, answer)
		})
	}
}

// TestRelayedEventsAllocateNothing: a binary log is followed for hours.
func TestRelayedEventsAllocateNothing(t *testing.T) {
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	s := &session{
		proxy: p, dec: &mysqlwire.Decoder{}, types: map[uint32][]mysqlwire.Param{}, cancel: func(error) {}, turn: make(turn, 1), over: over,
	}
	s.turn <- struct{}{} // for as long as the test runs
	defer s.pumps.Wait()
	defer close(over)
	s.conn = p.open(sink{}, s.cancel)
	s.client, s.server = newLeg(sink{}, mysqlwire.ToServer), newLeg(sink{}, mysqlwire.ToClient)
	s.dec.Agree(mysqlwire.Protocol41|mysqlwire.DeprecateEOF, true)
	s.dec.Ready()
	dump := []byte("\x12\x04\x00\x00\x00\x00\x00\x01\x00\x00\x00log.1")
	if err := s.command(context.Background(), dump, len(dump), false); err != nil {
		t.Fatal(err)
	}
	var batch [][]byte
	for i := range 128 {
		for _, e := range []mysqlwire.BinlogEvent{
			{Type: mysqlwire.EventMariaDBGTID, ServerID: 1, Length: 32, EndPos: uint32(100 * i), Body: append([]byte{byte(i)}, make([]byte, 12)...)},
			{Type: 30, ServerID: 1, Length: 19 + rowLen, EndPos: uint32(100*i + 50), Body: make([]byte, rowLen)},
		} {
			b, err := e.Encode(nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			batch = append(batch, b)
		}
	}
	for range 20 { // fills the capture
		feed(t, s, batch, 1)
	}
	if n := testing.AllocsPerRun(100, func() { feed(t, s, batch, 1) }); n != 0 {
		t.Errorf("%d events took %v allocations", len(batch), n)
	}
	if want := uint64(121 * len(batch)); s.binlog.events != want || s.binlog.counts[30] != want/2 {
		t.Errorf("counted %d events, want %d", s.binlog.events, want)
	}
}
