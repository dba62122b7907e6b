package lua51

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// NumberText is a number as Lua 5.1 writes it, with %.14g.
func NumberText(n lua.LNumber) string {
	f := float64(n)
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	return strconv.FormatFloat(f, 'g', 14, 64)
}

// Number is the value of a number or of a string that reads as one.
func Number(v lua.LValue) (float64, bool) {
	switch v := v.(type) {
	case lua.LNumber:
		return float64(v), true
	case lua.LString:
		return ParseNumber(string(v))
	}
	return 0, false
}

// ParseNumber reads a number as Lua 5.1 does: decimal or 0x, with space around it.
func ParseNumber(s string) (float64, bool) {
	s = strings.Trim(s, " \t\n\v\f\r")
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || strings.Contains(s, "_") {
		return 0, false
	}
	if hex := strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X"); hex && !strings.ContainsAny(digits, ".pP") {
		u, err := strconv.ParseUint(digits[2:], 16, 64)
		if err != nil {
			return 0, false
		}
		f := float64(u)
		if s[0] == '-' {
			f = -f
		}
		return f, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// Integer is v cut to an integer, as C does it; 0 for what has none.
func Integer(v lua.LValue) (int, bool) {
	f, ok := Number(v)
	if !ok {
		return 0, false
	}
	if !(math.Abs(f) < 1<<62) {
		return 0, true
	}
	return int(f), true
}

// Unsigned is v as an unsigned number of 64 bits: -1 is the largest.
func Unsigned(f float64) uint64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f < 0 && f > -(1<<63):
		return uint64(int64(f))
	case f < 0:
		return 1 << 63
	case f >= 1<<64:
		return math.MaxUint64
	}
	return uint64(f)
}

// Text is the value of a string or of a number in text.
func Text(v lua.LValue) (string, bool) {
	switch v := v.(type) {
	case lua.LString:
		return string(v), true
	case lua.LNumber:
		return NumberText(v), true
	}
	return "", false
}
