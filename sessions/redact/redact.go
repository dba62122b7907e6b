// Package redact masks values of a session that is to be given away: cells of results, parameters of executes, literals
// in statements.
//
// Which, an expression says, asked of each column: `column in ["email", "name"] or table == "cards"`. A value is masked
// the same wherever it stands, so what belonged together still does; and it keeps its form, so that it still fits its
// column: a number becomes a number, a date a date, a text a text that is no longer. Small numbers have few others of
// their form, so they are hidden least. NULL and the empty text stay.
//
// Without a key of the caller's, one is drawn by lot: masks of two exports do not match then, and cannot be
// found again by trying values.
package redact

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// Rules say what is masked, and how. They may be used by one goroutine at a time.
type Rules struct {
	program *vm.Program
	key     []byte
	asked   map[subject]bool
	err     error // of the first column the expression failed on
}

// subject is what the expression is asked about. All of it is in lower case, as names of columns do not tell cases
// apart.
type subject struct {
	Column string `expr:"column"` // of the table; what the result calls it where there is no table
	Table  string `expr:"table"`
	DB     string `expr:"db"`
	Type   string `expr:"type"` // "varchar", "bigint unsigned"; "" of a literal
}

// Compile reads an expression over column, table, db and type.
func Compile(src string, key []byte) (*Rules, error) {
	p, err := expr.Compile(src, expr.Env(subject{}), expr.AsBool())
	if err != nil {
		return nil, fmt.Errorf("what to redact: %w\nknown are column, table, db and type, all in lower case; try: column in [\"email\", \"phone\"]", err)
	}
	if len(key) == 0 {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails
	}
	return &Rules{program: p, key: key, asked: map[subject]bool{}}, nil
}

// Err is an error of the expression at run time. What it was asked about was masked.
func (r *Rules) Err() error { return r.err }

func (r *Rules) ask(s subject) bool {
	if masked, ok := r.asked[s]; ok {
		return masked
	}
	out, err := expr.Run(r.program, s)
	masked, isBool := out.(bool)
	if err != nil || !isBool {
		masked = true // rather too much than too little
		if r.err == nil {
			r.err = fmt.Errorf("what to redact, asked about column %q of table %q: %w", s.Column, s.Table, err)
		}
	}
	r.asked[s] = masked
	return masked
}

// Column reports whether the values of a column are masked. Its own name counts and that of its table's column, as do
// the table's alias and name.
func (r *Rules) Column(c *mysqlwire.Column) bool {
	for _, name := range []string{c.OrgName, c.Name} {
		for _, table := range []string{c.OrgTable, c.Table} {
			if name != "" && r.ask(subject{Column: strings.ToLower(name), Table: strings.ToLower(table), DB: strings.ToLower(c.Schema), Type: strings.ToLower(c.TypeName())}) {
				return true
			}
		}
	}
	return false
}

// literals reports for each literal of a statement whether it is masked.
func (r *Rules) literals(sql, db string) ([]sqltext.Literal, []bool) {
	found := sqltext.Literals(sql)
	tables := sqltext.Parse(sql).Tables
	if len(tables) == 0 {
		tables = []string{""}
	}
	named := map[string]bool{}
	masks := func(column string) bool {
		if m, ok := named[column]; ok {
			return m
		}
		m := slices.ContainsFunc(tables, func(t string) bool {
			schema, table, qualified := strings.Cut(strings.ToLower(t), ".")
			if !qualified {
				schema, table = strings.ToLower(db), schema
			}
			return r.ask(subject{Column: strings.ToLower(column), Table: table, DB: schema})
		})
		named[column] = m
		return m
	}
	masked := make([]bool, len(found))
	some := slices.ContainsFunc(found, func(l sqltext.Literal) bool { return slices.ContainsFunc(l.Columns, masks) })
	for i, l := range found {
		switch {
		case l.Bound:
		case len(l.Columns) > 0:
			masked[i] = slices.ContainsFunc(l.Columns, masks)
		default: // it may be of any column: INSERT without a list, an argument
			masked[i] = masks("") || some && (l.Quoted || l.Marker) || sqltext.Parse(sql).Verb == "INSERT"
		}
	}
	return found, masked
}

// Statement masks the literals of a statement that are compared with masked columns, or may be.
func (r *Rules) Statement(sql, db string) string {
	found, masked := r.literals(sql, db)
	var b strings.Builder
	done := 0
	for i, l := range found {
		if !masked[i] || l.Marker {
			continue
		}
		b.WriteString(sql[done:l.Pos])
		if text := r.Mask(l.Text); l.Quoted {
			b.WriteString(value.Literal([]byte(text), value.VarString))
		} else {
			b.WriteString(text)
		}
		done = l.End
	}
	if done == 0 {
		return sql
	}
	return b.String() + sql[done:]
}

// Masked are the texts of a statement's literals that are masked.
func (r *Rules) Masked(sql, db string) []string {
	var texts []string
	found, masked := r.literals(sql, db)
	for i, l := range found {
		if masked[i] && !l.Marker && l.Text != "" {
			texts = append(texts, l.Text)
		}
	}
	return texts
}

// Params reports which of a statement's ? markers stand for masked values.
func (r *Rules) Params(sql, db string) []bool {
	found, masked := r.literals(sql, db)
	var markers []bool
	for i, l := range found {
		if l.Marker {
			markers = append(markers, masked[i])
		}
	}
	return markers
}

// Execute masks the parameters of an execute whose statement is sql.
func (r *Rules) Execute(m *mysqlwire.StmtExecute, sql, db string) (*mysqlwire.StmtExecute, error) {
	masked := r.Params(sql, db)
	out := *m
	out.Params = slices.Clone(m.Params)
	n := 0
	for i := range out.Params {
		p := &out.Params[i]
		if p.Name != "" { // an attribute
			continue
		}
		mask := n < len(masked) && masked[n]
		n++
		if !mask || p.Null || p.Long {
			continue
		}
		v, err := p.Value()
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i, err)
		}
		spec := value.Spec{Type: p.Type, Decimals: value.NoDecimals}
		if p.Unsigned {
			spec.Flags = value.FlagUnsigned
		}
		if v, err = r.value(v, spec); err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i, err)
		}
		if err := p.Set(v); err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i, err)
		}
	}
	return &out, nil
}

// Answer masks the cells of an answer.
func (r *Rules) Answer(a *mysqlwire.Answer, cx *mysqlwire.Context) (*mysqlwire.Answer, error) {
	results, err := a.Results(cx)
	if err != nil {
		return nil, err
	}
	for n := range results {
		var columns []int
		for k := range results[n].Columns {
			if r.Column(&results[n].Columns[k]) {
				columns = append(columns, k)
			}
		}
		if len(columns) == 0 || !results[n].HasRows() {
			continue
		}
		e, err := a.EditResult(cx, n)
		if err != nil {
			return nil, err
		}
		for i := range e.Len() {
			if err := r.row(e, i, columns); err != nil {
				return nil, err
			}
		}
		if a, err = e.Answer(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (r *Rules) row(e *mysqlwire.ResultEdit, i int, columns []int) error {
	row, err := e.Row(i)
	if err != nil {
		return err
	}
	for _, k := range columns {
		if row.Null(k) {
			continue
		}
		c := &e.Columns()[k]
		v, err := row.Value(k)
		if err == nil {
			v, err = r.value(v, c.Spec())
		}
		if err == nil {
			err = e.Set(i, k, v)
		}
		if err != nil { // no mask of this form: nothing is better than the value
			if err = e.Set(i, k, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// value is the mask of v, of the same type.
func (r *Rules) value(v value.Value, s value.Spec) (value.Value, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []byte:
		return []byte(r.Mask(string(v))), nil
	}
	return s.Parse(r.Mask(value.Text(v, s.Type, s.Decimals)))
}

// digest is what masks are made of: as many bytes as are asked for.
func (r *Rules) digest(text string) *stream {
	h := hmac.New(sha256.New, r.key)
	h.Write([]byte(text))
	return &stream{seed: h.Sum(nil)}
}
