package hexview

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

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

// packet is the COM_STMT_EXECUTE of the design's picture.
func packet(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString("25000000170c000000000100000000010380fd000c0002000000" + "06534b552d3737" + "07ea07020b090e03")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func example(t testing.TB, th *theme.Theme, w, h int) *View {
	v := New(th)
	v.SetBytes(packet(t))
	v.SetSize(w, h)
	v.SetSpans([]Span{
		{0, 4, "header"},
		{5, 4, "statement 12"},
		{9, 1, "no cursor"},
		{10, 4, "1 iter"},
		{0x10, 6, "types"},
		{0x16, 4, "param 0 = 2"},
		{0x1a, 7, "param 1 \x1b[31m漢字"},
		{0x21, 8, "DATETIME"},
	})
	v.SetChanged([]Range{{0, 1}, {0x16, 1}})
	v.SetField(0x1a, 7)
	return v
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name    string
		w       int
		profile termenv.Profile
		theme   string
	}{
		{"120", 120, termenv.Ascii, "dark"},
		{"80", 80, termenv.Ascii, "dark"},
		{"60", 60, termenv.Ascii, "dark"},
		{"40", 40, termenv.Ascii, "dark"},
		{"20", 20, termenv.Ascii, "dark"},
		{"colour", 110, termenv.ANSI, "dark"},
		{"mono", 110, termenv.ANSI, "mono"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := example(t, newTheme(t, tt.profile, tt.theme), tt.w, 6)
			v.SetFocused(true)
			golden.RequireEqual(t, []byte(v.View()))
		})
	}
}

func TestViewIsExact(t *testing.T) {
	th := newTheme(t, termenv.ANSI, "dark")
	for w := range 130 {
		for h := range 5 {
			v := example(t, th, w, h)
			v.SetFocused(w%2 == 0)
			v.SetEditing(w%3 == 0)
			v.SetField(w%40, w%9)
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
			if again := v.View(); again != got {
				t.Fatalf("%dx%d: drawing changed the view", w, h)
			}
		}
	}
}

// Brackets never push the bytes of a row out of their columns.
func TestColumnsStayInLine(t *testing.T) {
	v := example(t, newTheme(t, termenv.Ascii, "dark"), 80, 3)
	want := strings.Split(func() string { v.SetField(0, 0); return v.View() }(), "\n")
	for off := range 41 {
		for n := 1; n <= 41-off; n++ {
			v.SetField(off, n)
			for i, line := range strings.Split(v.View(), "\n") {
				hexPart := func(s string) string { return strings.NewReplacer("[", " ", "]", " ").Replace(s[:5+3*16]) }
				if got := hexPart(line); got != hexPart(want[i]) {
					t.Fatalf("field %d+%d: got %q, want %q", off, n, got, want[i])
				}
			}
			if got := v.View(); strings.Count(got[:5+3*16], "[") > 1 {
				t.Fatalf("field %d+%d: %s", off, n, got)
			}
		}
	}
}

func TestMoving(t *testing.T) {
	v := New(newTheme(t, termenv.Ascii, "dark"))
	v.SetBytes(make([]byte, 1000))
	v.SetSize(80, 4) // 16 to a row, 63 rows, the last of 8
	for _, step := range []struct {
		what        string
		do          func()
		cursor, top int
	}{
		{"it starts at the beginning", func() {}, 0, 0},
		{"left of that is nothing", func() { v.Move(-1) }, 0, 0},
		{"a row down", func() { v.MoveRows(1) }, 16, 0},
		{"bytes", func() { v.Move(12) }, 28, 0},
		{"a page", func() { v.Page(1) }, 76, 3},
		{"the end", func() { v.End() }, 999, 59},
		{"nothing below it", func() { v.MoveRows(1) }, 999, 59},
		{"a page back", func() { v.Page(-1) }, 951, 56},
		{"into the short last row", func() { v.MoveTo(990); v.MoveRows(1) }, 999, 59},
		{"home", func() { v.Home() }, 0, 0},
		{"nothing above it", func() { v.MoveRows(-1) }, 0, 0},
		{"a field in the middle", func() { v.SetField(500, 4) }, 500, 28},
		{"rows of 8 keep the byte at the top", func() { v.SetSize(60, 4) }, 500, 59},
		{"a field that is not there", func() { v.SetField(5000, 4) }, 500, 59},
		{"beyond the end", func() { v.MoveTo(5000) }, 999, 121},
	} {
		step.do()
		if v.cursor != step.cursor || v.top != step.top {
			t.Fatalf("%s: got %d at row %d, want %d at row %d", step.what, v.cursor, v.top, step.cursor, step.top)
		}
	}
	v.SetBytes(nil)
	v.End()
	v.MoveRows(1)
	v.Page(1)
	v.SetEditing(true)
	if v.TypeNibble('1') || v.NextChange(1) || v.Cursor() != 0 {
		t.Error("there is something in no bytes")
	}
}

func TestNextChange(t *testing.T) {
	v := example(t, newTheme(t, termenv.Ascii, "dark"), 80, 2)
	v.SetChanged([]Range{{2, 2}, {4, 1}, {20, 3}, {21, 9}, {40, 100}, {90, 2}})
	if got, want := v.Changes(), []Range{{2, 3}, {20, 10}, {40, 1}}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	v.Home()
	var path []int
	for v.NextChange(1) {
		path = append(path, v.Cursor())
	}
	for v.NextChange(-1) {
		path = append(path, v.Cursor())
	}
	if want := []int{2, 20, 40, 20, 2}; !slices.Equal(path, want) {
		t.Errorf("got %v, want %v", path, want)
	}
}

func TestEditing(t *testing.T) {
	given := []byte{0x12, 0x34, 0x56}
	v := New(newTheme(t, termenv.Ascii, "dark"))
	v.SetBytes(given)
	v.SetSize(80, 2)
	if v.TypeNibble('f') {
		t.Fatal("overwrote while editing is off")
	}
	v.SetEditing(true)
	v.Move(1)
	for _, r := range "aBzc" {
		if got := v.TypeNibble(r); got != (r != 'z') {
			t.Fatalf("%c: got %v", r, got)
		}
	}
	if got, want := v.Bytes(), []byte{0x12, 0xab, 0xc6}; !bytes.Equal(got, want) {
		t.Fatalf("got %x, want %x", got, want)
	}
	if want := []byte{0x12, 0x34, 0x56}; !bytes.Equal(given, want) {
		t.Fatalf("the bytes given were written to: %x", given)
	}
	if got, want := v.Changes(), []Range{{1, 2}}; !slices.Equal(got, want) || !v.Edited() {
		t.Errorf("got changes %v, want %v", got, want)
	}
	for range 4 { // at the end the last digit is overwritten again and again
		v.TypeNibble('7')
	}
	if got, want := v.Bytes(), []byte{0x12, 0xab, 0xc7}; !bytes.Equal(got, want) {
		t.Errorf("at the end: got %x, want %x", got, want)
	}
	for v.Undo() {
	}
	if !bytes.Equal(v.Bytes(), given) || v.Edited() || v.Cursor() != 1 {
		t.Errorf("undone: got %x at %d", v.Bytes(), v.Cursor())
	}
}

func TestOnlyVisibleRowsAreDrawn(t *testing.T) {
	th := newTheme(t, termenv.Ascii, "dark")
	cost := func(n int) float64 {
		v := New(th)
		v.SetBytes(make([]byte, n))
		v.SetSize(100, 10)
		v.MoveTo(n / 2)
		return testing.AllocsPerRun(20, func() { v.View() })
	}
	if small, big := cost(1<<10), cost(16<<20); big > small*1.05 { // longer offsets
		t.Errorf("got %v allocations for 16 MiB and %v for 1 KiB", big, small)
	}
}

func TestSpanAt(t *testing.T) {
	v := example(t, newTheme(t, termenv.Ascii, "dark"), 80, 2)
	v.SetSpans([]Span{{0, 40, "packet"}, {4, 10, "params"}, {5, 2, "type"}})
	for off, want := range map[int]int{0: 0, 4: 1, 5: 2, 6: 2, 7: 1, 39: 0, 40: -1} {
		if got := v.SpanAt(off); got != want {
			t.Errorf("%d: got span %d, want %d", off, got, want)
		}
	}
}

func BenchmarkView(b *testing.B) {
	v := example(b, newTheme(b, termenv.ANSI, "dark"), 120, 40)
	v.SetBytes(bytes.Repeat(packet(b), 100))
	for b.Loop() {
		v.View()
	}
}

func ExampleView() {
	r := lipgloss.NewRenderer(os.Stdout)
	r.SetColorProfile(termenv.Ascii)
	th, err := theme.New(theme.Options{Name: "dark", Renderer: r})
	if err != nil {
		fmt.Println(err)
		return
	}
	v := New(th)
	v.SetBytes([]byte("\x07\x00\x00\x00\x03COMMIT"))
	v.SetField(4, 1)
	v.SetSize(42, 2)
	for line := range strings.SplitSeq(v.View(), "\n") {
		fmt.Println(strings.TrimRight(line, " "))
	}
	// Output:
	// 0000  07 00 00 00[03]43 4f 4d   ....[.]COM
	// 0008  4d 49 54                  MIT
}
