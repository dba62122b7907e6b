package mysqlwire

import (
	"maps"
	"strings"
)

// charsetTracker knows which character sets a session speaks: from its login, from SET statements
// seen on the way, from what the server says in session state. What nothing tells, a stored procedure
// that changes them or a DEFAULT, is not known, and its texts are taken for UTF-8.
type charsetTracker struct {
	now    sessionCharsets
	login  sessionCharsets   // of the login, to which MariaDB goes back on COM_RESET_CONNECTION
	server sessionCharsets   // of the greeting, to which MySQL goes back
	saved  map[string]string // user variables that hold the name of a set
}

type sessionCharsets struct{ client, results string }

// maxSaved is how many user variables are remembered.
const maxSaved = 64

// greet takes the low byte of the server's default collation. MariaDB's greetings have one that fits.
func (t *charsetTracker) greet(collation uint8) {
	set := CharsetOf(uint16(collation))
	t.server = sessionCharsets{set, set}
}

// begin takes the collation of a login, or of a COM_CHANGE_USER. Servers go by their default where
// they do not know it, and refuse those whose statements they cannot read: ucs2, utf16, utf32.
func (t *charsetTracker) begin(collation uint16, mariadb bool) {
	t.login = t.server
	if c, ok := CollationOf(collation); ok && (mariadb && c.MariaDB != "" || !mariadb && c.MySQL != "") {
		t.login = sessionCharsets{c.Charset, c.Charset}
	}
	t.now, t.saved = t.login, nil
}

// reset follows a COM_RESET_CONNECTION.
func (t *charsetTracker) reset(mariadb bool) {
	t.saved = nil
	if t.now = t.server; mariadb {
		t.now = t.login
	}
}

// variable follows session state.
func (t *charsetTracker) variable(name, val string) {
	switch name {
	case "character_set_client":
		t.now.client = canonical(val)
	case "character_set_results":
		t.now.results = canonical(val)
	}
}

// canonical is the name of a set as CharsetOf writes it.
func canonical(name string) string {
	if name = strings.ToLower(name); name == "utf8" {
		return "utf8mb3"
	}
	return name
}

// changesCharsets reports quickly whether a text may have SET statements that matter.
func changesCharsets(sql string) bool {
	for i := 0; i+3 <= len(sql); i++ {
		if sql[i]|0x20 == 's' && strings.EqualFold(sql[i:i+3], "set") {
			return true
		}
	}
	return false
}

// set follows the SET statements of a text that succeeded.
func (t *charsetTracker) set(sql string) {
	next := lexer(sql)
	for {
		word := next()
		if word == "" {
			return
		}
		if !strings.EqualFold(word, "set") {
			for word != ";" && word != "" {
				word = next()
			}
			continue
		}
		t.assignments(next)
	}
}

// assignments reads what follows SET, to the end of the statement.
func (t *charsetTracker) assignments(next func() string) {
	for {
		var list []string
		word := next()
		for depth := 0; word != "" && word != ";" && (word != "," || depth > 0); word = next() {
			switch word {
			case "(":
				depth++
			case ")":
				depth--
			}
			list = append(list, word)
		}
		t.assignment(list)
		if word != "," {
			return
		}
	}
}

func (t *charsetTracker) assignment(list []string) {
	if len(list) < 2 {
		return
	}
	switch head := strings.ToLower(list[0]); {
	case (head == "names" || head == "charset") && list[1] != "=":
		set := t.value(list[1:2])
		t.now = sessionCharsets{set, set}
		return
	case head == "character" && strings.EqualFold(list[1], "set") && len(list) > 2:
		set := t.value(list[2:3])
		t.now = sessionCharsets{set, set}
		return
	case head == "session", head == "local":
		list = list[1:]
	}
	if len(list) < 3 || list[1] != "=" {
		return
	}
	name := strings.ToLower(list[0])
	for _, scope := range []string{"@@session.", "@@local.", "@@"} {
		if rest, ok := strings.CutPrefix(name, scope); ok {
			name = rest
			break
		}
	}
	switch {
	case name == "character_set_client" || name == "character_set_results":
		t.variable(name, t.value(list[2:]))
	case strings.HasPrefix(name, "@") && len(t.saved) < maxSaved:
		if set := t.value(list[2:]); set != "" {
			t.saved = maps.Clone(t.saved)
			if t.saved == nil {
				t.saved = map[string]string{}
			}
			t.saved[name] = set
		}
	}
}

// value is the set that an expression names, "" if that is not known.
func (t *charsetTracker) value(list []string) string {
	if len(list) != 1 {
		return ""
	}
	switch word := strings.ToLower(list[0]); word {
	case "default", "null":
		return ""
	case "@@character_set_client", "@@session.character_set_client":
		return t.now.client
	case "@@character_set_results", "@@session.character_set_results":
		return t.now.results
	default:
		if strings.HasPrefix(word, "@") {
			return t.saved[word]
		}
		return canonical(strings.Trim(word, "'\"`"))
	}
}

// lexer returns the words of a text one by one: names with their @, quoted strings as they are,
// single characters otherwise, := as =; "" at the end. What /*!40101 and the like hold counts.
func lexer(s string) func() string {
	return func() string {
		for s = strings.TrimLeft(s, " \t\r\n"); s != ""; s = strings.TrimLeft(s, " \t\r\n") {
			switch {
			case strings.HasPrefix(s, "/*!"), strings.HasPrefix(s, "/*M!"):
				s = strings.TrimLeft(s[strings.IndexByte(s, '!')+1:], "0123456789")
			case strings.HasPrefix(s, "*/"):
				s = s[2:]
			case strings.HasPrefix(s, "/*"):
				_, s, _ = strings.Cut(s[2:], "*/")
			case strings.HasPrefix(s, "-- "), s[0] == '#':
				_, s, _ = strings.Cut(s, "\n")
			default:
				n := wordLen(s)
				word := s[:n]
				if s = s[n:]; word == ":" && strings.HasPrefix(s, "=") {
					word, s = "=", s[1:]
				}
				return word
			}
		}
		return ""
	}
}

// wordLen is the length of the word that s begins with.
func wordLen(s string) int {
	if q := s[0]; q == '\'' || q == '"' || q == '`' {
		for i := 1; i < len(s); i++ {
			switch {
			case s[i] == '\\' && q != '`':
				i++
			case s[i] == q:
				return i + 1
			}
		}
		return len(s)
	}
	n := 0
	for n < len(s) && (s[n] == '_' || s[n] == '@' || s[n] == '$' || s[n] == '.' && n > 0 || s[n] >= 0x80 ||
		s[n] >= '0' && s[n] <= '9' || s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z') {
		n++
	}
	return max(n, 1)
}
