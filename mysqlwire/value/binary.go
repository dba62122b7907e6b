package value

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

var errShort = errors.New("value is cut off")

// ReadBinary reads a value of type t from the front of src and says how many bytes it took. The
// value may alias src.
func ReadBinary(src []byte, t Type, unsigned bool) (v Value, n int, err error) {
	le := binary.LittleEndian
	switch t {
	case Null:
		return nil, 0, nil
	case Tiny, Short, Year, Long, Int24, Float, LongLong, Double:
		n = t.fixedLen()
		if len(src) < n {
			return nil, 0, errShort
		}
	case Date, DateTime, Timestamp, Time:
		if len(src) == 0 || len(src)-1 < int(src[0]) {
			return nil, 0, errShort
		}
		n = 1 + int(src[0])
		if t == Time {
			v, err = readClock(src[1:n])
		} else {
			v, err = readMoment(src[1:n])
		}
		if err != nil {
			return nil, 0, err
		}
		return v, n, nil
	default:
		// Types nobody knows too: servers put a length in front of all that is not a number or a time.
		size, head, ok := ReadLenenc(src)
		if !ok || size > uint64(len(src)-head) {
			return nil, 0, errShort
		}
		n = head + int(size)
		return src[head:n:n], n, nil
	}
	var u uint64
	for i := n - 1; i >= 0; i-- {
		u = u<<8 | uint64(src[i])
	}
	switch {
	case t == Float:
		return math.Float32frombits(le.Uint32(src)), n, nil
	case t == Double:
		return math.Float64frombits(u), n, nil
	case unsigned || t == Year:
		return u, n, nil
	}
	shift := 64 - 8*n
	return int64(u<<shift) >> shift, n, nil
}

func (t Type) fixedLen() int {
	switch t {
	case Tiny:
		return 1
	case Short, Year:
		return 2
	case Long, Int24, Float:
		return 4
	}
	return 8
}

// AppendBinary appends the form ReadBinary reads. NULL has none: rows and executes say it in a
// bitmap.
func AppendBinary(dst []byte, t Type, unsigned bool, v Value) ([]byte, error) {
	if v == nil {
		if t == Null {
			return dst, nil
		}
		return dst, errors.New("NULL has no binary form")
	}
	switch t.class() {
	case integer:
		u, err := toInteger(t, unsigned, v)
		if err != nil {
			return dst, err
		}
		for range t.fixedLen() {
			dst = append(dst, byte(u))
			u >>= 8
		}
		return dst, nil
	case float:
		f, single, err := toFloat(t, v)
		switch {
		case err != nil:
			return dst, err
		case t == Float:
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(single)), nil
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
	case moment, clock:
		if b, ok := v.([]byte); ok {
			var err error
			if v, err = FromText(b, t, unsigned); err != nil {
				return dst, err
			}
		}
		switch v := v.(type) {
		case Moment:
			if t != Time {
				return v.appendBinary(dst), nil
			}
		case Clock:
			if t == Time {
				return v.appendBinary(dst), nil
			}
		}
		return dst, misfit(v, t)
	case decimal, bytes, unknown:
		b, err := AppendText(nil, t, v, NoDecimals)
		if err != nil {
			return dst, err
		}
		return append(AppendLenenc(dst, uint64(len(b))), b...), nil
	case null:
		return dst, errors.New("a value of type NULL can only be NULL")
	}
	return dst, misfit(v, t)
}

func misfit(v Value, t Type) error {
	switch v.(type) {
	case int64, uint64, float32, float64, []byte, Moment, Clock:
		return fmt.Errorf("%s does not fit %s", Text(v, t, NoDecimals), t)
	}
	return fmt.Errorf("%T is not a value", v)
}

// toInteger is v in two's complement, checked against the range of t.
func toInteger(t Type, unsigned bool, v Value) (uint64, error) {
	whole := v
	switch f := v.(type) {
	case []byte:
		parsed, err := FromText(f, t, unsigned)
		if err != nil {
			return 0, err
		}
		whole = parsed
	case float32:
		whole = wholeFloat(float64(f))
	case float64:
		whole = wholeFloat(f)
	}
	low, high := intRange(t, unsigned)
	switch i := whole.(type) {
	case int64:
		if i < low || i >= 0 && uint64(i) > high {
			return 0, outOfRange(Text(v, t, NoDecimals), t, unsigned)
		}
		return uint64(i), nil
	case uint64:
		if i > high {
			return 0, outOfRange(Text(v, t, NoDecimals), t, unsigned)
		}
		return i, nil
	}
	return 0, misfit(v, t)
}

// wholeFloat is f as an integer, or f if it is not one.
func wholeFloat(f float64) Value {
	switch {
	case f != math.Trunc(f):
	case f >= -1<<63 && f < 1<<63:
		return int64(f)
	case f > 0 && f < 1<<64:
		return uint64(f)
	}
	return f
}

func toFloat(t Type, v Value) (f float64, single float32, err error) {
	if b, ok := v.([]byte); ok {
		if v, err = FromText(b, t, false); err != nil {
			return 0, 0, err
		}
	}
	switch x := v.(type) {
	case float32:
		return float64(x), x, nil
	case float64:
		single = float32(x)
		if t == Float && math.IsInf(float64(single), 0) && !math.IsInf(x, 0) {
			return 0, 0, misfit(v, t)
		}
		return x, single, nil
	case int64:
		return float64(x), float32(x), nil
	case uint64:
		return float64(x), float32(x), nil
	}
	return 0, 0, misfit(v, t)
}
