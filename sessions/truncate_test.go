package sessions

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mydbg/intercept"
	"mydbg/sessions/pcapng"
)

// smallCapture is a short conversation in the older format.
func smallCapture(link pcapng.LinkType) []byte {
	var frames []frame
	t := newTalk(&frames, 40000, link)
	t.open()
	t.login()
	t.query("SELECT v FROM t")
	t.rows(3, "cell")
	t.query("UPDATE t SET v = 1")
	t.payloads(1, 1, okPayload(2))
	t.close()
	return pcap(link, frames)
}

// TestTruncatedAnywhere opens a recording and a capture cut off at every byte: what was whole is there.
func TestTruncatedAnywhere(t *testing.T) {
	for _, name := range []string{"recording.pcapng", "capture.pcap", "capture.pcap.gz"} {
		t.Run(name, func(t *testing.T) {
			whole, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), name)
			last := 0
			for n := 0; n <= len(whole); n++ {
				if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
					t.Fatal(err)
				}
				r, err := Open(path, Options{})
				if err != nil {
					if filepath.Ext(name) == ".gz" && n < 20 { // its header is not whole
						continue
					}
					t.Fatalf("cut at byte %d of %d: %v", n, len(whole), err)
				}
				if p := r.Progress(); p.Err != nil {
					t.Fatalf("cut at byte %d of %d: %v", n, len(whole), p.Err)
				}
				if got := r.Len(); got < last {
					t.Fatalf("cut at byte %d: %d exchanges, with a byte less there were %d", n, got, last)
				} else {
					last = got
				}
				for rec, err := range r.Records(0) {
					if err != nil {
						t.Fatalf("cut at byte %d: %v", n, err)
					}
					if rec.State == intercept.Done && rec.Cut {
						t.Fatalf("cut at byte %d: #%d is said to be whole and is not", n, rec.Seq)
					}
				}
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if last == 0 {
				t.Error("nothing was in it")
			}
		})
	}
}

func pack(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b) // to memory
	_ = z.Close()
	return out.Bytes()
}

// describe is a reader's content in a few lines.
func describe(r *Reader) (lines []string) {
	for _, c := range r.Conns() {
		lines = append(lines, fmt.Sprintf("conn %d %s %s@%s %s [%v]", c.ID, c.Client, c.User, c.DB, c.Server, c.Marks))
	}
	for x, err := range r.Exchanges(0) {
		line := fmt.Sprintf("#%d conn %d %s %q %s rows %d affected %d", x.Seq, x.Conn, x.Command.Short(), x.SQL, x.State, x.Rows, x.Affected)
		if x.Marks&^intercept.MarkLoop != 0 {
			line += fmt.Sprintf(" marks %v", namesOf(x.Marks))
		}
		if x.Note != "" {
			line += " " + x.Note
		}
		if err != nil {
			line += " " + err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}
