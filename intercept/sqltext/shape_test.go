package sqltext

import (
	"strings"
	"testing"
)

func TestShape(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"SELECT * FROM t WHERE id = 1", "SELECT * FROM t WHERE id = 20000", true},
		{"SELECT * FROM t WHERE id = 1", "select  *\nfrom t\twhere id = -1.5e3", true},
		{"SELECT * FROM t WHERE id = 1", "SELECT * FROM t WHERE id = 'it''s \\' one'", true},
		{"SELECT * FROM t WHERE id IN (1)", "SELECT * FROM t WHERE id IN (1, 'two', ?, 4)", true},
		{"SELECT * FROM t WHERE id = ?", "SELECT * FROM t WHERE id = 0x1f", true},
		{"SELECT * FROM t WHERE id = 1", "SELECT * FROM t WHERE ix = 1", false},
		{"SELECT * FROM t1", "SELECT * FROM t2", false},
		{"SELECT a FROM t", "SELECT a, b FROM t", false},
		{"SELECT 1 FROM t", "SELECT 'open FROM t", false},
		{"SELECT 'äöü'", "SELECT 'x'", true},
		{"SELECT ä", "SELECT ö", false},
		{"", "SELECT", false},
	} {
		if got := Shape(c.a) == Shape(c.b); got != c.same {
			t.Errorf("%q and %q: the same is %v, want %v", c.a, c.b, got, c.same)
		}
	}
}

func TestShapeAllocatesNothing(t *testing.T) {
	sql := strings.Repeat("SELECT name, 'text' FROM t WHERE id = 17 ", 10)
	if n := testing.AllocsPerRun(100, func() { Shape(sql) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzShape(f *testing.F) {
	f.Add("SELECT 'a\\", byte(0))
	f.Fuzz(func(t *testing.T, sql string, _ byte) {
		if Shape(sql) != Shape(strings.Clone(sql)) {
			t.Error("not the same twice")
		}
	})
}

func BenchmarkShape(b *testing.B) {
	const sql = "SELECT id, name, price FROM products WHERE category = 17 AND price < 100 ORDER BY price LIMIT 20"
	b.SetBytes(int64(len(sql)))
	for b.Loop() {
		Shape(sql)
	}
}
