package sessions

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// counted counts the reads of a file.
type counted struct {
	io.ReaderAt
	reads int
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	return c.ReaderAt.ReadAt(p, off)
}

func TestWindowsReadWhatIsThere(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]byte, 5*windowSize+77)
	for i := range all {
		all[i] = byte(rng.Uint32())
	}
	file := &counted{ReaderAt: bytes.NewReader(all)}
	w := &windows{file: file}
	for range 20_000 {
		off := rng.Int64N(int64(len(all)) + 100)
		p := make([]byte, rng.IntN(windowSize))
		want := make([]byte, len(p))
		wn, werr := file.ReaderAt.ReadAt(want, off)
		n, err := w.ReadAt(p, off)
		if n != wn || !bytes.Equal(p[:n], want[:n]) || errors.Is(err, io.EOF) != errors.Is(werr, io.EOF) {
			t.Fatalf("%d bytes from %d: got %d, %v, want %d, %v", len(p), off, n, err, wn, werr)
		}
	}
}

// TestWindowsReadLittle goes through a file in short steps, and back to its beginning every time.
func TestWindowsReadLittle(t *testing.T) {
	const size = 8 * windowSize
	file := &counted{ReaderAt: bytes.NewReader(make([]byte, size))}
	w := &windows{file: file}
	p := make([]byte, 64)
	for off := int64(0); off+64 <= size; off += 64 {
		for _, at := range []int64{off, 0} {
			if _, err := w.ReadAt(p, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	if file.reads > 8 {
		t.Errorf("%d reads of a file of 8 windows", file.reads)
	}
}

// TestWindowsOfAFileThatGrows: what was not there at first is found later.
func TestWindowsOfAFileThatGrows(t *testing.T) {
	data := []byte("some bytes")
	grows := &growing{data}
	w := &windows{file: grows}
	p := make([]byte, 4)
	if n, err := w.ReadAt(p, 8); n != 2 || !errors.Is(err, io.EOF) {
		t.Errorf("got %d, %v", n, err)
	}
	grows.b = append(grows.b, " more"...)
	if n, err := w.ReadAt(p, 8); n != 4 || err != nil || string(p) != "es m" {
		t.Errorf("got %q, %d, %v", p, n, err)
	}
}

type growing struct{ b []byte }

func (g *growing) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(g.b).ReadAt(p, off)
}
