package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"mydbg/mysqlwire"
)

// wire is a connection in memory: what is written is kept, what is read was put there.
type wire struct {
	net.Conn
	in  []byte
	out []byte
	at  int // bytes that one Read gives, 0 is all
}

func (w *wire) Read(p []byte) (int, error) {
	if len(w.in) == 0 {
		return 0, io.EOF
	}
	n := len(w.in)
	if w.at > 0 {
		n = min(n, w.at)
	}
	n = copy(p, w.in[:n])
	w.in = w.in[n:]
	return n, nil
}

func (w *wire) Write(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}

// packets are the headers of what has been written.
func (w *wire) packets(t testing.TB) (list []mysqlwire.CompressedHeader) {
	t.Helper()
	for b := w.out; len(b) > 0; {
		h := mysqlwire.ParseCompressedHeader(b)
		list = append(list, h)
		b = b[mysqlwire.CompressedHeaderLen+h.Len:]
	}
	return list
}

// numbers are those of the packets.
func (w *wire) numbers(t testing.TB) (list []uint8) {
	for _, h := range w.packets(t) {
		list = append(list, h.Seq)
	}
	return list
}

func frame(seq uint8, payload string) []byte {
	b, _ := mysqlwire.AppendPacket(nil, []byte(payload), seq)
	return b
}

// packet is a compressed packet whose body is not compressed.
func packet(seq uint8, body ...[]byte) []byte {
	b := bytes.Join(body, nil)
	return append(mysqlwire.CompressedHeader{Len: len(b), Seq: seq}.Append(nil), b...)
}

func write(t testing.TB, c *Conn, b []byte) {
	t.Helper()
	if n, err := c.Write(b); err != nil || n != len(b) {
		t.Fatalf("wrote %d of %d, %v", n, len(b), err)
	}
}

func read(t testing.TB, c *Conn, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	return b
}

var algorithms = []Algorithm{Zlib, Zstd}

// stream is n bytes of frames, some of which compress well and some not at all.
func stream(n int) []byte {
	var b []byte
	random := rand.New(rand.NewPCG(1, 2))
	seq := uint8(0)
	for len(b) < n {
		payload := bytes.Repeat([]byte("row "), random.IntN(2000))
		if random.IntN(2) == 0 {
			for i := range payload {
				payload[i] = byte(random.Uint32())
			}
		}
		b, seq = mysqlwire.AppendPacket(b, payload, seq)
	}
	return b
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	sent := stream(3 << 20)
	for _, a := range algorithms {
		for _, piece := range []int{1 << 30, 100_000, 4096, 7, 3, 1} {
			if piece < 100 {
				sent = sent[:100_000]
			}
			down, up := &wire{}, &wire{at: piece}
			w := Server(down, a, 0, nil)
			for b := sent; len(b) > 0; {
				n := min(piece, len(b))
				write(t, w, b[:n])
				b = b[n:]
			}
			up.in = down.out[100:]
			r := Client(up, a, 0, down.out[:100])
			r.last, r.sent = 255, true // the stream begins with frame 0
			got := read(t, r, len(sent)-len(w.held))
			if !bytes.Equal(got, sent[:len(got)]) {
				t.Fatalf("%s in pieces of %d: got something else", a, piece)
			}
			if _, err := r.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("then got %v", err)
			}
			in, out := r.Stats(), w.Stats()
			if in.In != uint64(len(got)) || out.Out != uint64(len(sent)) || in.WireIn != uint64(len(down.out)) || out.WireOut != in.WireIn {
				t.Errorf("%s: counted %+v and %+v", a, in, out)
			}
			if piece > 1000 && in.Ratio() > 0.7 {
				t.Errorf("%s in pieces of %d: ratio %.2f", a, piece, in.Ratio())
			}
		}
	}
}

// Servers check the numbers of compressed packets: every command begins with 0, in a packet of its own.
func TestCommandsBeginPackets(t *testing.T) {
	w := &wire{}
	c := Client(w, Zlib, 0, nil)
	commands := bytes.Join([][]byte{frame(0, "\x19close"), frame(0, "\x18long data"), frame(0, "\x03select 1")}, nil)
	for _, cut := range []int{len(commands), 1, 2, 3, 4, 5, 6, 20} {
		w.out = nil
		for b := commands; len(b) > 0; {
			n := min(cut, len(b))
			write(t, c, b[:n])
			b = b[n:]
		}
		starts, inside := 0, 0
		for _, n := range w.numbers(t) {
			if n == 0 {
				starts++
			} else {
				inside++
			}
		}
		if starts != 3 || cut > 30 && inside > 0 {
			t.Errorf("in pieces of %d: packets %v", cut, w.numbers(t))
		}
	}
}

// An answer continues the numbers of its command, and what the client adds those of the answer.
func TestNumbersGoOnInTheOtherDirection(t *testing.T) {
	w := &wire{}
	c := Client(w, Zlib, 0, nil)
	write(t, c, frame(0, "\x03load data"))
	w.in = packet(1, frame(1, "\xfbfile"))
	if got := read(t, c, 9); got[3] != 1 {
		t.Errorf("the request for a file has number %d", got[3])
	}
	write(t, c, frame(2, "a"))
	write(t, c, frame(3, ""))
	w.in = packet(4, frame(4, "ok"))
	read(t, c, 6)
	write(t, c, frame(0, "\x03select 1"))
	if got := w.numbers(t); !bytes.Equal(got, []byte{0, 2, 3, 0}) {
		t.Errorf("to the server: packets %v", got)
	}

	w = &wire{in: packet(0, frame(0, "\x03select 1"))}
	c = Server(w, Zlib, 0, nil)
	read(t, c, 13)
	write(t, c, frame(1, "ok"))
	write(t, c, frame(2, "ok"))
	if got := w.numbers(t); !bytes.Equal(got, []byte{1, 2}) {
		t.Errorf("to the client: packets %v", got)
	}
}

// More than 256 frames of a file come without an answer in between: their 0 is no command's.
func TestLongUploadIsOneCommand(t *testing.T) {
	w := &wire{}
	c := Client(w, Zlib, 0, nil)
	write(t, c, frame(0, "\x03load data"))
	w.in = packet(1, frame(1, "\xfbfile"))
	read(t, c, 9)
	for i := range 600 {
		write(t, c, frame(uint8(2+i), "line"))
	}
	for i, n := range w.numbers(t) {
		want := uint8(i + 1)
		if i == 0 {
			want = 0
		}
		if n != want {
			t.Fatalf("packet %d has number %d, want %d", i, n, want)
		}
	}
}

// Servers set the numbers of their frames to those of their packets whenever they flush.
func TestFramesGetTheNumbersTheyWouldHave(t *testing.T) {
	w := &wire{}
	c := Client(w, Zlib, 0, nil)
	write(t, c, frame(0, "\x03select 1; select 2"))
	w.in = append(packet(1, frame(1, "a"), frame(2, "b"), frame(3, "c")), packet(2, frame(2, "a"), frame(3, "b"), frame(4, "c"))...)
	for i := range 6 {
		if got := read(t, c, 5); got[3] != uint8(i+1) {
			t.Errorf("frame %d has number %d", i, got[3])
		}
	}
	write(t, c, frame(0, "\x03select 3"))
	w.in = packet(1, frame(0, "a"))
	if got := read(t, c, 5); got[3] != 1 {
		t.Errorf("the next answer begins with number %d", got[3])
	}

	w = &wire{}
	c = Server(w, Zlib, 0, packet(0, frame(0, "\x03select 1; load data")))
	read(t, c, 4+20)
	write(t, c, bytes.Join([][]byte{frame(1, "a"), frame(2, "b"), frame(3, "\xfbfile")}, nil))
	w.in = append(packet(2, frame(2, "line")), packet(3, frame(3, ""))...)
	for _, want := range []uint8{4, 5} {
		got := read(t, c, mysqlwire.HeaderLen)
		if got[3] != want {
			t.Errorf("the file has number %d, want %d", got[3], want)
		}
		read(t, c, int(got[0]))
	}
}

// MariaDB Connector/J goes on counting frames where it has left off, in a packet with number 0.
func TestPacketsBeginCommandsWhateverTheirFramesSay(t *testing.T) {
	for _, piece := range []int{0, 1, 9} {
		w := &wire{at: piece}
		c := Server(w, Zlib, 0, nil)
		for i, inner := range []uint8{1, 7, 0, 255} {
			w.in = packet(0, frame(inner, "\x03select"), frame(inner+1, "more"))
			for want := range uint8(2) {
				got := read(t, c, mysqlwire.HeaderLen)
				if got[3] != want {
					t.Errorf("in pieces of %d, command %d: frame %d has number %d", piece, i, want, got[3])
				}
				read(t, c, int(got[0]))
			}
			write(t, c, frame(2, "answer"))
		}
		// An upload of 300 packets is one command.
		w.in = packet(0, frame(0, "\x03load data"))
		read(t, c, 4+10)
		write(t, c, frame(1, "\xfbfile"))
		for i := range 300 {
			w.in = packet(uint8(2+i), frame(uint8(2+i), "line"))
			if got := read(t, c, 8); got[3] != uint8(2+i) {
				t.Fatalf("frame %d of the file has number %d", i, got[3])
			}
		}
	}
}

func TestShortBodiesAreNotCompressed(t *testing.T) {
	for _, a := range algorithms {
		for n, compressed := range map[int]bool{minBody - 1: false, 4 * minBody: true} {
			w := &wire{}
			write(t, Server(w, a, 0, nil), frame(1, string(make([]byte, n-mysqlwire.HeaderLen))))
			if h := w.packets(t)[0]; (h.Plain != 0) != compressed || h.Expands() != n {
				t.Errorf("%s: %d bytes became %+v", a, n, h)
			}
		}
	}
}

func TestLargeWritesAreSplit(t *testing.T) {
	w := &wire{}
	b, _ := mysqlwire.AppendPacket(nil, make([]byte, 1<<24+5), 1)
	write(t, Server(w, Zlib, 0, nil), b)
	for _, h := range w.packets(t) {
		if h.Expands() > maxBody {
			t.Fatalf("%+v", h)
		}
	}
}

// interrupted is a connection whose reads end in the middle.
type interrupted struct {
	wire
	due bool
}

func (i *interrupted) Read(p []byte) (int, error) {
	if i.due = !i.due; i.due {
		return 0, os.ErrDeadlineExceeded
	}
	return i.wire.Read(p)
}

func TestReadsGoOnAfterADeadline(t *testing.T) {
	sent := stream(50_000)
	for _, a := range algorithms {
		down := &wire{}
		w := Server(down, a, 0, nil)
		write(t, w, sent)
		r := Client(&interrupted{wire: wire{in: down.out, at: 5}}, a, 0, nil)
		r.last, r.sent = 255, true
		var got []byte
		b := make([]byte, 1000)
		for len(got) < len(sent) {
			n, err := r.Read(b)
			got = append(got, b[:n]...)
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, sent) {
			t.Errorf("%s: got something else", a)
		}
	}
}

// body is a compressed body.
func body(a Algorithm, b []byte) []byte { return codecOf(a, 0).shrink(nil, b) }

func TestBadPackets(t *testing.T) {
	zeros := make([]byte, 1<<24+1<<20)
	for _, a := range algorithms {
		good := body(a, zeros[:1000])
		for _, tt := range []struct {
			name  string
			body  []byte
			plain int
		}{
			{"garbage", bytes.Repeat([]byte("garbage"), 20), 1000},
			{"cut off", good[:len(good)-5], 1000},
			{"too short", good, 1001},
			{"too long", good, 999},
			{"bomb", body(a, zeros), 1000},
			{"larger bomb", body(a, zeros), mysqlwire.MaxFrame},
			{"nothing", nil, 1000},
			{"more behind it", append(bytes.Clone(good), "rest"...), 1000},
		} {
			b := append(mysqlwire.CompressedHeader{Len: len(tt.body), Seq: 3, Plain: tt.plain}.Append(nil), tt.body...)
			c := Server(&wire{in: b, at: 1000}, a, 0, nil)
			for range 2 { // it stays an error
				n, err := c.Read(make([]byte, 100))
				var bad *Error
				if n != 0 || !errors.As(err, &bad) || bad.Algorithm != a || bad.Header.Seq != 3 {
					t.Errorf("%s, %s: read %d, %v", a, tt.name, n, err)
				}
			}
			if cap(c.raw)+cap(c.expanded) > keptBuffer {
				t.Errorf("%s, %s: keeps %d bytes", a, tt.name, cap(c.raw)+cap(c.expanded))
			}
		}
	}
}

// What is only announced takes no memory.
func TestAnnouncedLengthsTakeNoMemory(t *testing.T) {
	h := mysqlwire.CompressedHeader{Len: mysqlwire.MaxFrame, Plain: mysqlwire.MaxFrame}.Append(nil)
	c := Server(&wire{in: append(h, make([]byte, 1000)...)}, Zlib, 0, nil)
	if _, err := c.Read(make([]byte, 10)); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
	if cap(c.raw) > 2*readAtOnce || cap(c.expanded) > 0 {
		t.Errorf("takes %d and %d bytes", cap(c.raw), cap(c.expanded))
	}
}

func TestLargeBuffersAreGivenBack(t *testing.T) {
	plain := make([]byte, 8<<20)
	for i := range len(plain) / 8 {
		binary.LittleEndian.PutUint64(plain[8*i:], rand.Uint64()&0xffffff)
	}
	b, _ := mysqlwire.AppendPacket(nil, plain, 0)
	for _, a := range algorithms {
		z := body(a, b)
		wired := append(mysqlwire.CompressedHeader{Len: len(z), Plain: len(b)}.Append(nil), z...)
		c := Server(&wire{in: append(wired, packet(0, frame(0, "\x0e"))...)}, a, 0, nil)
		if got := read(t, c, len(b)); !bytes.Equal(got, b) {
			t.Errorf("%s: got something else", a)
		}
		read(t, c, 5)
		if cap(c.raw)+cap(c.expanded) > 2*keptBuffer {
			t.Errorf("%s: keeps %d and %d bytes", a, cap(c.raw), cap(c.expanded))
		}
	}
}

func TestAgreed(t *testing.T) {
	const zlib, zstd = mysqlwire.Compress, mysqlwire.ZstdCompressionAlgorithm
	for _, tt := range []struct {
		offered, wanted mysqlwire.Caps
		want            Algorithm
	}{
		{zlib | zstd, zlib | zstd, Zlib}, {zlib | zstd, zstd, Zstd}, {zlib, zstd, None}, {0, zlib | zstd, None}, {zstd, zlib | zstd, Zstd},
	} {
		if got := Agreed(tt.offered, tt.wanted); got != tt.want {
			t.Errorf("%s and %s: got %q, want %q", tt.offered, tt.wanted, got, tt.want)
		}
	}
}

func TestModes(t *testing.T) {
	for _, name := range append(ClientModes, ServerModes...) {
		if m, err := ParseMode(name); err != nil || m.String() != name {
			t.Errorf("%s: got %s, %v", name, m, err)
		}
	}
	if _, err := ParseMode("lz4"); err == nil {
		t.Error("lz4 is understood")
	}
}

// pipe moves an answer through a compressed connection again and again.
func pipe(t testing.TB, a Algorithm) (move func()) {
	w := &wire{}
	out, in := Server(w, a, 0, nil), Client(&wire{}, a, 0, nil)
	answer := stream(8 << 10)
	buf := make([]byte, 32<<10)
	return func() {
		w.out = w.out[:0]
		write(t, out, answer)
		in.Conn.(*wire).in = w.out
		for left := len(answer); left > 0; {
			n, err := in.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			left -= n
		}
	}
}

func TestNothingIsAllocatedPerPacket(t *testing.T) {
	for _, a := range algorithms {
		move := pipe(t, a)
		for range 5 {
			move()
		}
		if n := testing.AllocsPerRun(100, move); n != 0 && !raced {
			t.Errorf("%s: %v allocations", a, n)
		}
	}
}

func BenchmarkPacket(b *testing.B) {
	for _, a := range algorithms {
		b.Run(a.String(), func(b *testing.B) {
			move := pipe(b, a)
			b.SetBytes(8 << 10)
			b.ReportAllocs()
			for b.Loop() {
				move()
			}
		})
	}
}

// FuzzRead reads what a peer may send.
func FuzzRead(f *testing.F) {
	for _, a := range algorithms {
		good := body(a, bytes.Repeat([]byte("0123456789"), 10))
		f.Add(a == Zstd, append(mysqlwire.CompressedHeader{Len: len(good), Plain: 100}.Append(nil), good...))
		f.Add(a == Zstd, append(mysqlwire.CompressedHeader{Len: len(good), Plain: 7}.Append(nil), good...))
	}
	f.Add(false, packet(0, frame(0, "\x03select 1")))
	f.Add(false, bytes.Repeat(packet(255), 20))
	f.Fuzz(func(t *testing.T, useZstd bool, b []byte) {
		a := Zlib
		if useZstd {
			a = Zstd
		}
		announced := 0
		for rest := b; len(rest) >= mysqlwire.CompressedHeaderLen; {
			h := mysqlwire.ParseCompressedHeader(rest)
			announced += h.Expands()
			rest = rest[min(len(rest), mysqlwire.CompressedHeaderLen+h.Len):]
		}
		c := Server(&wire{in: b, at: 100}, a, 0, nil)
		got := 0
		p := make([]byte, 500)
		for {
			n, err := c.Read(p)
			got += n
			if err != nil {
				break
			}
		}
		if got > announced {
			t.Errorf("%d bytes came, %d were announced", got, announced)
		}
		if s := c.Stats(); s.In != uint64(got) {
			t.Errorf("%d bytes came, %d were counted", got, s.In)
		}
	})
}

// One side reads while the other writes.
func TestBothDirectionsAtOnce(t *testing.T) {
	a, b := net.Pipe()
	client, server := Client(a, Zstd, 0, nil), Server(b, Zstd, 0, nil)
	defer client.Close()
	defer server.Close()
	sent := stream(300_000)
	done := make(chan error, 2)
	for _, c := range []*Conn{client, server} {
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		go func() { _, err := c.Write(sent); done <- err }()
		go func() { _, err := io.ReadFull(c, make([]byte, len(sent))); done <- err }()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
