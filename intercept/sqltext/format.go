package sqltext

import "strings"

// Format lays a statement out over several lines. It changes white space only: the tokens,
// comments included, stay as they are.
func Format(sql string) string {
	f := formatter{toks: lex(sql)}
	for f.i < len(f.toks) {
		f.token(f.toks[f.i])
		f.i++
	}
	return f.b.String()
}

type formatter struct {
	toks    []token
	i       int
	b       strings.Builder
	prev    token  // last one that is not white space
	gap     bool   // there was white space after prev
	frames  []bool // for each open parenthesis: it holds a query of its own
	between int    // BETWEEN … whose AND has not come yet
	broke   bool   // a line was just begun
}

func (f *formatter) token(t token) {
	if t.kind == space {
		f.gap = true
		return
	}
	switch {
	case f.prev.text == "":
	case f.prev.kind == comment && !strings.HasPrefix(f.prev.text, "/*"):
		f.newline(0) // a comment to the end of the line needs that end
	case f.breaks(t):
		f.newline(f.extra(t))
	case f.gap || f.prev.text == "," && (t.kind != op || t.text == "("):
		if !f.broke || f.gap {
			f.b.WriteByte(' ')
		}
	}
	f.broke = false
	f.track(t)
	f.write(t)
	f.prev, f.gap = t, false
}

// write leaves line comments' line ends to what follows.
func (f *formatter) write(t token) {
	if t.kind == comment && !strings.HasPrefix(t.text, "/*") {
		f.b.WriteString(strings.TrimRight(t.text, "\n"))
		return
	}
	f.b.WriteString(t.text)
}

func (f *formatter) track(t token) {
	switch {
	case t.text == "(":
		n := f.following()
		f.frames = append(f.frames, n.is("SELECT") || n.is("WITH"))
	case t.text == ")" && len(f.frames) > 0:
		f.frames = f.frames[:len(f.frames)-1]
	case t.is("BETWEEN"):
		f.between++
	case t.is("AND") && f.between > 0:
		f.between--
	}
}

// following is the next token that is neither white space nor comment.
func (f *formatter) following() token {
	for _, t := range f.toks[f.i+1:] {
		if t.kind != space && t.kind != comment {
			return t
		}
	}
	return token{}
}

// inQuery reports whether the innermost parenthesis holds a query, or there is none.
func (f *formatter) inQuery() bool {
	return len(f.frames) == 0 || f.frames[len(f.frames)-1]
}

// breaks reports whether a line may and should begin before t.
func (f *formatter) breaks(t token) bool {
	if t.kind != word || !f.inQuery() || !f.safe() {
		return false
	}
	p := f.prev
	switch t.upper() {
	case "FROM":
		return !p.is("DELETE") && !p.is("QUICK") && !p.is("IGNORE") && !p.is("DISTINCT")
	case "WHERE", "HAVING", "LIMIT", "WINDOW":
		return true
	case "UNION", "EXCEPT", "INTERSECT":
		return true
	case "SELECT":
		return !p.is("EXPLAIN") && p.text != "("
	case "GROUP", "ORDER":
		return f.following().is("BY") && f.prev.text != "("
	case "LEFT", "RIGHT", "INNER", "CROSS", "NATURAL":
		n := f.following()
		return (n.is("JOIN") || n.is("OUTER") || n.is("LEFT") || n.is("RIGHT") || n.is("INNER")) && !p.is("NATURAL")
	case "JOIN":
		return !p.is("LEFT") && !p.is("RIGHT") && !p.is("INNER") && !p.is("CROSS") && !p.is("OUTER") && !p.is("NATURAL")
	case "STRAIGHT_JOIN":
		return !p.is("SELECT")
	case "SET":
		return len(f.frames) == 0 && f.b.Len() > 0 && f.startedWith("UPDATE", "INSERT", "REPLACE")
	case "VALUES", "VALUE":
		return len(f.frames) == 0 && f.startedWith("INSERT", "REPLACE") && f.following().text == "(" && p.text != "=" && p.text != ","
	case "ON":
		return f.following().is("DUPLICATE")
	case "AND":
		return f.between == 0
	case "OR":
		return true
	case "FOR":
		n := f.following()
		return n.is("UPDATE") || n.is("SHARE")
	}
	return false
}

func (f *formatter) startedWith(verbs ...string) bool {
	for _, t := range f.toks {
		if t.kind == word {
			for _, v := range verbs {
				if t.is(v) {
					return true
				}
			}
			return false
		}
	}
	return false
}

// safe reports whether white space may stand after the last token without making another token
// of what is around: not after operators, such as the dot of a name or the minus of --.
func (f *formatter) safe() bool {
	switch f.prev.kind {
	case word, quotedID, str, number, param, comment, execOpen, execClose, hint:
		return f.gap || f.prev.kind != word
	}
	return f.prev.text == ")" || f.gap
}

// extra is how much deeper than its query a line begins.
func (f *formatter) extra(t token) int {
	switch t.upper() {
	case "AND", "OR":
		return 1
	}
	return 0
}

func (f *formatter) newline(extra int) {
	depth := extra
	for _, query := range f.frames {
		if query {
			depth += 2
		}
	}
	f.b.WriteByte('\n')
	f.b.WriteString(strings.Repeat("  ", min(depth, 20)))
	f.broke = true
}

// OneLine folds a statement into one line: white space becomes single blanks, and comments to the
// end of a line become /* */ comments.
func OneLine(sql string) string {
	var b strings.Builder
	blank := false
	for _, t := range lex(sql) {
		if t.kind == space {
			blank = true
			continue
		}
		if blank && b.Len() > 0 {
			b.WriteByte(' ')
		}
		blank = false
		if t.kind == comment && !strings.HasPrefix(t.text, "/*") {
			body := strings.Join(strings.Fields(strings.TrimLeft(t.text, "-#")), " ")
			b.WriteString("/* " + strings.ReplaceAll(body, "*/", "* /") + " */")
			blank = true
			continue
		}
		b.WriteString(foldLines(t.text, t.kind))
	}
	return b.String()
}

// foldLines removes line ends from comments; inside quotes they are data and become blanks too,
// as the result is for looking at.
func foldLines(s string, k kind) string {
	if !strings.ContainsAny(s, "\r\n\t") {
		return s
	}
	if k == comment || k == hint {
		return strings.Join(strings.Fields(s), " ")
	}
	return strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(s)
}
