package mysqlwire

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"mydbg/mysqlwire/value"
)

// capSets are the agreements that change how a result set is sent.
var capSets = []struct {
	name string
	cx   *Context
}{
	{"with EOF", &Context{Caps: Protocol41}},
	{"without EOF", &Context{Caps: Protocol41 | DeprecateEOF | SessionTrack}},
	{"with metadata flag", &Context{Caps: Protocol41 | DeprecateEOF | OptionalResultsetMetadata}},
	{"of MariaDB", &Context{Caps: Protocol41 | DeprecateEOF | MariaDBCacheMetadata | MariaDBExtendedMetadata, MariaDB: true}},
}

func people() *ResultSet {
	return &ResultSet{
		Columns: rowColumns(),
		Rows: [][]value.Value{
			{int64(1), []byte("ada"), value.Moment{Year: 2024, Month: 2, Day: 29, Hour: 1}, []byte{0x0f, 0xff}},
			{int64(2), nil, nil, []byte{5}},
			{int64(3), []byte{}, value.Moment{}, nil},
		},
		Status: StatusAutocommit, Warnings: 2,
	}
}

func grid(t *testing.T, r *Result) [][]string {
	t.Helper()
	var all [][]string
	for i := range r.Rows.Len() {
		row, err := r.Rows.Row(i)
		if err != nil {
			t.Fatal(err)
		}
		line := make([]string, row.Len())
		for j := range line {
			line[j] = row.Text(j)
		}
		all = append(all, line)
	}
	return all
}

var peopleGrid = [][]string{
	{"1", "ada", "2024-02-29 01:00:00.000000", "4095"},
	{"2", "NULL", "NULL", "5"},
	{"3", "", "0000-00-00 00:00:00.000000", "NULL"},
}

// eachForm runs f for text and binary answers under all agreements.
func eachForm(t *testing.T, f func(t *testing.T, cx *Context, a *Answer)) {
	for _, c := range capSets {
		for _, binary := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, binary %v", c.name, binary), func(t *testing.T) {
				a, err := people().Answer(c.cx, binary)
				if err != nil {
					t.Fatal(err)
				}
				f(t, c.cx, a)
			})
		}
	}
}

func only(t *testing.T, a *Answer, cx *Context) *Result {
	t.Helper()
	results, err := a.Results(cx)
	if err != nil || len(results) != 1 {
		t.Fatalf("got %d results, %v, want 1", len(results), err)
	}
	return &results[0]
}

func TestResultSetRoundTrip(t *testing.T) {
	eachForm(t, func(t *testing.T, cx *Context, a *Answer) {
		r := only(t, a, cx)
		if got := grid(t, r); !reflect.DeepEqual(got, peopleGrid) {
			t.Errorf("got %q, want %q", got, peopleGrid)
		}
		if !r.Ended || r.Status != StatusAutocommit || r.Warnings != 2 || r.First != 0 || r.Last != len(a.Packets)-1 {
			t.Errorf("got ended %v, %s, %d warnings, packets %d to %d", r.Ended, r.Status, r.Warnings, r.First, r.Last)
		}
		copied, err := r.ResultSet()
		if err != nil {
			t.Fatal(err)
		}
		again, err := copied.Packets(cx, r.Binary)
		if err != nil || !reflect.DeepEqual(again, a.Packets) {
			t.Errorf("got %v %v, want %v", again, err, a.Packets)
		}
		sum, err := a.Summary(cx)
		if err != nil || sum.Rows != 3 || sum.Cols != 4 || sum.Results != 1 || sum.Warnings != 2 || sum.Status != StatusAutocommit {
			t.Errorf("got %+v %v", sum, err)
		}
		if frames, seq := a.AppendFrames(nil, 1); len(frames) != sum.Bytes || int(seq) != 1+len(a.Packets) {
			t.Errorf("got %d bytes up to %d, want %d up to %d", len(frames), seq, sum.Bytes, 1+len(a.Packets))
		}
	})
}

func TestResultSetThatCannotBeSent(t *testing.T) {
	rs := people()
	rs.Rows[1][0] = []byte("two")
	_, err := rs.Packets(&Context{}, true)
	var cell *CellError
	if !errors.As(err, &cell) || cell.Row != 1 || cell.Column != 0 || err.Error() != `row 2, id: "two" is not a LONG` {
		t.Errorf("got %v", err)
	}
	rs.Rows[1] = rs.Rows[1][:2]
	if _, err := rs.Packets(&Context{}, false); err == nil {
		t.Error("got no error for a short row")
	}
	if _, err := (&ResultSet{}).Packets(&Context{}, false); err == nil {
		t.Error("got no error for a result set without columns")
	}
}

func TestSimpleResultSet(t *testing.T) {
	cx := &Context{}
	a, err := SimpleResultSet([]string{"a", "b"}, [][]string{{"1", ""}}).Answer(cx, false)
	if err != nil {
		t.Fatal(err)
	}
	r := only(t, a, cx)
	if got, want := grid(t, r), [][]string{{"1", ""}}; !reflect.DeepEqual(got, want) || r.Columns[0].TypeName() != "VARCHAR(255)" {
		t.Errorf("got %q of %s, want %q", got, r.Columns[0].TypeName(), want)
	}
}

func TestEditResultKeepsWhatIsNotTouched(t *testing.T) {
	eachForm(t, func(t *testing.T, cx *Context, a *Answer) {
		first := a.WithMoreResults(cx)
		whole := &Answer{Command: a.Command, Packets: append(append([]Packet{}, first.Packets...), OKAnswer(0, 0, StatusAutocommit, 0, "").Packets...)}
		e, err := whole.EditResult(cx, 0)
		if err != nil {
			t.Fatal(err)
		}
		same, err := e.Answer()
		if err != nil || !reflect.DeepEqual(same.Packets, whole.Packets) {
			t.Fatalf("an edit without changes: got %v %v, want %v", same, err, whole)
		}
		for _, err := range []error{
			e.Set(0, 1, []byte("grace")),
			e.Set(0, 2, nil),
			e.InsertRow(1, []value.Value{int64(9), []byte("new"), nil, nil}),
			e.CopyRow(1),
			e.DeleteRow(3),
			e.RenameColumn(0, "number"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		edited, err := e.Answer()
		if err != nil {
			t.Fatal(err)
		}
		results, err := edited.Results(cx)
		if err != nil || len(results) != 2 || results[1].OK == nil {
			t.Fatalf("got %v %v, want a result set and an OK", results, err)
		}
		want := [][]string{{"1", "grace", "NULL", "4095"}, {"9", "new", "NULL", "NULL"}, {"9", "new", "NULL", "NULL"}, peopleGrid[2]}
		if got := grid(t, &results[0]); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if !results[0].Status.Has(StatusMoreResultsExists) || results[0].Columns[0].Name != "number" || results[0].Columns[1].Name != "name" {
			t.Errorf("got %s and %v", results[0].Status, results[0].Columns)
		}
		untouched, was := results[0].Rows.Raw(3), first.Packets[len(first.Packets)-2].Payload
		if !bytes.Equal(untouched, was) {
			t.Errorf("got %x, want %x", untouched, was)
		}
	})
}

func TestEditResultRemovesColumns(t *testing.T) {
	eachForm(t, func(t *testing.T, cx *Context, a *Answer) {
		e, err := a.EditResult(cx, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.RemoveColumn(1); err != nil {
			t.Fatal(err)
		}
		if err := e.Set(2, 2, []byte{1}); err != nil {
			t.Fatal(err)
		}
		edited, err := e.Answer()
		if err != nil {
			t.Fatal(err)
		}
		r := only(t, edited, cx)
		want := [][]string{{"1", peopleGrid[0][2], "4095"}, {"2", "NULL", "5"}, {"3", peopleGrid[2][2], "1"}}
		if got := grid(t, r); !reflect.DeepEqual(got, want) || len(r.Columns) != 3 || r.Count.Count != 3 {
			t.Errorf("got %q of %v, want %q", got, r.Columns, want)
		}
	})
}

func TestEditResultFails(t *testing.T) {
	cx := &Context{}
	a, err := people().Answer(cx, true)
	if err != nil {
		t.Fatal(err)
	}
	e, err := a.EditResult(cx, 0)
	if err != nil {
		t.Fatal(err)
	}
	var cell *CellError
	if err := e.Set(1, 0, int64(1)<<40); !errors.As(err, &cell) || cell.Row != 1 || cell.Name != "id" {
		t.Errorf("got %v", err)
	}
	for name, err := range map[string]error{
		"a row that is not there":    e.Set(3, 0, nil),
		"a column that is not there": e.Set(0, 4, nil),
		"a row of two values":        e.InsertRow(0, make([]value.Value, 2)),
	} {
		if err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if _, err := OKAnswer(0, 0, 0, 0, "").EditResult(cx, 0); err == nil {
		t.Error("got no error for an OK")
	}
}

func TestResultsWithoutDefinitions(t *testing.T) {
	cx := &Context{Caps: DeprecateEOF | MariaDBCacheMetadata, Columns: rowColumns(), MariaDB: true}
	full, err := people().Answer(cx, true)
	if err != nil {
		t.Fatal(err)
	}
	bare := &Answer{Command: ComStmtExecute, Packets: append([]Packet{{KindColumnCount, []byte{4, 0}}}, full.Packets[5:]...)}
	r := only(t, bare, cx)
	if got := grid(t, r); !reflect.DeepEqual(got, peopleGrid) {
		t.Errorf("got %q, want %q", got, peopleGrid)
	}
	whole, err := bare.WithColumns(cx, rowColumns())
	if err != nil || !reflect.DeepEqual(whole.Packets, full.Packets) {
		t.Errorf("got %v %v, want %v", whole, err, full)
	}
	e, err := bare.EditResult(cx, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.RemoveColumn(0); err != nil {
		t.Fatal(err)
	}
	edited, err := e.Answer()
	if err != nil {
		t.Fatal(err)
	}
	if r := only(t, edited, cx); len(r.Columns) != 3 || !r.Count.Definitions() {
		t.Errorf("got %v, want the three definitions the client needs now", r.Columns)
	}
}

func TestOtherResults(t *testing.T) {
	definition, err := (&Column{Name: "a", Type: value.Long}).Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	eof := Packet{KindEOF, []byte{0xfe, 0, 0, 2, 0}}
	cursor := Packet{KindEOF, []byte{0xfe, 0, 0, 0x42, 0}}
	for _, tt := range []struct {
		name  string
		a     *Answer
		check func(r *Result) bool
	}{
		{"an error", ERRAnswer(1213, "", ""), func(r *Result) bool { return r.ERR.SQLState == "40001" && r.Ended }},
		{"statistics", &Answer{Packets: []Packet{{KindStatistics, []byte("Uptime: 1")}}}, func(r *Result) bool { return r.Text == "Uptime: 1" }},
		{
			"a prepared statement", &Answer{Command: ComStmtPrepare, Packets: []Packet{
				{KindPrepareOK, []byte{0, 7, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0}}, {KindParam, definition}, eof, {KindColumn, definition}, eof,
			}},
			func(r *Result) bool {
				return r.Prepared.StmtID == 7 && len(r.Params) == 1 && len(r.Columns) == 1 && r.Ended && r.Last == 4
			},
		},
		{
			"an open cursor", &Answer{Command: ComStmtExecute, Packets: []Packet{{KindColumnCount, []byte{1}}, {KindColumn, definition}, cursor}},
			func(r *Result) bool {
				return r.Ended && r.Status.Has(StatusCursorExists) && r.Rows.Len() == 0 && r.HasRows()
			},
		},
		{
			"an answer that breaks off", &Answer{Packets: []Packet{{KindColumnCount, []byte{1}}, {KindColumn, definition}, eof, {KindTextRow, []byte("\x011")}}, Partial: true},
			func(r *Result) bool { return !r.Ended && r.Rows.Len() == 1 && r.Last == 3 },
		},
		{
			"rows broken off by an error", &Answer{Packets: []Packet{{KindColumnCount, []byte{1}}, {KindColumn, definition}, eof, {KindTextRow, []byte("\x011")}, ERRAnswer(1317, "", "").Packets[0]}},
			func(r *Result) bool { return r.ERR.Code == 1317 && r.Rows.Len() == 1 },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := only(t, tt.a, &Context{}); !tt.check(r) {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestWithMoreResults(t *testing.T) {
	for _, c := range capSets {
		for _, a := range []*Answer{OKAnswer(1, 2, StatusAutocommit, 0, "done").WithCaps(c.cx.Caps), mustAnswer(t, c.cx)} {
			more := a.WithMoreResults(c.cx)
			r := only(t, more, c.cx)
			if r.Status != StatusAutocommit|StatusMoreResultsExists {
				t.Errorf("%s: got %s", c.name, r.Status)
			}
			if before := only(t, a, c.cx); before.Status != StatusAutocommit {
				t.Errorf("%s: the answer itself changed to %s", c.name, before.Status)
			}
		}
	}
	if a := ERRAnswer(1105, "", ""); a.WithMoreResults(&Context{}) != a {
		t.Error("got another answer for an error, after which nothing follows")
	}
}

func mustAnswer(t *testing.T, cx *Context) *Answer {
	t.Helper()
	a, err := SimpleResultSet([]string{"a"}, [][]string{{"1"}}).Answer(cx, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func FuzzResults(f *testing.F) {
	for _, c := range capSets {
		for _, binary := range []bool{false, true} {
			a, err := people().Answer(c.cx, binary)
			if err != nil {
				f.Fatal(err)
			}
			var b []byte
			for _, p := range a.Packets {
				b = append(append(b, byte(p.Kind), byte(len(p.Payload))), p.Payload...)
			}
			f.Add(b, uint64(c.cx.Caps), binary)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, caps uint64, binary bool) {
		a := &Answer{Command: ComQuery}
		if binary {
			a.Command = ComStmtExecute
		}
		for len(b) >= 2 {
			n := min(int(b[1]), len(b)-2)
			a.Packets = append(a.Packets, Packet{Kind(b[0]), b[2 : 2+n : 2+n]})
			b = b[2+n:]
		}
		cx := &Context{Caps: Caps(caps)}
		results, err := a.Results(cx)
		next := 0
		for i := range results {
			r := &results[i]
			if r.First != next || r.Last < r.First {
				t.Fatalf("result %d has packets %d to %d, the one before ended at %d", i, r.First, r.Last, next-1)
			}
			next = r.Last + 1
			for j := range r.Rows.Len() {
				row, err := r.Rows.Row(j)
				for k := 0; err == nil && k < row.Len(); k++ {
					if text := row.Text(k); row.Null(k) && text != "NULL" {
						t.Fatalf("NULL reads %q", text)
					}
					row.Size(k)
				}
			}
			if err != nil {
				continue
			}
			e, err := a.EditResult(cx, i)
			if err != nil {
				continue
			}
			if same, err := e.Answer(); err != nil || !sameSize(a, same) {
				t.Fatalf("an edit without changes: got %v %v, want %v", same, err, a)
			}
		}
		if err == nil && next != len(a.Packets) {
			t.Fatalf("results end at packet %d of %d", next, len(a.Packets))
		}
		a.WithMoreResults(cx)
		_, _ = a.Summary(cx)
	})
}

// sameSize leaves out what no server sends: rows between other packets, or of both forms.
func sameSize(a, b *Answer) bool {
	var x, y []byte
	for _, p := range a.Packets {
		x = append(x, p.Payload...)
	}
	for _, p := range b.Packets {
		y = append(y, p.Payload...)
	}
	return len(x) == len(y)
}
