package lpeg

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

// Host is what the module needs of the program around it.
type Host struct {
	// Tick is called now and then in matches that take long. It raises an error to end them; nil never does.
	Tick func(l *lua.LState)
}

// version is what lpeg.version() says: the release whose interface this is.
const version = "1.0.2"

// pattern is the value of a pattern's userdata.
type pattern struct {
	tree *node
	prog program // once it has been matched
}

// asPattern is the pattern that a value is; nil if it is none.
func asPattern(v lua.LValue) *pattern {
	if ud, ok := v.(*lua.LUserData); ok {
		if p, ok := ud.Value.(*pattern); ok {
			return p
		}
	}
	return nil
}

// module is lpeg in one Lua state.
type module struct {
	Host
	meta *lua.LTable
	most int // of setmaxstack
}

// Open fills a table with the functions of lpeg.
func Open(l *lua.LState, t *lua.LTable, h Host) {
	if h.Tick == nil {
		h.Tick = func(*lua.LState) {}
	}
	m := &module{Host: h, meta: l.NewTable(), most: leastStack}
	for name, fn := range map[string]lua.LGFunction{
		"P": m.p, "S": m.s, "R": m.r, "V": m.v, "B": m.b,
		"C": m.capturing("C", asText), "Cs": m.capturing("Cs", asSubstitute), "Ct": m.capturing("Ct", asTable),
		"Ca": m.capturing("Ca", asAccumulate), "Carg": m.carg, "Cb": m.cb, "Cc": m.cc, "Cf": m.cf, "Cg": m.cg,
		"Cmt": m.cmt, "Cp": m.cp, "match": m.match, "type": typeOf, "version": versionOf, "locale": m.locale,
		"setmaxstack": m.setMaxStack, "span": m.span, "print": m.print, "pcode": m.print, "ptree": m.print,
	} {
		t.RawSetString(name, l.NewFunction(fn))
	}
	for name, fn := range map[string]lua.LGFunction{
		"__mul": m.binary(newSequence), "__add": m.binary(newChoice), "__sub": m.binary(newDifference),
		"__pow": m.pow, "__div": m.div, "__unm": m.predicate(not), "__len": m.predicate(and),
	} {
		m.meta.RawSetString(name, l.NewFunction(fn))
	}
	m.meta.RawSetString("__index", t)
}

// push returns a pattern to Lua.
func (m *module) push(l *lua.LState, n *node) int {
	if n == nil || n.tooLarge() {
		l.RaiseError("pattern too large (it would have more than %d parts)", maxSize)
	}
	l.Push(&lua.LUserData{Value: &pattern{tree: n}, Metatable: m.meta, Env: l.Env})
	return 1
}

// arg is argument i as a pattern: strings, numbers, booleans, tables and functions stand for some.
func (m *module) arg(l *lua.LState, i int, fn string) *node {
	switch v := l.Get(i).(type) {
	case lua.LString:
		return newText(string(v))
	case lua.LNumber:
		n, _ := lua51.Integer(v)
		return newNumber(n)
	case lua.LBool:
		if v {
			return made(node{kind: empty})
		}
		return made(node{kind: never})
	case *lua.LTable:
		n, err := newGrammar(l, v)
		if errors.Is(err, errTooManyRules) {
			lua51.ArgError(l, i, fn, err.Error())
		}
		if err != nil {
			l.RaiseError("%s", err.Error())
		}
		if n.tooLarge() {
			m.push(l, n)
		}
		return n
	case *lua.LFunction:
		return made(node{kind: matchTime, a: made(node{kind: empty}), value: v})
	}
	p := asPattern(l.Get(i))
	if p == nil {
		lua51.ArgError(l, i, fn, "lpeg-pattern expected, got "+lua51.TypeName(l, i))
	}
	return p.tree
}

func needAny(l *lua.LState, i int, fn string) {
	if l.GetTop() < i {
		lua51.ArgError(l, i, fn, "value expected")
	}
}

func functionArg(l *lua.LState, i int, fn string) *lua.LFunction {
	f, ok := l.Get(i).(*lua.LFunction)
	if !ok {
		lua51.ArgError(l, i, fn, "function expected, got "+lua51.TypeName(l, i))
	}
	return f
}

func (m *module) p(l *lua.LState) int {
	needAny(l, 1, "P")
	if asPattern(l.Get(1)) != nil {
		l.SetTop(1)
		return 1
	}
	return m.push(l, m.arg(l, 1, "P"))
}

func setOf(l *lua.LState, fn string) (s charset) {
	for _, c := range []byte(lua51.StringArg(l, 1, fn)) {
		s.add(c)
	}
	return s
}

func (m *module) s(l *lua.LState) int { return m.push(l, newSet(setOf(l, "S"))) }

func (m *module) span(l *lua.LState) int { return m.push(l, newPower(newSet(setOf(l, "span")), 0)) }

func (m *module) r(l *lua.LState) int {
	var s charset
	for i := 1; i <= l.GetTop(); i++ {
		pair := lua51.StringArg(l, i, "R")
		if len(pair) != 2 {
			lua51.ArgError(l, i, "R", "range must have two characters")
		}
		for c := int(pair[0]); c <= int(pair[1]); c++ {
			s.add(byte(c))
		}
	}
	return m.push(l, newSet(s))
}

func (m *module) v(l *lua.LState) int {
	if l.GetTop() > 0 && l.Get(1) == lua.LNil {
		lua51.ArgError(l, 1, "V", "non-nil value expected")
	}
	return m.push(l, made(node{kind: open, value: l.Get(1)}))
}

// mostBehind is how far lpeg.B looks back.
const mostBehind = 255

func (m *module) b(l *lua.LState) int {
	a := m.arg(l, 1, "B")
	long := a.length()
	switch {
	case long < 0:
		lua51.ArgError(l, 1, "B", "pattern may not have fixed length")
	case a.captures():
		lua51.ArgError(l, 1, "B", "pattern have captures")
	case long > mostBehind:
		lua51.ArgError(l, 1, "B", "pattern too long to look behind")
	}
	return m.push(l, made(node{kind: behind, a: a, n: long}))
}

func (m *module) capturing(name string, w what) lua.LGFunction {
	return func(l *lua.LState) int { return m.push(l, newCapture(w, m.arg(l, 1, name), lua.LNil)) }
}

func (m *module) carg(l *lua.LState) int {
	n := lua51.IntArg(l, 1, "Carg")
	if n <= 0 || n > math.MaxInt16 {
		lua51.ArgError(l, 1, "Carg", "invalid argument index")
	}
	return m.push(l, newEmptyCapture(asArg, lua.LNil, n))
}

func (m *module) cb(l *lua.LState) int {
	needAny(l, 1, "Cb")
	return m.push(l, newEmptyCapture(asBack, l.Get(1), 0))
}

func (m *module) cc(l *lua.LState) int {
	if l.GetTop() == 1 {
		return m.push(l, newEmptyCapture(asConst, l.Get(1), 0))
	}
	n := made(node{kind: empty})
	for i := l.GetTop(); i > 0; i-- {
		n = newSequence(newEmptyCapture(asConst, l.Get(i), 0), n)
	}
	if l.GetTop() > 1 {
		n = newCapture(asGroup, n, lua.LNil)
	}
	return m.push(l, n)
}

func (m *module) cf(l *lua.LState) int {
	fn := functionArg(l, 2, "Cf")
	return m.push(l, newCapture(asFold, m.arg(l, 1, "Cf"), fn))
}

func (m *module) cg(l *lua.LState) int {
	return m.push(l, newCapture(asGroup, m.arg(l, 1, "Cg"), l.Get(2)))
}

func (m *module) cmt(l *lua.LState) int {
	fn := functionArg(l, 2, "Cmt")
	return m.push(l, made(node{kind: matchTime, a: m.arg(l, 1, "Cmt"), value: fn}))
}

func (m *module) cp(l *lua.LState) int { return m.push(l, newEmptyCapture(asPosition, lua.LNil, 0)) }

func (m *module) binary(make func(a, b *node) *node) lua.LGFunction {
	return func(l *lua.LState) int {
		a := m.arg(l, 1, "?")
		return m.push(l, make(a, m.arg(l, 2, "?")))
	}
}

func (m *module) predicate(k kind) lua.LGFunction {
	return func(l *lua.LState) int { return m.push(l, made(node{kind: k, a: m.arg(l, 1, "?")})) }
}

func (m *module) pow(l *lua.LState) int {
	n := lua51.IntArg(l, 2, "?")
	a := m.arg(l, 1, "?")
	if n >= 0 && a.is(nullable) {
		l.RaiseError("loop body may accept empty string")
	}
	return m.push(l, newPower(a, n))
}

func (m *module) div(l *lua.LState) int {
	a := m.arg(l, 1, "?")
	switch v := l.Get(2).(type) {
	case *lua.LFunction:
		return m.push(l, newCapture(asFunction, a, v))
	case *lua.LTable:
		return m.push(l, newCapture(asQuery, a, v))
	case lua.LString:
		return m.push(l, newCapture(asFormat, a, v))
	case lua.LNumber:
		n, _ := lua51.Integer(v)
		if n < 0 || n > math.MaxInt16 {
			lua51.ArgError(l, 1, "?", "invalid number")
		}
		c := newCapture(asNumber, a, lua.LNil)
		c.n = n
		return m.push(l, c)
	}
	lua51.ArgError(l, 2, "?", "invalid replacement value")
	return 0
}

func (m *module) locale(l *lua.LState) int {
	if l.Get(1) == lua.LNil {
		l.SetTop(0)
		l.Push(l.NewTable())
	}
	t, ok := l.Get(1).(*lua.LTable)
	if !ok {
		lua51.ArgError(l, 1, "locale", "table expected, got "+lua51.TypeName(l, 1))
	}
	l.SetTop(1)
	for name, in := range classes {
		m.push(l, newSet(class(in)))
		t.RawSetString(name, l.Get(-1))
		l.Pop(1)
	}
	return 1
}

func (m *module) setMaxStack(l *lua.LState) int {
	m.most = min(max(lua51.IntArg(l, 1, "setmaxstack"), leastStack), mostStack)
	return 0
}

func typeOf(l *lua.LState) int {
	if asPattern(l.Get(1)) != nil {
		l.Push(lua.LString("pattern"))
	} else {
		l.Push(lua.LNil)
	}
	return 1
}

func versionOf(l *lua.LState) int {
	l.Push(lua.LString(version))
	return 1
}

// pattern is argument 1 ready to be matched.
func (m *module) pattern(l *lua.LState, fn string) *pattern {
	p := asPattern(l.Get(1))
	if p == nil {
		p = &pattern{tree: m.arg(l, 1, fn)}
	}
	if p.prog == nil {
		if p.tree.isOpen {
			l.RaiseError("rule '%s' used outside a grammar", nameOf(p.tree.firstOpen()))
		}
		p.prog = compile(p.tree)
	}
	return p
}

func (m *module) match(l *lua.LState) int {
	p := m.pattern(l, "match")
	subject := lua51.StringArg(l, 2, "match")
	if len(subject) > longest {
		lua51.ArgError(l, 2, "match", "subject too long")
	}
	init := lua51.OptInt(l, 3, "match", 1)
	at := min(max(init-1, 0), len(subject))
	if init <= 0 {
		at = max(len(subject)+init, 0)
		if init == 0 {
			at = len(subject)
		}
	}
	run := machine{l: l, tick: m.Tick, subject: subject, most: m.most}
	for i := 4; i <= l.GetTop(); i++ {
		run.args = append(run.args, l.Get(i))
	}
	end := run.run(p.prog, at)
	if end < 0 {
		l.Push(lua.LNil)
		return 1
	}
	vs := run.results(end)
	for _, v := range vs {
		l.Push(v)
	}
	return len(vs)
}

// print prints the program of a pattern.
func (m *module) print(l *lua.LState) int {
	for i, in := range m.pattern(l, "print").prog {
		l.Push(l.GetGlobal("print"))
		l.Push(lua.LString(fmt.Sprintf("%02d: %s", i, in)))
		l.Call(1, 0)
	}
	return 0
}

// position is a place in the subject as a function returns it.
func position(v lua.LValue) int {
	n, _ := lua51.Integer(v)
	return n - 1
}

// String is the set in a listing.
func (s charset) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for c := 0; c < 256; c++ {
		last := c
		for last < 256 && s.has(byte(last)) {
			last++
		}
		if last--; last < c {
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteToASCII(string([]byte{byte(c)})), `"`))
		if last > c {
			b.WriteString("-" + strings.Trim(strconv.QuoteToASCII(string([]byte{byte(last)})), `"`))
		}
		c = last
	}
	b.WriteByte(']')
	return b.String()
}
