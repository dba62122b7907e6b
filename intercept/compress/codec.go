package compress

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"mydbg/mysqlwire"
)

// codec makes and reads compressed bodies. Both methods append to dst.
type codec interface {
	shrink(dst, body []byte) []byte
	// expand fails when body expands to more than size bytes.
	expand(dst, body []byte, size int) ([]byte, error)
}

func codecOf(a Algorithm, level int) codec {
	if a == Zstd {
		return zstdCodec{zstdEncoder(level)}
	}
	return &zlibCodec{}
}

// minBuffer is what a body is expanded into at first.
const minBuffer = 4 << 10

// zlibCodec keeps what one connection reads with. Writers are large, needed for a moment and shared.
type zlibCodec struct {
	src bytes.Reader
	r   io.ReadCloser
	out sink
}

// sink collects what is written to it.
type sink struct{ b []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}

// zlibWriters trade size for speed: everybody who waits for an answer waits for them. Those not in
// use wait here; there are never more than run at once.
var zlibWriters = make(chan *zlib.Writer, runtime.GOMAXPROCS(0))

func zlibWriter() *zlib.Writer {
	select {
	case w := <-zlibWriters:
		return w
	default:
	}
	w, err := zlib.NewWriterLevel(io.Discard, zlib.BestSpeed)
	if err != nil {
		panic(err) // there is no such level
	}
	return w
}

func (z *zlibCodec) shrink(dst, body []byte) []byte {
	w := zlibWriter()
	z.out.b = dst
	w.Reset(&z.out)
	_, _ = w.Write(body) // a sink takes everything
	_ = w.Close()
	w.Reset(io.Discard)
	select {
	case zlibWriters <- w:
	default: // enough of them
	}
	dst, z.out.b = z.out.b, nil
	return dst
}

func (z *zlibCodec) expand(dst, body []byte, size int) ([]byte, error) {
	z.src.Reset(body)
	var err error
	if z.r == nil {
		if z.r, err = zlib.NewReader(&z.src); err != nil {
			z.r = nil
			return dst, err
		}
	} else if err = z.r.(zlib.Resetter).Reset(&z.src, nil); err != nil {
		return dst, err
	}
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, min(max(len(dst), minBuffer), size+1-len(dst)))
		}
		n, err := z.r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > size:
			return dst, fmt.Errorf("they expand to more")
		case err == io.EOF && z.src.Len() > 0:
			return dst, fmt.Errorf("%d bytes too many", z.src.Len())
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
}

// zstdCodec shares what it works with: neither its encoders nor its decoder keep anything between bodies.
type zstdCodec struct{ enc *zstd.Encoder }

var zstdEncoders sync.Map // of zstd.EncoderLevel to *zstd.Encoder

// zstdEncoder is one for a level of MySQL's, 1 to 22.
func zstdEncoder(level int) *zstd.Encoder {
	if level == 0 {
		level = DefaultLevel
	}
	l := zstd.EncoderLevelFromZstd(level)
	if e, ok := zstdEncoders.Load(l); ok {
		return e.(*zstd.Encoder)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(l), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // options that contradict each other
	}
	e, _ := zstdEncoders.LoadOrStore(l, enc)
	return e.(*zstd.Encoder)
}

// zstdDecoder allows windows as large as a body can be.
var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(mysqlwire.MaxFrame),
		zstd.WithDecoderMaxWindow(1<<24), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // options that contradict each other
	}
	return d
})

func (z zstdCodec) shrink(dst, body []byte) []byte { return z.enc.EncodeAll(body, dst) }

func (z zstdCodec) expand(dst, body []byte, size int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(body); err == nil && h.HasFCS && h.FrameContentSize > uint64(size) {
		return dst, fmt.Errorf("they expand to %d", h.FrameContentSize)
	}
	return zstdDecoder().DecodeAll(body, dst)
}
