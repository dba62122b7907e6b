package theme

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"
)

func TestBoxGolden(t *testing.T) {
	body := " ▾ #3 app@10.0.0.7:51812  shop  TLS\n>||  1380 X  UPDATE stock SET qty=qty-…  PAUSED"
	for _, tt := range []struct {
		name    string
		w, h    int
		ascii   bool
		focused bool
		profile termenv.Profile
	}{
		{"wide", 78, 5, false, false, termenv.Ascii},
		{"focused", 78, 5, false, true, termenv.Ascii},
		{"ascii", 60, 5, true, false, termenv.Ascii},
		{"ascii focused", 60, 5, true, true, termenv.Ascii},
		{"no room for the right text", 30, 4, false, false, termenv.Ascii},
		{"no room for the title", 12, 3, false, false, termenv.Ascii},
		{"colour", 60, 4, false, true, termenv.ANSI},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th := mustNew(t, Options{Name: "dark", ASCII: tt.ascii, Renderer: renderer(tt.profile)})
			got := th.Box("1 Events  tree  1,386", "filter: off   follow", body, tt.w, tt.h, tt.focused)
			golden.RequireEqual(t, []byte(got))
		})
	}
}

func TestBoxIsExact(t *testing.T) {
	th := mustNew(t, Options{Name: "dark"})
	body := strings.Join([]string{
		th.Held.Render("漢字漢字漢字漢字漢字漢字漢字漢字"), "", "e\u0301e\u0301", strings.Repeat("x", 300), th.Error.Render("🇩🇪🇫🇷") + "tail",
	}, "\n")
	for w := 0; w < 90; w += 1 + w/20 {
		for h := range 4 {
			for _, title := range []string{"", "1 Events", "漢字漢字漢字漢字 title", "\x1b[31mred\n"} {
				for _, right := range []string{"", "follow", "filter: 漢字漢字漢字 and more of it"} {
					checkExact(t, th.Box(title, right, body, w, h, w%2 == 0), w, h)
				}
			}
		}
	}
}

func checkExact(t *testing.T, got string, w, h int) {
	t.Helper()
	if w == 0 || h == 0 {
		if got != "" {
			t.Fatalf("%dx%d: got %q, want nothing", w, h, got)
		}
		return
	}
	lines := strings.Split(got, "\n")
	if len(lines) != h {
		t.Fatalf("%dx%d: got %d lines", w, h, len(lines))
	}
	for i, line := range lines {
		if n := ansi.StringWidth(line); n != w {
			t.Fatalf("%dx%d: line %d is %d wide: %q", w, h, i, n, line)
		}
	}
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		in   string
		w    int
		want string
	}{
		{"ab", 4, "ab  "}, {"abcd", 2, "ab"}, {"漢字", 3, "漢 "}, {"\x1b[1mabc\x1b[0m", 2, "\x1b[1mab\x1b[0m"}, {"a", 0, ""},
	} {
		if got := Fit(tt.in, tt.w); got != tt.want {
			t.Errorf("Fit(%q, %d): got %q, want %q", tt.in, tt.w, got, tt.want)
		}
	}
}

func TestBoxCleansItsTitle(t *testing.T) {
	th := mustNew(t, Options{Name: "dark", Renderer: renderer(termenv.Ascii)})
	got := th.Box("a\x1b]0;evil\x07", "b\u202e", "", 60, 2, false)
	if strings.ContainsAny(got, "\x1b\x07\u202e") || !strings.Contains(got, `a\x1b]0;evil\x07`) {
		t.Errorf("got %q", got)
	}
}
