package tui

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// sent is the statement of a verdict's only query.
func sent(v intercept.Verdict) string {
	if len(v.Queries) != 1 {
		return ""
	}
	return strings.TrimPrefix(string(v.Queries[0].Packet), "\x03")
}

// stopped is one connection held at a query that can be edited.
func stopped() *fake {
	f := &fake{}
	f.conn(3)
	f.add(1, 3, mysqlwire.ComQuery, "SELECT 1", time.Second, 0)
	f.hold(101, 3, 1, rule.ReadQuery, time.Second)
	return f
}

func TestDrafts(t *testing.T) {
	f := stopped()
	d, m := start(t, f, 120, 36, plain)
	d.Press("e")
	d.Has("EDITING")
	d.Press("end")
	d.Type("cA") // letters belong to the editor
	if f.ids() != "" {
		t.Fatal("a letter typed in an editor released something")
	}
	d.Press("ctrl+s")
	d.Has("DRAFT", "draft kept, still paused")
	d.Lacks("EDITING")
	d.Press("u")
	d.Has("edits undone")
	d.Lacks("DRAFT")
	d.Press("e", "end")
	d.Type("23")
	d.Press("esc")
	d.Has("DRAFT")
	d.Press("c")
	if f.ids() != "101" || sent(f.resolved[0].v) != "SELECT 123" {
		t.Fatalf("sent %q: %+v", sent(f.resolved[0].v), f.resolved)
	}
	if len(m.drafts) != 0 {
		t.Error("a draft outlives its event")
	}
}

func TestApply(t *testing.T) {
	f := stopped()
	d, _ := start(t, f, 80, 24, plain)
	f.refuse = errors.New("an empty command cannot be sent")
	d.Press("e", "end")
	d.Type("00")
	d.Press("ctrl+r")
	d.Has("EDITING", "not sent: an empty command cannot be sent")
	f.refuse = nil
	d.Press("ctrl+r")
	d.Lacks("EDITING")
	d.Has("goes on as edited")
	if len(f.resolved) != 1 || sent(f.resolved[0].v) != "SELECT 100" {
		t.Errorf("got %+v", f.resolved)
	}
}

func TestEventGoesWhileItIsEdited(t *testing.T) {
	f := stopped()
	d, _ := start(t, f, 80, 24, plain)
	d.Press("e", "end")
	d.Type("0")
	f.held = nil
	wake(d)
	d.Has("EDITING", "was released or its connection ended")
	d.Press("ctrl+r")
	d.Has("EDITING", "not sent")
	d.Press("esc")
	d.Lacks("EDITING")
	if len(f.resolved) != 0 {
		t.Errorf("got %+v", f.resolved)
	}
}

func TestExternalEditor(t *testing.T) {
	f := stopped()
	d, m := start(t, f, 80, 24, plain)
	d.Press("e", "ctrl+o")
	d.Has("neither $VISUAL nor $EDITOR")
	m.o.Getenv = func(name string) string { return map[string]string{"EDITOR": "ed"}[name] }
	msg, ok := m.toExternal()().(externalMsg)
	if !ok || msg.err != nil {
		t.Fatalf("got %+v", msg)
	}
	defer os.Remove(msg.file)
	if b, err := os.ReadFile(msg.file); err != nil || string(b) != "SELECT 1" || filepath.Ext(msg.file) != ".sql" {
		t.Errorf("%s has %q, %v", msg.file, b, err)
	}
	d.Send(editedMsg{text: "SELECT 2"})
	d.Press("ctrl+r")
	if len(f.resolved) != 1 || sent(f.resolved[0].v) != "SELECT 2" {
		t.Errorf("got %+v", f.resolved)
	}
	d.Send(editedMsg{text: "SELECT 3"})
	d.Has("released meanwhile")
}

func TestCopy(t *testing.T) {
	f := stopped()
	d, m := start(t, f, 80, 24, look{name: "dark", profile: termenv.Ascii})
	d.Press("y")
	d.Has("statement not copied: there is no terminal")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m.out = &screenWriter{File: w}
	m.o.Getenv = func(name string) string { return map[string]string{"TMUX": "1", "DISPLAY": ":0", "SSH_TTY": "x"}[name] }
	d.Press("y")
	d.Has("statement sent to the terminal (OSC 52)")
	buf := make([]byte, 1000)
	n, _ := r.Read(buf)
	if got, want := string(buf[:n]), "\x1bPtmux;\x1b\x1b]52;c;U0VMRUNUIDE=\a\x1b\\"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := len(osc(strings.Repeat("x", 60_000), m.o.Getenv)); got <= oscLimit {
		t.Errorf("60,000 bytes encoded are %d", got)
	}
}
