package sessions

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mydbg/intercept"
	"mydbg/sessions/pcapng"
)

// FuzzOpen opens anything: it ends, says nothing that is not in the file, and gives the same twice.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"recording.pcapng", "capture.pcap", "dumpcap.pcapng", "capture.pcap.gz"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var before []string
		for range 2 {
			r, err := Open(path, Options{})
			if err != nil {
				return
			}
			lines := describe(r)
			for rec, err := range r.Records(0) {
				if err != nil {
					t.Fatal(err)
				}
				_, _ = rec.Message() // may be garbage
				_, _ = rec.Results()
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if before != nil && !slices.Equal(before, lines) {
				t.Errorf("at first\n%v\nthen\n%v", before, lines)
			}
			before = lines
		}
	})
}

// FuzzStreams shuffles, repeats and leaves out the packets of a conversation: what is said to be whole is
// as it was sent.
func FuzzStreams(f *testing.F) {
	f.Add([]byte{0, 0, 3, 1, 9, 2})
	f.Add([]byte{10, 1, 10, 1, 10, 1})
	frames, want := story(12)
	f.Fuzz(func(t *testing.T, script []byte) {
		list := slices.Clone(frames)
		for i := 0; i+1 < len(script) && i < 40; i += 2 {
			at := 4 + int(script[i])%(len(list)-5)
			switch script[i+1] % 4 {
			case 0:
				list[at], list[at+1] = list[at+1], list[at]
			case 1:
				list = slices.Insert(list, at+1, list[at])
			case 2:
				list = slices.Delete(list, at, at+1)
			case 3:
				cut := list[at]
				cut.n, cut.data = len(cut.data), cut.data[:max(len(cut.data)-int(script[i]), 54)]
				list[at] = cut
			}
		}
		known := map[string]bool{}
		for _, line := range want[1:] {
			known[line[len("#1 "):]] = true
			known[line[len("#10 "):]] = true
		}
		r := openBytes(t, pcap(pcapng.LinkEthernet, list), Options{})
		for rec, err := range r.Records(0) {
			if err != nil {
				t.Fatal(err)
			}
			if rec.Marks&^intercept.MarkLoop != 0 || rec.Cut {
				continue
			}
			if _, err := rec.Results(); err != nil {
				t.Errorf("#%d %q: %v", rec.Seq, rec.Statement, err)
			}
		}
	})
}

// FuzzBlocks reads blocks of anything.
func FuzzBlocks(f *testing.F) {
	var w pcapng.Writer
	w.Section("x")
	w.Interface("i", pcapng.LinkRaw)
	w.Packet(0, 5, pcapng.Inbound, []byte("head"), []byte("data"), "comment")
	w.Custom(1, []byte("{}"))
	f.Add(w.Buf)
	f.Add(smallCapture(pcapng.LinkEthernet))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := pcapng.NewReader(&chunks{b: b})
		if err != nil {
			return
		}
		var block pcapng.Block
		for r.Next(&block) == nil {
			if block.Off < 0 || block.Off+int64(len(block.Data)) > int64(len(b)) || string(b[block.Off:block.Off+int64(len(block.Data))]) != string(block.Data) {
				t.Fatalf("a block of %d bytes is said to be at %d", len(block.Data), block.Off)
			}
		}
	})
}

// chunks is a reader that gives a few bytes at a time.
type chunks struct{ b []byte }

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.b[:min(len(c.b), 7)])
	c.b = c.b[n:]
	return n, nil
}
