package rule

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// parseError puts a parser's complaint into words of this language.
func parseError(src string, err error) *SyntaxError {
	e := asSyntaxError(src, err)
	msg := e.Msg
	switch {
	case strings.HasPrefix(msg, "unexpected token EOF"), strings.HasPrefix(msg, "unexpected end"):
		e.Msg, e.Off = "the condition ends too early", len(strings.TrimRight(src, " \t\n"))
	case strings.HasPrefix(msg, "literal not terminated"):
		e.Msg, e.Hint = "text without its closing quote", ""
	case strings.HasPrefix(msg, "unexpected token "):
		word := tokenText(strings.TrimPrefix(msg, "unexpected token "))
		e.Msg, e.Hint = fmt.Sprintf("unexpected %q", word), foreignOperators[strings.ToLower(word)]
	case strings.HasPrefix(msg, "unrecognized character"):
		r := []rune(src[min(e.Off, len(src)):] + " ")[0]
		e.Msg, e.Hint = fmt.Sprintf("unexpected %q", string(r)), foreignOperators[string(r)]
	case strings.HasPrefix(msg, "bad number syntax"):
		for e.Off > 0 && strings.IndexByte("0123456789abcdefghijklmnopqrstuvwxyz_.", src[e.Off-1]) >= 0 {
			e.Off--
		}
		e.Msg = "bad number " + strings.TrimPrefix(msg, "bad number syntax: ")
		e.Hint = "numbers have no unit: ms counts milliseconds, tx_age seconds, bytes and len bytes"
	}
	return e
}

var foreignOperators = map[string]string{
	"=": "use == to compare", "<>": "use !=", "~": `use matches "…"`, "!~": `use not … matches "…"`, "&": "use and", "|": "use or",
	"like": `use contains, startsWith or matches "…"`, "has": "use contains", "is": "use == nil or != nil", "rlike": "use matches", "regexp": "use matches",
	"between": "use >= and <=", "and": "write and in lower case", "or": "write or in lower case", "not": "write not in lower case", "in": "write in in lower case",
	"(": `lists are written ["a", "b"]`, ">": "use != to compare, or >=",
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// tokenText takes the text out of expr's name for a token, such as Identifier("like").
func tokenText(token string) string {
	if q := quoted.FindString(token); q != "" {
		if s, err := strconv.Unquote(q); err == nil {
			return s
		}
	}
	return token
}

// checkError puts a type checker's complaint into words of this language.
func checkError(src string, root ast.Node, err error) *SyntaxError {
	e := asSyntaxError(src, err)
	var fe *file.Error
	if !errors.As(err, &fe) {
		return e
	}
	at := &finder{from: fe.From}
	ast.Walk(&root, at)
	switch {
	case strings.HasPrefix(fe.Message, "error parsing regexp: ") && at.binary != nil:
		return regexpError(src, at.binary, fe.Message)
	case strings.HasPrefix(fe.Message, "invalid operation") && at.unary != nil && at.binary == nil:
		e.Msg = fmt.Sprintf("%s does not go with %s", at.unary.Operator, withType(at.unary.Node))
		if isNot(at.unary) {
			e.Hint = "to negate a comparison, put it in parentheses: not (a == b)"
		}
		return e
	case at.binary != nil && (strings.HasPrefix(fe.Message, "invalid operation") || strings.HasPrefix(fe.Message, "cannot use")):
		return mismatch(e, at.binary)
	case at.member != nil:
		return memberError(e, at.member)
	}
	e.Msg = goTypes.Replace(e.Msg)
	return e
}

var goTypes = strings.NewReplacer(
	"interface {}", "value", "[]map[string]value", "list of rows", "[]string", "list of text", "map[string]string", "map",
	"rule.ErrorInfo", "error", "string", "text", "float64", "number", "int", "number", "bool", "flag", "array", "list", "hook_", "hook", "param_", "param",
)

// finder looks for the nodes at a position, the outermost last.
type finder struct {
	from   int
	binary *ast.BinaryNode
	unary  *ast.UnaryNode
	member *ast.MemberNode
}

func (f *finder) Visit(node *ast.Node) {
	if m, ok := (*node).(*ast.MemberNode); ok && m.Property.Location().From == f.from {
		f.member = m
	}
	if (*node).Location().From != f.from {
		return
	}
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		f.binary = n
	case *ast.UnaryNode:
		f.unary = n
	case *ast.MemberNode:
		f.member = n
	}
}

func regexpError(src string, n *ast.BinaryNode, msg string) *SyntaxError {
	msg = strings.TrimPrefix(msg, "error parsing regexp: ")
	e := errorAt(src, n.Right, "bad regular expression: "+msg)
	if strings.Contains(msg, "invalid or unsupported Perl syntax") {
		e.Hint = "patterns are RE2: no look-around, no back references"
	}
	return e
}

func mismatch(e *SyntaxError, n *ast.BinaryNode) *SyntaxError {
	l, r := typeWord(n.Left.Type()), typeWord(n.Right.Type())
	e.Msg = fmt.Sprintf("%s does not go with %s and %s", n.Operator, withType(n.Left), withType(n.Right))
	if compares(n.Operator) && n.Operator != "in" {
		e.Msg = fmt.Sprintf("cannot compare %s with %s", withType(n.Left), withType(n.Right))
	}
	u, negated := n.Left.(*ast.UnaryNode)
	str, constant := n.Right.(*ast.StringNode)
	switch {
	case negated && isNot(u):
		e.Hint = "to negate a comparison, put it in parentheses: not (a == b)"
	case l == "list of text" && r == "text":
		e.Hint = fmt.Sprintf("use %s in %s", describe(n.Right), describe(n.Left))
	case l == "text" && r == "number":
		e.Hint = fmt.Sprintf("put it in quotes: \"%s\"", describe(n.Right))
	case l == "number" && constant:
		e.Hint = "write the number without quotes"
		if _, err := strconv.ParseFloat(str.Value, 64); err != nil {
			e.Hint = describe(n.Left) + " is a number"
		}
	case l == "flag" && compares(n.Operator):
		e.Hint = fmt.Sprintf("%s is true or false: write it alone, or not %s", describe(n.Left), describe(n.Left))
	case n.Operator == "in" && r == "text":
		e.Hint = fmt.Sprintf("use %s contains %s", describe(n.Right), describe(n.Left))
	}
	return e
}

func memberError(e *SyntaxError, m *ast.MemberNode) *SyntaxError {
	name, ok := m.Property.(*ast.StringNode)
	if !ok {
		e.Msg = goTypes.Replace(e.Msg)
		return e
	}
	base := typeWord(m.Node.Type())
	e.Off = byteOffset(e.Src, name.Location().From)
	e.Msg = fmt.Sprintf("%s has no field %q", withType(m.Node), name.Value)
	switch base {
	case "error":
		parts := []string{"code", "sqlstate", "message"}
		e.Hint = "it has code, sqlstate and message"
		if near := Nearest(name.Value, parts); near != "" {
			e.Hint = fmt.Sprintf("did you mean %q?", near)
		}
	case "list of rows":
		e.Hint = fmt.Sprintf("ask for any row: any(%s, .%s == …)", describe(m.Node), name.Value)
	case "text":
		if compares(name.Value) {
			e.Hint = fmt.Sprintf(`write %s %s "…"`, describe(m.Node), name.Value)
		}
	}
	return e
}

func withType(node ast.Node) string {
	t := typeWord(node.Type())
	if t == "error" || t == "value" {
		return describe(node)
	}
	return fmt.Sprintf("%s (%s)", describe(node), t)
}

// describe writes a node as people write it, whatever resolving made of it.
func describe(node ast.Node) string {
	if name := fieldName(node); name != "" {
		return name
	}
	switch n := node.(type) {
	case *ast.StringNode:
		return strconv.Quote(n.Value)
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok && id.Value == "param_" && len(n.Arguments) == 2 {
			return "param(" + describe(n.Arguments[1]) + ")"
		}
	}
	return strings.NewReplacer("len_", "len", "hook_(at_)", "hook", "param_(params, ", "param(").Replace(node.String())
}
