package intercept_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// leftHolding waits until h's client has left, while h stays held.
func leftHolding(p *intercepttest.Proxy, h intercept.Held) {
	p.Until("the held event is marked", func() bool {
		for _, now := range p.Gate.Pending() {
			if now.ID == h.ID && !now.Left.IsZero() {
				return true
			}
		}
		return false
	})
}

// TestWhatNobodyAwaitsIsDecidedLater: the client leaves while its statement is held, and a person decides then.
func TestWhatNobodyAwaitsIsDecidedLater(t *testing.T) {
	for _, s := range servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			table := scratch(t, &s) + ".kept"
			direct := open(t, &s, s.Addr, "")
			run := func(sql string) {
				t.Helper()
				if _, err := direct.ExecContext(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			run("CREATE TABLE " + table + " (n int)")
			for n, tt := range []struct {
				name  string
				rule  string
				point rule.Point
				then  func(p *intercepttest.Proxy, h intercept.Held)
				sum   int // of what is in the table then, -1 if nothing is
				state intercept.State
				note  string
			}{
				{
					"a statement sent all the same", "at query", rule.ReadQuery,
					func(p *intercepttest.Proxy, h intercept.Held) { p.Resolve(h, intercept.Verdict{Unawaited: true}) },
					0, intercept.Done, ", while held at read_query, and carried out all the same",
				},
				{
					"a statement edited", "at query", rule.ReadQuery,
					func(p *intercepttest.Proxy, h intercept.Held) {
						q := intercept.QueryText("INSERT INTO "+table+" VALUES (100)", intercept.FromPerson)
						q.Show = true
						p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{q}, Unawaited: true})
					},
					100, intercept.Done, "carried out all the same",
				},
				{
					"a statement discarded", "at query", rule.ReadQuery,
					func(p *intercepttest.Proxy, h intercept.Held) {
						p.Resolve(h, intercept.Verdict{Action: intercept.Close})
					},
					-1, intercept.Gone, "and discarded",
				},
				{
					"everything released", "at query", rule.ReadQuery,
					func(p *intercepttest.Proxy, _ intercept.Held) { p.Gate.ReleaseAll(intercept.Verdict{}) },
					-1, intercept.Gone, "and discarded",
				},
				{
					"more behind a result", "at result", rule.ReadQueryResult,
					func(p *intercepttest.Proxy, h intercept.Held) {
						q := intercept.QueryText("INSERT INTO "+table+" VALUES (200)", intercept.FromPerson)
						p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{q}, Unawaited: true})
					},
					204, intercept.Done, ", while held at read_query_result, and carried out all the same",
				},
				{
					"an answer made up, and a statement before it", "at query", rule.ReadQuery,
					func(p *intercepttest.Proxy, h intercept.Held) {
						q := intercept.QueryText("INSERT INTO "+table+" VALUES (300)", intercept.FromPerson)
						p.Resolve(h, intercept.Verdict{
							Action: intercept.Reply, Queries: []intercept.Query{q}, Answer: mysqlwire.ERRAnswer(1213, "40001", "deadlock"), Unawaited: true,
						})
					},
					300, intercept.Done, "carried out all the same",
				},
			} {
				t.Run(tt.name, func(t *testing.T) {
					p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
					statement := fmt.Sprintf("INSERT INTO %s VALUES (%d)", table, n)
					p.Break(fmt.Sprintf("%s if sql contains 'VALUES (%d)'", tt.rule, n))
					c := intercepttest.Dial(t, "tcp", p.Addr, s.User, s.Password, s.Database, 0)
					packet := append([]byte{byte(mysqlwire.ComQuery)}, statement...)
					frame, _ := mysqlwire.AppendPacket(nil, packet, 0)
					// Another command behind it is never begun.
					if _, err := c.Conn.Write(append(frame, "\x01\x00\x00\x00\x0e"...)); err != nil {
						t.Fatal(err)
					}
					h := p.Held(tt.point)
					_ = c.Conn.Close()
					leftHolding(p, h)
					if err := p.Gate.Resolve(h.ID, intercept.Verdict{}); !errors.Is(err, intercept.ErrUnawaited) {
						t.Errorf("continued unasked: %v", err)
					}
					if x, ok := p.Journal.Exchange(h.Exchange); !ok || x.State != intercept.Paused || x.Marks&intercept.MarkUnawaited == 0 || !strings.HasPrefix(x.Note, "client left") {
						t.Errorf("while it is held: %+v", x)
					}
					tt.then(p, h)
					x := p.Finished(statement)
					if x.State != tt.state || !strings.Contains(x.Note, tt.note) || x.Marks&intercept.MarkUnawaited == 0 {
						t.Errorf("in the end it is %v, %q", x.State, x.Note)
					}
					p.Until("the connection is closed", func() bool { return p.Conns()[0].Phase == intercept.Closed })
					if i := p.Conns()[0]; !strings.HasPrefix(i.Cause, "client left") || i.Commands != 1 {
						t.Errorf("closed because %q after %d commands", i.Cause, i.Commands)
					}
					if got := one[int](t, direct, "SELECT COALESCE(SUM(n), -1) FROM "+table); got != tt.sum {
						t.Errorf("what is in the table comes to %d, want %d", got, tt.sum)
					}
					run("DELETE FROM " + table)
				})
			}
		})
	}
}
