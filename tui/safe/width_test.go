package safe

import (
	"slices"
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		w        int
		want     string
	}{
		{"keeps what fits", "SELECT", 6, "SELECT"},
		{"marks what it cut", "SELECT 1", 6, "SELEC…"},
		{"keeps wide characters whole", "漢字漢字", 4, "漢…"},
		{"counts escapes as shown", "\x1babc", 5, `\x1b…`},
		{"has room for the mark only", "abc", 1, "…"},
		{"has no room", "abc", 0, ""},
		{"has less than no room", "abc", -3, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Cut(tt.in, tt.w); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestElide(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		w        int
		want     string
	}{
		{"keeps what fits", "abcdef", 6, "abcdef"},
		{"keeps both ends", "abcdefghij", 7, "abc…hij"},
		{"gives the odd cell to the beginning", "abcdefghij", 6, "abc…ij"},
		{"does not split wide characters", "漢字漢字漢字", 6, "漢…字"},
		{"does not split a letter from its mark", "e\u0301e\u0301e\u0301e\u0301", 3, "e\u0301…e\u0301"},
		{"has room for the mark only", "abc", 1, "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Elide(tt.in, tt.w); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLongTextIsCutCheaply(t *testing.T) {
	long := strings.Repeat("漢字 and text\n", 1<<20)
	allocs := testing.AllocsPerRun(10, func() {
		if got := Cut(long, 10); got != "漢字 and …" {
			t.Fatalf("got %q", got)
		}
		if got := Elide(long, 11); got != "漢字 …text⏎" {
			t.Fatalf("got %q", got)
		}
	})
	if allocs > 50 {
		t.Errorf("got %v allocations for 16 MiB, want a handful", allocs)
	}
}

func TestPad(t *testing.T) {
	if got, want := Pad("漢", 4)+"|"+PadLeft("12", 4)+"|", "漢  |  12|"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Pad("漢字", 3), "漢…"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Width("a\x1b漢"), 7; got != want {
		t.Errorf("Width: got %d, want %d", got, want)
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		w        int
		want     []string
	}{
		{"keeps short lines", "a\nb", 5, []string{"a", "b"}},
		{"breaks after spaces", "select a from b", 9, []string{"select a ", "from b"}},
		{"leaves out the space at a full line", "select a from", 6, []string{"select", "a from"}},
		{"and only one", "ab  c", 2, []string{"ab", " c"}},
		{"and makes no empty line of it", "ab \ncd ", 2, []string{"ab", "cd"}},
		{"breaks long words", "abcdefgh", 3, []string{"abc", "def", "gh"}},
		{"keeps wide characters whole", "漢字漢", 3, []string{"漢", "字", "漢"}},
		{"replaces what cannot fit", "a漢b", 1, []string{"a", "…", "b"}},
		{"keeps empty lines", "a\n\nb", 5, []string{"a", "", "b"}},
		{"has no room", "a", 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Wrap(tt.in, tt.w); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func BenchmarkCutPlain(b *testing.B) {
	s := strings.Repeat("SELECT a FROM t WHERE id = 1 ", 20)
	for b.Loop() {
		Cut(s, 60)
	}
}
