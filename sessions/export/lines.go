package export

import (
	"bufio"
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"mydbg/intercept/eventlog"
	"mydbg/intercept/sqltext"
	"mydbg/sessions"
)

// lines is a format of a line per exchange.
type lines struct {
	w    *bufio.Writer
	line func(rec *sessions.Record, conn *sessions.Conn) string
}

func newJSONL(w io.Writer, _ *sessions.Reader, _ Options) (emitter, error) {
	return &lines{bufio.NewWriter(w), func(rec *sessions.Record, conn *sessions.Conn) string {
		info := infoAt(rec, conn)
		return eventlog.JSON(&rec.Detail, &info)
	}}, nil
}

func newText(w io.Writer, _ *sessions.Reader, _ Options) (emitter, error) {
	return &lines{bufio.NewWriter(w), func(rec *sessions.Record, conn *sessions.Conn) string {
		info := infoAt(rec, conn)
		return eventlog.Text(&rec.Detail, &info)
	}}, nil
}

func (l *lines) exchange(rec *sessions.Record, conn *sessions.Conn) error {
	if _, err := l.w.WriteString(l.line(rec, conn)); err != nil {
		return err
	}
	return l.w.WriteByte('\n')
}

func (l *lines) end() error { return l.w.Flush() }

// table is comma-separated values as RFC 4180 has them.
type table struct{ w *csv.Writer }

var csvHeader = []string{
	"time", "conn", "exchange", "cmd", "user", "db", "client", "verb", "tables", "sql", "params", "digest", "rows", "affected", "last_insert_id", "warnings",
	"error_code", "error_sqlstate", "error_message", "ms", "held_ms", "bytes_in", "bytes_out",
}

func newCSV(w io.Writer, _ *sessions.Reader, _ Options) (emitter, error) {
	t := table{csv.NewWriter(w)}
	return &t, t.w.Write(csvHeader)
}

func (t *table) exchange(rec *sessions.Record, conn *sessions.Conn) error {
	digest := ""
	if rec.Statement != "" {
		digest, _ = rec.Digest()
	}
	meaning := sqltext.Parse(rec.Statement)
	code, state, message := "", "", ""
	if e := rec.Error; e != nil {
		code, state, message = strconv.Itoa(int(e.Code)), e.SQLState, e.Message
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	return t.w.Write([]string{
		rec.Begun.UTC().Format("2006-01-02T15:04:05.000000Z07:00"), number(uint64(rec.Conn)), number(uint64(rec.Seq)), rec.Command.Short(), rec.User, rec.DB, conn.Client,
		meaning.Verb, strings.Join(meaning.Tables, " "), sqltext.Mask(rec.Statement), strings.Join(literals(rec), ", "), digest,
		number(rec.Rows), number(rec.Affected), number(rec.LastInsertID), strconv.Itoa(int(rec.Warnings)), code, state, message,
		strconv.FormatFloat(float64(rec.Took().Microseconds())/1000, 'f', -1, 64), strconv.FormatFloat(float64(rec.HeldFor.Microseconds())/1000, 'f', -1, 64),
		number(rec.BytesIn), number(rec.BytesOut),
	})
}

func (t *table) end() error {
	t.w.Flush()
	return t.w.Error()
}
