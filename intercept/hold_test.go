package intercept_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// between is a server that can be cut off: a relay in front of a real one.
func between(t *testing.T, backend string) (addr string, cut func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	made := make(chan net.Conn, 100)
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends when l is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", backend)
			if err != nil {
				_ = c.Close()
				continue
			}
			made <- c
			made <- s
			go copyTo(s, c) // both end when cut closes them, or either side does
			go copyTo(c, s)
		}
	}()
	cut = func() {
		for {
			select {
			case c := <-made:
				_ = c.Close()
			default:
				return
			}
		}
	}
	t.Cleanup(cut)
	return l.Addr().String(), cut
}

func copyTo(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_ = to.Close()
	_ = from.Close()
}

// TestWhoLeavesDuringAHoldIsNoticed at every event, whoever it is.
func TestWhoLeavesDuringAHoldIsNoticed(t *testing.T) {
	s := servers(t)[0]
	for _, point := range rule.Points() {
		for _, who := range []string{"client", "client that says so", "server", "proxy"} {
			switch {
			case point == rule.Disconnect && who != "proxy": // they have left already
				continue
			case point == rule.ConnectServer && who == "server": // it is not there yet
				continue
			case who == "client that says so" && point != rule.ReadQuery && point != rule.ReadQueryResult:
				continue
			}
			t.Run(fmt.Sprintf("%s, %s", point, who), func(t *testing.T) {
				backend, cut := between(t, s.Addr)
				p := intercepttest.NewProxy(t, intercept.Options{}, backend)
				p.Break("at " + point.String())
				conn, err := net.Dial("tcp", p.Addr)
				if err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { // ends with the connection
					c, err := intercepttest.NewClient(t, conn, s.User, s.Password, s.Database, 0)
					if err == nil {
						_, err = c.Conn.Write([]byte("\x09\x00\x00\x00\x03select 1"))
					}
					if err == nil && point == rule.Disconnect {
						_ = conn.Close()
					}
					ended <- err
				}()
				h := p.Held(point)
				switch who {
				case "client":
					_ = conn.Close()
				case "client that says so":
					<-ended
					if _, err := conn.Write([]byte("\x01\x00\x00\x00\x01")); err != nil {
						t.Fatal(err)
					}
					_ = conn.Close()
				case "server":
					cut()
				case "proxy":
					if err := p.Close(); err != nil {
						t.Error(err)
					}
				}
				if strings.HasPrefix(who, "client") && (point == rule.ReadQuery || point == rule.ReadQueryResult) { // it could still be sent
					leftHolding(p, h)
					p.Resolve(h, intercept.Verdict{Action: intercept.Close})
				}
				p.Until("nothing is held", func() bool { return len(p.Gate.Pending()) == 0 })
				if err := p.Gate.Resolve(h.ID, intercept.Verdict{}); !errors.Is(err, intercept.ErrNotHeld) {
					t.Errorf("a late answer: %v", err)
				}
				p.Until("the connection is closed", func() bool { return p.Conns()[0].Phase == intercept.Closed })
				cause := p.Conns()[0].Cause
				if want, _, _ := strings.Cut(who, " "); who != "proxy" && point != rule.Disconnect && !strings.HasPrefix(cause, want+" left") {
					t.Errorf("closed because %q", cause)
				}
				if n := len(p.Journal.Notices(0, nil)); n == 0 {
					t.Error("the log is empty")
				}
			})
		}
	}
}

// TestSilentServer: it accepts and says nothing, then the client leaves, or the time is over.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := intercepttest.NewProxy(t, intercept.Options{}, l.Addr().String())
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	p.Until("it connects", func() bool { return len(p.Conns()) == 1 })
	_ = c.Close()
	p.Until("it is noticed", func() bool { return p.Conns()[0].Phase == intercept.Closed })

	q := intercepttest.NewProxy(t, intercept.Options{ConnectTimeout: 20 * time.Millisecond}, l.Addr().String())
	_, err = intercepttest.TryDial(t, "tcp", q.Addr, "u", "", "", 0)
	var e *mysqlwire.ERR
	if !errors.As(err, &e) || e.Code != 1429 || !strings.Contains(e.Message, "no greeting") {
		t.Errorf("got %v", err)
	}
}

func TestTwoHoldsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		p.Break(`if sql contains "held"`)
		var clients [2]*intercepttest.Client
		for i := range clients {
			clients[i] = client(t, &s, p.Addr, 0)
			clients[i].Send(query(clients[i], fmt.Sprintf("select 'held %d'", i)))
			p.Until("it is held", func() bool { return len(p.Gate.Pending()) == i+1 })
		}
		held := p.Gate.Pending()
		if len(held) != 2 || held[0].SQL != "select 'held 0'" {
			t.Fatalf("held %+v", held)
		}
		p.Resolve(held[1], intercept.Verdict{Action: intercept.Reply, Answer: mysqlwire.ERRAnswer(1205, "", "")})
		if got := clients[1].Value(clients[1].Answer(query(clients[1], "select 1"))); !strings.Contains(got, "1205") {
			t.Errorf("the second got %s", got)
		}
		p.Gate.ReleaseAll(intercept.Verdict{})
		if got := clients[0].Value(clients[0].Answer(query(clients[0], "select 1"))); got != "held 0" {
			t.Errorf("the first got %s", got)
		}
	})
}

func TestHoldThatEndsByItself(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, 0)
		p.Break(`for 20ms then err 1205 if sql contains "timed"`)
		if got := c.Text("select 'timed'"); !strings.Contains(got, "1205") {
			t.Errorf("got %s", got)
		}
		if x := p.Finished("select 'timed'"); x.HeldFor < 20*time.Millisecond || x.Marks&intercept.MarkPaused == 0 {
			t.Errorf("the journal has %+v", x)
		}
		p.Break(`for 1ns then continue if sql contains "at once"`)
		for range 20 {
			if got := c.Text("select 'at once'"); got != "at once" {
				t.Errorf("got %s", got)
			}
		}
	})
}

func TestKeepTurnsTheDeadlineOff(t *testing.T) {
	s := servers(t)[0]
	p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
	c := client(t, &s, p.Addr, 0)
	p.Break(`for 1h then err 1205 if sql contains "kept"`)
	c.Send(query(c, "select 'kept'"))
	h := p.Held()
	if h.Deadline.IsZero() || h.Then.Action != intercept.Reply {
		t.Errorf("held with deadline %v, then %v", h.Deadline, h.Then.Action)
	}
	p.Gate.Keep(h.ID)
	if h := p.Held(); !h.Deadline.IsZero() {
		t.Errorf("the deadline is %v", h.Deadline)
	}
	p.Resolve(h, intercept.Verdict{})
	if got := c.Value(c.Answer(query(c, "select 'kept'"))); got != "kept" {
		t.Errorf("got %s", got)
	}
}

func TestCloseReleasesAndEnds(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		idle, held := client(t, &s, p.Addr, 0), client(t, &s, p.Addr, 0)
		p.Break(`if sql contains "held"`)
		held.Send(query(held, "select 'held'"))
		p.Held()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if got := held.Value(held.Answer(query(held, "select 'held'"))); got != "held" {
			t.Errorf("the held query got %s", got)
		}
		if err := held.Closed(); err != nil {
			t.Errorf("then %v", err)
		}
		if err := idle.Closed(); err != nil {
			t.Errorf("the idle one got %v", err)
		}
		for _, i := range p.Conns() {
			if i.Phase != intercept.Closed {
				t.Errorf("connection %d is %s", i.ID, i.Phase)
			}
		}
		intercepttest.NoLeaks(t)
	})
}

func TestStepping(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		a, b := client(t, &s, p.Addr, 0), client(t, &s, p.Addr, 0)
		if a.Text("select 1") != "1" {
			t.Fatal("no connection")
		}
		id := p.Conns()[0].ID
		// ask sends a statement of a, and returns where it is held.
		ask := func(sql string) (wait func() string, held func(p rule.Point) intercept.Held) {
			done := make(chan string, 1)
			go func() {
				sum := a.Query(sql)
				done <- fmt.Sprint(sum.Error)
			}()
			return func() string { return <-done }, func(at rule.Point) intercept.Held {
				h := p.Held()
				if h.Point != at || h.Conn.ID != id {
					t.Errorf("%s: held at %s of connection %d", sql, h.Point, h.Conn.ID)
				}
				return h
			}
		}
		p.Step(id, intercept.StepEvent)
		wait, held := ask("select 'step'")
		h := held(rule.ReadQuery)
		if b.Text("select 2") != "2" {
			t.Error("the other connection stopped too")
		}
		p.Step(id, intercept.StepEvent)
		p.Resolve(h, intercept.Verdict{})
		h = held(rule.ReadQueryResult)
		p.Step(id, intercept.StepNext)
		p.Resolve(h, intercept.Verdict{})
		wait()
		wait, held = ask("select 'next'")
		h = held(rule.ReadQuery)
		p.Step(id, intercept.StepFinish)
		p.Resolve(h, intercept.Verdict{})
		p.Resolve(held(rule.ReadQueryResult), intercept.Verdict{})
		wait()
		a.Query("begin")
		p.Step(id, intercept.StepCommit)
		a.Query("select 'inside'")
		a.Query("select nonsense") // an error does not end it
		a.Query("commit")
		wait, held = ask("select 'after the commit'")
		p.Resolve(held(rule.ReadQuery), intercept.Verdict{})
		wait()
		if a.Text("select 3") != "3" || p.Conns()[0].Step != intercept.Continue {
			t.Error("the mode is not used up")
		}
	})
}

func TestTransactionIsCounted(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, 0)
		c.Query("begin")
		c.Query("select nonsense")
		c.Prepare("select 1")
		c.Text("select 1")
		i := p.Conns()[0]
		if i.TxSince.IsZero() || i.TxCommands < 3 || !i.Status.Has(mysqlwire.StatusInTrans) {
			t.Errorf("inside: %+v", i)
		}
		c.Query("rollback")
		p.Finished("rollback")
		if i := p.Conns()[0]; !i.TxSince.IsZero() {
			t.Errorf("after it: since %v", i.TxSince)
		}
	})
}

func TestPauseEverything(t *testing.T) {
	s := servers(t)[0]
	p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
	p.Stepper.PauseAll(true)
	db, err := sql.Open("mysql", s.DSN(p.Addr))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	wait := later(db.Ping)
	h := p.Held(rule.ConnectServer)
	p.Stepper.PauseAll(false)
	p.Resolve(h, intercept.Verdict{})
	if err := wait(t); err != nil {
		t.Error(err)
	}
}
