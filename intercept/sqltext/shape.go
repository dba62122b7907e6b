package sqltext

// Shape is a quick hash of a statement's form, for the path of all traffic: statements that differ in
// literals, in how many there are in a list, in case and white space alone have the same. Comments count,
// and quoted names are not told from text. It allocates nothing.
func Shape(sql string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a's
	const literal = '?'
	h, last := uint64(offset), byte(0)
	put := func(c byte) {
		if c == literal && last == literal {
			return // another of a list
		}
		h = (h ^ uint64(c)) * prime
		last = c
	}
	word := false // in a word, whose digits are its own
	for i := 0; i < len(sql); i++ {
		switch c := sql[i]; {
		case c == '\'' || c == '"':
			i = closing(sql, i)
			put(literal)
			word = false
		case c >= '0' && c <= '9' && !word:
			for i+1 < len(sql) && (isWord(sql[i+1]) || sql[i+1] == '.') {
				i++
			}
			put(literal)
		case c >= 'A' && c <= 'Z':
			put(c | 0x20)
			word = true
		case isWord(c):
			put(c)
			word = true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			word = false
		case c == ',' && last == literal, c == '-' && !word:
			word = false // of a list, or a sign
		default:
			put(c)
			word = false
		}
	}
	return h
}

// closing is where the text that begins at i ends.
func closing(sql string, i int) int {
	for quote, j := sql[i], i+1; j < len(sql); j++ {
		switch {
		case sql[j] == '\\':
			j++
		case sql[j] != quote:
		case j+1 < len(sql) && sql[j+1] == quote:
			j++
		default:
			return j
		}
	}
	return len(sql)
}
