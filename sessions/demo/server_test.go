//go:build !nodemo

package demo

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"mydbg/sessions/demo/shop"
)

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// client is one connection, for conversations.
type client struct {
	t *testing.T
	*sql.Conn
}

func login(t *testing.T, s *Server, user, password string) client {
	t.Helper()
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName, cfg.User, cfg.Passwd = "tcp", s.Addr(), shop.Database, user, password
	cfg.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return client{t, conn}
}

func (c client) exec(query string, args ...any) {
	c.t.Helper()
	if _, err := c.ExecContext(c.t.Context(), query, args...); err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
}

// one is the first column of the first row.
func (c client) one(query string, args ...any) (v string) {
	c.t.Helper()
	if err := c.QueryRowContext(c.t.Context(), query, args...).Scan(&v); err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	return v
}

// number is the error number the server answers a statement with.
func (c client) number(query string) uint16 {
	c.t.Helper()
	_, err := c.ExecContext(c.t.Context(), query)
	var my *mysql.MySQLError
	if !errors.As(err, &my) {
		c.t.Fatalf("%s: got %v, want an error of the server's", query, err)
	}
	return my.Number
}

// table is a whole table as text.
func (c client) table(query string) []string {
	c.t.Helper()
	rows, err := c.QueryContext(c.t.Context(), query)
	if err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		c.t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			c.t.Fatal(err)
		}
		out = append(out, fmt.Sprint(values))
	}
	if err := rows.Err(); err != nil {
		c.t.Fatal(err)
	}
	return out
}

func TestServerAnswersBothAccounts(t *testing.T) {
	s := start(t, Options{})
	for _, user := range [][2]string{{shop.User, shop.Password}, {"root", ""}} {
		c := login(t, s, user[0], user[1])
		for query, want := range map[string]string{
			"SELECT COUNT(*) FROM customers":                  "200",
			"SELECT COUNT(*) FROM products":                   "50",
			"SELECT COUNT(*) FROM orders":                     "500",
			"SELECT COUNT(*) FROM stock WHERE sku = 'SKU-77'": "1",
			"SELECT COUNT(*) > 900 FROM order_items":          "1",
			"SELECT name FROM customers WHERE id = 2":         "Béla Brandt",
			"SELECT @@version":                                "8.0.31",
		} {
			if got := c.one(query); got != want {
				t.Errorf("%s: got %s, want %s", query, got, want)
			}
		}
		if got, want := c.one("SELECT COUNT(*) FROM orders WHERE id <= ?", 10), "10"; got != want {
			t.Errorf("prepared: got %s, want %s", got, want)
		}
	}
}

func TestServerHasTheSameRowsEachTime(t *testing.T) {
	a, b := login(t, start(t, Options{}), "root", ""), login(t, start(t, Options{}), "root", "")
	for _, name := range a.table("SHOW TABLES") {
		name := strings.Fields(strings.Trim(name, "[{}]"))[0]
		query := "SELECT * FROM " + name + " ORDER BY 1, 2"
		got, want := a.table(query), b.table(query)
		if len(got) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: two servers have different rows (%d, %d)", name, len(got), len(want))
		}
	}
}

func TestItems(t *testing.T) {
	c := login(t, start(t, Options{}), "root", "")
	got := c.table(`SELECT o.id FROM orders o JOIN order_items i ON i.order_id = o.id
		GROUP BY o.id, o.total HAVING SUM(i.qty * i.price) <> o.total`)
	if len(got) > 0 {
		t.Errorf("orders whose items do not add up to the total: %v", got)
	}
}

const (
	stockOf77 = "SELECT qty FROM stock WHERE sku = 'SKU-77'"
	sell77    = "UPDATE stock SET qty = qty - 1 WHERE sku = 'SKU-77'"
	reset77   = "UPDATE stock SET qty = 100 WHERE sku = 'SKU-77'"
)

func TestRollbackUndoesTheTransaction(t *testing.T) {
	s := start(t, Options{})
	a, b := login(t, s, "root", ""), login(t, s, "root", "")
	a.exec(reset77)
	a.exec("BEGIN")
	a.exec(sell77)
	a.exec("INSERT INTO carts (customer_id, sku, qty, added_at) VALUES (1, 'SKU-77', 1, NOW())")
	if n := a.number("INSERT INTO stock VALUES ('SKU-77', 1, NOW())"); n != 1062 {
		t.Errorf("duplicate key: got error %d, want 1062", n)
	}
	if got := a.one(stockOf77); got != "99" {
		t.Errorf("inside the transaction: got %s, want 99", got)
	}
	if got := b.one(stockOf77); got != "100" {
		t.Errorf("from outside: got %s, want 100", got)
	}
	a.exec("ROLLBACK")
	if got := a.one(stockOf77); got != "100" {
		t.Errorf("after rollback: got %s, want 100", got)
	}
	if got := b.one("SELECT COUNT(*) FROM carts"); got != fmt.Sprint(carts) {
		t.Errorf("carts after rollback: got %s, want %d", got, carts)
	}
	a.exec("BEGIN")
	a.exec(sell77)
	a.exec("COMMIT")
	if got := b.one(stockOf77); got != "99" {
		t.Errorf("after commit: got %s, want 99", got)
	}
}

// A reader that commits must not write back what it has read: the in-memory tables alone would.
func TestReadersUndoNothing(t *testing.T) {
	for _, end := range []string{"COMMIT", "BEGIN", "ROLLBACK", "SET autocommit = 1"} {
		t.Run(end, func(t *testing.T) {
			s := start(t, Options{})
			reader, writer := login(t, s, "root", ""), login(t, s, "root", "")
			writer.exec(reset77)
			if strings.HasPrefix(end, "SET") {
				reader.exec("SET autocommit = 0")
			} else {
				reader.exec("BEGIN")
			}
			reader.one(stockOf77)
			writer.exec(sell77)
			reader.exec(end)
			if got := writer.one(stockOf77); got != "99" {
				t.Errorf("got %s, want 99", got)
			}
		})
	}
}

// What a session has seen while it prepared a statement, or before one failed, must not be what it sees next.
func TestNoSnapshotStaysBehind(t *testing.T) {
	s := start(t, Options{})
	a, b, c := login(t, s, "root", ""), login(t, s, "root", ""), login(t, s, "root", "")
	a.exec(reset77)
	st, err := b.PrepareContext(t.Context(), stockOf77)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	c.number("INSERT INTO stock VALUES ('SKU-77', 1, NOW())")
	a.exec(sell77)
	var got string
	if err := st.QueryRowContext(t.Context()).Scan(&got); err != nil || got != "99" {
		t.Errorf("prepared: got %s, %v, want 99", got, err)
	}
	if got := c.one(stockOf77); got != "99" {
		t.Errorf("after an error: got %s, want 99", got)
	}
}

func TestNoUpdateIsLost(t *testing.T) {
	const clients, times = 4, 15
	s := start(t, Options{LockWait: time.Minute})
	check := login(t, s, "root", "")
	check.exec(reset77)
	var done sync.WaitGroup
	for range clients {
		c := login(t, s, "root", "")
		done.Go(func() {
			for range times {
				for _, query := range []string{"BEGIN", stockOf77, sell77, "COMMIT"} {
					if _, err := c.ExecContext(t.Context(), query); err != nil {
						t.Errorf("%s: %v", query, err)
					}
				}
			}
		})
	}
	done.Wait()
	if got, want := check.one(stockOf77), fmt.Sprint(100-clients*times); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLockWaitTimesOut(t *testing.T) {
	s := start(t, Options{LockWait: time.Millisecond})
	holder, waiter := login(t, s, "root", ""), login(t, s, "root", "")
	holder.exec(reset77)
	holder.exec("BEGIN")
	holder.exec(sell77)
	if n := waiter.number(sell77); n != 1205 {
		t.Errorf("got error %d, want 1205", n)
	}
	waiter.one(stockOf77) // readers do not wait
	holder.exec("ROLLBACK")
	waiter.exec(sell77)

	// DDL commits, and with that gives the lock back, even inside BEGIN.
	holder.exec("BEGIN")
	holder.exec(sell77)
	holder.exec("CREATE TABLE extra (id INT PRIMARY KEY)")
	waiter.exec(sell77)
	holder.exec(sell77)
	waiter.exec(sell77)
	if got := holder.one(stockOf77); got != "95" {
		t.Errorf("got %s, want 95", got)
	}
}

func TestLostConnectionRollsBack(t *testing.T) {
	s := start(t, Options{LockWait: time.Minute})
	lost, other := login(t, s, "root", ""), login(t, s, "root", "")
	other.exec(reset77)
	lost.exec("BEGIN")
	lost.exec(sell77)
	other.exec("KILL " + lost.one("SELECT CONNECTION_ID()"))
	other.exec(sell77) // waits until the other transaction is gone
	if got := other.one(stockOf77); got != "99" {
		t.Errorf("got %s, want 99", got)
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	s := start(t, Options{LockWait: time.Hour})
	holder, waiter, sleeper, watcher := login(t, s, "root", ""), login(t, s, "root", ""), login(t, s, "root", ""), login(t, s, "root", "")
	holder.exec("BEGIN")
	holder.exec(sell77)
	var ended sync.WaitGroup
	for c, query := range map[client]string{waiter: sell77, sleeper: "SELECT SLEEP(3600)"} {
		ended.Go(func() {
			if _, err := c.ExecContext(context.Background(), query); err == nil {
				t.Errorf("%s: ended well, want it cut off", query)
			}
		})
	}
	for watcher.one("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(3600)' AND command = 'Query'") == "0" {
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	ended.Wait()
}

func TestContextEndsTheServer(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Start(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := login(t, s, "root", "")
	cancel()
	for c.PingContext(context.Background()) == nil { // until the server has noticed
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestServerIsSilent(t *testing.T) {
	var out bytes.Buffer
	log.SetOutput(&out)
	defer log.SetOutput(os.Stderr)
	s := start(t, Options{})
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd, cfg.Logger = "tcp", s.Addr(), shop.User, "wrong", &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var my *mysql.MySQLError
	if err := sql.OpenDB(connector).Ping(); !errors.As(err, &my) || my.Number != 1045 {
		t.Errorf("wrong password: got %v, want error 1045", err)
	}
	login(t, s, "root", "").number("NONSENSE")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if out.Len() > 0 {
		t.Errorf("logged: %s", out.String())
	}
}

func TestStartRefusesOpenAddresses(t *testing.T) {
	for _, addr := range []string{":3306", "0.0.0.0:0", "192.0.2.1:0", "example.com:1", "nowhere"} {
		if s, err := Start(context.Background(), Options{Addr: addr}); err == nil {
			s.Close()
			t.Errorf("%s: started, want an error", addr)
		}
	}
}
