package rule

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Candidate is one way to go on: Text replaces the bytes From to To of the source.
type Candidate struct {
	Text     string
	Doc      string
	From, To int
}

// tokens splits what stands before the cursor; an unfinished string is one token.
var tokens = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[A-Za-z_$][\w$]*|[0-9][\w.]*|[=!<>]=?|&&|\|\||[^\s\w]`)

// Complete offers what may stand at byte pos of a condition: fields and functions where a value
// is due, operators after a field, the known values of hook, cmd, verb and dir, and and or after
// a whole comparison.
func Complete(src string, pos int) []Candidate {
	pos = min(max(pos, 0), len(src))
	before := src[:pos]
	spans := tokens.FindAllStringIndex(before, -1)
	word := [2]int{pos, pos} // what is being typed
	if n := len(spans); n > 0 && spans[n-1][1] == pos {
		if last := before[spans[n-1][0]:pos]; unfinished(last) {
			word = [2]int{spans[n-1][0], pos}
			spans = spans[:n-1]
		}
	}
	c := completer{typed: before[word[0]:pos], from: word[0], to: pos}
	for _, s := range spans {
		c.before = append(c.before, before[s[0]:s[1]])
	}
	c.run()
	return c.found
}

// unfinished tokens may still grow: names and open strings.
func unfinished(t string) bool {
	switch c := t[0]; {
	case c == '"' || c == '\'':
		return len(t) == 1 || t[len(t)-1] != c
	default:
		return c == '_' || c == '$' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
}

type completer struct {
	before   []string // tokens before the one being typed
	typed    string
	from, to int
	found    []Candidate
}

func (c *completer) token(back int) string {
	if back > len(c.before) {
		return ""
	}
	return c.before[len(c.before)-back]
}

func (c *completer) run() {
	last := c.token(1)
	field, isField := fieldsByName[last]
	switch {
	case last == ".":
		c.members(c.token(2))
	case c.comparedField() != "":
		c.values(c.comparedField())
	case isField && c.token(2) != ".":
		c.operators(field.Type)
	case c.token(2) == "." && (c.token(3) == "error" || c.token(3) == "comment" || c.token(3) == "attr"):
		t := "text"
		if last == "code" {
			t = "number"
		}
		c.operators(t)
	case last == ")" || last == "]" || last != "" && strings.ContainsAny(last[:1], `"'0123456789`):
		if last == ")" && slices.Contains(c.before, "param") {
			c.operators("value")
		}
		c.offer("and", "both")
		c.offer("or", "one of both")
		if last[0] == '"' || last[0] == '\'' {
			c.offer("in", "is among: \"orders\" in tables")
		}
	default:
		c.start()
	}
}

// comparedField is the field a value is due for: after verb ==, or inside verb in [ … ].
func (c *completer) comparedField() string {
	i := len(c.before)
	if i > 0 && (c.before[i-1] == "[" || c.before[i-1] == ",") {
		for i > 0 && c.before[i-1] != "[" {
			i--
		}
		if i < 3 || c.before[i-2] != "in" {
			return ""
		}
		i--
	}
	if i < 2 || !compares(c.before[i-1]) {
		return ""
	}
	name := c.before[i-2]
	if name == "not" && i > 2 {
		name = c.before[i-3]
	}
	if _, ok := fieldsByName[name]; ok {
		return name
	}
	return ""
}

func (c *completer) offer(text, doc string) {
	low := strings.ToLower(c.typed)
	if strings.HasPrefix(strings.ToLower(text), low) || strings.HasPrefix(strings.ToLower(text), `"`+low) {
		c.found = append(c.found, Candidate{Text: text, Doc: doc, From: c.from, To: c.to})
	}
}

func (c *completer) start() {
	for _, f := range Fields() {
		c.offer(f.Name, f.Doc)
	}
	c.offer("param(", "value of a parameter: param(0) is the first")
	c.offer("not", "the opposite")
	for _, f := range functionNames() {
		doc := functionDocs[f]
		if doc == "" {
			doc = "function of expr-lang"
		}
		c.offer(f+"(", doc)
	}
}

var functionDocs = map[string]string{
	"any": "one of a list fits: any(row, .email matches \"x\")", "all": "every one of a list fits", "none": "no one of a list fits",
	"one": "exactly one of a list fits", "count": "how many of a list fit", "len": "length of a text or list", "lower": "in lower case",
	"upper": "in upper case", "trim": "without blanks at the ends",
}

func (c *completer) members(base string) {
	switch base {
	case "error":
		c.offer("code", "number of the error")
		c.offer("sqlstate", "five characters, such as 40001")
		c.offer("message", "text of the error")
	case "comment":
		for _, k := range []string{"route", "controller", "action", "traceparent", "db_driver", "framework", "application"} {
			c.offer(k, "tag in a statement's comment")
		}
	case "attr":
		for _, k := range []string{"program_name", "_client_name", "_client_version", "_os", "_pid", "_platform"} {
			c.offer(k, "connection attribute")
		}
	}
}

func (c *completer) values(name string) {
	op := c.token(1)
	list := op == "in" && name != ""
	for _, v := range fieldsByName[name].Values {
		text := strconv.Quote(v)
		if list {
			text = "[" + text
		}
		c.offer(text, "")
	}
	if f := fieldsByName[name]; len(f.Values) == 0 && f.Type == "text" {
		c.offer(`"`, "text stands in quotes")
	}
}

func (c *completer) operators(typ string) {
	switch typ {
	case "flag":
		c.offer("and", "both")
		c.offer("or", "one of both")
	case "number":
		for _, op := range []string{"==", "!=", "<", "<=", ">", ">="} {
			c.offer(op, "")
		}
		c.offer("in", "is among: in [1, 2]")
	case "text", "value":
		c.offer("==", "is")
		c.offer("!=", "is not")
		c.offer("in", `is among: in ["a", "b"]`)
		c.offer("matches", `fits a pattern: matches "(?i)for update"`)
		c.offer("contains", "has it in it")
		c.offer("startsWith", "begins with it")
		c.offer("endsWith", "ends with it")
		if typ == "value" {
			c.offer("<", "")
			c.offer(">", "")
		}
	case "error":
		c.offer(".", "error.code, error.sqlstate, error.message")
		c.offer("and", "there is an error, and")
		c.offer("in", "its code is among: in [1205, 1213]")
		c.offer("==", "its code is")
	case "map":
		c.offer(".", "one of its values: comment.route")
	case "list of text", "list", "list of rows":
		c.offer("and", "both")
		c.offer("or", "one of both")
	}
}
