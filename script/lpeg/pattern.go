package lpeg

import (
	lua "github.com/yuin/gopher-lua"
)

// kind is what a node of a pattern matches.
type kind uint8

const (
	empty     kind = iota // ""
	never                 // nothing
	text                  // text
	set                   // one byte of set
	anything              // n bytes
	sequence              // a, then b
	choice                // a, or else b
	repeat                // a as often as possible
	not                   // "" where a does not match
	and                   // "" where a matches
	behind                // "" where a matches the n bytes before
	capture               // a, with what becomes of it
	matchTime             // a, then what a function says of it
	open                  // the rule named value of a grammar to come
	call                  // rule
	rules                 // grammar
)

// node is a pattern. It does not change once it is made; patterns share parts.
type node struct {
	kind    kind
	what    what // of a capture
	n       int
	a, b    *node
	text    string
	set     charset
	value   lua.LValue // what belongs to a capture; the name of an open rule
	rule    *rule
	grammar *grammar

	size, depth int // of the tree, shared parts counted each time
	isOpen      bool
	asked, yes  property // which properties are known, and which it has
}

// The limits of a pattern. Compiling takes some 40 bytes of a program per part and some 500 of Go's stack
// per level.
const (
	maxSize  = 1 << 20
	maxDepth = 1 << 17
)

// made completes a node.
func made(n node) *node {
	n.size = 1
	for _, sub := range [...]*node{n.a, n.b} {
		if sub != nil {
			n.size = min(n.size+sub.size, maxSize+1)
			n.depth = max(n.depth, sub.depth+1)
			n.isOpen = n.isOpen || sub.isOpen
		}
	}
	n.isOpen = n.isOpen || n.kind == open
	if n.grammar != nil {
		n.size, n.depth = n.grammar.size, n.grammar.depth
	}
	return &n
}

func (n *node) tooLarge() bool { return n.size > maxSize || n.depth > maxDepth }

func newText(s string) *node {
	if s == "" {
		return made(node{kind: empty})
	}
	return made(node{kind: text, text: s})
}

func newNumber(n int) *node {
	switch {
	case n > 0:
		return made(node{kind: anything, n: n})
	case n < 0:
		return made(node{kind: not, a: made(node{kind: anything, n: -n})})
	}
	return made(node{kind: empty})
}

func newSet(s charset) *node { return made(node{kind: set, set: s}) }

// newSequence leaves out what changes nothing, as newChoice does.
func newSequence(a, b *node) *node {
	switch {
	case a.kind == never || b.kind == empty:
		return a
	case a.kind == empty:
		return b
	}
	return made(node{kind: sequence, a: a, b: b})
}

func newChoice(a, b *node) *node {
	if sa, ok := a.charset(); ok {
		if sb, ok := b.charset(); ok {
			return newSet(sa.or(sb))
		}
	}
	switch {
	case a.is(unfailing) || b.kind == never:
		return a
	case a.kind == never:
		return b
	}
	return made(node{kind: choice, a: a, b: b})
}

// newDifference is what a matches where b does not.
func newDifference(a, b *node) *node {
	if sa, ok := a.charset(); ok {
		if sb, ok := b.charset(); ok {
			return newSet(sa.without(sb))
		}
	}
	return made(node{kind: sequence, a: made(node{kind: not, a: b}), b: a})
}

// newPower is at least n times a, or at most -n times, nothing left out. It is nil if that would be too
// large.
func newPower(a *node, n int) *node {
	times := max(n, -n)
	if times < 0 || times > maxSize || times*(a.size+1) > maxSize {
		return nil
	}
	if n >= 0 {
		p := made(node{kind: repeat, a: a})
		for range n {
			p = made(node{kind: sequence, a: a, b: p})
		}
		return p
	}
	p := made(node{kind: empty})
	for i := range times {
		if i == 0 {
			p = made(node{kind: choice, a: a, b: p})
		} else {
			p = made(node{kind: choice, a: made(node{kind: sequence, a: a, b: p}), b: made(node{kind: empty})})
		}
	}
	return p
}

func newCapture(w what, a *node, value lua.LValue) *node {
	return made(node{kind: capture, what: w, a: a, value: value})
}

// newEmptyCapture is a capture of "", of a position, say.
func newEmptyCapture(w what, value lua.LValue, n int) *node {
	return made(node{kind: capture, what: w, a: made(node{kind: empty}), value: value, n: n})
}

// charset is the bytes that n matches if it matches exactly one.
func (n *node) charset() (charset, bool) {
	switch {
	case n.kind == set:
		return n.set, true
	case n.kind == anything && n.n == 1:
		return every, true
	case n.kind == text && len(n.text) == 1:
		var s charset
		s.add(n.text[0])
		return s, true
	}
	return charset{}, false
}

// property is a question about a pattern with the answer yes or no.
type property uint8

const (
	nullable  property = 1 << iota // it may match without using up a byte
	unfailing                      // it always matches
	headed                         // only the first byte decides whether it matches
	calling                        // a function may be called while it matches
)

// is answers for rules that are not left recursive; those of a grammar to come have no property.
func (n *node) is(p property) bool {
	if n.asked&p == 0 {
		n.asked |= p // no, should the question come back to n
		if n.holds(p) {
			n.yes |= p
		}
	}
	return n.yes&p != 0
}

func (n *node) holds(p property) bool {
	switch n.kind {
	case empty:
		return p&(nullable|unfailing) != 0
	case never, set:
		return p == headed
	case text, anything:
		return p == headed && max(n.n, len(n.text)) == 1
	case repeat:
		return p&(nullable|unfailing) != 0 || p == calling && n.a.is(p)
	case not:
		return p == nullable || p == calling && n.a.is(p)
	case behind:
		return p == nullable
	case and:
		return p == nullable || n.a.is(p)
	case sequence:
		switch p {
		case headed:
			return n.a.is(headed) && n.b.is(unfailing)
		case calling:
			return n.a.is(p) || n.b.is(p)
		}
		return n.a.is(p) && n.b.is(p)
	case choice:
		if p == headed {
			return n.a.is(p) && n.b.is(p)
		}
		return n.b.is(p) || n.a.is(p)
	case capture:
		return n.a.is(p)
	case matchTime:
		return p == calling || p == nullable && n.a.is(p)
	case call:
		return p == calling || n.rule.body.is(p)
	case rules:
		return p == calling || n.grammar.rules[0].body.is(p)
	}
	return false
}

// captures reports whether there are captures in n.
func (n *node) captures() bool {
	switch n.kind {
	case capture, matchTime:
		return true
	case call:
		return n.rule.captures()
	case rules:
		return n.grammar.rules[0].captures()
	}
	return n.a != nil && n.a.captures() || n.b != nil && n.b.captures()
}

// first are the bytes that a match of n can begin with. It is not ok if the match may be empty.
func (n *node) first() (s charset, ok bool) {
	if c, ok := n.charset(); ok {
		return c, true
	}
	switch n.kind {
	case never:
		return charset{}, true
	case text:
		s.add(n.text[0])
		return s, true
	case anything:
		return every, true
	case sequence:
		if n.a.is(nullable) && n.a.is(calling) {
			return every, false // the function is called whatever comes
		}
		sa, ok := n.a.first()
		if ok {
			return sa, true
		}
		sb, ok := n.b.first()
		return sa.or(sb), ok
	case choice:
		sa, oka := n.a.first()
		sb, okb := n.b.first()
		return sa.or(sb), oka && okb
	case capture, matchTime:
		return n.a.first()
	case repeat:
		s, _ = n.a.first()
		return s, false
	case call:
		return n.rule.first()
	case rules:
		return n.grammar.rules[0].first()
	}
	return charset{}, false
}

// length is how many bytes n matches, -1 if that differs.
func (n *node) length() int {
	switch n.kind {
	case text, anything, set:
		return max(n.n, len(n.text), 1)
	case repeat, matchTime, open:
		return -1
	case sequence:
		a, b := n.a.length(), n.b.length()
		if a < 0 || b < 0 {
			return -1
		}
		return a + b
	case choice:
		if a := n.a.length(); a == n.b.length() {
			return a
		}
		return -1
	case capture:
		return n.a.length()
	case call:
		return n.rule.length()
	case rules:
		return n.grammar.rules[0].length()
	}
	return 0
}
