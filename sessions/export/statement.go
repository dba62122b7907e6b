package export

import (
	"bytes"
	"unicode/utf8"

	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/sessions"
)

// execute is the command of a record with its parameters, or nil.
func execute(rec *sessions.Record) *mysqlwire.StmtExecute {
	if rec.Received.Kind != mysqlwire.KindStmtExecute {
		return nil
	}
	m, err := rec.Message()
	if err != nil {
		return nil
	}
	x, _ := m.(*mysqlwire.StmtExecute)
	return x
}

// literals are the parameters of an execute as literals of SQL, without query attributes. One that was sent in pieces
// is the comment /* long data */ NULL: its bytes are in exchanges of their own.
func literals(rec *sessions.Record) []string {
	x := execute(rec)
	if x == nil {
		return nil
	}
	var out []string
	for i := range x.Params {
		p := &x.Params[i]
		if p.Name != "" {
			continue
		}
		v, err := p.Value()
		switch {
		case p.Long:
			out = append(out, "/* long data */ NULL")
		case err != nil:
			out = append(out, "NULL")
		default:
			spec := rec.Context.ParamSpec(p.Type, p.Unsigned)
			spec.Binary = false // text is sent as BLOB too
			out = append(out, spec.Literal(v))
		}
	}
	return out
}

// bound is the statement of a record with its parameters in place.
func bound(rec *sessions.Record) string {
	return sqltext.Bind(rec.Statement, literals(rec))
}

// printable reports whether bytes are a text, and is that text.
func printable(b []byte) (string, bool) {
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return "", false
	}
	return string(b), true
}
