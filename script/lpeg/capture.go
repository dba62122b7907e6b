package lpeg

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

// what becomes of a capture.
type what uint8

const (
	asText       what = iota // lpeg.C
	asArg                    // lpeg.Carg
	asBack                   // lpeg.Cb
	asConst                  // lpeg.Cc
	asFold                   // lpeg.Cf
	asGroup                  // lpeg.Cg; the name is nil if it has none
	asPosition               // lpeg.Cp
	asSubstitute             // lpeg.Cs
	asTable                  // lpeg.Ct
	asFormat                 // p / string
	asNumber                 // p / number
	asQuery                  // p / table
	asFunction               // p / function
	asAccumulate             // lpeg.Ca
)

var whatNames = [...]string{
	"text", "argument", "back", "constant", "fold", "group", "position", "substitution", "table", "string", "number",
	"query", "function", "accumulator",
}

func (w what) String() string { return whatNames[w] }

// reader makes values of the captures of a match. Each capture that is read moves it to the next.
type reader struct {
	m     *machine
	i     int
	depth int
}

// mostNested is how deep captures may be in each other.
const mostNested = 200

// mostValues bounds the values of one capture, as C's stack does.
const mostValues = 7990

// results are the values of all captures; without any the end of the match.
func (m *machine) results(end int) []lua.LValue {
	r := reader{m: m}
	var vs []lua.LValue
	for r.i < len(m.marks) {
		vs = r.values(vs)
	}
	if len(vs) == 0 {
		vs = append(vs, lua.LNumber(end+1))
	}
	return vs
}

func (r *reader) add(vs []lua.LValue, v ...lua.LValue) []lua.LValue {
	if len(vs)+len(v) > mostValues {
		r.m.l.RaiseError("stack overflow (too many captures)")
	}
	return append(vs, v...)
}

func (r *reader) text(from, to int32) lua.LString { return lua.LString(r.m.subject[from:to]) }

// closed reports whether the capture that is read ends here, and moves on if so.
func (r *reader) closed() bool {
	if r.m.marks[r.i].shape != ends {
		return false
	}
	r.i++
	return true
}

// skip moves behind the capture at i.
func (r *reader) skip() {
	for inside := 0; ; {
		switch r.m.marks[r.i].shape {
		case begins:
			inside++
		case ends:
			inside--
		}
		r.i++
		if inside == 0 {
			return
		}
		r.m.pass()
	}
}

// call calls a function of the script.
func (r *reader) call(fn lua.LValue, args []lua.LValue) []lua.LValue {
	l := r.m.l
	top := l.GetTop()
	l.Push(fn)
	for _, a := range args {
		l.Push(a)
	}
	l.Call(len(args), lua.MultRet)
	results := make([]lua.LValue, 0, l.GetTop()-top)
	for i := top + 1; i <= l.GetTop(); i++ {
		results = append(results, l.Get(i))
	}
	l.SetTop(top)
	return results
}

// nested adds the values of the captures in the one at i; without any the text that it matched.
func (r *reader) nested(vs []lua.LValue, n *node) []lua.LValue {
	had := len(vs)
	k := r.m.marks[r.i]
	r.i++
	if k.shape == whole {
		return r.add(vs, lua.LString(""))
	}
	for !r.closed() {
		vs = r.values(vs)
	}
	if len(vs) == had {
		vs = r.add(vs, r.text(k.at, r.m.marks[r.i-1].at))
	}
	return vs
}

// values adds the values of the capture at i.
func (r *reader) values(vs []lua.LValue) []lua.LValue {
	r.m.pass()
	if r.depth > mostNested {
		r.m.l.RaiseError("subcapture nesting too deep")
	}
	r.depth++
	defer func() { r.depth-- }()

	k := r.m.marks[r.i]
	if k.shape == result {
		r.i++
		return r.add(vs, r.m.values[k.n])
	}
	n, l := k.node, r.m.l
	switch n.what {
	case asText:
		at := len(vs)
		vs = r.add(vs, lua.LNil)
		begin := r.i
		vs = r.inner(vs)
		vs[at] = r.text(k.at, r.end(begin))
		return vs
	case asArg:
		r.i++
		if n.n > len(r.m.args) {
			l.RaiseError("reference to absent extra argument #%d", n.n)
		}
		return r.add(vs, r.m.args[n.n-1])
	case asBack:
		next := r.i + 1
		r.i = r.back(n.value)
		if r.m.marks[r.i].shape != result && r.m.marks[r.i].node.what == asGroup {
			vs = r.nested(vs, nil)
		} else {
			vs = r.values(vs)
		}
		r.i = next
		return vs
	case asConst:
		r.i++
		return r.add(vs, n.value)
	case asFold:
		return r.add(vs, r.fold(n))
	case asAccumulate:
		return r.add(vs, r.accumulate())
	case asGroup:
		if n.value != lua.LNil {
			r.skip()
			return vs
		}
		return r.nested(vs, n)
	case asPosition:
		r.i++
		return r.add(vs, lua.LNumber(k.at+1))
	case asSubstitute, asFormat:
		var b strings.Builder
		r.write(&b)
		return r.add(vs, lua.LString(b.String()))
	case asTable:
		return r.add(vs, r.table())
	case asNumber:
		if n.n == 0 {
			r.skip()
			return vs
		}
		picked := r.nested(nil, n)
		if n.n > len(picked) {
			l.RaiseError("no capture '%d'", n.n)
		}
		return r.add(vs, picked[n.n-1])
	case asQuery:
		if v := l.GetTable(n.value, r.nested(nil, n)[0]); v != lua.LNil {
			vs = r.add(vs, v)
		}
		return vs
	case asFunction:
		return r.add(vs, r.call(n.value, r.nested(nil, n))...)
	}
	r.i++
	return vs
}

// inner is nested without the text.
func (r *reader) inner(vs []lua.LValue) []lua.LValue {
	k := r.m.marks[r.i]
	r.i++
	if k.shape == whole {
		return vs
	}
	for !r.closed() {
		vs = r.values(vs)
	}
	return vs
}

// end is where the capture ends that begins at i and has just been read.
func (r *reader) end(begin int) int32 { return r.m.marks[max(begin, r.i-1)].at }

func (r *reader) table() *lua.LTable {
	t := r.m.l.NewTable()
	k := r.m.marks[r.i]
	r.i++
	if k.shape == whole {
		return t
	}
	for n := 0; !r.closed(); {
		k := r.m.marks[r.i]
		if k.shape != result && k.node.what == asGroup && k.node.value != lua.LNil {
			r.m.l.SetTable(t, k.node.value, r.nested(nil, k.node)[0])
			continue
		}
		for _, v := range r.values(nil) {
			n++
			t.RawSetInt(n, v)
		}
	}
	return t
}

func (r *reader) fold(n *node) lua.LValue {
	var vs []lua.LValue
	k := r.m.marks[r.i]
	r.i++
	if k.shape == begins && r.m.marks[r.i].shape != ends {
		vs = r.values(nil)
	}
	if len(vs) == 0 {
		r.m.l.RaiseError("no initial value for fold capture")
	}
	v := vs[0]
	for !r.closed() {
		v = first(r.call(n.value, r.values([]lua.LValue{v})))
	}
	return v
}

// accumulate gives the value so far to the functions of the captures, in turn.
func (r *reader) accumulate() lua.LValue {
	var vs []lua.LValue
	k := r.m.marks[r.i]
	r.i++
	if k.shape == begins && r.m.marks[r.i].shape != ends {
		vs = r.values(nil)
	}
	if len(vs) == 0 {
		r.m.l.RaiseError("no initial value for accumulator capture")
	}
	v := vs[0]
	for !r.closed() {
		k := r.m.marks[r.i]
		if k.shape == result || k.node.what != asFunction {
			r.m.l.RaiseError("accumulator capture has a capture that is not of a function")
		}
		v = first(r.call(k.node.value, r.nested([]lua.LValue{v}, k.node)))
	}
	return v
}

func first(vs []lua.LValue) lua.LValue {
	if len(vs) == 0 {
		return lua.LNil
	}
	return vs[0]
}

// back is where the newest group of that name begins, of those that have ended. For a number without
// such a group it is the capture so many before, as in LPeg 0.8.
func (r *reader) back(name lua.LValue) int {
	count, counted := 0, -1
	nth, isNumber := name.(lua.LNumber)
	i := r.i - 1
	for ; i >= 0; i-- {
		r.m.pass()
		k := r.m.marks[i]
		if k.shape == ends {
			i = r.m.begin(i)
			k = r.m.marks[i]
		} else if k.shape == begins {
			continue // it is around this one
		}
		if k.shape == result {
			continue
		}
		if k.node.what == asGroup && k.node.value != lua.LNil && r.m.l.Equal(k.node.value, name) {
			return i
		}
		if count++; isNumber && float64(nth) == float64(count) {
			counted = i
		}
	}
	if counted < 0 {
		text, ok := lua51.Text(name)
		if !ok {
			text = "(null)"
		}
		r.m.l.RaiseError("back reference '%s' not found", text)
	}
	return counted
}

func (r *reader) grow(b *strings.Builder, s string) {
	if b.Len()+len(s) > longest {
		r.m.l.RaiseError("result of a capture is too long")
	}
	r.m.passAll(len(s) / bytesPerStep)
	b.WriteString(s)
}

// write adds the capture at i to a string; false if it has no values.
func (r *reader) write(b *strings.Builder) bool {
	if k := r.m.marks[r.i]; k.shape != result {
		switch k.node.what {
		case asFormat:
			r.format(b)
			return true
		case asSubstitute:
			r.substitute(b)
			return true
		}
	}
	return r.writeValue(b, "replacement")
}

func (r *reader) writeValue(b *strings.Builder, role string) bool {
	vs := r.values(nil)
	if len(vs) == 0 {
		return false
	}
	s, ok := lua51.Text(vs[0])
	if !ok {
		r.m.l.RaiseError("invalid %s value (a %s)", role, vs[0].Type())
	}
	r.grow(b, s)
	return true
}

// substitute is the text of the capture at i with the values of the captures in their places.
func (r *reader) substitute(b *strings.Builder) {
	r.deeper()
	defer func() { r.depth-- }()
	k := r.m.marks[r.i]
	r.i++
	if k.shape == whole {
		return
	}
	at := k.at
	for !r.closed() {
		next := r.m.marks[r.i].at
		r.grow(b, r.m.subject[at:max(at, next)])
		begin := r.i
		at = next
		if r.write(b) {
			at = r.end(begin)
		}
	}
	r.grow(b, r.m.subject[at:max(at, r.m.marks[r.i-1].at)])
}

// piece is what %n stands for in a format: text, or a capture.
type piece struct {
	text    string
	capture int // -1 for text
}

// mostPieces is one for each digit.
const mostPieces = 10

// format is the string of a string capture with the captures at %1 to %9, and all at %0.
func (r *reader) format(b *strings.Builder) {
	r.deeper()
	defer func() { r.depth-- }()
	f := string(r.m.marks[r.i].node.value.(lua.LString))
	pieces := r.pieces(nil)
	next := r.i
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			j := i
			for j < len(f) && f[j] != '%' {
				j++
			}
			r.grow(b, f[i:j])
			i = j - 1
			continue
		}
		if i++; i == len(f) {
			b.WriteByte(0) // C reads the byte that ends a string
			break
		}
		if !isDigit(f[i]) {
			b.WriteByte(f[i])
			continue
		}
		n := int(f[i] - '0')
		switch {
		case n >= len(pieces):
			r.m.l.RaiseError("invalid capture index (%d)", n)
		case pieces[n].capture < 0:
			r.grow(b, pieces[n].text)
		default:
			r.i = pieces[n].capture
			if k := r.m.marks[r.i]; k.shape != result && (k.node.what == asFormat || k.node.what == asSubstitute) {
				r.write(b)
			} else if !r.writeValue(b, "capture") {
				r.m.l.RaiseError("no values in capture index %d", n)
			}
		}
	}
	r.i = next
}

// pieces adds the capture at i and those in it that are numbered.
func (r *reader) pieces(all []piece) []piece {
	mine := len(all)
	all = append(all, piece{capture: -1})
	k := r.m.marks[r.i]
	r.i++
	if k.shape == whole {
		return all
	}
	for !r.closed() {
		in := r.m.marks[r.i]
		switch {
		case len(all) >= mostPieces:
			r.skip()
		case in.shape != result && in.node.what == asText:
			all = r.pieces(all)
		default:
			all = append(all, piece{capture: r.i})
			r.skip()
		}
	}
	all[mine].text = r.m.subject[k.at:r.m.marks[r.i-1].at]
	return all
}

func (r *reader) deeper() {
	r.m.pass()
	if r.depth > mostNested {
		r.m.l.RaiseError("subcapture nesting too deep")
	}
	r.depth++
}
