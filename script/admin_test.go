package script

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
)

// admin listens with an admin script, "" for the one that comes along.
func admin(t *testing.T, src string, with *Engine, backends ...intercept.Backend) (*intercepttest.Proxy, string) {
	t.Helper()
	p := intercepttest.NewProxy(t, intercept.Options{Backends: backends}, "")
	path := ""
	if src != "" {
		path = filepath.Join(t.TempDir(), "admin.lua")
		if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := NewAdmin(Options{Servers: p, Deadline: intercepttest.Patience}, AdminOptions{User: "root", Password: "secret", Path: path, With: with})
	if err != nil {
		t.Fatal(err)
	}
	at, err := p.ListenWith("127.0.0.1:0", a)
	if err != nil {
		t.Fatal(err)
	}
	return p, at.String()
}

func adminDB(t *testing.T, login, addr string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", login+"@tcp("+addr+")/?allowNativePasswords=true")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestAdminLogins(t *testing.T) {
	_, addr := admin(t, "", nil)
	for login, want := range map[string]string{
		"root:secret": "", "root:wrong": "password doesn't match", "somebody:secret": "unknown user", "root:": "scrambling failed",
	} {
		err := adminDB(t, login, addr).PingContext(t.Context())
		var refused *mysql.MySQLError
		switch {
		case want == "" && err == nil:
		case want != "" && errors.As(err, &refused) && refused.Number == 1045 && refused.Message == want:
		default:
			t.Errorf("%s: got %v, want %q", login, err, want)
		}
	}
}

func TestAdminScriptThatComesAlong(t *testing.T) {
	p, addr := admin(t, "", nil, intercept.Backend{Address: "127.0.0.1:1"}, intercept.Backend{Address: "127.0.0.1:2", ReadOnly: true})
	db := adminDB(t, "root:secret", addr)
	table := func(query string) (list []string) {
		t.Helper()
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		columns, _ := rows.Columns()
		for rows.Next() {
			cells := make([]sql.NullString, len(columns))
			into := make([]any, len(columns))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			var line []string
			for _, c := range cells {
				line = append(line, c.String)
			}
			list = append(list, strings.Join(line, "|"))
		}
		return list
	}
	if _, err := db.ExecContext(t.Context(), "add slave '127.0.0.1:3'"); err != nil {
		t.Error(err)
	}
	p.SetBackendState(2, intercept.BackendDown) // a connecting client would have it looked at anew
	got := table("SELECT * FROM  backends;")
	want := []string{"1|127.0.0.1:1|unknown|rw||0|0", "2|127.0.0.1:2|down|ro||0|0", "3|127.0.0.1:3|unknown|ro||0|0"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := table("select * from help"); len(got) < 4 {
		t.Errorf("got %q", got)
	}
	if got := table("select * from version"); !slices.Equal(got, []string{"interface|0.8.5", "lua|Lua 5.1"}) {
		t.Errorf("got %q", got)
	}
	_, err := db.ExecContext(t.Context(), "drop everything")
	if err == nil || !strings.Contains(err.Error(), "SELECT * FROM help") {
		t.Errorf("got %v", err)
	}
	if got := table("select USER()"); !slices.Equal(got, []string{"root"}) {
		t.Errorf("got %q", got)
	}
}

// Section 1.9: what the script may return.
func TestAdminReturnValues(t *testing.T) {
	const otherwise = "need a resultset + proxy.PROXY_SEND_RESULT ... got something else"
	for _, tt := range []struct{ name, body, query, want string }{
		{"nothing", "", "x", "need a resultset + proxy.PROXY_SEND_RESULT"},
		{"a query", "proxy.queries:append(1, packet) return 1", "x", otherwise},
		{"another number", "return 7", "x", otherwise},
		{"an error", "error('no')", "x", otherwise},
		{"a statement that never reaches it", "proxy.response.type = 0 return 2", "load data", otherwise},
		{"an answer", "proxy.response = { type = 255, errmsg = 'mine' } return 2", "x", "mine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, addr := admin(t, "function connect_server() error('never called') end function read_query(packet) if packet:byte() ~= 3 then return end "+tt.body+" end", nil)
			_, err := adminDB(t, "root:secret", addr).ExecContext(t.Context(), tt.query)
			var refused *mysql.MySQLError
			if !errors.As(err, &refused) || refused.Number != 1105 || refused.Message != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Both listeners' scripts see the same proxy.global.
func TestAdminSharesGlobals(t *testing.T) {
	b := load(t, `proxy.global.seen = 0 function read_query() proxy.global.seen = proxy.global.seen + 1 end`)
	b.query("\x03a")
	b.query("\x03b")
	_, addr := admin(t, `function read_query()
		proxy.response = { type = 255, errmsg = "seen " .. proxy.global.seen .. (proxy.connection.server and "" or ", no server") }
		return proxy.PROXY_SEND_RESULT
	end`, b.e)
	_, err := adminDB(t, "root:secret", addr).ExecContext(t.Context(), "x")
	if err == nil || !strings.Contains(err.Error(), "seen 2, no server") {
		t.Errorf("got %v", err)
	}
}
