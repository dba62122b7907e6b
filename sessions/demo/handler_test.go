//go:build !nodemo

package demo

import (
	"strings"
	"testing"
)

func TestWrites(t *testing.T) {
	for _, tt := range []struct {
		query string
		want  bool
	}{
		{"", false},
		{"SELECT 1", false},
		{"  select qty from stock where sku = 'for x'", false},
		{"SELECT qty FROM stock WHERE sku = ? FOR UPDATE", true},
		{"select 1 from stock for share", true},
		{"SELECT 1 FROM stock LOCK IN SHARE MODE", true},
		{"(SELECT 1) UNION (SELECT 2)", false},
		{"/* route=/checkout */ UPDATE stock SET qty = 0", true},
		{"/* a */ /* b */ select 1", false},
		{"-- a line\nDELETE FROM carts", true},
		{"# a line\nSELECT 1", false},
		{"/* never closed", false},
		{"/*/ update */ select 1", false},
		{"#\nupdate stock set qty = 1", true},
		{"begin", false},
		{"START TRANSACTION", false},
		{"COMMIT;", false},
		{"set autocommit=0", false},
		{"WITH x AS (SELECT 1) SELECT * FROM x", true},
		{"truncate carts", true},
		{"éclair", false},
	} {
		if got := writes(tt.query); got != tt.want {
			t.Errorf("writes(%q): got %v, want %v", tt.query, got, tt.want)
		}
	}
}

// What stands before a statement must not change what it needs, and neither must the case of its letters.
func FuzzWrites(f *testing.F) {
	for _, query := range []string{"SELECT 1", "update stock set qty = 1", "/* a", "-- b\nbegin", "select 1 for update", ";;(", ""} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		want := writes(query)
		for _, before := range []string{" \n", "/* update */", "-- delete\n", "# drop\n", "( "} {
			if got := writes(before + query); got != want {
				t.Errorf("writes(%q): got %v, want %v as without %q", before+query, got, want, before)
			}
		}
		word, rest := firstWord(query)
		if word != strings.ToLower(word) || !strings.HasSuffix(query, rest) {
			t.Errorf("firstWord(%q): got %q, %q", query, word, rest)
		}
		if got := writes(word + rest); got != want {
			t.Errorf("writes(%q): got %v, want %v as of %q", word+rest, got, want, query)
		}
	})
}
