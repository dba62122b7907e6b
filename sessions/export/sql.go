package export

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/sessions"
)

// script is a text that the mysql client runs: what clients sent, connection by connection, executes with their
// parameters in place. One client cannot be several sessions at once, so what ran side by side runs one after the other.
// Statements that failed are comments, as they did nothing.
type script struct {
	w    *bufio.Writer
	conn intercept.ConnID
	db   string
}

func newSQL(w io.Writer, r *sessions.Reader, _ Options) (emitter, error) {
	s := &script{w: bufio.NewWriter(w)}
	_, err := fmt.Fprintf(s.w, "-- from %s, by mydbg\n", oneLine(r.Path()))
	return s, err
}

func (s *script) exchange(rec *sessions.Record, conn *sessions.Conn) error {
	if rec.Parent != 0 { // injected: no client sent it
		return nil
	}
	if rec.Conn != s.conn {
		s.conn, s.db = rec.Conn, ""
		if _, err := fmt.Fprintf(s.w, "\n-- connection %d: %s from %s\n", conn.ID, oneLine(conn.User), oneLine(conn.Client)); err != nil {
			return err
		}
	}
	var out string
	switch rec.Received.Kind {
	case mysqlwire.KindQuery, mysqlwire.KindStmtExecute:
		out = s.statement(rec)
	case mysqlwire.KindInitDB:
		out = s.use(string(rec.Received.Payload[min(1, len(rec.Received.Payload)):]))
	case mysqlwire.KindResetConnection, mysqlwire.KindChangeUser:
		out = fmt.Sprintf("-- %s: a new session begins here\n", rec.Command)
	}
	_, err := s.w.WriteString(out)
	return err
}

func (s *script) use(db string) string {
	if db == "" || db == s.db {
		return ""
	}
	s.db = db
	return "USE `" + strings.ReplaceAll(db, "`", "``") + "`;\n"
}

func (s *script) statement(rec *sessions.Record) string {
	sql := sqltext.Mask(bound(rec))
	if strings.TrimSpace(sql) == "" {
		return ""
	}
	if rec.Error != nil {
		return comment(fmt.Sprintf("error %d when it was recorded: %s\n%s", rec.Error.Code, rec.Error.Message, sql))
	}
	if rec.Marks&intercept.MarkPartial != 0 && rec.Statement == "" {
		return comment("a statement that is not whole in the recording")
	}
	var b strings.Builder
	b.WriteString(s.use(rec.DB))
	for _, piece := range sqltext.Split(sql) {
		b.WriteString(ended(piece))
	}
	if slices.Contains([]string{"USE"}, sqltext.Parse(sql).Verb) {
		s.db = "" // whatever it is now, the next record says
	}
	return b.String()
}

// ended is a statement with what ends it for the mysql client.
func ended(sql string) string {
	delimiter := ";"
	if strings.Contains(sql, ";") { // in a text, or in the body of a routine
		for delimiter = "$$"; strings.Contains(sql, delimiter); delimiter += "$" {
		}
	}
	if strings.Contains(sql, "--") || strings.Contains(sql, "#") { // it may end in a comment
		sql += "\n"
	}
	if delimiter == ";" {
		return sql + ";\n"
	}
	return "DELIMITER " + delimiter + "\n" + sql + delimiter + "\nDELIMITER ;\n"
}

func comment(text string) string {
	return "-- " + strings.ReplaceAll(strings.TrimRight(text, "\r\n"), "\n", "\n-- ") + "\n"
}

func oneLine(s string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(s) }

func (s *script) end() error { return s.w.Flush() }
