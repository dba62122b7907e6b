package sessions

import (
	"fmt"
	"os"
	"sync"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
)

// RecordOptions say how a Recorder writes. The zero value records nothing until Keep is called.
type RecordOptions struct {
	Path string        // the recording; "" for none
	Size int64         // begin another file after so many bytes: FILE-2.pcapng; 0 never does
	Time time.Duration // begin another file after so long; 0 never does

	// Spool is the size of the private spool that is written while there is no recording, 0 for none.
	// It has no name on the disk, so that it is gone with the process however that ends.
	Spool int64
	Dir   string // where the spool is; "" is the system's directory for temporary files

	KeepSecrets bool // logins and passwords in statements are written as they are
	Lossless    bool // traffic waits for the disk rather than that anything is left out
	Backlog     int  // bytes that may wait to be written; 8 MiB if 0

	// Trouble is told, once each time, that the disk fails, and with nil that it works again.
	Trouble func(error)
}

// Recorder writes what crosses a proxy to a file. It is an intercept.Tap.
//
// Sessions only copy their bytes to a queue in memory. One goroutine makes blocks of them and writes
// these, whole ones: at once what comes after a pause, what follows within ten milliseconds together at the end of
// these. So a crash of the process loses the last ten milliseconds of a burst at most, and a killed system what it
// has not brought to the disk itself: nothing is synced. When more
// waits to be written than Backlog, a session waits five milliseconds at most; then bytes are left out,
// and the recording says so. A full disk, too, is a hole in the recording and nothing else.
type Recorder struct {
	o    RecordOptions
	done chan struct{}
	bell chan struct{} // wakes the writer

	mu      sync.Mutex
	conns   map[*intercept.Conn]*tapped
	queue   queue
	spare   queue
	room    chan struct{} // closed when the queue has been taken
	idle    bool          // the writer waits for the bell
	full    bool          // a session has waited in vain; nobody else does until there is room
	on      bool          // anything is written at all
	closing bool
	status  RecordStatus
}

// RecordStatus is how a recording stands.
type RecordStatus struct {
	Path  string // "" while there is only the spool
	Size  int64  // bytes of all its files, or of the spool
	Spool bool   // there is a spool
	Lost  uint64 // bytes that were left out
	Err   error  // what the disk says; nil while it works
}

const (
	defaultBacklog = 8 << 20
	roomPatience   = 5 * time.Millisecond
	// gathering is how long the writer lets bytes come together: waking it for each packet would cost
	// more than all the rest.
	gathering   = 10 * time.Millisecond
	enoughBytes = 128 << 10 // to be written without waiting for more
)

// tapped is what the sessions' side knows of a connection.
type tapped struct {
	rec  *recorded
	lost [2][2]uint64 // by leg and direction: left out, and not said yet
}

// queue is what waits to be written.
type queue struct {
	items []item
	bytes []byte
}

// item is one thing to be written.
type item struct {
	conn *recorded
	at   int64
	n    int   // of the queue's bytes
	say  *note // instead of bytes
	do   func(w *recordWriter)
	leg  intercept.Leg
	dir  mysqlwire.Direction
	lost uint64 // bytes left out

	commands uint64 // of the connection, begun before the client sent this; or ended
}

// NewRecorder begins to record. Close ends it.
func NewRecorder(o RecordOptions) (*Recorder, error) {
	if o.Backlog <= 0 {
		o.Backlog = defaultBacklog
	}
	if o.Trouble == nil {
		o.Trouble = func(error) {}
	}
	r := &Recorder{
		o: o, done: make(chan struct{}), bell: make(chan struct{}, 1), room: make(chan struct{}), conns: map[*intercept.Conn]*tapped{},
	}
	w := &recordWriter{r: r, o: &r.o, conns: map[*recorded]struct{}{}, put: (*os.File).Write}
	if err := w.begin(); err != nil {
		return nil, err
	}
	w.flush()
	if w.failed != nil && o.Path != "" {
		w.finish(w.current)
		return nil, w.failed
	}
	w.publish()
	go w.run() // ends after Close
	return r, nil
}

// Close writes what waits, and ends the recording.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if !r.closing {
		r.closing = true
		r.wake()
	}
	r.mu.Unlock()
	<-r.done
	return r.Status().Err
}

// Status is how the recording stands.
func (r *Recorder) Status() RecordStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Keep makes a recording of what the spool has and of what follows.
func (r *Recorder) Keep(path string) error {
	return r.ask(func(w *recordWriter) error { return w.keep(path) })
}

// Stop ends the recording that Keep or the options began. The spool, if there is one, begins anew.
func (r *Recorder) Stop() error {
	return r.ask(func(w *recordWriter) error { return w.stop() })
}

// ask has the writer do something.
func (r *Recorder) ask(f func(*recordWriter) error) error {
	answer := make(chan error, 1)
	r.mu.Lock()
	if r.closing {
		r.mu.Unlock()
		return fmt.Errorf("the recorder is closed")
	}
	r.queue.items = append(r.queue.items, item{do: func(w *recordWriter) { answer <- f(w) }})
	r.wake()
	r.mu.Unlock()
	return <-answer
}

// wake rings the bell; the caller holds mu.
func (r *Recorder) wake() {
	select {
	case r.bell <- struct{}{}:
	default: // rung already
	}
}

// Opened implements intercept.Tap.
func (r *Recorder) Opened(c *intercept.Conn) {
	t := &tapped{rec: newRecorded(c)}
	at := time.Now().UnixNano()
	r.mu.Lock()
	r.conns[c] = t
	r.add(item{conn: t.rec, at: at, do: func(w *recordWriter) { w.opened(t.rec, at) }})
	r.mu.Unlock()
}

// Connected implements intercept.Tap.
func (r *Recorder) Connected(c *intercept.Conn, k *intercept.Connected) {
	own, at := *k, time.Now().UnixNano()
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.conns[c]; t != nil {
		r.add(item{conn: t.rec, at: at, do: func(w *recordWriter) { t.rec.connected(w, &own, at) }})
	}
}

// Closed implements intercept.Tap.
func (r *Recorder) Closed(c *intercept.Conn, cause error) {
	why, at := cause.Error(), time.Now().UnixNano()
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.conns[c]
	delete(r.conns, c)
	if t != nil {
		r.owed(t, at)
		r.add(item{conn: t.rec, at: at, do: func(w *recordWriter) { w.closed(t.rec, why, at) }})
	}
}

// Bytes implements intercept.Tap.
func (r *Recorder) Bytes(c *intercept.Conn, l intercept.Leg, d mysqlwire.Direction, b []byte) {
	at := time.Now().UnixNano()
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.conns[c]
	if t == nil || r.closing || !r.on {
		return
	}
	if len(r.queue.bytes)+len(b) > r.o.Backlog && len(r.queue.bytes) > 0 && !r.waitForRoom(len(b)) {
		t.lost[l][d] += uint64(len(b))
		r.status.Lost += uint64(len(b))
		return
	}
	r.owed(t, at)
	r.queue.bytes = append(r.queue.bytes, b...)
	r.add(item{conn: t.rec, at: at, n: len(b), leg: l, dir: d, commands: c.Commands()})
}

// waitForRoom waits for the writer to take the queue, not for long; false when it has not. mu is given
// back meanwhile.
func (r *Recorder) waitForRoom(n int) bool {
	if r.full {
		return false
	}
	var late <-chan time.Time
	if !r.o.Lossless {
		t := time.NewTimer(roomPatience)
		defer t.Stop()
		late = t.C
	}
	for len(r.queue.bytes)+n > r.o.Backlog && len(r.queue.bytes) > 0 {
		room := r.room
		r.mu.Unlock()
		select {
		case <-room:
			r.mu.Lock()
		case <-late:
			r.mu.Lock()
			r.full = true
			return false
		}
	}
	return true
}

// owed says what has been left out of a connection; the caller holds mu.
func (r *Recorder) owed(t *tapped, at int64) {
	for l := range t.lost {
		for d, n := range t.lost[l] {
			if n > 0 {
				t.lost[l][d] = 0
				r.add(item{conn: t.rec, at: at, leg: intercept.Leg(l), dir: mysqlwire.Direction(d), lost: n})
			}
		}
	}
}

// add queues an item; the caller holds mu.
func (r *Recorder) add(it item) {
	r.queue.items = append(r.queue.items, it)
	if r.idle || len(r.queue.bytes) >= enoughBytes {
		r.wake()
	}
}

// say queues a note.
func (r *Recorder) say(c *intercept.Conn, n *note, comment string) {
	at := time.Now().UnixNano()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on {
		return
	}
	var rec *recorded
	if t := r.conns[c]; t != nil {
		rec = t.rec
	}
	if comment != "" && rec != nil {
		r.add(item{conn: rec, at: at, do: func(*recordWriter) { rec.remark(comment) }})
	}
	r.add(item{conn: rec, at: at, say: n})
}

// Decided implements intercept.Tap.
func (r *Recorder) Decided(c *intercept.Conn, d *intercept.Decision) {
	v := &d.Verdict
	own := &Decision{
		Hook: d.Point.String(), At: d.At, Action: v.Action.String(), By: v.By, Why: v.Why, Held: d.Held, Delay: v.Delay,
		Edited: v.Packet != nil || v.Answer != nil && v.Action != intercept.Reply,
	}
	for i := range v.Queries {
		q := &v.Queries[i]
		text := ""
		if len(q.Packet) > 0 {
			cmd := mysqlwire.Command(q.Packet[0])
			text = cmd.String()
			if cmd == mysqlwire.ComQuery || cmd == mysqlwire.ComStmtPrepare {
				text = string(q.Packet[1:min(len(q.Packet), 1+intercept.SQLPrefix)])
				if !r.o.KeepSecrets {
					text = sqltext.Mask(text)
				}
			}
		}
		own.Sent = append(own.Sent, q.Origin.String()+": "+text)
	}
	r.say(c, &note{Type: noteDecision, Conn: c.ID, At: d.At, Command: d.Command, Exchange: d.Exchange, Decision: own}, own.String())
}

// Queried implements intercept.Tap.
func (r *Recorder) Queried(c *intercept.Conn, q *intercept.Queried) {
	r.say(c, &note{Type: noteQuery, Conn: c.ID, Query: &queryNote{q.Number, q.Origin.String(), q.Main, q.By}}, "")
}

// Finished implements intercept.Tap.
func (r *Recorder) Finished(c *intercept.Conn, x *intercept.Exchange, command uint64) {
	r.mu.Lock()
	t := r.conns[c]
	if t != nil && r.on {
		r.add(item{conn: t.rec, leg: finishedMark, commands: command})
	}
	r.mu.Unlock()
	const plain = intercept.MarkPartial | intercept.MarkOpaque
	if x.Marks&^plain == 0 && x.By == "" && x.Note == "" && x.HeldFor == 0 {
		return
	}
	r.say(c, &note{
		Type: noteExchange, Conn: c.ID, Command: command, Exchange: x.Seq, Marks: namesOf(x.Marks), By: x.By, Note: x.Note, Held: x.HeldFor,
	}, "")
}

// finishedMark is the leg of an item that says that an exchange is over.
const finishedMark intercept.Leg = 0xff

// Noted implements intercept.Tap.
func (r *Recorder) Noted(n *intercept.Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on {
		return
	}
	own := &note{Type: noteNotice, Conn: n.Conn, At: n.At, Exchange: n.Exchange, Level: n.Level.String(), Text: n.Text}
	r.add(item{at: n.At.UnixNano(), say: own})
}
