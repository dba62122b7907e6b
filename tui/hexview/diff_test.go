package hexview

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		want       []Range
	}{
		{"finds nothing in the same", "abc", "abc", nil},
		{"finds an overwritten byte", "abc", "axc", []Range{{1, 1}}},
		{"finds two runs", "abcdefgh", "aXcdeYYh", []Range{{1, 1}, {5, 2}}},
		{"finds bytes put in", "abc", "abXYc", []Range{{2, 2}}},
		{"points behind bytes taken out", "abXYc", "abc", []Range{{2, 1}}},
		{"points before bytes taken out at the end", "abcXY", "abc", []Range{{2, 1}}},
		{"follows a shift", "\x25aabb123456tail", "\x22aabb123tail", []Range{{0, 1}, {8, 1}}},
		{"finds all of it new", "", "ab", []Range{{0, 2}}},
		{"has nowhere to point", "ab", "", nil},
		{"finds all of it different", "abc", "xyz", []Range{{0, 3}}},
		{"takes long stretches as one", "0" + strings.Repeat("a", 3000) + "1", "0" + strings.Repeat("b", 3000) + "1", []Range{{1, 3000}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Diff([]byte(tt.a), []byte(tt.b)); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// What Diff leaves out of b stands in a, in the same order; and it finds something exactly if the two differ.
func FuzzDiff(f *testing.F) {
	f.Add([]byte("abcdef"), []byte("abXdef"))
	f.Add([]byte("aaaa"), []byte("aa"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		runs := Diff(a, b)
		if len(b) > 0 && (len(runs) > 0) == bytes.Equal(a, b) {
			t.Fatalf("got %v for %q and %q", runs, a, b)
		}
		rest, at := a, 0
		for _, r := range append(runs, Range{len(b), 0}) {
			if r.Off < at || r.end() > len(b) {
				t.Fatalf("got %v for %d bytes", runs, len(b))
			}
			for _, c := range b[at:r.Off] {
				i := bytes.IndexByte(rest, c)
				if i < 0 {
					t.Fatalf("%q to %q: %v leaves out bytes that are new", a, b, runs)
				}
				rest = rest[i+1:]
			}
			at = r.end()
		}
	})
}
