// Package charset turns text of every character set that MySQL and MariaDB offer into UTF-8 and
// back, exactly as the servers' own CONVERT does.
//
// The sets that are forms of Unicode (utf8mb3, ucs2, utf16, utf16le, utf32) are computed. All others
// come from tables that were read out of a server, because the servers' sets are not those that
// libraries have under the same names: their latin1 is cp1252 with five holes filled, their ujis, big5
// and euckr have other characters in hundreds of places. golang.org/x/text would have served for half
// of them, each with a list of exceptions, and has none of armscii8, geostd8, keybcs2, dec8, hp8,
// swe7, macce and eucjpms.
//
// Bytes that are no characters of their set stay bytes: Decode leaves them as they are in its text,
// where they show as invalid UTF-8, and Encode writes them back.
package charset

import (
	"fmt"
	"unicode/utf8"

	"mydbg/mysqlwire/value"
)

// All is every character set, for a mysqlwire.Decoder.
var All all

type all struct{}

func (all) Charset(name string) value.Charset { return Of(name) }

// Of is the character set of a name, as the servers write it. It is nil for utf8mb4, which is the text
// of this program, for binary, which is no text, and for names that are not known.
func Of(name string) value.Charset {
	if s, ok := sets[name]; ok {
		return s
	}
	return nil
}

// sets has all sets but those for which Of is nil.
var sets = func() map[string]value.Charset {
	m := map[string]value.Charset{
		"utf8": utf8mb3("utf8"), "utf8mb3": utf8mb3("utf8mb3"),
		"ucs2": ucs2{}, "utf16": utf16{"utf16", false}, "utf16le": utf16{"utf16le", true}, "utf32": utf32{},
	}
	for _, name := range tables {
		m[name] = &tabled{name, lazy(name)}
	}
	return m
}()

// Error is a character that a set does not have.
type Error struct {
	Char rune
	Set  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%q (%U) cannot be written in %s, the character set it is sent in", e.Char, e.Char, e.Set)
}

// tabled is a set with a table.
type tabled struct {
	name  string
	table func() *table
}

func (s *tabled) String() string { return s.name }

func (s *tabled) Decode(b []byte) (text string, ok bool) {
	t := s.table()
	return decode(b, t.next)
}

func (s *tabled) Encode(text string) ([]byte, error) {
	t := s.table()
	return encode(text, s.name, func(dst []byte, r rune) ([]byte, bool) {
		c, ok := t.code(r)
		if !ok {
			return dst, false
		}
		for shift := 24; shift >= 0; shift -= 8 {
			if shift == 0 || c>>shift != 0 {
				dst = append(dst, byte(c>>shift))
			}
		}
		return dst, true
	})
}

// decode reads characters; next says how many bytes the first of them takes, 0 if there is none.
func decode(b []byte, next func([]byte) (rune, int)) (text string, ok bool) {
	out := make([]byte, 0, len(b)+len(b)/2)
	ok = true
	for len(b) > 0 {
		r, n := next(b)
		if n == 0 {
			out, b, ok = append(out, b[0]), b[1:], false
			continue
		}
		out, b = utf8.AppendRune(out, r), b[n:]
	}
	return string(out), ok
}

func encode(text, set string, add func([]byte, rune) ([]byte, bool)) ([]byte, error) {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			out = append(out, text[i])
			i++
			continue
		}
		i += n
		var ok bool
		if out, ok = add(out, r); !ok {
			return nil, &Error{r, set}
		}
	}
	return out, nil
}
