package sessions

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"mydbg/intercept"
	"mydbg/sessions/capture"
	"mydbg/sessions/pcapng"
)

// scan reads a file from its beginning to its end and makes the index. It owns the index while it
// holds the reader's mutex.
type scan struct {
	r       *Reader
	file    storage   // where bytes are read again
	spill   *spilling // the same
	in      *os.File  // the file as it is; nil when it is none
	blocks  *pcapng.Reader
	streams *capture.Assembler
	scratch []byte

	identities map[identity]uint32
	opened     map[opening]*track // legs whose first packet is to come
	last       intercept.ConnID
	annotated  bool // marks are in custom blocks
	told       time.Time
	now        int64
}

// opening is a leg as its first packet shows it.
type opening struct {
	iface    int
	from, to netip.AddrPort
}

// newScan looks at the beginning of a file, which it takes over.
func newScan(r *Reader, in *os.File) (*scan, error) {
	s := &scan{r: r, in: in, file: in}
	src, err := s.unpack()
	if err == nil {
		err = s.prepare(src)
	}
	if err != nil {
		_ = in.Close() // read only
		if r.temp != "" {
			_ = s.file.Close()
			_ = os.Remove(r.temp)
		}
		return nil, err
	}
	return s, nil
}

// prepare makes s read from src what s.file has.
func (s *scan) prepare(src io.Reader) (err error) {
	r := s.r
	s.identities, s.opened = map[identity]uint32{}, map[opening]*track{}
	r.ix.byID, r.ix.decisions = map[intercept.ConnID]*track{}, map[intercept.Seq][]Decision{}
	if s.blocks, err = pcapng.NewReader(src); err != nil {
		return err
	}
	s.identity(identity{})
	s.spill = &spilling{storage: s.file}
	s.file = s.spill
	s.streams = capture.NewAssembler(s.file, s)
	r.file = s.file
	return nil
}

// unpack is the file, or what is in it if it is packed: then it is unpacked to a temporary file as it is read.
func (s *scan) unpack() (io.Reader, error) {
	info, err := s.in.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("this is a directory")
	}
	s.r.size = info.Size()
	var magic [2]byte
	if n, _ := s.in.ReadAt(magic[:], 0); n < 2 || magic != [2]byte{0x1f, 0x8b} {
		return s.in, nil
	}
	z, err := gzip.NewReader(bufio.NewReaderSize(s.in, 1<<18))
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	out, err := os.CreateTemp("", "mydbg-*.pcapng") // with mode 0600
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	s.file, s.r.temp = out, out.Name()
	return io.TeeReader(z, out), nil
}

const (
	batch      = 256                    // blocks between two looks at who wants to read
	tellPeriod = 100 * time.Millisecond // between two calls of Options.Changed
)

// run indexes to the end.
func (s *scan) run() {
	defer func() {
		if s.r.temp != "" {
			_ = s.in.Close() // read only
		}
		if s.r.o.Changed != nil {
			s.r.o.Changed()
		}
	}()
	for !s.batch() {
		select {
		case <-s.r.stop:
			s.r.mu.Lock()
			s.r.ended = true
			s.r.mu.Unlock()
			return
		default:
		}
		if s.r.o.Changed != nil && time.Since(s.told) >= tellPeriod {
			s.told = time.Now()
			s.r.o.Changed()
		}
	}
}

// batch takes some blocks; true at the end.
func (s *scan) batch() bool {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	var b pcapng.Block
	for range batch {
		switch err := s.blocks.Next(&b); {
		case err == nil:
			s.block(&b)
		default:
			s.finish(err)
			return true
		}
	}
	s.r.read = s.position()
	return false
}

// position is how much of the file has been read.
func (s *scan) position() int64 {
	if s.r.temp == "" {
		return s.blocks.Off()
	}
	n, err := s.in.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return n
}

// finish takes note of how the file ends.
func (s *scan) finish(err error) {
	r := s.r
	switch {
	case errors.Is(err, io.EOF):
	case errors.Is(err, io.ErrUnexpectedEOF):
		r.cut = true
		s.note(intercept.Warning, 0, 0, r.ix.last, "the file ends in the middle of a block, at byte %d; everything before is here", s.blocks.Off())
	default:
		r.failure = fmt.Errorf("read %s: %w", r.path, err)
		s.note(intercept.Error, 0, 0, r.ix.last, "the file cannot be read further: %v; everything before is here", err)
	}
	s.streams.Flush()
	for _, t := range r.ix.conns {
		for _, l := range t.legs {
			if l != nil && l.guess != nil {
				l.guess.decide(l)
			}
			if l != nil {
				l.interrupt("its end is not in the file")
			}
		}
	}
	s.odd()
	r.read, r.ended = r.size, true
}

// odd notes what was odd about the capture.
func (s *scan) odd() {
	c := s.streams.Counts
	var list []string
	for _, o := range []struct {
		n    uint64
		text string
	}{
		{c.Repeated, "segments came twice"},
		{c.Early, "came before their turn"},
		{c.Cut, "packets were not captured whole"},
		{c.Missing, "bytes are missing"},
		{c.Other, "packets are not TCP"},
	} {
		if o.n > 0 {
			list = append(list, fmt.Sprintf("%d %s", o.n, o.text))
		}
	}
	if len(list) > 0 {
		s.note(intercept.Info, 0, 0, s.r.ix.last, "of %d packets: %s", c.Packets, strings.Join(list, ", "))
	}
}

func (s *scan) note(l intercept.Level, c intercept.ConnID, x intercept.Seq, at int64, format string, args ...any) {
	s.notice(intercept.Notice{At: moment(at), Level: l, Conn: c, Exchange: x, Text: fmt.Sprintf(format, args...)})
}

func (s *scan) notice(n intercept.Notice) {
	n.N = uint64(len(s.r.ix.notes) + 1)
	s.r.ix.notes = append(s.r.ix.notes, n)
}

func (s *scan) identity(who identity) uint32 {
	n, ok := s.identities[who]
	if !ok {
		n = uint32(len(s.r.ix.identities))
		s.r.ix.identities = append(s.r.ix.identities, who)
		s.identities[who] = n
	}
	return n
}

func (s *scan) block(b *pcapng.Block) {
	if b.Custom {
		if n, ok := parseNote(b.Data); ok && b.Enterprise == enterprise {
			s.noted(&n)
		}
		return
	}
	ix := &s.r.ix
	if b.At > 0 {
		if ix.first == 0 {
			ix.first = b.At
		}
		ix.last = max(ix.last, b.At)
	}
	s.now = b.At
	i := &s.blocks.Interfaces[b.Interface]
	if i.Name == "server" { // the same in every section
		b.Interface = serverInterface
	} else if i.Name == "client" {
		b.Interface = clientInterface
	}
	if i.Name != "" && !ix.recording && s.ours() {
		ix.recording, s.streams.PerInterface, s.streams.InOrder = true, true, true
	}
	s.streams.Packet(i.Link, b)
}

// ours reports whether the file is a recording of ours, by the names of its interfaces.
func (s *scan) ours() bool {
	named := func(name string) bool {
		return slices.ContainsFunc(s.blocks.Interfaces, func(i pcapng.Interface) bool { return i.Name == name && i.Link == pcapng.LinkRaw })
	}
	return named("client") && named("server")
}

// track lists a connection. Connections keep the number they had live where that is known.
func (s *scan) track(id intercept.ConnID) *track {
	ix := &s.r.ix
	if id == 0 || ix.byID[id] != nil {
		id = s.last + 1
	}
	s.last = max(s.last, id)
	t := &track{id: id, n: uint32(len(ix.conns)), s: s, ix: ix, latest: none, said: map[uint64]queryNote{}}
	t.info.Marks |= Unended
	t.info.ConnInfo.ID = id
	ix.conns = append(ix.conns, t)
	ix.byID[id] = t
	return t
}

// Opened implements capture.Sink.
func (s *scan) Opened(st *capture.Stream, at int64) {
	if !s.r.ix.recording {
		return
	}
	side := intercept.ClientLeg
	if st.Interface == serverInterface {
		side = intercept.ServerLeg
	}
	key := opening{st.Interface, st.Addr[0], st.Addr[1]}
	t := s.opened[key]
	delete(s.opened, key)
	if t == nil && side == intercept.ServerLeg {
		return // nobody says whose it is
	}
	if t == nil {
		t = s.track(0)
		t.info.Client, t.info.Listen = st.Addr[0].String(), st.Addr[1].String()
	}
	l := newLeg(t, side, 0)
	st.Owner = l
	l.late(st.Late)
	if side == intercept.ClientLeg && t.info.Opened.IsZero() {
		t.info.Opened = moment(at)
	}
}

// Data implements capture.Sink.
func (s *scan) Data(st *capture.Stream, from capture.Side, seg capture.Segment) {
	l, _ := st.Owner.(*leg)
	if l == nil {
		if l = s.recognise(st, from, seg); l == nil {
			return
		}
	}
	l.arrive(from, seg)
	for d := range l.flow {
		l.flow[d].now = nil // it is the block's memory
	}
}

// Missing implements capture.Sink.
func (s *scan) Missing(st *capture.Stream, from capture.Side, n int, at int64) {
	if l, _ := st.Owner.(*leg); l != nil {
		l.missing(from, n, at)
	}
}

// Ended implements capture.Sink.
func (s *scan) Ended(st *capture.Stream, reset bool, at int64) {
	if l, _ := st.Owner.(*leg); l != nil {
		if l.guess != nil {
			l.guess.decide(l)
		}
		l.t.closed(l, reset, at)
	}
}

// noted takes a custom block.
func (s *scan) noted(n *note) {
	t := s.r.ix.byID[n.Conn]
	switch n.Type {
	case noteOpen:
		s.opens(n)
		return
	case noteContinued:
		if t == nil {
			t = s.track(n.Conn)
		}
		t.told(n)
		return
	case noteRecording:
		s.annotated = true
		return
	case noteNotice:
		level := intercept.Info
		for _, l := range []intercept.Level{intercept.Warning, intercept.Error} {
			if l.String() == n.Level {
				level = l
			}
		}
		s.notice(intercept.Notice{At: n.At, Level: level, Conn: n.Conn, Exchange: s.exchange(t, n.Command), Text: n.Text})
		return
	}
	if t == nil {
		return
	}
	switch n.Type {
	case noteLogin, noteClose:
		t.told(n)
	case noteStatement:
		side := intercept.ClientLeg
		if n.Leg == intercept.ServerLeg.String() {
			side = intercept.ServerLeg
		}
		if l := t.legs[side]; l != nil {
			l.learn(n)
		}
	case noteQuery:
		if n.Query != nil {
			t.said[n.Query.Number] = *n.Query
		}
	case noteDecision:
		if n.Decision != nil {
			x := s.exchange(t, n.Command)
			s.r.ix.decisions[x] = append(s.r.ix.decisions[x], *n.Decision)
		}
	case noteExchange:
		t.over(n)
	case noteGap:
		s.note(intercept.Warning, t.id, 0, s.now, "connection %d: %d bytes could not be recorded in time", t.id, n.Bytes)
	}
}

// exchange is the number of a connection's command in this file; 0 when it is not in it.
func (s *scan) exchange(t *track, command uint64) intercept.Seq {
	if t == nil || command == 0 {
		return 0
	}
	i, ok := t.commandNumber(command)
	if !ok {
		return 0
	}
	return intercept.Seq(i + 1)
}

// opens takes note of a leg whose packets come next.
func (s *scan) opens(n *note) {
	from, err1 := netip.ParseAddrPort(n.From)
	to, err2 := netip.ParseAddrPort(n.To)
	iface := clientInterface
	if n.Leg == intercept.ServerLeg.String() {
		iface = serverInterface
	}
	if cmp.Or(err1, err2) != nil {
		return
	}
	t := s.r.ix.byID[n.Conn]
	if t == nil {
		t = s.track(n.Conn)
	}
	t.told(n)
	s.opened[opening{iface, from, to}] = t
}
