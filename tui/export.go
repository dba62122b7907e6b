package tui

import (
	"fmt"
	"path/filepath"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/sessions"
	"mydbg/sessions/export"
	"mydbg/tui/traffic"
)

// exports are the formats by the endings of files.
var exports = map[string]string{
	".sql": "sql", ".jsonl": "jsonl", ".csv": "csv", ".pcapng": "pcapng", ".db": "sqlite", ".sqlite": "sqlite", ".log": "slowlog", ".txt": "text",
}

// exportNames are the endings in the order of the formats, for people.
const exportNames = ".sql, .jsonl, .csv, .pcapng, .db (SQLite), .log (slow query log) or .txt"

// offExport says why there is nothing to export; "" when there is.
func (m *Model) offExport() string {
	if m.rec != nil {
		return ""
	}
	if m.o.Recorder == nil {
		return "nothing is kept of the traffic"
	}
	if st := m.o.Recorder.Status(); !st.Spool && st.Path == "" {
		return "nothing is kept of the traffic: --no-spool"
	}
	return ""
}

// askExport offers a command to change or to take.
func (m *Model) askExport() {
	m.open(promptCommand, "export mydbg-"+m.now().Format("20060102-150405")+".sql")
}

// export writes what has been kept, or the recording, as far as the filter shows it. It takes as long as it takes, on
// its own.
func (m *Model) export(path string) tea.Cmd {
	format, ok := exports[strings.ToLower(filepath.Ext(path))]
	if !ok {
		m.say(intercept.Error, "export to what? The file's ending says it: %s", exportNames)
		return nil
	}
	filter, recorder := m.events.Filter(), m.o.Recorder
	what := "everything"
	if filter != nil {
		what = "what matches " + filter.String()
	}
	m.say(intercept.Info, "writing %s to %s", what, path)
	if m.rec != nil {
		r := m.rec.r
		return func() tea.Msg { return written(r, format, path, filter) }
	}
	return func() tea.Msg {
		r, err := recorder.History(sessions.Options{})
		if err != nil {
			return recordedMsg{err: err}
		}
		defer r.Close()
		<-r.Done()
		return written(r, format, path, filter)
	}
}

func written(r *sessions.Reader, format, path string, filter *rule.Expr) recordedMsg {
	t, err := export.To(format, r, path, export.Options{Filter: filter})
	if err != nil {
		return recordedMsg{err: fmt.Errorf("export: %w", err)}
	}
	text := fmt.Sprintf("%s exchanges written to %s", traffic.Count(t.Written), path)
	if t.Written == 1 {
		text = "1 exchange written to " + path
	}
	if t.Problems > 0 {
		text += fmt.Sprintf("; %d could not be read: %s", t.Problems, t.Problem[0])
	}
	return recordedMsg{text: text}
}
