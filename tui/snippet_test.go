package tui

import (
	"context"
	"errors"
	"testing"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/tui/scripts"
)

// lua is an engine whose snippets all decide the same.
type lua struct {
	ran      []string // code and what it ran on
	in       []int    // the scripts in whose environments
	tried    []string // events that hooks were asked about
	result   scripts.Result
	scripts  []scripts.Status // nil is audit.lua
	findings []string         // of what is saved
	lines    []scripts.Line
	source   string
	saved    []string
	broken   error // of what Save and Reload are given
}

func (l *lua) Run(_ context.Context, n int, ev *intercept.Event, code string) scripts.Result {
	l.in = append(l.in, n)
	l.ran = append(l.ran, code+" on "+ev.Point.Short()+" of "+ev.SQL)
	return l.result
}

func (l *lua) Try(_ context.Context, ev *intercept.Event) ([]scripts.Tried, error) {
	l.tried = append(l.tried, ev.Point.Short()+" of "+ev.SQL)
	return []scripts.Tried{
		{Script: "audit.lua", Hook: ev.Point.String(), Exists: true, Describe: "sends 2 queries", Details: []string{"COM_QUERY  SELECT 1", "COM_QUERY  SELECT 2  (its result goes to read_query_result)"}, Output: []string{"two of them"}},
		{Script: "rw.lua", Hook: ev.Point.String()},
	}, nil
}

func (l *lua) Scripts() []scripts.Status {
	if l.scripts != nil {
		return l.scripts
	}
	return []scripts.Status{{Name: "audit.lua", Path: "/srv/audit.lua", OK: true}}
}
func (l *lua) Lines() []scripts.Line             { return l.lines }
func (l *lua) Source(int) ([]byte, error)        { return []byte(l.source), nil }
func (l *lua) Reload(context.Context, int) error { return l.broken }
func (l *lua) Save(_ context.Context, _ int, text []byte) ([]string, error) {
	if l.broken == nil {
		l.source = string(text)
		l.saved = append(l.saved, l.source)
	}
	return l.findings, l.broken
}

func TestSnippets(t *testing.T) {
	answer := mysqlwire.ERRAnswer(1213, "40001", "Deadlock found")
	engine := &lua{result: scripts.Result{Output: []string{"hello"}, Verdict: &intercept.Verdict{Action: intercept.Reply, Answer: answer}, Describe: "answers ERR 1213"}}
	f := stopped()
	d, m := start(t, f, 120, 36, plain, func(o *Options) { o.Snippets = engine })
	d.Press("|")
	d.Has("audit.lua")
	d.Type("cA(1)")
	if f.ids() != "" {
		t.Fatal("a letter typed in the Lua prompt released something")
	}
	d.Press("enter")
	if len(engine.ran) != 1 || engine.ran[0] != "cA(1) on query of SELECT 1" {
		t.Fatalf("ran %q", engine.ran)
	}
	d.Has("hello")
	d.Press("ctrl+s")
	d.Has("DRAFT", "what the snippet decided is the draft")
	d.Press("u", ":")
	d.Type("lua again()")
	d.Press("enter")
	if len(engine.ran) != 2 {
		t.Fatalf("ran %q", engine.ran)
	}
	d.Press("ctrl+l")
	d.Has("audit.lua loaded again")
	engine.broken = errors.New("audit.lua:3: unexpected symbol")
	d.Press("ctrl+l")
	d.Has("audit.lua:3: unexpected symbol")
	d.Press("ctrl+r")
	if len(f.resolved) != 1 || f.resolved[0].v.Answer != answer {
		t.Errorf("got %+v", f.resolved)
	}
	d.Press("|") // on the finished exchange: a copy
	d.Type("x()")
	d.Press("enter", "ctrl+s")
	if len(m.drafts) != 0 || len(engine.ran) != 3 {
		t.Errorf("a copy has a draft: %v, ran %q", m.drafts, engine.ran)
	}
	d.Press("esc")
	d.Has("1 Events")
}

func TestNoLua(t *testing.T) {
	d, _ := start(t, stopped(), 120, 36, plain)
	d.Press("|")
	d.Has("no Lua here: start with --script FILE")
}
