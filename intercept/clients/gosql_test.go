package clients

import (
	"context"
	"crypto/sha1"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// goDriver runs the statements with go-sql-driver, in this process.
func goDriver(t *testing.T, k *task) (string, error) {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd, cfg.DBName = "tcp", k.addr, k.server.User, k.server.Password, k.db
	cfg.MultiStatements, cfg.AllowAllFiles, cfg.Timeout = true, true, limit
	cfg.Collation = "utf8mb4_general_ci"
	cfg.Logger = log.New(io.Discard, "", 0)
	if k.tls {
		cfg.TLSConfig = "skip-verify"
	}
	if k.pack {
		if err := cfg.Apply(mysql.EnableCompression(true)); err != nil {
			return "", err
		}
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return "", err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, err := db.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer c.Close()
	g := &goRun{ctx: ctx, c: c}
	for _, s := range steps() {
		if s.command == "big" && !k.big {
			continue
		}
		g.line = s.line
		g.step(s.command, k.text(s), s.params)
	}
	return g.out.String(), ctx.Err()
}

type goRun struct {
	ctx  context.Context
	c    *sql.Conn
	line int
	out  strings.Builder
}

func (g *goRun) say(format string, args ...any) {
	fmt.Fprintf(&g.out, "%d %s\n", g.line, fmt.Sprintf(format, args...))
}

func (g *goRun) failed(err error) {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		g.say("error %d %s %q", e.Number, e.SQLState, e.Message)
		return
	}
	g.say("error %v", err)
}

func (g *goRun) step(command, text string, params [][]any) {
	switch command {
	case "query", "big":
		rows, err := g.c.QueryContext(g.ctx, text)
		g.rows(rows, err)
	case "local":
		r, err := g.c.ExecContext(g.ctx, text)
		g.result(r, err)
	case "prepare", "cursor", "batch":
		st, err := g.c.PrepareContext(g.ctx, text)
		if err != nil {
			g.failed(err)
			return
		}
		defer st.Close()
		for _, args := range params {
			if command == "batch" {
				r, err := st.ExecContext(g.ctx, args...)
				g.result(r, err)
				continue
			}
			rows, err := st.QueryContext(g.ctx, args...)
			g.rows(rows, err)
		}
	case "use":
		r, err := g.c.ExecContext(g.ctx, "use "+text)
		g.result(r, err)
	case "ping":
		if err := g.c.PingContext(g.ctx); err != nil {
			g.failed(err)
		}
	}
}

func (g *goRun) result(r sql.Result, err error) {
	if err != nil {
		g.failed(err)
		return
	}
	n, nErr := r.RowsAffected()
	id, idErr := r.LastInsertId()
	g.say("done %d %d", n, id)
	if err := errors.Join(nErr, idErr); err != nil {
		g.failed(err)
	}
}

func (g *goRun) rows(rows *sql.Rows, err error) {
	if err != nil {
		g.failed(err)
		return
	}
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		types, err := rows.ColumnTypes()
		if err != nil {
			g.failed(err)
		}
		var b strings.Builder
		for _, c := range types {
			nullable, _ := c.Nullable()
			precision, scale, _ := c.DecimalSize()
			fmt.Fprintf(&b, " %q/%s/%v/%t/%d/%d", c.Name(), c.DatabaseTypeName(), c.ScanType(), nullable, precision, scale)
		}
		g.say("columns%s", &b)
		for rows.Next() {
			values := make([]any, len(types))
			into := make([]any, len(types))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				g.failed(err)
				continue
			}
			b.Reset()
			for _, v := range values {
				text := fmt.Sprintf("%T:%v", v, v)
				if raw, ok := v.([]byte); ok {
					text = fmt.Sprintf("%q", raw)
				}
				if len(text) > 300 {
					text = fmt.Sprintf("%d:%x", len(text), sha1.Sum([]byte(text)))
				}
				b.WriteString(" " + text)
			}
			g.say("row%s", &b)
		}
		if err := rows.Err(); err != nil {
			g.failed(err)
			return
		}
	}
}
