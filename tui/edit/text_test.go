package edit

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

func TestText(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		many       bool
		keys       []string
		want       string
	}{
		{"types at the end", "ab", false, []string{"c"}, "abc"},
		{"moves by characters, not bytes", "a漢é", false, []string{"left", "left", "x"}, "ax漢é"},
		{"takes a letter and its accent together", "xe\u0301", false, []string{"backspace"}, "x"},
		{"moves by words", "one two_b three", false, []string{"ctrl+w", "ctrl+w", "X"}, "one X"},
		{"keeps pasted line breaks in one line", "a", false, []string{"paste b\r\nc"}, "ab\nc"},
		{"cuts to both ends", "abcd", false, []string{"left", "left", "ctrl+k", "ctrl+u"}, ""},
		{"splits a line", "ab", true, []string{"right", "enter", "x"}, "a\nxb"},
		{"joins lines", "a\nb", true, []string{"down", "backspace"}, "ab"},
		{"joins the next line", "a\nb", true, []string{"end", "delete"}, "ab"},
		{"keeps its column going down", "abc\nde\nfgh", true, []string{"end", "down", "down", "x"}, "abc\nde\nfgxh"},
		{"pastes lines into the middle", "ad", true, []string{"right", "paste b\nc"}, "ab\ncd"},
		{"moves over bytes that begin nothing", strings.Repeat("\x80", 200), false, []string{"left", "backspace"}, strings.Repeat("\x80", 199)},
		{"keeps broken UTF-8", "a\xffb", false, []string{"left", "backspace", "backspace", "c"}, "cb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := oneLine(tt.text)
			if tt.many {
				in = manyLines(tt.text)
			}
			was := in
			for _, k := range tt.keys {
				if s, ok := strings.CutPrefix(k, "paste "); ok {
					in.key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(s), Paste: true})
				} else {
					in.key(keyMsg(k))
				}
			}
			if in.String() != tt.want {
				t.Errorf("got %q, want %q", in.String(), tt.want)
			}
			if was.String() != tt.text {
				t.Errorf("the copy became %q", was.String())
			}
		})
	}
}

func TestWrapBreaksAfterSpaces(t *testing.T) {
	s := "SELECT a, b FROM long_table_name"
	var got []string
	for _, r := range wrap(s, 12) {
		got = append(got, s[r.from:r.to])
	}
	if strings.Join(got, "|") != "SELECT a, b |FROM |long_table_n|ame" {
		t.Errorf("got %q", got)
	}
}

// FuzzText plays keys on any text: nothing but what is typed or rubbed out changes, and drawings fit.
func FuzzText(f *testing.F) {
	f.Add("SELECT 1\nFROM t", []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, true)
	f.Add(strings.Repeat("\x9f", 90), []byte{5, 0, 6}, false)
	f.Add("e\u0301漢\xff\t", []byte{9, 9, 3, 200}, false)
	th := testEnv(f).Theme
	names := []string{"left", "right", "up", "down", "home", "end", "backspace", "delete", "ctrl+w", "enter", "ctrl+k", "pgdown"}
	f.Fuzz(func(t *testing.T, s string, keys []byte, many bool) {
		in := oneLine(s)
		if many {
			in = manyLines(s)
		}
		if in.String() != s {
			t.Fatalf("%q is kept as %q", s, in.String())
		}
		for _, k := range keys {
			if int(k) < len(names) {
				in.key(keyMsg(names[k]))
			} else {
				was := in
				in.key(keyMsg(string(rune('a' + k%26))))
				undo := in
				undo.cut(undo.off - 1)
				if undo.String() != was.String() {
					t.Fatalf("typed into %q it is %q", was.String(), in.String())
				}
			}
			if in.row < 0 || in.row >= len(in.lines) || in.off < 0 || in.off > len(in.line()) {
				t.Fatalf("the cursor is at %d, %d of %q", in.row, in.off, in.lines)
			}
		}
		for _, w := range []int{1, 7, 40} {
			lines := in.view(th, w, 3, true, w > 10)
			if many && len(lines) != 3 {
				t.Errorf("%d lines of 3", len(lines))
			}
			for _, l := range lines {
				if n := ansi.StringWidth(l); n != w {
					t.Errorf("%d cells of %d: %q", n, w, l)
				}
			}
		}
	})
}

func TestNothingFromTheWireReachesTheTerminal(t *testing.T) {
	bad := "a\x1b[31m\u202eb\x07\u009bc"
	text := commandEvent(&mysqlwire.Query{SQL: bad}, &mysqlwire.Context{Caps: testCaps})
	execute := executeEvent()
	execute.SQL, execute.Stmt.SQL = bad, bad
	result := resultEvent(mysqlwire.ComQuery, testCaps)
	failed := answered(resultEvent(mysqlwire.ComQuery, testCaps), mysqlwire.ERRAnswer(1146, "42S02", bad))
	named := resultEvent(mysqlwire.ComQuery, testCaps, mysqlwire.SimpleResultSet([]string{bad}, [][]string{{bad}}))
	hex := commandEvent(&mysqlwire.ChangeUser{User: bad, DB: bad}, &mysqlwire.Context{Caps: testCaps})
	for name, e := range map[string]Editor{
		"text":    must(Query(text, nil, testEnv(t))),
		"execute": must(Query(execute, nil, testEnv(t))),
		"bytes":   must(Query(hex, nil, testEnv(t))),
		"result":  must(Result(result, nil, testEnv(t))),
		"named":   must(Result(named, nil, testEnv(t))),
		"failed":  must(Respond(failed, nil, testEnv(t))),
		"rows":    must(Respond(named, nil, testEnv(t))),
		"inject":  must(Inject(text, &intercept.Verdict{Queries: []intercept.Query{must(injected(text.Event, bad, false))}}, true, testEnv(t))),
	} {
		for _, keys := range []string{"", "e", "<tab>", "<tab>", "<tab>" + bad, "<enter>"} {
			press(e, keys)
			for _, w := range []int{80, 52, 20} {
				if view := e.View(w, 22); strings.ContainsAny(view, "\x1b\x07\u202e\u009b") {
					t.Errorf("%s after %q:\n%q", name, keys, view)
				}
			}
		}
	}
}
