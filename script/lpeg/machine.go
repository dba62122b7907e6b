package lpeg

import (
	lua "github.com/yuin/gopher-lua"
)

// machine runs a program on a subject.
type machine struct {
	l       *lua.LState
	tick    func(*lua.LState)
	subject string
	args    []lua.LValue // lpeg.Carg's
	most    int          // entries of stack

	stack  []frame
	marks  []mark
	values []lua.LValue // results of match-time captures
	steps  int          // since the last tick
}

// frame is a choice to come back to, or a call.
type frame struct {
	to     int // in the program
	at     int // in the subject; inCall for a call
	marks  int
	values int
}

const inCall = -1

// mark is where a capture begins or ends.
type mark struct {
	node  *node // nil for an end and for a result of a match-time capture
	at    int32
	n     int32 // a result's place in values
	shape shape
}

type shape uint8

const (
	begins shape = iota
	ends
	whole  // a capture of ""
	result // of a match-time capture
)

// The limits of a match. The stack has at least leastStack entries whatever lpeg.setmaxstack is given.
const (
	mostCaptures = 1 << 21
	leastStack   = 400
	mostStack    = 1 << 20
	longest      = 256 << 20 // bytes of a subject or a result
)

const (
	stepsPerTick = 4096
	bytesPerStep = 16 // of a span or a text
)

// pass counts what a match does, and ends it when its time is over.
func (m *machine) pass() {
	m.passAll(1)
}

func (m *machine) passAll(steps int) {
	if m.steps += steps; m.steps >= stepsPerTick {
		m.steps = 0
		m.tick(m.l)
	}
}

func (m *machine) push(f frame) {
	if len(m.stack)+1 >= m.most { // one less, as C's stack begins with an entry of its own
		m.l.RaiseError("backtrack stack overflow (current limit is %d)", m.most)
	}
	m.stack = append(m.stack, f)
}

func (m *machine) mark(k mark) {
	if len(m.marks) >= mostCaptures {
		m.l.RaiseError("too many captures")
	}
	m.marks = append(m.marks, k)
}

// run returns where the match from at on ends, -1 without one.
func (m *machine) run(prog program, at int) int {
	s, pc := m.subject, 0
	for {
		m.pass()
		i := &prog[pc]
		pc++
		failed := false
		switch i.op {
		case opEnd:
			return at
		case opText:
			t := i.node.text
			if failed = len(s)-at < len(t) || s[at:at+len(t)] != t; !failed {
				at += len(t)
			}
		case opSet:
			if failed = at >= len(s) || !i.set.has(s[at]); !failed {
				at++
			}
		case opAny:
			if failed = len(s)-at < i.n; !failed {
				at += i.n
			}
		case opSpan:
			from := at
			for at < len(s) && i.set.has(s[at]) {
				at++
			}
			m.passAll((at - from) / bytesPerStep)
		case opBehind:
			if failed = at < i.n; !failed {
				at -= i.n
			}
		case opTest:
			if at >= len(s) || !i.set.has(s[at]) {
				pc = i.n
			}
		case opChoice:
			m.push(frame{i.n, at, len(m.marks), len(m.values)})
		case opCommit:
			m.stack = m.stack[:len(m.stack)-1]
			pc = i.n
		case opAgain:
			top := &m.stack[len(m.stack)-1]
			top.at, top.marks, top.values = at, len(m.marks), len(m.values)
			pc = i.n
		case opBackCommit:
			top := m.stack[len(m.stack)-1]
			m.stack, m.marks, m.values = m.stack[:len(m.stack)-1], m.marks[:top.marks], m.values[:top.values]
			pc, at = i.n, top.at
		case opFailTwice:
			m.stack = m.stack[:len(m.stack)-1]
			failed = true
		case opFail:
			failed = true
		case opJump:
			pc = i.n
		case opCall:
			m.push(frame{to: pc, at: inCall})
			pc = i.n
		case opReturn:
			pc = m.stack[len(m.stack)-1].to
			m.stack = m.stack[:len(m.stack)-1]
		case opCapture:
			m.mark(mark{node: i.node, at: int32(at), shape: whole})
		case opOpenCapture:
			m.mark(mark{node: i.node, at: int32(at), shape: begins})
		case opCloseCapture:
			m.mark(mark{at: int32(at), shape: ends})
		case opMatchTime:
			to, ok := m.decide(at)
			at, failed = to, !ok
		}
		if !failed {
			continue
		}
		top := len(m.stack) - 1
		for top >= 0 && m.stack[top].at == inCall {
			top--
		}
		if top < 0 {
			return -1
		}
		f := m.stack[top]
		m.stack, m.marks, m.values = m.stack[:top], m.marks[:f.marks], m.values[:f.values]
		pc, at = f.to, f.at
	}
}

// decide ends a match-time capture at a place in the subject: its function says whether it matches, where
// it ends, and what its values are.
func (m *machine) decide(at int) (int, bool) {
	m.mark(mark{at: int32(at), shape: ends})
	begin := m.begin(len(m.marks) - 1)
	node := m.marks[begin].node
	r := reader{m: m, i: begin}
	args := []lua.LValue{lua.LString(m.subject), lua.LNumber(at + 1)}
	results := r.call(node.value, r.nested(args, node))
	m.marks = m.marks[:begin+1]
	if len(results) == 0 || !lua.LVAsBool(results[0]) {
		return at, false
	}
	to := at
	if results[0] != lua.LTrue {
		to = position(results[0])
		if to < at || to > len(m.subject) {
			m.l.RaiseError("invalid position returned by match-time capture")
		}
	}
	if results = results[1:]; len(results) == 0 {
		m.marks = m.marks[:begin]
		return to, true
	}
	m.marks[begin].node = groupOfResults
	for _, v := range results {
		m.mark(mark{at: int32(to), n: int32(len(m.values)), shape: result})
		m.values = append(m.values, v)
	}
	m.mark(mark{at: int32(to), shape: ends})
	return to, true
}

// groupOfResults takes the place of a match-time capture that has decided.
var groupOfResults = newCapture(asGroup, newNumber(0), lua.LNil)

// begin is where the capture begins that ends at i.
func (m *machine) begin(i int) int {
	for inside := 0; ; {
		switch m.marks[i].shape {
		case ends:
			inside++
		case begins:
			inside--
		}
		if inside == 0 {
			return i
		}
		m.pass()
		i--
	}
}
