package lua51

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// remembered are the sources of the newest chunks, to name variables in messages.
var remembered = struct {
	sync.Mutex
	names  []string // oldest first
	chunks map[string]*chunk
}{chunks: map[string]*chunk{}}

const mostRemembered = 64

// chunk is a source and, once an error has asked for them, its operations.
type chunk struct {
	name string // as it was given, with @ or =
	src  string
	uses []use
	done bool
}

// use is an operation on a value that has a name.
type use struct {
	line int
	kind string // of the message: index, call, arithmetic, concatenate, length
	key  string // of an index operation
	name string // as Describe has it; "" for a value without one
}

func remember(name, src string) {
	remembered.Lock()
	defer remembered.Unlock()
	if _, ok := remembered.chunks[name]; !ok {
		remembered.names = append(remembered.names, name)
	}
	remembered.chunks[name] = &chunk{src: src}
	if len(remembered.names) > mostRemembered {
		delete(remembered.chunks, remembered.names[0])
		remembered.names = remembered.names[1:]
	}
}

// named is the name of what an operation on a line was done to; "" if there are several or none.
func named(name string, line int, kind, key string) string {
	remembered.Lock()
	defer remembered.Unlock()
	c := remembered.chunks[name]
	if c == nil {
		return ""
	}
	if !c.done {
		c.done, c.uses = true, usesOf(c.src)
	}
	found := ""
	for _, u := range c.uses {
		switch {
		case u.line != line || u.kind != kind || u.key != "" && u.key != key:
		case u.name == "" || found != "" && found != u.name:
			return ""
		default:
			found = u.name
		}
	}
	return found
}

func usesOf(src string) (uses []use) {
	stmts, err := Parse(src, "")
	if err != nil {
		return nil
	}
	w := Walker{Visit: func(w *Walker, e ast.Expr) {
		add := func(kind, key string, operands ...ast.Expr) {
			for _, o := range operands {
				if name := w.Describe(o); name != "" {
					uses = append(uses, use{e.Line(), kind, key, name})
				}
			}
		}
		switch e := e.(type) {
		case *ast.AttrGetExpr:
			key := ""
			switch k := e.Key.(type) {
			case *ast.StringExpr:
				key = k.Value
			case *ast.NumberExpr:
				key = k.Value
			}
			add("index", key, e.Object)
		case *ast.FuncCallExpr:
			if e.Func != nil {
				uses = append(uses, use{e.Line(), "call", "", w.Describe(e.Func)})
				if field, ok := e.Func.(*ast.AttrGetExpr); ok {
					if key, ok := field.Key.(*ast.StringExpr); ok {
						uses = append(uses, use{e.Line(), "function", key.Value, "function"})
					}
				}
			} else {
				add("index", e.Method, e.Receiver)
				uses = append(uses, use{e.Line(), "function", e.Method, "method"})
				uses = append(uses, use{e.Line(), "call", "", "method '" + e.Method + "'"})
			}
		case *ast.ArithmeticOpExpr:
			add("arithmetic", "", e.Lhs, e.Rhs)
		case *ast.UnaryMinusOpExpr:
			add("arithmetic", "", e.Expr)
		case *ast.UnaryLenOpExpr:
			add("length", "", e.Expr)
		case *ast.StringConcatOpExpr:
			add("concatenate", "", e.Lhs, e.Rhs)
		}
	}, Iterate: func(line int) { uses = append(uses, use{line: line, kind: "call"}) }}
	w.Walk(stmts)
	return uses
}

// rules turn gopher-lua's messages into Lua's. $ stands for the type or name of the value.
var rules = []struct {
	of         *regexp.Regexp
	kind, text string
}{
	{regexp.MustCompile(`^attempt to index a non-table object\((\w+)\) with key '([\s\S]*)'$`), "index", "attempt to index $"},
	{regexp.MustCompile(`^attempt to call a non-function object$`), "call", "attempt to call $"},
	{regexp.MustCompile(`^attempt to call a (\w+) value$`), "call", "attempt to call $"},
	{regexp.MustCompile(`^cannot perform \w+ operation between (\w+) and (\w+)$`), "arithmetic", "attempt to perform arithmetic on $"},
	{regexp.MustCompile(`^attempt to perform arithmetic on a (\w+) value$`), "arithmetic", "attempt to perform arithmetic on $"},
	{regexp.MustCompile(`^__unm undefined$`), "arithmetic", "attempt to perform arithmetic on $"},
	{regexp.MustCompile(`^__len undefined$`), "length", "attempt to get length of $"},
	{regexp.MustCompile(`^attempt to get length of a (\w+) value$`), "length", "attempt to get length of $"},
	{regexp.MustCompile(`^attempt to concatenate a (\w+) value$`), "concatenate", "attempt to concatenate $"},
}

// reworded are messages that only change their words.
var reworded = []struct {
	of   *regexp.Regexp
	text string
}{
	{regexp.MustCompile(`^attempt to compare (table) with table$|^attempt to compare (boolean) with boolean$|^attempt to compare (function) with function$|^attempt to compare (userdata) with userdata$|^attempt to compare (nil) with nil$|^attempt to compare (thread) with thread$`), "attempt to compare two $1$2$3$4$5$6 values"},
	{regexp.MustCompile(`^for statement init must be a number$`), "'for' initial value must be a number"},
	{regexp.MustCompile(`^for statement (limit|step) must be a number$`), "'for' $1 must be a number"},
	{regexp.MustCompile(`^bad argument #(\d+) to \(anonymous\) \(`), "bad argument #$1 to '?' ("},
	{regexp.MustCompile(`^bad argument #(\d+) to (\w+) \(`), "bad argument #$1 to '$2' ("},
	{regexp.MustCompile(`^registry overflow$`), "stack overflow"},
}

var place = regexp.MustCompile(`^(\[string "[\s\S]*?"\]|[^\n]*?):(\d+): `)

// Message is an error's message in Lua's words, with the name of the variable where it is certain.
func Message(msg string) string {
	at, rest, chunk, line := "", msg, "", 0
	if m := place.FindStringSubmatch(msg); m != nil {
		at, rest, chunk = m[0], msg[len(m[0]):], m[1]
		line, _ = strconv.Atoi(m[2])
	}
	for _, r := range rules {
		m := r.of.FindStringSubmatch(rest)
		if m == nil {
			continue
		}
		kind, key := "table", "" // the rest of what cannot be called or negated
		if len(m) > 1 {
			kind = m[1]
		}
		if r.kind == "index" {
			key = m[2]
		} else if len(m) > 2 && (kind == "number" || kind == "string" && m[2] != "number" && m[2] != "string") {
			kind = m[2] // the second operand is to blame
		}
		value := "a " + kind + " value"
		if name := named(chunk, line, r.kind, key); name != "" {
			value = name + " (" + value + ")"
		}
		return at + strings.Replace(r.text, "$", value, 1)
	}
	for _, r := range reworded {
		if r.of.MatchString(rest) {
			return at + r.of.ReplaceAllString(rest, r.text)
		}
	}
	return msg
}

// message is Message for error values, which need not be text.
func message(v lua.LValue) lua.LValue {
	if s, ok := v.(lua.LString); ok {
		return lua.LString(Message(string(s)))
	}
	return v
}

// arithmetic are the operators that text takes part in by its value as a number.
var arithmetic = []string{"__add", "__sub", "__mul", "__div", "__mod", "__pow"}

// openErrors has pcall and its like speak as Lua does, and gives types without metatable one that knows
// their names when they are called, measured or negated. Scripts do not see these.
func (b *Libs) openErrors() {
	l := b.l
	l.SetGlobal("pcall", l.NewFunction(pcall))
	xpcall := l.GetGlobal("xpcall")
	b.xpcall, _ = xpcall.(*lua.LFunction)
	l.SetGlobal("xpcall", l.NewFunction(func(l *lua.LState) int {
		if l.GetTop() < 2 {
			ArgError(l, 2, "xpcall", "value expected")
		}
		handler := functionArg(l, 2, "xpcall")
		if fn, ok := l.Get(1).(*lua.LFunction); !ok || fn == nil {
			l.Push(lua.LFalse)
			l.Push(handler)
			l.Push(lua.LString("attempt to call a " + l.Get(1).Type().String() + " value"))
			l.Call(1, 1)
			return 2
		}
		fn := l.Get(1)
		l.SetTop(0)
		l.Push(xpcall)
		l.Push(fn)
		l.Push(l.NewClosure(func(l *lua.LState) int {
			v := message(l.Get(1))
			l.SetTop(0)
			l.Push(handler)
			l.Push(v)
			l.Call(1, 1)
			return 1
		}, mending))
		l.Call(2, lua.MultRet)
		return l.GetTop()
	}))
	for _, v := range []lua.LValue{lua.LNil, lua.LTrue, lua.LNumber(0), l.NewFunction(pcall), &lua.LState{}} {
		meta := l.NewTable()
		failing(l, meta, v.Type(), "__call", "attempt to call a %s value")
		if v.Type() != lua.LTNumber {
			failing(l, meta, v.Type(), "__unm", "attempt to perform arithmetic on a %s value")
		}
		failing(l, meta, v.Type(), "__len", "attempt to get length of a %s value")
		if v.Type() != lua.LTFunction {
			b.hidden = append(b.hidden, meta)
			l.SetMetatable(v, meta)
		}
	}
	text := l.GetMetatable(lua.LString("")).(*lua.LTable)
	failing(l, text, lua.LTString, "__call", "attempt to call a %s value")
	for _, name := range arithmetic {
		text.RawSetString(name, l.NewClosure(func(l *lua.LState) int { return textArithmetic(l, name) }, mending))
	}
	text.RawSetString("__unm", l.NewFunction(func(l *lua.LState) int {
		f, ok := Number(l.Get(1))
		if !ok {
			l.RaiseError("attempt to perform arithmetic on a string value")
		}
		l.Push(lua.LNumber(-f))
		return 1
	}))
}

func failing(l *lua.LState, meta *lua.LTable, of lua.LValueType, event, msg string) {
	meta.RawSetString(event, l.NewClosure(func(l *lua.LState) int {
		l.RaiseError(msg, of)
		return 0
	}, mending))
}

func pcall(l *lua.LState) int {
	v := anyArg(l, 1, "pcall")
	if _, ok := v.(*lua.LFunction); !ok {
		if _, callable := l.GetMetaField(v, "__call").(*lua.LFunction); !callable || v.Type() != lua.LTTable && v.Type() != lua.LTUserData {
			l.Push(lua.LFalse)
			l.Push(lua.LString("attempt to call a " + v.Type().String() + " value"))
			return 2
		}
	}
	err := l.PCall(l.GetTop()-1, lua.MultRet, nil)
	if err == nil {
		l.Insert(lua.LTrue, 1)
		return l.GetTop()
	}
	l.SetTop(0)
	l.Push(lua.LFalse)
	if api, ok := err.(*lua.ApiError); ok && api.Object != nil {
		l.Push(message(api.Object))
	} else {
		l.Push(lua.LString(Message(err.Error())))
	}
	return 2
}

// textArithmetic computes where one operand at least is a string.
func textArithmetic(l *lua.LState, event string) int {
	a, ok1 := Number(l.Get(1))
	z, ok2 := Number(l.Get(2))
	if ok1 && ok2 {
		l.Push(lua.LNumber(compute(event, a, z)))
		return 1
	}
	for i := 1; i <= 2; i++ {
		if _, isText := l.Get(i).(lua.LString); isText {
			continue
		}
		if fn, ok := l.GetMetaField(l.Get(i), event).(*lua.LFunction); ok {
			x, y := l.Get(1), l.Get(2)
			l.Push(fn)
			l.Push(x)
			l.Push(y)
			l.Call(2, 1)
			return 1
		}
	}
	bad := l.Get(1)
	if ok1 {
		bad = l.Get(2)
	}
	l.RaiseError("attempt to perform arithmetic on a %s value", bad.Type())
	return 0
}

// isHidden reports whether a metatable is one that scripts do not see.
func (b *Libs) isHidden(meta lua.LValue) bool {
	t, ok := meta.(*lua.LTable)
	return ok && slices.Contains(b.hidden, t)
}

// asMethod reports whether the string function that runs is called as a method, as far as its name and the
// line tell.
func asMethod(l *lua.LState, name string) bool {
	m := place.FindStringSubmatch(l.Where(1) + " ")
	lib, _ := l.GetMetaField(lua.LString(""), "__index").(*lua.LTable)
	if m == nil || lib == nil || lib.RawGetString(name) == lua.LNil {
		return false
	}
	line, _ := strconv.Atoi(m[2])
	return named(m[1], line, "function", name) == "method"
}
