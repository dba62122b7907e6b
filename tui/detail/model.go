// Package detail is the inspector: everything there is to see of one held event or one exchange of
// the journal, in tabs, with a view of its bytes beside them.
//
// The inspector reads and never changes what it shows. A Subject is handed over whole by Show, which
// may be told the same event as often as something about it changes: tab, cursor and folds stay where
// they are. Nothing is decoded before it is looked at: an answer of a million rows opens at once,
// because only the rows on the screen are taken apart. What was worked out to draw a subject is kept
// until the next one comes.
//
// Bytes of a login are blanked where they are secret before anything is made from them, and all text
// from outside passes package safe.
//
// Which of View and HexView had the focus when they were drawn last is where actions go: moving in the
// bytes selects the innermost field there, moving in the tree shows the field's bytes.
package detail

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/grid"
	"mydbg/tui/hexview"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
)

// Subject is what the inspector shows. The zero value is nothing; one with Conn alone is a
// connection.
type Subject struct {
	Held   *intercept.Held   // nil when it is not held now
	Detail *intercept.Detail // the exchange's bytes; nil for login events
	Conn   intercept.ConnInfo
	Draft  *intercept.Verdict // an edit that is not sent yet, nil without one

	Scripts bool              // there are scripts: stops before them and after them differ
	Acted   []intercept.Acted // what scripts did at the events of the exchange or, without one, of the login
	Lines   []Line            // and what they printed there
}

// Line is a line of a script's output.
type Line struct {
	At           time.Time
	From         string // audit.lua:9
	Hook         string // "" while the script was loaded
	Text         string
	Trace        string // of an error
	Hint, Failed bool
}

// tab is one of the inspector's views of a subject.
type tab uint8

const (
	tabPacket tab = iota
	tabStages
	tabStatement
	tabResult
	tabLua
	tabSession
	tabCount
)

var tabNames = [tabCount]string{"Packet", "Stages", "Statement", "Result", "Lua", "Session"}

// Model is the inspector.
type Model struct {
	th  *theme.Theme
	now func() time.Time
	s   Subject
	key subjectKey

	tab     tab // the one asked for; a subject without it shows its first
	views   [tabCount]int
	focused bool // the box
	inHex   bool // the bytes
	size    size // of the box's body, as drawn last

	facts  *facts // made from s when first needed, as is all below
	tree   *outline
	stages *stageList
	result *resultView
	pagers [tabCount]pager
	hex    hexState
}

type size struct{ w, h int }

// subjectKey says whether two subjects are the same event.
type subjectKey struct {
	exchange intercept.Seq
	hold     intercept.HoldID
	conn     intercept.ConnID
	point    intercept.Point
}

func (s *Subject) key() subjectKey {
	k := subjectKey{conn: s.Conn.ID}
	if s.Detail != nil {
		k.exchange = s.Detail.Seq
	}
	if s.Held != nil && s.Held.Event != nil {
		k.hold, k.point = s.Held.ID, s.Held.Point
		if s.Held.Exchange != 0 {
			k.exchange = s.Held.Exchange
		}
	}
	return k
}

// New returns an inspector of nothing.
func New(th *theme.Theme) *Model {
	return &Model{th: th, now: time.Now, hex: hexState{view: hexview.New(th)}, result: newResultView(th)}
}

// Show shows s. Tab, cursor and folds stay when it is the event shown before.
func (m *Model) Show(s Subject) {
	key := s.key()
	same := key == m.key
	m.s, m.key = s, key
	var was *outline
	var cursor int
	if same {
		was = m.tree
		if m.stages != nil {
			cursor = m.stages.cursor
		}
	}
	m.facts, m.tree, m.stages = nil, nil, nil
	m.hex.shown = false
	if !same {
		m.pagers = [tabCount]pager{}
		m.result = newResultView(m.th)
		m.hex.view = hexview.New(m.th)
		return
	}
	m.result.stale = true
	for i := range m.pagers {
		m.pagers[i].stale = true
	}
	if was != nil {
		m.outline().takeOver(was)
	}
	if cursor > 0 {
		m.stageRows().want(cursor)
	}
}

// tabs are those that the subject has.
func (m *Model) tabs() []tab {
	f := m.about()
	if f.empty {
		return nil
	}
	var list []tab
	if len(f.parts) > 0 || f.event() {
		list = append(list, tabPacket)
	}
	if f.event() || len(m.s.Acted) > 0 {
		list = append(list, tabStages)
	}
	if f.statement.sql != "" {
		list = append(list, tabStatement)
	}
	if f.answer != nil {
		list = append(list, tabResult)
	}
	if len(m.s.Lines) > 0 || len(m.s.Acted) > 0 {
		list = append(list, tabLua)
	}
	if !f.event() { // a connection is looked at for itself first
		return append([]tab{tabSession}, list...)
	}
	return append(list, tabSession)
}

// current is the tab that is shown.
func (m *Model) current() tab {
	list := m.tabs()
	for _, t := range list {
		if t == m.tab {
			return t
		}
	}
	if len(list) > 0 {
		return list[0]
	}
	return tabSession
}

// turn goes to the tab after the current one, or the one before.
func (m *Model) turn(by int) {
	list := m.tabs()
	for i, t := range list {
		if t == m.current() && i+by >= 0 && i+by < len(list) {
			m.tab = list[i+by]
			return
		}
	}
}

// Do does what a key asks for. It reports whether the action is one of the inspector's.
func (m *Model) Do(a keymap.ID) (tea.Cmd, bool) {
	if m.about().empty {
		return nil, false
	}
	if a == keymap.Diff {
		m.tab = tabStages
		return nil, m.current() == tabStages
	}
	if m.inHex && m.hex.do(m, a) {
		return nil, true
	}
	t := m.current()
	switch {
	case t == tabResult && m.resultView().do(m, a):
		return nil, true
	case a == keymap.Left || a == keymap.Right:
		by := 1
		if a == keymap.Left {
			by = -1
		}
		m.turn(by)
		return nil, true
	case a == keymap.View:
		m.views[t] = (m.views[t] + 1) % len(viewNames(t))
		m.pagers[t].stale = true
		m.stages = nil
		m.hex.shown = false
		return nil, true
	}
	done := false
	switch t {
	case tabPacket:
		done = m.outline().do(a, m.size.h)
	case tabStages:
		done = m.stageRows().do(a, m.size.h)
	case tabStatement, tabLua, tabSession:
		done = m.pagers[t].do(a, m.size.h)
	}
	return nil, done
}

// viewNames are what the key for views goes through in a tab.
func viewNames(t tab) []string {
	switch t {
	case tabPacket:
		return []string{"tree", "bytes"}
	case tabStages:
		return []string{"diff", "all", "changes"}
	case tabStatement:
		return []string{"formatted", "bound", "as sent"}
	case tabResult:
		return []string{"grid", "row"}
	}
	return []string{""}
}

// move is a movement in a list of n rows of which h are seen; ok is false for other actions.
func move(a keymap.ID, cursor, n, h int) (to int, ok bool) {
	page := max(h-1, 1)
	switch a {
	case keymap.Down:
		cursor++
	case keymap.Up:
		cursor--
	case keymap.HalfDown:
		cursor += max(page/2, 1)
	case keymap.HalfUp:
		cursor -= max(page/2, 1)
	case keymap.PageDown:
		cursor += page
	case keymap.PageUp:
		cursor -= page
	case keymap.Top:
		cursor = 0
	case keymap.Bottom:
		cursor = n - 1
	default:
		return cursor, false
	}
	return min(max(cursor, 0), max(n-1, 0)), true
}

// Copy is what copying takes here, and what to call it; what is empty when there is nothing. It is
// the statement with its parameters, unless the inspector has the focus and something in it is
// selected.
func (m *Model) Copy() (text, what string) {
	f := m.about()
	if f.empty {
		return "", ""
	}
	if m.focused || m.inHex {
		switch m.current() {
		case tabPacket:
			if n := m.outline().selected(); n != nil && n.leaf() {
				return n.copied(), n.name
			}
		case tabStages:
			if r := m.stageRows().selected(); r != nil && r.value != "" {
				return r.value, r.name
			}
		case tabResult:
			if text, what := m.resultView().copied(m); what != "" {
				return text, what
			}
		case tabLua:
			return m.luaText(), "output of scripts"
		case tabSession:
			return m.sessionText(), "session"
		}
	}
	if f.statement.sql != "" {
		return f.statement.whole(), "statement"
	}
	if text, what := m.resultView().copied(m); what != "" {
		return text, what
	}
	return m.sessionText(), "session"
}

var _ grid.Source = (*resultRows)(nil)
