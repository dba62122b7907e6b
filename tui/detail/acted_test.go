package detail

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
)

const byScript = "script rw.lua"

// rewritten is an exchange whose statement and result a script changed, and which printed meanwhile.
func rewritten(t testing.TB) Subject {
	sql := ordersSQL + " LIMIT 4"
	cx := answerContext(mysqlwire.ComQuery)
	a := answer(t, orders(4), cx, false)
	edit, err := a.EditResult(cx, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{edit.Set(1, 2, []byte("***")), edit.DeleteRow(3)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	masked, err := edit.Answer()
	if err != nil {
		t.Fatal(err)
	}
	d := exchange(ordersSQL, a)
	d.Marks, d.By = intercept.MarkScripted, byScript
	sent := []intercept.Query{{ID: 1, Packet: query(sql), Origin: intercept.FromScript, Show: true, Need: true}}
	script := intercept.Verdict{Action: intercept.Forward, Queries: sent, By: byScript}
	result := intercept.Verdict{Action: intercept.Forward, Answer: masked, By: byScript}
	return Subject{
		Conn: connInfo(), Detail: d, Scripts: true,
		Acted: []intercept.Acted{
			{Event: 1, Point: rule.ReadQuery, Conn: 3, Exchange: 1378, At: at, Packet: query(ordersSQL), Kind: mysqlwire.KindQuery, Context: cx, Script: script, Sent: script},
			{Event: 2, Point: rule.ReadQueryResult, Conn: 3, Exchange: 1378, At: at, Query: sent[0], Answer: a, Context: cx, Script: result, Sent: result},
		},
		Lines: []Line{
			{At: at, From: "rw.lua:9", Hook: "read_query", Text: "adds a limit \x1b[31m"},
			{At: at, From: "rw.lua", Hook: "read_query", Text: "hint: proxy.response.errno is not looked at: write proxy.response.errcode", Hint: true},
			{At: at, From: "audit.lua:3", Hook: "read_query_result", Text: "attempt to call a nil value", Failed: true, Trace: "stack traceback:\n\taudit.lua:3: in function <audit.lua:2>\n\t[C]: ?"},
		},
	}
}

// overruled is a command that a script changed and a person changed again.
func overruled(t testing.TB) Subject {
	s := rewritten(t)
	a := s.Acted[0]
	a.Changed = true
	a.Sent = intercept.Verdict{Action: intercept.Forward, By: "you", Queries: []intercept.Query{{Packet: query(ordersSQL + " LIMIT 1"), Show: true, Origin: intercept.FromPerson}}}
	s.Acted = []intercept.Acted{a}
	return s
}

// refusedByScript is a command that a script answered itself.
func refusedByScript(t testing.TB) Subject {
	s := rewritten(t)
	a := s.Acted[0]
	a.Script = intercept.Verdict{Action: intercept.Reply, Answer: mysqlwire.ERRAnswer(1045, "28000", "not for you"), By: byScript}
	a.Sent = a.Script
	s.Acted = []intercept.Acted{a}
	s.Detail.Answer.Packets = nil
	return s
}

// chosen is a connection for which a script chose the server and changed the greeting.
func chosen(t testing.TB) Subject {
	greet := func(version string) []byte {
		return encode(t, &mysqlwire.Greeting{Version: version, ConnectionID: 7, Caps: mysqlwire.Protocol41, Collation: 255, Scramble: make([]byte, 20)}, nil)
	}
	script := intercept.Verdict{Action: intercept.Forward, Backend: 2, By: byScript}
	packet := intercept.Verdict{Action: intercept.Forward, Packet: greet("5.7.0-proxy"), By: byScript}
	cx := &mysqlwire.Context{}
	return Subject{Conn: connInfo(), Acted: []intercept.Acted{
		{Event: 1, Point: rule.ConnectServer, Conn: 3, At: at, Context: cx, Script: script, Sent: script},
		{Event: 2, Point: rule.ReadHandshake, Conn: 3, At: at, Packet: greet("8.4.2"), Kind: mysqlwire.KindGreeting, Context: cx, Script: packet, Sent: packet},
	}}
}

func TestGoldenScripts(t *testing.T) {
	early := heldExecute(t)
	early.Held.Pre, early.Scripts = true, true
	late := heldExecute(t)
	late.Scripts = true
	late.Held.SoFar = intercept.Verdict{Action: intercept.Forward, By: byScript, Queries: []intercept.Query{{Packet: execute(t, 3, "SKU-77"), Show: true}}}
	late.Draft = &intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{{Packet: execute(t, 200, "X-9"), Origin: intercept.FromPerson, Show: true}}}
	for _, tt := range []struct {
		name string
		s    Subject
		tab  tab
		keys []keymap.ID
	}{
		{"rewritten", rewritten(t), tabStages, nil},
		{"rewritten whole", rewritten(t), tabStages, []keymap.ID{keymap.View, keymap.Bottom}},
		{"overruled", overruled(t), tabStages, nil},
		{"refused", refusedByScript(t), tabStages, nil},
		{"login", chosen(t), tabStages, nil},
		{"output", rewritten(t), tabLua, nil},
		{"output of an overruled one", overruled(t), tabLua, nil},
		{"held before", early, tabStages, nil},
		{"held before packet", early, tabPacket, nil},
		{"draft on top", late, tabStages, nil},
		{"held after packet", late, tabPacket, nil},
	} {
		for _, sz := range []size{{60, 38}, {80, 15}, {38, 12}} {
			t.Run(fmt.Sprintf("%s/%dx%d", tt.name, sz.w, sz.h), func(t *testing.T) {
				m := newModel(t, tt.s)
				m.tab = tt.tab
				m.View(sz.w, sz.h, true)
				press(t, m, tt.keys...)
				view, hex, preview := m.View(sz.w, sz.h, true), m.HexView(sz.w, 5, false), m.Preview(sz.w, 6)
				checkExact(t, "view", view, sz.w, sz.h)
				checkExact(t, "hex", hex, sz.w, 5)
				checkExact(t, "preview", preview, sz.w, 6)
				golden.RequireEqual(t, []byte(view+"\n"+hex+"\n"+preview+"\n"))
			})
		}
	}
}

// What a script did to the result is shown as fields and rows, not as bytes.
func TestStagesNameWhatAScriptChanged(t *testing.T) {
	m := newModel(t, rewritten(t))
	m.tab = tabStages
	text := screen(m.View(100, 60, true))
	for _, want := range []string{"stage 1 received", "stage 2 after script", "rw.lua: changed", "stage 3 sent", "+ LIMIT 4", `"***"`, "- row 4"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not there:\n%s", want, text)
		}
	}
}

func TestLuaTabIsCopied(t *testing.T) {
	m := newModel(t, rewritten(t))
	m.tab = tabLua
	m.View(80, 20, true)
	text, what := m.Copy()
	if what != "output of scripts" || !strings.Contains(text, `adds a limit \x1b[31m`) || !strings.Contains(text, "audit.lua:3: in function") {
		t.Errorf("%s: %s", what, text)
	}
	press(t, m, keymap.Down, keymap.PageDown, keymap.Bottom, keymap.Top)
	if s := newModel(t, heldExecute(t)); len(s.tabs()) != 4 {
		t.Errorf("without scripts there are the tabs %v", s.tabs())
	}
}
