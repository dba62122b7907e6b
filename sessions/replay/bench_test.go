package replay_test

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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
// yardsticks are a driver and, where it is installed, sysbench, which send the same statements and compare nothing.
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
		if program, err := exec.LookPath("sysbench"); err == nil {
			b.Run(fmt.Sprintf("sysbench/%d", n), func(b *testing.B) {
				for b.Loop() {
					sysbench(b, program, &s, table, n)
				}
				b.ReportMetric(float64(queries*n*b.N)/b.Elapsed().Seconds(), "queries/s")
			})
		}
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

// sysbench has sysbench send the statements on so many connections.
func sysbench(b *testing.B, program string, s *intercepttest.Server, table string, threads int) {
	b.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		b.Fatal(err)
	}
	script := filepath.Join(b.TempDir(), "points.lua")
	err = os.WriteFile(script, []byte(`
		local i = 0
		function thread_init() con = sysbench.sql.driver():connect() end
		function event() con:query("SELECT name FROM `+table+` WHERE id = " .. (1 + i % 3)); i = i + 1 end
		function thread_done() con:disconnect() end
	`), 0o600)
	if err != nil {
		b.Fatal(err)
	}
	out, err := exec.CommandContext(b.Context(), program, script, "--db-driver=mysql", "--mysql-ssl=off", "--mysql-host="+host, "--mysql-port="+port,
		"--mysql-user="+s.User, "--mysql-password="+s.Password, "--mysql-db="+s.Database,
		fmt.Sprintf("--threads=%d", threads), fmt.Sprintf("--events=%d", threads*queries), "--time=0", "run").CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}
