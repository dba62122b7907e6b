package replay_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/sessions"
	"mydbg/sessions/compare"
	"mydbg/sessions/replay"
	"mydbg/sessions/sessionstest"
)

// session sends what a replay has to cope with.
func session(t *testing.T, s *intercepttest.Server, addr, table string) {
	c, end := sessionstest.Open(t, s, addr, "multiStatements=true")
	defer end()
	sessionstest.Rows(t, c, "SELECT id, name FROM "+table+" ORDER BY id")
	sessionstest.Rows(t, c, "SELECT name, email FROM "+table+" WHERE id >= ? AND name LIKE ?", 1, "%o%")
	st, err := c.PrepareContext(t.Context(), "SELECT name FROM "+table+" WHERE id = ?")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		var name string
		if err := st.QueryRowContext(t.Context(), i+1).Scan(&name); err != nil {
			t.Fatal(err)
		}
	}
	sessionstest.Exec(t, c, "SET @mine = 7")
	sessionstest.Rows(t, c, "SELECT @mine + 0")
	sessionstest.Rows(t, c, "SELECT NOW(6), CONNECTION_ID(), 5")
	sessionstest.Exec(t, c, "BEGIN")
	sessionstest.Rows(t, c, "SELECT COUNT(*) FROM "+table)
	sessionstest.Exec(t, c, "COMMIT")
	if _, err := c.QueryContext(t.Context(), "SELECT nonsense FROM "+table); err == nil {
		t.Error("no error")
	}
	sessionstest.Rows(t, c, "SELECT 1; SELECT 2")
	_ = st.Close()
	if err := c.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
}

// collect is Run with the results in a list.
func collect(t *testing.T, r *sessions.Reader, o replay.Options) (replay.Totals, []replay.Result) {
	t.Helper()
	var list []replay.Result
	o.Seen = func(res replay.Result) { list = append(list, res) }
	o.SameServer = true
	totals, err := replay.Run(t.Context(), r, o)
	if err != nil {
		t.Fatal(err)
	}
	return totals, list
}

func each(t *testing.T, test func(t *testing.T, s *intercepttest.Server, table string, r *sessions.Reader)) {
	for _, s := range sessionstest.Servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			table := sessionstest.Shop(t, &s)
			r := sessionstest.Record(t, &s, func(p *intercepttest.Proxy) { session(t, &s, p.Addr, table) })
			test(t, &s, table, r)
		})
	}
}

func TestTheSameServerAnswersTheSame(t *testing.T) {
	each(t, func(t *testing.T, s *intercepttest.Server, _ string, r *sessions.Reader) {
		for _, o := range []replay.Options{{}, {Lockstep: true}, {Serial: true}, {Speed: 50}} {
			o.Address, o.User, o.Password = s.Addr, s.User, s.Password
			totals, list := collect(t, r, o)
			for _, res := range list {
				if res.Outcome == replay.Differs || res.Outcome == replay.Failed {
					t.Errorf("%s: %s %v %s", res.Record.Statement, res.Outcome, res.Report.Differences, res.Why)
				}
			}
			if totals.Outcomes[replay.Same] < 14 || totals.Exchanges != r.Len() || totals.Different() {
				t.Errorf("got %+v of %d", totals, r.Len())
			}
		}
	})
}

func TestWhatChangedIsFound(t *testing.T) {
	each(t, func(t *testing.T, s *intercepttest.Server, table string, r *sessions.Reader) {
		c, end := sessionstest.Open(t, s, "", "")
		defer end()
		sessionstest.Exec(t, c, "UPDATE "+table+" SET name = 'Robert' WHERE id = 2")
		sessionstest.Exec(t, c, "DELETE FROM "+table+" WHERE id = 3")
		totals, list := collect(t, r, replay.Options{Address: s.Addr, User: s.User, Password: s.Password})
		var said []string
		for _, res := range list {
			if res.Outcome == replay.Differs {
				for _, d := range res.Report.Differences {
					said = append(said, d.String())
				}
			}
		}
		all := strings.Join(said, "\n")
		for _, want := range []string{"row 2, name: 'Robert', was 'Bob'", "row count: 2, was 3", "missing row 3", "COUNT(*): 2, was 3"} {
			if !strings.Contains(all, want) {
				t.Errorf("%q is not among\n%s", want, all)
			}
		}
		if !totals.Different() || totals.Kinds[compare.RowCount] == 0 {
			t.Errorf("got %+v", totals)
		}
		ignore, err := rule.Compile(`"` + table + `" in tables`)
		if err != nil {
			t.Fatal(err)
		}
		totals, _ = collect(t, r, replay.Options{Address: s.Addr, User: s.User, Password: s.Password, Ignore: ignore})
		if totals.Different() || totals.Outcomes[replay.Ignored] == 0 {
			t.Errorf("ignored: got %+v", totals)
		}
	})
}

func TestWritesAreSentWhenAsked(t *testing.T) {
	for _, s := range sessionstest.Servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			table := sessionstest.Shop(t, &s)
			r := sessionstest.Record(t, &s, func(p *intercepttest.Proxy) {
				c, end := sessionstest.Open(t, &s, p.Addr, "")
				defer end()
				sessionstest.Exec(t, c, "INSERT INTO "+table+" (name) VALUES ('new')")
				sessionstest.Exec(t, c, "UPDATE "+table+" SET score = ? WHERE name = ?", 1, "new")
				sessionstest.Exec(t, c, "DELETE FROM "+table+" WHERE name = 'new'")
				sessionstest.Rows(t, c, "SELECT COUNT(*) FROM "+table)
			})
			o := replay.Options{Address: s.Addr, User: s.User, Password: s.Password}
			totals, _ := collect(t, r, o)
			if totals.Different() || totals.Skips["writes, and --writes is not given"] != 3 {
				t.Errorf("without: got %+v", totals)
			}
			o.Writes, o.Without = true, []compare.Kind{compare.InsertID}
			totals, list := collect(t, r, o)
			if totals.Different() || totals.Outcomes[replay.Skipped] > 1 { // COM_QUIT
				t.Errorf("with: got %+v, %+v", totals, list)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, s *intercepttest.Server, _ string, r *sessions.Reader) {
		var same *replay.SameServerError
		if _, err := replay.Run(t.Context(), r, replay.Options{Address: s.Addr, User: s.User, Password: s.Password}); !errors.As(err, &same) {
			t.Errorf("the recorded server: got %v", err)
		}
		totals, list := collect(t, r, replay.Options{Address: s.Addr, User: s.User, Password: "wrong"})
		if totals.Outcomes[replay.Failed] != 1 || !strings.Contains(list[0].Why, "Access denied") {
			t.Errorf("a wrong password: got %+v, %+v", totals, list)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := replay.Run(ctx, r, replay.Options{Address: s.Addr, SameServer: true}); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: got %v", err)
		}
	})
}
