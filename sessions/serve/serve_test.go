package serve_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
	"mydbg/sessions"
	"mydbg/sessions/client"
	"mydbg/sessions/serve"
	"mydbg/sessions/sessionstest"
)

// suite is a test suite of an application: what it reads depends on what it wrote before. It returns what it saw.
func suite(t *testing.T, s *intercepttest.Server, addr, table, parameters string) []string {
	t.Helper()
	c, end := sessionstest.Open(t, s, addr, parameters)
	defer end()
	var saw []string
	see := func(q string, args ...any) {
		saw = append(saw, q)
		saw = append(saw, sessionstest.Rows(t, c, q, args...)...)
	}
	see("SELECT id, name, email, born, score FROM " + table + " ORDER BY id")
	see("SELECT name FROM "+table+" WHERE id = ?", 2)
	sessionstest.Exec(t, c, "UPDATE "+table+" SET name = ? WHERE id = ?", "Robert", 2)
	see("SELECT name FROM "+table+" WHERE id = ?", 2)
	tx, err := c.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := tx.Exec("INSERT INTO " + table + " (name, email) VALUES ('Dora', 'dora@example.com')")
	if err != nil {
		t.Fatal(err)
	}
	id, err := res.LastInsertId()
	if err != nil {
		t.Fatal(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	saw = append(saw, fmt.Sprint(id > 3, n))
	var count int
	if err := tx.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&count); err != nil {
		t.Fatal(err)
	}
	saw = append(saw, fmt.Sprint(count))
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	see("SELECT COUNT(*) FROM " + table)
	var refused *mysql.MySQLError
	if _, err := c.ExecContext(t.Context(), "INSERT INTO "+table+" (email) VALUES ('bob@example.com')"); errors.As(err, &refused) {
		saw = append(saw, refused.Error())
	} else {
		t.Errorf("no error: %v", err)
	}
	st, err := c.PrepareContext(t.Context(), "SELECT ?, name FROM "+table+" WHERE born < ? ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for _, born := range []string{"1985-01-01", "2000-01-01", "1985-01-01"} {
		rows, err := st.Query([]byte("x\x00y"), born)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var x, name string
			if err := rows.Scan(&x, &name); err != nil {
				t.Fatal(err)
			}
			saw = append(saw, x+" "+name)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return saw
}

// listen serves a recording on a port of its own, until the test ends.
func listen(t *testing.T, r *sessions.Reader, o serve.Options) (*serve.Server, string) {
	t.Helper()
	s, err := serve.New(r, o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { _ = s.ServeConn(ctx, nc) }) // the client says what it thinks of it
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		cancel()
		all.Wait()
	})
	return s, l.Addr().String()
}

func each(t *testing.T, test func(t *testing.T, s *intercepttest.Server, table string, r *sessions.Reader, saw []string)) {
	for _, s := range sessionstest.Servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			table := sessionstest.Shop(t, &s)
			var saw []string
			r := sessionstest.Record(t, &s, func(p *intercepttest.Proxy) { saw = suite(t, &s, p.Addr, table, "") })
			test(t, &s, table, r, saw)
		})
	}
}

// nobody is a server that is not there: all the tests need of it is who to log in as.
func nobody() *intercepttest.Server {
	return &intercepttest.Server{User: "anybody", Password: "any", Database: "lab"}
}

// TestASuiteRunsWithoutItsServer runs what was recorded again, twice, with the server out of reach, and in forms in which
// it was not recorded.
func TestASuiteRunsWithoutItsServer(t *testing.T) {
	each(t, func(t *testing.T, _ *intercepttest.Server, table string, r *sessions.Reader, saw []string) {
		for _, parameters := range []string{"", "interpolateParams=true", "clientFoundRows=true"} {
			s, addr := listen(t, r, serve.Options{})
			if got := suite(t, nobody(), addr, table, parameters); !slices.Equal(got, saw) {
				t.Errorf("%s: %s", parameters, cmp.Diff(saw, got))
			}
			if totals := s.Totals(); totals.Misses > 0 || totals.Unused > 0 && parameters == "" {
				t.Errorf("%s: got %+v", parameters, totals)
			}
		}
	})
}

// TestThroughTheProxy has a recording for a backend.
func TestThroughTheProxy(t *testing.T) {
	each(t, func(t *testing.T, _ *intercepttest.Server, table string, r *sessions.Reader, saw []string) {
		s, err := serve.New(r, serve.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := intercepttest.NewProxy(t, intercept.Options{BackendTLS: tlspair.Disabled, Backends: []intercept.Backend{{Address: "replay:session.pcapng", Dial: s.Dial}}}, "")
		if got := suite(t, nobody(), p.Addr, table, "tls=skip-verify"); !slices.Equal(got, saw) {
			t.Error(cmp.Diff(saw, got))
		}
	})
}

func TestMisses(t *testing.T) {
	each(t, func(t *testing.T, real *intercepttest.Server, table string, r *sessions.Reader, _ []string) {
		var missed []string
		s, addr := listen(t, r, serve.Options{Log: func(m serve.Miss) { missed = append(missed, m.String()) }})
		c, end := sessionstest.Open(t, nobody(), addr, "")
		defer end()
		for _, tt := range []struct{ query, want string }{
			{"SELECT name FROM " + table + " WHERE id = 77", `value 1 was "2" there and is "77" here`},
			{"SELECT name, email FROM " + table + " WHERE id = 2", "Nearest is #"},
			{"DELETE FROM nothing LIMIT 1", "nor anything like it"},
		} {
			var refused *mysql.MySQLError
			if _, err := c.QueryContext(t.Context(), tt.query); !errors.As(err, &refused) || !strings.Contains(refused.Message, tt.want) {
				t.Errorf("%s: got %v, want %s", tt.query, err, tt.want)
			}
		}
		sessionstest.Exec(t, c, "SET @whatever = 1") // sets up, and needs no answer
		if got := s.Totals(); got.Misses != 3 || len(missed) != 3 || got.Unused == 0 {
			t.Errorf("got %+v, %q", got, missed)
		}

		_, addr = listen(t, r, serve.Options{OnMiss: serve.MissEmpty})
		c, end = sessionstest.Open(t, nobody(), addr, "")
		defer end()
		if got := sessionstest.Rows(t, c, "SELECT name FROM "+table+" WHERE id = 77"); len(got) > 0 {
			t.Errorf("empty: got %q", got)
		}
		sessionstest.Exec(t, c, "DELETE FROM nothing")

		_, addr = listen(t, r, serve.Options{OnMiss: serve.MissForward, Forward: func(ctx context.Context, _, db string) (serve.Forwarder, error) {
			return client.Dial(ctx, "tcp", real.Addr, client.Options{User: real.User, Password: real.Password, DB: real.Database})
		}})
		c, end = sessionstest.Open(t, nobody(), addr, "")
		defer end()
		if got := sessionstest.Rows(t, c, "SELECT 6 * 7"); !slices.Equal(got, []string{"42"}) {
			t.Errorf("forwarded: got %q", got)
		}
		if got := sessionstest.Rows(t, c, "SELECT name FROM "+table+" WHERE id = ? AND email IS NOT NULL", 1); !slices.Equal(got, []string{"Alice"}) {
			t.Errorf("forwarded with a parameter: got %q", got)
		}
	})
}

func TestAuth(t *testing.T) {
	each(t, func(t *testing.T, _ *intercepttest.Server, _ string, r *sessions.Reader, _ []string) {
		_, addr := listen(t, r, serve.Options{User: "app", Password: "pw"})
		for _, tt := range []struct {
			user, password string
			ok             bool
		}{{"app", "pw", true}, {"app", "wrong", false}, {"other", "pw", false}} {
			for _, driver := range []string{"client", "go"} {
				var err error
				if driver == "client" {
					var c *client.Conn
					if c, err = client.Dial(t.Context(), "tcp", addr, client.Options{User: tt.user, Password: tt.password}); err == nil {
						err = c.Close()
					}
				} else {
					db, openErr := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/", tt.user, tt.password, addr))
					if openErr != nil {
						t.Fatal(openErr)
					}
					err = db.PingContext(t.Context())
					_ = db.Close()
				}
				if (err == nil) != tt.ok {
					t.Errorf("%s %s by %s: got %v", tt.user, tt.password, driver, err)
				}
			}
		}
	})
}

// FuzzSession sends whatever to a server of a small recording: it answers or closes.
func FuzzSession(f *testing.F) {
	f.Add([]byte{byte(mysqlwire.ComQuery), 's'})
	f.Add([]byte{byte(mysqlwire.ComStmtExecute), 1, 0, 0, 0, 0, 1, 0, 0, 0})
	f.Add([]byte{byte(mysqlwire.ComStmtPrepare), '?'})
	r, err := sessions.Open("../testdata/recording.pcapng", sessions.Options{})
	if err != nil {
		f.Fatal(err)
	}
	defer r.Close()
	s, err := serve.New(r, serve.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, command []byte) {
		if len(command) == 0 || command[0] == byte(mysqlwire.ComQuit) {
			return
		}
		nc, err := s.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.New(t.Context(), nc, client.Options{User: "u"})
		if err != nil {
			t.Fatal(err)
		}
		late := time.AfterFunc(intercepttest.Patience, func() {
			t.Errorf("no answer to %q", command)
			_ = c.Kill()
		})
		defer late.Stop()
		_, _, _ = c.Do([]byte("\x16select ?"))
		_, _, _ = c.Do(command)
		_ = c.Kill()
	})
}
