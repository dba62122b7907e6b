package tui

import (
	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/edit"
	"mydbg/tui/keymap"
)

// newEditor opens the editor of an action on a held event.
func (m *Model) newEditor(id keymap.ID, h intercept.Held, draft *intercept.Verdict) (edit.Editor, error) {
	env := edit.Env{Theme: m.th, Keys: m.keys, Detail: m.e.Detail}
	switch id {
	case keymap.Respond:
		return edit.Respond(h, draft, env)
	case keymap.InjectBefore, keymap.InjectAfter:
		return edit.Inject(h, draft, id == keymap.InjectBefore, env)
	}
	if h.Point == rule.ReadQueryResult {
		return edit.Result(h, draft, env)
	}
	return edit.Query(h, draft, env)
}

// keepRule adds the rule that an applied editor asks for.
func (m *Model) keepRule(ed edit.Editor) {
	if r, ok := ed.(edit.Ruler); ok && r.Rule() != "" {
		m.addBreak(r.Rule())
	}
}
