package lua51

import (
	"fmt"
	"regexp"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// level is what a traceback says of a running function.
type level struct {
	where string // file.lua:12: or [C]:
	what  string // in function 'f', or ?
}

// Levels that a traceback shows before and after "...", those before counted from the innermost one.
const (
	firstLevels = 12
	lastLevels  = 10
)

// openTraceback makes debug.traceback that of Lua 5.1.
func (b *Libs) openTraceback() {
	b.l.GetGlobal("debug").(*lua.LTable).RawSetString("traceback", b.l.NewFunction(b.traceback))
}

func (b *Libs) traceback(l *lua.LState) int {
	of, arg, from := l, 1, 1
	if th, ok := l.Get(1).(*lua.LState); ok {
		of, arg = th, 2
		if th != l {
			from = 0
		}
	}
	from = OptInt(l, arg+1, "traceback", from)
	head := "stack traceback:"
	if l.GetTop() >= arg {
		msg, ok := Text(l.Get(arg))
		if !ok {
			l.Push(l.Get(arg)) // not a message
			return 1
		}
		head = msg + "\n" + head
	}
	all := b.levels(of)
	if of != l && len(all) > 0 && l.Status(of) == "suspended" {
		all = append([]level{{"[C]:", "in function 'yield'"}}, all...)
	}
	var text strings.Builder
	text.WriteString(head)
	from = max(from, 0)
	cut, last := max(from, firstLevels), len(all)-lastLevels
	for i := from; i < len(all); i++ {
		if i == cut && i+1 < last {
			text.WriteString("\n\t...")
			i = last
		}
		text.WriteString("\n\t" + all[i].where + " " + all[i].what)
	}
	l.Push(lua.LString(text.String()))
	return 1
}

// levels are the running functions, the innermost first, without those that only mend gopher-lua's.
func (b *Libs) levels(l *lua.LState) (all []level) {
	var tail, byC bool // the level before is one that was left by a tail call; was called by C
	for i := 0; ; i++ {
		d, ok := l.GetStack(i)
		if !ok {
			return all
		}
		v, err := l.GetInfo("nSlf", d, lua.LNil)
		if err != nil {
			return all
		}
		fn := v.(*lua.LFunction)
		_, more := l.GetStack(i + 1)
		// A level that is gone looks like the outermost one, which is the last unless it was left, too.
		gone := i > 0 && d.What == "main" && (tail && more || byC)
		switch {
		case gone:
			all = append(all, level{"(tail call):", "?"})
			continue
		case b.mends(fn):
			continue
		}
		byC = d.What == "main"
		tail = d.What == "tail"
		all = append(all, describe(d, fn))
	}
}

// isNamed reports whether a running function has a name where it was called.
func isNamed(d *lua.Debug) bool {
	return d.Name != "" && d.Name != "?" && d.Name[0] != '<' && d.Name[0] != '(' && d.What != "main" && d.What != "tail"
}

func describe(d *lua.Debug, fn *lua.LFunction) level {
	v := level{where: "[C]:", what: "?"}
	if !fn.IsG {
		v.where = fmt.Sprintf("%s:", d.Source)
		if d.CurrentLine > 0 {
			v.where = fmt.Sprintf("%s:%d:", d.Source, d.CurrentLine)
		}
		v.what = fmt.Sprintf("in function <%s:%d>", d.Source, d.LineDefined)
		if d.LineDefined == 0 {
			v.what = "in main chunk"
		}
	}
	if isNamed(d) {
		v.what = fmt.Sprintf("in function '%s'", d.Name)
	}
	return v
}

// mending marks functions that stand between those of Lua, for mends.
var mending = lua.LString("(mending)")

// mends reports whether fn is a function that Lua 5.1 has not.
func (b *Libs) mends(fn *lua.LFunction) bool {
	return fn == b.xpcall || fn.IsG && len(fn.Upvalues) == 1 && fn.Upvalues[0].Value() == mending
}

var (
	goFrame  = regexp.MustCompile(`(?m)^\t\[G\]: *(in function '[^\n]*'|[^\n]*)$`)
	wrongEnd = regexp.MustCompile(`\n\t\[G\]: \?$`)
)

// Traceback is a traceback of gopher-lua's, which errors come with, as Lua 5.1 would have written it. The
// function is the one that was called from outside.
func Traceback(text string, fn *lua.LFunction) string {
	text = wrongEnd.ReplaceAllString(strings.TrimSpace(text), "")
	if fn != nil && fn.Proto != nil && fn.Proto.LineDefined > 0 {
		if rest, ok := strings.CutSuffix(text, " in main chunk"); ok {
			text = fmt.Sprintf("%s in function <%s:%d>", rest, fn.Proto.SourceName, fn.Proto.LineDefined)
		}
	}
	text = strings.ReplaceAll(text, "\n\t(tailcall): ?", "\n\t(tail call): ?")
	text = goFrame.ReplaceAllStringFunc(text, func(line string) string {
		if what := goFrame.FindStringSubmatch(line)[1]; strings.HasPrefix(what, "in function '") {
			return "\t[C]: " + what
		}
		return "\t[C]: ?"
	})
	// What mends the errors of operations is the innermost function, and has no name.
	return strings.Replace(text, "stack traceback:\n\t[C]: ?\n", "stack traceback:\n", 1)
}
