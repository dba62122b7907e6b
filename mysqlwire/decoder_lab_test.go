package mysqlwire

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// eavesdropper is a client's connection whose frames a Decoder has to explain.
type eavesdropper struct {
	net.Conn
	mu   sync.Mutex
	t    *testing.T
	d    Decoder
	bufs [2][]byte
	seen map[Kind]int
	sql  []string // of executes
	rows int      // decoded
}

func (e *eavesdropper) Read(b []byte) (int, error) {
	n, err := e.Conn.Read(b)
	e.look(ToClient, b[:n])
	return n, err
}

func (e *eavesdropper) Write(b []byte) (int, error) {
	e.look(ToServer, b) // before the answer can come
	return e.Conn.Write(b)
}

func (e *eavesdropper) look(dir Direction, b []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bufs[dir] = append(e.bufs[dir], b...)
	for len(e.bufs[dir]) >= HeaderLen {
		h := ParseHeader(e.bufs[dir])
		if len(e.bufs[dir]) < HeaderLen+h.Len {
			return
		}
		e.frame(dir, h, e.bufs[dir][HeaderLen:HeaderLen+h.Len])
		e.bufs[dir] = e.bufs[dir][HeaderLen+h.Len:]
	}
}

func (e *eavesdropper) frame(dir Direction, h Header, payload []byte) {
	f, err := e.d.Next(dir, h, payload[:min(h.Len, HeadLen)])
	if err != nil {
		e.t.Errorf("%v: % x, running %s", err, payload[:min(h.Len, HeadLen)], e.d.Command())
		return
	}
	if f.Cont {
		return
	}
	e.seen[f.Kind]++
	if n := e.d.Need(f); n > 0 {
		lent := bytes.Clone(payload[:n])
		e.d.Note(f, lent)
		clear(lent)
	}
	if f.More {
		return
	}
	cx := e.d.Context()
	switch f.Kind {
	case KindStmtExecute:
		e.sql = append(e.sql, e.d.SQL(f.Kind, payload))
		cx = e.d.ExecuteContext(payload)
		if !cx.ParamsKnown {
			e.t.Errorf("the statement of execute % x is not known", payload)
		}
	case KindTextRow, KindBinaryRow:
		if cx.Columns == nil {
			e.t.Errorf("%s of %s without columns", f.Kind, e.d.Command())
		}
		e.rows++
	case KindColumn, KindParam:
	default:
		return
	}
	if _, err := Decode(f.Kind, payload, cx); err != nil {
		e.t.Errorf("%s: %v", e.d.Command(), err)
	}
}

// listen opens a pool of one connection to a server, on which a Decoder listens.
func listen(t *testing.T, dsn string) (*sql.DB, func() *eavesdropper) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MultiStatements, cfg.AllowNativePasswords = true, true
	cfg.MaxAllowedPacket = 1 << 20 // longer parameters go ahead as long data
	var mu sync.Mutex
	var ear *eavesdropper
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		con, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		ear = &eavesdropper{Conn: con, t: t, seen: map[Kind]int{}}
		ear.d.KeepColumns = true
		return ear, nil
	}
	con, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(con)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db, func() *eavesdropper {
		mu.Lock()
		defer mu.Unlock()
		return ear
	}
}

func drain(t *testing.T, rows *sql.Rows, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
		return
	}
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		for rows.Next() {
		}
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
}

func TestDecoderExplainsRealServers(t *testing.T) {
	for _, server := range []string{"MARIADB", "MYSQL", "MARIADB11", "MYSQL56"} {
		t.Run(server, func(t *testing.T) {
			dsn := os.Getenv("LAB_" + server + "_DSN")
			if dsn == "" {
				t.Skip("needs LAB_" + server + "_DSN")
			}
			db, ear := listen(t, dsn)
			ctx := t.Context()
			query := func(q string, args ...any) {
				t.Helper()
				rows, err := db.QueryContext(ctx, q, args...)
				drain(t, rows, err)
			}
			exec := func(q string, args ...any) {
				t.Helper()
				if _, err := db.ExecContext(ctx, q, args...); err != nil {
					t.Error(err)
				}
			}
			query("select * from all_types")
			query("select * from all_types where 1 = ?", 1)
			query("select * from events limit 3000")
			query("select 1; do 1; select 'b', null; select 3 from customers where id < 0")
			query("call p_multi(3)")
			query("call p_multi(?)", 3)
			exec("create temporary table tracked (a int, b longtext) engine=myisam") // InnoDB of 5.6 wants a log ten times as large as a value
			exec("insert into tracked values (?, ?), (2, null)", 1, strings.Repeat("long ", 1000))
			exec("insert into tracked values (3, repeat('x', 17 << 20))")
			query("select b from tracked where a = 3")
			query("select b, a from tracked where a = ?", 3)
			mysql.RegisterReaderHandler("tracker", func() io.Reader { return strings.NewReader("7\tfrom a file\n8\tand more\n") })
			defer mysql.DeregisterReaderHandler("tracker")
			exec("load data local infile 'Reader::tracker' into table tracked")
			exec("alter table tracked add index (a)")
			for _, bad := range []string{"select nothing from nowhere", "call p_fail()", "select 1; select x"} {
				rows, err := db.QueryContext(ctx, bad)
				if err == nil {
					for more := true; more; more = rows.NextResultSet() {
						for rows.Next() {
						}
					}
					err = rows.Err()
					rows.Close()
				}
				if err == nil {
					t.Errorf("%s: no error", bad)
				}
			}
			st, err := db.PrepareContext(ctx, "select ?, ?, ?")
			if err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]any{{1, "a", nil}, {nil, 2.5, []byte("b")}, {int64(1) << 40, strings.Repeat("long ", 1<<20), 3}} {
				rows, err := st.QueryContext(ctx, args...)
				drain(t, rows, err)
			}
			st.Close()
			exec("use information_schema")
			if got := ear().d.DB(); got != "information_schema" {
				t.Errorf("schema %q after use", got)
			}
			ping(t, db)

			e := ear()
			db.Close()
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.d.State() != StateClosed || len(e.d.Statements()) != 0 {
				t.Errorf("ends in state %s with %d statements", e.d.State(), len(e.d.Statements()))
			}
			for _, k := range []Kind{KindGreeting, KindLogin, KindQuery, KindTextRow, KindBinaryRow, KindPrepareOK, KindStmtSendLongData, KindLocalInfile, KindFileData, KindERR, KindPing, KindQuit} {
				if e.seen[k] == 0 {
					t.Errorf("no %s was seen in %v", k, e.seen)
				}
			}
			if !strings.Contains(strings.Join(e.sql, "\n"), "select ?, ?, ?") {
				t.Errorf("texts of executes: %q", e.sql)
			}
			if e.d.User() != "lab_admin" {
				t.Errorf("user %q", e.d.User())
			}
			t.Logf("%s: %v, caps %v", server, e.seen, e.d.Caps())
		})
	}
}

// ping makes the driver ping.
func ping(t *testing.T, db *sql.DB) {
	t.Helper()
	con, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer con.Close()
	if err := con.Raw(func(c any) error { return c.(driver.Pinger).Ping(t.Context()) }); err != nil {
		t.Error(err)
	}
}
