package compress

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"testing"

	"mydbg/mysqlwire"
)

// written is what a Conn makes of frames.
type written struct {
	net.Conn
	bytes.Buffer
}

func (w *written) Write(b []byte) (int, error) { return w.Buffer.Write(b) }
func (w *written) Read(b []byte) (int, error)  { return w.Buffer.Read(b) }

// TestExpander listens to a connection whose bytes come in pieces of every size.
func TestExpander(t *testing.T) {
	var frames []byte
	for i := range 40 {
		frames, _ = mysqlwire.AppendPacket(frames, bytes.Repeat([]byte{byte(i)}, i*i), byte(i))
	}
	for _, a := range []Algorithm{Zlib, Zstd} {
		w := &written{}
		if _, err := Server(w, a, 0, nil).Write(frames); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 2, 7, 100, 4096, 1 << 20} {
			t.Run(fmt.Sprintf("%s %d", a, size), func(t *testing.T) {
				e := NewExpander(a)
				var got []byte
				for b := w.Bytes(); len(b) > 0; {
					n := min(size, len(b))
					var err error
					if got, err = e.Append(got, b[:n]); err != nil {
						t.Fatal(err)
					}
					b = b[n:]
				}
				if !bytes.Equal(got, frames) {
					t.Errorf("got %d bytes, want %d", len(got), len(frames))
				}
			})
		}
		t.Run(a.String()+" broken", func(t *testing.T) {
			b := bytes.Clone(w.Bytes())
			b[len(b)-20] ^= 0xff
			b[len(b)-30] ^= 0xff
			e := NewExpander(a)
			_, err := e.Append(nil, b)
			var broken *Error
			if !errors.As(err, &broken) {
				t.Fatalf("got %v", err)
			}
			if _, again := e.Append(nil, w.Bytes()); !errors.Is(again, err) {
				t.Errorf("after a failure: %v", again)
			}
		})
	}
}
