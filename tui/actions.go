package tui

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/keymap"
)

// missing are the actions that this screen does not have, with the reason; they stay in the help.
var missing = map[keymap.ID]string{
	keymap.Note:        "m marks an event; there are no notes",
	keymap.Rerun:       "mydbg replay FILE sends a recorded session again",
	keymap.Timeline:    "there is no timeline in this version",
	keymap.PreviewDown: "enter opens the inspector, where j and k move",
	keymap.PreviewUp:   "enter opens the inspector, where j and k move",
}

// alters are the actions that change or add to traffic.
var alters = map[keymap.ID]bool{
	keymap.Edit: true, keymap.EditExternal: true, keymap.Respond: true, keymap.InjectBefore: true, keymap.Explain: true, keymap.ExplainAnalyze: true,
	keymap.InjectAfter: true, keymap.Kill: true,
}

// off says why an action cannot be used now; "" when it can.
func (m *Model) off(id keymap.ID) string {
	if why := missing[id]; why != "" {
		return why
	}
	if m.o.ReadOnly && alters[id] && !(id == keymap.Edit && m.pane == keymap.Breakpoints) {
		return "--read-only: nothing may be altered"
	}
	if m.rec != nil {
		if why, known := m.offRecorded(id); known {
			return why
		}
	}
	t, ok := m.target()
	paused := ok && t.Hold != 0
	switch id {
	case keymap.Continue, keymap.Step, keymap.Next, keymap.FinishTx:
		return m.offRelease(id, paused)
	case keymap.ContinueAll, keymap.NextPaused, keymap.PrevPaused:
		if len(m.held) == 0 {
			return "nothing is paused"
		}
	case keymap.Edit, keymap.EditExternal:
		if m.pane == keymap.Breakpoints {
			if _, ok := m.breaks.Selected(); !ok {
				return "there is no breakpoint to edit; i adds one"
			}
			return ""
		}
		if m.inLua() {
			if _, _, ok := m.scripts.Script(); !ok {
				return "there is no script; --script FILE loads one"
			}
			return ""
		}
		if !paused {
			return m.notPaused("edited")
		}
	case keymap.Respond, keymap.InjectBefore, keymap.InjectAfter:
		if !paused {
			return m.notPaused("answered or added to")
		}
	case keymap.Explain, keymap.ExplainAnalyze:
		return m.offExplain(id)
	case keymap.Undo:
		if !paused || m.drafts[t.Hold] == nil {
			return "there is no unsent edit here"
		}
	case keymap.Pause, keymap.Kill:
		if !ok {
			return "select a connection or one of its events first"
		}
		if m.conn(t.Conn).Phase == intercept.Closed {
			return "that connection is closed"
		}
	case keymap.BreakBefore:
		if _, any := m.breaks.Selected(); m.pane == keymap.Breakpoints && any {
			return ""
		}
		fallthrough
	case keymap.BreakThis:
		if _, form := m.digest(); !form && (!ok || t.Exchange == 0) {
			return "select an event first; i breaks where a condition holds"
		}
	case keymap.Mark:
		if !ok || t.Exchange == 0 || m.pane != keymap.Events {
			return "select an event first"
		}
	case keymap.Remove:
		if _, ok := m.breaks.Selected(); m.pane != keymap.Breakpoints || !ok {
			return "removes breakpoints, in pane 3"
		}
	case keymap.SearchNext, keymap.SearchPrev:
		if m.events.Searching() == "" {
			return "nothing was searched for yet; / searches"
		}
	case keymap.Sort:
		if m.pane != keymap.Digests {
			return "events stay in the order they came; 4 shows digests, which have others"
		}
	case keymap.CopyAs, keymap.Diff:
		if !ok || t.Exchange == 0 {
			return "select an event first"
		}
	case keymap.Copy:
		if !ok {
			return "select an event first"
		}
	case keymap.View, keymap.NextChange, keymap.PrevChange:
		if !ok {
			return "select an event first"
		}
	case keymap.Load:
		return m.offPast()
	case keymap.Sessions:
		if m.o.Replay == nil {
			return "no replay runs here: mydbg replay FILE --backend ADDRESS shows one"
		}
	case keymap.Export:
		return m.offExport()
	case keymap.Record:
		if m.o.Recorder == nil {
			return "there is no traffic to record here"
		}
	case keymap.Snippet, keymap.Lua, keymap.Drawer:
		if why := m.offLua(); why != "" {
			return why
		}
		if id == keymap.Snippet && (!ok || t.Exchange == 0 && t.Hold == 0) && !m.inLua() {
			return "select an event first"
		}
	case keymap.TryHooks:
		if why := m.offLua(); why != "" {
			return why
		}
		if (!ok || t.Exchange == 0 && t.Hold == 0) && !m.inLua() {
			return "select an event first"
		}
	}
	return ""
}

func (m *Model) notPaused(what string) string {
	if len(m.held) > 0 {
		return "this one is not paused; ] goes to one that is"
	}
	return "only a paused event can be " + what + "; b stops at this statement next time"
}

// offRelease also tells those who mean vim's keys what they are here.
func (m *Model) offRelease(id keymap.ID, paused bool) string {
	if paused {
		return ""
	}
	why := "nothing is paused here; ] goes to what is"
	if len(m.held) == 0 {
		why = "nothing is paused"
	}
	switch id {
	case keymap.Next:
		why += "; the next match is ."
	case keymap.FinishTx:
		why += "; T switches between tree and flat list"
	case keymap.Continue:
		why += "; e edits a paused event"
	case keymap.Step:
		why += "; p stops this connection"
	}
	return why
}

// do runs an action.
func (m *Model) do(id keymap.ID) tea.Cmd {
	if why := m.off(id); why != "" {
		m.say(intercept.Info, "%s: %s", m.keyed(id), why)
		return nil
	}
	if m.unseen(id) {
		m.events.Reveal()
		m.say(intercept.Info, "the selected event was out of sight; press again")
		return nil
	}
	if m.rec != nil {
		if cmd, done := m.doRecorded(id); done {
			return cmd
		}
	}
	if m.inLua() && (id == keymap.Edit || id == keymap.EditExternal) {
		return m.doFocused(id)
	}
	switch id {
	case keymap.Continue:
		return m.release(id, intercept.Continue)
	case keymap.Step:
		return m.release(id, intercept.StepEvent)
	case keymap.Next:
		return m.release(id, intercept.StepNext)
	case keymap.FinishTx:
		return m.release(id, intercept.StepCommit)
	case keymap.ContinueAll:
		m.releaseAll()
	case keymap.Pause:
		m.pause()
	case keymap.PauseAll:
		m.pauseAll()
	case keymap.BreakThis, keymap.BreakBefore:
		before := id == keymap.BreakBefore
		if b, ok := m.breaks.Selected(); ok && before && m.pane == keymap.Breakpoints {
			m.otherStage(b)
			return nil
		}
		if s, ok := m.digest(); ok {
			m.addBreak("at query" + beforeScripts[before] + " if " + s.Cond)
			return nil
		}
		m.breakThis(before)
	case keymap.Break:
		m.open(promptBreak, "if ")
	case keymap.Breaks:
		m.breaksOff()
	case keymap.NextPaused:
		m.toPaused(1)
	case keymap.PrevPaused:
		m.toPaused(-1)
	case keymap.Edit:
		if b, ok := m.breaks.Selected(); ok && m.pane == keymap.Breakpoints {
			m.open(promptBreak, b.Rule.String())
			m.prompt.replaces = b.ID
			return nil
		}
		return m.startEdit(id)
	case keymap.EditExternal, keymap.Respond, keymap.InjectBefore, keymap.InjectAfter:
		return m.startEdit(id)
	case keymap.Explain, keymap.ExplainAnalyze:
		return m.explain(id)
	case keymap.Undo:
		t, _ := m.target()
		delete(m.drafts, t.Hold)
		m.tellDrafts()
		m.say(intercept.Info, "edits undone; c continues with what was received")
	case keymap.Kill:
		m.kill()
	case keymap.Mark:
		t, _ := m.target()
		x, _ := m.events.Exchange(t.Exchange)
		m.e.Mark(t.Exchange, x.Marks&intercept.MarkMarked == 0)
		m.pull()
		if f := m.events.Filter(); m.rec != nil && f.Uses().Has(rule.Set("marked")) {
			m.filterRecorded(f) // it lists other events now
		}
	case keymap.Remove:
		b, _ := m.breaks.Selected()
		m.report(m.e.DeleteBreak(b.ID), "breakpoint %d removed: %s", b.ID, b.Rule)
	case keymap.Clear:
		m.ask("Forget all finished events?", []string{"The list is emptied. Traffic, breakpoints and recordings are not touched."}, func() tea.Cmd {
			m.e.Clear()
			m.events.Clear()
			m.pull()
			return nil
		})
	case keymap.Copy:
		return m.copy()
	case keymap.Record:
		return m.record("")
	case keymap.Load:
		return m.toPast()
	case keymap.Diff:
		m.openSelected()
		if _, ok := m.inspector.Do(id); !ok {
			m.say(intercept.Info, "there is nothing to compare: it went on as it came")
		}
	case keymap.OnlyMarked:
		m.onlyMarked()
	case keymap.Export:
		m.askExport()
	case keymap.CopyAs:
		m.open(promptCommand, "copy ")
	default:
		return m.doView(id)
	}
	return nil
}

// onlyMarked filters by the mark; again: not any more.
func (m *Model) onlyMarked() {
	const marked = "marked"
	m.show(keymap.Events)
	if f := m.events.Filter(); f != nil && f.String() == marked {
		m.setFilter("")
		return
	}
	m.setFilter(marked)
	m.say(intercept.Info, "only what is marked is shown; M again shows all")
}

// unseen reports whether an action would change traffic at a row that nobody sees.
func (m *Model) unseen(id keymap.ID) bool {
	if m.rec != nil {
		return false
	}
	a, _ := m.keys.Action(keymap.InList, id)
	acts := a.Group == keymap.GroupRelease && id != keymap.ContinueAll || alters[id]
	return acts && m.pane == keymap.Events && m.lay.list.h > 0 && m.focus == inList && !m.events.SelectionVisible()
}

// keyed is an action with its key, for messages.
func (m *Model) keyed(id keymap.ID) string {
	if a, ok := m.keys.Action(keymap.InList, id); ok && a.Key() != "" {
		return a.Key() + " (" + a.Short + ")"
	}
	return string(id)
}

// report says that something is done, or the error.
func (m *Model) report(err error, format string, args ...any) {
	if err != nil {
		m.say(intercept.Error, "%v", err)
		return
	}
	m.pull()
	m.say(intercept.Info, format, args...)
}

// release lets the selected event go, with its draft if it has one, and tells its connection where to
// stop next.
func (m *Model) release(id keymap.ID, mode intercept.StepMode) tea.Cmd {
	t, _ := m.target()
	h := m.heldByID(t.Hold)
	if h == nil {
		return nil
	}
	held := *h
	var v intercept.Verdict
	draft := m.drafts[held.ID]
	if draft != nil {
		v = *draft
	}
	if !held.Left.IsZero() {
		m.askUnawaited(&held, v)
		return nil
	}
	m.e.Step(held.Conn.ID, mode)
	if err := m.e.Resolve(held.ID, v); err != nil {
		m.e.Step(held.Conn.ID, intercept.Continue)
		m.say(intercept.Error, "%s: %v", name(&held), err)
		return nil
	}
	m.released(&held, mode, v)
	return nil
}

// released goes on to the oldest paused event, or to the next stop of the connection that was stepped.
func (m *Model) released(h *intercept.Held, mode intercept.StepMode, v intercept.Verdict) {
	delete(m.drafts, h.ID)
	m.chase = 0
	if mode != intercept.Continue {
		m.chase = h.Conn.ID
	}
	if t, _ := m.events.Selected(); t.Hold == h.ID && h.Exchange != 0 { // the row of a held result goes away
		m.events.SelectExchange(h.Exchange)
	}
	m.pull()
	switch {
	case mode == intercept.Continue && len(m.held) > 0:
		m.events.SelectHeld(m.held[0].ID)
	case h.Exchange == 0: // its row is gone: the next step of the login takes its place
		m.chase = h.Conn.ID
	}
	how := "goes on"
	switch {
	case v.Action == intercept.Close:
		how = "is over: its connection is closed"
	case v.Action == intercept.Hang:
		how = "gets no answer until its client leaves"
	case v.Action == intercept.Reply:
		how = "is answered in the server's place"
	case v.Touches():
		how = "goes on as edited"
	}
	if mode != intercept.Continue {
		how += fmt.Sprintf("; connection #%d stops %s", h.Conn.ID, stopsAt[mode])
	}
	m.say(intercept.Info, "%s %s", name(h), how)
}

// stopsAt is where a connection that is stepped stops.
var stopsAt = map[intercept.StepMode]string{
	intercept.StepEvent: "at its next event", intercept.StepNext: "at its next command", intercept.StepCommit: "after its transaction",
}

// releaseAll lets everything go, each with its draft.
func (m *Model) releaseAll() {
	n, discarded := 0, 0
	for i := range m.held {
		h := m.held[i]
		var v intercept.Verdict
		if d := m.drafts[h.ID]; d != nil {
			v = *d
		}
		if !h.Left.IsZero() {
			v = intercept.Verdict{Action: intercept.Close}
			discarded++
		}
		if err := m.e.Resolve(h.ID, v); err != nil {
			m.say(intercept.Error, "%s: %v", name(&h), err)
			continue
		}
		n++
	}
	m.chase = 0
	m.pull()
	if discarded > 0 {
		m.say(intercept.Info, "%d released, of these %d discarded: their clients have left", n, discarded)
		return
	}
	m.say(intercept.Info, "%d released", n)
}

func (m *Model) pause() {
	t, _ := m.target()
	if m.conn(t.Conn).Step != intercept.Continue {
		m.e.Step(t.Conn, intercept.Continue)
		m.report(nil, "connection #%d does not stop any more", t.Conn)
		return
	}
	m.e.Step(t.Conn, intercept.StepEvent)
	m.chase = t.Conn
	m.report(nil, "connection #%d stops at its next event; p again: it does not", t.Conn)
}

func (m *Model) pauseAll() {
	on := !m.e.PausingAll()
	m.e.PauseAll(on)
	if on {
		m.report(nil, "every connection stops at its next event; P again ends that")
	} else {
		m.report(nil, "connections stop at breakpoints only; what is paused stays so")
	}
}

// toPaused selects the next held event in the order of the queue, or the one before.
func (m *Model) toPaused(by int) {
	t, _ := m.events.Selected()
	at := -1
	for i := range m.held {
		if m.held[i].ID == t.Hold {
			at = i
		}
	}
	switch {
	case at < 0 && by < 0:
		at = len(m.held) - 1
	case at < 0 || t.Below: // on the row of its connection: to the event itself
		at = max(at, 0)
	default:
		at = (at + by + len(m.held)) % len(m.held)
	}
	m.show(keymap.Events)
	m.events.SelectHeld(m.held[at].ID)
}

func (m *Model) kill() {
	t, _ := m.target()
	info := m.conn(t.Conn)
	title := fmt.Sprintf("Kill connection #%d?", t.Conn)
	lines := []string{fmt.Sprintf("%s@%s  %s", info.User, info.Client, info.DB), "Both sides are closed at once."}
	if !info.TxSince.IsZero() {
		lines = append(lines, "The server rolls its transaction back.")
	}
	m.ask(title, lines, func() tea.Cmd {
		m.e.Kill(t.Conn)
		m.report(nil, "connection #%d killed", t.Conn)
		return nil
	})
}
