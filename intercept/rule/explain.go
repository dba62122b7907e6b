package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// Explain says in words what the condition means and where it can be asked.
func (e *Expr) Explain() string {
	if e == nil {
		return "everything"
	}
	tree, err := parser.ParseWithConfig(e.src, config())
	if err != nil { // it was compiled, so it parses
		return e.src
	}
	s := words(tree.Node, 0)
	var late []string
	for _, name := range e.uses.Names() {
		if f := fieldsByName[name]; f.From == e.point && e.point > ReadQuery {
			late = append(late, name)
		}
	}
	if len(late) > 0 {
		s += fmt.Sprintf("; known at %s because of %s", e.point.Short(), strings.Join(late, ", "))
	}
	return s
}

// Explain says in words where the rule stops, why, and what it does.
func (r *Rule) Explain() string {
	var b strings.Builder
	for i, a := range r.Do {
		if i > 0 {
			b.WriteString(", then ")
		}
		b.WriteString(a.words())
	}
	b.WriteString(" at " + joinPoints(r.Points(), ", "))
	if len(r.At) == 0 && slices.Equal(r.Points(), []Point{ReadQueryResult}) && r.If.Point() == ReadQueryResult {
		b.WriteString(" because of " + strings.Join((r.If.uses&^r.If.uses.knownAt(ReadQuery)).Names(), ", "))
	}
	if r.Pre {
		b.WriteString(", before scripts")
	}
	if r.If != nil {
		b.WriteString(", if " + strings.SplitN(r.If.Explain(), "; known at", 2)[0])
	}
	b.WriteString(r.Hit.words())
	if r.Prob > 0 {
		b.WriteString(fmt.Sprintf(", with chance %s", strconv.FormatFloat(r.Prob, 'g', -1, 64)))
	}
	if r.Once {
		b.WriteString(", once")
		if r.Hit.Per != PerRule {
			b.WriteString(" per " + r.Hit.Per.String())
		}
	}
	if r.For > 0 {
		b.WriteString(fmt.Sprintf("; after %s %s", r.For, r.Then.words()))
	}
	if r.Off {
		b.WriteString(" (off)")
	}
	return b.String()
}

func (h HitCond) words() string {
	var s string
	switch h.Op {
	case "":
		return ""
	case "=":
		s = fmt.Sprintf(", on hit %d only", h.N)
	case "!=":
		s = fmt.Sprintf(", on every hit but %d", h.N)
	case "%":
		s = fmt.Sprintf(", on every %d. hit", h.N)
	case "<=":
		s = fmt.Sprintf(", on the first %d hits", h.N)
	case "<":
		s = fmt.Sprintf(", on the first %d hits", h.N-1)
	case ">=":
		s = fmt.Sprintf(", from hit %d on", h.N)
	case ">":
		s = fmt.Sprintf(", after hit %d", h.N)
	}
	if h.Per != PerRule {
		s += " per " + h.Per.String()
	}
	return s
}

func (a Action) words() string {
	switch a.Kind {
	case Log:
		if a.Text != "" {
			return fmt.Sprintf("log %q", a.Text)
		}
		return "log it"
	case Bell:
		return "ring the bell"
	case Mark:
		return "mark it"
	case Delay:
		return "wait " + a.Delay.String()
	case Err:
		s := fmt.Sprintf("answer error %d", a.Code)
		if a.Text != "" {
			s += fmt.Sprintf(" %q", a.Text)
		}
		return s
	case OK:
		return "answer OK"
	case Close:
		return "close the connection"
	case Hang:
		return "leave the client without an answer"
	case Rewrite:
		return fmt.Sprintf("send %q instead", a.Text)
	}
	return a.Kind.String()
}

var operatorWords = map[string]string{
	"==": "is", "!=": "is not", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "in": "is one of", "contains": "contains",
	"startsWith": "starts with", "endsWith": "ends with", "matches": "matches", "and": "and", "&&": "and", "or": "or", "||": "or",
}

// binding strengths of what words writes, to know where parentheses are needed.
const (
	bindOr = iota + 1
	bindAnd
	bindRest
)

// words writes a condition as a sentence; outer is the strength of what it stands in.
func words(node ast.Node, outer int) string {
	switch n := node.(type) {
	case *ast.UnaryNode:
		if isNot(n) {
			if in, ok := n.Node.(*ast.BinaryNode); ok && in.Operator == "in" && fieldName(in.Right) == "tables" {
				return "does not name table " + words(in.Left, bindRest)
			}
			return "not " + words(n.Node, bindRest)
		}
	case *ast.BinaryNode:
		if and, ok := logical(n.Operator); ok {
			bind := bindOr
			if and {
				bind = bindAnd
			}
			s := words(n.Left, bind) + " " + operatorWords[n.Operator] + " " + words(n.Right, bind)
			if outer > bind || outer != 0 && outer != bind {
				s = "(" + s + ")"
			}
			return s
		}
		if n.Operator == "in" && fieldName(n.Right) == "tables" {
			return "names table " + words(n.Left, bindRest)
		}
		if op, ok := operatorWords[n.Operator]; ok {
			s := words(n.Left, bindRest) + " " + op + " " + words(n.Right, bindRest)
			if outer == bindRest {
				s = "(" + s + ")"
			}
			return s
		}
	case *ast.IdentifierNode:
		switch n.Value {
		case "error", "failed":
			if outer != bindRest {
				return "there is an error"
			}
		}
		if f, ok := fieldsByName[n.Value]; ok && f.Type == "flag" && outer != bindRest {
			return "it is " + n.Value
		}
		return n.Value
	case *ast.ArrayNode:
		var all []string
		for _, x := range n.Nodes {
			all = append(all, words(x, bindRest))
		}
		return strings.Join(all, ", ")
	case *ast.NilNode:
		return "NULL"
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok && id.Value == "param" && len(n.Arguments) == 1 {
			return "parameter " + words(n.Arguments[0], bindRest)
		}
	case *ast.BuiltinNode:
		if len(n.Arguments) == 2 && fieldName(n.Arguments[0]) == "row" && n.Name == "any" {
			return fmt.Sprintf("any row has %s", strings.TrimPrefix(words(n.Arguments[1], 0), "its "))
		}
	case *ast.PredicateNode:
		return words(n.Node, outer)
	case *ast.MemberNode:
		if p, ok := n.Node.(*ast.PointerNode); ok && p.Name == "" {
			if s, ok := n.Property.(*ast.StringNode); ok {
				return s.Value
			}
		}
	}
	return node.String()
}
