package sqlview

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

func newTheme(t testing.TB, p termenv.Profile, name string) *theme.Theme {
	t.Helper()
	r := lipgloss.NewRenderer(os.Stdout)
	r.SetColorProfile(p)
	th, err := theme.New(theme.Options{Name: name, Renderer: r})
	if err != nil {
		t.Fatal(err)
	}
	return th
}

const statement = "-- stock of 漢字\nUPDATE stock SET qty = qty - 2, note = CONCAT('it''s \\'e\u0301\\' ', \"x\\\"y\")\n\tWHERE sku = 'SKU-77' AND price >= 12.50 /* route=/checkout */ AND `deleted` IS NULL"

var sources = map[Language]string{
	SQL:   statement,
	Lua:   "-- a hook\nfunction read_query(packet)\n\tif packet:byte() == proxy.COM_QUERY then print(\"q\", 1.5, nil) end\nend",
	JSON:  `{"a": [1, true, null], "b": "漢字\n"}`,
	Plain: statement,
}

func TestGolden(t *testing.T) {
	for _, w := range []int{100, 40, 16} {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			v := New(newTheme(t, termenv.Ascii, "dark"))
			v.SetText(SQL, statement)
			v.SetSize(w, 8)
			golden.RequireEqual(t, []byte(v.View()))
		})
	}
}

func TestColour(t *testing.T) {
	for lang, name := range []string{SQL: "sql", Lua: "lua", JSON: "json", Plain: "plain"} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			for _, th := range []string{"dark", "mono"} {
				for _, line := range Lines(newTheme(t, termenv.ANSI, th), Language(lang), sources[Language(lang)], 60) {
					fmt.Fprintf(&out, "%q\n", line)
				}
			}
			golden.RequireEqual(t, []byte(out.String()))
		})
	}
}

func TestViewIsExact(t *testing.T) {
	th := newTheme(t, termenv.ANSI, "dark")
	for lang, text := range sources {
		v := New(th)
		v.SetText(lang, text)
		for w := range 60 {
			for h := range 4 {
				v.SetSize(w, h)
				v.Scroll(w % 3)
				got := v.View()
				if w == 0 || h == 0 {
					if got != "" {
						t.Fatalf("got %q", got)
					}
					continue
				}
				lines := strings.Split(got, "\n")
				if len(lines) != h {
					t.Fatalf("%dx%d: %d lines", w, h, len(lines))
				}
				for _, line := range lines {
					if n := ansi.StringWidth(line); n != w {
						t.Fatalf("%dx%d: %d cells in %q", w, h, n, line)
					}
				}
			}
		}
	}
}

// Whatever the lexer makes of it, the text shown is the text, and no line is too long or carries its style over.
func FuzzLines(f *testing.F) {
	for lang, text := range sources {
		f.Add(byte(lang), text, 20)
	}
	f.Add(byte(SQL), "\x1b[31m\x00\xff '\u202e", 7)
	f.Add(byte(JSON), "{\"\n\r\n", 3)
	f.Add(byte(Lua), "[[ \n\n ]]", 2)
	th := newTheme(f, termenv.ANSI, "dark")
	f.Fuzz(func(t *testing.T, lang byte, text string, w int) {
		w %= 80
		lines := Lines(th, Language(lang%4), text, w)
		want := safe.Wrap(text, w)
		if len(lines) != len(want) {
			t.Fatalf("got %d lines, want %d", len(lines), len(want))
		}
		for i, line := range lines {
			if n := ansi.StringWidth(line); n > w {
				t.Fatalf("line %d is %d cells wide, want at most %d: %q", i, n, w, line)
			}
			if got := ansi.Strip(line); got != want[i] {
				t.Fatalf("line %d: got %q, want %q", i, got, want[i])
			}
			if last := strings.LastIndex(line, "\x1b["); last >= 0 && !strings.HasSuffix(line[:last+4], "\x1b[0m") {
				t.Fatalf("line %d does not end its style: %q", i, line)
			}
		}
	})
}

func TestScrolling(t *testing.T) {
	v := New(newTheme(t, termenv.Ascii, "dark"))
	v.SetSize(10, 3)
	v.SetText(SQL, strings.Repeat("SELECT 1;\n", 20))
	for _, step := range []struct {
		what string
		do   func()
		top  int
	}{
		{"it starts at the top", func() {}, 0},
		{"above is nothing", func() { v.Scroll(-1) }, 0},
		{"down", func() { v.Scroll(2) }, 2},
		{"a page", func() { v.Page(1) }, 4},
		{"a page back", func() { v.Page(-1) }, 2},
		{"the end", func() { v.End() }, 18},
		{"the same text again", func() { v.SetText(SQL, strings.Repeat("SELECT 1;\n", 20)) }, 18},
		{"a narrower window keeps its place", func() { v.SetSize(8, 3) }, 35},
		{"home", func() { v.Home() }, 0},
		{"another text starts at its top", func() { v.End(); v.SetText(SQL, "SELECT 2\n\n\n\n") }, 0},
	} {
		step.do()
		if v.Top() != step.top {
			t.Fatalf("%s: got line %d of %d, want %d", step.what, v.Top(), v.Len(), step.top)
		}
	}
}

func TestLongTextIsPlain(t *testing.T) {
	th := newTheme(t, termenv.ANSI, "dark")
	v := New(th)
	v.SetSize(80, 2)
	v.SetText(SQL, "SELECT '"+strings.Repeat("x", MaxStyled)+"'")
	if got := v.View(); !v.Plain() || strings.Contains(got, "\x1b") {
		t.Errorf("got %q", got)
	}
	lines := Lines(th, SQL, strings.Repeat("漢", MaxShown), 80)
	if got, want := ansi.Strip(lines[len(lines)-1]), "… 2097153 bytes more are not shown"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDrawingDoesNoWork(t *testing.T) {
	v := New(newTheme(t, termenv.ANSI, "dark"))
	v.SetSize(40, 5)
	v.SetText(SQL, strings.Repeat(statement+"\n", 50))
	again := testing.AllocsPerRun(10, func() {
		v.SetText(SQL, v.Text())
		v.SetSize(40, 5)
		v.View()
	})
	if again > 20 {
		t.Errorf("got %v allocations for a frame, want a few", again)
	}
}

func BenchmarkSetText(b *testing.B) {
	v := New(newTheme(b, termenv.ANSI, "dark"))
	v.SetSize(80, 10)
	for i := 0; b.Loop(); i++ {
		v.SetText(SQL, statement+fmt.Sprint(i))
	}
}

// The worst found: a token for every byte.
func BenchmarkLongest(b *testing.B) {
	th := newTheme(b, termenv.ANSI, "dark")
	text := strings.Repeat("@(", MaxStyled/2)
	for b.Loop() {
		Lines(th, SQL, text, 80)
	}
}
