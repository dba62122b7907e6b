package sessions

import (
	"io"
	"slices"
	"sort"

	"mydbg/mysqlwire"
)

// segment says where a stretch of a stream is in the file. It reaches to the next one.
type segment struct {
	pos uint64 // in the stream
	off int64  // in the file; hole where the bytes are not in it
}

const hole = -1

// flow is what one side of a leg sent: where its bytes are, and how far they have been explained.
type flow struct {
	segments []segment
	end      uint64 // behind the last segment

	pos   uint64          // next byte to explain
	left  int             // bytes of the frame under way from pos on
	need  int             // of them, those that are waited for because they are to be looked at
	note  bool            // by the decoder too
	frame mysqlwire.Frame // the frame under way

	now   []byte // bytes in memory, from nowAt on
	nowAt uint64
}

// add appends bytes that are at off of the file. data is used until the next add.
func (f *flow) add(data []byte, off int64) {
	f.segments = append(f.segments, segment{f.end, off})
	f.now, f.nowAt = data, f.end
	f.end += uint64(len(data))
}

func (f *flow) lack(n int) {
	f.segments = append(f.segments, segment{f.end, hole})
	f.end += uint64(n)
}

// busy reports whether a frame is under way.
func (f *flow) busy() bool { return f.left > 0 || f.need > 0 }

// view is n bytes from pos on, which must have come. Bytes that are not in the file are zeros.
func (f *flow) view(src io.ReaderAt, scratch *[]byte, pos uint64, n int) []byte {
	if pos >= f.nowAt && pos+uint64(n) <= f.nowAt+uint64(len(f.now)) {
		at := pos - f.nowAt
		return f.now[at : at+uint64(n) : at+uint64(n)]
	}
	*scratch = slices.Grow((*scratch)[:0], n)[:n]
	f.read(src, pos, *scratch)
	return *scratch
}

// read fills b with the stream's bytes from pos on.
func (f *flow) read(src io.ReaderAt, pos uint64, b []byte) (missing bool) {
	i := f.at(pos)
	for len(b) > 0 && i < len(f.segments) {
		s, end := f.segments[i], f.end
		if i+1 < len(f.segments) {
			end = f.segments[i+1].pos
		}
		n := int(min(uint64(len(b)), end-pos))
		got := 0
		if s.off != hole {
			got, _ = src.ReadAt(b[:n], s.off+int64(pos-s.pos)) // what cannot be read is missing
		}
		if got < n {
			clear(b[got:n])
			missing = true
		}
		b, pos = b[n:], pos+uint64(n)
		i++
	}
	clear(b)
	return missing || len(b) > 0
}

// at is the segment that has pos.
func (f *flow) at(pos uint64) int {
	n := len(f.segments)
	// Mostly it is one of the last.
	for i := n - 1; i >= max(n-4, 0); i-- {
		if f.segments[i].pos <= pos {
			return i
		}
	}
	return max(sort.Search(n, func(i int) bool { return f.segments[i].pos > pos })-1, 0)
}

// A watcher is told what a walker finds.
type watcher interface {
	// begins is told of each frame, and says how much of its payload, of the first frame of a packet,
	// it wants to look at.
	begins(f mysqlwire.Frame, at uint64) (want int)
	// payload has the beginning of a packet, as much as was wanted or more, and as the decoder needed.
	payload(f mysqlwire.Frame, b []byte)
	// ends is told when a frame is there whole.
	ends(f mysqlwire.Frame)
	// lost says that what follows cannot be explained.
	lost(why error)
}

// walker explains a leg's frames as they come.
type walker struct {
	dec     mysqlwire.Decoder
	flow    [2]flow // by mysqlwire.Direction
	src     io.ReaderAt
	on      watcher
	scratch []byte
}

// walk explains what has come. dir is the direction that something came in last: where either side may
// speak it is heard first.
func (w *walker) walk(dir mysqlwire.Direction) {
	for w.step(dir) || w.step(dir.Other()) {
	}
}

// step explains the next piece of one direction; false when it has to wait.
func (w *walker) step(dir mysqlwire.Direction) bool {
	f := &w.flow[dir]
	if f.need > 0 {
		if f.end-f.pos < uint64(f.need) {
			return false
		}
		b := f.view(w.src, &w.scratch, f.pos, f.need)
		f.need = 0
		if f.note {
			w.dec.Note(f.frame, b)
		}
		w.on.payload(f.frame, b)
		if f.left == 0 {
			w.on.ends(f.frame)
			return true
		}
	}
	if f.left > 0 {
		n := int(min(uint64(f.left), f.end-f.pos))
		if n == 0 {
			return false
		}
		f.pos += uint64(n)
		if f.left -= n; f.left == 0 {
			w.on.ends(f.frame)
		}
		return true
	}
	return w.begin(dir, f)
}

// begin explains a frame's head.
func (w *walker) begin(dir mysqlwire.Direction, f *flow) bool {
	have := f.end - f.pos
	if have < mysqlwire.HeaderLen || dir == mysqlwire.ToServer && w.flow[mysqlwire.ToClient].busy() {
		return false
	}
	waits := dir == mysqlwire.ToClient && w.flow[mysqlwire.ToServer].busy() // for bytes that came out of order
	state := w.dec.State()
	if state == mysqlwire.StateOpaque || state == mysqlwire.StateClosed {
		return false
	}
	head := f.view(w.src, &w.scratch, f.pos, int(min(have, mysqlwire.HeaderLen+mysqlwire.HeadLen)))
	h := mysqlwire.ParseHeader(head)
	n := min(h.Len, mysqlwire.HeadLen)
	if len(head) < mysqlwire.HeaderLen+n {
		return false
	}
	head = head[mysqlwire.HeaderLen : mysqlwire.HeaderLen+n]
	if gives := dir == mysqlwire.ToClient && n > 0 && head[0] == 0xff; !gives && !f.frame.More && (waits || !speaks(dir, state, h.Seq)) {
		return false
	}
	frame, err := w.dec.Next(dir, h, head)
	if err != nil {
		w.on.lost(err)
		return true
	}
	at := f.pos
	f.pos += mysqlwire.HeaderLen
	f.frame, f.left = frame, h.Len
	need := w.dec.Need(frame)
	f.note = need > 0
	f.need = max(w.on.begins(frame, at), need)
	if f.left == 0 {
		w.on.ends(frame)
	}
	return true
}

// speaks reports whether a side may begin a packet now. What a server says without being asked, other
// than an error, is the answer to a command that is still to come in the capture; a client that counts
// from 0 again in its login is ahead of the answer to that.
func speaks(dir mysqlwire.Direction, s mysqlwire.State, seq uint8) bool {
	switch s {
	case mysqlwire.StateStream:
		return true
	case mysqlwire.StateAuth:
		return dir == mysqlwire.ToClient || seq != 0
	case mysqlwire.StateLogin, mysqlwire.StateIdle, mysqlwire.StateUpload:
		return dir == mysqlwire.ToServer
	}
	return dir == mysqlwire.ToClient
}
