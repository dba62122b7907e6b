package export

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/sessions"
)

// slowLog is a log as servers write it with long_query_time = 0. What only a server knows, lock times and rows
// examined, is 0.
type slowLog struct {
	w  *bufio.Writer
	db map[intercept.ConnID]string // that USE has said
}

func newSlowLog(w io.Writer, r *sessions.Reader, _ Options) (emitter, error) {
	l := &slowLog{w: bufio.NewWriter(w), db: map[intercept.ConnID]string{}}
	version := "unknown"
	for _, c := range r.Conns() {
		if c.Server != "" {
			version = oneLine(c.Server)
			break
		}
	}
	_, err := fmt.Fprintf(l.w, "mysqld, Version: %s. started with:\nTcp port: 0  Unix socket: (null)\nTime                 Id Command    Argument\n", version)
	return l, err
}

func (l *slowLog) exchange(rec *sessions.Record, conn *sessions.Conn) error {
	sql := sqltext.Mask(bound(rec))
	switch {
	case !rec.Command.Answered() || rec.Ended.IsZero():
		return nil // servers log what they have done
	case rec.Received.Kind == mysqlwire.KindQuery, rec.Received.Kind == mysqlwire.KindStmtExecute:
		sql = strings.TrimRight(sql, "; \t\r\n") + ";"
	case rec.Received.Kind == mysqlwire.KindStmtPrepare:
		sql = "# administrator command: Prepare;"
	default:
		sql = "# administrator command: " + adminName(rec.Command) + ";"
	}
	host := conn.Client
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	user := oneLine(rec.User)
	took := rec.Took()
	_, err := fmt.Fprintf(l.w, "# Time: %s\n# User@Host: %s[%s] @  [%s]  Id: %d\n", rec.Ended.UTC().Format("2006-01-02T15:04:05.000000Z"), user, user, host, rec.Conn)
	if err != nil {
		return err
	}
	if rec.DB != "" {
		if _, err := fmt.Fprintf(l.w, "# Schema: %s  Last_errno: %d  Killed: 0\n", oneLine(rec.DB), errno(rec)); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(l.w, "# Query_time: %.6f  Lock_time: 0.000000  Rows_sent: %d  Rows_examined: 0  Rows_affected: %d\n# Bytes_sent: %d\n",
		took.Seconds(), rec.Rows, rec.Affected, rec.BytesOut); err != nil {
		return err
	}
	if rec.DB != "" && l.db[rec.Conn] != rec.DB {
		l.db[rec.Conn] = rec.DB
		if _, err := fmt.Fprintf(l.w, "use `%s`;\n", strings.ReplaceAll(rec.DB, "`", "``")); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(l.w, "SET timestamp=%d;\n%s\n", rec.Begun.Unix(), sql)
	return err
}

func errno(rec *sessions.Record) uint16 {
	if rec.Error == nil {
		return 0
	}
	return rec.Error.Code
}

// adminName is a command as slow logs call it: COM_STMT_RESET is Reset stmt.
func adminName(c mysqlwire.Command) string {
	words := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(c.String(), "COM_")), "_", " ")
	if words == "" {
		return "Unknown"
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func (l *slowLog) end() error { return l.w.Flush() }
