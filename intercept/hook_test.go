package intercept_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// hook is an automatic hook made of functions.
type hook struct {
	points intercept.Points
	handle func(ev *intercept.Event) (intercept.Verdict, error)

	mu   sync.Mutex
	seen []string // what it was asked
}

func (h *hook) Name() string               { return "test hook" }
func (h *hook) Interest() intercept.Points { return h.points }
func (h *hook) Handle(_ context.Context, ev *intercept.Event) (intercept.Verdict, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ev.SQL != "select 'in step'" {
		h.seen = append(h.seen, fmt.Sprintf("%s %d", ev.Point.Short(), ev.Query.ID))
	}
	return h.handle(ev)
}

func (h *hook) asked() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.seen, ", ")
}

// entry is a script's query: buffered or not, and what the script says about its answer.
type entry struct {
	buffered bool
	verdict  intercept.Action
}

// TestQueriesOfAScript is MySQL Proxy's table of what the client gets for which answers.
func TestQueriesOfAScript(t *testing.T) {
	const pass, drop = intercept.Pass, intercept.Drop
	for _, tt := range []struct {
		name  string
		queue []entry
		want  string
		asked string
	}{
		{"unbuffered", []entry{{false, pass}}, "1", "query 0, result 1"},
		{"buffered", []entry{{true, pass}}, "1", "query 0, result 1"},
		{"buffered, replaced", []entry{{true, intercept.Reply}}, "ERR 1105", "query 0, result 1"},
		{"buffered dropped, buffered", []entry{{true, drop}, {true, pass}}, "2", "query 0, result 1, result 2"},
		{"buffered, buffered", []entry{{true, pass}, {true, pass}}, "1", "query 0, result 1, result 2"},
		{"buffered dropped, unbuffered", []entry{{true, drop}, {false, pass}}, "2", "query 0, result 1, result 2"},
		{"unbuffered, buffered dropped", []entry{{false, pass}, {true, drop}}, "1", "query 0, result 1, result 2"},
		{"unbuffered, unbuffered", []entry{{false, pass}, {false, pass}}, "1", "query 0, result 1, result 2"},
		{"all dropped", []entry{{true, drop}, {true, drop}}, "ERR 1105", "query 0, result 1, result 2"},
	} {
		for _, atOnce := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, at once %v", tt.name, atOnce), func(t *testing.T) {
				each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
					c := client(t, &s, p.Addr, 0)
					h := scripted(tt.queue, atOnce)
					p.SetHooks(h)
					command := query(c, "select 'scripted'")
					if got := shape(t, c, c.Do(command)); got != tt.want {
						t.Errorf("got %q, want %q", got, tt.want)
					}
					if got := c.Text("select 'in step'"); got != "in step" {
						t.Errorf("then got %s", got)
					}
					if got := h.asked(); got != tt.asked {
						t.Errorf("asked %s, want %s", got, tt.asked)
					}
				})
			})
		}
	}
}

// scripted is a hook that queues queries, all at once or one after the other.
func scripted(queue []entry, atOnce bool) *hook {
	queries := make([]intercept.Query, len(queue))
	for i, e := range queue {
		queries[i] = intercept.Query{ID: i + 1, Packet: []byte(fmt.Sprintf("\x03select %d", i+1)), Origin: intercept.FromScript, Show: true, Need: e.buffered}
	}
	h := &hook{points: intercept.At(rule.ReadQuery)}
	h.handle = func(ev *intercept.Event) (intercept.Verdict, error) {
		if ev.SQL == "select 'in step'" {
			return intercept.Verdict{}, nil
		}
		n := ev.Query.ID
		v := intercept.Verdict{Action: intercept.Forward}
		if n > 0 && queue[n-1].buffered {
			v.Action = queue[n-1].verdict
		}
		if v.Action == intercept.Reply {
			v.Answer = mysqlwire.ERRAnswer(1105, "", "replaced")
		}
		if n == 0 && atOnce {
			v.Queries = queries
		} else if !atOnce && n < len(queries) {
			v.Queries = queries[n : n+1]
		}
		return v, nil
	}
	return h
}

// TestHookSeesAnswerAndTiming of a query of its own, buffered or streamed, without interest in others'.
func TestHookSeesAnswerAndTiming(t *testing.T) {
	for _, buffered := range []bool{true, false} {
		t.Run(fmt.Sprint(buffered), func(t *testing.T) {
			each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				c := client(t, &s, p.Addr, 0)
				results := 0
				h := &hook{points: intercept.At(rule.ReadQuery)}
				h.handle = func(ev *intercept.Event) (intercept.Verdict, error) {
					if ev.Point == rule.ReadQuery {
						if !strings.Contains(ev.SQL, "owned") {
							return intercept.Verdict{}, nil
						}
						return intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{{ID: 7, Packet: ev.Packet, Show: true, Need: buffered, Origin: intercept.FromScript}}}, nil
					}
					results++
					tm := ev.Timing
					if ev.Query.ID != 7 || (ev.Answer != nil) != buffered || ev.Counts.Rows != 2 || tm.Sent.IsZero() || tm.First.Before(tm.Sent) || tm.Last.Before(tm.First) || tm.Queued.IsZero() {
						return intercept.Verdict{}, fmt.Errorf("asked with query %d, answer %v, %d rows, %+v", ev.Query.ID, ev.Answer != nil, ev.Counts.Rows, tm)
					}
					return intercept.Verdict{}, nil
				}
				p.SetHooks(h)
				c.Text("select 'other'")
				if sum := c.Query("select 'owned' union all select 'too'"); sum.Rows != 2 {
					t.Errorf("got %+v", sum)
				}
				c.Text("select 'the last'")
				p.Finished("select 'the last'")
				if results != 1 {
					t.Errorf("asked about %d answers", results)
				}
				for _, n := range p.Journal.Notices(0, nil) {
					t.Error(n.Text)
				}
			})
		})
	}
}

// TestHookIsAskedAgainAfterALargeAnswer: of a buffered one that is too large it sees the beginning,
// and is told when the rest has passed.
func TestHookIsAskedAgainAfterALargeAnswer(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, 0)
		h := &hook{points: intercept.At(rule.ReadQuery)}
		var states []string
		h.handle = func(ev *intercept.Event) (intercept.Verdict, error) {
			if ev.Point == rule.ReadQuery {
				return intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{{ID: 1, Packet: ev.Packet, Show: true, Need: true, Origin: intercept.FromScript}}}, nil
			}
			if ev.Query.ID == 2 {
				return intercept.Verdict{Action: intercept.Drop}, nil
			}
			if ev.Answer != nil {
				states = append(states, fmt.Sprint("partial ", ev.Answer.Partial))
				return intercept.Verdict{}, nil
			}
			states = append(states, "over")
			return intercept.Verdict{Queries: []intercept.Query{{ID: 2, Packet: []byte("\x03do 1"), Need: true, Show: true, Origin: intercept.FromScript}}}, nil
		}
		p.SetHooks(h)
		const large = "select repeat('a', 9000000) union all select repeat('b', 9000000) union all select 'c'"
		sum := c.Query(large)
		p.Finished(large)
		if sum.Rows != 3 || sum.Error != nil {
			t.Errorf("got %+v", sum)
		}
		if got := strings.Join(states, ", "); got != "partial true, over" {
			t.Errorf("asked at %s", got)
		}
	})
}

func TestScriptThatHolds(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, 0)
		h := &hook{points: intercept.At(rule.ReadQuery)}
		h.handle = func(ev *intercept.Event) (intercept.Verdict, error) {
			if !strings.Contains(ev.SQL, "original") {
				return intercept.Verdict{}, nil
			}
			plan, err := intercept.Rewrite(ev, "select 'changed'", intercept.FromScript)
			return intercept.Verdict{Action: intercept.Hold, Queries: plan, Why: "look at this"}, err
		}
		p.SetHooks(h)
		c.Send(query(c, "select 'original'"))
		held := p.Held(rule.ReadQuery)
		if held.Reason.By != "test hook" || held.Reason.Why != "look at this" || len(held.SoFar.Queries) != 1 {
			t.Errorf("held by %+v, so far %+v", held.Reason, held.SoFar)
		}
		p.Resolve(held, intercept.Verdict{})
		if got := c.Value(c.Answer(query(c, "select 'original'"))); got != "changed" {
			t.Errorf("got %s", got)
		}
	})
}

// TestHookThatFails is reported, and passed over.
func TestHookThatFails(t *testing.T) {
	s := servers(t)[0]
	p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
	p.SetHooks(&hook{points: intercept.Everywhere, handle: func(*intercept.Event) (intercept.Verdict, error) {
		return intercept.Verdict{Action: intercept.Close}, errors.New("out of order")
	}})
	c := client(t, &s, p.Addr, 0)
	if got := c.Text("select 5"); got != "5" {
		t.Errorf("got %s", got)
	}
	if n := p.Journal.Notices(0, nil); len(n) < 5 || !strings.Contains(n[0].Text, "out of order") {
		t.Errorf("the log has %v", n)
	}
}

// TestHookThatPanics ends the connection it was asked about, and no other, at every event.
func TestHookThatPanics(t *testing.T) {
	s := servers(t)[0]
	for _, point := range rule.Points() {
		t.Run(point.String(), func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
			other := client(t, &s, p.Addr, 0)
			other.Text("select 1")
			id := p.Conns()[0].ID
			p.SetHooks(&hook{points: intercept.At(point), handle: func(ev *intercept.Event) (intercept.Verdict, error) {
				if ev.Conn.ID != id {
					panic("made up")
				}
				return intercept.Verdict{}, nil
			}})
			c, err := intercepttest.TryDial(t, "tcp", p.Addr, s.User, s.Password, s.Database, 0)
			if err == nil {
				c.Send(query(c, "select 1"))
				if point == rule.Disconnect {
					c.Answer(query(c, "select 1"))
					_ = c.Conn.Close()
				} else {
					_ = c.Closed()
				}
			}
			p.Until("it is closed", func() bool { return p.Conn(id+1) == nil && len(p.Conns()) == 2 })
			if got := other.Text("select 2"); got != "2" {
				t.Errorf("the other got %s", got)
			}
			reported := false
			for _, n := range p.Journal.Notices(0, nil) {
				reported = reported || n.Level == intercept.Error && strings.Contains(n.Text, "made up")
			}
			if !reported {
				t.Error("it is not reported")
			}
		})
	}
}

// TestServerless: a hook greets, logs in and answers without any server.
func TestServerless(t *testing.T) {
	p := intercepttest.NewProxy(t, intercept.Options{}, "")
	greeting, err := (&mysqlwire.Greeting{
		Version: "8.4.0", ConnectionID: 1, Scramble: []byte("01234567890123456789"), Caps: intercepttest.ClientCaps, Collation: 45,
		PluginName: "mysql_native_password", Status: mysqlwire.StatusAutocommit,
	}).Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.SetHooks(&hook{points: intercept.Everywhere, handle: func(ev *intercept.Event) (intercept.Verdict, error) {
		switch ev.Point {
		case rule.ConnectServer:
			return intercept.Verdict{Action: intercept.Reply, Answer: &mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindGreeting, Payload: greeting}}}}, nil
		case rule.ReadQuery:
			if strings.Contains(ev.SQL, "nobody") {
				return intercept.Verdict{}, nil
			}
			a, err := mysqlwire.SimpleResultSet([]string{"sql"}, [][]string{{ev.SQL}}).Answer(ev.Context, false)
			return intercept.Verdict{Action: intercept.Reply, Answer: a}, err
		}
		return intercept.Verdict{}, nil
	}})
	c := intercepttest.Dial(t, "tcp", p.Addr, "anyone", "anything", "", 0)
	if got := c.Text("select 'echo'"); got != "select 'echo'" {
		t.Errorf("got %s", got)
	}
	if got := c.Text("nobody answers"); !strings.Contains(got, "no server") {
		t.Errorf("got %s", got)
	}
	long := "select '" + strings.Repeat("x", 1<<24) + "'"
	if got := c.Text(long); len(got) < 1<<23 || !strings.HasPrefix(long, got) { // a hook sees its beginning
		t.Errorf("a long one got %.80s", got)
	}
	if got := c.Text("select 'echo'"); got != "select 'echo'" {
		t.Errorf("then got %s", got)
	}
}
