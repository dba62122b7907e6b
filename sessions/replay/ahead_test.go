package replay_test

import (
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/sessions"
	"mydbg/sessions/replay"
	"mydbg/sessions/sessionstest"
)

// texts are small reading statements, one of which fails.
var texts = []string{"SELECT 'one'", "SELECT 'two'", "SELECT nonsense", "SELECT 'three'", "SELECT 'four'", "SELECT 'five'"}

func recordTexts(t *testing.T, s *intercepttest.Server) *sessions.Reader {
	t.Helper()
	return sessionstest.Record(t, s, func(p *intercepttest.Proxy) {
		c, end := sessionstest.Open(t, s, p.Addr, "")
		defer end()
		for _, sql := range texts {
			if rows, err := c.QueryContext(t.Context(), sql); err == nil {
				for rows.Next() {
				}
				if err := rows.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// TestSentAhead: many commands in one piece get the answers that they get one by one, and the server gets them in their order.
func TestSentAhead(t *testing.T) {
	for _, s := range sessionstest.Servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			r := recordTexts(t, &s)
			for _, lockstep := range []bool{false, true} {
				p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
				totals, list := collect(t, r, replay.Options{Address: p.Addr, User: s.User, Password: s.Password, Lockstep: lockstep})
				if totals.Different() || totals.Outcomes[replay.Same] < len(texts) {
					t.Errorf("lockstep %v: got %+v", lockstep, totals)
				}
				var sent []string
				x := p.Finished(texts[len(texts)-1])
				all, _ := p.Journal.Since(0, nil)
				for _, y := range all {
					if strings.HasPrefix(y.SQL, "SELECT") && y.Seq <= x.Seq {
						sent = append(sent, y.SQL)
					}
				}
				if got, want := strings.Join(sent, "; "), strings.Join(texts, "; "); got != want {
					t.Errorf("lockstep %v: the server got %s, want %s", lockstep, got, want)
				}
				for _, res := range list {
					if lockstep && res.Outcome == replay.Same && res.Took == 0 {
						t.Errorf("%s: how long it took is not known", res.Record.Statement)
					}
				}
			}
		})
	}
}

// TestConnectionEndsAmongWhatWasSentAhead: what got no answer is told as such, and what is behind it as not sent.
func TestConnectionEndsAmongWhatWasSentAhead(t *testing.T) {
	s := sessionstest.Servers(t)[0]
	r := recordTexts(t, &s)
	p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
	p.Break(`do close if sql contains "three"`)
	totals, list := collect(t, r, replay.Options{Address: p.Addr, User: s.User, Password: s.Password})
	got := map[string]replay.Outcome{}
	for _, res := range list {
		got[res.Record.Statement] = res.Outcome
		if res.Outcome != replay.Same && res.Record.Statement != "" && !strings.Contains(res.Why, "the connection has ended") {
			t.Errorf("%s: %s", res.Record.Statement, res.Why)
		}
	}
	for i, want := range []replay.Outcome{replay.Same, replay.Same, replay.Same, replay.Failed, replay.Skipped, replay.Skipped} {
		if got[texts[i]] != want {
			t.Errorf("%s: %s, want %s", texts[i], got[texts[i]], want)
		}
	}
	if totals.Outcomes[replay.Failed] != 1 || len(list) != r.Len() {
		t.Errorf("got %+v", totals)
	}
}

// TestSlowAmongWhatWasSentAhead: an order of magnitude is seen there too.
func TestSlowAmongWhatWasSentAhead(t *testing.T) {
	for _, s := range sessionstest.Servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			r := recordTexts(t, &s)
			p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
			p.Break(`do delay 1s if sql contains "three"`)
			_, list := collect(t, r, replay.Options{Address: p.Addr, User: s.User, Password: s.Password, Latency: 100 * time.Millisecond})
			for _, res := range list {
				if strings.Contains(res.Record.Statement, "three") && res.Outcome != replay.Differs {
					t.Errorf("%s: %s, %v, took %v", res.Record.Statement, res.Outcome, res.Report.Differences, res.Took)
				}
			}
		})
	}
}
