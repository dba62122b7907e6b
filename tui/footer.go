package tui

import (
	"slices"
	"strings"

	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/traffic"
)

// bottom draws what is below the body: a prompt, or the queue, the hints and the message line.
func (m *Model) bottom() []string {
	if m.prompt != nil {
		return m.prompt.view(m)
	}
	var lines []string
	if m.lay.queue {
		lines = append(lines, m.queueLine())
	}
	message, hints := m.messageLines(1+m.lay.footer), m.hints()
	for _, ids := range hints[:min(len(hints), 1+len(hints)-len(message))] {
		lines = append(lines, m.hintLine(ids))
	}
	return append(lines, message...)
}

// hintLine writes hints with their keys marked.
func (m *Model) hintLine(ids []keymap.ID) string {
	var out strings.Builder
	for i, p := range m.keys.Footer(m.context(), ids, m.w-1) {
		if i > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(" " + m.th.FooterKey.Render(p.Key) + " " + m.th.FooterText.Render(p.Text))
	}
	return out.String()
}

// hints are the most useful keys for what is going on, one list for each line of the footer.
func (m *Model) hints() [][]keymap.ID {
	if m.lay.footer == 0 {
		return nil
	}
	if m.overlay != nil {
		one := []keymap.ID{keymap.Close} // the box says what else there is
		if m.overlay.kind == overlayPalette {
			one = []keymap.ID{keymap.Accept, keymap.Close}
		}
		return [][]keymap.ID{one, {}}[:m.lay.footer]
	}
	if m.edit != nil {
		one := []keymap.ID{keymap.Draft, keymap.Apply, keymap.External, keymap.Close}
		return [][]keymap.ID{one, {}}[:m.lay.footer]
	}
	if m.inLua() {
		one := m.scripts.Hints()
		return [][]keymap.ID{one, {}}[:m.lay.footer]
	}
	t, ok := m.target()
	var first, second []keymap.ID
	switch {
	case m.focus == inInspector || m.focus == inHex:
		first = []keymap.ID{keymap.Right, keymap.View, keymap.Copy, keymap.FocusNext, keymap.Back}
		if t.Hold != 0 {
			first = append([]keymap.ID{keymap.Continue, keymap.Edit, keymap.Respond}, first...)
			if m.drafts[t.Hold] != nil {
				first = append([]keymap.ID{keymap.Continue, keymap.Undo}, first[1:]...)
			}
		}
		second = []keymap.ID{keymap.NextChange, keymap.PrevChange, keymap.Step, keymap.Next, keymap.Command, keymap.Palette, keymap.Help}
	case m.rec != nil && m.pane == keymap.Events:
		first = []keymap.ID{keymap.Step, keymap.StepBack, keymap.Next, keymap.Continue, keymap.Open, keymap.Filter, keymap.Break, keymap.Help}
		second = []keymap.ID{keymap.FinishTx, keymap.BreakThis, keymap.Search, keymap.Tree, keymap.Mark, keymap.Copy, keymap.Command, keymap.Palette, keymap.QuitDialog}
	case m.pane == keymap.Digests:
		first = []keymap.ID{keymap.Open, keymap.Sort, keymap.BreakThis, keymap.Events, keymap.Help}
		second = []keymap.ID{keymap.Command, keymap.Palette, keymap.QuitDialog}
	case m.pane == keymap.Sessions:
		first = []keymap.ID{keymap.Open, keymap.Events, keymap.Log, keymap.Help}
		second = []keymap.ID{keymap.Command, keymap.Palette, keymap.QuitDialog}
	case m.pane == keymap.Breakpoints:
		first = []keymap.ID{keymap.Break, keymap.Edit, keymap.Toggle, keymap.BreakBefore, keymap.Remove, keymap.Breaks, keymap.Events}
		second = []keymap.ID{keymap.Command, keymap.Palette, keymap.Help, keymap.QuitDialog}
	case ok && t.Hold != 0:
		first = []keymap.ID{
			keymap.Continue, keymap.Step, keymap.Next, keymap.FinishTx, keymap.Edit, keymap.Respond,
			keymap.InjectAfter, keymap.Kill, keymap.Snippet, keymap.Help,
		}
		if m.drafts[t.Hold] != nil {
			first = append([]keymap.ID{keymap.Continue, keymap.Undo}, first[1:]...)
		}
		second = []keymap.ID{
			keymap.Filter, keymap.Break, keymap.BreakThis, keymap.Open, keymap.Copy, keymap.ContinueAll,
			keymap.NextPaused, keymap.Command, keymap.Palette, keymap.Help,
		}
		if m.lay.footer < 2 {
			second = nil
		}
	case len(m.held) > 0:
		first = []keymap.ID{keymap.NextPaused, keymap.ContinueAll, keymap.Open, keymap.Break, keymap.Filter, keymap.Follow, keymap.Help}
		second = []keymap.ID{keymap.BreakThis, keymap.Tree, keymap.Search, keymap.Copy, keymap.Command, keymap.Palette, keymap.QuitDialog}
	default:
		first = []keymap.ID{keymap.BreakThis, keymap.Break, keymap.Pause, keymap.Filter, keymap.Open, keymap.Follow, keymap.Help}
		second = []keymap.ID{
			keymap.PauseAll, keymap.Tree, keymap.Toggle, keymap.Search, keymap.Mark, keymap.Copy, keymap.Kill,
			keymap.Command, keymap.Palette, keymap.QuitDialog,
		}
		if m.pane == keymap.Connections {
			first = []keymap.ID{keymap.Pause, keymap.Kill, keymap.Open, keymap.Events, keymap.Help}
		}
	}
	if m.lay.footer > 1 {
		first = slices.DeleteFunc(first, func(id keymap.ID) bool { return slices.Contains(second, id) })
	}
	return [][]keymap.ID{m.possible(first), m.possible(second)}[:m.lay.footer]
}

// possible leaves out what is off now.
func (m *Model) possible(ids []keymap.ID) (out []keymap.ID) {
	for _, id := range ids {
		if m.off(id) == "" {
			out = append(out, id)
		}
	}
	return out
}

// intro is what the events show before the first client: what to do, and how far things are.
func (m *Model) intro() []string {
	done := func(ok bool, text string) string {
		mark := m.th.Dim.Render("[ ] ")
		if ok {
			mark = m.th.Added.Render("[x] ")
		}
		return "   " + mark + safe.Line(text)
	}
	w := max(m.lay.list.w-7, 10)
	lines := []string{""}
	if m.rec != nil {
		for _, l := range m.rec.intro() {
			for _, part := range safe.Wrap(l, w) {
				lines = append(lines, "  "+part)
			}
		}
		return lines
	}
	if d := m.o.Demo; d != nil {
		lines = append(lines, "  "+m.th.Strong.Render(safe.Line(d.Title)), "")
		for _, l := range d.Lines {
			for _, part := range safe.Wrap(l, w) {
				lines = append(lines, "  "+part)
			}
		}
		lines = append(lines, "")
	} else {
		lines = append(lines, "  "+m.th.Strong.Render("Waiting for the first client."), "")
		for _, l := range safe.Wrap("Point your application at "+m.o.addresses()+" instead of "+m.o.Backend+".", w) {
			lines = append(lines, "  "+l)
		}
		for _, l := range safe.Wrap("Write 127.0.0.1 rather than localhost, which may mean a socket that passes by.", w) {
			lines = append(lines, "  "+m.th.Dim.Render(l))
		}
		lines = append(lines, "")
	}
	lines = append(lines,
		done(len(m.o.Listen) > 0, "listening on "+m.o.addresses()),
		done(m.met.client, "first client connected"),
		done(m.met.server, "server "+m.o.Backend+" answered"),
		done(m.met.login, "logged in"), "")
	if m.met.failed != "" && !m.met.login {
		for _, l := range safe.Wrap("The last client failed: "+m.met.failed, w) {
			lines = append(lines, "  "+m.th.Error.Render(l))
		}
		lines = append(lines, "")
	}
	return append(lines, m.th.Dim.Render("  i sets a breakpoint, P stops whatever comes, ? is the help"))
}

// explainHeld says how many are paused, for dialogs.
func (m *Model) explainHeld() []string {
	var lines []string
	for i := range m.held {
		if i == 4 && len(m.held) > 5 {
			lines = append(lines, "and "+traffic.Count(len(m.held)-i)+" more")
			break
		}
		h := &m.held[i]
		lines = append(lines, name(h)+"  "+traffic.Clock(m.now().Sub(h.Since)))
	}
	return lines
}
