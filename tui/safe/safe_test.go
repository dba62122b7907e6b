package safe

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

func TestLine(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"keeps plain text", "SELECT 'a'", "SELECT 'a'"},
		{"keeps letters of any script", "naïve Größe 漢字 שלום", "naïve Größe 漢字 שלום"},
		{"shows tab and newline", "a\tb\nc", "a→b⏎c"},
		{"shows carriage return", "a\r\n", `a\x0d⏎`},
		{"shows an escape sequence", "a\x1b[31mb", `a\x1b[31mb`},
		{"shows DEL and NUL", "\x7f\x00", `\x7f\x00`},
		{"tells a C1 character from a byte", "\u009b\x9b", `\u009b\x9b`},
		{"shows bidi controls", "a\u202eb\u2066c", `a\u202eb\u2066c`},
		{"shows zero-width characters", "a\u200bb\u200dc\ufeff", `a\u200bb\u200dc\ufeff`},
		{"shows variation selectors", "❤\ufe0f", `❤\ufe0f`},
		{"shows line separators", "a\u2028b\u2029", `a\u2028b\u2029`},
		{"shows tag characters", "a\U000e0041", `a\U000e0041`},
		{"shows bytes that are no text", "\xff\xfea\xc3", `\xff\xfea\xc3`},
		{"shows a cut character", "\xe6\xbc", `\xe6\xbc`},
		{"shows overlong and surrogate forms", "\xc0\x80\xed\xa0\x80", `\xc0\x80\xed\xa0\x80`},
		{"keeps the replacement character", "\ufffd", "\ufffd"},
		{"keeps marks on letters", "e\u0301", "e\u0301"},
		{"shows a mark that stands on nothing", "\u0301e", `\u0301e`},
		{"shows a mark on an escape", "\x1b\u0301", `\x1b\u0301`},
		{"keeps a backslash", `\x1b`, `\x1b`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Line(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := Bytes([]byte(tt.in)); got != tt.want {
				t.Errorf("Bytes: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLineLimitsMarks(t *testing.T) {
	got := Line("e" + strings.Repeat("\u0301", maxMarks+2))
	if want := "e" + strings.Repeat("\u0301", maxMarks) + `\u0301\u0301`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"keeps newlines", "a\nb\n", "a\nb\n"},
		{"expands tabs to stops", "\ta\tbcd\te", "    a   bcd e"},
		{"starts tab stops anew on each line", "abc\n\td", "abc\n    d"},
		{"shows the rest", "\x1b]0;x\x07\n", `\x1b]0;x\x07` + "\n"},
		{"shows a mark that opens a line", "a\n\u0301", "a\n" + `\u0301`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Text(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Every rune is either printed with a width or escaped. Ideographs, Hangul syllables and private use are sampled.
func TestEveryRuneIsVisible(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		switch {
		case r >= 0xd800 && r < 0xe000:
			continue
		case r >= 0x3400 && r < 0xf900, r >= 0x17000 && r < 0x1b000, r >= 0x1fb00 && r < 0xe0000, r >= 0xe0200:
			r += 960
		}
		got := Line(string(r))
		if err := clean(got, false); err != "" {
			t.Fatalf("%U: %s", r, err)
		}
		if w := ansi.StringWidth(got); w < 1 && unicode.IsPrint(r) {
			t.Fatalf("%U is drawn in %d cells", r, w)
		}
		if sum := ansi.StringWidth("│" + got + "│"); sum != ansi.StringWidth(got)+2 {
			t.Fatalf("%U joins the text around it: %d cells", r, sum)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range attacks {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, w int) {
		line := Line(s)
		if err := clean(line, false); err != "" {
			t.Fatalf("Line(%q) = %q: %s", s, line, err)
		}
		if again := Line(line); again != line {
			t.Fatalf("Line is not idempotent: %q then %q", line, again)
		}
		text := Text(s)
		if err := clean(text, true); err != "" {
			t.Fatalf("Text(%q) = %q: %s", s, text, err)
		}
		if again := Text(text); again != text {
			t.Fatalf("Text is not idempotent: %q then %q", text, again)
		}
		if strings.Count(text, "\n") != strings.Count(s, "\n") {
			t.Fatalf("Text(%q) = %q lost a line", s, text)
		}
		checkWidths(t, s, w%200)
	})
}

func checkWidths(t *testing.T, s string, w int) {
	t.Helper()
	room := max(w, 0)
	for name, got := range map[string]string{"Cut": Cut(s, w), "Elide": Elide(s, w)} {
		if n := ansi.StringWidth(got); n > room {
			t.Fatalf("%s(%q, %d) = %q is %d wide", name, s, w, got, n)
		}
		if Width(s) <= room && got != Line(s) {
			t.Fatalf("%s(%q, %d) = %q, but all of it fits", name, s, w, got)
		}
		if err := clean(got, false); err != "" {
			t.Fatalf("%s(%q, %d) = %q: %s", name, s, w, got, err)
		}
	}
	for name, got := range map[string]string{"Pad": Pad(s, w), "PadLeft": PadLeft(s, w)} {
		if n := ansi.StringWidth(got); n != room {
			t.Fatalf("%s(%q, %d) = %q is %d wide", name, s, w, got, n)
		}
	}
	for _, line := range Wrap(s, w) {
		if n := ansi.StringWidth(line); n > room {
			t.Fatalf("Wrap(%q, %d) has a line of %d: %q", s, w, n, line)
		}
	}
}

// clean says what in s a terminal could obey instead of print.
func clean(s string, lines bool) string {
	if !utf8.ValidString(s) {
		return "not UTF-8"
	}
	for _, r := range s {
		if r == '\n' && lines {
			continue
		}
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return "control character left"
		}
	}
	if ansi.Strip(s) != s {
		return "escape sequence left"
	}
	return ""
}

var attacks = []string{
	"", "plain", "漢字かな交じり文", "e\u0301e\u0301e\u0301", "🇩🇪🇫🇷🇬🇧", "👨‍👩‍👧", "ᄀᄀᄀ각", "क्षत्रिय", "ൎക",
	"\x1b[2J\x1b]0;title\x07", "\x9b31m", "\u009b31m", "\x1bP1$r\x1b\\", "\x1b]52;c;aGk=\x07", "\x1b]8;;http://x\x1b\\y",
	"a\u202ecod.exe", "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308", "\xf0\x9f", "\r\n\t\v\f\b", "\x00\xff",
}
