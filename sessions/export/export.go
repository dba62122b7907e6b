// Package export writes a session in the forms that other tools read: statements, log lines, tables, a database, a slow
// query log, another recording.
//
// Each format is an emitter, told of every exchange that passes the filter, in the order they began, with values masked
// where that was asked for. A form holds one exchange in memory, pcapng one of each connection.
package export

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/sessions"
	"mydbg/sessions/redact"
)

// Options say what is written. The zero value is everything as it is.
type Options struct {
	Filter *rule.Expr    // only exchanges for which it is true
	Redact *redact.Rules // what is masked; nil for nothing
	Rows   bool          // sqlite: the rows of results too
}

// Totals count an export.
type Totals struct {
	Written int // exchanges
	Left    int // by the filter
	// Problems are exchanges that could not be read or masked and were left out, the first few in words.
	Problems int
	Problem  []string
}

// maxProblems is how many problems are told in words.
const maxProblems = 10

// emitter writes one format.
type emitter interface {
	// exchange writes one. conn is its connection as it was at the end; what a session was at the time is in rec.
	exchange(rec *sessions.Record, conn *sessions.Conn) error
	// end writes what comes last.
	end() error
}

// Format is a form of export.
type Format struct {
	Name string
	What string // in a few words, for help
	// byConn is for formats that want connection after connection, not all of them by time.
	byConn bool
	// needs reports what the filter must not leave out; nil for nothing.
	needs func(*sessions.Record) bool
	// file is for formats that cannot be written to a stream: they make the file by themselves.
	file func(path string, r *sessions.Reader, o Options) (emitter, error)
	new  func(w io.Writer, r *sessions.Reader, o Options) (emitter, error)
}

// Formats are all there are.
var Formats = []Format{
	{Name: "sql", What: "statements that the mysql client runs, connection by connection", byConn: true, new: newSQL},
	{Name: "jsonl", What: "a JSON object a line, as --log json writes", new: newJSONL},
	{Name: "csv", What: "a table for spreadsheets, a line per exchange", new: newCSV},
	{Name: "pcapng", What: "a recording, of both legs where they are known: filtered, masked", needs: needed, new: newPcapng},
	{Name: "sqlite", What: "an SQLite database with tables connections, exchanges, params and rows", file: newSQLite},
	{Name: "slowlog", What: "a slow query log, for pt-query-digest and the like", new: newSlowLog},
	{Name: "text", What: "a line per exchange, as --log text writes", new: newText},
}

// Names are the names of the formats.
func Names() []string {
	var names []string
	for _, f := range Formats {
		names = append(names, f.Name)
	}
	return names
}

// To writes a session to a file, or to standard output where path is "" or "-". An existing file is not overwritten.
func To(name string, r *sessions.Reader, path string, o Options) (t Totals, err error) {
	i := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return t, fmt.Errorf("unknown format %q, known are %s", name, strings.Join(Names(), ", "))
	}
	f := Formats[i]
	if f.file != nil {
		if path == "" || path == "-" {
			return t, fmt.Errorf("%s cannot be written to standard output: name a file with --output FILE", name)
		}
		if _, err := os.Lstat(path); err == nil {
			return t, fmt.Errorf("%s exists already: remove it, or choose another name", path)
		}
		e, err := f.file(path, r, o)
		if err != nil {
			return t, err
		}
		return run(&f, e, r, r.Seqs(0), o)
	}
	if path == "" || path == "-" {
		return Write(name, r, os.Stdout, o)
	}
	w, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return t, fmt.Errorf("%s exists already: remove it, or choose another name", filepath.Clean(path))
	}
	if err != nil {
		return t, err
	}
	t, err = Write(name, r, w, o)
	return t, errors.Join(err, w.Close())
}

// Write writes a session to a stream.
func Write(name string, r *sessions.Reader, w io.Writer, o Options) (Totals, error) {
	i := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name })
	if i < 0 || Formats[i].new == nil {
		return Totals{}, fmt.Errorf("%q is no format for a stream", name)
	}
	e, err := Formats[i].new(w, r, o)
	if err != nil {
		return Totals{}, err
	}
	order := r.Seqs(0)
	if Formats[i].byConn {
		order = byConn(r)
	}
	return run(&Formats[i], e, r, order, o)
}

// byConn are all exchanges, connection after connection.
func byConn(r *sessions.Reader) iter.Seq[intercept.Seq] {
	return func(yield func(intercept.Seq) bool) {
		for _, c := range r.Conns() {
			for s := range r.Seqs(c.ID) {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// run tells an emitter of every exchange.
func run(f *Format, e emitter, r *sessions.Reader, order iter.Seq[intercept.Seq], o Options) (t Totals, err error) {
	conns := map[intercept.ConnID]*sessions.Conn{}
	for _, c := range r.Conns() {
		conns[c.ID] = &c
	}
	uses := o.Filter.Uses()
	for s := range order {
		rec, err := r.Record(s)
		if err != nil {
			t.problem(s, err)
			continue
		}
		conn := conns[rec.Conn]
		if conn == nil { // it cannot be: connections come before their exchanges
			conn = &sessions.Conn{}
		}
		info := infoAt(rec, conn)
		if ok, err := o.Filter.Eval(rec.Env(&info, &rec.Detail, uses)); err != nil {
			return t, errors.Join(err, e.end())
		} else if !ok && (f.needs == nil || !f.needs(rec)) {
			t.Left++
			continue
		}
		if o.Redact != nil {
			if rec, err = redacted(rec, o.Redact); err != nil {
				t.problem(s, err)
				continue
			}
		}
		if err := e.exchange(rec, conn); err != nil {
			return t, errors.Join(fmt.Errorf("exchange %d: %w", s, err), e.end())
		}
		t.Written++
	}
	err = e.end()
	if o.Redact != nil {
		err = errors.Join(err, o.Redact.Err())
	}
	return t, err
}

func (t *Totals) problem(s intercept.Seq, err error) {
	t.Problems++
	if len(t.Problem) < maxProblems {
		t.Problem = append(t.Problem, fmt.Sprintf("exchange %d: %v", s, err))
	}
}

// infoAt is a connection with who used it when an exchange began.
func infoAt(rec *sessions.Record, conn *sessions.Conn) intercept.ConnInfo {
	info := conn.ConnInfo
	info.User, info.DB = rec.User, rec.DB
	return info
}
