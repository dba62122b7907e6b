package replay_test

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"mydbg/intercept/intercepttest"
	"mydbg/sessions"
	"mydbg/sessions/replay"
	"mydbg/sessions/sessionstest"
)

// queries is how many one connection of the benchmark sends.
const queries = 4000

// BenchmarkReplay sends recorded point selects, comparing each answer, at full speed: one connection, and eight. Its
// yardstick is a driver that sends the same statements without a recording.
func BenchmarkReplay(b *testing.B) {
	s := sessionstest.Servers(b)[0]
	table := sessionstest.Shop(b, &s)
	for _, n := range []int{1, 8} {
		run := func(addr string, parallel int) {
			var all sync.WaitGroup
			for range parallel {
				c, end := sessionstest.Open(b, &s, addr, "interpolateParams=true")
				all.Go(func() {
					defer end()
					for i := range queries {
						var name string
						if err := c.QueryRowContext(b.Context(), "SELECT name FROM "+table+" WHERE id = ?", 1+i%3).Scan(&name); err != nil && err != sql.ErrNoRows {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
		}
		r := sessionstest.Record(b, &s, func(p *intercepttest.Proxy) { run(p.Addr, n) })
		b.Run(fmt.Sprintf("driver/%d", n), func(b *testing.B) {
			for b.Loop() {
				run(s.Addr, n)
			}
			b.ReportMetric(float64(queries*n*b.N)/b.Elapsed().Seconds(), "queries/s")
		})
		b.Run(fmt.Sprintf("replay/%d", n), func(b *testing.B) {
			for b.Loop() {
				send(b, r, &s, n)
			}
			b.ReportMetric(float64(queries*n*b.N)/b.Elapsed().Seconds(), "queries/s")
		})
	}
}

func send(b *testing.B, r *sessions.Reader, s *intercepttest.Server, n int) {
	totals, err := replay.Run(b.Context(), r, replay.Options{Address: s.Addr, User: s.User, Password: s.Password, SameServer: true})
	if err != nil || totals.Different() || totals.Outcomes[replay.Same] < queries*n {
		b.Fatalf("%v, %s", err, totals.String())
	}
}
