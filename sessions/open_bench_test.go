package sessions

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"mydbg/sessions/pcapng"
)

// largeCapture is a file as tcpdump writes it, of about so many bytes: small queries mostly, some larger
// results, twenty connections interleaved.
func largeCapture(tb testing.TB, size int) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "large.pcap")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var frames []frame
	talks := make([]*talk, 20)
	for i := range talks {
		talks[i] = newTalk(&frames, uint16(40000+i), pcapng.LinkEthernet)
		talks[i].open()
		talks[i].login()
	}
	written := 0
	for n := 0; written < size; n++ {
		t := talks[n%len(talks)]
		t.query(fmt.Sprintf("SELECT id, name, price FROM products WHERE category = %d AND price < %d ORDER BY price LIMIT 20", n%50, n))
		if n%10 == 0 {
			t.rows(200, "a value of some length that fills the row")
		} else {
			t.rows(3, "short")
		}
		t.packet(0, flagACK, nil)
		if n%1000 == 0 || written+1<<20 > size {
			b := pcap(pcapng.LinkEthernet, frames)
			if written > 0 {
				b = b[24:]
			}
			if _, err := f.Write(b); err != nil {
				tb.Fatal(err)
			}
			written += len(b)
			frames = frames[:0]
		}
	}
	return path
}

// BenchmarkOpen indexes a file of 200 MB. What else reads such files is measured with the same one, where it is
// installed: tshark, and pt-query-digest, which reads what tcpdump prints.
func BenchmarkOpen(b *testing.B) {
	path := largeCapture(b, 200_000_000)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("mydbg", func(b *testing.B) {
		b.SetBytes(info.Size())
		for b.Loop() {
			r, err := Open(path, Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap-MB")
			b.ReportMetric(float64(r.Len()), "exchanges")
			if err := r.Close(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
	if tshark, err := exec.LookPath("tshark"); err == nil {
		b.Run("tshark", func(b *testing.B) {
			b.SetBytes(info.Size())
			for b.Loop() {
				if err := exec.Command(tshark, "-r", path, "-Y", "mysql.query", "-T", "fields", "-e", "mysql.query").Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	digest, err := exec.LookPath("pt-query-digest")
	tcpdump, terr := exec.LookPath("tcpdump")
	if err == nil && terr == nil {
		b.Run("pt-query-digest", func(b *testing.B) {
			b.SetBytes(info.Size())
			for b.Loop() {
				prints := exec.Command(tcpdump, "-s", "65535", "-x", "-nn", "-q", "-tttt", "-r", path)
				reads := exec.Command(digest, "--type", "tcpdump", "--limit", "5")
				if reads.Stdin, err = prints.StdoutPipe(); err != nil {
					b.Fatal(err)
				}
				if err := prints.Start(); err != nil {
					b.Fatal(err)
				}
				if out, err := reads.CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
				if err := prints.Wait(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
