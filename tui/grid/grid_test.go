package grid

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

	"mydbg/tui/theme"
)

func newTheme(t testing.TB, p termenv.Profile, o theme.Options) *theme.Theme {
	t.Helper()
	o.Renderer = lipgloss.NewRenderer(os.Stdout)
	o.Renderer.SetColorProfile(p)
	th, err := theme.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

type rows [][]Cell

func (r rows) Rows() int              { return len(r) }
func (r rows) Cols() int              { return len(r[0]) }
func (r rows) Cell(row, col int) Cell { return r[row][col] }

// made is a result set of any size that counts what is asked of it.
type made struct {
	rows, cols int
	asked      map[[2]int]bool
}

func (m *made) Rows() int { return m.rows }
func (m *made) Cols() int { return m.cols }

func (m *made) Cell(row, col int) Cell {
	if row < 0 || row >= m.rows || col < 0 || col >= m.cols {
		panic(fmt.Sprintf("no cell %d, %d", row, col))
	}
	if m.asked != nil {
		m.asked[[2]int{row, col}] = true
	}
	return Cell{Text: fmt.Sprintf("%d.%d", row, col)}
}

func headings(n int) []Column {
	cols := make([]Column, n)
	for i := range cols {
		cols[i] = Column{fmt.Sprintf("c%d", i), "INT"}
	}
	return cols
}

var orderColumns = []Column{
	{"id", "BIGINT u"}, {"status", "ENUM"}, {"total", "DECIMAL"}, {"paid_at", "DATETIME"}, {"note", "VARCHAR(80)"}, {"漢字\x1b", "BLOB"},
}

func text(s string) Cell { return Cell{Text: s} }

var orders = rows{
	{text("9001"), text("paid"), text("120.00"), text("2026-02-11 09:13:58"), text("thanks"), text("漢字漢字")},
	{text("9002"), text("new"), text("0.00"), {Null: true}, text(""), text("e\u0301\u202e")},
	{text("9003"), {Text: "refunded", Edited: true}, text("75.50"), {Text: "2026-02-30 00:00:00", Invalid: true, Edited: true}, text("a\x1b[31mb"), text("   ")},
	{text("9004"), text("paid"), {Text: "-1.00", Edited: true}, {Null: true, Edited: true}, {Text: "0x89504e47… 12K", Binary: true}, {Binary: true}},
}

func example(t testing.TB, th *theme.Theme, w, h int) *Grid {
	g := New(th)
	g.SetSource(orderColumns, orders)
	g.SetSize(w, h)
	g.Select(2, 3)
	return g
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name    string
		w       int
		profile termenv.Profile
		o       theme.Options
	}{
		{"100", 100, termenv.Ascii, theme.Options{Name: "dark"}},
		{"75", 75, termenv.Ascii, theme.Options{Name: "dark"}},
		{"40", 40, termenv.Ascii, theme.Options{Name: "dark"}},
		{"ascii", 75, termenv.Ascii, theme.Options{Name: "dark", ASCII: true}},
		{"colour", 100, termenv.ANSI, theme.Options{Name: "dark"}},
		{"mono", 100, termenv.ANSI, theme.Options{Name: "mono"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := example(t, newTheme(t, tt.profile, tt.o), tt.w, 7)
			g.SetFocused(tt.name == "colour")
			golden.RequireEqual(t, []byte(g.View()))
		})
	}
}

func TestViewIsExact(t *testing.T) {
	g := example(t, newTheme(t, termenv.ANSI, theme.Options{Name: "dark"}), 0, 0)
	for w := 0; w < 110; w += 1 + w/20 {
		for h := 0; h < 8; h += 1 + h/3 {
			for col := range orderColumns {
				g.SetSize(w, h)
				g.SetFocused(w%2 == 0)
				g.Select(h%4, col)
				got := g.View()
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
				if again := g.View(); again != got {
					t.Fatalf("%dx%d: drawing changed the grid", w, h)
				}
			}
		}
	}
}

// The rules between columns stand under each other in every line.
func TestColumnsStayInLine(t *testing.T) {
	g := example(t, newTheme(t, termenv.Ascii, theme.Options{Name: "dark"}), 100, 6)
	for row := range 4 {
		for col := range 6 {
			g.Select(row, col)
			var want []int
			for i, line := range strings.Split(g.View(), "\n") {
				var at []int
				for before, rest, ok := "", line, true; ok; {
					var part string
					if part, rest, ok = strings.Cut(rest, "│"); ok {
						before += part + "|"
						at = append(at, ansi.StringWidth(before))
					}
				}
				if i == 0 {
					want = at
				}
				if fmt.Sprint(at) != fmt.Sprint(want) {
					t.Fatalf("cell %d, %d: rules at %v, want %v in\n%s", row, col, at, want, g.View())
				}
			}
		}
	}
}

func TestMoving(t *testing.T) {
	g := New(newTheme(t, termenv.Ascii, theme.Options{Name: "dark"}))
	g.SetSource(headings(30), &made{rows: 1000, cols: 30})
	g.SetSize(50, 7) // 5 rows
	for _, step := range []struct {
		what string
		do   func()
		want string // row, col, window
	}{
		{"it starts at the first cell", func() {}, "0 0 | 0+5 0+7"},
		{"nothing left of it or above", func() { g.Move(-1, -1) }, "0 0 | 0+5 0+7"},
		{"down and right", func() { g.Move(2, 3) }, "2 3 | 0+5 0+7"},
		{"the window follows down", func() { g.Move(4, 0) }, "6 3 | 2+5 0+7"},
		{"a page", func() { g.Page(1) }, "10 3 | 6+5 0+6"},
		{"a page back", func() { g.Page(-1) }, "6 3 | 2+5 0+7"},
		{"the last column", func() { g.LastCol() }, "6 29 | 2+5 24+6"},
		{"one to the left", func() { g.Move(0, -1) }, "6 28 | 2+5 24+6"},
		{"the end", func() { g.End() }, "999 28 | 995+5 25+5"},
		{"nothing below it", func() { g.Move(1, 0) }, "999 28 | 995+5 25+5"},
		{"the first column", func() { g.FirstCol() }, "999 0 | 995+5 0+5"},
		{"home", func() { g.Home() }, "0 0 | 0+5 0+7"},
		{"fewer rows", func() { g.Select(500, 5); g.SetSource(headings(2), &made{rows: 3, cols: 2}) }, "2 1 | 0+3 0+2"},
	} {
		step.do()
		row, col, _ := g.Selected()
		top, rows, left, cols := g.Visible()
		if got := fmt.Sprintf("%d %d | %d+%d %d+%d", row, col, top, rows, left, cols); got != step.want {
			t.Fatalf("%s: got %s, want %s", step.what, got, step.want)
		}
	}
	g.SetSource(nil, &made{})
	g.Move(1, 1)
	g.Page(1)
	g.End()
	g.LastCol()
	if _, _, ok := g.Selected(); ok {
		t.Error("a cell of none is selected")
	}
	if got := g.View(); strings.Trim(got, " \n") != "" {
		t.Errorf("got %q, want blanks", got)
	}
}

// The selected cell is always whole unless it alone is wider than the window.
func TestSelectedIsInView(t *testing.T) {
	g := New(newTheme(t, termenv.Ascii, theme.Options{Name: "dark"}))
	g.SetSource(headings(30), &made{rows: 100, cols: 30})
	for w := 15; w < 60; w++ {
		g.SetSize(w, 5)
		for k := range 40 {
			g.Select(k*37%100, k*11%30)
			row, col, _ := g.Selected()
			if want := fmt.Sprintf("[%d.%d", row, col); !strings.Contains(g.View(), want) {
				t.Fatalf("width %d: no %s] in\n%s", w, want, g.View())
			}
		}
	}
}

func TestOnlyVisibleCellsAreAsked(t *testing.T) {
	src := &made{rows: 1_000_000, cols: 2000, asked: map[[2]int]bool{}}
	g := New(newTheme(t, termenv.Ascii, theme.Options{Name: "dark"}))
	g.SetSource(headings(2000), src)
	g.SetSize(60, 12)
	g.Select(500_000, 3)
	clear(src.asked)
	g.View()
	for at := range src.asked {
		if at[0] < 499_991 || at[0] > 500_000 || at[1] > 10 {
			t.Errorf("asked for cell %v", at)
		}
	}
	if len(src.asked) == 0 {
		t.Error("asked for nothing")
	}
}

func TestLongCellIsCheap(t *testing.T) {
	g := New(newTheme(t, termenv.Ascii, theme.Options{Name: "dark"}))
	g.SetSource(headings(2), rows{{text(strings.Repeat("漢\n", 4<<20)), text(strings.Repeat(" ", 16<<20))}})
	g.SetSize(60, 4)
	if allocs := testing.AllocsPerRun(5, func() { g.View() }); allocs > 300 {
		t.Errorf("got %v allocations, want few", allocs)
	}
}

func BenchmarkView(b *testing.B) {
	g := New(newTheme(b, termenv.ANSI, theme.Options{Name: "dark"}))
	g.SetSource(headings(30), &made{rows: 100_000, cols: 30})
	g.SetSize(120, 40)
	for b.Loop() {
		g.View()
	}
}
