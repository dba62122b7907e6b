package intercept

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"mydbg/intercept/compress"
	"mydbg/mysqlwire"
)

// readBuffer is what a leg reads at once. 64 KiB measured slower.
const readBuffer = 32 << 10

// leg is one end of a session: a connection, its read buffer and its sequence numbers.
type leg struct {
	conn net.Conn
	from mysqlwire.Direction // which way what is read here travels
	buf  []byte
	r, w int                                   // unread bytes are buf[r:w]
	run  int                                   // buf[run:r] has been used and is passed on unchanged, but not yet queued
	seq  uint8                                 // of the next packet of a dialogue without tracker (the login)
	out  []byte                                // queued for writing
	tap  func(d mysqlwire.Direction, b []byte) // told of every byte; may be nil
	// login: the tap is told of what is used, because what is read may be TLS or compressed
	login  bool
	packed *compress.Conn // conn, once it is compressed

	limits    limits
	broken    atomic.Bool   // a write has failed
	deaf      atomic.Bool   // the peer has left, and what is written is thrown away
	mu        sync.Mutex    // of what follows
	woken     bool          // reads fail until restore
	releasing chan struct{} // closed when the session has no use for the leg any more
}

// deadline is SetReadDeadline, unless the leg has been woken for good.
func (l *leg) deadline(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.woken {
		_ = l.conn.SetReadDeadline(t) // fails on a closed connection only, as the next read will
	}
}

// release wakes whoever reads the leg and has it stop. The bytes stay where they are.
func (l *leg) release() {
	if !l.released() {
		close(l.releasing) // first: who wakes up looks whether that was why
	}
	l.wake()
}

// released reports whether the session has given the leg away.
func (l *leg) released() bool {
	select {
	case <-l.releasing:
		return true
	default:
		return false
	}
}

// wake ends a read or write that waits, and fails those that come, until restore.
func (l *leg) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.woken = true
	_ = l.conn.SetDeadline(past)
}

// restore makes a leg that nobody reads usable again.
func (l *leg) restore() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.woken, l.releasing = false, make(chan struct{})
	l.tidy()
	_ = l.conn.SetDeadline(time.Time{})
}

// tidy forgets what was passed on.
func (l *leg) tidy() {
	l.compact()
	l.run = l.r
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// tell tells the tap what has come.
func (l *leg) tell(b []byte) {
	if l.tap != nil && len(b) > 0 {
		l.tap(l.from, b)
	}
}

// used tells the tap of the next n bytes, while that has not been told what was read.
func (l *leg) used(n int) {
	if l.login {
		l.tell(l.buf[l.r : l.r+n])
	}
}

// loggedIn begins the command phase.
func (l *leg) loggedIn() {
	if l.login {
		l.tell(l.unread())
		l.login = false
	}
}

// write sends b now.
func (l *leg) write(b []byte) error {
	if l.deaf.Load() {
		return nil
	}
	if l.tap != nil {
		l.tap(l.from.Other(), b)
	}
	l.writing()
	_, err := l.conn.Write(b)
	if err != nil {
		l.broken.Store(true)
	}
	return err
}

// read is conn.Read at the end of the buffer.
func (l *leg) read() (int, error) {
	n, err := l.conn.Read(l.buf[l.w:])
	if n > 0 && l.limits.moved != nil {
		l.limits.moved.Store(time.Now().UnixNano())
	}
	if !l.login {
		l.tell(l.buf[l.w : l.w+n])
	}
	l.w += n
	return n, err
}

// queue writes b at the next flush, or now if it is large: small writes are joined.
func (l *leg) queue(b []byte) error {
	if len(l.out)+len(b) <= readBuffer {
		l.out = append(l.out, b...)
		return nil
	}
	if err := l.flush(); err != nil {
		return err
	}
	return l.write(b)
}

// queuePacket queues a payload in frames numbered from seq and returns the number after them.
func (l *leg) queuePacket(payload []byte, seq uint8) (uint8, error) {
	if len(payload) < readBuffer {
		var b [mysqlwire.HeaderLen]byte
		h := mysqlwire.Header{Len: len(payload), Seq: seq}.Append(b[:0])
		if err := l.queue(h); err != nil {
			return seq, err
		}
		return seq + 1, l.queue(payload)
	}
	b, next := mysqlwire.AppendPacket(nil, payload, seq)
	return next, l.queue(b)
}

// flush writes what is queued.
func (l *leg) flush() error {
	if len(l.out) == 0 {
		return nil
	}
	err := l.write(l.out)
	l.out = l.out[:0]
	return err
}

func newLeg(c net.Conn, from mysqlwire.Direction) *leg {
	return &leg{conn: c, from: from, buf: make([]byte, readBuffer), login: true, releasing: make(chan struct{})}
}

// unread is what has been read from the connection and not been used.
func (l *leg) unread() []byte { return l.buf[l.r:l.w] }

// fill reads at least one more byte. It is called with less than a buffer full of unread bytes.
func (l *leg) fill() error {
	l.compact()
	n, err := l.read()
	if n > 0 {
		return nil
	}
	return err
}

func (l *leg) compact() {
	if l.r == 0 {
		return
	}
	if l.r < l.w {
		copy(l.buf, l.buf[l.r:l.w])
	}
	l.w -= l.r
	l.r, l.run = 0, 0
}

// readPacket reads one whole packet of at most limit bytes and takes its sequence number over.
// At the end of the stream it is io.EOF between packets, io.ErrUnexpectedEOF inside one.
func (l *leg) readPacket(limit int) ([]byte, error) {
	var payload []byte
	for started := false; ; started = true {
		if err := l.need(mysqlwire.HeaderLen); err != nil {
			if started && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		h := mysqlwire.ParseHeader(l.unread())
		if len(payload)+h.Len > limit {
			return nil, foreign(l.unread(), "packet of %d bytes where at most %d make sense", h.Len, limit)
		}
		if h.Seq != l.seq {
			return nil, foreign(l.unread(), "packet number %d, want %d", h.Seq, l.seq)
		}
		l.seq++
		l.used(mysqlwire.HeaderLen)
		l.r += mysqlwire.HeaderLen
		for left := h.Len; left > 0; {
			if l.r == l.w {
				if err := l.fill(); err != nil {
					return nil, noEOF(err)
				}
			}
			n := min(left, l.w-l.r)
			payload = append(payload, l.buf[l.r:l.r+n]...)
			l.used(n)
			l.r += n
			left -= n
		}
		if h.Len < mysqlwire.MaxFrame {
			return payload, nil
		}
	}
}

// need fills until n bytes are unread.
func (l *leg) need(n int) error {
	for l.w-l.r < n {
		had := l.w - l.r
		if err := l.fill(); err != nil {
			if had > 0 {
				return noEOF(err)
			}
			return err
		}
	}
	return nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// writePacket sends a payload in the dialogue's next frames.
func (l *leg) writePacket(payload []byte) error {
	var b []byte
	b, l.seq = mysqlwire.AppendPacket(b, payload, l.seq)
	return l.write(b)
}

// watch reads l in the background while its session waits, so that a peer that leaves is noticed
// at once. What arrives stays in the buffer. stop ends it, waits for it, and must be called.
func (l *leg) watch(gone func(error)) (stop func()) {
	var done sync.WaitGroup
	l.compact()
	done.Go(func() {
		for l.w < len(l.buf) {
			if _, err := l.read(); err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					gone(err)
				}
				return
			}
		}
	})
	return func() {
		l.deadline(past) // wakes the read
		done.Wait()
		l.deadline(time.Time{})
	}
}

// dial connects to a backend address, host:port or unix:/path.
func dial(ctx context.Context, address string) (net.Conn, error) {
	network, addr := splitAddress(address)
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}

// flushed is flush on a leg that may not be there.
func (l *leg) flushed() error {
	if l == nil {
		return nil
	}
	return l.flush()
}
