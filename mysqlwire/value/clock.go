package value

import (
	"encoding/binary"
	"fmt"
)

// Clock is a TIME: a time of day or a span of up to 838 hours.
type Clock struct {
	Neg                     bool
	Days                    uint32
	Hours, Minutes, Seconds uint8
	Micro                   uint32
	wire                    uint8 // length on the wire if longer than needed
}

func (c Clock) need() uint8 {
	switch {
	case c.Micro != 0:
		return 12
	case c.Neg || c.Days != 0 || c.Hours|c.Minutes|c.Seconds != 0:
		return 8
	}
	return 0
}

func readClock(b []byte) (c Clock, err error) {
	le := binary.LittleEndian
	n := len(b)
	switch n {
	case 0, 8, 12:
	default:
		return c, fmt.Errorf("time of %d bytes, want 0, 8 or 12", n)
	}
	if n >= 8 {
		if b[0] > 1 {
			return c, fmt.Errorf("sign of time is %d", b[0])
		}
		c = Clock{Neg: b[0] == 1, Days: le.Uint32(b[1:]), Hours: b[5], Minutes: b[6], Seconds: b[7]}
	}
	if n == 12 {
		c.Micro = le.Uint32(b[8:])
	}
	if c.Micro > 999999 {
		return c, fmt.Errorf("%d microseconds", c.Micro)
	}
	if uint8(n) > c.need() {
		c.wire = uint8(n)
	}
	return c, nil
}

func (c Clock) appendBinary(dst []byte) []byte {
	n := max(c.need(), c.wire)
	dst = append(dst, n)
	if n == 0 {
		return dst
	}
	neg := byte(0)
	if c.Neg {
		neg = 1
	}
	dst = binary.LittleEndian.AppendUint32(append(dst, neg), c.Days)
	dst = append(dst, c.Hours, c.Minutes, c.Seconds)
	if n == 12 {
		dst = binary.LittleEndian.AppendUint32(dst, c.Micro)
	}
	return dst
}

func (c Clock) hours() uint64 { return uint64(c.Days)*24 + uint64(c.Hours) }

func (c Clock) appendText(dst []byte, decimals uint8) []byte {
	if c.Neg {
		dst = append(dst, '-')
	}
	dst = fmt.Appendf(dst, "%02d:%02d:%02d", c.hours(), c.Minutes, c.Seconds)
	return appendMicro(dst, c.Micro, decimals)
}

// readClockText reads [-]HH:MM[:SS[.ffffff]]; hours may have more digits.
func readClockText(s string) (c Clock, ok bool) {
	if rest, minus := skip(s, '-'); minus {
		c.Neg, s = true, rest
	}
	hours, s, ok := digits(s, 1, 12)
	if !ok || hours/24 > 1<<32-1 {
		return c, false
	}
	c.Days, c.Hours = uint32(hours/24), uint8(hours%24)
	c.Minutes, c.Seconds, c.Micro, ok = minuteSecond(s)
	return c, ok
}
