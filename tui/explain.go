package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
)

// explained are the statements that servers explain.
var explained = map[string]bool{
	"SELECT": true, "INSERT": true, "UPDATE": true, "DELETE": true, "REPLACE": true, "TABLE": true, "VALUES": true,
}

// offExplain says why the selected event cannot be explained; "" when it can.
func (m *Model) offExplain(id keymap.ID) string {
	t, _ := m.target()
	h := m.heldByID(t.Hold)
	switch {
	case h == nil:
		return m.notPaused("explained in its session")
	case h.Point != rule.ReadQuery:
		return "its statement has run already; b stops before it next time"
	}
	switch info := sqltext.Parse(h.SQL); {
	case !explained[info.Verb]:
		return "servers explain SELECT, INSERT, UPDATE, DELETE and REPLACE only"
	case id == keymap.ExplainAnalyze && info.Write:
		return "ANALYZE would run it, and it writes; x explains without running it"
	}
	return ""
}

// explain puts the question in front of the paused statement, on its own connection, to be sent with it.
func (m *Model) explain(id keymap.ID) tea.Cmd {
	t, _ := m.target()
	h := m.heldByID(t.Hold)
	if h == nil {
		return nil
	}
	question := "EXPLAIN "
	if id == keymap.ExplainAnalyze {
		question = "EXPLAIN ANALYZE "
		if h.Conn.Info().MariaDB {
			question = "ANALYZE "
		}
	}
	sql := question + boundSQL(h.Event)
	cmd := m.startEdit(keymap.InjectBefore)
	if m.edit == nil {
		return cmd
	}
	if err := m.edit.SetExternal(sql); err != nil {
		m.say(intercept.Error, "%v", err)
		return cmd
	}
	m.say(intercept.Info, "ctrl+r asks and lets the statement go; the answer is a row of its own, the app sees nothing of it")
	return cmd
}

// boundSQL is a held statement with its parameters in it.
func boundSQL(ev *intercept.Event) string {
	msg, err := ev.Message()
	x, ok := msg.(*mysqlwire.StmtExecute)
	if err != nil || !ok {
		return ev.SQL
	}
	var list []string
	for i := range x.Params {
		p := &x.Params[i]
		v, err := p.Value()
		switch {
		case p.Name != "": // a query attribute
		case err != nil || p.Long: // sent before: any value of the type will do
			list = append(list, "NULL")
		default:
			list = append(list, ev.Context.ParamSpec(p.Type, p.Unsigned).Literal(v))
		}
	}
	return sqltext.Bind(ev.SQL, list)
}
