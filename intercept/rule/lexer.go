package rule

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A word is one piece of a rule's text.
type word struct {
	text   string // without quotes
	off    int
	quoted bool
}

// is reports whether w is the keyword; quoted words never are.
func (w word) is(keyword string) bool { return !w.quoted && strings.EqualFold(w.text, keyword) }

// lexer reads the words of a rule: quoted text, operators, the separators ; and , and the rest.
type lexer struct {
	src string
	pos int
	cur word
	err *SyntaxError
}

func newLexer(src string) *lexer {
	l := &lexer{src: src}
	l.next()
	return l
}

// done reports whether there is no further word.
func (l *lexer) done() bool { return l.err != nil || l.cur.text == "" && !l.cur.quoted }

func (l *lexer) fail(off int, msg, hint string) {
	if l.err == nil {
		l.err = &SyntaxError{Src: l.src, Off: off, Msg: msg, Hint: hint}
	}
}

// next reads one word into cur.
func (l *lexer) next() {
	for l.pos < len(l.src) {
		r, n := utf8.DecodeRuneInString(l.src[l.pos:])
		if !unicode.IsSpace(r) {
			break
		}
		l.pos += n
	}
	start := l.pos
	l.cur = word{off: start}
	if start == len(l.src) {
		return
	}
	switch c := l.src[start]; {
	case c == '"' || c == '\'':
		l.quoted(c)
		return
	case c == ';' || c == ',':
		l.pos++
	case strings.IndexByte("=!<>%", c) >= 0:
		for l.pos < len(l.src) && strings.IndexByte("=!<>%", l.src[l.pos]) >= 0 {
			l.pos++
		}
	default:
		l.pos += wordLen(l.src[start:])
	}
	l.cur.text = l.src[start:l.pos]
}

// wordLen is the length of the plain word s begins with.
func wordLen(s string) int {
	for i, r := range s {
		if unicode.IsSpace(r) || strings.ContainsRune(";,=!<>%\"'", r) {
			return i
		}
	}
	return len(s)
}

// quoted reads text in double or single quotes, with the escapes of Go.
func (l *lexer) quoted(quote byte) {
	var b strings.Builder
	rest := l.src[l.pos+1:]
	for rest != "" {
		if rest[0] == quote {
			l.pos = len(l.src) - len(rest) + 1
			l.cur.text, l.cur.quoted = b.String(), true
			return
		}
		if rest[0] >= utf8.RuneSelf {
			_, n := utf8.DecodeRuneInString(rest)
			b.WriteString(rest[:n])
			rest = rest[n:]
			continue
		}
		r, multibyte, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			l.fail(len(l.src)-len(rest), "bad escape in text", `write \\ for a backslash`)
			return
		}
		if multibyte {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
		rest = tail
	}
	l.fail(l.cur.off, "text without its closing quote", "")
}

// take consumes the keyword if it is next.
func (l *lexer) take(keyword string) bool {
	if l.done() || !l.cur.is(keyword) {
		return false
	}
	l.next()
	return true
}
