package lua51

import (
	"context"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// machine is a Lua state whose print is kept.
type machine struct {
	l       *lua.LState
	printed []string
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	m := &machine{l: lua.NewState(lua.Options{CallStackSize: 8192, MinimizeStackMemory: true, RegistrySize: 1024, RegistryMaxSize: 1 << 20})}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // miscompiled code may loop
	t.Cleanup(cancel)
	t.Cleanup(m.l.Close)
	m.l.SetContext(ctx)
	Open(m.l, Host{
		Tick:  func(*lua.LState) {},
		Print: func(_ *lua.LState, text string) { m.printed = append(m.printed, text) },
	})
	return m
}

// run runs a chunk and is what it printed, and the error.
func (m *machine) run(code string) string {
	m.printed = nil
	fn, err := Load(m.l, code, "=test")
	if err == nil {
		top := m.l.GetTop()
		m.l.Push(fn)
		err = m.l.PCall(0, 0, nil)
		m.l.SetTop(top)
	}
	if err != nil {
		m.printed = append(m.printed, err.Error())
	}
	return strings.Join(m.printed, "\n")
}

// fifty are as many items as a constructor moves at once.
const fifty = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50"

// Each of these goes wrong in gopher-lua as it is.
func TestCodeIsMended(t *testing.T) {
	m := newMachine(t)
	for _, tt := range []struct{ code, want string }{
		{`local a, b = 1, 2; a, b = b, a; print(a, b)`, "2\t1"},
		{`local function f(a, b) if b == nil then a, b = 5, a end return a, b end print(f(1))`, "5\t1"},
		{`local i, t = 1, {}; i, t[i] = i + 1, 20; print(i, t[1], t[2])`, "2\t20\tnil"},
		{`local a; a, a = 1, 2; print(a)`, "1"},
		{`local t = {x = 7}; local a, e; a, t.x, e = tostring(1), t; print(a, t.x == t, e)`, "1\ttrue\tnil"},
		{`local function f(x) x = (tostring(x)) return x end print(f(5))`, "5"},
		{`local function f(x) x = tostring(x), 1 return x end print(f(5))`, "5"},
		{`local function f(a) a = unknown and 2 return a end print(f(10))`, "nil"},
		{`local function f(a) a = unknown or false return a end print(f(10))`, "false"},
		{`local function f(a, t) a = t.x and t.y return a end print(f(10, {y = 1}))`, "nil"},
		{`local g for k, v in ipairs({false, 1}) do if nil then g = 1 else g = (g or 0) + 2 end end print(g)`, "4"},
		{`local n = 0 for k in pairs({1, 2}) do local x = false and k; n = n + 1 end print(n)`, "2"},
		{`local b, a = "s", 1, (tostring(2)) for k, v in ipairs({9}) do print(a, b, k, v) end`, "1\ts\t1\t9"},
		{`print(0.1 + 0.2 .. "", 1e15 .. "|" .. 2^53, -1 .. "")`, "0.3\t1e+15|9.007199254741e+15\t-1"},
		{`local t = setmetatable({}, {__concat = function(a, b) return (type(a) == "table" and "t" or a) .. "+" .. (type(b) == "table" and "t" or b) end}) print(1 .. 2 .. t .. 3 .. "x")`, "12t+3x"},
		{`print(("x"):rep(3) .. (function() return 1, 2 end)())`, "xxx1"},
		{`local function f(...) return "a" .. ... end print(f("b", "c"))`, "ab"},
		{`print(true and (function() return 1, 2 end)())`, "1"},
		{`local function f(...) return ... end local t = {f(5, 6), [true] = f(7, 8)} print(#t, t[1], t[2], t[true])`, "1\t5\tnil\t7"},
		{`local function f(...) local t = {1, x = ...} print(#t, t.x) end f(7, 8)`, "1\t7"},
		{`local function f(...) return ... end local t = {` + fifty + `, x = f(77), y = f(78)} print(#t, t[1], t[2], t[50], t.x, t.y)`, "50\t1\t2\t50\t77\t78"},
		{`local function f(...) return ... end local t = {` + fifty + `, f(7, 8)} print(#t, t[1], t[2], t[51], t[52])`, "52\t1\t2\t7\t8"},
		{`local function f(...) return ... end local t = {` + fifty + `, ` + fifty + `, x = 9, f(7, 8)} print(#t, t[1], t[50], t[100], t[102], t.x)`, "102\t1\t50\t50\t8\t9"},
		{`local function f(...) return ... end local t = {` + fifty + `, f(), y = 1, f(7, 8), nil, 5} print(#t, t[51], t[52], t[54], t.y)`, "54\tnil\t7\t5\t1"},
		{`local function f(...) return ... end local t = {` + fifty + `, 51, f(7, 8)} print(#t, t[51], t[53])`, "53\t51\t8"},
		{`local t = loadstring("return {" .. ("7,"):rep(30000) .. "8}")() print(#t, t[1], t[25551], t[30001])`, "30001\t7\t7\t8"},
		{`for k in pairs(string) do assert(k ~= "(concat)") end print(pcall(function() return {} .. 1 end))`, "false\ttest:1: attempt to concatenate a table value"},
	} {
		if got := m.run(tt.code); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.code, got, tt.want)
		}
	}
}
