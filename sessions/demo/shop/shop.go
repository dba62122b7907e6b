// Package shop is a small web shop's database traffic, without the shop: it connects to a MySQL server that has the demo's
// tables (in `mydbg demo` through the proxy, so that a person has something to look at) and does what applications do.
//
//   - Two web workers check out (BEGIN, a prepared SELECT of the stock, UPDATE, INSERTs, COMMIT), retry a checkout that meets a
//     deadlock (1213) or a lock wait timeout (1205), show product pages, and show the order history with a query
//     per order: an N+1.
//   - A report joins without a usable index and is slow.
//   - A cron job sends text statements with comments, restocks and clears away old orders.
//   - A search worker prepares a statement for each search and never closes it, up to a bound: a statement leak.
//
// Whatever the person at the debugger does must not end it. It sets no timeouts, so a statement may be held for minutes; an
// error for any statement is logged and the work goes on; a lost connection is made again. It knows nothing
// of the demo server's engine and works with any MySQL or MariaDB server that has the tables.
package shop

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// The account and the database of the demo server.
const (
	User     = "app"
	Password = "app-pw"
	Database = "shop"
)

// Articles is how many products the shop sells; SKU(0) to SKU(Articles-1).
const Articles = 50

// SKU is the stock keeping unit of an article.
func SKU(article int) string { return fmt.Sprintf("SKU-%d", firstSKU+article) }

const (
	firstSKU = 50
	bestSKU  = 77 // bought in a third of all checkouts, so that a breakpoint on it is hit soon
)

// defaultRate is in statements a second: about as fast as a person can follow.
const defaultRate = 8

// Options says where the shop connects and how busy it is. Only Addr has no default.
type Options struct {
	Addr                     string // host:port of the server, or of the proxy before it
	User, Password, Database string // the demo server's when User is empty
	// Rate is statements a second for all workers together; 8 when zero. A worker whose statement is held does not slow
	// the others down.
	Rate float64
	// Log is told what the shop saw, a line without newline at a time, such as "checkout 41: deadlock, retry 1 of 3".
	// It is called from several goroutines, also at the same time. Nil discards.
	Log func(string)
}

// Run opens for business until ctx ends and all workers have stopped; that is no error.
// It returns an error for options that cannot work. A server that is not there yet is waited for.
func Run(ctx context.Context, o Options) error {
	if o.Addr == "" {
		return errors.New("shop: no address to connect to")
	}
	if o.Rate < 0 {
		return fmt.Errorf("shop: rate %v: must not be negative", o.Rate)
	}
	if o.Rate == 0 {
		o.Rate = defaultRate
	}
	if o.User == "" {
		o.User, o.Password = User, Password
	}
	if o.Database == "" {
		o.Database = Database
	}
	s := &shop{options: o, interval: time.Duration(float64(time.Second) / o.Rate)}

	var workers sync.WaitGroup // each ends with ctx
	for _, w := range []*worker{
		{name: "web-1", program: "shop-web", turn: (*worker).web},
		{name: "web-2", program: "shop-web", turn: (*worker).web},
		{name: "report", program: "shop-report", turn: (*worker).report, rest: 80},
		{name: "cron", program: "shop-cron", turn: (*worker).cron, rest: 40, text: true},
		{name: "search", program: "shop-search", turn: (*worker).search, rest: 16},
	} {
		w.shop = s
		w.random = rand.New(rand.NewPCG(uint64(len(w.name)), uint64(w.name[len(w.name)-1])))
		workers.Go(func() { w.run(ctx) })
	}
	workers.Wait()
	return nil
}

// shop is what the workers share.
type shop struct {
	options  Options
	interval time.Duration // between two statements

	mu       sync.Mutex
	next     time.Time // when the next statement may go
	checkout int       // number of the last checkout
}

func (s *shop) logf(format string, args ...any) {
	if s.options.Log != nil {
		s.options.Log(fmt.Sprintf(format, args...))
	}
}

// pace waits for this statement's turn. Turns that nobody took are not made up for: after a long hold there is no burst.
func (s *shop) pace(ctx context.Context) error {
	s.mu.Lock()
	now := time.Now()
	if s.next.Before(now) {
		s.next = now
	}
	wait := s.next.Sub(now)
	s.next = s.next.Add(s.interval)
	s.mu.Unlock()
	return pause(ctx, wait)
}

func (s *shop) nextCheckout() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checkout++
	return s.checkout
}

// pause waits, or returns ctx's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// open makes a pool for one connection. The caller takes the connection out of it and keeps it, so that nothing
// is reset or pinged behind its back.
func (s *shop) open(program string, text bool) (*sql.DB, error) {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr = "tcp", s.options.Addr
	cfg.User, cfg.Passwd, cfg.DBName = s.options.User, s.options.Password, s.options.Database
	cfg.ConnectionAttributes = "program_name:" + program
	cfg.InterpolateParams = text
	cfg.Logger = &mysql.NopLogger{} // standard error may be somebody's screen
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// why is an error in the few words a log line has room for.
func why(err error) string {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch my.Number {
		case errDeadlock:
			return "deadlock"
		case errLockWait:
			return "lock wait timeout"
		}
		return fmt.Sprintf("error %d: %s", my.Number, my.Message)
	}
	return strings.TrimPrefix(err.Error(), "sql: ")
}
