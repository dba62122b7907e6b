package sqltext

import (
	"strings"
	"unicode/utf8"
)

type kind uint8

const (
	space     kind = iota
	comment        // /* */, --, #, and executable comments no server runs
	hint           // /*+ */
	execOpen       // /*! or /*!50000, whose inside is code
	execClose      // */
	word           // keyword or plain identifier
	quotedID       // `name`
	str            // 'text' "text" N'text'
	number         // 1 1.5 1e5 0x1f x'1f' b'1'
	param          // ?
	op             // everything else
)

// A token is a piece of a statement; all of them together are the text.
type token struct {
	kind kind
	text string
	pos  int
}

func (t token) upper() string {
	if t.kind != word {
		return t.text
	}
	return strings.ToUpper(t.text)
}

// is reports whether t is the keyword, given in upper case.
func (t token) is(keyword string) bool {
	return t.kind == word && len(t.text) == len(keyword) && strings.EqualFold(t.text, keyword)
}

// newestVersion is the highest version whose executable comments count as code: they name the
// server that is to run them, and only tricks name one that will never be.
const newestVersion = 99_999

// lexer reads tokens as MySQL does under its usual SQL mode: backslash escapes, "text" is a string.
type lexer struct {
	src    string
	pos    int
	inExec bool
}

// lex splits a statement into tokens. Nothing is lost: their texts joined are sql.
func lex(sql string) []token {
	l := lexer{src: sql}
	toks := make([]token, 0, len(sql)/4+4)
	for l.pos < len(sql) {
		start := l.pos
		k := l.next()
		toks = append(toks, token{k, sql[start:l.pos], start})
	}
	return toks
}

func (l *lexer) peek(n int) byte {
	if l.pos+n < len(l.src) {
		return l.src[l.pos+n]
	}
	return 0
}

func (l *lexer) has(s string) bool { return strings.HasPrefix(l.src[l.pos:], s) }

func (l *lexer) next() kind {
	c := l.src[l.pos]
	switch {
	case isSpace(c):
		for l.pos < len(l.src) && isSpace(l.src[l.pos]) {
			l.pos++
		}
		return space
	case c == '#', c == '-' && l.peek(1) == '-' && (l.pos+2 == len(l.src) || l.peek(2) <= ' '):
		return l.until("\n", comment)
	case c == '/' && l.peek(1) == '*':
		return l.comment()
	case c == '*' && l.peek(1) == '/' && l.inExec:
		l.pos += 2
		l.inExec = false
		return execClose
	case c == '\'' || c == '"':
		l.quoted(c, true)
		return str
	case c == '`':
		l.quoted(c, false)
		return quotedID
	case (c|0x20 == 'n') && l.peek(1) == '\'':
		l.pos++
		l.quoted('\'', true)
		return str
	case (c|0x20 == 'x' || c|0x20 == 'b') && l.peek(1) == '\'':
		l.pos++
		l.quoted('\'', false)
		return number
	case isDigit(c), c == '.' && isDigit(l.peek(1)) && !l.afterName():
		return l.number()
	case isWord(c):
		l.word()
		return word
	case c == '?':
		l.pos++
		return param
	}
	l.operator()
	return op
}

// until moves behind the next occurrence of end, or to the end.
func (l *lexer) until(end string, k kind) kind {
	i := strings.Index(l.src[l.pos:], end)
	if i < 0 {
		l.pos = len(l.src)
	} else {
		l.pos += i + len(end)
	}
	return k
}

func (l *lexer) comment() kind {
	switch {
	case l.has("/*+"):
		l.pos += 3
		return l.until("*/", hint)
	case l.has("/*!") && !l.inExec && strings.Contains(l.src[l.pos:], "*/"):
		n, version := 3, 0
		for isDigit(l.peek(n)) && n < 3+6 {
			version = version*10 + int(l.peek(n)-'0')
			n++
		}
		if version < newestVersion || n == 3+6 { // six digits are 10.0 and later
			l.pos += n
			l.inExec = true
			return execOpen
		}
	}
	l.pos += 2
	return l.until("*/", comment)
}

func (l *lexer) quoted(quote byte, escapes bool) {
	l.pos++
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		l.pos++
		switch {
		case c == '\\' && escapes && l.pos < len(l.src):
			l.pos++
		case c == quote && l.pos < len(l.src) && l.src[l.pos] == quote:
			l.pos++
		case c == quote:
			return
		}
	}
}

// afterName reports whether the text before touches and is a name, so that a dot separates.
func (l *lexer) afterName() bool {
	return l.pos > 0 && (isWord(l.src[l.pos-1]) || l.src[l.pos-1] == '`')
}

// number reads a number, or a name that begins with digits.
func (l *lexer) number() kind {
	start := l.pos
	if l.pos > 0 && l.src[l.pos-1] == '.' && l.src[l.pos] != '.' { // t.1a
		l.word()
		return word
	}
	if l.peek(0) == '0' && (l.peek(1) == 'x' || l.peek(1) == 'b') {
		digits := "0123456789abcdefABCDEF"
		if l.peek(1) == 'b' {
			digits = "01"
		}
		n := 2
		for l.peek(n) != 0 && strings.IndexByte(digits, l.peek(n)) >= 0 {
			n++
		}
		if n > 2 && !isWord(l.peek(n)) {
			l.pos += n
			return number
		}
	}
	l.digits()
	if l.peek(0) == '.' {
		l.pos++
		l.digits()
		l.exponent()
		return number
	}
	if !isWord(l.peek(0)) || l.exponent() {
		return number
	}
	l.pos = start
	l.word()
	return word
}

func (l *lexer) digits() {
	for isDigit(l.peek(0)) {
		l.pos++
	}
}

func (l *lexer) exponent() bool {
	n := 1
	if l.peek(0)|0x20 != 'e' {
		return false
	}
	if l.peek(1) == '+' || l.peek(1) == '-' {
		n++
	}
	if !isDigit(l.peek(n)) {
		return false
	}
	l.pos += n
	l.digits()
	return true
}

func (l *lexer) word() {
	for l.pos < len(l.src) && isWord(l.src[l.pos]) {
		l.pos++
	}
}

// operators of more than one character, longest first.
var operators = []string{"->>", "<=>", "<=", ">=", "<>", "!=", "<<", ">>", "||", "&&", ":=", "->", "@@"}

func (l *lexer) operator() {
	for _, o := range operators {
		if l.has(o) {
			l.pos += len(o)
			return
		}
	}
	l.pos++
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isWord(c byte) bool {
	return c == '_' || c == '$' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf
}
