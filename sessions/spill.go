package sessions

import (
	"errors"
	"fmt"
	"os"
)

// spillBase is where bytes stand that are not in the file, in the numbering of those that are.
const spillBase = int64(1) << 62

// spilling is a file and behind it what its compressed connections expand to. That is written to a temporary file, so
// that it can be read again as often as what is in the file.
type spilling struct {
	storage
	dir  string
	out  *os.File // nil until something is put into it; it has no name
	size int64
}

// put keeps bytes and says where they are.
func (s *spilling) put(b []byte) (off int64, err error) {
	if s.out == nil {
		f, err := os.CreateTemp(s.dir, "mydbg-*") // with mode 0600
		if err != nil {
			return 0, fmt.Errorf("expand: %w", err)
		}
		if err := os.Remove(f.Name()); err != nil {
			return 0, errors.Join(fmt.Errorf("expand: %w", err), f.Close())
		}
		s.out = f
	}
	if _, err := s.out.WriteAt(b, s.size); err != nil {
		return 0, fmt.Errorf("expand: %w", err)
	}
	off = spillBase + s.size
	s.size += int64(len(b))
	return off, nil
}

// ReadAt is of both. Who reads there has been told of it after it was put.
func (s *spilling) ReadAt(b []byte, off int64) (int, error) {
	if off >= spillBase {
		return s.out.ReadAt(b, off-spillBase)
	}
	return s.storage.ReadAt(b, off)
}

// Close closes both.
func (s *spilling) Close() error {
	if s.out == nil {
		return s.storage.Close()
	}
	return errors.Join(s.storage.Close(), s.out.Close())
}
