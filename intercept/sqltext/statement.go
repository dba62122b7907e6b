package sqltext

import "strings"

// Bind puts the texts of params, literals as they are to stand in SQL, in place of the ? markers.
// Markers in quotes and comments are none. Markers without a text stay.
func Bind(sql string, params []string) string {
	if len(params) == 0 {
		return sql
	}
	var b strings.Builder
	for _, t := range lex(sql) {
		if t.kind == param && len(params) > 0 {
			b.WriteString(params[0])
			params = params[1:]
			continue
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// Markers counts the ? markers of a statement.
func Markers(sql string) int {
	n := 0
	for _, t := range lex(sql) {
		if t.kind == param {
			n++
		}
	}
	return n
}

// Split cuts a text into its statements, without the semicolons and the white space around them.
// Pieces of nothing but comments are left out. The body of a procedure, function, trigger or event
// between BEGIN and END stays in one piece.
func Split(sql string) []string {
	var out []string
	s := splitter{}
	start := 0
	for _, t := range lex(sql) {
		if t.text == ";" && t.kind == op && s.depth == 0 && !s.exec {
			out = s.add(out, sql[start:t.pos])
			start = t.pos + 1
			s = splitter{}
			continue
		}
		s.token(t)
	}
	return s.add(out, sql[start:])
}

type splitter struct {
	words   int
	create  bool // CREATE or ALTER …
	routine bool // … PROCEDURE and the like
	depth   int  // of BEGIN and CASE in a routine
	exec    bool // inside an executable comment
	prev    token
}

func (s *splitter) token(t token) {
	switch t.kind {
	case space, comment, hint:
		return
	case execOpen:
		s.exec = true
		return
	case execClose:
		s.exec = false
		return
	}
	s.words++
	switch {
	case s.words == 1:
		s.create = t.is("CREATE") || t.is("ALTER")
	case s.create && !s.routine && (t.is("PROCEDURE") || t.is("FUNCTION") || t.is("TRIGGER") || t.is("EVENT")):
		s.routine = true
	case s.routine && s.prev.is("END"):
		switch t.upper() {
		case "IF", "LOOP", "WHILE", "REPEAT":
			s.depth++ // closes one of those, not a BEGIN
		}
	case s.routine && (t.is("BEGIN") || t.is("CASE")):
		s.depth++
	}
	if s.routine && t.is("END") && s.depth > 0 {
		s.depth--
	}
	s.prev = t
}

func (s *splitter) add(out []string, piece string) []string {
	if s.words == 0 {
		return out
	}
	return append(out, strings.TrimFunc(piece, func(r rune) bool { return r < 0x80 && isSpace(byte(r)) }))
}
