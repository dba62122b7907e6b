package sqltext

import "strings"

// NamesFile reports whether a statement of sql asks the client for the file of this name: LOAD DATA
// LOCAL INFILE 'name', LOAD XML LOCAL INFILE 'name'. The name counts as written and with its escapes
// undone, since a session may have turned them off. A name with letters beyond ASCII may be in
// another character set here than there, so these are not compared.
func NamesFile(sql, name string) bool {
	toks := significant(lex(sql))
	for i := 2; i < len(toks); i++ {
		if toks[i].kind != str || !toks[i-1].is("INFILE") || !toks[i-2].is("LOCAL") {
			continue
		}
		for _, n := range []string{unquote(toks[i].text), unescape(toks[i].text)} {
			if n == name || ascii(n) != n && ascii(n) == ascii(name) {
				return true
			}
		}
	}
	return false
}

// ascii is s without the rest.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x80 {
			return -1
		}
		return r
	}, s)
}
