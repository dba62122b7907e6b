package sessions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mydbg/sessions/pcapng"
)

// application is what a section says that it was written by.
const application = "mydbg"

// The interfaces of a recording.
const (
	clientInterface = iota
	serverInterface
)

const spoolSegments = 8 // the oldest of which goes when the spool is full

// recordWriter is the writing half of a Recorder. It belongs to the Recorder's goroutine.
type recordWriter struct {
	r     *Recorder
	o     *RecordOptions
	conns map[*recorded]struct{} // open ones

	path    string    // of the recording; "" while the spool is written
	parts   int       // files of the recording
	current *part     // new connections go here; nil while nothing is written
	others  []*part   // files before, with connections whose exchange is not over
	spool   []*part   // all its segments, current included, oldest first
	done    int64     // bytes of finished files
	taken   time.Time // when something was taken from the queue
	retry   time.Time // the disk failed: not before then
	failed  error
	put     func(*os.File, []byte) (int, error) // writes to a file
}

// part is a file of a recording, or a segment of the spool.
type part struct {
	file  *sharedFile
	out   pcapng.Writer
	size  int64 // written
	begun time.Time
	conns int // that are written to it
	head  int // bytes of the headers
	fresh []*recorded
}

// begin opens the first file.
func (w *recordWriter) begin() (err error) {
	switch {
	case w.o.Path != "":
		w.path = w.o.Path
		w.current, err = w.create()
	case w.o.Spool > 0:
		var spoolErr error
		if w.current, spoolErr = w.segment(); spoolErr != nil { // the screen does without
			w.failed = spoolErr
		}
	}
	return err
}

// create makes the recording's next file.
func (w *recordWriter) create() (*part, error) {
	name := w.path
	if w.parts > 0 {
		ext := filepath.Ext(name)
		name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), w.parts+1, ext)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	w.parts++
	return newPart(f), nil
}

// segment makes the spool's next segment. It has no name.
func (w *recordWriter) segment() (*part, error) {
	f, err := os.CreateTemp(w.o.Dir, "mydbg-spool-*")
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close() // of no use
		return nil, fmt.Errorf("spool: %w", err)
	}
	p := newPart(f)
	w.spool = append(w.spool, p)
	return p, nil
}

func newPart(f *os.File) *part {
	p := &part{file: &sharedFile{File: f}, begun: time.Now()}
	p.out.Section(application)
	p.out.Interface("client", pcapng.LinkRaw)
	p.out.Interface("server", pcapng.LinkRaw)
	b, _ := json.Marshal(&note{Type: noteRecording, Version: formatVersion, At: p.begun}) // of plain fields
	p.out.Custom(enterprise, b)
	p.head = len(p.out.Buf)
	return p
}

// run writes until the recorder is closed.
func (w *recordWriter) run() {
	defer close(w.r.done)
	t := time.NewTimer(gathering)
	defer t.Stop()
	for {
		q, closing := w.take(t)
		bytes := q.bytes
		for i := range q.items {
			it := &q.items[i]
			w.item(it, bytes[:it.n])
			bytes = bytes[it.n:]
			if w.current != nil && len(w.current.out.Buf) > w.batch() {
				w.flush()
			}
		}
		w.flush()
		w.give(q)
		if closing && len(q.items) == 0 {
			w.end()
			return
		}
	}
}

// take waits for something to write and takes all of it. What comes after a pause is taken at once; what comes soon
// after that waits for more to come together.
func (w *recordWriter) take(t *time.Timer) (queue, bool) {
	r := w.r
	if left := gathering - time.Since(w.taken); left > 0 {
		r.mu.Lock()
		enough := len(r.queue.bytes) >= enoughBytes || r.closing
		r.mu.Unlock()
		if !enough {
			t.Reset(left)
			select {
			case <-t.C:
			case <-r.bell: // enough, or somebody waits for an answer
			}
		}
	}
	r.mu.Lock()
	for len(r.queue.items) == 0 && !r.closing {
		r.idle = true
		r.mu.Unlock()
		if w.failed != nil && w.current != nil {
			select { // try the disk again
			case <-r.bell:
			case <-time.After(retryPeriod):
				w.flush()
			}
		} else {
			<-r.bell
		}
		r.mu.Lock()
	}
	r.idle = false
	w.taken = time.Now()
	defer r.mu.Unlock()
	q := r.queue
	r.queue, r.spare = r.spare, queue{}
	close(r.room)
	r.room, r.full = make(chan struct{}), false
	return q, r.closing
}

// give returns a queue's memory.
func (w *recordWriter) give(q queue) {
	clear(q.items)
	q.items, q.bytes = q.items[:0], q.bytes[:0]
	w.r.mu.Lock()
	w.r.spare = q
	w.r.mu.Unlock()
}

func (w *recordWriter) item(it *item, b []byte) {
	switch {
	case it.do != nil:
		it.do(w)
	case it.say != nil:
		w.say(it.conn, it.say)
	case it.leg == finishedMark:
		it.conn.finished = it.commands
	case it.lost > 0:
		it.conn.skip(w, it)
	default:
		it.conn.bytes(w, it, b)
	}
}

// say writes a custom block to the file of a connection, or to the newest.
func (w *recordWriter) say(c *recorded, n *note) {
	p := w.current
	if c != nil && c.part != nil {
		p = c.part
	}
	if p == nil {
		return
	}
	b, err := json.Marshal(n)
	if err != nil {
		return // there is nothing in it that JSON cannot say
	}
	p.out.Custom(enterprise, b)
}

// opened begins to write a connection.
func (w *recordWriter) opened(c *recorded, at int64) {
	w.conns[c] = struct{}{}
	if w.current != nil {
		c.attach(w, at, 0, false)
	}
}

// closed ends a connection.
func (w *recordWriter) closed(c *recorded, cause string, at int64) {
	delete(w.conns, c)
	c.close(w, cause, at)
}

const retryPeriod = time.Second

// flush writes what is in the buffers, and begins another file when it is time.
func (w *recordWriter) flush() {
	if w.current == nil {
		return
	}
	for _, p := range w.others {
		w.write(p)
	}
	w.write(w.current)
	w.turn()
	w.publish()
}

// write writes a file's buffer. When that fails the file ends with the last whole block, and what was in
// the buffer is a hole.
func (w *recordWriter) write(p *part) {
	if len(p.out.Buf) == 0 {
		return
	}
	if w.failed != nil && time.Now().Before(w.retry) {
		w.dropped(p)
		return
	}
	n, err := w.put(p.file.File, p.out.Buf)
	if err == nil {
		p.size += int64(n)
		p.out.Buf, p.fresh = p.out.Buf[:0], p.fresh[:0]
		if w.failed != nil {
			w.failed = nil
			w.o.Trouble(nil)
		}
		return
	}
	if terr := p.file.Truncate(p.size); terr != nil {
		err = errors.Join(err, terr)
	}
	if _, serr := p.file.Seek(p.size, io.SeekStart); serr != nil {
		err = errors.Join(err, serr)
	}
	w.retry = time.Now().Add(retryPeriod)
	if w.failed == nil {
		w.failed = fmt.Errorf("record: %w. What cannot be written is left out; traffic goes on", err)
		w.o.Trouble(w.failed)
	}
	w.dropped(p)
}

// dropped forgets a file's buffer.
func (w *recordWriter) dropped(p *part) {
	left := 0
	if p.size == 0 { // its headers have to be written first
		left = p.head
	}
	w.r.mu.Lock()
	w.r.status.Lost += uint64(len(p.out.Buf) - left)
	w.r.mu.Unlock()
	for _, c := range p.fresh { // nobody would know whose their packets are
		c.detach()
	}
	p.out.Buf, p.fresh = p.out.Buf[:left], p.fresh[:0]
}

// turn begins another file when the current one is full or old, and closes those that nobody needs.
func (w *recordWriter) turn() {
	p := w.current
	size, age := w.o.Size, w.o.Time
	if w.path == "" {
		size, age = w.segmentSize(), 0
	}
	if p.size > 0 && (size > 0 && p.size >= size || age > 0 && time.Since(p.begun) >= age) && w.failed == nil {
		w.next()
	}
	kept := w.others[:0]
	for _, o := range w.others {
		switch {
		case o.conns > 0 && (size <= 0 || o.size < size+max(size, 4*enoughBytes)):
			kept = append(kept, o)
		default:
			w.leave(o)
		}
	}
	w.others = kept
}

// leave closes a file that is not written any more. Who still did begins anew in the current one.
func (w *recordWriter) leave(p *part) {
	for c := range w.conns {
		if c.part == p {
			c.detach()
		}
	}
	w.write(p)
	if w.path != "" {
		w.finish(p)
	}
}

func (w *recordWriter) finish(p *part) {
	w.done += p.size
	if err := p.file.Close(); err != nil && w.failed == nil {
		w.failed = fmt.Errorf("record: %w", err)
		w.o.Trouble(w.failed)
	}
}

// next begins another file. Where that fails the current one is gone on with.
func (w *recordWriter) next() {
	made := w.create
	if w.path == "" {
		made = w.segment
	}
	p, err := made()
	if err != nil {
		w.failed, w.retry = err, time.Now().Add(retryPeriod)
		w.o.Trouble(err)
		return
	}
	w.others = append(w.others, w.current)
	w.current = p
	for w.path == "" && len(w.spool) > 1 && w.spooled() > w.o.Spool-w.segmentSize() {
		old := w.spool[0]
		w.spool = w.spool[1:]
		for c := range w.conns {
			if c.part == old {
				c.detach()
			}
		}
		w.others = without(w.others, old)
		_ = old.file.Close() // it is gone
	}
}

// segmentSize is when the spool's next segment begins.
func (w *recordWriter) segmentSize() int64 { return max(w.o.Spool/spoolSegments, 64<<10) }

// spooled is the size of the spool.
func (w *recordWriter) spooled() (n int64) {
	for _, p := range w.spool {
		n += p.size
	}
	return n
}

// batch is how much is written at once.
func (w *recordWriter) batch() int {
	const most = 4 * enoughBytes
	if w.path == "" {
		return int(min(most, w.segmentSize()/2))
	}
	return most
}

func without(list []*part, p *part) []*part {
	kept := list[:0]
	for _, o := range list {
		if o != p {
			kept = append(kept, o)
		}
	}
	return kept
}

// publish says how the recording stands.
func (w *recordWriter) publish() {
	st := RecordStatus{Path: w.path, Err: w.failed, Spool: w.path == "" && w.current != nil, Size: w.done}
	if w.path == "" {
		st.Size = w.spooled()
	} else {
		for _, p := range append(w.others[:len(w.others):len(w.others)], w.current) {
			if p != nil {
				st.Size += p.size
			}
		}
	}
	w.r.mu.Lock()
	st.Lost = w.r.status.Lost
	w.r.status = st
	w.r.on = w.current != nil
	w.r.mu.Unlock()
}

// keep makes a recording of the spool.
func (w *recordWriter) keep(path string) error {
	if w.path != "" {
		return fmt.Errorf("this is being recorded to %s already", w.path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	w.flush()
	p := newPart(f)
	if len(w.spool) > 0 {
		p.out.Buf = p.out.Buf[:0] // the segments have headers
	}
	for _, s := range w.spool {
		n, err := io.Copy(f, io.NewSectionReader(s.file, 0, s.size))
		p.size += n
		if err != nil {
			_ = f.Close()       // half a copy
			_ = os.Remove(path) // is of no use
			return fmt.Errorf("record: %w", err)
		}
	}
	for c := range w.conns { // the recording goes on where the spool ends
		if c.part != nil {
			c.part = p
			p.conns++
		}
	}
	w.forget()
	w.path, w.parts, w.done = path, 1, 0
	w.others, w.current = nil, p
	w.write(p)
	w.publish()
	return w.failed
}

// forget gives the spool up.
func (w *recordWriter) forget() {
	for _, s := range w.spool {
		_ = s.file.Close() // it is gone
	}
	w.spool = nil
}

// stop ends the recording.
func (w *recordWriter) stop() error {
	if w.path == "" {
		return fmt.Errorf("nothing is being recorded")
	}
	w.flush()
	for c := range w.conns {
		c.detach()
	}
	err := w.failed
	for _, p := range append(w.others, w.current) {
		w.finish(p)
	}
	w.path, w.parts, w.done, w.others, w.current, w.failed = "", 0, 0, nil, nil, nil
	if w.o.Spool > 0 {
		var serr error
		if w.current, serr = w.segment(); serr != nil {
			err = errors.Join(err, serr)
		}
	}
	w.publish()
	return err
}

// end closes the files.
func (w *recordWriter) end() {
	w.flush()
	for _, p := range w.others {
		if w.path != "" {
			w.finish(p)
		}
	}
	if w.path != "" && w.current != nil {
		w.finish(w.current)
	}
	w.forget()
	w.r.mu.Lock()
	w.r.status.Err, w.r.on = w.failed, false
	w.r.mu.Unlock()
}
