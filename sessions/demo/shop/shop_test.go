//go:build !nodemo

package shop_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"mydbg/sessions/demo"
	"mydbg/sessions/demo/shop"
)

const updateStock = "UPDATE stock SET qty = qty - ? WHERE sku = ?"

// fast is a rate at which pacing takes no time.
const fast = 1e6

// server is a demo server with so few order items that the report is not slow.
func server(t *testing.T, o demo.Options) *demo.Server {
	t.Helper()
	s, err := demo.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := open(t, s).Exec("DELETE FROM order_items WHERE order_id > 30"); err != nil {
		t.Fatal(err)
	}
	return s
}

// open goes past the shop, straight to the server.
func open(t *testing.T, s *demo.Server) *sql.DB {
	t.Helper()
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.DBName, cfg.Logger = "tcp", s.Addr(), "root", shop.Database, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

// story is the shop run through a tap until enough has been seen.
type story struct {
	mu       sync.Mutex
	commands []command
	log      []string
}

// tell runs the shop against s. After each command and each log line it asks whether that is enough.
func tell(t *testing.T, s *demo.Server, decide func(command) answer, enough func(*story) bool) *story {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var st story
	note := func(add func()) {
		st.mu.Lock()
		defer st.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
		add()
		if enough(&st) {
			cancel()
		}
	}
	p := newTap(t, s.Addr(), func(c command) answer {
		note(func() { st.commands = append(st.commands, c) })
		return decide(c)
	})
	err := shop.Run(ctx, shop.Options{Addr: p.addr(), Rate: fast, Log: func(line string) {
		note(func() { st.log = append(st.log, line) })
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !enough(&st) {
		t.Fatalf("the shop stopped early after %d commands; log:\n%s", len(st.commands), strings.Join(st.log, "\n"))
	}
	return &st
}

func passAll(command) answer { return pass }

// seen counts the commands that match.
func (st *story) seen(match func(command) bool) (n int) {
	for _, c := range st.commands {
		if match(c) {
			n++
		}
	}
	return n
}

func (st *story) logged(part string) int {
	n := 0
	for _, line := range st.log {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// of is what one connection did.
func (st *story) of(conn int) (list []string) {
	for _, c := range st.commands {
		if c.conn == conn {
			list = append(list, c.name+" "+c.sql)
		}
	}
	return list
}

func is(program, name, part string) func(command) bool {
	return func(c command) bool {
		return c.program == program && c.name == name && strings.Contains(c.sql, part)
	}
}

func TestShopDoesAllItPromises(t *testing.T) {
	wants := []struct {
		what  string
		match func(command) bool
		times int
	}{
		{"checkouts begin", is("shop-web", "query", "BEGIN"), 5},
		{"stock is read by a prepared statement", is("shop-web", "execute", "SELECT s.qty"), 5},
		{"stock is updated", func(c command) bool { return c.name == "execute" && c.sql == updateStock }, 5},
		{"orders are inserted", is("shop-web", "execute", "INSERT INTO orders"), 5},
		{"checkouts are committed", is("shop-web", "query", "COMMIT"), 5},
		{"product pages close their statement", is("shop-web", "close", "FROM products p JOIN stock"), 2},
		{"the N+1's list is tagged", is("shop-web", "query", "route='%2Faccount%2Forders'*/"), 2},
		{"the N+1's rows are asked for one by one", is("shop-web", "execute", "WHERE i.order_id = ?"), 24},
		{"the report runs", is("shop-report", "query", "LIKE CONCAT(a.order_id, '')"), 1},
		{"cron speaks text", is("shop-cron", "query", "qty < 20 /* job=restock */"), 1},
		{"search leaks statements and begins again", is("shop-search", "prepare", "LIKE ?"), 101},
	}
	s := server(t, demo.Options{})
	st := tell(t, s, passAll, func(st *story) bool {
		for _, w := range wants {
			if st.seen(w.match) < w.times {
				return false
			}
		}
		return true
	})
	if n := st.seen(is("shop-search", "close", "")); n > 0 {
		t.Errorf("search closed %d statements, want none", n)
	}
	if n := st.logged("100 statements left open"); n == 0 {
		t.Errorf("the leak's bound is not in the log: %q", st.log)
	}
	for _, line := range st.log {
		if strings.Contains(line, "connection lost") || strings.Contains(line, "error ") {
			t.Errorf("logged without a reason: %s", line)
		}
	}
	var sold int
	err := open(t, s).QueryRow("SELECT COUNT(*) FROM orders WHERE status = 'new'").Scan(&sold)
	if err != nil || sold < 3 { // of 5 commits seen, two may have been on their way when the shop closed
		t.Errorf("orders that arrived in the database: %d, %v, want 3 or more", sold, err)
	}
}

func TestDeadlockIsRetried(t *testing.T) {
	for _, tt := range []struct{ name, sql, command string }{
		{"at commit", "COMMIT", "query"},
		{"at the update", updateStock, "execute"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			victim := 0 // connection
			st := tell(t, server(t, demo.Options{}), func(c command) answer {
				if victim == 0 && c.name == tt.command && c.sql == tt.sql {
					victim = c.conn
					return deadlock
				}
				return pass
			}, func(st *story) bool { return st.logged("done after 1 retry") > 0 })
			if st.logged("deadlock, retry 1 of 3") != 1 {
				t.Errorf("log: %q", st.log)
			}
			did := st.of(victim)
			i := slices.Index(did, tt.command+" "+tt.sql)
			want := []string{"query ROLLBACK", "query BEGIN"}
			if got := did[i+1 : i+3]; !slices.Equal(got, want) {
				t.Errorf("after the deadlock: got %q, want %q", got, want)
			}
		})
	}
}

func TestDeadlockEachTimeIsGivenUp(t *testing.T) {
	st := tell(t, server(t, demo.Options{}), func(c command) answer {
		if c.sql == updateStock && c.name == "execute" {
			return deadlock
		}
		return pass
	}, func(st *story) bool { return st.logged("given up: deadlock") > 0 })
	i := slices.IndexFunc(st.log, func(line string) bool { return strings.Contains(line, "given up: deadlock") })
	checkout, _, _ := strings.Cut(st.log[i], ":")
	for n := 1; n <= 3; n++ {
		if line := fmt.Sprintf("%s: deadlock, retry %d of 3", checkout, n); !slices.Contains(st.log, line) {
			t.Errorf("no line %q in %q", line, st.log)
		}
	}
}

// Each statement the shop has is refused the first time; each must come again, without a connection lost over it.
func TestShopOutlivesAnyError(t *testing.T) {
	refused := make(map[string]bool)
	key := func(c command) string { return c.program + " " + c.name + " " + c.sql[:min(len(c.sql), 20)] }
	st := tell(t, server(t, demo.Options{}), func(c command) answer {
		if c.name != "query" && c.name != "prepare" && c.name != "execute" {
			return pass
		}
		if k := key(c); !refused[k] {
			refused[k] = true
			return refuse
		}
		return pass
	}, func(st *story) bool {
		seen := make(map[string]int)
		for _, c := range st.commands {
			seen[key(c)]++
		}
		for _, k := range []string{
			"shop-web query BEGIN", "shop-web query COMMIT", "shop-web query ROLLBACK", "shop-web query SELECT id, status, t",
			"shop-web prepare UPDATE stock SET qty", "shop-web execute UPDATE stock SET qty", "shop-web execute INSERT INTO orders (",
			"shop-web execute SELECT p.name, i.qty", "shop-report query SELECT a.sku, b.sku,", "shop-cron query UPDATE stock SET qty",
			"shop-cron query INSERT INTO audit (a", "shop-search prepare SELECT sku, name, pr", "shop-search execute SELECT sku, name, pr",
		} {
			if seen[k] < 2 {
				return false
			}
		}
		return true
	})
	if n := st.logged("connection lost"); n > 0 {
		t.Errorf("%d connections lost over an error: %q", n, st.log)
	}
}

func TestShopConnectsAgain(t *testing.T) {
	cuts := make(map[string]int)
	st := tell(t, server(t, demo.Options{}), func(c command) answer {
		if c.name == "quit" || cuts[c.program] == 1 {
			return pass
		}
		cuts[c.program]++
		return cut
	}, func(st *story) bool {
		for _, program := range []string{"shop-web", "shop-report", "shop-cron", "shop-search"} {
			if st.seen(is(program, "query", ""))+st.seen(is(program, "execute", "")) < 2 {
				return false
			}
		}
		return st.logged("connection lost") >= 4
	})
	if st.logged("connecting again in 250ms") < 4 {
		t.Errorf("log: %q", st.log)
	}
}

// A transaction that the server really keeps waiting, because another client holds the lock.
func TestLockWaitIsRetried(t *testing.T) {
	s := server(t, demo.Options{LockWait: time.Millisecond})
	db := open(t, s)
	holder, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	if _, err := holder.Exec("UPDATE stock SET qty = qty WHERE sku = 'SKU-77'"); err != nil {
		t.Fatal(err)
	}
	tell(t, s, passAll, func(st *story) bool { return st.logged("lock wait timeout, retry 2 of 3") > 0 })
}

func TestShopWaitsForAServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // an address where nobody is
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := shop.Run(ctx, shop.Options{Addr: l.Addr().String(), Log: func(line string) {
		if strings.Contains(line, "no connection") && strings.Contains(line, "connecting again in 500ms") {
			cancel()
		}
	}}); err != nil {
		t.Error(err)
	}
}

// With every statement held, the end of the context must still end the shop; tell returns only then.
func TestShopEndsWhileHeld(t *testing.T) {
	tell(t, server(t, demo.Options{}), func(command) answer { return hold }, func(st *story) bool { return len(st.commands) >= 5 })
}

func TestRunChecksItsOptions(t *testing.T) {
	for _, o := range []shop.Options{{}, {Addr: "127.0.0.1:1", Rate: -1}} {
		if err := shop.Run(context.Background(), o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

func TestSKU(t *testing.T) {
	if got := []string{shop.SKU(0), shop.SKU(27), shop.SKU(shop.Articles - 1)}; !slices.Equal(got, []string{"SKU-50", "SKU-77", "SKU-99"}) {
		t.Errorf("got %q", got)
	}
}
