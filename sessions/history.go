package sessions

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
)

// sharedFile is a file that the recorder writes and readers of its history read. It is closed when the
// last of them has done so.
type sharedFile struct {
	*os.File
	mu      sync.Mutex
	readers int
	done    bool // the recorder has closed it
}

// Close closes the recorder's side.
func (f *sharedFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = true
	if f.readers > 0 {
		return nil
	}
	return f.File.Close()
}

// piece is a part of a history.
type piece struct {
	file *sharedFile
	from int64 // in the history
	size int64
}

// history is what a recorder has written so far, as one file.
type history struct{ pieces []piece }

func (h *history) add(f *sharedFile, size int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers++
	h.pieces = append(h.pieces, piece{f, h.size(), size})
}

func (h *history) size() int64 {
	if len(h.pieces) == 0 {
		return 0
	}
	last := h.pieces[len(h.pieces)-1]
	return last.from + last.size
}

// ReadAt implements io.ReaderAt.
func (h *history) ReadAt(b []byte, off int64) (n int, err error) {
	i := sort.Search(len(h.pieces), func(i int) bool { return h.pieces[i].from > off }) - 1
	for ; i >= 0 && i < len(h.pieces) && n < len(b); i++ {
		p := &h.pieces[i]
		at := off + int64(n) - p.from
		if at >= p.size {
			continue
		}
		got, err := p.file.ReadAt(b[n:n+int(min(int64(len(b)-n), p.size-at))], at)
		n += got
		if err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Close lets the files go.
func (h *history) Close() (err error) {
	for _, p := range h.pieces {
		p.file.mu.Lock()
		if p.file.readers--; p.file.readers == 0 && p.file.done {
			err = errors.Join(err, p.file.File.Close())
		}
		p.file.mu.Unlock()
	}
	h.pieces = nil
	return err
}

// ErrNoHistory means that nothing is kept of the traffic.
var ErrNoHistory = errors.New("nothing is kept of the traffic: --no-spool")

// History is a reader of what has been written so far, to the spool or to the recording's present files:
// all that the screen can show of the past. Indexing goes on in the background, as with Start.
func (r *Recorder) History(o Options) (*Reader, error) {
	h := &history{}
	err := r.ask(func(w *recordWriter) error {
		if w.current == nil {
			return ErrNoHistory
		}
		w.flush()
		parts := w.spool
		if w.path != "" {
			parts = append(w.others[:len(w.others):len(w.others)], w.current)
		}
		for _, p := range parts {
			h.add(p.file, p.size)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	rd := newReader("history", o)
	rd.size = h.size()
	s := &scan{r: rd, file: h}
	if err := s.prepare(io.NewSectionReader(h, 0, h.size())); err != nil {
		return nil, errors.Join(fmt.Errorf("history: %w", err), h.Close())
	}
	rd.start(s)
	return rd, nil
}
