package sessionstest_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/sessions"
	"mydbg/sessions/diff"
	"mydbg/sessions/export"
	"mydbg/sessions/replay"
	"mydbg/sessions/serve"
	"mydbg/sessions/sessionstest"
)

// traffic is one day of an application's life.
func traffic(t *testing.T, s *intercepttest.Server, addr, table string) {
	c, end := sessionstest.Open(t, s, addr, "")
	defer end()
	sessionstest.Rows(t, c, "SELECT id, name, email, born, score FROM "+table+" ORDER BY id")
	sessionstest.Rows(t, c, "SELECT name FROM "+table+" WHERE id = ? OR score < ?", 1, 0.5)
	sessionstest.Exec(t, c, "BEGIN")
	sessionstest.Exec(t, c, "UPDATE "+table+" SET score = score + 1 WHERE id = 1")
	sessionstest.Rows(t, c, "SELECT score FROM "+table+" WHERE id = 1")
	sessionstest.Exec(t, c, "ROLLBACK")
	if _, err := c.ExecContext(t.Context(), "INSERT INTO "+table+" (email) VALUES ('bob@example.com')"); err == nil {
		t.Error("no error")
	}
}

// TestTheWholeCircle records from a server, copies the recording through an export, sends it to the server, serves it without
// the server, records that again, and finds both recordings alike.
func TestTheWholeCircle(t *testing.T) {
	for _, s := range sessionstest.Servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			table := sessionstest.Shop(t, &s)
			original := sessionstest.Record(t, &s, func(p *intercepttest.Proxy) { traffic(t, &s, p.Addr, table) })

			path := filepath.Join(t.TempDir(), "copy.pcapng")
			if totals, err := export.To("pcapng", original, path, export.Options{}); err != nil || totals.Problems > 0 {
				t.Fatalf("%v, %+v", err, totals)
			}
			copied, err := sessions.Open(path, sessions.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer copied.Close()
			alike(t, original, copied, diff.Options{})

			totals, err := replay.Run(t.Context(), copied, replay.Options{Address: s.Addr, User: s.User, Password: s.Password, Writes: true, SameServer: true})
			if err != nil || totals.Different() || totals.Outcomes[replay.Same] < 7 {
				t.Errorf("replayed: %v, %s", err, totals.String())
			}

			server, err := serve.New(copied, serve.Options{})
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			_ = l.Close() // nobody listens there: the recording answers in this process
			gone := intercepttest.Server{Name: "gone", Addr: l.Addr().String(), User: s.User, Password: s.Password, Database: s.Database}
			again := sessionstest.RecordWith(t, intercept.Options{Backends: []intercept.Backend{{Address: "replay:copy.pcapng", Dial: server.Dial}}},
				func(p *intercepttest.Proxy) { traffic(t, &gone, p.Addr, table) })
			if got := server.Totals(); got.Misses > 0 || got.Unused > 0 {
				t.Errorf("served: %+v", got)
			}
			alike(t, original, again, diff.Options{})
		})
	}
}

func alike(t *testing.T, a, b *sessions.Reader, o diff.Options) {
	t.Helper()
	var said strings.Builder
	r := diff.NewReporter(&said, false)
	totals, err := diff.Run(a, b, o, r.Step)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(totals); err != nil {
		t.Fatal(err)
	}
	if totals.Different() || totals.Steps[diff.Same] < 7 {
		t.Errorf("they are not alike:\n%s", said.String())
	}
}
