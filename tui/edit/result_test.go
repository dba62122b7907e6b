package edit

import (
	"bytes"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// rowsOf are the cells of a result, a line per row.
func rowsOf(t *testing.T, a *mysqlwire.Answer, cx *mysqlwire.Context, n int) (lines []string, raw [][]byte) {
	t.Helper()
	results, err := a.Results(cx)
	if err != nil {
		t.Fatal(err)
	}
	r := &results[n]
	for i := range r.Rows.Len() {
		row, err := r.Rows.Row(i)
		if err != nil {
			t.Fatal(err)
		}
		var cells []string
		for c := range row.Len() {
			cells = append(cells, row.Text(c))
		}
		lines, raw = append(lines, strings.Join(cells, "|")), append(raw, row.Raw)
	}
	return lines, raw
}

// each runs a test on results in text and binary, with and without EOF packets.
func eachResult(t *testing.T, f func(t *testing.T, h intercept.Held)) {
	for name, cmd := range map[string]mysqlwire.Command{"text": mysqlwire.ComQuery, "binary": mysqlwire.ComStmtExecute} {
		t.Run(name, func(t *testing.T) { f(t, resultEvent(cmd, testCaps)) })
		t.Run(name+" without EOF", func(t *testing.T) { f(t, resultEvent(cmd, testCaps|mysqlwire.DeprecateEOF)) })
	}
}

func TestResultEditsCells(t *testing.T) {
	eachResult(t, func(t *testing.T, h intercept.Held) {
		_, was := rowsOf(t, h.Answer, h.Context, 0)
		e := must(Result(h, nil, testEnv(t)))
		if v := verdictOf(t, e); v.Touches() {
			t.Fatalf("untouched, yet %+v", v)
		}
		press(e, "jjle<ctrl+u>refunded<enter>")
		press(e, "l<enter><ctrl+u>-1.5<enter>")
		press(e, "lN")
		v := verdictOf(t, e)
		if v.Action != intercept.Forward {
			t.Errorf("action %s", v.Action)
		}
		got, raw := rowsOf(t, v.Answer, h.Context, 0)
		if want := "9003|refunded|-1.50|NULL|a\x1b[31mb|text"; got[2] != want {
			t.Errorf("got %q, want %q", got[2], want)
		}
		if !bytes.Equal(raw[0], was[0]) || !bytes.Equal(raw[1], was[1]) {
			t.Error("rows that nobody touched have other bytes")
		}
		press(e, "uuu")
		if v := verdictOf(t, e); v.Touches() {
			t.Errorf("undone, yet %+v", v)
		}
		press(e, "<ctrl+y>")
		if got, _ := rowsOf(t, verdictOf(t, e).Answer, h.Context, 0); got[2][:13] != "9003|refunded" {
			t.Errorf("done again: %q", got[2])
		}
		again := must(Result(h, &v, testEnv(t)))
		if w := verdictOf(t, again); len(w.Answer.Packets) != len(v.Answer.Packets) {
			t.Error("the draft became something else")
		}
		if cells, _ := again.(*result).set().edits(); cells != 3 {
			t.Errorf("%d cells of the draft are marked, want 3", cells)
		}
	})
}

func TestResultAddsCopiesAndDeletesRows(t *testing.T) {
	eachResult(t, func(t *testing.T, h intercept.Held) {
		e := must(Result(h, nil, testEnv(t)))
		press(e, "pjd") // copy the first, then delete what was the second
		press(e, "Ge")  // open and leave
		press(e, "<esc>o")
		press(e, "e<ctrl+u>9100<tab>")
		press(e, "e<ctrl+u>new<enter>")
		press(e, "gO")
		v := verdictOf(t, e)
		got, _ := rowsOf(t, v.Answer, h.Context, 0)
		if len(got) != 5 {
			t.Fatalf("got %d rows: %q", len(got), got)
		}
		for i, want := range []string{"0||NULL|NULL|NULL|NULL", "9001|paid|", "9001|paid|", "9003|paid|", "9100|new|NULL|NULL|NULL|NULL"} {
			if !strings.HasPrefix(got[i], want) {
				t.Errorf("row %d is %q, want %q", i+1, got[i], want)
			}
		}
	})
}

func TestResultKeepsWhatIsInvalid(t *testing.T) {
	e := must(Result(resultEvent(mysqlwire.ComQuery, testCaps), nil, testEnv(t)))
	press(e, "jjllle<ctrl+u>2026-02-30<enter>")
	_, err := e.Verdict()
	if err == nil || !strings.HasPrefix(err.Error(), "row 3, paid_at: ") {
		t.Errorf("got %v", err)
	}
	t.Run("view", func(t *testing.T) { screens(t, e) })
	for _, tt := range []struct{ name, keys, want string }{
		{"a number too large", "e<ctrl+u>99999999999999999999<enter>", "row 1, id: "},
		{"NULL where there is none", "N", "row 1, id: the column is NOT NULL"},
		{"too long", "llllex<enter>", ""},
		{"too long for ENUM", "le<ctrl+u>12345678901<enter>", "row 1, status: "},
		{"half a byte", "<right><right><right><right><right>H<ctrl+u>0<enter>", "row 1, raw: not hexadecimal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := must(Result(resultEvent(mysqlwire.ComQuery, testCaps), nil, testEnv(t)))
			press(e, tt.keys)
			_, err := e.Verdict()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			press(e, "u")
			if v := verdictOf(t, e); v.Touches() {
				t.Errorf("undone, yet %+v", v)
			}
		})
	}
}

func TestResultEditsBytes(t *testing.T) {
	h := resultEvent(mysqlwire.ComStmtExecute, testCaps)
	e := must(Result(h, nil, testEnv(t)))
	press(e, "<right><right><right><right><right>H<ctrl+u>de ad 00<enter>")
	got, _ := rowsOf(t, verdictOf(t, e).Answer, h.Context, 0)
	if !strings.HasSuffix(got[0], "|0xdead00") {
		t.Errorf("got %q", got[0])
	}
	press(e, "<left><left>H")
	if e.Busy() {
		t.Error("a date opens as bytes")
	}
}

func TestResultChangesColumns(t *testing.T) {
	eachResult(t, func(t *testing.T, h intercept.Held) {
		e := must(Result(h, nil, testEnv(t)))
		press(e, "lC<ctrl+u>state<enter>")
		press(e, "lC<ctrl+u><enter>") // total goes
		press(e, "C<ctrl+u>+extra:bigint<enter>")
		press(e, "e7<enter>")
		v := verdictOf(t, e)
		results, err := v.Answer.Results(h.Context)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, c := range results[0].Columns {
			names = append(names, c.Name)
		}
		if s := strings.Join(names, " "); s != "id state paid_at note raw extra" {
			t.Errorf("columns are %s", s)
		}
		got, _ := rowsOf(t, v.Answer, h.Context, 0)
		if got[0] != "9001|paid|2026-02-11 09:13:58|thanks|0x89504e4700|7" || !strings.HasSuffix(got[1], "|NULL") {
			t.Errorf("rows are %q", got)
		}
		press(e, "uuuu")
		if v := verdictOf(t, e); v.Touches() {
			t.Error("undone, yet it touches")
		}
	})
}

func TestResultEditsSeveralResults(t *testing.T) {
	one := &mysqlwire.ResultSet{Columns: []mysqlwire.Column{mysqlwire.TextColumn("a")}, Rows: [][]value.Value{{[]byte("x")}}}
	two := &mysqlwire.ResultSet{Columns: []mysqlwire.Column{mysqlwire.TextColumn("b")}, Rows: [][]value.Value{{[]byte("y")}}}
	h := resultEvent(mysqlwire.ComQuery, testCaps, one, two)
	e := must(Result(h, nil, testEnv(t)))
	press(e, "e1<enter>p<tab>e2<enter>")
	if !strings.HasPrefix(e.Title(), "Result 2 of 2 of #1381: 1 row") {
		t.Errorf("the title is %s", e.Title())
	}
	v := verdictOf(t, e)
	a, _ := rowsOf(t, v.Answer, h.Context, 0)
	b, _ := rowsOf(t, v.Answer, h.Context, 1)
	if strings.Join(a, " ") != "x1 x1" || strings.Join(b, " ") != "y2" {
		t.Errorf("got %q and %q", a, b)
	}
}

func TestResultThroughText(t *testing.T) {
	eachResult(t, func(t *testing.T, h intercept.Held) {
		_, was := rowsOf(t, h.Answer, h.Context, 0)
		e := must(Result(h, nil, testEnv(t)))
		text, suffix, ok := e.External()
		if !ok || suffix != ".tsv" || !strings.HasPrefix(text, "id\tstatus\ttotal\tpaid_at\tnote\traw\n9001\tpaid\t120.00\t") {
			t.Fatalf("got %q", text)
		}
		if err := e.SetExternal(text); err != nil {
			t.Fatal(err)
		}
		if v := verdictOf(t, e); v.Touches() {
			t.Fatal("the same text touches")
		}
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		lines[0] = strings.Replace(lines[0], "note", "remark", 1)
		lines[1] = strings.Replace(lines[1], "thanks", "th\\tx", 1)
		lines = append(lines[:2], lines[3], "9100\tnew\t\\N\t\\N\t\\N\t\\N") // without the second row, with a new one
		if err := e.SetExternal(strings.Join(lines, "\n")); err != nil {
			t.Fatal(err)
		}
		got, _ := rowsOf(t, verdictOf(t, e).Answer, h.Context, 0)
		if len(got) != 3 || !strings.Contains(got[0], "|th\tx|") || !strings.HasPrefix(got[1], "9003|") || !strings.HasPrefix(got[2], "9100|new|NULL") {
			t.Errorf("got %q", got)
		}
		press(e, "u")
		if v := verdictOf(t, e); v.Touches() {
			t.Error("one undo does not take it back")
		}
		if err := e.SetExternal(strings.Join(strings.Split(text, "\n")[:3], "\n")); err != nil {
			t.Fatal(err)
		}
		if _, raw := rowsOf(t, verdictOf(t, e).Answer, h.Context, 0); len(raw) != 2 || !bytes.Equal(raw[0], was[0]) || !bytes.Equal(raw[1], was[1]) {
			t.Error("deleting the last line touched the others")
		}
		for _, tt := range []struct{ text, want string }{
			{"", "name the columns"},
			{"id\tstatus", "line 1 names 2 columns"},
			{strings.Split(text, "\n")[0] + "\n1\t2", "line 2 has 2 values"},
		} {
			if err := e.SetExternal(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q: got %v, want %s", tt.text, err, tt.want)
			}
		}
	})
}

func TestResultLooks(t *testing.T) {
	h := resultEvent(mysqlwire.ComQuery, testCaps)
	e := must(Result(h, nil, testEnv(t)))
	press(e, "jjle<ctrl+u>refunded<enter>le7")
	t.Run("cell", func(t *testing.T) { screens(t, e) })
	press(e, "<esc>C")
	t.Run("column", func(t *testing.T) { screens(t, e) })
}

func TestResultShowsTheHeadOfALongOne(t *testing.T) {
	h := resultEvent(mysqlwire.ComQuery, testCaps)
	h.Answer.Packets, h.Answer.Partial = h.Answer.Packets[:len(h.Answer.Packets)-2], true
	e := must(Result(h, nil, testEnv(t)))
	if !strings.Contains(e.Title(), "2 rows") || !strings.Contains(e.Title(), "head only") {
		t.Errorf("the title of a head is %s", e.Title())
	}
	press(e, "le<ctrl+u>new<enter>")
	if v := verdictOf(t, e); v.Touches() || !strings.Contains(e.View(80, 22), "answers in its place") {
		t.Errorf("the head was changed: %+v", v)
	}
	r := must(Respond(h, nil, testEnv(t)))
	if v := verdictOf(t, r); v.Action != intercept.Reply || v.Answer == nil {
		t.Errorf("it cannot be replaced: %+v", v)
	}
}

func TestResultGivesAnOpenCellAway(t *testing.T) {
	e := must(Result(resultEvent(mysqlwire.ComQuery, testCaps), nil, testEnv(t)))
	press(e, "lllle")
	if text, suffix, ok := e.External(); text != "thanks" || suffix != ".txt" || !ok {
		t.Errorf("got %q, %q", text, suffix)
	}
	if err := e.SetExternal("two\nlines"); err != nil {
		t.Fatal(err)
	}
	press(e, "<enter>")
	h := resultEvent(mysqlwire.ComQuery, testCaps)
	if got, _ := rowsOf(t, verdictOf(t, e).Answer, h.Context, 0); !strings.Contains(got[0], "|two\nlines|") {
		t.Errorf("got %q", got[0])
	}
}

func TestResultRefusesWhatTheAppDoesNotSee(t *testing.T) {
	h := resultEvent(mysqlwire.ComQuery, testCaps)
	h.Query.Show = false
	if _, err := Result(h, nil, testEnv(t)); err == nil {
		t.Error("a hidden result was opened")
	}
	h.Query.Show, h.Answer = true, nil
	if _, err := Result(h, nil, testEnv(t)); err == nil {
		t.Error("a result that is gone was opened")
	}
}

func TestResultKeepsQueriesOfTheDraft(t *testing.T) {
	h := resultEvent(mysqlwire.ComQuery, testCaps)
	inj := must(Inject(h, nil, false, testEnv(t)))
	press(inj, "SHOW WARNINGS")
	v := verdictOf(t, inj)
	e := must(Result(h, &v, testEnv(t)))
	press(e, "e<ctrl+u>5<enter>")
	v = verdictOf(t, e)
	if len(v.Queries) != 1 || v.Answer == nil {
		t.Errorf("got %+v", v)
	}
}
