package value

import (
	"encoding/binary"
	"fmt"
)

// Moment is a DATE, DATETIME or TIMESTAMP. It is what the server wrote, not a point in time: zero
// dates and days that no calendar has are kept. Two that say the same are equal unless one came in
// a longer wire form than it needed.
type Moment struct {
	Year                             uint16
	Month, Day, Hour, Minute, Second uint8
	Micro                            uint32
	wire                             uint8 // length on the wire if longer than needed
}

// IsZero reports whether all fields are zero.
func (m Moment) IsZero() bool { return m.need() == 0 }

func (m Moment) need() uint8 {
	switch {
	case m.Micro != 0:
		return 11
	case m.Hour|m.Minute|m.Second != 0:
		return 7
	case m.Year != 0 || m.Month|m.Day != 0:
		return 4
	}
	return 0
}

func readMoment(b []byte) (m Moment, err error) {
	le := binary.LittleEndian
	n := len(b)
	switch n {
	case 0, 4, 7, 11:
	default:
		return m, fmt.Errorf("date of %d bytes, want 0, 4, 7 or 11", n)
	}
	if n >= 4 {
		m.Year, m.Month, m.Day = le.Uint16(b), b[2], b[3]
	}
	if n >= 7 {
		m.Hour, m.Minute, m.Second = b[4], b[5], b[6]
	}
	if n == 11 {
		m.Micro = le.Uint32(b[7:])
	}
	if m.Micro > 999999 {
		return m, fmt.Errorf("%d microseconds", m.Micro)
	}
	if uint8(n) > m.need() {
		m.wire = uint8(n)
	}
	return m, nil
}

func (m Moment) appendBinary(dst []byte) []byte {
	n := max(m.need(), m.wire)
	dst = append(dst, n)
	if n >= 4 {
		dst = append(dst, byte(m.Year), byte(m.Year>>8), m.Month, m.Day)
	}
	if n >= 7 {
		dst = append(dst, m.Hour, m.Minute, m.Second)
	}
	if n >= 11 {
		dst = binary.LittleEndian.AppendUint32(dst, m.Micro)
	}
	return dst
}

func (m Moment) appendDate(dst []byte) []byte {
	return fmt.Appendf(dst, "%04d-%02d-%02d", m.Year, m.Month, m.Day)
}

func (m Moment) appendText(dst []byte, t Type, decimals uint8) []byte {
	dst = m.appendDate(dst)
	if t == Date && m.need() <= 4 {
		return dst
	}
	dst = fmt.Appendf(dst, " %02d:%02d:%02d", m.Hour, m.Minute, m.Second)
	return appendMicro(dst, m.Micro, decimals)
}

// appendMicro writes a fraction of as many digits as are asked for, or of six where these would
// hide something.
func appendMicro(dst []byte, micro uint32, decimals uint8) []byte {
	unit := uint32(1e6)
	for range min(decimals, 6) {
		unit /= 10
	}
	switch {
	case decimals >= 1 && decimals <= 6 && micro%unit == 0:
		return fmt.Appendf(dst, ".%0*d", int(decimals), micro/unit)
	case micro == 0:
		return dst
	}
	return fmt.Appendf(dst, ".%06d", micro)
}

// readMomentText reads YYYY-MM-DD with an optional time of day behind a blank or a T.
func readMomentText(s string) (m Moment, ok bool) {
	year, s, ok := digits(s, 4, 5)
	if !ok || year > 65535 {
		return m, false
	}
	m.Year = uint16(year)
	for _, part := range []*uint8{&m.Month, &m.Day} {
		if s, ok = skip(s, '-'); !ok {
			return m, false
		}
		if s, ok = small(s, part); !ok {
			return m, false
		}
	}
	if s == "" {
		return m, true
	}
	if s[0] != ' ' && s[0] != 'T' {
		return m, false
	}
	if s, ok = small(s[1:], &m.Hour); !ok {
		return m, false
	}
	m.Minute, m.Second, m.Micro, ok = minuteSecond(s)
	return m, ok
}

// minuteSecond reads :MM[:SS[.ffffff]] to the end.
func minuteSecond(s string) (minute, second uint8, micro uint32, ok bool) {
	if s, ok = skip(s, ':'); !ok {
		return 0, 0, 0, false
	}
	if s, ok = small(s, &minute); !ok || s == "" {
		return minute, 0, 0, ok
	}
	if s, ok = skip(s, ':'); !ok {
		return 0, 0, 0, false
	}
	if s, ok = small(s, &second); !ok || s == "" {
		return minute, second, 0, ok
	}
	if s, ok = skip(s, '.'); !ok || len(s) == 0 || len(s) > 6 {
		return 0, 0, 0, false
	}
	fraction, rest, ok := digits(s, 1, 6)
	for range 6 - len(s) {
		fraction *= 10
	}
	return minute, second, uint32(fraction), ok && rest == ""
}

func skip(s string, c byte) (string, bool) {
	if s == "" || s[0] != c {
		return s, false
	}
	return s[1:], true
}

// small reads one or two digits, or three where the wire had a number that large.
func small(s string, v *uint8) (string, bool) {
	n, s, ok := digits(s, 1, 3)
	*v = uint8(n)
	return s, ok && n <= 255
}

// digits reads as many digits as there are, which must be least to most.
func digits(s string, least, most int) (n uint64, rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' && i <= most {
		n = n*10 + uint64(s[i]-'0')
		i++
	}
	return n, s[i:], i >= least && i <= most
}
