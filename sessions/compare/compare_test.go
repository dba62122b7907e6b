package compare_test

import (
	"strings"
	"testing"
	"time"

	"mydbg/mysqlwire"
	"mydbg/sessions/compare"
)

// context is what both sides of a test have agreed to.
func context(deprecateEOF bool) *mysqlwire.Context {
	cx := &mysqlwire.Context{Caps: mysqlwire.Protocol41 | mysqlwire.SecureConnection, Command: mysqlwire.ComQuery}
	if deprecateEOF {
		cx.Caps |= mysqlwire.DeprecateEOF
	}
	return cx
}

// rows is a result set: the first line its columns, cells between blanks.
func rows(t *testing.T, lines ...string) compare.Side {
	t.Helper()
	return rowsFor(t, context(true), false, lines...)
}

func rowsFor(t *testing.T, cx *mysqlwire.Context, binary bool, lines ...string) compare.Side {
	t.Helper()
	var cells [][]string
	for _, line := range lines[1:] {
		cells = append(cells, strings.Fields(line))
	}
	a, err := mysqlwire.SimpleResultSet(strings.Fields(lines[0]), cells).Answer(cx, binary)
	if err != nil {
		t.Fatal(err)
	}
	if binary {
		copied := *cx
		copied.Command = mysqlwire.ComStmtExecute
		cx = &copied
	}
	return compare.Side{Answer: a, Context: cx}
}

func ok(affected, id uint64, warnings uint16) compare.Side {
	return compare.Side{Answer: mysqlwire.OKAnswer(affected, id, mysqlwire.StatusAutocommit, warnings, ""), Context: context(true)}
}

func failed(code uint16) compare.Side {
	return compare.Side{Answer: mysqlwire.ERRAnswer(code, "", ""), Context: context(true)}
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name      string
		want, got compare.Side
		o         compare.Options
		says      string // the differences, a line each
		skipped   string
	}{
		{"the same", rows(t, "id name", "1 a", "2 b"), rows(t, "id name", "1 a", "2 b"), compare.Options{}, "", ""},
		{"a cell", rows(t, "id name", "1 a", "2 b"), rows(t, "id name", "1 a", "2 c"), compare.Options{}, "row 2, name: 'c', was 'b'", ""},
		{"a cell, ordered", rows(t, "id name", "1 a", "2 b"), rows(t, "id name", "1 a", "3 b"), compare.Options{SQL: "select * from t order by name"}, "row 2, id: 3, was 2", ""},
		{"a row gone", rows(t, "id name", "1 a", "2 b"), rows(t, "id name", "2 b"), compare.Options{}, "row count: 1, was 2\nmissing row 1: (1, 'a')", ""},
		{"a row more", rows(t, "id name", "2 b"), rows(t, "id name", "1 a", "2 b"), compare.Options{}, "row count: 2, was 1\nextra row 1: (1, 'a')", ""},
		{"one of two equal rows gone", rows(t, "id", "7", "7"), rows(t, "id", "7"), compare.Options{}, "row count: 1, was 2\nmissing row 2: (7)", ""},
		{"another row", rows(t, "id", "1", "2"), rows(t, "id", "1", "3"), compare.Options{}, "row 2, id: 3, was 2", ""},
		{"other rows", rows(t, "id", "1", "2"), rows(t, "id", "4", "3"), compare.Options{}, "missing row 1: (1)\nmissing row 2: (2)\nextra row 1: (4)\nextra row 2: (3)", ""},
		{"no order asked for", rows(t, "id", "1", "2"), rows(t, "id", "2", "1"), compare.Options{SQL: "select id from t"}, "", ""},
		{"order asked for", rows(t, "id", "1", "2"), rows(t, "id", "2", "1"), compare.Options{SQL: "select id from t order by id"}, "order 1: (2), was (1)", ""},
		{"what time it is", rows(t, "now() id", "10:00 1"), rows(t, "now() id", "10:01 1"), compare.Options{SQL: "select now(), id from t"}, "", "NOW"},
		{"the time and more", rows(t, "now() id", "10:00 1"), rows(t, "now() id", "10:01 2"), compare.Options{SQL: "select now(), id from t"}, "row 1, id: 2, was 1", "NOW"},
		{"status", rows(t, "Variable_name Value", "Uptime 1"), rows(t, "Variable_name Value", "Uptime 2"), compare.Options{SQL: "show status"}, "", "the server's state"},
		{"a column renamed", rows(t, "a b", "1 2"), rows(t, "a c", "1 2"), compare.Options{}, "columns: c, was b", ""},
		{"a column more", rows(t, "a", "1"), rows(t, "a b", "1 2"), compare.Options{}, "columns: a, b, was a", ""},
		{"affected rows", ok(1, 0, 0), ok(2, 0, 0), compare.Options{}, "affected rows: 2, was 1", ""},
		{"insert id", ok(1, 5, 0), ok(1, 6, 0), compare.Options{}, "insert id: 6, was 5", ""},
		{"insert id, not asked", ok(1, 5, 0), ok(1, 6, 0), compare.Options{Without: []compare.Kind{compare.InsertID}}, "", ""},
		{"warnings", ok(1, 0, 0), ok(1, 0, 3), compare.Options{}, "warnings: 3, was 0", ""},
		{"fails now", ok(1, 0, 0), failed(1213), compare.Options{}, "error: error 1213 (40001): Deadlock found when trying to get lock; try restarting transaction, was OK", ""},
		{"fails no more", failed(1213), rows(t, "a"), compare.Options{}, "error: a result set, was error 1213 (40001): Deadlock found when trying to get lock; try restarting transaction", ""},
		{"the same error", failed(1213), failed(1213), compare.Options{}, "", ""},
		{"rows instead of OK", ok(0, 0, 0), rows(t, "a", "1"), compare.Options{}, "results: a result set, was OK", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			report := compare.Answers(tt.want, tt.got, tt.o)
			var lines []string
			for _, d := range report.Differences {
				lines = append(lines, d.String())
			}
			if got := strings.Join(lines, "\n"); got != tt.says {
				t.Errorf("got\n%s\nwant\n%s", got, tt.says)
			}
			if got := strings.Join(report.Skipped, " "); got != tt.skipped {
				t.Errorf("skipped %q, want %q", got, tt.skipped)
			}
		})
	}
}

// What two servers agree on differs, and so do the packets; the answer is the same.
func TestFormsOfTheSameAnswer(t *testing.T) {
	lines := []string{"id name", "1 a", "2 b"}
	for _, tt := range []struct {
		name string
		got  compare.Side
	}{
		{"with EOF", rowsFor(t, context(false), false, lines...)},
		{"binary", rowsFor(t, context(true), true, lines...)},
		{"binary with EOF", rowsFor(t, context(false), true, lines...)},
	} {
		if r := compare.Answers(rows(t, lines...), tt.got, compare.Options{}); len(r.Differences) > 0 {
			t.Errorf("%s: got %v", tt.name, r.Differences)
		}
	}
}

func TestLatencyByOrderOfMagnitude(t *testing.T) {
	for _, tt := range []struct {
		want, got time.Duration
		says      string
	}{
		{time.Millisecond, 9 * time.Millisecond, ""},
		{time.Millisecond, 11 * time.Millisecond, "latency: 11ms, was 1ms"},
		{200 * time.Millisecond, 10 * time.Millisecond, "latency: 10ms, was 200ms"},
		{10 * time.Microsecond, time.Millisecond, ""}, // too little to speak of
		{0, time.Second, ""},
	} {
		want, got := ok(0, 0, 0), ok(0, 0, 0)
		want.Took, got.Took = tt.want, tt.got
		r := compare.Answers(want, got, compare.Options{Latency: 5 * time.Millisecond})
		says := ""
		if len(r.Differences) > 0 {
			says = r.Differences[0].String()
		}
		if says != tt.says {
			t.Errorf("%v, then %v: got %q, want %q", tt.want, tt.got, says, tt.says)
		}
	}
}

func TestManyDifferencesAreCounted(t *testing.T) {
	was, is := []string{"id v"}, []string{"id v"}
	for _, id := range strings.Split("a b c d e f g h", " ") {
		was, is = append(was, id+" old"), append(is, id+" new")
	}
	r := compare.Answers(rows(t, was...), rows(t, is...), compare.Options{Limit: 3})
	if len(r.Differences) != 3 || r.Differences[2].More != 5 || !strings.HasSuffix(r.Differences[2].String(), "(and 5 more)") {
		t.Errorf("got %v", r.Differences)
	}
}

// FuzzAnswers gives it whatever was read from a damaged recording.
func FuzzAnswers(f *testing.F) {
	a, err := mysqlwire.SimpleResultSet([]string{"a", "b"}, [][]string{{"1", "2"}, {"3", "4"}}).Answer(context(true), false)
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range a.Packets {
		f.Add(byte(p.Kind), p.Payload, uint8(1), "select now(), * from t order by 1")
	}
	f.Fuzz(func(_ *testing.T, kind byte, payload []byte, at uint8, sql string) {
		damaged := mysqlwire.Answer{Command: a.Command, Packets: append([]mysqlwire.Packet(nil), a.Packets...)}
		damaged.Packets[int(at)%len(damaged.Packets)] = mysqlwire.Packet{Kind: mysqlwire.Kind(kind), Payload: payload}
		want, got := compare.Side{Answer: a, Context: context(true)}, compare.Side{Answer: &damaged, Context: context(true)}
		for _, d := range append(compare.Answers(want, got, compare.Options{SQL: sql}).Differences, compare.Answers(got, want, compare.Options{SQL: sql}).Differences...) {
			_ = d.String()
		}
	})
}

// BenchmarkSame is what comparing costs a replay in the usual case.
func BenchmarkSame(b *testing.B) {
	lines := []string{"id name"}
	for range 100 {
		lines = append(lines, "1 a")
	}
	var cells [][]string
	for _, line := range lines[1:] {
		cells = append(cells, strings.Fields(line))
	}
	a, err := mysqlwire.SimpleResultSet([]string{"id", "name"}, cells).Answer(context(true), false)
	if err != nil {
		b.Fatal(err)
	}
	side := compare.Side{Answer: a, Context: context(true)}
	b.ReportAllocs()
	for b.Loop() {
		if len(compare.Answers(side, side, compare.Options{SQL: "select id, name from t"}).Differences) > 0 {
			b.Fatal("a difference")
		}
	}
}
