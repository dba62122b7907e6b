package traffic

import (
	"testing"
	"time"

	"mydbg/tui/safe"
)

func TestStatement(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		w        int
		want     string
	}{
		{"fits", "select 1", 20, "select 1"},
		{"folds white space", "select\n  1,\t2", 20, "select 1, 2"},
		{"keeps the table in front", "UPDATE orders SET status = 'paid' WHERE id = 5", 30, "UPDATE orders SET status = 'p…"},
		{"keeps both ends where there is room", "UPDATE orders SET status = 'paid', note = 'abcdef' WHERE id = 5", 44, "UPDATE orders SET stat…'abcdef' WHERE id = 5"},
		{"keeps a table far behind", "SELECT id, name, address, city, country, phone FROM customers WHERE id = 1", 36, "SELECT … FROM customers WHERE id = 1"},
		{"cuts after a far table", "SELECT id, name, address, city, country, phone FROM customers WHERE name LIKE '%a%' ORDER BY id", 30, "SELECT … FROM customers WHERE…"},
		{"has no room for a table", "UPDATE customers SET a = 1", 11, "UPDATE cus…"},
		{"shows what it may not obey", "select '\x1b[2J'", 20, `select '\x1b[2J'`},
		{"survives no room", "select 1 from t", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Statement(tt.in, tt.w)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if safe.Width(got) > tt.w {
				t.Errorf("%q is wider than %d", got, tt.w)
			}
		})
	}
}

func FuzzStatement(f *testing.F) {
	f.Add("SELECT a FROM `t` JOIN shop.`u` ON 1", 20)
	f.Add("insert into 漢字 values ('\x1b')", 11)
	f.Fuzz(func(t *testing.T, sql string, w int) {
		w %= 300
		got := Statement(sql, w)
		if n := safe.Width(got); n > max(w, 0) {
			t.Errorf("%q in %d cells is %q, %d wide", sql, w, got, n)
		}
		if safe.Line(got) != got {
			t.Errorf("%q is not clean", got)
		}
	})
}

func TestDurations(t *testing.T) {
	for _, tt := range []struct {
		d                  time.Duration
		short, clock, span string
	}{
		{0, "0.0ms", "00:00", "0s"},
		{2200 * time.Microsecond, "2.2ms", "00:00", "0s"},
		{350 * time.Millisecond, "350ms", "00:00", "0s"},
		{1310 * time.Millisecond, "1.31s", "00:01", "1s"},
		{14 * time.Minute, "14:00", "14:00", "14m"},
		{3*time.Hour + 5*time.Second, "3:00:05", "3:00:05", "3h"},
	} {
		if got := [3]string{Short(tt.d), Clock(tt.d), Span(tt.d)}; got != [3]string{tt.short, tt.clock, tt.span} {
			t.Errorf("%v: got %v", tt.d, got)
		}
	}
	if got := Count(uint64(1_234_567)); got != "1,234,567" {
		t.Errorf("got %s", got)
	}
}
