package lpeg

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

var update = flag.Bool("update", false, "record the results of LPeg in lua5.1 anew")

// newState is a Lua state whose lpeg is this one; what it prints comes in out.
func newState(t testing.TB, tick func(*lua.LState)) (l *lua.LState, out *bytes.Buffer) {
	t.Helper()
	l = lua.NewState(lua.Options{CallStackSize: 8192, MinimizeStackMemory: true, RegistrySize: 1024, RegistryMaxSize: 1 << 20})
	t.Cleanup(l.Close)
	out = &bytes.Buffer{}
	lua51.Open(l, lua51.Host{
		Tick:  func(*lua.LState) {},
		Print: func(_ *lua.LState, text string) { out.WriteString(text + "\n") },
	})
	lib := l.NewTable()
	Open(l, lib, Host{Tick: tick})
	l.GetField(l.GetGlobal("package"), "loaded").(*lua.LTable).RawSetString("lpeg", lib)
	return l, out
}

func noTick(*lua.LState) {}

func run(t testing.TB, l *lua.LState, src string) {
	t.Helper()
	fn, err := lua51.Load(l, src, "=test")
	if err != nil {
		t.Fatal(err)
	}
	l.Push(fn)
	if err := l.PCall(0, 0, nil); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// patterns are the chunks of testdata, one a line, and a program that runs them.
func patterns(t *testing.T) (chunks []string, program string) {
	t.Helper()
	var b strings.Builder
	b.WriteString(read(t, "testdata/prelude.lua") + "\nchunks = {\n")
	for _, line := range strings.Split(read(t, "testdata/patterns.txt"), "\n") {
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		chunks = append(chunks, line)
		fmt.Fprintf(&b, "[========[%s]========],\n", line)
	}
	b.WriteString("}\n" + read(t, "../lua51/testdata/runner.lua"))
	return chunks, b.String()
}

// The results recorded are those of Debian's lua-lpeg.
func TestPatterns(t *testing.T) {
	chunks, program := patterns(t)
	l, out := newState(t, noTick)
	run(t, l, program)
	got := strings.Split(out.String(), "\n")
	want := strings.Split(read(t, "testdata/patterns.golden"), "\n")
	if len(got) != len(chunks)+1 || len(want) != len(got) {
		t.Fatalf("%d chunks, %d results, %d recorded", len(chunks), len(got)-1, len(want)-1)
	}
	for i, code := range chunks {
		if got[i] != want[i] {
			t.Errorf("%s\n got %s\nwant %s", code, got[i], want[i])
		}
	}
}

// inC runs a program in lua5.1 with LPeg of C.
func inC(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed")
	}
	if exec.Command(path, "-e", `require "lpeg"`).Run() != nil {
		t.Skip("LPeg for lua5.1 is not installed: apt-get install lua-lpeg")
	}
	if exec.Command(path, "-e", `assert(require("lpeg").version() == "1.0.2")`).Run() != nil {
		t.Skip("another LPeg than 1.0.2 is installed, which has other messages")
	}
	file := filepath.Join(t.TempDir(), "program.lua")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, file)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The recorded results are those of the LPeg that is installed.
func TestRecordedPatterns(t *testing.T) {
	chunks, program := patterns(t)
	out := inC(t, program)
	if *update {
		if err := os.WriteFile("testdata/patterns.golden", []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, want := strings.Split(out, "\n"), strings.Split(read(t, "testdata/patterns.golden"), "\n")
	for i := range min(len(got), len(want), len(chunks)) {
		if got[i] != want[i] {
			t.Errorf("%s\nLPeg     %s\nrecorded %s", chunks[i], got[i], want[i])
		}
	}
}

// What was only in LPeg 0.8, with the results that its manual has.
func TestOldFunctions(t *testing.T) {
	l, out := newState(t, noTick)
	for _, tt := range []struct{ code, want string }{
		{`m(lpeg.span"ab", "abac")`, `4`},
		{`m(lpeg.span"ab", "c")`, `1`},
		{`m(lpeg.Ca(Cc(10) * (C(R"09") / function(acc, d) return acc + d end)^0), "123")`, `16`},
		{`m(lpeg.Ca(C(1)), "a")`, `"a"`},
		{`m(C(1) * C(1) * Cb(2), "ab")`, `"a" "b" "a"`},
		{`m(C(1) * Cb(1) * 1, "ab")`, `"a" "a"`},
		{`pcall(m, lpeg.Ca(P(1)), "a")`, `false "test:28: no initial value for accumulator capture"`},
		{`pcall(m, lpeg.Ca(C(1) * C(1)), "ab")`, `false "test:28: accumulator capture has a capture that is not of a function"`},
	} {
		out.Reset()
		run(t, l, read(t, "testdata/prelude.lua")+"\nprint(show("+tt.code+"))")
		if got := strings.TrimSpace(out.String()); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.code, got, tt.want)
		}
	}
	out.Reset()
	run(t, l, `local lpeg = require "lpeg"; lpeg.print(lpeg.C(lpeg.R"az" + "-"))`)
	const listing = "00: open-capture text\n01: set [-a-z]\n02: close-capture\n03: end\n"
	if out.String() != listing {
		t.Errorf("got\n%swant\n%s", out, listing)
	}
}

// The module re that comes with Debian's LPeg is written in Lua and runs on this one.
func TestReRuns(t *testing.T) {
	const re = "/usr/share/lua/5.1/re.lua"
	if _, err := os.Stat(re); err != nil {
		t.Skip("LPeg for lua5.1 is not installed: apt-get install lua-lpeg")
	}
	l, out := newState(t, noTick)
	run(t, l, `
	re = assert(loadstring(`+"[=====["+read(t, re)+"]=====]"+`))()
	print(re.match("  hello = 5", "%s* {[a-z]+} %s* '=' %s* {%d+}"))
	print(re.gsub("one two", "[aeiou]", "<%0>"))
	print(re.find("the number 423", "[0-9]+"))
	print(re.compile([[ list <- {| item (',' item)* |}  item <- {[^,]*} ]]):match("a,b,c")[3])
	print(pcall(re.compile, "'a"))`)
	const want = "hello\t5\n<o>n<e> tw<o>\n12\t14\nc\nfalse\t"
	if !strings.HasPrefix(out.String(), want) {
		t.Errorf("got\n%s\nwant\n%s…", out, want)
	}
}

// A match that would go on for ages ends when the tick says so, in the machine and while captures are read.
func TestTickEndsMatches(t *testing.T) {
	for _, code := range []string{
		`return lpeg.P{lpeg.P"a" * lpeg.V(1) * "b" + lpeg.P"a" * lpeg.V(1) * "c" + ""}:match(("a"):rep(150))`,
		`return ((lpeg.P"a"^0 * "b" + 1)^0):match(("a"):rep(1000000))`,
		`return (lpeg.Cg(1, "y") * lpeg.Ct((lpeg.Cg(1, "x") * lpeg.Cb"y")^0)):match(("a"):rep(100000))`,
	} {
		ticks := 0
		l, _ := newState(t, func(l *lua.LState) {
			if ticks++; ticks == 50 {
				l.RaiseError("time is over")
			}
		})
		fn, err := lua51.Load(l, `lpeg = require "lpeg" `+code, "=test")
		if err != nil {
			t.Error(err)
			continue
		}
		l.Push(fn)
		if err := l.PCall(0, 1, nil); err == nil || !strings.Contains(err.Error(), "time is over") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// What a script can make too large is refused.
func TestLimits(t *testing.T) {
	l, out := newState(t, noTick)
	run(t, l, `
	local lpeg = require "lpeg"
	local P, C = lpeg.P, lpeg.C
	local function says(text, fn, ...)
		local ok, msg = pcall(fn, ...)
		if ok or not tostring(msg):find(text, 1, true) then print(ok, msg, text) end
	end
	says("pattern too large", function() return P"ab"^1e9 end)
	says("pattern too large", function() return P"ab"^-1e9 end)
	says("pattern too large", function() local p = P"ab" * P"cd"^0; for i = 1, 60 do p = p * p end return p end)
	says("pattern too large", function() local p = P"x" * lpeg.V(1); for i = 1, 22 do p = p * p end return P{p} end)
	says("pattern too large", function() local p = P"a"; for i = 1, 200000 do p = C(p) end return p end)
	says("too many captures", function() return (lpeg.Ct(C(1)^0)):match(("x"):rep(3e6)) end)
	says("backtrack stack overflow", function() lpeg.setmaxstack(1e9) return P{"a" * lpeg.V(1) * "b" + ""}:match(("a"):rep(2e6)) end)
	says("too long", function() return lpeg.Cs((P(1) / ("x"):rep(1e6))^0):match(("x"):rep(300)) end)
	assert(P(1e9):match("x") == nil and P(-1e9):match("x") == 1)
	local p = P"w0"
	for i = 1, 20000 do p = p + ("w" .. i) end -- a dictionary is not too large
	assert((p * -1):match("w20000") == nil and (p * 0):match("w7") == 3)`)
	if out.Len() > 0 {
		t.Error(out)
	}
}
