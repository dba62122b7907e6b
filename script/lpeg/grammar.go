package lpeg

import (
	"errors"
	"fmt"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

// grammar is rules that call each other. The first is where a match begins.
type grammar struct {
	rules       []*rule
	size, depth int
}

// rule is a named pattern of a grammar.
type rule struct {
	name    lua.LValue
	body    *node
	used    bool
	visited bool // while a question is asked that would go round in circles
	heads   *heads
}

// heads is the answer of rule.first.
type heads struct {
	set charset
	ok  bool
}

func (r *rule) first() (charset, bool) {
	if r.heads == nil {
		r.heads = &heads{set: every} // for a rule that calls itself in a predicate
		s, ok := r.body.first()
		r.heads = &heads{s, ok}
	}
	return r.heads.set, r.heads.ok
}

func (r *rule) length() int {
	if r.visited {
		return -1
	}
	r.visited = true
	defer func() { r.visited = false }()
	return r.body.length()
}

func (r *rule) captures() bool {
	if r.visited {
		return false
	}
	r.visited = true
	defer func() { r.visited = false }()
	return r.body.captures()
}

// mostRules is how many rules a grammar may have, as in Debian's LPeg.
const mostRules = 250

var errTooManyRules = errors.New("grammar has too many rules")

// newGrammar makes a pattern of the rules in a table. Its errors name the rule.
func newGrammar(l *lua.LState, t *lua.LTable) (*node, error) {
	g := &grammar{}
	byName := map[lua.LValue]*rule{}
	add := func(name lua.LValue, body *node) {
		r := &rule{name: name, body: body}
		g.rules = append(g.rules, r)
		byName[name] = r
	}
	name, start := lua.LValue(lua.LNumber(1)), t.RawGetInt(1)
	if _, ok := lua51.Text(start); ok {
		name = start
		start = l.GetTable(t, name)
	}
	switch p := asPattern(start); {
	case p != nil:
		add(name, p.tree)
	case start == lua.LNil:
		return nil, fmt.Errorf("grammar has no initial rule")
	default:
		return nil, fmt.Errorf("initial rule '%s' is not a pattern", nameOf(name))
	}
	var bad error
	t.ForEach(func(k, v lua.LValue) {
		if f, ok := lua51.Number(k); ok && f == 1 || k == name || bad != nil {
			return
		}
		if p := asPattern(v); p != nil {
			add(k, p.tree)
		} else {
			bad = fmt.Errorf("rule '%s' is not a pattern", nameOf(k))
		}
	})
	if bad != nil {
		return nil, bad
	}
	if len(g.rules) > mostRules {
		return nil, errTooManyRules
	}
	g.size = 1
	for _, r := range g.rules {
		g.size = min(g.size+1+r.body.size, maxSize+1)
		g.depth = max(g.depth, r.body.depth+2)
	}
	n := made(node{kind: rules, grammar: g})
	if n.tooLarge() {
		return n, nil // the caller says so
	}
	g.rules[0].used = true
	for _, r := range g.rules {
		if r.body, bad = r.body.closed(byName); bad != nil {
			return nil, bad
		}
	}
	return n, g.verify()
}

// closed is n with the rules that it names.
func (n *node) closed(byName map[lua.LValue]*rule) (*node, error) {
	if !n.isOpen {
		return n, nil
	}
	if n.kind == open {
		r := byName[n.value]
		if r == nil {
			return nil, fmt.Errorf("rule '%s' undefined in given grammar", nameOf(n.value))
		}
		r.used = true
		return made(node{kind: call, rule: r}), nil
	}
	c := *n
	c.asked, c.yes, c.isOpen = 0, 0, false
	var err error
	if n.a != nil {
		if c.a, err = n.a.closed(byName); err != nil {
			return nil, err
		}
	}
	if n.b != nil {
		if c.b, err = n.b.closed(byName); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

// firstOpen is the name of the rule that n calls outside any grammar.
func (n *node) firstOpen() lua.LValue {
	for n.kind != open {
		if n.a != nil && n.a.isOpen {
			n = n.a
		} else {
			n = n.b
		}
	}
	return n.value
}

// verify finds rules that would never end. A rule that nothing calls may be left recursive.
func (g *grammar) verify() error {
	v := verifier{passes: map[*rule]bool{}}
	for _, r := range g.rules {
		if r.used {
			if _, err := v.rule(r); err != nil {
				return err
			}
		}
	}
	for _, r := range g.rules {
		if r.used && r.body.loops() {
			return fmt.Errorf("empty loop in rule '%s'", nameOf(r.name))
		}
	}
	return nil
}

// verifier follows what a match may reach without using up a byte.
type verifier struct {
	passes map[*rule]bool // of rules that were followed to their ends: whether they may be passed
	path   []*rule
}

// rule reports whether the end of r can be reached without using up a byte.
func (v *verifier) rule(r *rule) (bool, error) {
	if p, ok := v.passes[r]; ok {
		return p, nil
	}
	if at := slices.Index(v.path, r); at >= 0 {
		// LPeg goes round until it has passed mostRules rules after the first, and names the last of them.
		round := len(v.path) - at
		if mostRules-round < max(at, 1) {
			return false, fmt.Errorf("too many left calls in grammar")
		}
		return false, fmt.Errorf("rule '%s' may be left recursive", nameOf(v.path[at+(mostRules-at)%round].name))
	}
	v.path = append(v.path, r)
	p, err := v.node(r.body)
	v.path = v.path[:len(v.path)-1]
	if err == nil {
		v.passes[r] = p
	}
	return p, err
}

func (v *verifier) node(n *node) (bool, error) {
	switch n.kind {
	case empty, behind:
		return true, nil
	case not, and, repeat:
		_, err := v.node(n.a)
		return true, err
	case capture, matchTime:
		return v.node(n.a)
	case call:
		return v.rule(n.rule)
	case sequence:
		if p, err := v.node(n.a); !p || err != nil {
			return false, err
		}
		return v.node(n.b)
	case choice:
		a, err := v.node(n.a)
		if err != nil {
			return false, err
		}
		b, err := v.node(n.b)
		return a || b, err
	case rules:
		return n.is(nullable), nil // was verified when it was made
	}
	return false, nil
}

// loops reports whether a repetition in n may go on without using up a byte.
func (n *node) loops() bool {
	if n.kind == repeat && n.a.is(nullable) {
		return true
	}
	return n.a != nil && n.a.loops() || n.b != nil && n.b.loops()
}

// nameOf is the name of a rule in messages.
func nameOf(v lua.LValue) string {
	if s, ok := lua51.Text(v); ok {
		return s
	}
	return "(a " + v.Type().String() + ")"
}
