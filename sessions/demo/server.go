// Package demo is the server behind `mydbg demo`: an SQL engine inside this process, with a small shop's data in it, so
// that mydbg can be tried where no MySQL is installed and an edited query still gets its real answer. Package shop,
// beside it, is the application that sends the traffic. It is not a test double for MySQL, and nothing is kept: every
// Start begins with the same rows.
//
// The one rule callers must know: Start silences the loggers of the engine (logrus's standard logger and that of the
// protocol library) for the whole process, because a line on standard error would tear the screen.
//
// # What it does like MySQL
//
// The engine is go-mysql-server with its in-memory tables: text and prepared statements, joins, views, information_schema,
// SHOW, warnings, autocommit and LAST_INSERT_ID are the engine's own. ROLLBACK undoes everything since BEGIN, for every
// table. A failing statement leaves the rest of its transaction in place.
//
// # Where it differs
//
//   - The in-memory tables are made for one session at a time: on commit a session writes back each whole table it has
//     looked at, also the ones it only read. This package puts a lock around that: at any time one transaction writes,
//     taking the lock with its first changing statement (or SELECT ... FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE) and
//     giving it back at COMMIT or ROLLBACK; the others wait and get error 1205 after Options.LockWait. Readers never
//     wait. So no update is lost, but two checkouts of different articles do wait for one another, as they would not
//     in InnoDB, and the engine itself never finds a deadlock (1213): answer with one from the debugger.
//   - A transaction sees a table as it was when it first read it, not as of one moment for all tables, and sees it
//     afresh when it first writes. The isolation level can be set and has no effect.
//   - Savepoints are refused. CREATE TABLE and other DDL is visible at once and is not rolled back. A commit by a
//     session that read a table which another session has dropped meanwhile ends that session's connection.
//   - Errors carry SQLSTATE HY000 whatever they are, and syntax errors and unknown columns have number 1105, not 1064 and
//     1054. EXPLAIN answers usefully as EXPLAIN FORMAT=TREE; its plain form is a row of NULLs that strict drivers reject.
//   - There is no TLS and no compression. caching_sha2_password without TLS needs a password the engine cannot check,
//     so the accounts use mysql_native_password.
//
// Built with the tag nodemo, the engine (about 60 MB) stays out of the binary and Start returns ErrLeftOut.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// ErrLeftOut is what Start returns in a binary that was built with the tag nodemo.
var ErrLeftOut = errors.New("this mydbg was built without the demo server (tag nodemo): " +
	"build it again without that tag, or name a server of your own with --backend HOST:PORT")

// Options says how the demo server starts. The zero value is ready to use.
type Options struct {
	// Addr is where to listen, "127.0.0.1:0" (a free port) when empty. There is no TLS and root has no password, so
	// anything but a loopback address is refused.
	Addr string
	// LockWait is how long a statement waits for another transaction's lock before it gets error 1205; 5 s when zero.
	// MySQL waits 50 s, longer than a person watches.
	LockWait time.Duration
}

// A Server is a running demo server. It ends with Close, or when the context given to Start does.
type Server struct {
	addr string
	stop func() error // once
}

// Start loads the sample data and listens. It returns when clients can connect.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.LockWait <= 0 {
		o.LockWait = 5 * time.Second
	}
	if err := loopback(o.Addr); err != nil {
		return nil, err
	}
	addr, stop, err := startEngine(o)
	if err != nil {
		return nil, err
	}
	stop = sync.OnceValue(stop)
	unbind := context.AfterFunc(ctx, func() { _ = stop() })
	return &Server{addr: addr, stop: func() error { unbind(); return stop() }}, nil
}

// Addr is the address the server listens on, as host:port.
func (s *Server) Addr() string { return s.addr }

// Close stops listening, cuts the connections, ends the statements that are running and waits for them. It reports
// statements that did not end within a few seconds. Calling it again returns the first call's answer.
func (s *Server) Close() error {
	return s.stop()
}

// loopback refuses addresses that other machines could reach.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("demo server's address: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("demo server's address %s: not a loopback address, and root has no password there", addr)
	}
	return nil
}
