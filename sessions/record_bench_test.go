package sessions

import (
	"database/sql"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRecording sends queries through two proxies in turns, one of which records, so that both meet the same
// machine: in an operation a hundred each. recorded/plain is the ratio of the times, cpu-ns/query what recording adds to
// this process's processor time (client, proxy and recorder together).
func BenchmarkRecording(b *testing.B) {
	const batch = 100
	server := intercepttest.Servers(b, nil)[0]
	rec, err := NewRecorder(RecordOptions{Path: filepath.Join(b.TempDir(), "bench.pcapng"), Size: 64 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer rec.Close()
	type side struct {
		c         *sql.Conn
		took, cpu time.Duration
	}
	sides := [2]side{}
	for i, tap := range []intercept.Tap{nil, rec} {
		p := intercepttest.NewProxy(b, intercept.Options{Tap: tap}, server.Addr)
		db, err := sql.Open("mysql", server.DSN(p.Addr)+"?tls=false")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		if sides[i].c, err = db.Conn(b.Context()); err != nil {
			b.Fatal(err)
		}
		defer sides[i].c.Close()
	}
	n := 0
	for b.Loop() {
		n++
		for i := range sides {
			s := &sides[(i+n)%2]
			began, used := time.Now(), cpu()
			for range batch {
				if _, err := s.c.ExecContext(b.Context(), "SELECT id, name FROM customers WHERE id = 3"); err != nil {
					b.Fatal(err)
				}
			}
			s.took, s.cpu = s.took+time.Since(began), s.cpu+cpu()-used
		}
	}
	plain, recorded := sides[0], sides[1]
	b.ReportMetric(float64(plain.took)/float64(n*batch), "plain-ns/query")
	b.ReportMetric(float64(recorded.took)/float64(plain.took), "recorded/plain")
	b.ReportMetric(float64(recorded.cpu-plain.cpu)/float64(n*batch), "cpu-ns/query")
	if n := rec.Status().Lost; n > 0 {
		b.Errorf("%d bytes were left out", n)
	}
}

// BenchmarkTap is what recording costs of itself: four messages of a query, and the end of its exchange.
func BenchmarkTap(b *testing.B) {
	rec, err := NewRecorder(RecordOptions{Path: filepath.Join(b.TempDir(), "bench.pcapng"), Lossless: true})
	if err != nil {
		b.Fatal(err)
	}
	defer rec.Close()
	c := &intercept.Conn{ID: 1}
	rec.Opened(c)
	query, _ := mysqlwire.AppendPacket(nil, []byte("\x03SELECT id, name FROM customers WHERE id = 3"), 0)
	answer := make([]byte, 160)
	b.SetBytes(int64(2*len(query) + 2*len(answer)))
	began := cpu()
	var n uint64
	for b.Loop() {
		n++
		rec.Bytes(c, intercept.ClientLeg, mysqlwire.ToServer, query)
		rec.Bytes(c, intercept.ServerLeg, mysqlwire.ToServer, query)
		rec.Bytes(c, intercept.ServerLeg, mysqlwire.ToClient, answer)
		rec.Bytes(c, intercept.ClientLeg, mysqlwire.ToClient, answer)
		rec.Finished(c, &intercept.Exchange{}, n)
	}
	b.ReportMetric(float64(cpu()-began)/float64(b.N), "cpu-ns/op")
	b.StopTimer()
	if err := rec.Close(); err != nil {
		b.Fatal(err)
	}
	_ = os.Remove(filepath.Join(b.TempDir(), "bench.pcapng"))
}
