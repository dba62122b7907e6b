package sqltext

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

type digest struct{ hash, text string }

var digests = newMemo[digest](4 << 20)

// Digest is the statement's form: text as MySQL's STATEMENT_DIGEST_TEXT() gives it, with literals
// replaced by ?, lists by (...), names in backquotes, keywords in upper case and comments gone;
// and its hash, SHA-256 in hexadecimal, of which the first six digits make a short name. Unlike
// MySQL's, it is not cut at a length, and ? markers count as values everywhere. The hash is not
// MySQL's, which depends on the server's version.
func Digest(sql string) (hash, text string) {
	d := digests.get(sql, func(sql string) digest {
		text := digestText(sql)
		sum := sha256.Sum256([]byte(text))
		return digest{hex.EncodeToString(sum[:]), text}
	})
	return d.hash, d.text
}

// digestKind tells tokens of a digest apart by how they combine.
type digestKind uint8

const (
	dWord    digestKind = iota // keyword or operator
	dName                      // identifier
	dValue                     // ?
	dList                      // ?, ...
	dRow                       // (?)
	dRows                      // (?) /* , ... */
	dMulti                     // (...)
	dMultis                    // (...) /* , ... */
	dNothing                   // before the first
)

type digestToken struct {
	kind digestKind
	text string
}

// digester replaces literals while it goes, as MySQL's lexer does: every rule looks at the last
// two tokens only.
type digester struct {
	in   []token // significant tokens and hints
	i    int
	out  []digestToken
	ddl  bool
	sort sorting
	raw  bool // inside an optimizer hint
}

// sorting follows ORDER BY and GROUP BY, whose plain numbers are columns and no literals.
type sorting struct {
	depth int
	open  []int // depths at which a list of columns is going on
}

func digestText(sql string) string {
	d := digester{in: digestTokens(lex(sql))}
	for len(d.in) > 0 && d.in[len(d.in)-1].text == ";" {
		d.in = d.in[:len(d.in)-1]
	}
	if len(d.in) > 0 {
		first := d.in[0].upper()
		d.ddl = first == "CREATE" || first == "ALTER"
	}
	for ; d.i < len(d.in); d.i++ {
		d.token(d.in[d.i])
	}
	return d.text()
}

// digestTokens keeps what a digest shows, with the insides of optimizer hints as tokens of their own.
func digestTokens(toks []token) []token {
	out := make([]token, 0, len(toks))
	for _, t := range toks {
		switch t.kind {
		case space, comment, execOpen, execClose:
		case hint:
			body, closed := strings.CutSuffix(t.text[3:], "*/")
			if !closed {
				continue
			}
			out = append(out, token{hint, "/*+", t.pos})
			for _, in := range lex(body) {
				if in.kind != space && in.kind != comment {
					in.pos += t.pos + 3
					out = append(out, in)
				}
			}
			out = append(out, token{hint, "*/", t.pos + len(t.text) - 2})
		default:
			out = append(out, t)
		}
	}
	return out
}

func (d *digester) next() token {
	if d.i+1 < len(d.in) {
		return d.in[d.i+1]
	}
	return token{}
}

// touches reports whether the next token stands at the end of t and is text.
func (d *digester) touches(t token, text string) bool {
	n := d.next()
	return n.text == text && n.pos == t.pos+len(t.text)
}

func (d *digester) last(n int) digestToken {
	if n > len(d.out) {
		return digestToken{kind: dNothing}
	}
	return d.out[len(d.out)-n]
}

func (d *digester) push(k digestKind, text string) { d.out = append(d.out, digestToken{k, text}) }

func (d *digester) pop(n int) { d.out = d.out[:len(d.out)-n] }

func (d *digester) token(t token) {
	switch t.kind {
	case hint:
		d.raw = t.text == "/*+"
		d.push(dWord, t.text)
	case str, number, param:
		if t.kind == number && d.columnNumber(t) {
			d.push(dWord, t.text)
			return
		}
		d.dropSign()
		d.value()
	case quotedID:
		d.push(dName, "`"+unquote(t.text)+"`")
	case word:
		d.word(t)
	case op:
		d.operator(t)
	}
}

func (d *digester) operator(t token) {
	switch t.text {
	case "(":
		d.sort.depth++
	case ")":
		d.sort.leave()
		d.closing()
		return
	case "<>":
		t.text = "!="
	}
	d.push(dWord, t.text)
}

// dropSign takes back the minus or plus of the literal that comes.
func (d *digester) dropSign() {
	for l := d.last(1); l.kind == dWord && (l.text == "-" || l.text == "+") && startsExpr(d.last(2)); l = d.last(1) {
		d.pop(1)
	}
}

// value adds a literal, to a list of them if there is one.
func (d *digester) value() {
	if prev := d.last(2); d.last(1).text == "," && d.last(1).kind == dWord && (prev.kind == dValue || prev.kind == dList) {
		d.pop(2)
		d.push(dList, "?, ...")
		return
	}
	d.push(dValue, "?")
}

// startsExpr reports whether an expression may follow t, so that a minus there is a sign.
func startsExpr(t digestToken) bool {
	if t.kind != dWord {
		return false
	}
	switch t.text {
	case ")", "END", "TRUE", "FALSE", "DEFAULT", "NULL", "BY", "*/":
		return false
	}
	return true
}

// closing adds a closing parenthesis, or folds what it closes: (?), (...), IN (...), and rows of
// them.
func (d *digester) closing() {
	inner := d.last(1)
	if (inner.kind != dValue && inner.kind != dList) || d.last(2).text != "(" || d.last(2).kind != dWord {
		d.push(dWord, ")")
		return
	}
	d.pop(2)
	one, many, text := dRow, dRows, "(?)"
	if inner.kind == dList {
		one, many, text = dMulti, dMultis, "(...)"
	}
	prev := d.last(2)
	switch {
	case d.last(1).kind == dWord && d.last(1).text == "IN":
		d.push(dMulti, "(...)")
	case d.last(1).kind == dWord && d.last(1).text == "," && (prev.kind == one || prev.kind == many):
		d.pop(2)
		d.push(many, text+" /* , ... */")
	default:
		d.push(one, text)
	}
}

func (d *digester) word(t token) {
	up := t.upper()
	switch {
	case d.last(1).kind == dWord && d.last(1).text == "@" && d.in[d.i-1].pos+1 == t.pos:
		if d.raw {
			d.push(dName, "`"+t.text+"`")
			return
		}
		d.value() // @a
	case d.last(1).kind == dWord && d.last(1).text == ".":
		d.push(dName, "`"+t.text+"`")
	case d.touches(t, ".") && d.last(1).text != "@@":
		d.push(dName, "`"+t.text+"`")
	case d.raw:
		if d.next().text == "(" && hintWords[up] {
			d.push(dWord, up)
		} else if up[0] >= '0' && up[0] <= '9' {
			d.value() // 16M
		} else {
			d.push(dName, "`"+t.text+"`")
		}
	case t.text[0] == '_' && (d.next().kind == str || d.next().kind == number):
		d.push(dWord, "(_charset)")
	case up == "NULL" && !d.nullKeyword():
		d.value()
	case keywords[up] || functionWords[up] && d.touches(t, "("):
		if s, ok := synonyms[up]; ok {
			up = s
		}
		d.sort.keyword(up, d.last(1))
		d.push(dWord, up)
	default:
		d.push(dName, "`"+t.text+"`")
	}
}

// nullKeyword tells IS NULL and the NULL of column definitions from the literal.
func (d *digester) nullKeyword() bool {
	l, l2 := d.last(1), d.last(2)
	if l.kind != dWord {
		return d.ddl
	}
	switch l.text {
	case "IS":
		return true
	case "NOT":
		return l2.text == "IS" || d.ddl
	case "SET":
		return l2.text == "DELETE" || l2.text == "UPDATE"
	case "DEFAULT", "(", ",", "=", "THEN", "ELSE", "WHEN", "SELECT", "RETURN", "AND", "OR", "IN":
		return false
	}
	return d.ddl
}

// keyword keeps the clauses up to date.
func (s *sorting) keyword(w string, before digestToken) {
	switch w {
	case "BY":
		if before.text == "ORDER" || before.text == "GROUP" {
			s.open = append(s.open, s.depth)
		}
	case "LIMIT", "HAVING", "FOR", "ROWS", "RANGE", "SEPARATOR", "UNION", "INTO", "LOCK", "WINDOW", "ORDER", "EXCEPT", "INTERSECT", "SELECT":
		if s.active() {
			s.open = s.open[:len(s.open)-1]
		}
	}
}

func (s *sorting) leave() {
	for s.active() {
		s.open = s.open[:len(s.open)-1]
	}
	s.depth--
}

func (s *sorting) active() bool { return len(s.open) > 0 && s.open[len(s.open)-1] == s.depth }

// columnNumber reports whether t is the 2 of ORDER BY 2.
func (d *digester) columnNumber(t token) bool {
	if !d.sort.active() || strings.Trim(t.text, "0123456789") != "" {
		return false
	}
	if l := d.last(1); l.kind != dWord || l.text != "BY" && l.text != "," {
		return false
	}
	switch n := d.next(); n.upper() {
	case "", ",", ")", ";", "ASC", "DESC", "WITH", "LIMIT", "HAVING", "FOR", "ROWS", "RANGE", "SEPARATOR", "UNION", "INTO", "LOCK", "WINDOW",
		"ORDER", "EXCEPT", "INTERSECT":
		return n.kind == op || n.kind == word || n.text == ""
	}
	return false
}

func (d *digester) text() string {
	var b strings.Builder
	for i, t := range d.out {
		if i > 0 {
			if before := d.out[i-1]; before.kind != dWord || before.text != "@" && before.text != "@@" {
				b.WriteByte(' ')
			}
		}
		b.WriteString(t.text)
	}
	return b.String()
}
