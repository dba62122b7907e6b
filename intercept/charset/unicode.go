package charset

import (
	"encoding/binary"
	"unicode/utf8"
)

// utf8mb3 is UTF-8 without the characters that take four bytes.
type utf8mb3 string

func (s utf8mb3) String() string { return string(s) }

func (s utf8mb3) Decode(b []byte) (text string, ok bool) {
	text, ok = string(b), true
	for i := 0; i < len(text) && ok; {
		r, n := utf8.DecodeRuneInString(text[i:])
		ok = n < 4 && (r != utf8.RuneError || n > 1)
		i += n
	}
	return text, ok
}

func (s utf8mb3) Encode(text string) ([]byte, error) {
	return encode(text, string(s), func(dst []byte, r rune) ([]byte, bool) {
		return utf8.AppendRune(dst, r), r <= 0xffff
	})
}

func surrogate(r rune) bool { return r >= 0xd800 && r < 0xe000 }

// ucs2 has two bytes for each character of the first plane.
type ucs2 struct{}

func (ucs2) String() string { return "ucs2" }

func (ucs2) Decode(b []byte) (text string, ok bool) {
	return decode(b, func(b []byte) (rune, int) {
		if len(b) < 2 || surrogate(rune(binary.BigEndian.Uint16(b))) {
			return 0, 0
		}
		return rune(binary.BigEndian.Uint16(b)), 2
	})
}

func (ucs2) Encode(text string) ([]byte, error) {
	return encode(text, "ucs2", func(dst []byte, r rune) ([]byte, bool) {
		return binary.BigEndian.AppendUint16(dst, uint16(r)), r <= 0xffff
	})
}

// utf16 has one or two units of two bytes for each character.
type utf16 struct {
	name   string
	little bool
}

func (s utf16) String() string { return s.name }

func (s utf16) unit(b []byte) rune {
	if s.little {
		return rune(binary.LittleEndian.Uint16(b))
	}
	return rune(binary.BigEndian.Uint16(b))
}

func (s utf16) Decode(b []byte) (text string, ok bool) {
	return decode(b, func(b []byte) (rune, int) {
		if len(b) < 2 {
			return 0, 0
		}
		high := s.unit(b)
		if !surrogate(high) {
			return high, 2
		}
		if len(b) < 4 || high >= 0xdc00 {
			return 0, 0
		}
		low := s.unit(b[2:])
		if low < 0xdc00 || low >= 0xe000 {
			return 0, 0
		}
		return 0x10000 + (high-0xd800)<<10 + low - 0xdc00, 4
	})
}

func (s utf16) Encode(text string) ([]byte, error) {
	unit := func(dst []byte, u rune) []byte {
		if s.little {
			return binary.LittleEndian.AppendUint16(dst, uint16(u))
		}
		return binary.BigEndian.AppendUint16(dst, uint16(u))
	}
	return encode(text, s.name, func(dst []byte, r rune) ([]byte, bool) {
		if r < 0x10000 {
			return unit(dst, r), true
		}
		r -= 0x10000
		return unit(unit(dst, 0xd800+r>>10), 0xdc00+r&0x3ff), true
	})
}

// utf32 has four bytes for each character.
type utf32 struct{}

func (utf32) String() string { return "utf32" }

func (utf32) Decode(b []byte) (text string, ok bool) {
	return decode(b, func(b []byte) (rune, int) {
		if len(b) < 4 {
			return 0, 0
		}
		r := binary.BigEndian.Uint32(b)
		if r > utf8.MaxRune || surrogate(rune(r)) {
			return 0, 0
		}
		return rune(r), 4
	})
}

func (utf32) Encode(text string) ([]byte, error) {
	return encode(text, "utf32", func(dst []byte, r rune) ([]byte, bool) {
		return binary.BigEndian.AppendUint32(dst, uint32(r)), true
	})
}
