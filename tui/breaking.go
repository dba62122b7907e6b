package tui

import (
	"fmt"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
)

// otherStage has a breakpoint stop before the scripts instead of after them, or the other way round.
func (m *Model) otherStage(b intercept.Breakpoint) {
	r := *b.Rule
	r.Pre, r.Off = !r.Pre, false
	when := "after the scripts: it sees what they made of an event"
	if r.Pre {
		when = "before the scripts: it sees an event as received"
	}
	err := m.e.ReplaceBreak(b.ID, r.String())
	if err == nil && !b.Enabled {
		err = m.e.EnableBreak(b.ID, false)
	}
	m.report(err, "breakpoint %d stops %s", b.ID, when)
}

// beforeScripts is what a rule says that looks at an event before the scripts.
var beforeScripts = map[bool]string{true: " pre"}

// breakThis adds a breakpoint for the selected statement's form, after the scripts or before them.
func (m *Model) breakThis(pre bool) {
	t, _ := m.target()
	x, _ := m.events.Exchange(t.Exchange)
	sql, hook := x.SQL, rule.ReadQuery
	if h := m.heldByID(t.Hold); h != nil && h.Exchange == t.Exchange {
		sql = h.SQL
		if h.Point == rule.ReadQueryResult && h.File == nil {
			hook = h.Point
		}
	} else if d, ok := m.e.Detail(t.Exchange); ok && x.SQLLen > len(x.SQL) && len(d.Received.Payload) > 1 && d.Command == x.Command {
		sql = d.SQL
	}
	cond := fmt.Sprintf("cmd == %q", x.Command.Short())
	if sql != "" {
		hash, _ := sqltext.Digest(sql)
		cond = fmt.Sprintf("digest == %q", hash[:min(len(hash), digestDigits)])
	}
	m.addBreak(fmt.Sprintf("at %s%s if %s", hook.Short(), beforeScripts[pre], cond))
}

// digestDigits of a digest are enough to tell statements apart.
const digestDigits = 8

func (m *Model) addBreak(line string) bool {
	for _, b := range m.allBreaks() {
		if b.Rule.String() == strings.TrimSpace(line) && b.Enabled {
			m.say(intercept.Info, "breakpoint %d does that already: %s", b.ID, line)
			return true
		}
	}
	id, err := m.e.AddBreak(line)
	if err != nil {
		m.say(intercept.Error, "%v", err)
		return false
	}
	m.pull()
	m.breaks.Select(id)
	text := fmt.Sprintf("breakpoint %d: %s", id, line)
	if m.breaks.AllOff() {
		text += "; but all are off, I turns them on"
	}
	m.say(intercept.Info, "%s", text)
	return true
}

func (m *Model) allBreaks() []intercept.Breakpoint {
	list, _ := m.e.Breaks()
	return list
}

func (m *Model) breaksOff() {
	off := !m.breaks.AllOff()
	m.e.BreaksOff(off)
	switch {
	case !off:
		m.report(nil, "breakpoints are on again")
	case len(m.held) > 0:
		m.report(nil, "all breakpoints are off; %d stay paused, A lets them go", len(m.held))
	default:
		m.report(nil, "all breakpoints are off")
	}
}
