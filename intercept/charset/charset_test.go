package charset

import (
	"testing"
	"unicode/utf8"

	"mydbg/mysqlwire/value"
)

func TestDecodeEncode(t *testing.T) {
	for _, tt := range []struct {
		set, bytes, text string
		ok               bool
	}{
		{"latin1", "\x80\x81\xe9", "€\u0081é", true},
		{"cp1251", "\xcf\xf0\xe8", "При", true},
		{"cp1251", "\xcf\x98", "П\x98", false},
		{"sjis", "\x83\x5c\x5c", "ソ\\", true},
		{"sjis", "a\x83", "a\x83", false},
		{"gbk", "\xd6\xd0\x5c", "中\\", true},
		{"ujis", "\xa4\xa2\x8e\xb1\x8f\xb0\xa1", "あｱ丂", true},
		{"gb18030", "\x81\x30\x81\x30\x90\x30\x81\x30\xd6\xd0", "\u0080\U00010000中", true},
		{"euckr", "\xc7\xd1", "한", true},
		{"utf8mb3", "\xc3\xa9\xff", "é\xff", false},
		{"ucs2", "\x04\x1f\x00a", "Пa", true},
		{"utf16", "\xd8\x3d\xde\x00", "😀", true},
		{"utf16le", "\x3d\xd8\x00\xde", "😀", true},
		{"utf32", "\x00\x01\xf6\x00", "😀", true},
	} {
		c := Of(tt.set)
		text, ok := c.Decode([]byte(tt.bytes))
		if text != tt.text || ok != tt.ok {
			t.Errorf("%s %x: got %q %v, want %q %v", tt.set, tt.bytes, text, ok, tt.text, tt.ok)
		}
		if b, err := c.Encode(tt.text); err != nil || string(b) != tt.bytes {
			t.Errorf("%s %q: got %x %v, want %x", tt.set, tt.text, b, err, tt.bytes)
		}
	}
}

func TestWhatASetDoesNotHaveIsNamed(t *testing.T) {
	for _, tt := range []struct{ set, text, want string }{
		{"latin1", "naïve Ж", "'Ж' (U+0416) cannot be written in latin1, the character set it is sent in"},
		{"utf8mb3", "ok 😀", "'😀' (U+1F600) cannot be written in utf8mb3, the character set it is sent in"},
		{"sjis", "中国 한", "'한' (U+D55C) cannot be written in sjis, the character set it is sent in"},
	} {
		if b, err := Of(tt.set).Encode(tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %x, %v, want %s", tt.set, b, err, tt.want)
		}
	}
}

func TestOfIsNilForTheProgramsOwnText(t *testing.T) {
	for _, name := range []string{"utf8mb4", "binary", "", "klingon"} {
		if c := Of(name); c != nil {
			t.Errorf("%q: got %v, want nil", name, c)
		}
	}
}

func TestEditsKeepTheBytesAroundThem(t *testing.T) {
	for _, tt := range []struct{ set, was, text, want string }{
		{"cp932", "a\xed\x40b\x87\x90", "a纊Xb≒", "a\xed\x40Xb\x87\x90"}, // both have another code
		{"cp932", "\xed\x40", "纊", "\xed\x40"},
		{"cp932", "\xed\x40", "", ""},
		{"cp932", "\xed\x40\xed\x40", "纊", "\xed\x40"},
		{"cp1251", "\x98\xcf\x98", "\x98Пр\x98", "\x98\xcf\xf0\x98"},
		{"sjis", "'\x83\x5c'", "'ソー'", "'\x83\x5c\x81\x5b'"},
		{"latin1", "", "é", "\xe9"},
		{"utf16", "\xd8\x3d\xde\x00", "😁", "\xd8\x3d\xde\x01"},
	} {
		if got, err := value.Reencode(Of(tt.set), []byte(tt.was), tt.text); err != nil || string(got) != tt.want {
			t.Errorf("%s %x, %q: got %x %v, want %x", tt.set, tt.was, tt.text, got, err, tt.want)
		}
	}
}

// FuzzReencode checks that an edited text is read as what was typed.
func FuzzReencode(f *testing.F) {
	for name := range sets {
		f.Add(name, []byte("plain \x81\x40\xa1\xa1"), "pl x")
	}
	f.Fuzz(func(t *testing.T, name string, was []byte, text string) {
		c := Of(name)
		if c == nil || !utf8.ValidString(text) {
			return
		}
		if _, ok := c.Decode(was); !ok {
			return
		}
		b, err := value.Reencode(c, was, text)
		if err != nil {
			return
		}
		if got, ok := c.Decode(b); !ok || got != text {
			t.Fatalf("%s: %x edited to %q is %x, which reads %q", name, was, text, b, got)
		}
	})
}

// FuzzDecode checks that no bytes are lost on the way to text and back, in sets whose characters have
// one code each.
func FuzzDecode(f *testing.F) {
	for name := range sets {
		f.Add(name, []byte("plain \x81\x40\xa1\xa1\xff\x8f\xa1\xa1\x81\x30\x81\x30"))
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		c := Of(name)
		if c == nil {
			return
		}
		text, ok := c.Decode(b)
		if !ok {
			return
		}
		again, err := c.Encode(text)
		if err != nil {
			switch name {
			case "sjis", "cp932", "big5", "eucjpms", "tis620": // have characters that are only read
				return
			}
			t.Fatalf("%s: %x is %q, which cannot be written: %v", name, b, text, err)
		}
		if twice, _ := c.Decode(again); twice != text {
			t.Fatalf("%s: %x is %q, written as %x and read as %q", name, b, text, again, twice)
		}
	})
}
