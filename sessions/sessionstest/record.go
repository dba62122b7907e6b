// Package sessionstest makes recordings for tests of what is done with them.
package sessionstest

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/sessions"
	"mydbg/sessions/demo"
)

// Servers are the real ones, or the embedded one.
func Servers(t testing.TB) []intercepttest.Server {
	t.Helper()
	return intercepttest.Servers(t, func(t testing.TB) intercepttest.Server {
		s, err := demo.Start(context.Background(), demo.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return intercepttest.Server{Name: "embedded", Addr: s.Addr(), User: "app", Password: "app-pw", Database: "shop"}
	})
}

// Record runs traffic through a proxy that records, and opens the recording.
func Record(t testing.TB, server *intercepttest.Server, traffic func(p *intercepttest.Proxy)) *sessions.Reader {
	t.Helper()
	return RecordWith(t, intercept.Options{Backends: []intercept.Backend{{Address: server.Addr}}}, traffic)
}

// RecordWith is Record with a proxy of these options.
func RecordWith(t testing.TB, o intercept.Options, traffic func(p *intercepttest.Proxy)) *sessions.Reader {
	t.Helper()
	path := filepath.Join(t.TempDir(), "session.pcapng")
	rec, err := sessions.NewRecorder(sessions.RecordOptions{Path: path, Trouble: func(err error) { t.Errorf("recording: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	o.Tap = rec
	p := intercepttest.NewProxy(t, o, "")
	traffic(p)
	p.Until("all connections are closed", func() bool {
		return !slices.ContainsFunc(p.Conns(), func(c intercept.ConnInfo) bool { return c.Phase != intercept.Closed })
	})
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := sessions.Open(path, sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// Open opens one connection of a driver at addr, with parameters after the DSN's "?".
func Open(t testing.TB, server *intercepttest.Server, addr, parameters string) (c *sql.Conn, end func()) {
	t.Helper()
	db, err := sql.Open("mysql", server.DSN(addr)+"?"+parameters)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c, func() {
		_ = c.Close()
		_ = db.Close()
	}
}

// Shop makes a table of customers and returns its name; it is dropped when the test ends.
func Shop(t testing.TB, server *intercepttest.Server) string {
	t.Helper()
	table := "s_" + strings.ToLower(strings.NewReplacer("/", "_", " ", "_", ",", "_", "-", "_").Replace(t.Name()))
	table = table[:min(len(table), 60)]
	c, end := Open(t, server, "", "")
	defer end()
	Exec(t, c, "DROP TABLE IF EXISTS "+table)
	Exec(t, c, "CREATE TABLE "+table+" (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40), email VARCHAR(80), born DATE, score DECIMAL(8,2), UNIQUE KEY (email))")
	Exec(t, c, "INSERT INTO "+table+" (name, email, born, score) VALUES ('Alice', 'alice@example.com', '1980-02-03', 12.50), ('Bob', 'bob@example.com', '1991-12-24', -3.00), ('Zoë', NULL, NULL, NULL)")
	t.Cleanup(func() {
		db, err := sql.Open("mysql", server.DSN(""))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec("DROP TABLE IF EXISTS " + table); err != nil {
			t.Error(err)
		}
	})
	return table
}

// Exec runs a statement.
func Exec(t testing.TB, c *sql.Conn, query string, args ...any) {
	t.Helper()
	if _, err := c.ExecContext(context.WithoutCancel(t.Context()), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Rows runs a query and returns its rows, cells joined by "|".
func Rows(t testing.TB, c *sql.Conn, query string, args ...any) []string {
	t.Helper()
	rows, err := c.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		cells, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var line []string
		for _, c := range cells {
			if !c.Valid {
				c.String = "NULL"
			}
			line = append(line, c.String)
		}
		out = append(out, strings.Join(line, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
