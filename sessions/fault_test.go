package sessions

import (
	"database/sql/driver"
	"os"
	"sync"
	"syscall"
)

var sqlBad = driver.ErrBadConn

// fault replaces how the recorder writes.
func (r *Recorder) fault(write func(*os.File, []byte) (int, error)) {
	_ = r.ask(func(w *recordWriter) error { w.put = write; return nil })
}

// limit is a disk with so much room left.
type limit struct {
	mu   sync.Mutex
	room int
}

func (l *limit) set(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.room = n
}

func (l *limit) write(f *os.File, b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(b), l.room)
	l.room -= n
	got, err := f.Write(b[:n])
	if err == nil && n < len(b) {
		err = syscall.ENOSPC
	}
	return got, err
}
