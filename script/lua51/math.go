package lua51

import (
	"math"
	"math/rand/v2"

	lua "github.com/yuin/gopher-lua"
)

func floatArg(l *lua.LState, n int, name string) float64 {
	f, ok := Number(l.Get(n))
	if !ok {
		ArgError(l, n, name, "number expected, got "+TypeName(l, n))
	}
	return f
}

// openMath replaces the functions of the math library: gopher-lua's take other arguments for numbers,
// cut to integers or miss infinities.
func (b *Libs) openMath() {
	l := b.l
	lib := l.GetGlobal("math").(*lua.LTable)
	for name, fn := range map[string]func(float64) float64{
		"abs": math.Abs, "ceil": math.Ceil, "floor": math.Floor, "sqrt": math.Sqrt, "exp": math.Exp, "log": math.Log,
		"log10": math.Log10, "sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "asin": math.Asin, "acos": math.Acos,
		"atan": math.Atan, "sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh,
		"deg": func(f float64) float64 { return f / (math.Pi / 180) }, "rad": func(f float64) float64 { return f * (math.Pi / 180) },
	} {
		lib.RawSetString(name, l.NewFunction(func(l *lua.LState) int {
			l.Push(lua.LNumber(fn(floatArg(l, 1, name))))
			return 1
		}))
	}
	for name, fn := range map[string]func(a, b float64) float64{"fmod": math.Mod, "pow": math.Pow, "atan2": math.Atan2} {
		lib.RawSetString(name, l.NewFunction(func(l *lua.LState) int {
			l.Push(lua.LNumber(fn(floatArg(l, 1, name), floatArg(l, 2, name))))
			return 1
		}))
	}
	lib.RawSetString("mod", lib.RawGetString("fmod"))
	for name, better := range map[string]func(a, b float64) bool{
		"max": func(a, b float64) bool { return a > b }, "min": func(a, b float64) bool { return a < b },
	} {
		lib.RawSetString(name, l.NewFunction(func(l *lua.LState) int {
			best := floatArg(l, 1, name)
			for i := 2; i <= l.GetTop(); i++ {
				if f := floatArg(l, i, name); better(f, best) {
					best = f
				}
			}
			l.Push(lua.LNumber(best))
			return 1
		}))
	}
	lib.RawSetString("modf", l.NewFunction(modf))
	lib.RawSetString("frexp", l.NewFunction(func(l *lua.LState) int {
		f, e := math.Frexp(floatArg(l, 1, "frexp"))
		l.Push(lua.LNumber(f))
		l.Push(lua.LNumber(e))
		return 2
	}))
	lib.RawSetString("ldexp", l.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LNumber(math.Ldexp(floatArg(l, 1, "ldexp"), IntArg(l, 2, "ldexp"))))
		return 1
	}))
	source := rand.New(rand.NewPCG(1, 1)) // the same each time until a script sets it, as in C
	lib.RawSetString("random", l.NewFunction(func(l *lua.LState) int { return random(l, source) }))
	lib.RawSetString("randomseed", l.NewFunction(func(l *lua.LState) int {
		seed := uint64(IntArg(l, 1, "randomseed"))
		*source = *rand.New(rand.NewPCG(seed, seed))
		return 0
	}))
}

func modf(l *lua.LState) int {
	f := floatArg(l, 1, "modf")
	whole, part := math.Modf(f)
	if math.IsInf(f, 0) {
		whole, part = f, 0
	}
	l.Push(lua.LNumber(whole))
	l.Push(lua.LNumber(part))
	return 2
}

func random(l *lua.LState, source *rand.Rand) int {
	r := source.Float64()
	switch l.GetTop() {
	case 0:
		l.Push(lua.LNumber(r))
	case 1:
		most := IntArg(l, 1, "random")
		if most < 1 {
			ArgError(l, 1, "random", "interval is empty")
		}
		l.Push(lua.LNumber(math.Floor(r*float64(most)) + 1))
	case 2:
		least, most := IntArg(l, 1, "random"), IntArg(l, 2, "random")
		if least > most {
			ArgError(l, 2, "random", "interval is empty")
		}
		l.Push(lua.LNumber(math.Floor(r*float64(most-least+1)) + float64(least)))
	default:
		l.RaiseError("wrong number of arguments")
	}
	return 1
}

// compute is what an arithmetic operator does.
func compute(event string, a, b float64) float64 {
	switch event {
	case "__add":
		return a + b
	case "__sub":
		return a - b
	case "__mul":
		return a * b
	case "__div":
		return a / b
	case "__mod":
		return a - math.Floor(a/b)*b
	}
	return math.Pow(a, b)
}
