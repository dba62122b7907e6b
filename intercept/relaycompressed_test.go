package intercept

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"

	"mydbg/intercept/compress"
	"mydbg/mysqlwire"
)

// repeating is a connection that gives the same bytes whenever it is rewound.
type repeating struct {
	sink
	b   []byte
	off int
}

func (r *repeating) Read(p []byte) (int, error) {
	if r.off == len(r.b) {
		return 0, io.EOF
	}
	n := copy(p, r.b[r.off:])
	r.off += n
	return n, nil
}

// collector keeps what is written.
type collector struct {
	net.Conn
	b []byte
}

func (c *collector) Write(p []byte) (int, error) {
	c.b = append(c.b, p...)
	return len(p), nil
}

// legs are what a session's legs are compressed with.
type legs struct{ client, server compress.Algorithm }

func (l legs) String() string {
	name := func(a compress.Algorithm) string {
		if a == compress.None {
			return "plain"
		}
		return a.String()
	}
	return name(l.server) + " to " + name(l.client)
}

var pairs = []legs{
	{compress.None, compress.None},
	{compress.None, compress.Zlib},
	{compress.Zlib, compress.None},
	{compress.Zlib, compress.Zlib},
	{compress.None, compress.Zstd},
	{compress.Zstd, compress.None},
	{compress.Zstd, compress.Zstd},
}

// compressed is a session in the middle of a result. Each call of relay has 256 rows of it cross.
func compressed(t testing.TB, with legs) (s *session, relay func()) {
	t.Helper()
	s = answering(t)
	var batch []byte
	seq := uint8(3)
	for i := range perFeed {
		row := fmt.Appendf(nil, "\x3b%-59s", fmt.Sprintf("row %d of a table about nothing in particular", i*7919))
		batch, seq = mysqlwire.AppendPacket(batch, row, seq)
	}
	from := &collector{}
	var to io.Writer = from
	if with.server != compress.None {
		to = compress.Server(from, with.server, 0, nil)
	}
	if _, err := to.Write(batch); err != nil {
		t.Fatal(err)
	}
	source := &repeating{b: from.b}
	s.server.conn = source
	s.client.compress(compression{algorithm: with.client}, compress.Server)
	s.server.compress(compression{algorithm: with.server}, compress.Client)
	if with.server != compress.None { // the layer counts from the command on
		if _, err := s.server.conn.Write(frames(0, 1, 2)); err != nil {
			t.Fatal(err)
		}
	}
	return s, func() {
		for source.off = 0; ; {
			if err := s.server.fill(); err == io.EOF {
				return
			} else if err != nil {
				t.Fatal(err)
			}
			if err := s.fromServer(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// frames are empty ones with these numbers.
func frames(numbers ...uint8) (b []byte) {
	for _, n := range numbers {
		b = mysqlwire.Header{Seq: n}.Append(b)
	}
	return b
}

func TestRelayedCompressedFramesAllocateNothing(t *testing.T) {
	for _, with := range pairs {
		s, relay := compressed(t, with)
		for range 20 {
			relay()
		}
		if n := testing.AllocsPerRun(100, relay); n != 0 && !raced {
			t.Errorf("%s: %d frames took %v allocations", with, perFeed, n)
		}
		if s.opaque.Load() || s.now.counts.Rows != 121*perFeed {
			t.Errorf("%s: counted %d rows, opaque %v", with, s.now.counts.Rows, s.opaque.Load())
		}
	}
}

// BenchmarkRelayedCompressedFrame says what compression costs: the ratio to "plain to plain".
func BenchmarkRelayedCompressedFrame(b *testing.B) {
	var plain float64
	for _, with := range pairs {
		b.Run(with.String(), func(b *testing.B) {
			_, relay := compressed(b, with)
			b.SetBytes(rowLen + mysqlwire.HeaderLen)
			b.ReportAllocs()
			for n := 0; n < b.N; n += perFeed {
				relay()
			}
			each := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			if with == pairs[0] {
				plain = each
			}
			if plain > 0 {
				b.ReportMetric(each/plain, "x-plain")
			}
		})
	}
}
