package value

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// FromText is the typed value of a cell of a text row. A nil cell is NULL; the value may alias the
// cell. Fraction digits that are zero and leading zeros are not part of a value: to send a cell
// again unchanged, keep its bytes.
func FromText(cell []byte, t Type, unsigned bool) (Value, error) {
	if cell == nil {
		return nil, nil
	}
	bad := func() (Value, error) { return nil, fmt.Errorf("%q is not a %s", cell, t) }
	switch t.class() {
	case integer:
		if unsigned || t == Year {
			u, err := strconv.ParseUint(string(cell), 10, 64)
			if err != nil {
				return bad()
			}
			return u, nil
		}
		i, err := strconv.ParseInt(string(cell), 10, 64)
		if err != nil {
			return bad()
		}
		return i, nil
	case float:
		v, err := readFloat(string(cell), t)
		if err != nil {
			return bad()
		}
		return v, nil
	case moment:
		if m, ok := readMomentText(string(cell)); ok {
			return m, nil
		}
		return bad()
	case clock:
		if c, ok := readClockText(string(cell)); ok {
			return c, nil
		}
		return bad()
	case null:
		return bad()
	}
	return cell, nil
}

// readFloat reads only what MySQL writes: no hexadecimal floats, underscores, NaN or infinity.
func readFloat(s string, t Type) (Value, error) {
	if !isNumber(s, true) {
		return nil, strconv.ErrSyntax
	}
	if t == Float {
		f, err := strconv.ParseFloat(s, 32)
		return float32(f), err
	}
	return strconv.ParseFloat(s, 64)
}

// isNumber reports whether s is a decimal number, with an exponent if that is allowed.
func isNumber(s string, exponent bool) bool {
	s = trimSign(s)
	if exponent {
		if mantissa, e, ok := strings.Cut(strings.ToLower(s), "e"); ok {
			if e = trimSign(e); e == "" || strings.Trim(e, "0123456789") != "" {
				return false
			}
			s = mantissa
		}
	}
	whole, fraction, _ := strings.Cut(s, ".")
	return whole+fraction != "" && strings.Trim(whole+fraction, "0123456789") == ""
}

func trimSign(s string) string {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[1:]
	}
	return s
}

// AppendText appends the text of a cell in a text row, as a server would write it; NULL is nothing.
// FLOAT gets as many digits as tell it from its neighbours, where servers stop at six.
// decimals, of the column, counts fraction digits of times; others see NoDecimals.
func AppendText(dst []byte, t Type, v Value, decimals uint8) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return dst, nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case uint64:
		if t == Year {
			return fmt.Appendf(dst, "%04d", v), nil
		}
		return strconv.AppendUint(dst, v, 10), nil
	case float32:
		return appendFloat(dst, float64(v), 32, decimals), nil
	case float64:
		return appendFloat(dst, v, 64, decimals), nil
	case []byte:
		return append(dst, v...), nil
	case Moment:
		return v.appendText(dst, t, decimals), nil
	case Clock:
		return v.appendText(dst, decimals), nil
	}
	return dst, fmt.Errorf("%T is not a value", v)
}

// Text is AppendText as a string, and NULL for NULL.
func Text(v Value, t Type, decimals uint8) string {
	if v == nil {
		return "NULL"
	}
	b, err := AppendText(nil, t, v, decimals)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// appendFloat writes a number as MySQL does: without an exponent from 1e-15 up to 1e15, with one
// outside, and with a fixed number of decimals for columns that have them.
func appendFloat(dst []byte, f float64, bits int, decimals uint8) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.AppendFloat(dst, f, 'g', -1, bits)
	}
	if decimals > 0 && decimals < NoDecimals {
		fixed := strconv.FormatFloat(f, 'f', int(decimals), bits)
		if back, err := strconv.ParseFloat(fixed, bits); err == nil && back == f {
			return append(dst, fixed...)
		}
	}
	if f == 0 || math.Abs(f) >= 1e-15 && math.Abs(f) < 1e15 {
		return strconv.AppendFloat(dst, f, 'f', -1, bits)
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, bits), "e")
	e, _ := strconv.Atoi(exponent)
	return strconv.AppendInt(append(append(dst, mantissa...), 'e'), int64(e), 10)
}
