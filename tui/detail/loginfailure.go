package detail

import (
	"fmt"
	"strings"

	"mydbg/intercept"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// failureLines explain a login that failed, in lines of w cells; none where it did not.
func (m *Model) failureLines(w int) []string {
	r := m.s.Conn.LoginFailure
	if r == nil {
		return nil
	}
	var lines []string
	add := func(style theme.Style, text string, indent int) {
		for _, l := range safe.Wrap(text, max(w-indent, 1)) {
			lines = append(lines, theme.Fit(strings.Repeat(" ", indent)+style.Render(l), w))
		}
	}
	add(m.th.Error, r.Title(), 0)
	add(m.th.Dim, fmt.Sprintf("at %s: %s (%s)", r.At.Format("15:04:05"), r.Step, r.Cause), 0)
	if len(r.Hints) > 0 {
		lines = append(lines, "", m.th.Strong.Render("what to change"))
	}
	for i, h := range r.Hints {
		add(m.th.Text, fmt.Sprintf("%d. %s", i+1, h), 2)
	}
	for _, side := range []struct {
		name  string
		facts []intercept.Fact
	}{{"the client offered", r.Client}, {"the server wanted", r.Server}} {
		if len(side.facts) == 0 {
			continue
		}
		lines = append(lines, "", m.th.Strong.Render(side.name))
		for _, f := range side.facts {
			if f.Name == "capabilities" { // what was agreed stands below
				continue
			}
			lines = append(lines, m.fact(f.Name, f.Text, w)...)
		}
	}
	if r.Error != nil {
		lines = append(lines, "", m.th.Strong.Render("the client was told"))
		add(m.th.Text, r.Error.Error(), 2)
	}
	return lines
}

// failedHere is the failure if it is what the subject is about: a connection, or an event of its login.
func (m *Model) failedHere() *intercept.LoginReport {
	r := m.s.Conn.LoginFailure
	switch {
	case r == nil:
	case m.s.Held != nil && m.s.Held.Event != nil:
		if m.s.Held.Point.String() != r.Step.Hook() || m.s.Held.Exchange != 0 {
			return nil
		}
	case m.s.Detail != nil && m.s.Detail.Login():
	case m.s.Detail != nil:
		return nil // whose note says so
	}
	return r
}
