package lua51

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// longestString bounds what string.rep makes: a script's mistake should not take the process along.
const longestString = 256 << 20

// openStrings replaces gopher-lua's string functions by ones that treat strings as bytes and keep to
// Lua 5.1 where gopher-lua does not: s:byte() and negative positions, upper and lower beyond ASCII,
// format's %q, %c, %i and its errors, anchors, %f, position captures and limits of the pattern
// functions.
func (b *Libs) openStrings() {
	lib := b.l.GetGlobal("string").(*lua.LTable)
	for name, fn := range map[string]lua.LGFunction{
		"byte": strByte, "char": strChar, "len": strLen, "sub": strSub, "rep": strRep, "reverse": strReverse,
		"upper": func(l *lua.LState) int { return strMap(l, "upper", upper) },
		"lower": func(l *lua.LState) int { return strMap(l, "lower", lower) },
		"find":  func(l *lua.LState) int { return b.strFind(l, "find", true) },
		"match": func(l *lua.LState) int { return b.strFind(l, "match", false) },
		"gsub":  b.strGsub, "gmatch": b.strGmatch,
		"format": strFormat,
	} {
		lib.RawSetString(name, b.l.NewFunction(fn))
	}
	lib.RawSetString("gfind", lib.RawGetString("gmatch"))
}

// fromEnd turns a position counted from the end into one from the start.
func fromEnd(i, length int) int {
	if i < 0 {
		return max(length+i+1, 0)
	}
	return i
}

func strByte(l *lua.LState) int {
	s := StringArg(l, 1, "byte")
	from := fromEnd(OptInt(l, 2, "byte", 1), len(s))
	to := min(fromEnd(OptInt(l, 3, "byte", from), len(s)), len(s))
	from = max(from, 1)
	if to-from >= 1<<16 {
		l.RaiseError("string slice too long")
	}
	for i := from; i <= to; i++ {
		l.Push(lua.LNumber(s[i-1]))
	}
	return max(to-from+1, 0)
}

func strChar(l *lua.LState) int {
	b := make([]byte, l.GetTop())
	for i := range b {
		c := IntArg(l, i+1, "char")
		if c < 0 || c > 255 {
			ArgError(l, i+1, "char", "invalid value")
		}
		b[i] = byte(c)
	}
	l.Push(lua.LString(b))
	return 1
}

func strLen(l *lua.LState) int {
	l.Push(lua.LNumber(len(StringArg(l, 1, "len"))))
	return 1
}

func strSub(l *lua.LState) int {
	s := StringArg(l, 1, "sub")
	from := max(fromEnd(IntArg(l, 2, "sub"), len(s)), 1)
	to := min(fromEnd(OptInt(l, 3, "sub", -1), len(s)), len(s))
	if from > to {
		l.Push(lua.LString(""))
	} else {
		l.Push(lua.LString(s[from-1 : to]))
	}
	return 1
}

func strRep(l *lua.LState) int {
	s, n := StringArg(l, 1, "rep"), max(IntArg(l, 2, "rep"), 0)
	if len(s) > 0 && n > longestString/len(s) {
		l.RaiseError("resulting string too large")
	}
	l.Push(lua.LString(strings.Repeat(s, n)))
	return 1
}

func strReverse(l *lua.LState) int {
	s := StringArg(l, 1, "reverse")
	b := make([]byte, len(s))
	for i := range b {
		b[i] = s[len(s)-1-i]
	}
	l.Push(lua.LString(b))
	return 1
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func strMap(l *lua.LState, name string, change func(byte) byte) int {
	b := []byte(StringArg(l, 1, name))
	for i := range b {
		b[i] = change(b[i])
	}
	l.Push(lua.LString(b))
	return 1
}

func (b *Libs) matcher(l *lua.LState, src, pat string) *matcher {
	return &matcher{
		src: src, pat: pat,
		tick: func() { b.Tick(l) },
		fail: func(msg string) { l.RaiseError("%s", msg) },
	}
}

// pushCapture pushes capture i of a match of src[s:e]; the whole match where there are none.
func (m *matcher) pushCapture(l *lua.LState, i, s, e int) {
	l.Push(m.capture(i, s, e))
}

func (m *matcher) capture(i, s, e int) lua.LValue {
	if i >= len(m.caps) {
		if i != 0 {
			m.fail("invalid capture index")
		}
		return lua.LString(m.src[s:e])
	}
	switch c := m.caps[i]; c.len {
	case openCapture:
		m.fail("unfinished capture")
		return lua.LNil
	case posCapture:
		return lua.LNumber(c.at + 1)
	default:
		return lua.LString(m.src[c.at:][:c.len])
	}
}

// pushCaptures pushes all captures, or the whole match if there are none and whole is set.
func (m *matcher) pushCaptures(l *lua.LState, s, e int, whole bool) int {
	n := len(m.caps)
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		m.pushCapture(l, i, s, e)
	}
	return n
}

func (b *Libs) strFind(l *lua.LState, name string, find bool) int {
	src, pat := StringArg(l, 1, name), StringArg(l, 2, name)
	at := min(max(fromEnd(OptInt(l, 3, name, 1), len(src)), 1)-1, len(src))
	if find && (lua.LVAsBool(l.Get(4)) || !strings.ContainsAny(pat, "^$*+?.([%-")) {
		i := strings.Index(src[at:], pat)
		if i < 0 {
			l.Push(lua.LNil)
			return 1
		}
		l.Push(lua.LNumber(at + i + 1))
		l.Push(lua.LNumber(at + i + len(pat)))
		return 2
	}
	m := b.matcher(l, src, pat)
	p := anchor(pat)
	for s := at; s <= len(src); s++ {
		if e := m.matchAt(s, p); e >= 0 {
			if !find {
				return m.pushCaptures(l, s, e, true)
			}
			l.Push(lua.LNumber(s + 1))
			l.Push(lua.LNumber(e))
			return 2 + m.pushCaptures(l, s, e, false)
		}
		if p > 0 {
			break
		}
	}
	l.Push(lua.LNil)
	return 1
}

// anchor is 1 for a pattern that begins with ^.
func anchor(pat string) int {
	if strings.HasPrefix(pat, "^") {
		return 1
	}
	return 0
}

func (b *Libs) strGmatch(l *lua.LState) int {
	src, pat := StringArg(l, 1, "gmatch"), StringArg(l, 2, "gmatch")
	at := 0
	l.Push(l.NewFunction(func(l *lua.LState) int {
		m := b.matcher(l, src, pat)
		for s := at; s <= len(src); s++ {
			if e := m.matchAt(s, 0); e >= 0 {
				at = e
				if e == s {
					at++
				}
				return m.pushCaptures(l, s, e, true)
			}
		}
		at = len(src) + 1
		return 0
	}))
	return 1
}

func (b *Libs) strGsub(l *lua.LState) int {
	src, pat := StringArg(l, 1, "gsub"), StringArg(l, 2, "gsub")
	with := l.Get(3)
	switch with.(type) {
	case lua.LString, lua.LNumber, *lua.LTable, *lua.LFunction:
	default:
		ArgError(l, 3, "gsub", "string/function/table expected")
	}
	most := OptInt(l, 4, "gsub", len(src)+1)
	m := b.matcher(l, src, pat)
	p := anchor(pat)
	var out strings.Builder
	n, s := 0, 0
	for n < most {
		e := m.matchAt(s, p)
		if e >= 0 {
			n++
			m.replace(l, &out, with, s, e)
		}
		switch {
		case e > s:
			s = e
		case s < len(src):
			out.WriteByte(src[s])
			s++
		default:
			s++
		}
		if s > len(src) || p > 0 {
			break
		}
	}
	if s < len(src) {
		out.WriteString(src[s:])
	}
	l.Push(lua.LString(out.String()))
	l.Push(lua.LNumber(n))
	return 2
}

// replace writes what takes the place of src[s:e].
func (m *matcher) replace(l *lua.LState, out *strings.Builder, with lua.LValue, s, e int) {
	var v lua.LValue
	switch with := with.(type) {
	case *lua.LTable:
		v = l.GetTable(with, m.capture(0, s, e))
	case *lua.LFunction:
		l.Push(with)
		l.Call(m.pushCaptures(l, s, e, true), 1)
		v = l.Get(-1)
		l.Pop(1)
	default:
		t, _ := Text(with)
		m.expand(out, t, s, e)
		return
	}
	if !lua.LVAsBool(v) {
		out.WriteString(m.src[s:e])
		return
	}
	t, ok := Text(v)
	if !ok {
		l.RaiseError("invalid replacement value (a %s)", v.Type())
	}
	out.WriteString(t)
}

// expand writes a replacement text with its %0 to %9.
func (m *matcher) expand(out *strings.Builder, with string, s, e int) {
	for i := 0; i < len(with); i++ {
		if with[i] != '%' || i+1 == len(with) {
			out.WriteByte(with[i])
			continue
		}
		i++
		switch c := with[i]; {
		case c == '0':
			out.WriteString(m.src[s:e])
		case isDigit(c):
			t, _ := Text(m.capture(int(c-'1'), s, e))
			out.WriteString(t)
		default:
			out.WriteByte(c)
		}
	}
}

func strFormat(l *lua.LState) int {
	format := StringArg(l, 1, "format")
	var out strings.Builder
	arg := 1
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		if i++; i < len(format) && format[i] == '%' {
			out.WriteByte('%')
			continue
		}
		from := i
		for i < len(format) && strings.IndexByte("-+ #0", format[i]) >= 0 {
			i++
		}
		if i-from > 5 {
			l.RaiseError("invalid format (repeated flags)")
		}
		number := func() { // of two digits
			start := i
			for i < len(format) && i-start < 2 && isDigit(format[i]) {
				i++
			}
		}
		number()
		if i < len(format) && format[i] == '.' {
			i++
			number()
		}
		if i < len(format) && isDigit(format[i]) {
			l.RaiseError("invalid format (width or precision too long)")
		}
		arg++
		var verb byte
		if i < len(format) {
			verb = format[i]
		}
		formatOne(l, &out, format[from:i], verb, arg)
	}
	l.Push(lua.LString(out.String()))
	return 1
}

// formatOne writes one argument; spec is what stands between % and the verb.
func formatOne(l *lua.LState, out *strings.Builder, spec string, verb byte, arg int) {
	if arg > l.GetTop() {
		ArgError(l, arg, "format", "no value")
	}
	num := func() float64 {
		f, ok := Number(l.Get(arg))
		if !ok {
			ArgError(l, arg, "format", "number expected, got "+TypeName(l, arg))
		}
		return f
	}
	switch verb {
	case 'c':
		pad(out, string([]byte{byte(int64(num()))}), spec)
	case 'd', 'i':
		fmt.Fprintf(out, "%"+spec+"d", int64(num()))
	case 'u':
		fmt.Fprintf(out, "%"+spec+"d", Unsigned(num()))
	case 'o', 'x', 'X':
		fmt.Fprintf(out, "%"+spec+string(verb), Unsigned(num()))
	case 'e', 'E', 'f', 'g', 'G':
		f := num()
		if t := NumberText(lua.LNumber(f)); strings.Trim(t, "-") == "inf" || t == "nan" {
			width, _, _ := strings.Cut(spec, ".") // the precision counts digits
			pad(out, t, width)
			return
		}
		if verb|0x20 == 'g' && !strings.Contains(spec, ".") {
			spec += ".6" // Go would write as many digits as are needed
		}
		fmt.Fprintf(out, "%"+spec+string(verb), f)
	case 'q':
		quote(out, StringArg(l, arg, "format"))
	case 's':
		pad(out, StringArg(l, arg, "format"), spec)
	default:
		l.RaiseError("invalid option '%%%s' to 'format'", strings.Trim(string(verb), "\x00"))
	}
}

// pad writes s as %s of C does: widths and precisions count bytes.
func pad(out *strings.Builder, s, spec string) {
	left := strings.HasPrefix(spec, "-")
	width, precision := 0, -1
	for _, c := range []byte(strings.TrimLeft(spec, "-+ #0")) {
		switch {
		case c == '.':
			precision = 0
		case precision >= 0:
			precision = precision*10 + int(c-'0')
		default:
			width = width*10 + int(c-'0')
		}
	}
	if precision >= 0 && precision < len(s) {
		s = s[:precision]
	}
	fill := strings.Repeat(" ", max(min(width, 99)-len(s), 0))
	if left {
		out.WriteString(s + fill)
	} else {
		out.WriteString(fill + s)
	}
}

// quote writes s so that Lua reads it back.
func quote(out *strings.Builder, s string) {
	out.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			out.WriteByte('\\')
			out.WriteByte(c)
		case '\r':
			out.WriteString(`\r`)
		case 0:
			out.WriteString(`\000`)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
}
