package client_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"mydbg/intercept/intercepttest"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
	"mydbg/sessions/client"
)

// servers are the real ones, or the embedded one.
func servers(t *testing.T) []intercepttest.Server {
	return intercepttest.Servers(t, embedded)
}

func query(sql string) []byte { return append([]byte{byte(mysqlwire.ComQuery)}, sql...) }

// value is the first cell of an answer.
func value(t *testing.T, a *mysqlwire.Answer, cx *mysqlwire.Context) string {
	t.Helper()
	results, err := a.Results(cx)
	if err != nil {
		t.Fatal(err)
	}
	if results[0].ERR != nil {
		t.Fatal(results[0].ERR)
	}
	row, err := results[0].Rows.Row(0)
	if err != nil {
		t.Fatal(err)
	}
	return row.Text(0)
}

func TestEveryAccountLogsIn(t *testing.T) {
	for _, s := range servers(t) {
		for _, u := range s.Users {
			if strings.Contains(u.Name, "x509") || strings.Contains(u.Name, "locked") || strings.Contains(u.Name, "expired") {
				continue // they cannot, or can do nothing then
			}
			for _, mode := range []tlspair.Mode{tlspair.Disabled, tlspair.Preferred} {
				if mode == tlspair.Disabled && strings.Contains(u.Name, "ssl") {
					continue
				}
				t.Run(s.Name+"/"+u.Name+"/"+mode.String(), func(t *testing.T) {
					c, err := client.Dial(t.Context(), "tcp", s.Addr, client.Options{User: u.Name, Password: u.Password, TLS: mode})
					if err != nil {
						t.Fatal(err)
					}
					a, cx, err := c.Do(query("select substring_index(current_user(), '@', 1)"))
					if err != nil {
						t.Fatal(err)
					}
					if got := value(t, a, cx); got != u.Name {
						t.Errorf("logged in as %s", got)
					}
					if err := c.Close(); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, s := range servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			var refused *mysqlwire.ERR
			if _, err := client.Dial(t.Context(), "tcp", s.Addr, client.Options{User: s.User, Password: "wrong"}); !errors.As(err, &refused) || refused.Code != 1045 {
				t.Errorf("a wrong password: got %v", err)
			}
			if _, err := client.Dial(t.Context(), "tcp", s.Addr, client.Options{User: s.User, Password: s.Password, DB: "no such schema"}); !errors.As(err, &refused) || refused.Code != 1049 {
				t.Errorf("an unknown schema: got %v", err)
			}
		})
	}
}

// Answers come whole whatever they are, and what they ask of the client gets an answer too.
func TestAnswers(t *testing.T) {
	for _, s := range servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			c, err := client.Dial(t.Context(), "tcp", s.Addr, client.Options{User: s.User, Password: s.Password, DB: s.Database})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			prepare, _, err := c.Do(append([]byte{byte(mysqlwire.ComStmtPrepare)}, "select ? + 0"...))
			if err != nil {
				t.Fatal(err)
			}
			var ok mysqlwire.PrepareOK
			if err := ok.Decode(prepare.Packets[0].Payload, c.Context()); err != nil {
				t.Fatal(err)
			}
			if c.Stmt(ok.StmtID) == nil {
				t.Error("the statement is not known")
			}
			long := strings.Repeat("x", 17<<20)
			if s.Lab && s.Name != "mysql56" { // its max_allowed_packet is smaller
				a, cx, err := c.Do(query("select '" + long + "'"))
				if err != nil {
					t.Fatal(err)
				}
				if results, err := a.Results(cx); err != nil || results[0].ERR == nil && len(value(t, a, cx)) != len(long) {
					t.Errorf("a long row: %v", err)
				}
			}
			a, cx, err := c.Do(query("load data local infile '/etc/hostname' into table nothing"))
			if err != nil {
				t.Fatal(err)
			}
			if results, err := a.Results(cx); err != nil || results[len(results)-1].ERR == nil {
				t.Errorf("a file was sent: %v, %v", results, err)
			}
			a, cx, err = c.Do(query("select 'still in step'"))
			if err != nil || value(t, a, cx) != "still in step" {
				t.Errorf("then: %v", err)
			}
		})
	}
}

// TestAhead: commands that were written together are answered one by one.
func TestAhead(t *testing.T) {
	for _, s := range servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			c, err := client.Dial(t.Context(), "tcp", s.Addr, client.Options{User: s.User, Password: s.Password, DB: s.Database})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			list := [][]byte{query("SELECT 1"), query("SELECT nonsense"), query("SELECT 3")}
			if err := c.Ahead(list...); err != nil {
				t.Fatal(err)
			}
			for i, want := range []string{"1", "", "3", "4"} {
				command := query("SELECT 4") // behind them, on its own
				if i < len(list) {
					command = list[i]
				}
				a, cx, err := c.Do(command)
				if err != nil {
					t.Fatal(err)
				}
				if want == "" {
					if a.Packets[0].Kind != mysqlwire.KindERR {
						t.Errorf("command %d: got %s", i, a.Packets[0].Kind)
					}
				} else if got := value(t, a, cx); got != want {
					t.Errorf("command %d: got %q, want %q", i, got, want)
				}
			}
		})
	}
}

func TestServerThatSaysNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := client.Dial(ctx, "tcp", l.Addr().String(), client.Options{})
		done <- err
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
