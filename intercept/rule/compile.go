package rule

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// noBuiltins are functions of expr that conditions do without: they make a condition depend on
// when it is asked, so that a recording would answer differently, or serve to build values.
var noBuiltins = []string{
	"now", "date", "duration", "timezone", "toJSON", "fromJSON", "toBase64", "fromBase64", "toPairs", "fromPairs",
	"repeat", "bitand", "bitor", "bitxor", "bitnand", "bitnot", "bitshl", "bitshr", "bitushr",
}

// config is made anew for each compilation: it holds caches that are not safe to share.
func config() *conf.Config {
	c := conf.CreateNew()
	c.WithEnv(&Env{})
	for _, name := range noBuiltins {
		c.Disabled[name] = true
		delete(c.Builtins, name)
	}
	for _, f := range functions {
		c.Functions[f.Name] = f
	}
	return c
}

func compile(src string) (*Expr, error) {
	e := &Expr{src: src}
	tree, cfg, err := checked(src)
	if err != nil {
		return nil, err
	}
	e.uses = usedFields(tree.Node)
	e.hooks = namedHooks(tree.Node)
	for e.point = ConnectServer; e.point < ReadQueryResult && e.uses.knownAt(e.point) != e.uses; e.point++ {
	}
	for p := range e.programs {
		if p > 0 { // the tree of the round before has been rewritten
			if tree, cfg, err = checked(src); err != nil {
				return nil, err
			}
		}
		if e.programs[p], e.always[p], err = compileAt(tree, cfg, Point(p)); err != nil {
			return nil, asSyntaxError(src, err)
		}
	}
	return e, nil
}

// checked parses src, checks it, and rewrites it from what people write to what runs.
func checked(src string) (*parser.Tree, *conf.Config, error) {
	cfg := config()
	tree, err := parser.ParseWithConfig(src, cfg)
	if err != nil {
		return nil, nil, parseError(src, err)
	}
	if err := resolve(src, &tree.Node); err != nil {
		return nil, nil, err
	}
	_, err = checker.Check(tree, cfg)
	if bad := notCondition(src, tree.Node, err != nil); bad != nil {
		return nil, nil, bad
	}
	if err != nil {
		return nil, nil, checkError(src, tree.Node, err)
	}
	if err := rewrite(src, &tree.Node); err != nil {
		return nil, nil, err
	}
	if _, err = checker.Check(tree, cfg); err != nil {
		return nil, nil, checkError(src, tree.Node, err)
	}
	return tree, cfg, nil
}

// compileAt makes the program for one point, or tells that it is constant.
func compileAt(tree *parser.Tree, cfg *conf.Config, p Point) (*vm.Program, bool, error) {
	tree.Node = knownPart(tree.Node, p, false)
	if b, ok := tree.Node.(*ast.BoolNode); ok {
		return nil, b.Value, nil
	}
	if _, err := checker.Check(tree, cfg); err != nil {
		return nil, false, err
	}
	if err := optimizer.Optimize(&tree.Node, cfg); err != nil {
		return nil, false, err
	}
	program, err := compiler.Compile(tree, cfg)
	return program, false, err
}

// knownPart is the part of a condition that can be answered at p. Negations are moved inwards to
// the comparisons first, so that taking an unknown comparison for false never makes the whole
// true: a > 1 and not (a > 1) are both not true where a is unknown.
func knownPart(node ast.Node, p Point, neg bool) ast.Node {
	switch n := node.(type) {
	case *ast.UnaryNode:
		if isNot(n) {
			return knownPart(n.Node, p, !neg)
		}
	case *ast.BinaryNode:
		if and, ok := logical(n.Operator); ok {
			return joined(knownPart(n.Left, p, neg), knownPart(n.Right, p, neg), and != neg, node.Location())
		}
	case *ast.BoolNode:
		return constant(n.Value != neg, node)
	}
	if used := usedFields(node); used.knownAt(p) != used {
		return constant(false, node)
	}
	if holds, ok := hookTest(node, p); ok {
		return constant(holds != neg, node)
	}
	if !neg {
		return node
	}
	if c, ok := compareCall(node); ok { // unknown stays unknown when negated
		op := c.Arguments[0].(*ast.StringNode)
		c.Arguments[0] = &ast.StringNode{Value: opposite(op.Value)}
		return node
	}
	not := &ast.UnaryNode{Operator: "not", Node: node}
	not.SetLocation(node.Location())
	return not
}

func joined(l, r ast.Node, and bool, at file.Location) ast.Node {
	for _, side := range [...][2]ast.Node{{l, r}, {r, l}} {
		if b, ok := side[0].(*ast.BoolNode); ok {
			if b.Value == and { // true and x, false or x
				return side[1]
			}
			return b
		}
	}
	op := "or"
	if and {
		op = "and"
	}
	n := &ast.BinaryNode{Operator: op, Left: l, Right: r}
	n.SetLocation(at)
	return n
}

func constant(v bool, old ast.Node) ast.Node {
	n := &ast.BoolNode{Value: v}
	n.SetLocation(old.Location())
	return n
}

func isNot(n *ast.UnaryNode) bool { return n.Operator == "not" || n.Operator == "!" }

// logical tells and from or.
func logical(op string) (and, ok bool) {
	switch op {
	case "and", "&&":
		return true, true
	case "or", "||":
		return false, true
	}
	return false, false
}

// usedFields is the set of fields below a node.
func usedFields(node ast.Node) FieldSet {
	var v fieldFinder
	ast.Walk(&node, &v)
	return v.found
}

type fieldFinder struct{ found FieldSet }

func (v *fieldFinder) Visit(node *ast.Node) {
	if id, ok := (*node).(*ast.IdentifierNode); ok {
		v.found |= fieldsByExpr[id.Value].bit
	}
}

// notCondition finds a part that stands where true or false must and is neither. Where the check
// has failed already, parts of unknown type are left to its message.
func notCondition(src string, node ast.Node, failed bool) error {
	switch n := node.(type) {
	case *ast.UnaryNode:
		if isNot(n) {
			return notCondition(src, n.Node, failed)
		}
	case *ast.BinaryNode:
		if _, ok := logical(n.Operator); ok {
			if err := notCondition(src, n.Left, failed); err != nil {
				return err
			}
			return notCondition(src, n.Right, failed)
		}
	}
	t := node.Type()
	if t.Kind() == reflect.Bool || failed && t.Kind() == reflect.Interface {
		return nil
	}
	e := errorAt(src, node, fmt.Sprintf("%s is a %s, not a condition", describe(node), typeWord(t)))
	switch typeWord(t) {
	case "number":
		e.Hint = fmt.Sprintf("compare it: %s > 0", describe(node))
	case "text":
		e.Hint = fmt.Sprintf(`compare it: %s == "…"`, describe(node))
	case "list of text":
		e.Hint = fmt.Sprintf(`ask for a member: "…" in %s`, describe(node))
	case "value":
		e.Hint = fmt.Sprintf("compare it: %s == 1", describe(node))
	}
	return e
}

// asSyntaxError gives an error of expr a place in src.
func asSyntaxError(src string, err error) *SyntaxError {
	var se *SyntaxError
	if errors.As(err, &se) {
		return se
	}
	var fe *file.Error
	if errors.As(err, &fe) {
		return &SyntaxError{Src: src, Off: byteOffset(src, fe.From), Msg: fe.Message}
	}
	msg, _, _ := strings.Cut(err.Error(), "\n")
	return &SyntaxError{Src: src, Msg: msg}
}

func errorAt(src string, node ast.Node, msg string) *SyntaxError {
	return &SyntaxError{Src: src, Off: byteOffset(src, node.Location().From), Msg: msg}
}

// byteOffset turns expr's position, which counts characters, into bytes.
func byteOffset(src string, runes int) int {
	for i := range src {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(src)
}
