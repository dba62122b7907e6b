package detail

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/tui/keymap"
)

func numbers(ids ...uint64) *mysqlwire.ResultSet {
	rs := &mysqlwire.ResultSet{Columns: []mysqlwire.Column{column("id", value.LongLong, 0, mysqlwire.CollationBinary, 20), column("v", value.VarString, 0, 255, 80)}}
	for _, id := range ids {
		rs.Rows = append(rs.Rows, []value.Value{id % 100, fmt.Appendf(nil, "v%d", id/100)})
	}
	return rs
}

// differences are the rows of the Stages tab that compare two answers, folded.
func differences(t *testing.T, was, is *mysqlwire.Answer, binary bool) string {
	t.Helper()
	s := heldResult(t, 0)
	s.Held.Context = answerContext(was.Command)
	s.Held.Answer, s.Draft = was, &intercept.Verdict{Action: intercept.Forward, Answer: is}
	m := newModel(t, s)
	var lines []string
	for _, r := range m.stageRows().rows {
		if r.head && strings.HasPrefix(r.name, "stage") {
			continue
		}
		k := " "
		if r.mark != markNone {
			k = string(rune(r.mark))
		}
		lines = append(lines, strings.TrimSpace(k+r.name+" "+r.value))
	}
	return strings.Join(lines, "|")
}

func TestRowDiff(t *testing.T) {
	for _, tt := range []struct {
		name    string
		was, is []uint64
		want    string
	}{
		{"nothing", []uint64{1, 2}, []uint64{1, 2}, "… 2 rows"},
		{"a cell", []uint64{1, 2, 3}, []uint64{1, 102, 3}, `… 1 row|row 2|-v "v0"|+v "v1"|… 1 row`},
		{"a row less", []uint64{1, 2, 3}, []uint64{1, 3}, `… 1 row|-row 2 "2", "v0"|… 1 row`},
		{"a row more", []uint64{1, 3}, []uint64{1, 2, 3}, `… 1 row|+row 2 "2", "v0"|… 1 row`},
		{"a row less and one changed", []uint64{1, 2, 3, 4}, []uint64{1, 103, 4}, `… 1 row|-row 2 "2", "v0"|row 2|-v "v0"|+v "v1"|… 1 row`},
		{"another key", []uint64{1}, []uint64{9}, `row 1|-id "1"|+id "9"`},
		{"all gone", []uint64{1}, nil, `-row 1 "1", "v0"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cx := answerContext(mysqlwire.ComQuery)
			got := differences(t, answer(t, numbers(tt.was...), cx, false), answer(t, numbers(tt.is...), cx, false), false)
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			cx = answerContext(mysqlwire.ComStmtExecute)
			got = differences(t, answer(t, numbers(tt.was...), cx, true), answer(t, numbers(tt.is...), cx, true), true)
			want := strings.NewReplacer(`"v0"`, "v0", `"v1"`, "v1", `"1"`, "1", `"2"`, "2", `"9"`, "9").Replace(tt.want)
			if got != want {
				t.Errorf("binary: got %s, want %s", got, want)
			}
		})
	}
}

func TestAnswersOfOtherKinds(t *testing.T) {
	cx := answerContext(mysqlwire.ComQuery)
	rows := answer(t, numbers(1), cx, false)
	err := mysqlwire.ERRAnswer(1213, "", "no")
	got := differences(t, rows, err, false)
	for _, want := range []string{"-result 1 row, 2 columns", "+ERR ERROR 1213 (40001): no", "+error_code 1213"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, which lacks %s", got, want)
		}
	}
	renamed := numbers(1)
	renamed.Columns[1].Name = "w"
	renamed.Rows = append(renamed.Rows, []value.Value{nil, nil})
	got = differences(t, rows, answer(t, renamed, cx, false), false)
	for _, want := range []string{"-column 2 v  VARCHAR(20)", "+column 2 w  VARCHAR(20)", `+row 2 NULL, NULL`} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, which lacks %s", got, want)
		}
	}
}

// TestRowDiffAccountsForEveryRow edits at random: every row of both answers must be in the difference.
func TestRowDiffAccountsForEveryRow(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 200 {
		var was, is []uint64
		for range r.IntN(30) {
			was = append(was, r.Uint64N(400))
		}
		for _, id := range was {
			switch r.IntN(6) {
			case 0:
			case 1:
				is = append(is, id+100)
			case 2:
				is = append(is, id, r.Uint64N(400))
			default:
				is = append(is, id)
			}
		}
		cx := answerContext(mysqlwire.ComQuery)
		a, b := answer(t, numbers(was...), cx, false), answer(t, numbers(is...), cx, false)
		l := &stageList{}
		l.answers(a, b, cx)
		inA, inB := 0, 0
		for _, x := range l.rows {
			switch {
			case x.name == "…":
				var n int
				if _, err := fmt.Sscan(x.value, &n); err != nil {
					t.Fatal(err)
				}
				inA, inB = inA+n, inB+n
			case !strings.HasPrefix(x.name, "row "):
			case x.mark == markGone:
				inA++
			case x.mark == markAdded:
				inB++
			default:
				inA, inB = inA+1, inB+1
			}
		}
		if inA != len(was) || inB != len(is) {
			t.Fatalf("round %d: %d and %d rows in the difference, want %d and %d\n%v\n%v", round, inA, inB, len(was), len(is), was, is)
		}
	}
}

func TestStagesJumpBetweenChanges(t *testing.T) {
	m := newModel(t, editedExecute(t))
	m.tab = tabStages
	m.View(80, 20, true)
	l := m.stageRows()
	var seen []string
	press(t, m, keymap.Top)
	for range 5 {
		m.Do(keymap.NextChange)
		r := l.selected()
		seen = append(seen, string(rune(r.mark))+r.name+" "+r.value)
	}
	want := "-parameter 1 LONG unsigned 2|+parameter 1 LONG unsigned 200|-parameter 2 VAR_STRING 'SKU-77'|+parameter 2 VAR_STRING 'X-9'|+parameter 2 VAR_STRING 'X-9'"
	if got := strings.Join(seen, "|"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	m.HexView(80, 6, true)
	if got, want := fmt.Sprintf("%x", m.hex.view.Bytes()), fmt.Sprintf("22000000%x", execute(t, 200, "X-9")); got != want {
		t.Errorf("the bytes are %s, want those to send: %s", got, want)
	}
	if n := len(m.hex.view.Changes()); n == 0 {
		t.Error("no bytes are marked as changed")
	}
	press(t, m, keymap.Top, keymap.NextChange)
	must(t, m.hex.view.Cursor() > 0, "} does not go to the next changed byte")
	m.View(80, 20, true)
	press(t, m, keymap.PrevChange, keymap.PrevChange, keymap.PrevChange)
	m.HexView(80, 6, false)
	must(t, strings.Contains(m.hex.title, "stage 1"), "what was received shows the bytes of %q", m.hex.title)
}
