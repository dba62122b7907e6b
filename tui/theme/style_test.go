package theme

import (
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
)

func TestStyle(t *testing.T) {
	ansi16, plain := mustNew(t, Options{Name: "dark"}), mustNew(t, Options{Name: "dark", Renderer: renderer(termenv.Ascii)})
	red := ansi16.Error.Render("x")
	for _, tt := range []struct{ name, got, want string }{
		{"styles", ansi16.Dim.Render("a b"), "\x1b[2ma b\x1b[0m"},
		{"styles nothing as nothing", ansi16.Dim.Render(""), ""},
		{"styles each line", ansi16.Dim.Render("a\nb"), "\x1b[2ma\x1b[0m\n\x1b[2mb\x1b[0m"},
		{"leaves plain text", ansi16.Text.Render("a"), "a"},
		{"has no styles without a terminal", plain.Held.Render("a") + plain.Selected.Over("b"), "ab"},
		{"lies over other styles", ansi16.Selected.Over("a" + red + "b"), "\x1b[7ma" + red + "\x1b[7mb\x1b[0m"},
		{"adds to itself", ansi16.Dim.Bold().Reverse().Render("a"), "\x1b[1;7;2ma\x1b[0m"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
}

func TestStyleKeepsGraphemes(t *testing.T) {
	th := mustNew(t, Options{Name: "dark"})
	const s = "e\u0301 🇩🇪 क्षि"
	got := th.Changed.Underline().Render(s)
	if ansi.Strip(got) != s || ansi.StringWidth(got) != ansi.StringWidth(s) {
		t.Errorf("got %q", got)
	}
	if n := len(got) - len(s); n > 24 {
		t.Errorf("styled in pieces: %q", got)
	}
}
