package sqltext

import (
	"slices"
	"strings"
	"sync"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver" // literals' values; the parser alone has none
)

// parsers are costly to make and not safe to share.
var parsers = sync.Pool{New: func() any { return parser.New() }}

// parsedTables asks the parser; ok is false where it does not understand the text.
func parsedTables(sql string) (tables []string, ok bool) {
	defer func() {
		if recover() != nil { // its fault, not ours: the tokens will do
			tables, ok = nil, false
		}
	}()
	p := parsers.Get().(*parser.Parser)
	stmts, _, err := p.ParseSQL(sql)
	if err != nil || len(stmts) == 0 {
		parsers.Put(p)
		return nil, false
	}
	v := tableFinder{ctes: map[string]bool{}, skip: map[*ast.TableName]bool{}}
	for _, s := range stmts {
		s.Accept(&v)
	}
	parsers.Put(p)
	return v.names(), true
}

type tableFinder struct {
	found []*ast.TableName
	ctes  map[string]bool
	skip  map[*ast.TableName]bool // names that are aliases of tables found elsewhere
}

func (v *tableFinder) Enter(n ast.Node) (ast.Node, bool) {
	switch n := n.(type) {
	case *ast.TableName:
		v.found = append(v.found, n)
	case *ast.CommonTableExpression:
		v.ctes[n.Name.L] = true
	case *ast.InsertStmt:
		if n.Table != nil { // else what it selects from would come first
			n.Table.Accept(v)
		}
	case *ast.SelectStmt:
		if n.LockInfo != nil { // FOR UPDATE OF t names what FROM has
			for _, t := range n.LockInfo.Tables {
				v.skip[t] = true
			}
		}
	case *ast.DeleteStmt:
		if n.IsMultiTable && n.Tables != nil {
			for _, t := range n.Tables.Tables {
				v.skip[t] = true
			}
		}
	}
	return n, false
}

func (v *tableFinder) Leave(n ast.Node) (ast.Node, bool) { return n, true }

func (v *tableFinder) names() []string {
	var out []string
	for _, t := range v.found {
		if v.skip[t] || t.Schema.O == "" && v.ctes[t.Name.L] {
			continue
		}
		name := t.Name.O
		if t.Schema.O != "" {
			name = t.Schema.O + "." + name
		}
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// guessedTables reads names after the words that tables follow.
func guessedTables(toks []token) []string {
	g := guesser{toks: toks}
	for g.i < len(toks) {
		g.step()
	}
	var out []string
	for _, t := range g.found {
		if !slices.ContainsFunc(g.ctes, func(c string) bool { return strings.EqualFold(c, t) }) && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

type guesser struct {
	toks  []token
	i     int
	found []string
	ctes  []string
}

func (g *guesser) at(i int) token {
	if i >= 0 && i < len(g.toks) {
		return g.toks[i]
	}
	return token{}
}

func (g *guesser) step() {
	t, prev := g.at(g.i), g.at(g.i-1)
	g.i++
	if t.kind == word && prev.text == "." {
		return // t.from
	}
	switch t.upper() {
	case "AS":
		if g.at(g.i).text == "(" {
			g.cte()
		}
	case "FROM":
		if g.inTrim() {
			return // EXTRACT(YEAR FROM x), TRIM(BOTH 'x' FROM y)
		}
		g.list(false)
	case "JOIN", "STRAIGHT_JOIN":
		g.name(false)
	case "INTO":
		g.name(true)
	case "TABLE", "TABLES":
		g.list(true)
	case "UPDATE":
		if !prev.is("KEY") && !prev.is("FOR") && !prev.is("ON") {
			g.list(false)
		}
	case "INSERT", "REPLACE":
		if g.at(g.i).text != "(" && !g.intoFollows() {
			g.name(true)
		}
	}
}

// cte notes the name in NAME AS ( and NAME (columns) AS (.
func (g *guesser) cte() {
	i := g.i - 2
	if g.at(i).text == ")" {
		for i > 0 && g.at(i).text != "(" {
			i--
		}
		i--
	}
	if t := g.at(i); t.kind == word || t.kind == quotedID {
		g.ctes = append(g.ctes, plainName(t))
	}
}

// trimReach is how many tokens before FROM the function's parenthesis is looked for.
const trimReach = 200

// inTrim reports whether the parenthesis around belongs to a function that has FROM among its
// arguments.
func (g *guesser) inTrim() bool {
	depth := 0
	for i := g.i - 2; i >= max(0, g.i-trimReach); i-- {
		switch g.toks[i].text {
		case ")":
			depth++
		case "(":
			if depth == 0 {
				switch g.at(i - 1).upper() {
				case "EXTRACT", "TRIM", "SUBSTRING", "SUBSTR", "MID":
					return true
				}
				return false
			}
			depth--
		}
	}
	return false
}

func (g *guesser) intoFollows() bool {
	for i := g.i; modifier(g.at(i)); i++ {
		if g.at(i).is("INTO") {
			return true
		}
	}
	return false
}

// modifier tells the words that may stand between a verb and its table.
func modifier(t token) bool {
	switch t.upper() {
	case "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE", "QUICK", "INTO", "IF", "NOT", "EXISTS", "ONLY", "LATERAL":
		return t.kind == word
	}
	return false
}

// list reads names separated by commas, each perhaps with an alias.
func (g *guesser) list(call bool) {
	for g.name(call) {
		if g.at(g.i).is("AS") {
			g.i++
		}
		if k := g.at(g.i); (k.kind == word && !keywords[k.upper()]) || k.kind == quotedID {
			g.i++
		}
		if g.at(g.i).is("READ") || g.at(g.i).is("WRITE") {
			g.i++
		}
		if g.at(g.i).text != "," {
			return
		}
		g.i++
	}
}

// name reads one table name; a parenthesis may follow it only where it cannot be a call.
func (g *guesser) name(paren bool) bool {
	for modifier(g.at(g.i)) {
		g.i++
	}
	t := g.at(g.i)
	if t.kind != quotedID && (t.kind != word || reservedWord(t.upper())) {
		return false
	}
	name, n := plainName(t), 1
	if g.at(g.i+1).text == "." {
		if next := g.at(g.i + 2); next.kind == word || next.kind == quotedID {
			name, n = name+"."+plainName(next), 3
		}
	}
	if !paren && g.at(g.i+n).text == "(" {
		return false
	}
	g.i += n
	g.found = append(g.found, name)
	return true
}

// reservedWord tells the words that follow FROM, INTO and the like without being a table.
func reservedWord(w string) bool {
	switch w {
	case "SELECT", "DUAL", "OUTFILE", "DUMPFILE", "SET", "VALUES", "WHERE", "FROM", "TABLE", "WITH", "ON", "USING", "AS", "LIKE", "STATUS":
		return true
	}
	return false
}

// plainName is an identifier without its quotes.
func plainName(t token) string {
	if t.kind != quotedID {
		return t.text
	}
	return unquote(t.text)
}

// unquote takes off the quotes around a text and the doubling inside; escapes stay.
func unquote(s string) string {
	q := s[:1]
	s = strings.TrimPrefix(s, q)
	s = strings.TrimSuffix(s, q)
	return strings.ReplaceAll(s, q+q, q)
}
