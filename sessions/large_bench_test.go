package sessions

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

// largeRecording is a recording of about so many bytes, both legs: what a proxy in front of twenty connections
// writes.
func largeRecording(tb testing.TB, size int64) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "large.pcapng")
	rec, err := NewRecorder(RecordOptions{Path: path, Lossless: true})
	if err != nil {
		tb.Fatal(err)
	}
	conns := make([]*intercept.Conn, 20)
	both := func(c *intercept.Conn, dir mysqlwire.Direction, b []byte) {
		legs := []intercept.Leg{intercept.ClientLeg, intercept.ServerLeg}
		if dir == mysqlwire.ToClient {
			legs[0], legs[1] = legs[1], legs[0]
		}
		for _, l := range legs {
			rec.Bytes(c, l, dir, b)
		}
	}
	say := func(c *intercept.Conn, dir mysqlwire.Direction, seq byte, payloads ...[]byte) {
		var b []byte
		for _, p := range payloads {
			b, seq = mysqlwire.AppendPacket(b, p, seq)
		}
		both(c, dir, b)
	}
	for i := range conns {
		c := &intercept.Conn{ID: intercept.ConnID(i + 1)}
		conns[i] = c
		rec.Opened(c)
		say(c, mysqlwire.ToClient, 0, must(synthGreeting().Encode(nil, nil)))
		say(c, mysqlwire.ToServer, 1, must((&mysqlwire.Login{Caps: synthCaps, User: "app", DB: "shop"}).Encode(nil, nil)))
		say(c, mysqlwire.ToClient, 2, okPayload(0))
	}
	column := must((&mysqlwire.Column{Name: "v", Type: 0xfd, Collation: 45, Length: 1000}).Encode(nil, synthContext))
	end := must((&mysqlwire.OK{End: true, Status: mysqlwire.StatusAutocommit}).Encode(nil, synthContext))
	row := must((&mysqlwire.TextRow{Cells: [][]byte{[]byte("a value of some length that fills the row")}}).Encode(nil, synthContext))
	for n := 0; rec.Status().Size < size; n++ {
		c := conns[n%len(conns)]
		say(c, mysqlwire.ToServer, 0, fmt.Appendf([]byte{3}, "SELECT id, name, price FROM products WHERE category = %d AND price < %d ORDER BY price LIMIT 20", n%50, n))
		answer := [][]byte{{1}, column}
		for range 3 + n%10/9*197 {
			answer = append(answer, row)
		}
		say(c, mysqlwire.ToClient, 1, append(answer, end)...)
		rec.Finished(c, &intercept.Exchange{}, uint64(n/len(conns)+1))
	}
	if err := rec.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

// BenchmarkOpenLarge opens 1 GB, a recording and a file of tcpdump's: how long until a screenful of exchanges can be
// read, how long for all of it, and how much memory the index takes. It writes 2 GB to the directory for temporary files:
//
//	go test -run '^$' -bench OpenLarge -benchtime 1x ./sessions
func BenchmarkOpenLarge(b *testing.B) {
	if testing.Short() {
		b.Skip("it writes 2 GB")
	}
	const size = 1_000_000_000
	for _, kind := range []struct {
		name string
		make func() string
	}{
		{"recording", func() string { return largeRecording(b, size) }},
		{"tcpdump", func() string { return largeCapture(b, size) }},
	} {
		b.Run(kind.name, func(b *testing.B) {
			path := kind.make()
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(info.Size())
			var heap runtime.MemStats
			var first, all time.Duration
			for b.Loop() {
				began := time.Now()
				told := make(chan struct{}, 1)
				r, err := Start(path, Options{Changed: func() {
					select {
					case told <- struct{}{}:
					default:
					}
				}})
				if err != nil {
					b.Fatal(err)
				}
				for r.Len() < 50 {
					<-told
				}
				for s := intercept.Seq(1); s <= 50; s++ {
					if _, err := r.Exchange(s); err != nil {
						b.Fatal(err)
					}
				}
				first = time.Since(began)
				<-r.Done()
				all = time.Since(began)
				b.StopTimer()
				runtime.GC()
				runtime.ReadMemStats(&heap)
				b.ReportMetric(float64(r.Len()), "exchanges")
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(first.Seconds()*1e3, "ms-to-first")
			b.ReportMetric(all.Seconds()*1e3, "ms-to-all")
			b.ReportMetric(float64(heap.HeapAlloc)/1e6, "heap-MB")
		})
	}
}
