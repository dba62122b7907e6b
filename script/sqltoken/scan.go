package sqltoken

import "strings"

// scanner reads tokens; the longest one that matches wins.
type scanner struct {
	src    string
	at     int
	tokens []Token
}

func (s *scanner) add(id ID, text string) { s.tokens = append(s.tokens, Token{id, text}) }

// take makes a token of the next n bytes.
func (s *scanner) take(id ID, n int) {
	s.add(id, s.src[s.at:s.at+n])
	s.at += n
}

func (s *scanner) next() {
	rest := s.src[s.at:]
	switch c := rest[0]; {
	case isSpace(c):
		s.at++
	case c == '\'' || c == '"' || c == '`':
		s.quoted(c)
	case strings.HasPrefix(rest, "/*!"):
		s.comment(CommentMySQL, 3)
	case strings.HasPrefix(rest, "/*"):
		s.comment(Comment, 2)
	case strings.HasPrefix(rest, "--") && s.lineComment(rest[2:]):
	case isWord(c) || c == '.':
		s.word(rest)
	default:
		s.symbol(rest)
	}
}

// quoted reads a string, or a name in backticks. Both characters of a backslash pair stay.
func (s *scanner) quoted(q byte) {
	id := String
	if q == '`' {
		id = Literal
	}
	src, from := s.src, s.at+1
	var text strings.Builder
	i := from
	keep := func() { text.WriteString(src[from:i]) }
	for ; i < len(src); i++ {
		switch c := src[i]; {
		case c == '\\' && (i+1 == len(src) || src[i+1] == '\n'):
			keep() // and drop the backslash
			from = i + 1
		case c == '\\':
			i++
		case c != q || i+1 < len(src) && src[i+1] != q && isQuote(src[i+1]):
			// The second: a closing quote with another kind of quote right behind it closes nothing.
		case i+1 < len(src) && src[i+1] == q:
			i++
			keep()
			from = i + 1
		default:
			keep()
			s.at = i + 1
			s.add(id, text.String())
			return
		}
	}
	i = len(src)
	keep()
	s.at = i
	s.add(id, text.String())
}

// comment reads on to the stars and the slash that end a comment.
func (s *scanner) comment(id ID, mark int) {
	from := s.at + mark
	end := strings.Index(s.src[from:], "*/")
	if end < 0 {
		s.at = len(s.src)
		s.add(id, s.src[from:])
		return
	}
	s.at = from + end + 2
	s.add(id, strings.TrimRight(s.src[from:from+end], "*"))
}

// lineComment reads a comment to the end of the line, if rest, which follows the dashes, makes it one.
func (s *scanner) lineComment(rest string) bool {
	for _, end := range []string{"\n", "\r\n"} {
		if strings.HasPrefix(rest, end) {
			s.add(Comment, "")
			s.at += 2 + len(end)
			return true
		}
	}
	if rest == "" || rest[0] != ' ' && rest[0] != '\t' {
		return false
	}
	text, _, _ := strings.Cut(rest[1:], "\n")
	s.add(Comment, text)
	s.at += 3 + len(text)
	return true
}

// word reads a number, a name with up to two dots in it, or a dot.
func (s *scanner) word(rest string) {
	name, dots := nameLen(rest)
	number, id := numberLen(rest)
	called := name > 0 && name < len(rest) && rest[name] == '('
	switch {
	case number > 0 && number >= name && !(called && name == number):
		s.take(id, number)
	case name > 0:
		s.name(name, dots, called)
	default:
		s.take(Dot, 1)
	}
}

// name splits the next n bytes at their dots.
func (s *scanner) name(n, dots int, called bool) {
	end := s.at + n
	for ; dots > 0; dots-- {
		part := strings.IndexByte(s.src[s.at:end], '.')
		s.take(wordID(s.src[s.at:s.at+part]), part)
		s.take(Dot, 1)
	}
	id := Function
	if !called {
		id = wordID(s.src[s.at:end])
	}
	s.take(id, end-s.at)
}

// wordID is the keyword that word is, or Literal.
func wordID(word string) ID {
	if len(word) > longestWord {
		return Literal
	}
	var upper [longestWord]byte
	for i := range len(word) {
		c := word[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	if id, ok := byWord[string(upper[:len(word)])]; ok {
		return id
	}
	return Literal
}

// nameLen is how much of s is a name, and how many dots are in it.
func nameLen(s string) (n, dots int) {
	if n = partLen(s); n == 0 {
		return 0, 0
	}
	for dots < 2 && n < len(s) && s[n] == '.' {
		part := partLen(s[n+1:])
		if part == 0 {
			break
		}
		n += 1 + part
		dots++
	}
	return n, dots
}

// partLen is how much of s is a name without dots: digits may come first.
func partLen(s string) int {
	n := digits(s)
	if n == len(s) || !isWord(s[n]) {
		return 0
	}
	for n < len(s) && isWord(s[n]) {
		n++
	}
	return n
}

// numberLen is how much of s is a number, and which kind of one.
func numberLen(s string) (int, ID) {
	n, id := digits(s), Integer
	if n < len(s) && s[n] == '.' {
		if d := digits(s[n+1:]); d > 0 {
			n, id = n+1+d, Float
		}
	}
	if n == 0 || n == len(s) || s[n] != 'e' && s[n] != 'E' {
		return n, id
	}
	exponent := n + 1
	if exponent < len(s) && (s[exponent] == '+' || s[exponent] == '-') {
		exponent++
	}
	if d := digits(s[exponent:]); d > 0 {
		return exponent + d, Float
	}
	return n, id
}

// digits is how many digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// pairs are the symbols of two bytes.
var pairs = map[string]ID{"<=": LE, ">=": GE, "<>": NE, "!=": NE, ":=": Assign, "&&": LogicalAnd, "||": LogicalOr}

var singles = [256]ID{
	',': Comma, '.': Dot, '<': LT, '>': GT, '=': EQ, '(': OBrace, ')': CBrace, ';': Semicolon,
	'*': Star, '+': Plus, '/': Div, '-': Minus, '&': BitwiseAnd, '|': BitwiseOr, '^': BitwiseXor,
}

func (s *scanner) symbol(rest string) {
	if len(rest) > 1 {
		if id, ok := pairs[rest[:2]]; ok {
			s.take(id, 2)
			return
		}
	}
	s.take(singles[rest[0]], 1)
}

func isQuote(c byte) bool { return c == '\'' || c == '"' || c == '`' }
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// isWord reports whether c may be in a name.
func isWord(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '@'
}
