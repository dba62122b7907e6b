package shop

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"
)

// How long a worker waits before it connects again: doubled after each failure in a row.
const (
	firstReconnect = 250 * time.Millisecond
	lastReconnect  = 5 * time.Second
)

// errFresh asks for a new connection without anything having failed.
var errFresh = errors.New("connection no longer wanted")

// A worker is one connection of the shop and the work done on it.
type worker struct {
	*shop
	name    string
	program string                               // the connection attribute program_name
	turn    func(*worker, context.Context) error // one piece of work
	rest    int                                  // pause after each turn, in intervals
	text    bool                                 // parameters are put into the statement's text
	random  *rand.Rand                           // seeded, so that a demo goes like the last one

	conn     *sql.Conn            // nil when the last attempt to connect failed
	prepared map[string]*sql.Stmt // statements of this connection that are kept
	leaked   int                  // statements of this connection that nobody closes
}

// run works until ctx ends. It returns only then.
func (w *worker) run(ctx context.Context) {
	again := firstReconnect
	for ctx.Err() == nil {
		err := w.connected(ctx, func() { again = firstReconnect })
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errFresh) {
			continue
		}
		state := "connection lost"
		if w.conn == nil {
			state = "no connection"
		}
		w.logf("%s: %s (%s), connecting again in %v", w.name, state, why(err), again)
		if pause(ctx, again) != nil {
			return
		}
		again = min(2*again, lastReconnect)
	}
}

// connected works on one connection until that must be given up, and says why. It calls healthy after each good turn.
func (w *worker) connected(ctx context.Context, healthy func()) error {
	w.conn = nil
	db, err := w.open(w.program, w.text)
	if err != nil {
		return err
	}
	defer db.Close()
	if w.conn, err = db.Conn(ctx); err != nil {
		return err
	}
	defer w.conn.Close()
	w.prepared, w.leaked = make(map[string]*sql.Stmt), 0
	for {
		err := w.turn(w, ctx)
		switch {
		case err == nil:
			healthy()
		case broken(err) || errors.Is(err, errFresh) || ctx.Err() != nil:
			return err
		default:
			w.logf("%s: %s", w.name, why(err))
		}
		if err := pause(ctx, time.Duration(w.rest)*w.interval); err != nil {
			return err
		}
	}
}

// broken reports whether the connection is of no further use. What the server answered is never that.
func broken(err error) bool {
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, mysql.ErrMalformPkt) ||
		errors.Is(err, mysql.ErrPktSync) || errors.Is(err, mysql.ErrPktSyncMul) || errors.Is(err, mysql.ErrBusyBuffer) ||
		errors.As(err, &network)
}

// statement is a prepared statement of this connection, prepared at first use and kept.
func (w *worker) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := w.prepared[query]; ok {
		return st, nil
	}
	if err := w.pace(ctx); err != nil {
		return nil, err
	}
	st, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.prepared[query] = st
	return st, nil
}

// execute runs a kept prepared statement that has no result set.
func (w *worker) execute(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := w.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if err := w.pace(ctx); err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

// exec sends a statement that has no result set as it is.
func (w *worker) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := w.pace(ctx); err != nil {
		return nil, err
	}
	return w.conn.ExecContext(ctx, query, args...)
}

// query sends a statement and hands each row to scan.
func (w *worker) query(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	if err := w.pace(ctx); err != nil {
		return err
	}
	rows, err := w.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return each(rows, scan)
}

// queryPrepared is query through a kept prepared statement.
func (w *worker) queryPrepared(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	st, err := w.statement(ctx, query)
	if err != nil {
		return err
	}
	if err := w.pace(ctx); err != nil {
		return err
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return each(rows, scan)
}

// each reads all rows. A row that does not fit, because somebody edited the result, is an error like any other.
func each(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
