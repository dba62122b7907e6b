package export

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	_ "modernc.org/sqlite"

	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire/value"
	"mydbg/sessions"
)

// schema has times as text in UTC, which SQLite's date functions read, and durations in milliseconds. What is not known
// is NULL.
const schema = `
CREATE TABLE connections (
	id INTEGER PRIMARY KEY, client TEXT, backend TEXT, user TEXT, db TEXT, server TEXT, thread INTEGER, program TEXT,
	client_tls TEXT, server_tls TEXT, opened TEXT, closed TEXT, marks TEXT
);
CREATE TABLE exchanges (
	id INTEGER PRIMARY KEY, conn INTEGER NOT NULL REFERENCES connections (id), parent INTEGER REFERENCES exchanges (id),
	time TEXT NOT NULL, command TEXT NOT NULL, statement TEXT, digest TEXT, digest_text TEXT, verb TEXT, tables TEXT,
	user TEXT, db TEXT, rows INTEGER, affected INTEGER, last_insert_id INTEGER, warnings INTEGER,
	error_code INTEGER, error_sqlstate TEXT, error_message TEXT,
	ms REAL, held_ms REAL, bytes_in INTEGER, bytes_out INTEGER, decided_by TEXT, note TEXT
);
CREATE TABLE params (
	exchange INTEGER NOT NULL REFERENCES exchanges (id), position INTEGER NOT NULL, name TEXT, type TEXT, value,
	PRIMARY KEY (exchange, position)
) WITHOUT ROWID;
`

// cells is the table of Options.Rows: a line per cell.
const cells = `
CREATE TABLE rows (
	exchange INTEGER NOT NULL REFERENCES exchanges (id), result INTEGER NOT NULL, row INTEGER NOT NULL, position INTEGER NOT NULL,
	name TEXT, value, PRIMARY KEY (exchange, result, row, position)
) WITHOUT ROWID;
`

// indexes come last: that is quicker.
const indexes = `
CREATE INDEX exchanges_conn ON exchanges (conn);
CREATE INDEX exchanges_digest ON exchanges (digest);
`

// database is an SQLite file, written in one transaction.
type database struct {
	path              string
	db                *sql.DB
	tx                *sql.Tx
	exchanges, params *sql.Stmt
	rows              *sql.Stmt // nil without Options.Rows
}

func newSQLite(path string, r *sessions.Reader, o Options) (emitter, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // SQLite would let others read it
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	d := &database{path: path}
	if err := d.open(r, o); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *database) open(r *sessions.Reader, o Options) (err error) {
	if d.db, err = sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(d.path)+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)"); err != nil {
		return err
	}
	d.db.SetMaxOpenConns(1)
	if d.tx, err = d.db.Begin(); err != nil {
		return err
	}
	create := schema
	if o.Rows {
		create += cells
	}
	if _, err := d.tx.Exec(create); err != nil {
		return err
	}
	if d.exchanges, err = d.tx.Prepare("INSERT INTO exchanges VALUES (" + markers(25) + ")"); err != nil {
		return err
	}
	if d.params, err = d.tx.Prepare("INSERT INTO params VALUES (" + markers(5) + ")"); err != nil {
		return err
	}
	if o.Rows {
		if d.rows, err = d.tx.Prepare("INSERT INTO rows VALUES (" + markers(6) + ")"); err != nil {
			return err
		}
	}
	for _, c := range r.Conns() {
		if _, err := d.tx.Exec("INSERT INTO connections VALUES ("+markers(13)+")",
			c.ID, text(c.Client), text(c.Backend), text(c.User), text(c.DB), text(c.Server), c.Thread, text(c.Program()),
			text(c.ClientTLS), text(c.ServerTLS), at(c.Opened), at(c.Closed), text(c.Marks.String())); err != nil {
			return err
		}
	}
	return nil
}

func markers(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// text is NULL for what is empty: not known.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// at is a moment as SQLite's functions read it.
func at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02 15:04:05.000000")
}

func (d *database) exchange(rec *sessions.Record, _ *sessions.Conn) error {
	var digest, form, parent, code, state, message any
	if rec.Statement != "" {
		digest, form = rec.Digest()
	}
	if rec.Parent != 0 {
		parent = rec.Parent
	}
	if e := rec.Error; e != nil {
		code, state, message = e.Code, e.SQLState, e.Message
	}
	meaning := sqltext.Parse(rec.Statement)
	milliseconds := func(t time.Duration) float64 { return float64(t.Microseconds()) / 1000 }
	if _, err := d.exchanges.Exec(rec.Seq, rec.Conn, parent, at(rec.Begun), rec.Command.Short(), text(sqltext.Mask(rec.Statement)), digest, form,
		text(meaning.Verb), text(strings.Join(meaning.Tables, " ")), text(rec.User), text(rec.DB),
		rec.Rows, rec.Affected, big(rec.LastInsertID), rec.Warnings, code, state, message,
		milliseconds(rec.Took()), milliseconds(rec.HeldFor), rec.BytesIn, rec.BytesOut, text(rec.By), text(rec.Note)); err != nil {
		return err
	}
	if err := d.parameters(rec); err != nil {
		return err
	}
	if d.rows == nil {
		return nil
	}
	return d.cells(rec)
}

func (d *database) parameters(rec *sessions.Record) error {
	x := execute(rec)
	if x == nil {
		return nil
	}
	for i := range x.Params {
		p := &x.Params[i]
		v, err := p.Value()
		if err != nil {
			v = p.Raw
		}
		if _, err := d.params.Exec(rec.Seq, i, text(p.Name), p.Type.String(), plain(v, rec.Context.ParamSpec(p.Type, p.Unsigned))); err != nil {
			return fmt.Errorf("parameter %d: %w", i, err)
		}
	}
	return nil
}

func (d *database) cells(rec *sessions.Record) error {
	results, err := rec.Results()
	if err != nil && len(results) == 0 {
		return nil // what cannot be decoded has no cells
	}
	for n := range results {
		r := &results[n]
		for i := range r.Rows.Len() {
			row, err := r.Rows.Row(i)
			if err != nil {
				continue
			}
			for k := range min(row.Len(), len(r.Columns)) {
				v, err := row.Value(k)
				if err != nil {
					v = row.Bytes(k)
				}
				if _, err := d.rows.Exec(rec.Seq, n, i, k, rec.Context.ResultText(r.Columns[k].Name), plain(v, rec.Context.Spec(&r.Columns[k]))); err != nil {
					return fmt.Errorf("result %d, row %d: %w", n, i, err)
				}
			}
		}
	}
	return nil
}

// plain is a value in one of SQLite's types: what is no number is text, or a blob where it is no text.
func plain(v value.Value, s value.Spec) any {
	switch v := v.(type) {
	case nil, int64, float64:
		return v
	case uint64:
		return big(v)
	case float32:
		return float64(v)
	case []byte:
		text := v
		if s.Charset != nil {
			text = []byte(value.DecodeText(s.Charset, v))
		}
		if s, isText := printable(text); isText {
			return s
		}
		return v
	}
	return value.Text(v, s.Type, value.NoDecimals)
}

// big is a number that SQLite may have no integer for.
func big(n uint64) any {
	if n > 1<<63-1 {
		return fmt.Sprint(n)
	}
	return int64(n)
}

func (d *database) end() error {
	_, err := d.tx.Exec(indexes)
	if err == nil {
		err = d.tx.Commit()
		d.tx = nil
	}
	return errors.Join(err, d.close())
}

// close leaves no half a database behind.
func (d *database) close() error {
	var errs []error
	if d.tx != nil {
		errs = append(errs, d.tx.Rollback(), os.Remove(d.path))
	}
	if d.db != nil {
		errs = append(errs, d.db.Close())
	}
	return errors.Join(errs...)
}
