package sqltext

import "slices"

// Repeat is what of a statement's answer may be different when it runs again on the same data. With several statements
// in one text, Fields are those of the first one that selects.
type Repeat struct {
	Ordered  bool     // the rows have an order: ORDER BY outside of parentheses
	Volatile []string // what differs from run to run, in upper case and in the order of the text: NOW, RAND, @@HOSTNAME
	// Fields are the items of the select list with something volatile in them: from 0, or counted from the end as -1,
	// -2 where a * stands before them.
	Fields []int
	All    bool // any cell may differ: SHOW STATUS, EXPLAIN, the tables of information_schema
}

var repeats = newMemo[Repeat](1 << 20)

// Repeatable says what may differ when a statement runs again. It goes by tokens, so a view or a routine with something
// volatile in it is not seen.
func Repeatable(sql string) Repeat { return repeats.get(sql, repeatable) }

func repeatable(sql string) Repeat {
	var r Repeat
	for _, stmt := range statements(significant(lex(sql))) {
		verb, rest := verbOf(stmt)
		switch verb {
		case "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "ANALYZE", "CHECK", "CHECKSUM", "HELP":
			r.All = r.All || verb != "SHOW" || changing(rest)
		}
		r.read(stmt)
	}
	return r
}

// changing tells what SHOW shows that is the server's state rather than definitions.
func changing(rest []token) bool {
	return slices.ContainsFunc(rest, func(t token) bool {
		switch t.upper() {
		case "STATUS", "PROCESSLIST", "VARIABLES", "ENGINE", "ENGINES", "PLUGINS", "REPLICA", "REPLICAS", "SLAVE", "MASTER", "BINARY", "BINLOG", "PROFILE", "PROFILES":
			return true
		}
		return false
	})
}

// selectList is where a statement's select list has been followed to.
type selectList struct {
	item   int
	star   int   // item of the first *, or -1
	fields []int // with something volatile, from 0
}

func (r *Repeat) read(stmt []token) {
	depth := 0
	list := selectList{star: -1}
	inList, hadList := false, len(r.Fields) > 0
	for i, t := range stmt {
		next, prev := token{}, token{}
		if i+1 < len(stmt) {
			next = stmt[i+1]
		}
		if i > 0 {
			prev = stmt[i-1]
		}
		switch {
		case t.text == "(":
			depth++
		case t.text == ")":
			depth--
		case depth > 0:
		case t.is("SELECT") && !hadList:
			inList, hadList = true, true
		case t.is("ORDER") && next.is("BY"):
			r.Ordered = true
			inList = false
		case t.is("FROM"), t.is("INTO"), t.is("WHERE"), t.is("UNION"), t.is("LIMIT"), t.is("EXCEPT"), t.is("INTERSECT"):
			inList = false
		case inList && t.text == ",":
			list.item++
		case inList && t.text == "*" && (prev.text == "," || prev.text == "." || prev.is("SELECT") || prev.is("DISTINCT")) && list.star < 0:
			list.star = list.item
		}
		if t.is("INFORMATION_SCHEMA") || t.is("PERFORMANCE_SCHEMA") {
			r.All = true
		}
		name := volatile(t, prev, next)
		if name == "" {
			continue
		}
		if !slices.Contains(r.Volatile, name) {
			r.Volatile = append(r.Volatile, name)
		}
		if inList {
			list.fields = append(list.fields, list.item)
		}
	}
	for _, f := range slices.Compact(list.fields) {
		if list.star >= 0 && f > list.star {
			f -= list.item + 1
		}
		r.Fields = append(r.Fields, f)
	}
}

// volatile is the name of a function or variable whose value is another each time, or "".
func volatile(t, prev, next token) string {
	if prev.text == "." {
		return ""
	}
	name := t.upper()
	if prev.text == "@@" {
		return "@@" + name
	}
	if t.kind != word {
		return ""
	}
	call := next.text == "("
	switch name {
	case "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "LOCALTIME", "LOCALTIMESTAMP", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "CURRENT_USER", "CURRENT_ROLE":
		return name // parentheses may follow
	case "NOW", "SYSDATE", "CURDATE", "CURTIME", "UNIX_TIMESTAMP", "RAND", "UUID", "UUID_V4", "UUID_V7", "UUID_SHORT", "SYS_GUID", "RANDOM_BYTES",
		"CONNECTION_ID", "VERSION", "USER", "SESSION_USER", "SYSTEM_USER", "LAST_INSERT_ID", "PS_CURRENT_THREAD_ID":
		if call {
			return name
		}
	}
	return ""
}
