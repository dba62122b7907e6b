package safe

import (
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestASCII(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"leaves ASCII alone", "a\x1b[1mb\x1b[0m\n", "a\x1b[1mb\x1b[0m\n"},
		{"has forms for our own signs", "a→b⏎c… ··│", "a>b$c~ ..|"},
		{"keeps the width of the rest", "漢\x1b[1m字\x1b[0mé", "??\x1b[1m??\x1b[0m?"},
		{"drops marks", "e\u0301x", "ex"},
		{"keeps lines", "漢\r\nb", "??\r\nb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := ASCII(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzASCII(f *testing.F) {
	for _, s := range attacks {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := Line(s)
		got := ASCII("\x1b[1m" + line + "\x1b[0m")
		if !isASCII(got) || ansi.StringWidth(got) != ansi.StringWidth(line) {
			t.Fatalf("ASCII(%q) = %q: %d cells, want %d", line, got, ansi.StringWidth(got), ansi.StringWidth(line))
		}
	})
}
