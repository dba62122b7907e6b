package rule

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustExpr(t *testing.T, src string) *Expr {
	t.Helper()
	e, err := Compile(src)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var sameExpr = cmp.Comparer(func(a, b *Expr) bool { return a.String() == b.String() && (a == nil) == (b == nil) })

func TestParseRule(t *testing.T) {
	pause := []Action{{Kind: Pause}}
	for _, tt := range []struct {
		line string
		want Rule
		text string // as printed, where that differs
		at   []Point
	}{
		{`if verb == "UPDATE"`, Rule{Do: pause, If: mustExpr(t, `verb == "UPDATE"`)}, "", []Point{ReadQuery}},
		{`break if "stock" in tables and write`, Rule{Do: pause, If: mustExpr(t, `"stock" in tables and write`)}, `if "stock" in tables and write`, []Point{ReadQuery}},
		{`dl hit % 3 do err 1213 if verb == "commit"`, Rule{Name: "dl", Hit: HitCond{Op: "%", N: 3}, Do: []Action{{Kind: Err, Code: 1213}}, If: mustExpr(t, `verb == "commit"`)}, "", []Point{ReadQuery}},
		{`big do log if rows > 10000`, Rule{Name: "big", Do: []Action{{Kind: Log}}, If: mustExpr(t, "rows > 10000")}, "", []Point{ReadQueryResult}},
		{`at query, result hit >= 2 per conn prob 0.25 once pre off do log "a \"b\""; bell; mark if user == "x"`, Rule{
			At: []Point{ReadQuery, ReadQueryResult}, Hit: HitCond{Op: ">=", N: 2, Per: PerConn}, Prob: 0.25, Once: true, Pre: true, Off: true,
			Do: []Action{{Kind: Log, Text: `a "b"`}, {Kind: Bell}, {Kind: Mark}}, If: mustExpr(t, `user == "x"`),
		}, `at query,result hit >= 2 per conn prob 0.25 once pre off do log "a \"b\""; bell; mark if user == "x"`, []Point{ReadQuery, ReadQueryResult}},
		{`for 20s then continue if sql contains "for update"`, Rule{For: 20 * time.Second, Then: Action{Kind: Continue}, Do: pause, If: mustExpr(t, `sql contains "for update"`)}, "", []Point{ReadQuery}},
		{`for 1m30s then err 1205 'too long'`, Rule{For: 90 * time.Second, Then: Action{Kind: Err, Code: 1205, Text: "too long"}, Do: pause}, `for 1m30s then err 1205 "too long"`, []Point{ReadQuery}},
		{`at connect prob 0.1 do delay 3s; close`, Rule{At: []Point{ConnectServer}, Prob: 0.1, Do: []Action{{Kind: Delay, Delay: 3 * time.Second}, {Kind: Close}}}, "", []Point{ConnectServer}},
		{`per conn once if digest == "7c1e9a"`, Rule{Hit: HitCond{Per: PerConn}, Once: true, Do: pause, If: mustExpr(t, `digest == "7c1e9a"`)}, "", []Point{ReadQuery}},
		{`at read_auth do log if user == "app"`, Rule{At: []Point{ReadAuth}, Do: []Action{{Kind: Log}}, If: mustExpr(t, `user == "app"`)}, `at auth do log if user == "app"`, []Point{ReadAuth}},
		{`post do rewrite "SELECT 1"`, Rule{Do: []Action{{Kind: Rewrite, Text: "SELECT 1"}}}, `do rewrite "SELECT 1"`, []Point{ReadQuery}},
		{`"at" do ok;`, Rule{Name: "at", Do: []Action{{Kind: OK}}}, `"at" do ok`, []Point{ReadQuery}},
		{`do hang`, Rule{Do: []Action{{Kind: Hang}}}, "", []Point{ReadQuery}},
		{`do pause`, Rule{Do: pause}, "", []Point{ReadQuery}},
		{`stock`, Rule{Name: "stock", Do: pause}, "", []Point{ReadQuery}},
		{`hit == 2`, Rule{Hit: HitCond{Op: "=", N: 2}, Do: pause}, `hit = 2`, []Point{ReadQuery}},
		{`if hook == "auth" and user == "app"`, Rule{Do: pause, If: mustExpr(t, `hook == "auth" and user == "app"`)}, "", []Point{ReadAuth}},
		{`if hook == "auth" or rows > 5`, Rule{Do: pause, If: mustExpr(t, `hook == "auth" or rows > 5`)}, "", []Point{ReadAuth, ReadQueryResult}},
		{`if hook in ["query", "result"] and conn == 3`, Rule{Do: pause, If: mustExpr(t, `hook in ["query", "result"] and conn == 3`)}, "", []Point{ReadQuery, ReadQueryResult}},
		{`if conn == 3 and hook != "result"`, Rule{Do: pause, If: mustExpr(t, `conn == 3 and hook != "result"`)}, "", []Point{ReadQuery}},
	} {
		got, err := ParseRule(tt.line)
		if err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		if diff := cmp.Diff(&tt.want, got, sameExpr); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.line, diff)
		}
		if tt.text == "" {
			tt.text = tt.line
		}
		if got.String() != tt.text {
			t.Errorf("got  %s\nwant %s", got, tt.text)
		}
		if diff := cmp.Diff(tt.at, got.Points()); diff != "" {
			t.Errorf("%s stops elsewhere (-want +got)\n%s", tt.line, diff)
		}
		again, err := ParseRule(got.String())
		if err != nil || cmp.Diff(got, again, sameExpr) != "" {
			t.Errorf("%s does not read back: %v", got, err)
		}
	}
}

func TestParseRuleErrors(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{`at query if rows > 5`, "rows is not known at query at 4, rows is known at result only; remove `at query`"},
		{`at query, result if rows > 5`, "rows is not known at query at 4, rows is known from result on; remove query from at"},
		{`at connect if user == "x"`, "user is not known at connect at 4, user is known from auth on; use at auth"},
		{`at disconnect if verb == "x"`, "verb is not known at disconnect at 4, it belongs to a statement: use at query"},
		{`if hook == "query" and rows > 3`, "the condition is never true at 4, rows is not known at query"},
		{`if false`, "the condition is never true at 4, it contradicts itself"},
		{`at qurey`, `unknown hook "qurey" at 4, did you mean "query"?`},
		{`at`, "at without a hook at 3"},
		{`do record`, `unknown action "record" at 4, actions are pause, log, bell, mark, delay, err, ok, close, hang, rewrite`},
		{`do`, "do without an action at 1"},
		{`do continue`, "continue is only for the end of a pause at 4"},
		{`do delay fast`, "delay needs a duration at 10, such as 200ms, 3s, 1m30s"},
		{`do err`, "err needs an error code at 7"},
		{`do err 70000`, "err needs an error code at 8"},
		{`do rewrite SELECT`, "rewrite needs a statement in quotes at 12"},
		{`do rewrite "x" if rows > 1`, "rewrite needs a statement: it is done at query, this rule stops at result at 4"},
		{`at disconnect do err 1213`, "err needs somebody waiting for an answer, this rule stops at disconnect at 18"},
		{`hit 3`, "hit needs one of = != < <= > >= % at 5"},
		{`hit % 0`, "hit % 0 never fires at 1, hits count from 1"},
		{`hit = x`, "hit = needs a whole number at 7"},
		{`per user`, "per needs conn or digest at 5"},
		{`prob 2`, "prob needs a number above 0, up to 1 at 1"},
		{`prob NaN`, "prob needs a number above 0, up to 1 at 1"},
		{`for 3s do log`, "for needs then and an action at 1"},
		{`for 3s then log`, "log cannot end a pause at 13"},
		{`pre post`, "pre or post is said twice at 5"},
		{`once once`, "once is said twice at 6"},
		{`x onec`, `unexpected "onec" after the name x at 3, did you mean "once"?`},
		{`verb == "UPDATE"`, `unexpected "==" after the name verb at 6, write if before a condition`},
		{`"orders" in tables`, `unexpected "in" after the name orders at 10`},
		{`(write)`, `unexpected "(" in a rule's name at 1, write if before a condition`},
		{`do log "x`, "text without its closing quote at 8"},
		{`do log "\q"`, `bad escape in text at 9`},
		{`if`, "if without a condition at 1"},
		{`x do log if tabel == 1`, `unknown field "tabel" at 13, did you mean "tables"?`},
		{`do log "ä" if verb = "x"`, `unexpected "=" at 20, use == to compare`},
	} {
		r, err := ParseRule(tt.line)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%s: got %v, %v, want a SyntaxError", tt.line, r, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s\n got %v\nwant %s", tt.line, err, tt.want)
		}
		if se.Src != tt.line {
			t.Errorf("%s: the error is about %q", tt.line, se.Src)
		}
	}
}

func TestParseRules(t *testing.T) {
	rules, err := ParseRules("# saved\n\na if write\r\n  # more\nb do bell\n")
	if err != nil || len(rules) != 2 || rules[0].Name != "a" || rules[1].Name != "b" {
		t.Errorf("got %v, %v", rules, err)
	}
	rules, err = ParseRules("a\nb do x\nc if y\n")
	if len(rules) != 1 || err == nil {
		t.Fatalf("got %v, %v", rules, err)
	}
	want := "line 2: unknown action \"x\" at 6, actions are pause, log, bell, mark, delay, err, ok, close, hang, rewrite\nline 3: unknown field \"y\" at 6"
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestRuleUses(t *testing.T) {
	r, err := ParseRule("per digest once if write")
	if err != nil {
		t.Fatal(err)
	}
	if r.Uses() != Set("write", "digest") {
		t.Errorf("got %v", r.Uses().Names())
	}
}

func TestRuleExplain(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{`if rows > 3`, "pause at result because of rows, if rows > 3"},
		{`hit <= 2 per conn do log "x"; err 1205 if write`, `log "x", then answer error 1205 at query, if it is write, on the first 2 hits per conn`},
		{`at auth pre once prob 0.5 off for 3s then close`, "pause at auth, before scripts, with chance 0.5, once; after 3s close the connection (off)"},
	} {
		r, err := ParseRule(tt.line)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Explain(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestCounter(t *testing.T) {
	type hit struct {
		conn   int
		digest string
	}
	same := []hit{{1, "a"}, {1, "a"}, {1, "a"}, {1, "a"}}
	for _, tt := range []struct {
		line string
		hits []hit
		want string // x fires, - does not
	}{
		{`x`, same, "xxxx"},
		{`hit = 2`, same, "-x--"},
		{`hit != 2`, same, "x-xx"},
		{`hit < 3`, same, "xx--"},
		{`hit <= 3`, same, "xxx-"},
		{`hit > 3`, same, "---x"},
		{`hit >= 3`, same, "--xx"},
		{`hit % 2`, same, "-x-x"},
		{`once`, same, "x---"},
		{`hit >= 2 once`, same, "-x--"},
		{`off`, same, "----"},
		{`hit = 2 per conn`, []hit{{1, ""}, {2, ""}, {1, ""}, {2, ""}}, "--xx"},
		{`hit = 2 per digest`, []hit{{1, "a"}, {2, "a"}, {1, "b"}, {2, "b"}}, "-x-x"},
		{`per conn once`, []hit{{1, ""}, {2, ""}, {1, ""}, {2, ""}}, "xx--"},
	} {
		r, err := ParseRule(tt.line)
		if err != nil {
			t.Fatal(err)
		}
		c := NewCounter(r)
		for range 2 { // and again after Reset
			var got strings.Builder
			for _, h := range tt.hits {
				if _, fires := c.Hit(h.conn, h.digest); fires {
					got.WriteByte('x')
				} else {
					got.WriteByte('-')
				}
			}
			if got.String() != tt.want {
				t.Errorf("%s: got %s, want %s", tt.line, &got, tt.want)
			}
			if hits, fired := c.Total(); hits != 4 || fired != uint64(strings.Count(tt.want, "x")) {
				t.Errorf("%s: counted %d, %d", tt.line, hits, fired)
			}
			if want := tt.line == "once" || tt.line == "hit >= 2 once"; c.Spent() != want {
				t.Errorf("%s: spent %v, want %v", tt.line, c.Spent(), want)
			}
			c.Reset()
		}
	}
}

func TestCounterProb(t *testing.T) {
	r, err := ParseRule("prob 0.25")
	if err != nil {
		t.Fatal(err)
	}
	c := NewCounter(r)
	draws := []float64{0.1, 0.3, 0.249, 0.25}
	c.chance = func() float64 { d := draws[0]; draws = draws[1:]; return d }
	for i, want := range []bool{true, false, true, false} {
		if _, got := c.Hit(1, ""); got != want {
			t.Errorf("draw %d: got %v, want %v", i, got, want)
		}
	}
}

func TestCounterForgetsTheOldest(t *testing.T) {
	r, err := ParseRule("per conn once")
	if err != nil {
		t.Fatal(err)
	}
	c := NewCounter(r)
	for conn := range counterKeys + 1 {
		c.Hit(conn, "")
	}
	if len(c.tally) != counterKeys {
		t.Errorf("remembers %d", len(c.tally))
	}
	if _, fires := c.Hit(1, ""); fires {
		t.Error("connection 1 is forgotten too early")
	}
	if n, fires := c.Hit(0, ""); n != 1 || !fires {
		t.Errorf("connection 0, the oldest: got %d, %v", n, fires)
	}
}

func TestCounterFromManyGoroutines(t *testing.T) {
	r, err := ParseRule("hit % 10 per conn")
	if err != nil {
		t.Fatal(err)
	}
	c := NewCounter(r)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 1000 {
				c.Hit(i%5, "")
			}
		})
	}
	all.Wait()
	if hits, fired := c.Total(); hits != 8000 || fired != 800 {
		t.Errorf("got %d hits, %d fired", hits, fired)
	}
}

func FuzzParseRule(f *testing.F) {
	for _, s := range []string{`a at query,result hit % 3 per conn prob 0.5 once pre do log "x"; err 1213 'y' if write`, `"if" for 3s then err 1205 do delay 1ms; rewrite "SELECT 'a'"`, "break x off", `do log '\x00\''`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\n\r") {
			return // one line
		}
		r, err := ParseRule(line)
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) || se.Off < 0 || se.Off > len(line) {
				t.Fatalf("got %#v", err)
			}
			return
		}
		again, err := ParseRule(r.String())
		if err != nil {
			t.Fatalf("%q prints as %q: %v", line, r, err)
		}
		if diff := cmp.Diff(r, again, sameExpr); diff != "" {
			t.Fatalf("%q prints as %q\n%s", line, r, diff)
		}
		if len(r.Points()) == 0 || r.Explain() == "" {
			t.Fatalf("%q stops nowhere", line)
		}
	})
}
