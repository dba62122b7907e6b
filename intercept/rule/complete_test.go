package rule

import (
	"slices"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	for _, tt := range []struct {
		src      string // the cursor is at |
		has, not []string
	}{
		{"|", []string{"verb", "tables", "param(", "any(", "not", "failed"}, []string{"and", "==", "at_", "len_", "now("}},
		{"ta|", []string{"tables"}, []string{"verb"}},
		{"verb |", []string{"==", "in", "matches"}, []string{"<", "verb"}},
		{"rows |", []string{"==", ">="}, []string{"matches"}},
		{"write |", []string{"and", "or"}, []string{"=="}},
		{"verb == |", []string{`"UPDATE"`, `"COMMIT"`}, []string{"verb"}},
		{`verb == "up|`, []string{`"UPDATE"`}, []string{`"COMMIT"`}},
		{`verb in ["UPDATE", "co|`, []string{`"COMMIT"`}, []string{`"SELECT"`}},
		{"verb in |", []string{`["UPDATE"`}, nil},
		{"cmd == ex|", []string{`"execute"`}, []string{`"query"`}},
		{"hook != |", []string{`"query"`, `"auth_result"`}, nil},
		{`verb == "x" |`, []string{"and", "or"}, []string{"verb"}},
		{`verb == "x" and wr|`, []string{"write"}, nil},
		{"error.|", []string{"code", "sqlstate", "message"}, []string{"verb"}},
		{"error.co|", []string{"code"}, []string{"sqlstate"}},
		{"error.code |", []string{"==", "in"}, []string{"matches"}},
		{"comment.|", []string{"route"}, nil},
		{"comment.route |", []string{"=="}, nil},
		{`"orders" |`, []string{"in"}, nil},
		{"param(0) |", []string{"==", "contains"}, nil},
		{"not (|", []string{"verb"}, []string{"and"}},
		{"wri| and ddl", []string{"write"}, []string{"ddl"}},
	} {
		src, rest, _ := strings.Cut(tt.src, "|")
		var got []string
		for _, c := range Complete(src+rest, len(src)) {
			got = append(got, c.Text)
			if c.From > c.To || c.To != len(src) {
				t.Errorf("%s: %s replaces %d to %d", tt.src, c.Text, c.From, c.To)
			}
		}
		for _, w := range tt.has {
			if !slices.Contains(got, w) {
				t.Errorf("%s: no %s in %q", tt.src, w, got)
			}
		}
		for _, w := range tt.not {
			if slices.Contains(got, w) {
				t.Errorf("%s: offers %s", tt.src, w)
			}
		}
	}
}

// Everything offered at the start of a condition must be a name the compiler knows.
func TestOfferedNamesCompile(t *testing.T) {
	for _, c := range Complete("", 0) {
		src := c.Text
		if name, call := strings.CutSuffix(c.Text, "("); call && name != "param" {
			continue // functions differ in what they take
		} else if call {
			src = "param(0) == 1"
		} else if c.Text == "not" {
			continue
		} else if fieldsByName[c.Text].Type != "flag" && c.Text != "error" {
			src = c.Text + " == nil"
		}
		if _, err := Compile(src); err != nil && strings.Contains(err.Error(), "unknown") {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func TestFieldsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Fields() {
		if f.Name == "" || f.Doc == "" || f.Type == "" || !f.From.valid() || f.bit == 0 || seen[f.Name] {
			t.Errorf("bad declaration %+v", f)
		}
		seen[f.Name] = true
	}
	for _, name := range strings.Fields(`hook cmd dir conn user host db program attr thread tls sql digest digest_text verb tables comment params len stmt
		rows cols affected last_insert_id warnings error failed sqlstate msg bytes ms row tx tx_age tx_n autocommit
		write ddl prepared slow chatter paused edited injected crafted scripted partial marked replayed nplus1`) {
		if !seen[name] {
			t.Errorf("no field %s", name)
		}
	}
}

func TestPoints(t *testing.T) {
	for _, p := range Points() {
		for _, name := range []string{p.String(), p.Short(), strings.ToUpper(p.Short())} {
			if got, err := ParsePoint(name); got != p || err != nil {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
		}
	}
	if got, err := ParsePoint("query2"); got != 0 || err == nil {
		t.Errorf("query2: got %v, %v", got, err)
	}
	if Point(0).Short() != "" || Point(9).String() != "point(9)" {
		t.Error("points out of range have names")
	}
}

func TestCommandNames(t *testing.T) {
	for b, want := range map[byte]string{0x03: "query", 0x0e: "ping", 0x16: "prepare", 0x17: "execute", 0x19: "close", 0xff: ""} {
		if got := CommandName(b); got != want {
			t.Errorf("%#x: got %s, want %s", b, got, want)
		}
	}
}

func FuzzComplete(f *testing.F) {
	f.Add(`verb in ["a", "`, 14)
	f.Fuzz(func(t *testing.T, src string, pos int) {
		for _, c := range Complete(src, pos) {
			if c.From < 0 || c.From > c.To || c.To > len(src) {
				t.Fatalf("%+v", c)
			}
		}
	})
}
