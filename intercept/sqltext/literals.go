package sqltext

import "strings"

// Literal is a value written in a statement, or the ? marker that stands for one.
type Literal struct {
	Pos, End int    // the bytes sql[Pos:End], quotes included
	Text     string // the value: a string without quotes and escapes
	Quoted   bool   // a string
	Marker   bool   // a ? that an execute has the value of
	// Columns are the names beside the value: the column that it is compared with, assigned or inserted into is one of
	// them. Words of SQL may be others.
	Columns []string
	Bound   bool // not a value of any column: a number after LIMIT, ORDER BY, GROUP BY
}

// Literals finds the strings, numbers and markers of a statement and the names that they may belong to. It goes by tokens and
// errs towards too many names; a value without any may belong to any column.
func Literals(sql string) []Literal {
	var out []Literal
	for _, stmt := range statements(significant(lex(sql))) {
		f := literalFinder{toks: stmt}
		f.find()
		out = append(out, f.found...)
	}
	return out
}

// literalFinder cuts a statement into conditions, assignments and values: pieces in which names and values belong
// together.
type literalFinder struct {
	toks  []token
	found []Literal

	depth  int      // of parentheses
	piece  int      // where the current one began
	base   int      // the depth there
	insert []string // the columns of an INSERT
	values bool     // within its VALUES
	item   int      // of a row of these
	bound  bool     // after LIMIT and the like
	span   bool     // after BETWEEN, until its AND
}

func (f *literalFinder) at(i int) token {
	if i >= 0 && i < len(f.toks) {
		return f.toks[i]
	}
	return token{}
}

func (f *literalFinder) find() {
	for i, t := range f.toks {
		switch {
		case t.text == "(":
			f.depth++
			if f.values && f.depth == 1 {
				f.cut(i)
				f.item = 0
			}
		case t.text == ")":
			f.depth--
			if f.depth < f.base {
				f.cut(i)
			}
		case t.text == "," && f.values && f.depth == 1:
			f.cut(i)
			f.item++
		case t.text == "," && f.depth <= f.base:
			f.cut(i)
		case t.kind == word:
			f.word(i)
		}
	}
	f.cut(len(f.toks))
}

// word knows the words between which names and values do not belong together.
func (f *literalFinder) word(i int) {
	switch f.toks[i].upper() {
	case "BETWEEN":
		f.span = true
	case "AND":
		if f.span {
			f.span = false
			return
		}
		f.cut(i)
	case "VALUES", "VALUE":
		if f.at(i+1).text == "(" && f.depth == 0 {
			f.cut(i)
			f.values, f.insert = true, f.columnsBefore(i)
		}
	case "LIMIT", "OFFSET", "ORDER", "GROUP":
		f.cut(i)
		f.bound = true
	case "ON", "UPDATE": // DUPLICATE KEY UPDATE
		f.cut(i)
		f.values, f.bound = false, false
	case "SELECT", "FROM", "WHERE", "HAVING", "SET", "OR", "XOR", "WHEN", "THEN", "ELSE", "END", "JOIN", "UNION", "INTO", "RETURNING":
		f.cut(i)
		f.bound = false
	}
}

// cut ends a piece before token i and gives its literals its names.
func (f *literalFinder) cut(i int) {
	var names []string
	if f.values && f.item < len(f.insert) {
		names = []string{f.insert[f.item]}
	}
	for k := f.piece; k < i; k++ {
		if t := f.toks[k]; (t.kind == word || t.kind == quotedID) && f.at(k+1).text != "(" && f.at(k+1).text != "." {
			names = append(names, plainName(t))
		}
	}
	for k := f.piece; k < i; k++ {
		t := f.toks[k]
		if t.kind != str && t.kind != number && t.kind != param {
			continue
		}
		l := Literal{Pos: t.pos, End: t.pos + len(t.text), Text: t.text, Quoted: t.kind == str, Marker: t.kind == param, Bound: f.bound, Columns: names}
		if l.Quoted {
			l.Text = unescape(t.text)
		}
		f.found = append(f.found, l)
	}
	f.piece, f.base = i+1, max(f.depth, 0)
	f.span = false
}

// columnsBefore is the list of columns before VALUES, or nil.
func (f *literalFinder) columnsBefore(i int) []string {
	if f.at(i-1).text != ")" {
		return nil
	}
	from := i - 2
	for from > 0 && f.at(from).text != "(" {
		from--
	}
	var names []string
	for _, t := range f.toks[from+1 : i-1] {
		if t.kind == word || t.kind == quotedID {
			names = append(names, plainName(t))
		}
	}
	return names
}

var escapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '0': "\x00", 'b': "\b", 'Z': "\x1a", '%': `\%`, '_': `\_`}

// unescape is a quoted string's value, as under MySQL's usual SQL mode.
func unescape(s string) string {
	s = strings.TrimLeft(s, "nN")
	q := s[0]
	s = s[1:]
	if s != "" && s[len(s)-1] == q {
		s = s[:len(s)-1]
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == q && i+1 < len(s) && s[i+1] == q:
			i++
			b.WriteByte(q)
		case c == '\\' && i+1 < len(s):
			i++
			if e, ok := escapes[s[i]]; ok {
				b.WriteString(e)
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
