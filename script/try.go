package script

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/script/lua51"
)

// Tried is what one script's hook would have done.
type Tried struct {
	Script string // path
	Hook   string
	Exists bool              // the script has the hook
	Output []string          // what it printed and what would have been logged
	Would  intercept.Verdict // what it decided, with nothing else applied; of a command with the whole queue
	// Describe is Would in words: "passes", "sends 2 queries", "answers OK".
	Describe string
	Err      *Error
}

// Try calls the hook of each script on a copy of an event, recorded or held, in the environment of the
// event's connection, and reports what each would have decided. Nothing is sent, counted or logged, and
// the queue, the response and the server of the connection stay as they are; what the hook does to
// variables stays done. Of a connection that a script has not met the script is loaded for the trial.
func (c *Console) Try(ctx context.Context, ev *intercept.Event) ([]Tried, error) {
	if _, ok := hookNames[ev.Point]; !ok {
		return nil, fmt.Errorf("there is no hook at %s", ev.Point)
	}
	var list []Tried
	for _, e := range c.engines {
		t, err := e.try(ctx, ev)
		if err != nil {
			return list, err
		}
		list = append(list, t)
	}
	return list, nil
}

func (e *Engine) try(ctx context.Context, ev *intercept.Event) (Tried, error) {
	t := Tried{Script: e.src.path, Hook: hookNames[ev.Point]}
	proto, bad := e.src.load() // reads a file: without the turn
	if bad != nil {
		t.Err = bad
		return t, nil
	}
	u := e.u
	if err := u.enter(ctx); err != nil {
		return t, err
	}
	was := u.now
	defer func() {
		u.captured, u.printed, u.now = false, nil, was
		u.leave()
	}()
	u.now = moment{e.src.path, Line{Event: ev.ID, Exchange: ev.Exchange, Conn: ev.Conn.ID, Hook: t.Hook}}
	u.captured, u.printed = true, nil
	of := e.conns[ev.Conn.ID]
	if of == nil || !of.loaded {
		of = u.newConn(ev.Conn)
		u.use(of.private, of.of)
		t.Err = e.execute(ctx, of, proto)
	}
	if t.Err == nil {
		e.tryHook(ctx, of, ev, &t)
	}
	t.Output = u.printed
	for _, l := range u.said {
		t.Output = append(t.Output, l.Level.String()+": "+l.Text)
	}
	return t, nil
}

// tryHook calls the hook on a view of the connection.
func (e *Engine) tryHook(ctx context.Context, of *conn, ev *intercept.Event, t *Tried) {
	view := *of
	view.queue, view.closing, view.wanted = queue{}, false, nil
	view.private = e.u.private(&view)
	view.private.RawSetString("response", cloneTable(e.u.l, of.private.RawGetString("response")))
	below := e.u.l.NewTable()
	below.RawSetString("__index", of.private)
	below.RawSetString("__newindex", of.private)
	view.private.Metatable = below
	copied := ev.Copy()
	if ev.Point == rule.ReadQueryResult {
		q := ev.Query
		entry := &entry{id: q.ID, need: ev.Answer != nil, queued: ev.Timing.Queued}
		entry.packet, view.attrs = scriptPacket(q.Packet, ev.Context.Caps)
		view.running, view.sent, view.over, view.answered = entry, 0, false, true
		view.original, view.wire, view.show = entry.packet, q.Packet, entry.packet
		copied.Query.Show = true
	}
	e.u.use(view.private, of.of)
	h := hooks{e: e, c: &view, ev: copied, ctx: ctx, dry: true}
	v, _ := h.decide()
	if ev.Point == rule.ReadQuery && len(v.Queries) > 0 { // the core is given them one by one
		for _, e := range view.queue.entries {
			q := intercept.Query{ID: e.id, Origin: intercept.FromScript, Packet: view.wirePacket(e.packet, ev.Context.Caps), Need: e.need}
			v.Queries = append(v.Queries, q)
		}
	}
	t.Exists, t.Would, t.Describe, t.Err = h.called, v, Describe(&v), h.failed
	if view.wanted != nil && v.Backend == 0 && ev.Point != rule.ConnectServer {
		t.Describe += fmt.Sprintf(", with backend_ndx = %d", *view.wanted)
	}
}

// cloneTable is a table with the same entries; anything else is an empty one.
func cloneTable(l *lua.LState, v lua.LValue) *lua.LTable {
	out := l.NewTable()
	if t, ok := v.(*lua.LTable); ok {
		t.ForEach(out.RawSet)
	}
	return out
}

// Source is the script's text as it is in its file.
func (e *Engine) Source() ([]byte, error) {
	if e.src.text != nil {
		return bytes.Clone(e.src.text), nil
	}
	return os.ReadFile(e.src.path)
}

// Save writes a text into the script's file and has open connections run it, see Reload. A text that
// does not compile is an *Error, and neither the file nor a connection changes.
func (e *Engine) Save(ctx context.Context, text []byte) error {
	if e.src.text != nil {
		return fmt.Errorf("%s is part of the program: save a copy and name that", e.src.path)
	}
	if _, err := lua51.CompileScript(text, e.src.path); err != nil {
		return compileError(err, e.src.path)
	}
	path, err := filepath.EvalSymlinks(e.src.path)
	if err != nil {
		return fmt.Errorf("save the script: %w", err)
	}
	mode := os.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".mydbg-*")
	if err != nil {
		return fmt.Errorf("save the script: %w", err)
	}
	defer os.Remove(f.Name()) // where it has not become the file
	_, err = f.Write(text)
	for _, step := range []func() error{func() error { return f.Chmod(mode) }, f.Close} {
		if stepErr := step(); err == nil {
			err = stepErr
		}
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("save the script: %w", err)
	}
	return e.Reload(ctx)
}
