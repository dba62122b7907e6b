package lpeg

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

// expression writes a random pattern. It draws its decisions from next.
func expression(next func(n int) int, depth int) string {
	sub := func() string { return expression(next, depth-1) }
	if depth <= 0 {
		leaves := []string{
			`P"a"`, `P"b"`, `P"ab"`, `P"ba"`, `P(1)`, `P(2)`, `P(-1)`, `P(true)`, `P(false)`, `P""`, `S"ab"`, `R"ac"`, `S""`, `Cp()`,
			`Cc("k")`, `Cc(1, 2)`, `Cc()`, `Cb"x"`, `Cb"y"`, `Carg(1)`, `V(1)`, `V"r"`, `(P(1) - "b")`, `C(1)`,
		}
		return leaves[next(len(leaves))]
	}
	switch next(26) {
	case 0, 1, 2, 3:
		return "(" + sub() + " * " + sub() + ")"
	case 4, 5, 6:
		return "(" + sub() + " + " + sub() + ")"
	case 7:
		return "(" + sub() + " - " + sub() + ")"
	case 8, 9:
		return "(" + sub() + ")^" + []string{"0", "1", "2", "-1", "-2"}[next(5)]
	case 10:
		return "-(" + sub() + ")"
	case 11:
		return "#(" + sub() + ")"
	case 12:
		return "B(" + sub() + ")"
	case 13, 14:
		return "C(" + sub() + ")"
	case 15:
		return "Cs(" + sub() + ")"
	case 16:
		return "Ct(" + sub() + ")"
	case 17:
		return "Cg(" + sub() + ")"
	case 18:
		return "Cg(" + sub() + ", " + []string{`"x"`, `"y"`}[next(2)] + ")"
	case 19:
		return "(" + sub() + " / " + []string{`"<%0>"`, `"%1%%"`, `0`, `1`, `2`, `{a = "A", b = 5}`, `f`}[next(7)] + ")"
	case 20:
		return "Cf(" + sub() + ", f)"
	case 21:
		return "Cmt(" + sub() + ", " + []string{"yes", "no", "move", "keep"}[next(4)] + ")"
	case 22:
		return "P{" + sub() + ", r = " + sub() + "}"
	default:
		return expression(next, 0)
	}
}

// What the random patterns use besides the prelude.
const randomPrelude = `
function f(...) return select("#", ...), (...) end
function yes() return true end
function no() return false end
function move(s, i) return i <= #s and i + 1 end
function keep(s, i, ...) return i, ... end
`

func randomSubject(next func(n int) int) string {
	var b strings.Builder
	for range next(8) {
		b.WriteByte("abc"[next(3)])
	}
	return b.String()
}

// Random patterns have the results of LPeg of C, where that is installed. What ends its process by an
// assertion is left out: match-time captures in predicates, and rules that it looks behind for.
func TestRandomPatterns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString(read(t, "testdata/prelude.lua") + randomPrelude + "\nchunks = {\n")
	var chunks []string
	for len(chunks) < 3000 {
		p := expression(r.IntN, 2+r.IntN(3))
		has := func(part string) bool { return strings.Contains(p, part) }
		if has("Cmt") && has("#") || has("B(") && has("V") {
			continue
		}
		chunk := fmt.Sprintf("show(m(%s, %q, %d, 'arg'))", p, randomSubject(r.IntN), 1+r.IntN(2))
		chunks = append(chunks, chunk)
		fmt.Fprintf(&b, "[========[%s]========],\n", chunk)
	}
	b.WriteString("}\n" + read(t, "../lua51/testdata/runner.lua"))
	want := strings.Split(inC(t, b.String()), "\n")
	l, out := newState(t, noTick)
	run(t, l, b.String())
	got := strings.Split(out.String(), "\n")
	for i, code := range chunks {
		if got[i] != want[i] {
			t.Errorf("%s\n got %s\nwant %s", code, got[i], want[i])
		}
	}
}

// Whatever a pattern and its subject are, the match ends, and an error is one of Lua's.
func FuzzPatterns(f *testing.F) {
	f.Add([]byte("pattern"), "abab")
	f.Add([]byte{22, 0, 21, 3, 15, 9, 8, 7, 6, 5}, "")
	f.Add([]byte{8, 21, 2, 16, 18, 19, 4, 4, 4, 20}, "\x00\xff")
	f.Fuzz(func(t *testing.T, plan []byte, subject string) {
		i := 0
		next := func(n int) int {
			if i++; i > len(plan) {
				return 0
			}
			return int(plan[i-1]) % n
		}
		ticks := 0
		l, _ := newState(t, func(l *lua.LState) {
			if ticks++; ticks > 100 {
				l.RaiseError("time is over")
			}
		})
		code := "local p = " + expression(next, 4) + "\nm(p, subject, 1, 'arg') p:C():match(subject)"
		fn, err := lua51.Load(l, read(t, "testdata/prelude.lua")+randomPrelude+code, "=test")
		if err != nil {
			t.Fatal(err)
		}
		l.SetGlobal("subject", lua.LString(subject))
		l.Push(fn)
		if err := l.PCall(0, 0, nil); err != nil && strings.Contains(err.Error(), "runtime error") {
			t.Errorf("%s: %v", code, err)
		}
	})
}
