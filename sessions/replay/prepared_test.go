package replay_test

import (
	"path/filepath"
	"slices"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/sessions"
	"mydbg/sessions/replay"
	"mydbg/sessions/sessionstest"
)

// TestStatementsPreparedBefore sends executes of a statement that was prepared before the recording began.
func TestStatementsPreparedBefore(t *testing.T) {
	for _, s := range sessionstest.Servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			dir := t.TempDir()
			rec, err := sessions.NewRecorder(sessions.RecordOptions{Path: filepath.Join(dir, "before.pcapng")})
			if err != nil {
				t.Fatal(err)
			}
			p := intercepttest.NewProxy(t, intercept.Options{Backends: []intercept.Backend{{Address: s.Addr}}, Tap: rec}, "")
			c, end := sessionstest.Open(t, &s, p.Addr, "")
			st, err := c.PrepareContext(t.Context(), "SELECT ? + 1 AS n")
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "after.pcapng")
			if err := rec.Stop(); err != nil {
				t.Fatal(err)
			}
			if err := rec.Keep(path); err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				var n int
				if err := st.QueryRowContext(t.Context(), i).Scan(&n); err != nil || n != i+1 {
					t.Fatal(n, err)
				}
			}
			_ = st.Close()
			end()
			p.Until("all connections are closed", func() bool {
				return !slices.ContainsFunc(p.Conns(), func(c intercept.ConnInfo) bool { return c.Phase != intercept.Closed })
			})
			if err := rec.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := sessions.Open(path, sessions.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			totals, list := collect(t, r, replay.Options{Address: s.Addr, User: s.User, Password: s.Password})
			if totals.Outcomes[replay.Same] < 3 || totals.Different() || len(totals.Skips) > 0 {
				t.Errorf("got %+v", totals)
			}
			sent := 0
			for _, res := range list {
				if res.Record.Statement == "SELECT ? + 1 AS n" && res.Outcome == replay.Same && res.Record.Rows == 1 {
					sent++
				}
			}
			if sent != 3 {
				t.Errorf("%d of the 3 executes were sent: %s", sent, totals.String())
			}
		})
	}
}
