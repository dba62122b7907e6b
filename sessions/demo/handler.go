//go:build !nodemo

package demo

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/plan"
	"github.com/dolthub/vitess/go/mysql"
	"github.com/dolthub/vitess/go/sqltypes"
	querypb "github.com/dolthub/vitess/go/vt/proto/query"
)

// A handler stands in front of the engine's own and lets one transaction write at a time. It embeds the interface, not
// the engine's type, so that every way to run a statement is one of the methods below.
type handler struct {
	mysql.Handler
	pro      *memory.DbProvider
	lockWait time.Duration
	lock     chan struct{} // holds one token while some transaction writes
	closing  chan struct{}
	empty    chan struct{} // closed when closing and no connection is left

	mu    sync.Mutex
	conns map[uint32]*conn
}

// conn is what the handler knows of a connection. Apart from the map it is in, only the goroutine that runs the
// connection's commands touches it.
type conn struct {
	mysql   *mysql.Conn
	session *memory.Session // nil before the first command
	writing bool            // holds the lock
}

func newHandler(pro *memory.DbProvider, lockWait time.Duration) *handler {
	return &handler{
		pro: pro, lockWait: lockWait, lock: make(chan struct{}, 1),
		closing: make(chan struct{}), empty: make(chan struct{}), conns: make(map[uint32]*conn),
	}
}

// newSession is the engine's session builder.
func (h *handler) newSession(ctx context.Context, mc *mysql.Conn, addr string) (sql.Session, error) {
	made, err := memory.NewSessionBuilder(h.pro)(ctx, mc, addr)
	if err != nil {
		return nil, err
	}
	c := h.conn(mc)
	c.session = memory.NewSession(made.(*memory.Session).BaseSession, &commitGate{h.pro, c})
	return c.session, nil
}

func (h *handler) conn(mc *mysql.Conn) *conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.conns[mc.ConnectionID]
}

// NewConnection notes the connection so that it can be cut.
func (h *handler) NewConnection(mc *mysql.Conn) {
	h.mu.Lock()
	h.conns[mc.ConnectionID] = &conn{mysql: mc}
	select {
	case <-h.closing:
		mc.Close()
	default:
	}
	h.mu.Unlock()
	h.Handler.NewConnection(mc)
}

// ConnectionClosed rolls back what the connection had not committed, by giving the lock back without a commit.
func (h *handler) ConnectionClosed(mc *mysql.Conn) {
	h.release(h.conn(mc))
	h.Handler.ConnectionClosed(mc)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, mc.ConnectionID)
	h.noteEmpty()
}

// cutAll closes every connection. The channel it returns is closed when the last one has ended.
func (h *handler) cutAll() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.closing)
	for _, c := range h.conns {
		c.mysql.Close()
	}
	h.noteEmpty()
	return h.empty
}

// noteEmpty closes h.empty at the right moment. The caller holds h.mu.
func (h *handler) noteEmpty() {
	select {
	case <-h.closing:
	default:
		return
	}
	if len(h.conns) > 0 {
		return
	}
	select {
	case <-h.empty:
	default:
		close(h.empty)
	}
}

// ComQuery runs a statement under the lock it needs.
func (h *handler) ComQuery(ctx context.Context, mc *mysql.Conn, query string, spool mysql.ResultSpoolFn) error {
	return h.guard(ctx, mc, query, func() error { return h.Handler.ComQuery(ctx, mc, query, spool) })
}

// ComMultiQuery runs the first of several statements; the protocol library calls again with the rest.
func (h *handler) ComMultiQuery(ctx context.Context, mc *mysql.Conn, query string, spool mysql.ResultSpoolFn) (string, error) {
	var rest string
	err := h.guard(ctx, mc, query, func() (err error) {
		rest, err = h.Handler.ComMultiQuery(ctx, mc, query, spool)
		return err
	})
	return rest, err
}

// ComPrepare never writes, but leaves a snapshot behind that guard clears.
func (h *handler) ComPrepare(ctx context.Context, mc *mysql.Conn, query string, p *mysql.PrepareData) ([]*querypb.Field, error) {
	var fields []*querypb.Field
	err := h.guard(ctx, mc, "", func() (err error) {
		fields, err = h.Handler.ComPrepare(ctx, mc, query, p)
		return err
	})
	return fields, err
}

// ComStmtExecute runs a prepared statement under the lock it needs.
func (h *handler) ComStmtExecute(ctx context.Context, mc *mysql.Conn, p *mysql.PrepareData, spool func(*sqltypes.Result) error) error {
	return h.guard(ctx, mc, p.PrepareStmt, func() error { return h.Handler.ComStmtExecute(ctx, mc, p, spool) })
}

// ComResetConnection drops the transaction with the session.
func (h *handler) ComResetConnection(mc *mysql.Conn) error {
	h.release(h.conn(mc))
	return h.Handler.ComResetConnection(mc)
}

// guard runs one command: it takes the lock first if the statement changes anything, and gives it back afterwards
// unless a transaction is open.
func (h *handler) guard(ctx context.Context, mc *mysql.Conn, query string, run func() error) error {
	c := h.conn(mc)
	if c.session == nil {
		// The engine makes the session on first use; asking for parser options is such a use.
		if _, err := h.ParserOptionsForConnection(mc); err != nil {
			return err
		}
	}
	if !c.writing && writes(query) {
		if err := h.acquire(ctx); err != nil {
			return err
		}
		c.writing = true
		// What was read so far may be older than the last writer's commit, and committing would write it back.
		if err := c.session.Rollback(nil, nil); err != nil {
			return err
		}
	}
	defer h.settle(ctx, c)
	return run()
}

// acquire waits for the lock. A free one is taken whatever the time.
func (h *handler) acquire(ctx context.Context) error {
	select {
	case h.lock <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(h.lockWait)
	defer timer.Stop()
	select {
	case h.lock <- struct{}{}:
		return nil
	case <-timer.C:
		return mysql.NewSQLError(mysql.ERLockWaitTimeout, mysql.SSUnknownSQLState,
			"Lock wait timeout exceeded; try restarting transaction")
	case <-ctx.Done():
		return ctx.Err()
	case <-h.closing:
		return mysql.NewSQLError(mysql.ERServerShutdown, mysql.SSServerShutdown, "Server shutdown in progress")
	}
}

func (h *handler) release(c *conn) {
	if c.writing {
		c.writing = false
		<-h.lock
	}
}

// settle ends what the engine leaves open after a command outside a transaction: an automatic transaction that an error
// or a PREPARE began (its snapshot would serve the next statement), or, after DDL inside BEGIN, the order not to commit
// automatically.
func (h *handler) settle(ctx context.Context, c *conn) {
	s := c.session
	if s.GetTransaction() == nil {
		s.SetIgnoreAutoCommit(false)
	}
	if !s.GetIgnoreAutoCommit() {
		auto, err := plan.IsSessionAutocommit(sql.NewContext(ctx, sql.WithSession(s)))
		if err == nil && auto {
			s.SetTransaction(nil)
		}
	}
	if s.GetTransaction() == nil {
		h.release(c)
	}
}

// commitGate is what a session sees of the databases when it commits. A session that holds the lock gets the real one.
// Any other has only read, and what it writes back goes to a database that nobody keeps.
type commitGate struct {
	*memory.DbProvider
	conn *conn
}

// Database implements sql.DatabaseProvider.
func (g *commitGate) Database(ctx *sql.Context, name string) (sql.Database, error) {
	db, err := g.DbProvider.Database(ctx, name)
	if err != nil || g.conn.writing {
		return db, err
	}
	mem, ok := db.(memory.MemoryDatabase)
	if !ok {
		return db, nil
	}
	sink := memory.NewViewlessDatabase(name)
	for name, table := range mem.Database().Tables() {
		if t, ok := table.(memory.MemTable); ok {
			sink.AddTable(name, t)
		}
	}
	return sink, nil
}

// harmless are the first words of statements that need no lock. An unknown word takes it: at worst somebody waits.
var harmless = map[string]bool{
	"": true, "select": true, "show": true, "set": true, "use": true, "begin": true, "start": true, "commit": true,
	"rollback": true, "explain": true, "desc": true, "describe": true, "prepare": true, "deallocate": true,
	"kill": true, "values": true, "help": true, "savepoint": true, "release": true,
}

// writes reports whether a statement needs the lock.
func writes(query string) bool {
	word, rest := firstWord(query)
	if word != "select" {
		return !harmless[word]
	}
	rest = strings.ToLower(rest)
	return strings.Contains(rest, "for update") || strings.Contains(rest, "for share") ||
		strings.Contains(rest, "lock in share mode")
}

// firstWord skips spaces, comments and opening brackets. The word is in lower case.
func firstWord(query string) (word, rest string) {
	for {
		query = strings.TrimLeft(query, " \t\r\n\f\v(;")
		var end string
		switch {
		case strings.HasPrefix(query, "/*"):
			end = "*/"
		case strings.HasPrefix(query, "-- "), strings.HasPrefix(query, "#"):
			end = "\n"
		default:
			n := strings.IndexFunc(query, func(r rune) bool { return r != '_' && (r|0x20 < 'a' || r|0x20 > 'z') })
			if n < 0 {
				n = len(query)
			}
			return strings.ToLower(query[:n]), query[n:]
		}
		_, after, ok := strings.Cut(query[len(end):], end) // "/*/" opens and does not close
		if !ok {
			return "", ""
		}
		query = after
	}
}
