package sessions

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"sort"
	"sync"
	"time"

	"mydbg/intercept"
)

// Options say how a file is opened. The zero value is fine.
type Options struct {
	// Port is a server's port beside 3306, for captures of connections whose beginning is missing.
	// Connections that are captured from their greeting on are recognised on any port.
	Port uint16
	// Changed is called when something new has been indexed, some times a second at most, from the
	// indexing goroutine; nil is fine.
	Changed func()
}

// Reader is an open recording or capture.
type Reader struct {
	path string
	file storage // to read at offsets: the file, or the temporary one it was unpacked to
	temp string  // to be removed; "" for none
	o    Options
	done chan struct{} // closed when everything is indexed
	stop chan struct{}
	once sync.Once

	mu      sync.RWMutex
	ix      index
	read    int64 // bytes indexed
	size    int64
	ended   bool
	failure error // why indexing stopped before the end; nil at a cut tail
	cut     bool
}

// ErrNoExchange means that there is no exchange of that number.
var ErrNoExchange = errors.New("no such exchange")

// Open indexes a file and returns when that is done. A file that ends in the middle of a block, as after a
// crash, is no error: what is there is there, and Progress says that it was cut. Nor is one that stops
// making sense further on: see Problem.
func Open(path string, o Options) (*Reader, error) {
	r, err := Start(path, o)
	if err != nil {
		return nil, err
	}
	<-r.done
	return r, nil
}

// Start is Open without waiting: indexing goes on until Done is closed.
func Start(path string, o Options) (*Reader, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	r := newReader(path, o)
	s, err := newScan(r, in)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	r.start(s)
	return r, nil
}

// storage is where a reader's bytes are.
type storage interface {
	io.ReaderAt
	io.Closer
}

func newReader(path string, o Options) *Reader {
	return &Reader{path: path, o: o, done: make(chan struct{}), stop: make(chan struct{})}
}

func (r *Reader) start(s *scan) {
	go func() { // ends at the end of the file, or at Close
		defer close(r.done)
		s.run()
	}()
}

// Done is closed when everything has been indexed.
func (r *Reader) Done() <-chan struct{} { return r.done }

// Close stops indexing and closes the file.
func (r *Reader) Close() error {
	r.once.Do(func() { close(r.stop) })
	<-r.done
	err := r.file.Close()
	if r.temp != "" {
		err = errors.Join(err, os.Remove(r.temp))
	}
	return err
}

// Path is the file's name.
func (r *Reader) Path() string { return r.path }

// Progress is how far indexing has come.
type Progress struct {
	Read, Size int64 // bytes; those of the packed file if it is packed
	Done       bool
	Cut        bool  // the file ends in the middle of a block
	Err        error // why indexing ended before the end of the file; nil in most cases
}

// Progress says how far indexing has come.
func (r *Reader) Progress() Progress {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return Progress{Read: r.read, Size: r.size, Done: r.ended, Cut: r.cut, Err: r.failure}
}

// Recording reports whether the file is one of ours, with both legs of each connection.
func (r *Reader) Recording() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.ix.recording
}

// Conns are the connections in the order they appear.
func (r *Reader) Conns() []Conn {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]Conn, len(r.ix.conns))
	for i, c := range r.ix.conns {
		list[i] = c.snapshot()
	}
	return list
}

// Conn finds a connection.
func (r *Reader) Conn(id intercept.ConnID) (Conn, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if c := r.ix.byID[id]; c != nil {
		return c.snapshot(), true
	}
	return Conn{}, false
}

// Len is how many exchanges have been indexed.
func (r *Reader) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.ix.entries)
}

// Exchange is the summary of exchange s, 1 to Len.
func (r *Reader) Exchange(s intercept.Seq) (Exchange, error) { return r.exchange(r.file, s) }

func (r *Reader) exchange(file io.ReaderAt, s intercept.Seq) (Exchange, error) {
	x, from, err := r.summary(file, s)
	if err != nil {
		return x, err
	}
	return x, from.text(&x)
}

// Exchanges are the summaries of a connection's exchanges, of all connections with 0, as far as they have
// been indexed, in order.
func (r *Reader) Exchanges(id intercept.ConnID) iter.Seq2[Exchange, error] {
	return func(yield func(Exchange, error) bool) {
		file := &windows{file: r.file}
		for s := range r.Seqs(id) {
			x, err := r.exchange(file, s)
			if !yield(x, err) || err != nil {
				return
			}
		}
	}
}

// From is Exchanges of all connections from exchange s on.
func (r *Reader) From(s intercept.Seq) iter.Seq2[Exchange, error] {
	return func(yield func(Exchange, error) bool) {
		file := &windows{file: r.file}
		for ; int(s) <= r.Len(); s++ {
			x, err := r.exchange(file, s)
			if !yield(x, err) || err != nil {
				return
			}
		}
	}
}

// Record reads exchange s from the file.
func (r *Reader) Record(s intercept.Seq) (*Record, error) { return r.load(r.file, s, wholeAnswer) }

// Look is Record of which an answer may be cut off after so many bytes: to look at it, not to go through all of it.
func (r *Reader) Look(s intercept.Seq, limit int) (*Record, error) { return r.load(r.file, s, limit) }

// Records reads a connection's exchanges, of all connections with 0, as far as they have been indexed, in
// order.
func (r *Reader) Records(id intercept.ConnID) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		file := &windows{file: r.file}
		for s := range r.Seqs(id) {
			rec, err := r.load(file, s, wholeAnswer)
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// Seqs are the numbers of a connection's exchanges.
func (r *Reader) Seqs(id intercept.ConnID) iter.Seq[intercept.Seq] {
	return func(yield func(intercept.Seq) bool) {
		for i := 0; ; i++ {
			r.mu.RLock()
			s, ok := r.ix.nth(id, i)
			r.mu.RUnlock()
			if !ok || !yield(s) {
				return
			}
		}
	}
}

// Nearest is the exchange of a connection that began nearest to a time; false when the file has none of it.
func (r *Reader) Nearest(id intercept.ConnID, at time.Time) (intercept.Seq, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.ix.byID[id]
	if c == nil || len(c.entries) == 0 {
		return 0, false
	}
	begun := func(i int) int64 { return r.ix.entries[c.entries[i]].begun }
	t := at.UnixNano()
	i := sort.Search(len(c.entries), func(i int) bool { return begun(i) >= t })
	if i == len(c.entries) || i > 0 && t-begun(i-1) < begun(i)-t {
		i--
	}
	return intercept.Seq(c.entries[i] + 1), true
}

// Notes are what the recording says beside the traffic: notices of the proxy and output of scripts, and
// what was odd about the capture. They are in order.
func (r *Reader) Notes() []intercept.Notice {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.ix.notes)
}

// Decisions are what was decided about exchange s, in order.
func (r *Reader) Decisions(s intercept.Seq) []Decision {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.ix.decisions[s])
}

// Span is the time of the first and the last packet.
func (r *Reader) Span() (first, last time.Time) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return moment(r.ix.first), moment(r.ix.last)
}

// moment is a time of the index; 0 is none.
func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

var _ io.Closer = (*Reader)(nil)
