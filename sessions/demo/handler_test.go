//go:build !nodemo

package demo

import "testing"

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
