package edit

import (
	"reflect"
	"testing"

	"mydbg/intercept/charset"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

func c(s string) cell { return cell{text: s} }

var null = cell{null: true}

func TestParseTable(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       [][]cell
	}{
		{"nothing", "", nil},
		{"csv", "1, paid ,NULL\n2,\"a, \"\"b\"\"\nc\",\\N\n", [][]cell{{c("1"), c("paid"), null}, {c("2"), c("a, \"b\"\nc"), null}}},
		{"a quoted NULL is text", `"NULL",null`, [][]cell{{c("NULL"), null}}},
		{"an empty cell", "1,,\"\"", [][]cell{{c("1"), c(""), c("")}}},
		{"an empty row of one column", "\"\"\n\"\"\n", [][]cell{{c("")}, {c("")}}},
		{"tsv", "1\ta\\tb\t\\N\r\n2\t\\\\N\tNULL\n", [][]cell{{c("1"), c("a\tb"), null}, {c("2"), c(`\N`), c("NULL")}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := parseTable(tt.text); err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseTableErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"1,\"a", "line 1, cell 2: a quote is not closed"},
		{"1\n\"a\"b", "line 2, cell 1: text behind a closing quote"},
		{"1\ta\n2\t\\x", `line 2, cell 2: unknown escape \x: write \\ for a backslash`},
		{"1\ta\\", `line 1, cell 2: a backslash at the end: write \\ for one`},
	} {
		if _, err := parseTable(tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("%q: got %v, want %s", tt.text, err, tt.want)
		}
	}
}

func FuzzParseTSV(f *testing.F) {
	for _, s := range []string{"a\tb\n\\N\tc\\td\n", "", "\\\\\n", "x\r\ny"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rows, err := parseTSV(s)
		if err != nil {
			return
		}
		again, err := parseTSV(formatTSV(rows))
		if err != nil || !reflect.DeepEqual(rows, again) {
			t.Errorf("%q is %+v, written %q, then %+v, %v", s, rows, formatTSV(rows), again, err)
		}
	})
}

func FuzzParseCSV(f *testing.F) {
	for _, s := range []string{"a,b\nNULL,\"c\"\"\n\"\n", "", "\"\"\n,\n", "a\r\nb", " x , \"y\" ,z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rows, err := parseCSV(s)
		if err != nil {
			return
		}
		again, err := parseCSV(formatCSV(rows))
		if err != nil || !reflect.DeepEqual(rows, again) {
			t.Errorf("%q is %+v, written %q, then %+v, %v", s, rows, formatCSV(rows), again, err)
		}
	})
}

func TestParseColumns(t *testing.T) {
	got, err := parseColumns("id:int unsigned, `name`:varchar(80) not null, total:decimal(10,2), at:datetime(6), raw:blob, plain")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"id INT UNSIGNED", "name VARCHAR(80)", "total DECIMAL(10,2)", "at DATETIME(6)", "raw BLOB", "plain VARCHAR(65535)"}
	for i := range want {
		if s := got[i].Name + " " + got[i].TypeName(); s != want[i] {
			t.Errorf("column %d is %s, want %s", i, s, want[i])
		}
	}
	again, err := parseColumns(formatColumns(got))
	for i := range again {
		got[i].Flags &^= mysqlwire.ColumnNotNull // a type does not say it
	}
	if err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("written %q, then %+v, %v", formatColumns(got), again, err)
	}
	for _, bad := range []string{"id:nothing", "a:int,,b", ":int", "a:varchar(x)", "a:varchar(1"} {
		if c, err := parseColumns(bad); err == nil {
			t.Errorf("%q was taken for %+v", bad, c)
		}
	}
}

func TestCellsAreWrittenInTheColumnsCharacterSet(t *testing.T) {
	cx := &mysqlwire.Context{Texts: mysqlwire.Texts{Charsets: charset.All}}
	for _, tt := range []struct {
		collation uint16
		text      string
		want      string // "" is refused
	}{
		{45, "漢😀", "漢😀"},
		{255, "😀", "😀"},
		{33, "漢", "漢"},
		{33, "😀", ""},
		{8, "é", "\xe9"},
		{8, "Ж", ""},
		{51, "Ж", "\xc6"},
		{13, "ソ", "\x83\x5c"},
		{54, "é", "\x00\xe9"},
		{2304, "😀", "😀"},
	} {
		col := mysqlwire.Column{Type: value.VarString, Collation: tt.collation, Length: 100}
		v, err := read(&col, cx.Spec(&col), &rowStep{cell: cell{text: tt.text}})
		if got, _ := v.([]byte); string(got) != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("collation %d, %q: got %x %v, want %x", tt.collation, tt.text, got, err, tt.want)
		}
	}
}
