package value

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// Literal is v as a literal of SQL: NULL, bare numbers, quoted text, 0x and hexadecimal for bytes
// that are no text. It counts on backslash escapes, which NO_BACKSLASH_ESCAPES switches off.
func Literal(v Value, t Type) string { return Spec{Type: t, Decimals: NoDecimals}.Literal(v) }

// Literal is the function of that name for a column that says whether it holds text.
func (s Spec) Literal(v Value) string {
	b, isBytes := v.([]byte)
	if !isBytes {
		text := Text(v, s.Type, s.Decimals)
		switch v.(type) {
		case Moment, Clock:
			return "'" + text + "'"
		}
		return text
	}
	switch c := s.Type.class(); {
	case (c == decimal || c == integer || c == float) && isNumber(string(b), c == float):
		return string(b)
	case s.Type == Bit || s.Type == Geometry || s.Type == Vector, s.Binary:
		return hexLiteral(b)
	}
	text := DecodeText(s.Charset, b)
	if !printable([]byte(text)) {
		return hexLiteral(b)
	}
	return quote(text)
}

// hexLiteral keeps the empty string, for which 0x is no literal.
func hexLiteral(b []byte) string {
	if len(b) == 0 {
		return "''"
	}
	return hexText(b)
}

func hexText(b []byte) string { return "0x" + hex.EncodeToString(b) }

var escapes = strings.NewReplacer(`\`, `\\`, `'`, `''`, "\n", `\n`, "\r", `\r`)

func quote(s string) string { return "'" + escapes.Replace(s) + "'" }

// printable reports whether b is UTF-8 without control characters other than those of plain text.
func printable(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}
