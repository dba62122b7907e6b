package edit

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// answerOf decodes the single packet of an answer.
func answerOf[T mysqlwire.Message](t *testing.T, v intercept.Verdict, cx *mysqlwire.Context) T {
	t.Helper()
	if v.Action != intercept.Reply || v.Answer == nil || len(v.Answer.Packets) != 1 {
		t.Fatalf("got %+v", v)
	}
	m, err := mysqlwire.Decode(v.Answer.Packets[0].Kind, v.Answer.Packets[0].Payload, cx)
	if err != nil {
		t.Fatal(err)
	}
	return m.(T)
}

func TestRespondWithAnError(t *testing.T) {
	h := queryEvent("COMMIT")
	e := must(Respond(h, nil, testEnv(t)))
	m := answerOf[*mysqlwire.ERR](t, verdictOf(t, e), h.Context)
	if m.Code != 1213 || m.SQLState != "40001" || !strings.HasPrefix(m.Message, "Deadlock found") {
		t.Errorf("it begins with %+v", m)
	}
	press(e, "<tab><ctrl+u>lock wait timeout")
	m = answerOf[*mysqlwire.ERR](t, verdictOf(t, e), h.Context)
	if m.Code != 1205 || m.SQLState != "HY000" {
		t.Errorf("searched: %+v", m)
	}
	t.Run("view", func(t *testing.T) { screens(t, e) })
	press(e, "<tab><ctrl+u>08S01<tab><ctrl+u>gone, \"really\"<tab><ctrl+u>250")
	v := verdictOf(t, e)
	m = answerOf[*mysqlwire.ERR](t, v, h.Context)
	if m.Code != 1205 || m.SQLState != "08S01" || m.Message != `gone, "really"` || v.Delay != 250*time.Millisecond {
		t.Errorf("changed: %+v, delay %v", m, v.Delay)
	}
	press(e, "<shift+tab><shift+tab><shift+tab><ctrl+u>1064")
	if m = answerOf[*mysqlwire.ERR](t, verdictOf(t, e), h.Context); m.Code != 1064 || m.SQLState != "08S01" {
		t.Errorf("the SQLSTATE did not stay the person's: %+v", m)
	}
	press(e, "<tab><ctrl+u>")
	if m = answerOf[*mysqlwire.ERR](t, verdictOf(t, e), h.Context); m.SQLState != "42000" {
		t.Errorf("emptied, it does not follow the code: %+v", m)
	}
}

func TestRespondPicksAmongErrors(t *testing.T) {
	e := must(Respond(queryEvent("SELECT 1"), nil, testEnv(t)))
	press(e, "<tab><ctrl+u>deadlock<down>")
	list := mysqlwire.SearchErrors("deadlock")
	m := answerOf[*mysqlwire.ERR](t, verdictOf(t, e), &mysqlwire.Context{Caps: testCaps})
	if len(list) < 2 || m.Code != list[1].Code {
		t.Errorf("got %d of %+v", m.Code, list)
	}
	press(e, "<ctrl+u>nothing has these words")
	if _, err := e.Verdict(); err == nil {
		t.Error("an unknown error can be sent")
	}
	press(e, "<ctrl+u>54321<tab><tab>odd")
	if m := answerOf[*mysqlwire.ERR](t, verdictOf(t, e), &mysqlwire.Context{Caps: testCaps}); m.Code != 54321 || m.Message == "" {
		t.Errorf("a code of one's own: %+v", m)
	}
	press(e, "<shift+tab><ctrl+u>4200")
	if _, err := e.Verdict(); err == nil || !strings.HasPrefix(err.Error(), "sqlstate: ") {
		t.Errorf("got %v", err)
	}
}

func TestRespondWithOK(t *testing.T) {
	for _, caps := range []mysqlwire.Caps{testCaps, testCaps | mysqlwire.SessionTrack | mysqlwire.DeprecateEOF} {
		h := queryEvent("UPDATE t SET a = 1")
		h.Context.Caps = caps
		e := must(Respond(h, nil, testEnv(t)))
		press(e, "<left><tab><ctrl+u>3<tab><ctrl+u>77<tab><ctrl+u>2<tab>Rows matched: 3")
		m := answerOf[*mysqlwire.OK](t, verdictOf(t, e), h.Context)
		if m.AffectedRows != 3 || m.LastInsertID != 77 || m.Warnings != 2 || m.Info != "Rows matched: 3" || !m.Status.Has(mysqlwire.StatusAutocommit) {
			t.Errorf("got %+v", m)
		}
		v := verdictOf(t, e)
		again := must(Respond(h, &v, testEnv(t)))
		if w := verdictOf(t, again); !bytes.Equal(w.Answer.Packets[0].Payload, v.Answer.Packets[0].Payload) {
			t.Errorf("the draft became %x", w.Answer.Packets[0].Payload)
		}
		press(e, "<shift+tab><ctrl+u>70000")
		if _, err := e.Verdict(); err == nil || err.Error() != "warnings: 70000 is too large" {
			t.Errorf("got %v", err)
		}
	}
	e := must(Respond(queryEvent("SELECT 1"), nil, testEnv(t)))
	press(e, "<left>")
	screens(t, e)
}

func TestRespondWithRows(t *testing.T) {
	for _, tt := range []struct {
		name   string
		held   intercept.Held
		binary bool
	}{
		{"text", queryEvent("SELECT 1"), false},
		{"binary", executeEvent(), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := must(Respond(tt.held, nil, testEnv(t)))
			press(e, "<right><tab><ctrl+u>id:bigint unsigned, total:decimal(10,2), note:varchar(20)<tab>")
			paste(e, "1,2.5,\"a, b\"\r\n2,NULL,\n")
			v := verdictOf(t, e)
			cx := *tt.held.Context
			results, err := v.Answer.Results(&cx)
			if err != nil || len(results) != 1 || results[0].Binary != tt.binary || results[0].Rows.Len() != 2 {
				t.Fatalf("got %+v, %v", results, err)
			}
			var got []string
			for i := range 2 {
				row := must(results[0].Rows.Row(i))
				for c := range row.Len() {
					got = append(got, row.Text(c))
				}
			}
			if s := strings.Join(got, "|"); s != "1|2.50|a, b|2|NULL|" {
				t.Errorf("got %s", s)
			}
			screens(t, e)
			press(e, "x,1,y")
			if _, err := e.Verdict(); err == nil || err.Error() != `row 3, id: "x" is not a number` {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRespondTakesNamesFromTheFirstLine(t *testing.T) {
	h := queryEvent("SELECT 1")
	e := must(Respond(h, nil, testEnv(t)))
	press(e, "<right><tab><ctrl+u><tab>")
	paste(e, "id:int\tname\n7\t\\N\n")
	results, err := verdictOf(t, e).Answer.Results(h.Context)
	if err != nil || len(results) != 1 || results[0].Columns[1].Name != "name" || results[0].Columns[0].Type != value.Long {
		t.Fatalf("got %+v, %v", results, err)
	}
	if row := must(results[0].Rows.Row(0)); row.Text(0) != "7" || !row.Null(1) {
		t.Errorf("got %s, %s", row.Text(0), row.Text(1))
	}
}

func TestRespondWithACopy(t *testing.T) {
	text := resultEvent(mysqlwire.ComQuery, testCaps)
	env := testEnv(t)
	env.Detail = func(s intercept.Seq) (intercept.Detail, bool) {
		d := intercept.Detail{Context: text.Context, Answer: *text.Answer}
		d.Seq = s
		d.Cut = s == 1375
		return d, s == 1374 || s == 1375
	}
	h := queryEvent("SELECT 2")
	e := must(Respond(h, nil, env))
	press(e, "<right><right><tab>1374")
	v := verdictOf(t, e)
	if len(v.Answer.Packets) != len(text.Answer.Packets) || v.Answer.Command != mysqlwire.ComQuery {
		t.Errorf("got %d packets", len(v.Answer.Packets))
	}
	t.Run("view", func(t *testing.T) { screens(t, e) })
	for _, tt := range []struct {
		name, keys, want string
		held             intercept.Held
	}{
		{"not there", "<ctrl+u>9", "not in memory", h},
		{"cut", "<ctrl+u>1375", "only a part", h},
		{"no number", "<ctrl+u>x", "not the number", h},
		{"binary wanted", "1374", "rows of text", executeEvent()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := must(Respond(tt.held, nil, env))
			press(e, "<right><right><tab>"+tt.keys)
			if _, err := e.Verdict(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	other := queryEvent("SELECT 2")
	other.Context.Caps |= mysqlwire.DeprecateEOF
	e = must(Respond(other, nil, env))
	press(e, "<right><right><tab>1374")
	if _, err := e.Verdict(); err == nil || !strings.Contains(err.Error(), "another form") {
		t.Errorf("other capabilities: %v", err)
	}
}

func TestRespondByClosing(t *testing.T) {
	h := queryEvent("SELECT 1")
	e := must(Respond(h, nil, testEnv(t)))
	press(e, "<left><left><left>")
	if v := verdictOf(t, e); v.Action != intercept.Close && v.Action != intercept.Hang {
		t.Errorf("got %s", v.Action)
	}
	closed := must(Respond(commandEvent(&mysqlwire.StmtClose{StmtID: 1}, &mysqlwire.Context{Caps: testCaps}), nil, testEnv(t)))
	press(closed, "<right><right>")
	if v := verdictOf(t, closed); v.Action != intercept.Close {
		t.Errorf("a command without an answer got %s", v.Action)
	}
	screens(t, closed)
}

func TestRespondOffersWhatFits(t *testing.T) {
	prepare := commandEvent(&mysqlwire.StmtPrepare{SQL: "SELECT 1"}, &mysqlwire.Context{Caps: testCaps})
	login := greetingEvent()
	login.Point = rule.ReadAuth
	hidden := resultEvent(mysqlwire.ComQuery, testCaps)
	hidden.Query.Show = false
	for _, tt := range []struct {
		name string
		held intercept.Held
		want string
	}{
		{"query", queryEvent("SELECT 1"), "OK ERR Result set Copy of Close Hang"},
		{"prepare", prepare, "ERR Close Hang"},
		{"greeting", greetingEvent(), "ERR Close Hang"},
		{"login", login, "OK ERR Close Hang"},
		{"hidden result", hidden, ""},
	} {
		e, err := Respond(tt.held, nil, testEnv(t))
		var got []string
		if err == nil {
			for _, k := range e.(*respond).kinds {
				got = append(got, answerNames[k])
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, s, tt.want)
		}
	}
}

func TestRespondSendsRollbackForADeadlock(t *testing.T) {
	h := resultEvent(mysqlwire.ComQuery, testCaps)
	h.Counts.Status = mysqlwire.StatusInTrans | mysqlwire.StatusAutocommit
	h = answered(h, mysqlwire.ERRAnswer(1062, "", ""))
	e := must(Respond(h, nil, testEnv(t)))
	if v := verdictOf(t, e); v.Queries != nil {
		t.Errorf("1062 rolls back: %+v", v.Queries)
	}
	press(e, "<tab><ctrl+u>1213")
	v := verdictOf(t, e)
	if len(v.Queries) != 1 || string(v.Queries[0].Packet) != "\x03ROLLBACK" || v.Queries[0].Show || v.Action != intercept.Reply {
		t.Fatalf("got %+v", v)
	}
	t.Run("view", func(t *testing.T) { screens(t, e) })
	press(e, "<tab><tab><tab><tab> ")
	if v := verdictOf(t, e); v.Queries != nil {
		t.Errorf("unticked, yet %+v", v.Queries)
	}
}

func TestRespondKeepsARule(t *testing.T) {
	h := queryEvent("SELECT * FROM t WHERE id = 5")
	e := must(Respond(h, nil, testEnv(t)))
	r := e.(Ruler)
	if r.Rule() != "" {
		t.Errorf("a rule nobody asked for: %s", r.Rule())
	}
	press(e, "<shift+tab> <tab><ctrl+u>3")
	want := `hit <= 3 do err 1213 if digest == "` + digest(h.SQL) + `"`
	if got := r.Rule(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := rule.ParseRule(r.Rule()); err != nil {
		t.Error(err)
	}
	t.Run("view", func(t *testing.T) { screens(t, e) })
	press(e, "<ctrl+u>x")
	if r.Rule() != "" {
		t.Errorf("got %s", r.Rule())
	}
}

func TestRespondThroughText(t *testing.T) {
	h := queryEvent("SELECT 1")
	e := must(Respond(h, nil, testEnv(t)))
	for _, tt := range []struct{ name, text, want string }{
		{"error", `{"answer":"err","code":1146,"delay":"2s"}`, `"code": 1146`},
		{"rows", `{"answer":"rows","columns":"a:int, b","rows":[["1",null],["2","NULL"]]}`, `"NULL"`},
		{"ok", `{"answer":"ok","affected_rows":4}`, `"affected_rows": 4`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := e.SetExternal(tt.text); err != nil {
				t.Fatal(err)
			}
			v := verdictOf(t, e)
			text, suffix, ok := e.External()
			if !ok || suffix != ".json" || !json.Valid([]byte(text)) || !strings.Contains(text, tt.want) {
				t.Fatalf("got %s", text)
			}
			other := must(Respond(h, nil, testEnv(t)))
			if err := other.SetExternal(text); err != nil {
				t.Fatal(err)
			}
			w := verdictOf(t, other)
			for i, p := range w.Answer.Packets {
				if !bytes.Equal(p.Payload, v.Answer.Packets[i].Payload) {
					t.Errorf("packet %d became %x, was %x", i, p.Payload, v.Answer.Packets[i].Payload)
				}
			}
			if w.Delay != v.Delay {
				t.Errorf("delay %v, was %v", w.Delay, v.Delay)
			}
		})
	}
	for _, tt := range []struct{ text, want string }{
		{"{\n\"answer\": \"err\",\n}", "line 3: "},
		{`{"answer":"maybe"}`, `answer "maybe": known are`},
		{`{"answer":"ok","rowz":1}`, "rowz"},
		{`{"answer":"ok"} x`, "behind the answer"},
		{`{"answer":"ok","delay":"soon"}`, "delay"},
	} {
		if err := e.SetExternal(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestRespondBeginsWithTheHeldAnswer(t *testing.T) {
	h := answered(resultEvent(mysqlwire.ComQuery, testCaps), mysqlwire.OKAnswer(5, 6, mysqlwire.StatusAutocommit, 1, "info"))
	e := must(Result(h, nil, testEnv(t))) // an OK has no rows, so this is the form
	if m := answerOf[*mysqlwire.OK](t, verdictOf(t, e), h.Context); m.AffectedRows != 5 || m.LastInsertID != 6 || m.Warnings != 1 || m.Info != "info" {
		t.Errorf("got %+v", m)
	}
	h = answered(h, mysqlwire.ERRAnswer(1146, "42S02", "Table 'a' doesn't exist"))
	e = must(Result(h, nil, testEnv(t)))
	if m := answerOf[*mysqlwire.ERR](t, verdictOf(t, e), h.Context); m.Code != 1146 || m.SQLState != "42S02" || m.Message != "Table 'a' doesn't exist" {
		t.Errorf("got %+v", m)
	}
	e = must(Respond(resultEvent(mysqlwire.ComQuery, testCaps), nil, testEnv(t)))
	if k := e.(*respond).kind; k != answerRows {
		t.Errorf("rows begin as %s", answerNames[k])
	}
}

// A code that stands there already is replaced by what is typed, from the kinds of answers too, and
// changed by what edits.
func TestRespondReplacesTheCode(t *testing.T) {
	for _, c := range []struct {
		keys string
		want uint16
	}{
		{"<tab>1205", 1205},
		{"1205", 1205},
		{"lock wait", 1205},
		{"<tab><backspace>4", 1214},
		{"<tab><tab><shift+tab>1062", 1062},
		{"<tab>1062<ctrl+z><ctrl+z>", 1213},
	} {
		e := must(Respond(queryEvent("SELECT 1"), nil, testEnv(t)))
		press(e, c.keys)
		v := verdictOf(t, e)
		r, err := v.Answer.Results(queryEvent("SELECT 1").Context)
		if err != nil || len(r) != 1 || r[0].ERR == nil || r[0].ERR.Code != c.want {
			t.Errorf("%s: %+v, %v, want error %d", c.keys, r, err, c.want)
		}
	}
}
