package digests

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

func done(sql string, took time.Duration) intercept.Exchange {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return intercept.Exchange{
		Seq: 1, Conn: 1, Command: mysqlwire.ComQuery, SQL: sql, SQLLen: len(sql), State: intercept.Done, Begun: at, Ended: at.Add(took),
	}
}

func TestOf(t *testing.T) {
	change := func(edit func(*intercept.Exchange)) *intercept.Exchange {
		x := done("SELECT name FROM t WHERE id = 7", 3*time.Millisecond)
		edit(&x)
		return &x
	}
	for _, c := range []struct {
		name string
		x    *intercept.Exchange
		want string // text and what is special; "" for no sample
	}{
		{"query", change(func(*intercept.Exchange) {}), "SELECT NAME FROM `t` WHERE `id` = ? 3ms"},
		{"execute", change(func(x *intercept.Exchange) { x.Command = mysqlwire.ComStmtExecute }), "SELECT NAME FROM `t` WHERE `id` = ? 3ms"},
		{"held", change(func(x *intercept.Exchange) { x.HeldFor = 2 * time.Millisecond }), "SELECT NAME FROM `t` WHERE `id` = ? 1ms"},
		{"cut", change(func(x *intercept.Exchange) { x.SQLLen = 9999 }), "SELECT NAME FROM `t` WHERE `id` = ? … 3ms"},
		{"failed", change(func(x *intercept.Exchange) { x.Error = &mysqlwire.ERR{Code: 1064} }), "SELECT NAME FROM `t` WHERE `id` = ? 3ms failed"},
		{"gone", change(func(x *intercept.Exchange) { x.State = intercept.Gone }), "SELECT NAME FROM `t` WHERE `id` = ? 3ms failed"},
		{"ping", change(func(x *intercept.Exchange) { x.Command, x.SQL = mysqlwire.ComPing, "" }), "COM_PING 3ms chatter"},
		{"in flight", change(func(x *intercept.Exchange) { x.State = intercept.InFlight }), ""},
		{"prepare", change(func(x *intercept.Exchange) { x.Command = mysqlwire.ComStmtPrepare }), ""},
		{"injected", change(func(x *intercept.Exchange) { x.Marks = intercept.MarkInjected }), ""},
		{"unasked", change(func(x *intercept.Exchange) { x.Origin = intercept.FromServer }), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, ok := Of(c.x)
			got := ""
			if ok {
				got = s.Text + " " + s.Took.String()
				if s.Failed {
					got += " failed"
				}
				if s.Chatter {
					got += " chatter"
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTableCounts(t *testing.T) {
	var table Table
	for i := range 1000 {
		table.Add(Sample{Seq: intercept.Seq(i + 1), Conn: 1, Text: "a", Rows: 2, Took: time.Duration(i+1) * time.Millisecond, Failed: i%100 == 0})
	}
	s := table.list[0]
	if s.Count != 1000 || s.Failed != 10 || s.Rows != 2000 || s.Mean() != 500500*time.Microsecond || s.Max != time.Second || s.First != 1 || s.Last != 1000 || s.Slowest != 1000 {
		t.Errorf("got %+v", *s)
	}
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{{0.5, 500 * time.Millisecond}, {0.95, 950 * time.Millisecond}, {0.99, 990 * time.Millisecond}, {1, time.Second}} {
		if got := s.Quantile(c.q); got < c.want || got > c.want*11/10 || got > s.Max {
			t.Errorf("quantile %v: got %v, want %v to a tenth more", c.q, got, c.want)
		}
	}
}

func TestQuantilesOfExtremes(t *testing.T) {
	for _, d := range []time.Duration{0, time.Nanosecond, time.Microsecond, time.Hour * 10} {
		var table Table
		table.Add(Sample{Text: "a", Took: d})
		if got := table.list[0].Quantile(0.5); got > d || d <= time.Minute && got < d-time.Microsecond {
			t.Errorf("of one that took %v: got %v", d, got)
		}
	}
}

func TestLoopsAreTold(t *testing.T) {
	for _, c := range []struct {
		name string
		send string // one letter for each statement; x is a driver's
		want string // those that are told as loops
	}{
		{"a loop", "abbbbbbb", "b"},
		{"with what drivers send in between", "abxbxbxbxbxbxb", "b"},
		{"a few", "abbbb", ""},
		{"in turns", "abababababab", ""},
		{"mostly not in a row", "bbbbbbb" + strings.Repeat("ab", 10), ""},
		{"only a driver's", "xxxxxxxx", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var table Table
			for i, r := range c.send {
				table.Add(Sample{Seq: intercept.Seq(i + 1), Conn: 1, Text: string(r), Chatter: r == 'x'})
				table.Add(Sample{Seq: intercept.Seq(i + 1), Conn: 2, Text: "of another connection " + fmt.Sprint(i)})
			}
			got := ""
			for _, s := range table.list {
				if s.Repeats() {
					got += s.Text
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTableIsBounded(t *testing.T) {
	var table Table
	for i := range mostForms + 10 {
		table.Add(Sample{Text: fmt.Sprint(i)})
	}
	if len(table.list) != mostForms || table.Other != 10 || table.Counted != mostForms+10 {
		t.Errorf("got %d forms, %d others of %d", len(table.list), table.Other, table.Counted)
	}
}

// BenchmarkOf reads statements that have not been seen, as those of text with values in it.
func BenchmarkOf(b *testing.B) {
	x := done("", time.Millisecond)
	for i := 0; b.Loop(); i++ {
		x.SQL = fmt.Sprintf("SELECT id, name, price FROM products WHERE category = %d AND price < %d ORDER BY price LIMIT 20", i%50, i)
		x.SQLLen = len(x.SQL)
		if _, ok := Of(&x); !ok {
			b.Fatal("no sample")
		}
	}
}
