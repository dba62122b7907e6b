package sessions

import "io"

// windows is a file read through a few large pieces that are kept: whoever goes through exchanges in their
// order reads many short stretches that are close to each other, and now and then the same statement's text
// from far back. What has been written must not change. It is for one goroutine.
type windows struct {
	file io.ReaderAt
	kept [4]window // last used first
}

// window is a piece of the file.
type window struct {
	at int64
	b  []byte
}

// windowSize is a multiple of a page and enough for some dozens of small exchanges.
const windowSize = 32 << 10

// ReadAt is io.ReaderAt.
func (w *windows) ReadAt(p []byte, off int64) (int, error) {
	if len(p) > windowSize/4 {
		return w.file.ReadAt(p, off)
	}
	for i := range w.kept {
		k := w.kept[i]
		if in := off - k.at; in >= 0 && in+int64(len(p)) <= int64(len(k.b)) {
			copy(w.kept[1:i+1], w.kept[:i])
			w.kept[0] = k
			return copy(p, k.b[in:]), nil
		}
	}
	k := w.kept[len(w.kept)-1]
	copy(w.kept[1:], w.kept[:])
	if k.b == nil {
		k.b = make([]byte, 0, windowSize)
	}
	k.at = off
	n, err := w.file.ReadAt(k.b[:windowSize], off)
	k.b = k.b[:n]
	w.kept[0] = k
	if copied := copy(p, k.b); copied < len(p) {
		return copied, err
	}
	return len(p), nil
}
