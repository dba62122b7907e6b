package edit

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// connect opens one connection through a proxy in front of a server.
func connect(t *testing.T, s *intercepttest.Server, p *intercepttest.Proxy) *sql.Conn {
	t.Helper()
	db, err := sql.Open("mysql", s.DSN(p.Addr))
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

// beside runs f while the test edits what it does.
func beside(f func() error) (wait func(t *testing.T) error) {
	done := make(chan error, 1)
	go func() { done <- f() }() // ends with f, which the client's answer ends
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

// edited opens an editor on what is held at p, types, and lets it go on.
func edited(t *testing.T, p *intercepttest.Proxy, at rule.Point, open func(intercept.Held, *intercept.Verdict, Env) (Editor, error), keys string) {
	t.Helper()
	h := p.Held(at)
	env := testEnv(t)
	env.Detail = p.Journal.Detail
	e, err := open(h, nil, env)
	if err != nil {
		t.Fatal(err)
	}
	press(e, keys)
	v, err := e.Verdict()
	if err != nil {
		t.Fatal(err)
	}
	p.Resolve(h, v)
}

func TestEditorsOnRealServers(t *testing.T) {
	after := func(h intercept.Held, d *intercept.Verdict, env Env) (Editor, error) { return Inject(h, d, false, env) }
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
			c := connect(t, &s, p)

			t.Run("a parameter and a cell", func(t *testing.T) {
				p.Break(`at query if cmd == "execute" and sql contains "params"`, `at result if cmd == "execute" and sql contains "params"`)
				var a string
				var b int
				wait := beside(func() error {
					return c.QueryRowContext(t.Context(), "SELECT CONCAT(?, '/params') AS a, 0 + ? AS b", "x", 41).Scan(&a, &b)
				})
				edited(t, p, rule.ReadQuery, Query, "<ctrl+u>edited<down><ctrl+u>77")
				edited(t, p, rule.ReadQueryResult, Result, "le<ctrl+u>78<enter>")
				if err := wait(t); err != nil || a != "edited/params" || b != 78 {
					t.Errorf("got %q, %d, %v", a, b, err)
				}
			})
			t.Run("new text for a prepared statement", func(t *testing.T) {
				p.Break(`at query if cmd == "execute" and sql contains "anew"`)
				var a string
				wait := beside(func() error {
					return c.QueryRowContext(t.Context(), "SELECT CONCAT(?, ' anew')", "x").Scan(&a)
				})
				edited(t, p, rule.ReadQuery, Query, "<shift+tab><shift+tab><end><backspace><backspace>est')")
				if err := wait(t); err != nil || a != "x anewest" {
					t.Errorf("got %q, %v", a, err)
				}
			})
			t.Run("a result that joins", func(t *testing.T) {
				p.Break(`at query if sql contains "joined"`)
				var got []string
				wait := beside(func() error {
					rows, err := c.QueryContext(t.Context(), "SELECT 'joined'")
					if err != nil {
						return err
					}
					defer rows.Close()
					for {
						for rows.Next() {
							var s string
							if err := rows.Scan(&s); err != nil {
								return err
							}
							got = append(got, s)
						}
						if !rows.NextResultSet() {
							return rows.Err()
						}
					}
				})
				edited(t, p, rule.ReadQuery, after, "SELECT 'second'<tab><right>")
				if err := wait(t); err != nil || len(got) != 2 || got[1] != "second" {
					t.Errorf("got %q, %v", got, err)
				}
			})
			t.Run("rows in the server's place", func(t *testing.T) {
				p.Break(`at query if sql contains "crafted"`)
				var id uint64
				var name sql.NullString
				wait := beside(func() error {
					return c.QueryRowContext(t.Context(), "SELECT 'crafted', ?", 1).Scan(&id, &name)
				})
				p.Resolve(p.Held(rule.ReadQuery), intercept.Verdict{}) // the prepare
				edited(t, p, rule.ReadQuery, Respond, "<right><tab><ctrl+u>id:bigint unsigned, name:varchar(9)<tab>18446744073709551615,NULL")
				if err := wait(t); err != nil || id != 1<<64-1 || name.Valid {
					t.Errorf("got %d, %v, %v", id, name, err)
				}
			})
			t.Run("a deadlock rolls back", func(t *testing.T) {
				p.Break(`at query if sql contains "deadlock"`)
				tx, err := c.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				wait := beside(func() error {
					_, err := tx.ExecContext(t.Context(), "DO 'deadlock'")
					return err
				})
				edited(t, p, rule.ReadQuery, Respond, "")
				var said *mysql.MySQLError
				if err := wait(t); !errors.As(err, &said) || said.Number != 1213 {
					t.Fatalf("got %v", err)
				}
				x := p.Finished("ROLLBACK")
				if x.Parent == 0 || x.Marks&intercept.MarkHidden == 0 || x.Status.Has(mysqlwire.StatusInTrans) {
					t.Errorf("the ROLLBACK is %+v", x)
				}
				if err := tx.Rollback(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestLoginAnsweredAndEdited(t *testing.T) {
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
			p.Break("greeting at handshake", "login at auth")
			login := func() error {
				db, err := sql.Open("mysql", s.DSN(p.Addr))
				if err != nil {
					return err
				}
				defer db.Close()
				return db.PingContext(t.Context())
			}
			wait := beside(login)
			edited(t, p, rule.ReadHandshake, Query, "<right>") // looked at and left alone
			edited(t, p, rule.ReadAuth, Respond, "<tab><ctrl+u>1045")
			var said *mysql.MySQLError
			if err := wait(t); !errors.As(err, &said) || said.Number != 1045 {
				t.Errorf("got %v", err)
			}
			wait = beside(login)
			edited(t, p, rule.ReadHandshake, Query, "<right>38") // a version 8 of whatever it was
			h := p.Held(rule.ReadAuth)
			if v := h.Conn.Client().Greeting.Version; v[0] != '8' {
				t.Errorf("the app was greeted by version %s", v)
			}
			p.Resolve(h, intercept.Verdict{})
			if err := wait(t); err != nil {
				t.Error(err)
			}
		})
	}
}
