package lpeg

import "fmt"

// op is an instruction of the machine.
type op uint8

const (
	opEnd          op = iota
	opText            // text, or fail
	opSet             // a byte of set, or fail
	opAny             // n bytes, or fail
	opSpan            // bytes of set as long as there are some
	opBehind          // n bytes back, or fail
	opTest            // go to n unless a byte of set is next
	opChoice          // come back to n after a failure
	opCommit          // forget the newest choice and go to n
	opAgain           // let the newest choice begin here and go to n
	opBackCommit      // go to n, and back to the newest choice in the subject and the captures
	opFailTwice       // forget the newest choice, and fail
	opFail            // go back to the newest choice
	opJump            // go to n
	opCall            // run the rule at n
	opReturn          // go on behind the call
	opCapture         // a capture of ""
	opOpenCapture     // a capture begins
	opCloseCapture    // the capture that began last ends
	opMatchTime       // the capture that began last ends and decides
)

var opNames = [...]string{
	"end", "text", "set", "any", "span", "behind", "test", "choice", "commit", "again", "back-commit", "fail-twice",
	"fail", "jump", "call", "return", "capture", "open-capture", "close-capture", "match-time",
}

// instr is an instruction. Which of the fields have a meaning depends on its op.
type instr struct {
	op   op
	n    int
	node *node // of a capture, a text, a set
	set  *charset
}

// program is a pattern for the machine.
type program []instr

// compile makes the program of a pattern that calls no rules outside a grammar.
func compile(n *node) program {
	c := compiler{starts: map[*rule]int{}}
	c.node(n, false)
	c.add(instr{op: opEnd})
	c.follow()
	return c.prog
}

type compiler struct {
	prog   program
	starts map[*rule]int
	calls  []pending
}

// pending is a call of a rule that has no place in the program yet.
type pending struct {
	at   int
	rule *rule
}

func (c *compiler) add(i instr) int {
	c.prog = append(c.prog, i)
	return len(c.prog) - 1
}

// here lets the jumps at the places go to what comes next.
func (c *compiler) here(places ...int) {
	for _, at := range places {
		c.prog[at].n = len(c.prog)
	}
}

// test jumps away, to a place to be set, unless a match of n can begin here. Nothing is added for
// patterns that match anything anywhere.
func (c *compiler) test(n *node) (at int, ok bool) {
	s, ok := n.first()
	if !ok {
		return 0, false
	}
	return c.add(instr{op: opTest, set: &s}), true
}

// node adds the instructions of n. A tail is the last thing its rule does.
func (c *compiler) node(n *node, tail bool) {
	if s, ok := n.charset(); ok {
		c.add(instr{op: opSet, set: &s, node: n})
		return
	}
	switch n.kind {
	case text:
		c.add(instr{op: opText, node: n})
	case set:
		c.add(instr{op: opSet, node: n, set: &n.set})
	case anything:
		c.add(instr{op: opAny, n: n.n})
	case never:
		c.add(instr{op: opFail})
	case sequence:
		c.node(n.a, false)
		c.node(n.b, tail)
	case choice:
		c.choice(n, tail)
	case repeat:
		c.repeat(n)
	case not:
		c.not(n)
	case and:
		c.and(n)
	case behind:
		if n.n > 0 {
			c.add(instr{op: opBehind, n: n.n})
		}
		c.node(n.a, false)
	case capture:
		if n.a.kind == empty {
			c.add(instr{op: opCapture, node: n})
			return
		}
		c.add(instr{op: opOpenCapture, node: n})
		c.node(n.a, false)
		c.add(instr{op: opCloseCapture})
	case matchTime:
		c.add(instr{op: opOpenCapture, node: n})
		c.node(n.a, false)
		c.add(instr{op: opMatchTime, node: n})
	case call:
		c.call(n.rule, tail)
	case rules:
		c.call(n.grammar.rules[0], tail)
	}
}

func (c *compiler) call(r *rule, tail bool) {
	op := opCall
	if tail {
		op = opJump
	}
	c.calls = append(c.calls, pending{c.add(instr{op: op}), r})
}

// follow adds the rules that are called, each once.
func (c *compiler) follow() {
	for i := 0; i < len(c.calls); i++ {
		p := c.calls[i]
		start, ok := c.starts[p.rule]
		if !ok {
			start = len(c.prog)
			c.starts[p.rule] = start
			c.node(p.rule.body, true)
			c.add(instr{op: opReturn})
		}
		c.prog[p.at].n = start
	}
}

// choice tries the alternatives in turn. One that differs from all the others in its first byte, or
// fails by that alone, needs no way back.
func (c *compiler) choice(n *node, tail bool) {
	var all []*node
	for ; n.kind == choice; n = n.a {
		all = append(all, n.b) // the last alternative first
	}
	all = append(all, n)
	rest := make([]charset, len(all)) // what any of the alternatives before i in all may begin with
	after := charset{}
	for i, a := range all {
		rest[i] = after
		if s, ok := a.first(); ok {
			after = after.or(s)
		} else {
			after = every
		}
	}
	var ends []int
	for i := len(all) - 1; i > 0; i-- {
		a := all[i]
		s, ok := a.first()
		var next []int
		if ok {
			next = append(next, c.add(instr{op: opTest, set: &s}))
		}
		if ok && (a.is(headed) || !s.meets(rest[i])) {
			c.node(a, tail)
			ends = append(ends, c.add(instr{op: opJump}))
		} else {
			next = append(next, c.add(instr{op: opChoice}))
			c.node(a, false)
			ends = append(ends, c.add(instr{op: opCommit}))
		}
		c.here(next...)
	}
	c.node(all[0], tail)
	c.here(ends...)
}

func (c *compiler) repeat(n *node) {
	if s, ok := n.a.charset(); ok {
		c.add(instr{op: opSpan, set: &s})
		return
	}
	start := len(c.prog)
	if n.a.is(headed) {
		if test, ok := c.test(n.a); ok {
			c.node(n.a, false)
			c.add(instr{op: opJump, n: start})
			c.here(test)
			return
		}
	}
	test, tested := c.test(n.a)
	way := c.add(instr{op: opChoice})
	start = len(c.prog)
	c.node(n.a, false)
	c.add(instr{op: opAgain, n: start})
	c.here(way)
	if tested {
		c.here(test)
	}
}

func (c *compiler) not(n *node) {
	test, tested := c.test(n.a)
	if tested && n.a.is(headed) && !n.a.is(calling) {
		c.add(instr{op: opFail})
		c.here(test)
		return
	}
	way := c.add(instr{op: opChoice})
	c.node(n.a, false)
	c.add(instr{op: opFailTwice})
	c.here(way)
	if tested {
		c.here(test)
	}
}

func (c *compiler) and(n *node) {
	if long := n.a.length(); long >= 0 && !n.a.captures() {
		c.node(n.a, false)
		if long > 0 {
			c.add(instr{op: opBehind, n: long})
		}
		return
	}
	way := c.add(instr{op: opChoice})
	c.node(n.a, false)
	done := c.add(instr{op: opBackCommit})
	c.here(way)
	c.add(instr{op: opFail})
	c.here(done)
}

// String is the instruction in a listing.
func (i instr) String() string {
	switch i.op {
	case opText:
		return fmt.Sprintf("text %q", i.node.text)
	case opSet, opSpan:
		return opNames[i.op] + " " + i.set.String()
	case opTest:
		return fmt.Sprintf("test %s else %d", i.set, i.n)
	case opAny, opBehind, opChoice, opCommit, opAgain, opBackCommit, opJump, opCall:
		return fmt.Sprintf("%s %d", opNames[i.op], i.n)
	case opCapture, opOpenCapture:
		return opNames[i.op] + " " + i.node.what.String()
	}
	return opNames[i.op]
}
