package sessions

import (
	"context"
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

// BenchmarkQueries sends queries through a proxy, without and with recording in turns, so that both
// meet the same machine. cpu-ns is this process's, client and proxy together.
func BenchmarkQueries(b *testing.B) {
	server := intercepttest.Servers(b, nil)[0]
	path := filepath.Join(b.TempDir(), "bench.pcapng")
	rec, err := NewRecorder(RecordOptions{Path: path, Size: 64 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer rec.Close()
	for _, bench := range []struct {
		name string
		tap  intercept.Tap
	}{{"plain", nil}, {"recorded", rec}, {"plain again", nil}, {"recorded again", rec}} {
		p := intercepttest.NewProxy(b, intercept.Options{Tap: bench.tap}, server.Addr)
		db, err := sql.Open("mysql", server.DSN(p.Addr)+"?tls=false")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		c, err := db.Conn(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(bench.name, func(b *testing.B) {
			began := cpu()
			for b.Loop() {
				if _, err := c.ExecContext(context.Background(), "SELECT id, name FROM customers WHERE id = 3"); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu()-began)/float64(b.N), "cpu-ns/op")
		})
	}
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
