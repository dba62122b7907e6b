package intercept_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

func TestBreakpointsComeAndGo(t *testing.T) {
	s := servers(t)[0]
	p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
	c := client(t, &s, p.Addr, 0)
	b := p.Breakpoints
	answered := func(want string) {
		t.Helper()
		if got := shape(t, c, c.Do(query(c, "select 'ruled'"))); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	id, err := b.Add(`do err 1205 if sql contains "ruled"`)
	if err != nil {
		t.Fatal(err)
	}
	answered("ERR 1205")
	if l := b.List(); len(l) != 1 || l[0].Hits != 1 || l[0].Fired != 1 || !l[0].Enabled {
		t.Errorf("listed %+v", l)
	}
	if err := b.Enable(id, false); err != nil {
		t.Fatal(err)
	}
	answered("ruled")
	if err := b.Enable(id, true); err != nil {
		t.Fatal(err)
	}
	b.Off(true)
	answered("ruled")
	if !b.AllOff() {
		t.Error("they are on")
	}
	b.Off(false)
	answered("ERR 1205")
	if err := b.Replace(id, `do err 1213 if sql contains "ruled"`); err != nil {
		t.Fatal(err)
	}
	answered("ERR 1213")
	if err := b.Replace(id, "do what"); err == nil {
		t.Error("nonsense is a rule")
	}
	if err := b.Delete(id); err != nil {
		t.Fatal(err)
	}
	answered("ruled")
	if err := b.Delete(id); !errors.Is(err, intercept.ErrNoBreakpoint) {
		t.Errorf("deleted twice: %v", err)
	}
}

// TestConditionsSeeWhatTheyAskFor at the command, at the answer, and when it is over.
func TestConditionsSeeWhatTheyAskFor(t *testing.T) {
	for _, tt := range []struct {
		rule string
		fire bool
	}{
		{`log if verb == "SELECT" and "customers" in tables and not write`, true},
		{`at result do mark if rows == 2 and cols == 2`, true},
		{`at result do pause; mark if any(row, .name matches "^Bj")`, true},
		{`log if user == "nobody"`, false},
		{`log if cmd == "execute" and param(0) == 2`, true},
		{`log if cmd == "close"`, true},
		{`log if cmd == "ping" and chatter`, true},
		{`log if ms >= 0 and not error and bytes > 10 and cmd == "execute"`, true},
		{`log if rows > 1000`, false},
		{`hit = 2 do log "second" if sql contains "customers"`, true},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				if !s.Lab {
					t.Skip("needs the lab's sample data")
				}
				p.Break(strings.Replace(tt.rule, "log if", "do log if", 1))
				c := open(t, &s, p.Addr, "")
				wait := later(func() error {
					for range 2 {
						rows, err := c.QueryContext(t.Context(), "select id, name from customers where id = 1 or id = ? + 7 order by id", 2)
						if err != nil {
							return err
						}
						for rows.Next() {
						}
						if err := errors.Join(rows.Err(), rows.Close()); err != nil {
							return err
						}
					}
					return c.PingContext(t.Context())
				})
				if strings.Contains(tt.rule, "pause") {
					for range 2 {
						p.Resolve(p.Held(rule.ReadQueryResult), intercept.Verdict{})
					}
				}
				if err := wait(t); err != nil {
					t.Fatal(err)
				}
				one[int](t, c, "select 99")
				p.Finished("select 99")
				if l := p.Breakpoints.List(); (l[0].Fired > 0) != tt.fire || l[0].Problem != "" {
					t.Errorf("fired %d times, problem %q", l[0].Fired, l[0].Problem)
				}
			})
		})
	}
}

// TestLoginEventsCanBeEdited: another user's name is no use without the password, another schema is.
func TestLoginEventsCanBeEdited(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		p.SetHooks(&hook{points: intercept.At(rule.ReadHandshake, rule.ReadAuth, rule.ReadAuthResult), handle: func(ev *intercept.Event) (intercept.Verdict, error) {
			m, err := ev.Message()
			if err != nil {
				return intercept.Verdict{}, err
			}
			switch m := m.(type) {
			case *mysqlwire.Greeting:
				g := *m
				g.Version += "-watched"
				b, err := g.Encode(nil, nil)
				return intercept.Verdict{Action: intercept.Forward, Packet: b}, err
			case *mysqlwire.Login:
				for _, b := range m.AuthResponse {
					if b != 0 {
						t.Error("a hook sees the proof of the password")
					}
				}
				l := *m
				l.DB = "information_schema"
				b, err := l.Encode(nil, nil)
				return intercept.Verdict{Action: intercept.Forward, Packet: b}, err
			}
			return intercept.Verdict{}, nil
		}})
		c := client(t, &s, p.Addr, 0)
		if !strings.HasSuffix(c.Greeting.Version, "-watched") {
			t.Errorf("greeted by %s", c.Greeting.Version)
		}
		if got := c.Text("select database()"); got != "information_schema" {
			t.Errorf("the schema is %s", got)
		}
	})
}

func TestLoginsThatRulesEnd(t *testing.T) {
	s := servers(t)[0]
	for _, point := range []rule.Point{rule.ConnectServer, rule.ReadHandshake, rule.ReadAuth, rule.ReadAuthResult} {
		for _, action := range []string{"close", `err 1040 "full"`} {
			t.Run(point.String()+" "+action, func(t *testing.T) {
				p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
				p.Break("at " + point.String() + " do " + action)
				_, err := intercepttest.TryDial(t, "tcp", p.Addr, s.User, s.Password, "", 0)
				var e *mysqlwire.ERR
				if action == "close" && (err == nil || errors.As(err, &e)) || action != "close" && (!errors.As(err, &e) || e.Code != 1040) {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

func TestSecondListenerIsToldWhoHasThePort(t *testing.T) {
	p := intercepttest.NewProxy(t, intercept.Options{}, "127.0.0.1:1")
	_, err := p.Listen(p.Addr)
	if err == nil || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("got %v", err)
	}
	// A socket file that nobody listens on any more is replaced.
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := p.Listen(path); err != nil {
		t.Errorf("an abandoned socket: %v", err)
	}
	if _, err := p.Listen("unix:" + path); err == nil {
		t.Error("one in use was replaced")
	}
}
