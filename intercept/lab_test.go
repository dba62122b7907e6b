package intercept_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// servers are the real ones to test against.
func servers(t *testing.T) []intercepttest.Server { return intercepttest.Servers(t, embedded) }

// each runs a test against every server, with a proxy in front.
func each(t *testing.T, test func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy)) {
	for _, s := range servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			test(t, s, intercepttest.NewProxy(t, intercept.Options{}, s.Addr))
		})
	}
}

// realServers are those that speak the whole protocol: not the embedded one.
func realServers(t *testing.T) []intercepttest.Server {
	t.Helper()
	list := servers(t)
	if list[0].Name == "embedded" {
		t.Skip("needs a real server")
	}
	return list
}

// eachReal is each for real servers.
func eachReal(t *testing.T, test func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy)) {
	t.Helper()
	realServers(t)
	each(t, test)
}

// open connects through addr with exactly one connection.
func open(t *testing.T, s *intercepttest.Server, addr, params string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("mysql", s.DSN(addr)+params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func one[T any](t *testing.T, c *sql.Conn, query string, args ...any) T {
	t.Helper()
	var v T
	if err := c.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// later runs f beside the test and returns what to wait for its error with.
func later(f func() error) (wait func(t *testing.T) error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return func(t *testing.T) error {
		t.Helper()
		select {
		case err := <-done:
			return err
		case <-time.After(intercepttest.Patience):
			t.Fatal("the client was left waiting")
			return nil
		}
	}
}

func TestHeldQueryStopsItsConnectionAndNoOther(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		a, b := open(t, &s, p.Addr, ""), open(t, &s, p.Addr, "")
		p.Break(`stop if sql contains "held"`)
		var got string
		wait := later(func() error { return a.QueryRowContext(t.Context(), "select 'held'").Scan(&got) })
		h := p.Held(rule.ReadQuery)
		if v := one[int](t, b, "select 1"); v != 1 {
			t.Errorf("the other connection got %d", v)
		}
		if h.SQL != "select 'held'" || h.Command() != mysqlwire.ComQuery {
			t.Errorf("held %q, %s", h.SQL, h.Command())
		}
		p.Resolve(h, intercept.Verdict{})
		if err := wait(t); err != nil || got != "held" {
			t.Errorf("got %q, %v", got, err)
		}
		x := p.Finished("select 'held'")
		if x.Marks != intercept.MarkPaused || x.HeldFor <= 0 || x.Rows != 1 {
			t.Errorf("the journal has %+v", x)
		}
	})
}

func TestEditedQueryGetsItsOwnAnswer(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := open(t, &s, p.Addr, "")
		p.Break(`if sql contains "first"`)
		var got string
		wait := later(func() error { return c.QueryRowContext(t.Context(), "select 'first'").Scan(&got) })
		h := p.Held()
		plan, err := intercept.Rewrite(h.Event, "select 'second'", intercept.FromPerson)
		if err != nil {
			t.Fatal(err)
		}
		p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Queries: plan})
		if err := wait(t); err != nil || got != "second" {
			t.Errorf("got %q, %v", got, err)
		}
		d, _ := p.Journal.Detail(p.Finished("select 'first'").Seq)
		if d.Marks&intercept.MarkEdited == 0 || len(d.Sent) != 1 || d.By != "you" {
			t.Errorf("the journal has %+v", d)
		}
	})
}

// TestEditedParameterTypes changes the type of a parameter, after which the driver's next execute,
// which libmysqlclient would send without types, must mean what the client meant.
func TestEditedParameterIsSent(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := open(t, &s, p.Addr, "")
		st, err := c.PrepareContext(t.Context(), "select concat('<', ?, '>')")
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		p.Break(`once if cmd == "execute"`)
		var got string
		wait := later(func() error { return st.QueryRow(17).Scan(&got) })
		h := p.Held()
		m, err := h.Message()
		if err != nil {
			t.Fatal(err)
		}
		edited, err := m.(*mysqlwire.StmtExecute).WithParam(0, value.VarString, false, []byte("edited"))
		if err != nil {
			t.Fatal(err)
		}
		packet, err := edited.Encode(nil, h.Context)
		if err != nil {
			t.Fatal(err)
		}
		p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{{Packet: packet, Origin: intercept.FromPerson, Show: true}}})
		if err := wait(t); err != nil || got != "<edited>" {
			t.Errorf("got %q, %v", got, err)
		}
		if err := st.QueryRow(18).Scan(&got); err != nil || got != "<18>" {
			t.Errorf("the next execute got %q, %v", got, err)
		}
	})
}

func TestRepreparedStatementRunsWithTheParameters(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := open(t, &s, p.Addr, "")
		st, err := c.PrepareContext(t.Context(), "select concat('<', ?, '>') as a")
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		p.Break(`once do rewrite "select concat('[', ?, ']') as a" if cmd == "execute"`)
		var got string
		if err := st.QueryRow("x").Scan(&got); err != nil || got != "[x]" {
			t.Errorf("got %q, %v", got, err)
		}
		if err := st.QueryRow("y").Scan(&got); err != nil || got != "<y>" {
			t.Errorf("the client's own statement then got %q, %v", got, err)
		}
	})
}

func TestReplyInTheServersPlace(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := open(t, &s, p.Addr, "")
		p.Break(`do err 1213 if sql contains "deadlock"`)
		_, err := c.ExecContext(t.Context(), "do 'deadlock'")
		var e *mysql.MySQLError
		if !errors.As(err, &e) || e.Number != 1213 || string(e.SQLState[:]) != "40001" {
			t.Fatalf("got %v", err)
		}
		if v := one[int](t, c, "select 7"); v != 7 {
			t.Errorf("then got %d", v)
		}
		x := p.Finished("do 'deadlock'")
		if x.Marks&intercept.MarkCrafted == 0 || !x.Sent.IsZero() || x.Error == nil || x.Error.Code != 1213 {
			t.Errorf("the journal has %+v", x)
		}
	})
}

func TestInjectedQueriesSeeTheSession(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := open(t, &s, p.Addr, "")
		p.Break(`once if sql contains "@seen"`)
		var got string
		wait := later(func() error { return c.QueryRowContext(t.Context(), "select concat(@seen)").Scan(&got) })
		h := p.Held()
		p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{
			intercept.QueryText("set @seen = 'injected before'", intercept.FromPerson),
			{Packet: h.Packet, Show: true},
			intercept.QueryText("set @seen = 'injected after'", intercept.FromPerson),
		}})
		if err := wait(t); err != nil || got != "injected before" {
			t.Errorf("got %q, %v", got, err)
		}
		if v := one[string](t, c, "select concat(@seen, '')"); v != "injected after" {
			t.Errorf("then got %q", v)
		}
		kid := p.Finished("set @seen = 'injected before'")
		if kid.Parent != p.Finished("select concat(@seen)").Seq || kid.Marks&intercept.MarkInjected == 0 {
			t.Errorf("the journal has %+v", kid)
		}
	})
}

func TestEditedResult(t *testing.T) {
	for _, prepared := range []bool{false, true} {
		t.Run(fmt.Sprintf("prepared=%v", prepared), func(t *testing.T) {
			each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				params := "?interpolateParams=true"
				if prepared {
					params = ""
				}
				c := open(t, &s, p.Addr, params)
				p.Break(`once at result if sql contains "as edited" and cmd != "prepare"`)
				var got int
				wait := later(func() error {
					return c.QueryRowContext(t.Context(), "select ? + 0 as edited", 5).Scan(&got)
				})
				h := p.Held(rule.ReadQueryResult)
				results, err := h.Answer.Results(h.Context)
				if err != nil || len(results) != 1 || results[0].Rows.Len() != 1 {
					t.Fatalf("results %+v, %v", results, err)
				}
				set := mysqlwire.ResultSet{Columns: results[0].Columns, Rows: [][]value.Value{{int64(99)}}, Status: results[0].Status}
				packets, err := set.Packets(h.Context, results[0].Binary)
				if err != nil {
					t.Fatal(err)
				}
				p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Answer: &mysqlwire.Answer{Command: h.Command(), Packets: packets}})
				if err := wait(t); err != nil || got != 99 {
					t.Errorf("got %d, %v", got, err)
				}
				if v := one[int](t, c, "select 3"); v != 3 {
					t.Errorf("then got %d", v)
				}
			})
		})
	}
}

func TestClientThatLeavesWhileHeldIsNoticed(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := open(t, &s, p.Addr, "")
		p.Break(`if sql contains "abandoned"`)
		ctx, leave := context.WithCancel(t.Context())
		wait := later(func() error {
			_, err := c.ExecContext(ctx, "do 'abandoned'")
			return err
		})
		h := p.Held()
		leave()
		if err := wait(t); err == nil {
			t.Error("the client got an answer")
		}
		leftHolding(p, h)
		p.Resolve(h, intercept.Verdict{Action: intercept.Close})
		p.Until("nothing is held", func() bool { return len(p.Gate.Pending()) == 0 })
		if x := p.Finished("do 'abandoned'"); x.State != intercept.Gone || x.Note == "" {
			t.Errorf("the journal has %+v", x)
		}
	})
}

func TestEveryHookEventCanBeHeld(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		p.Stepper.PauseAll(true)
		db, err := sql.Open("mysql", s.DSN(p.Addr)+"?interpolateParams=true")
		if err != nil {
			t.Fatal(err)
		}
		wait := later(func() error {
			var v int
			if err := db.QueryRow("select 1").Scan(&v); err != nil {
				return err
			}
			return db.Close()
		})
		var seen intercept.Points
		for !seen.Has(rule.Disconnect) {
			h := p.Held()
			seen |= intercept.At(h.Point)
			// A driver that has sent COM_QUIT hangs up, which ends that hold by itself.
			if err := p.Gate.Resolve(h.ID, intercept.Verdict{}); err != nil && !errors.Is(err, intercept.ErrNotHeld) {
				t.Fatal(err)
			}
		}
		if err := wait(t); err != nil {
			t.Error(err)
		}
		if seen != intercept.Everywhere {
			t.Errorf("held at %b, want %b", seen, intercept.Everywhere)
		}
	})
}

func TestServerThatIsNotThere(t *testing.T) {
	p := intercepttest.NewProxy(t, intercept.Options{}, "127.0.0.1:1")
	db, err := sql.Open("mysql", "u:p@tcp("+p.Addr+")/")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var e *mysql.MySQLError
	if err := db.Ping(); !errors.As(err, &e) || e.Number != 1429 {
		t.Errorf("got %v", err)
	}
}

// A client that has not been greeted expects an error without SQLSTATE: it would show the marker as text.
func TestErrorInPlaceOfTheGreetingHasNoState(t *testing.T) {
	p := intercepttest.NewProxy(t, intercept.Options{}, "127.0.0.1:1")
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if err != nil || len(b) < 8 {
		t.Fatalf("got %q, %v", b, err)
	}
	if got := string(b[7:]); !strings.HasPrefix(got, "mydbg: cannot connect to the server 127.0.0.1:1") {
		t.Errorf("got %q", got)
	}
}
