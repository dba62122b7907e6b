// Package sqltext says what the text of a statement means, for people and for conditions: its
// verb, tables and comment tags ([Parse]), its normal form ([Digest]), a readable layout
// ([Format], [OneLine]), with parameters filled in ([Bind]), one by one ([Split]).
//
// It is for statements somebody asks about, never on the path of traffic nobody does. Nothing in
// it fails: text that is no SQL gets the best answer its tokens allow. All functions are safe for
// concurrent use; what Parse and Digest found is remembered, so asking again is cheap. Results are
// shared: do not change their slices and maps.
//
// # Parser
//
// Tables come from TiDB's parser. Tried on 331 statements of ORMs, administration and the lab's
// schema against the sqlparser of go-mysql-server's Vitess, it could not read 29, Vitess 38 (33
// and 21 µs a statement). TiDB's misses are administration and MariaDB's own syntax, for which
// reading tokens is as good; Vitess also misses what applications send, such as SELECT
// HIGH_PRIORITY, SOME (…), INTERVAL 1 DAY + a, or names with doubled backquotes. What it cannot
// read, or is longer than 64 KiB, is understood by its tokens alone; Info.Parsed tells.
//
// Digests do not use it: MySQL makes them from tokens, and so does [Digest].
package sqltext

import "strings"

// Info is what a statement's text says. With several statements in one text, Verb is the first
// one's and the rest is true of any of them.
type Info struct {
	Verb     string            // first word in upper case: SELECT, UPDATE, BEGIN; after WITH the statement's own
	Tables   []string          // tables and views as written, schema.table if qualified; no aliases, no CTEs
	Write    bool              // may change data, definitions, accounts or the server's state
	DDL      bool              // CREATE, ALTER, DROP, RENAME, TRUNCATE
	Comments map[string]string // tags in comments, as sqlcommenter and marginalia write them
	Parsed   bool              // the parser understood it; otherwise Tables is a guess by tokens
}

// parseLimit is the length up to which text is parsed and remembered.
const parseLimit = 64 << 10

var infos = newMemo[Info](2 << 20)

// Parse says what a statement means.
func Parse(sql string) Info {
	return infos.get(sql, parse)
}

func parse(sql string) Info {
	toks := lex(sql)
	info := Info{Comments: tags(toks)}
	words := significant(toks)
	for i, stmt := range statements(words) {
		verb, rest := verbOf(stmt)
		if i == 0 {
			info.Verb = verb
		}
		info.DDL = info.DDL || isDDL(verb)
		info.Write = info.Write || isWrite(verb, rest)
	}
	if len(sql) <= parseLimit {
		info.Tables, info.Parsed = parsedTables(sql)
	}
	if !info.Parsed {
		info.Tables = guessedTables(words)
	}
	return info
}

// significant leaves out white space, comments and the marks of executable comments.
func significant(toks []token) []token {
	out := make([]token, 0, len(toks))
	for _, t := range toks {
		if t.kind != space && t.kind != comment && t.kind != hint && t.kind != execOpen && t.kind != execClose {
			out = append(out, t)
		}
	}
	return out
}

// statements cuts at semicolons and drops empty pieces.
func statements(toks []token) [][]token {
	var out [][]token
	start := 0
	for i, t := range toks {
		if t.text == ";" {
			if i > start {
				out = append(out, toks[start:i])
			}
			start = i + 1
		}
	}
	if start < len(toks) {
		out = append(out, toks[start:])
	}
	return out
}

// verbOf is the first word of a statement, in upper case, and what follows it. Parentheses before
// it and a WITH clause are passed over.
func verbOf(stmt []token) (string, []token) {
	for len(stmt) > 0 && stmt[0].text == "(" {
		stmt = stmt[1:]
	}
	if len(stmt) == 0 || stmt[0].kind != word {
		return "", nil
	}
	if verb := stmt[0].upper(); verb != "WITH" {
		return verb, stmt[1:]
	}
	depth := 0
	for i, t := range stmt {
		switch {
		case t.text == "(":
			depth++
		case t.text == ")":
			depth--
		case depth == 0 && t.kind == word:
			switch verb := t.upper(); verb {
			case "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "TABLE", "VALUES":
				return verb, stmt[i+1:]
			}
		}
	}
	return "WITH", stmt[1:]
}

func isDDL(verb string) bool {
	switch verb {
	case "CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE":
		return true
	}
	return false
}

// isWrite errs towards true where only the server knows, as for CALL.
func isWrite(verb string, rest []token) bool {
	next := ""
	if len(rest) > 0 {
		next = rest[0].upper()
	}
	switch verb {
	case "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "IMPORT", "CALL", "EXECUTE", "GRANT", "REVOKE", "INSTALL", "UNINSTALL",
		"OPTIMIZE", "REPAIR", "KILL", "FLUSH", "SHUTDOWN", "RESTART", "PURGE", "RESET", "CHANGE", "CLONE", "STOP", "BINLOG":
		return true
	case "START":
		return next != "TRANSACTION"
	case "SET":
		switch next {
		case "GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD", "@@GLOBAL", "@@PERSIST", "@@PERSIST_ONLY", "DEFAULT", "RESOURCE":
			return true
		}
		return next == "@@" && len(rest) > 1 && strings.HasPrefix(rest[1].upper(), "GLOBAL")
	case "ANALYZE": // ANALYZE UPDATE … runs it, in MariaDB
		verb, rest := verbOf(rest)
		return verb != "" && isWrite(verb, rest)
	}
	return isDDL(verb)
}
