package value

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Parse reads what a person types as a value of type t. decimals is NoDecimals where it is not
// known. Types that can be TEXT or BLOB read 0x and hexadecimal digits as bytes.
func Parse(text string, t Type, unsigned bool, decimals uint8) (Value, error) {
	s := Spec{Type: t, Decimals: decimals}
	if unsigned {
		s.Flags = FlagUnsigned
	}
	switch t {
	case TinyBlob, MediumBlob, LongBlob, Blob:
		s.Binary = true
	}
	return s.Parse(text)
}

// Parse reads what Format writes and what a person types. Its errors are for that person. It never
// makes a NULL.
func (s Spec) Parse(text string) (Value, error) {
	switch s.Type.class() {
	case integer:
		return s.parseInteger(strings.TrimSpace(text))
	case float:
		return s.parseFloat(strings.TrimSpace(text))
	case decimal:
		return s.parseDecimal(strings.TrimSpace(text))
	case moment:
		return s.parseMoment(strings.TrimSpace(text))
	case clock:
		return s.parseClock(strings.TrimSpace(text))
	case bytes:
		return s.parseBytes(text)
	case null:
		return nil, errors.New("a value of type NULL can only be NULL: choose another type first")
	}
	b, ok, err := parseHex(text)
	if !ok {
		err = fmt.Errorf("values of %s are not known here: only their bytes can be typed, as 0x and hexadecimal digits", s.Type)
	}
	return b, err
}

// intRange is what fits an integer type.
func intRange(t Type, unsigned bool) (low int64, high uint64) {
	bits := 8 * t.fixedLen()
	if t == Int24 {
		bits = 24
	}
	if unsigned || t == Year {
		return 0, 1<<bits - 1
	}
	return -1 << (bits - 1), 1<<(bits-1) - 1
}

func outOfRange(text string, t Type, unsigned bool) error {
	if t == Year {
		return fmt.Errorf("%s does not fit YEAR (0, 1901 to 2155)", text)
	}
	low, high := intRange(t, unsigned)
	name := t.String()
	if unsigned {
		name += " UNSIGNED"
	}
	return fmt.Errorf("%s does not fit %s (%d to %d)", text, name, low, high)
}

func (s Spec) parseInteger(text string) (Value, error) {
	low, high := intRange(s.Type, s.unsigned())
	if !isNumber(text, false) {
		return nil, fmt.Errorf("%s is not a number", strconv.Quote(text))
	}
	if strings.Contains(text, ".") {
		return nil, fmt.Errorf("%s is not a whole number", text)
	}
	tooMuch := outOfRange(text, s.Type, s.unsigned())
	if !s.unsigned() && s.Type != Year {
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil || i < low || i > 0 && uint64(i) > high {
			return nil, tooMuch
		}
		return i, nil
	}
	u, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, 64)
	switch {
	case err != nil, u > high:
		return nil, tooMuch
	case s.Type == Year && u != 0 && (u < 1901 || u > 2155):
		return nil, tooMuch
	}
	return u, nil
}

func (s Spec) parseFloat(text string) (Value, error) {
	v, err := readFloat(text, s.Type)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return nil, fmt.Errorf("%s does not fit %s", text, s.Type)
	case err != nil:
		return nil, fmt.Errorf("%s is not a number", strconv.Quote(text))
	}
	return v, nil
}

func (s Spec) parseDecimal(text string) (Value, error) {
	if !isNumber(text, false) {
		return nil, fmt.Errorf("%s is not a decimal number", strconv.Quote(text))
	}
	if s.unsigned() && text[0] == '-' {
		return nil, fmt.Errorf("%s is negative, %s is not", text, s.Name())
	}
	text = strings.TrimPrefix(text, "+")
	whole, fraction, _ := strings.Cut(text, ".")
	if s.Decimals < NoDecimals {
		if len(fraction) > int(s.Decimals) {
			return nil, fmt.Errorf("%s has %d decimals, the column %d", text, len(fraction), s.Decimals)
		}
		fraction += strings.Repeat("0", int(s.Decimals)-len(fraction))
	}
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction == "" {
		return []byte(sign + whole), nil
	}
	return []byte(sign + whole + "." + fraction), nil
}

func (s Spec) parseMoment(text string) (Value, error) {
	m, ok := readMomentText(text)
	if !ok {
		form := "2026-12-31 23:59:59"
		if s.Type == Date {
			form = "2026-12-31"
		}
		return nil, fmt.Errorf("%s is not a date like %s", strconv.Quote(text), form)
	}
	switch day, _, timed := strings.Cut(strings.Replace(text, "T", " ", 1), " "); {
	case m.Year > 9999, m.Month > 12, int(m.Day) > daysIn(m.Year, m.Month):
		return nil, fmt.Errorf("%s is not a valid date", day)
	case m.Hour > 23 || m.Minute > 59 || m.Second > 59:
		return nil, fmt.Errorf("%s is not a valid time", text[len(day)+1:])
	case s.Type == Date && timed && m.need() > 4:
		return nil, fmt.Errorf("a DATE has no time: %s", text)
	}
	return m, nil
}

// daysIn allows the zero month servers can be told to store.
func daysIn(year uint16, month uint8) int {
	if month == 0 {
		return 31
	}
	return time.Date(int(year), time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func (s Spec) parseClock(text string) (Value, error) {
	c, ok := readClockText(text)
	switch {
	case !ok:
		return nil, fmt.Errorf("%s is not a time like 23:59:59", strconv.Quote(text))
	case c.Minutes > 59 || c.Seconds > 59:
		return nil, fmt.Errorf("%s is not a valid time", text)
	case c.hours() > 838:
		return nil, fmt.Errorf("%s does not fit TIME (-838:59:59.999999 to 838:59:59.999999)", text)
	}
	return c, nil
}

func (s Spec) parseBytes(text string) (Value, error) {
	switch s.Type {
	case Bit:
		return s.parseBit(strings.TrimSpace(text))
	case Vector:
		return parseVector(strings.TrimSpace(text))
	case JSON:
		if err := checkJSON(text); err != nil {
			return nil, err
		}
		return EncodeText(s.Charset, text)
	case Geometry:
		if b, ok, err := parseHex(text); ok {
			return b, err
		}
		return parseGeometry(text)
	}
	if err := s.checkExt(text); err != nil {
		return nil, err
	}
	if s.Binary {
		b, ok, err := parseHex(text)
		if list, is := strings.CutPrefix(text, "vector"); is && strings.HasPrefix(list, "[") { // MariaDB's are VARBINARY
			b, err = vectorBytes(list)
			ok = true
		}
		if ok {
			if err != nil {
				return nil, err
			}
			return s.checkLength(b, len(b), "bytes")
		}
		return s.checkLength([]byte(text), len(text), "bytes")
	}
	b, err := EncodeText(s.Charset, text)
	if err != nil {
		return nil, err
	}
	return s.checkLength(b, utf8.RuneCountInString(text), "characters")
}

func (s Spec) checkLength(b []byte, n int, units string) (Value, error) {
	if s.Length > 0 && uint64(n) > uint64(s.Length) {
		return nil, fmt.Errorf("%d %s do not fit %s", n, units, s.Name())
	}
	return b, nil
}

// parseHex reads 0x and digits; ok is false for other text.
func parseHex(text string) (b []byte, ok bool, err error) {
	if len(text) < 2 || text[0] != '0' || text[1]|0x20 != 'x' {
		return nil, false, nil
	}
	if b, err = hex.DecodeString(text[2:]); err != nil {
		return nil, true, fmt.Errorf("%s is not pairs of hexadecimal digits behind 0x", strconv.Quote(text))
	}
	return b, true, nil
}

// parseBit reads a number, b'101' or 0x; the last keeps its bytes.
func (s Spec) parseBit(text string) (Value, error) {
	if b, ok, err := parseHex(text); ok {
		return b, err
	}
	digits, base := text, 10
	if inner, ok := strings.CutPrefix(text, "b'"); ok && strings.HasSuffix(inner, "'") {
		digits, base = strings.TrimSuffix(inner, "'"), 2
	}
	u, err := strconv.ParseUint(digits, base, 64)
	bits := s.Length
	if bits == 0 || bits > 64 {
		bits = 64
	}
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && bits < 64 && u>>bits != 0:
		return nil, fmt.Errorf("%s does not fit BIT(%d)", text, bits)
	case err != nil:
		return nil, fmt.Errorf("%s is not a number, b'101' or 0x and hexadecimal digits", strconv.Quote(text))
	}
	return s.bitBytes(u), nil
}

// bitBytes is u as wide as the column, or as short as it goes.
func (s Spec) bitBytes(u uint64) []byte {
	width := int(min(s.Length, 64)+7) / 8
	if s.Length == 0 {
		for width = 1; width < 8 && u>>(8*width) != 0; {
			width++
		}
	}
	b := make([]byte, width)
	for i := range b {
		b[i] = byte(u >> (8 * (width - 1 - i)))
	}
	return b
}

func (s Spec) formatBit(b []byte) string {
	if len(b) > 8 {
		return hexText(b)
	}
	var u uint64
	for _, c := range b {
		u = u<<8 | uint64(c)
	}
	if string(s.bitBytes(u)) != string(b) || s.Length > 0 && s.Length < 64 && u>>s.Length != 0 {
		return hexText(b)
	}
	return strconv.FormatUint(u, 10)
}

// parseVector reads [1, 2.5] or 0x.
func parseVector(text string) (Value, error) {
	if b, ok, err := parseHex(text); ok {
		return b, err
	}
	b, err := vectorBytes(text)
	if err != nil {
		return nil, err
	}
	return b, nil
}

func vectorBytes(text string) ([]byte, error) {
	inner, opened := strings.CutPrefix(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !opened || !closed {
		return nil, fmt.Errorf("%s is not a vector like [1, 2.5]", strconv.Quote(text))
	}
	b := []byte{}
	if strings.TrimSpace(inner) == "" {
		return b, nil
	}
	for part := range strings.SplitSeq(inner, ",") {
		f, err := readFloat(strings.TrimSpace(part), Float)
		if err != nil {
			return nil, fmt.Errorf("%s is not a number a vector can hold", strconv.Quote(strings.TrimSpace(part)))
		}
		bits := math.Float32bits(f.(float32))
		b = append(b, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
	}
	return b, nil
}

func formatVector(b []byte) string {
	if len(b)%4 != 0 {
		return hexText(b)
	}
	text := []byte{'['}
	for i := 0; i < len(b); i += 4 {
		f := math.Float32frombits(uint32(b[i]) | uint32(b[i+1])<<8 | uint32(b[i+2])<<16 | uint32(b[i+3])<<24)
		if f != f || math.IsInf(float64(f), 0) {
			return hexText(b)
		}
		if i > 0 {
			text = append(text, ", "...)
		}
		text = appendFloat(text, float64(f), 32, NoDecimals)
	}
	return string(append(text, ']'))
}
