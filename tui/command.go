package tui

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
)

// commands are those that take something, beside the names of all actions.
var commands = []rule.Candidate{
	{Text: "break", Doc: "RULE: add a breakpoint or a rule; without one: ask for it"},
	{Text: "filter", Doc: "CONDITION: show only what matches; without one: everything"},
	{Text: "search", Doc: "TEXT: go to the next statement that contains it"},
	{Text: "set", Doc: "theme NAME, or read-only: how the screen is"},
	{Text: "lua", Doc: "CODE: run it on the selected event, on a copy"},
	{Text: "record", Doc: "FILE: record what has been seen and what comes; without one: to a file named after the time; again: stop"},
	{Text: "export", Doc: "FILE: write what is kept and the filter shows; the ending says how: " + exportNames},
	{Text: "copy", Doc: "FORM: copy the selected event as sql, digest, condition, error, hex, go, csv, tsv, json, markdown or insert"},
	{Text: "go", Doc: "NUMBER: go to an exchange"},
	{Text: "q", Doc: "quit (asks first)"},
}

// command runs a line of the command prompt.
func (m *Model) command(line string) tea.Cmd {
	word, rest, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, ":")), " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "":
		return nil
	case "q", "quit", "q!":
		return m.quit()
	case "break":
		if rest != "" {
			m.addBreak(rest)
			return nil
		}
	case "filter":
		m.show(keymap.Events)
		m.setFilter(rest)
		return nil
	case "search":
		if rest != "" {
			return m.search(rest)
		}
	case "set":
		m.set(rest)
		return nil
	case "lua":
		return m.lua(rest)
	case "record":
		if why := m.off(keymap.Record); why != "" {
			m.say(intercept.Info, "record: %s", why)
			return nil
		}
		return m.record(rest)
	case "export":
		if why := m.off(keymap.Export); why != "" {
			m.say(intercept.Info, "export: %s", why)
			return nil
		}
		if rest != "" {
			return m.export(rest)
		}
		m.askExport()
		return nil
	case "copy":
		if rest != "" {
			if why := m.off(keymap.CopyAs); why != "" {
				m.say(intercept.Info, "copy: %s", why)
				return nil
			}
			return m.copyAs(rest)
		}
	case "go":
		m.goTo(rest)
		return nil
	}
	a, ok := m.keys.Command(word)
	if !ok {
		hint := ""
		if near := m.completeCommand(word[:1], 1); len(near) > 0 {
			hint = "; tab completes, such as :" + near[0].Text
		}
		m.say(intercept.Error, "unknown command %q%s", word, hint)
		return nil
	}
	if rest != "" {
		m.say(intercept.Error, ":%s takes nothing, not %q", word, rest)
		return nil
	}
	if _, ok := m.keys.Action(keymap.InList, a.ID); !ok && !m.inLua() {
		m.say(intercept.Info, ":%s is for %ss only", a.ID, a.Context)
		return nil
	}
	return m.do(a.ID)
}

// set changes how the screen is.
func (m *Model) set(what string) {
	word, value, _ := strings.Cut(what, " ")
	switch value = strings.TrimSpace(value); word {
	case "theme":
		o := m.o.Theme
		o.Name = value
		if value == "auto" && o.Dark == nil {
			o.Dark = func() bool { return m.th.Name != "light" } // the terminal cannot be asked now
		}
		th, err := theme.New(o)
		if err != nil {
			m.say(intercept.Error, "%v", err)
			return
		}
		m.setTheme(th)
		m.say(intercept.Info, "theme %s", th.Name)
	case "ascii", "unicode":
		o := m.o.Theme
		o.Name, o.ASCII = m.th.Name, word == "ascii"
		if th, err := theme.New(o); err == nil {
			m.o.Theme.ASCII = o.ASCII
			m.setTheme(th)
		}
	case "read-only":
		m.o.ReadOnly = true
		m.say(intercept.Info, "read-only: nothing can be altered until the next start")
	default:
		m.say(intercept.Error, "set theme %s, set ascii, set unicode or set read-only; not %q", strings.Join(theme.Names, "|"), what)
	}
}

// goTo selects an exchange by its number.
func (m *Model) goTo(what string) {
	n := intercept.Seq(0)
	for _, r := range strings.TrimPrefix(what, "#") {
		if r < '0' || r > '9' || n > 1<<50 {
			m.say(intercept.Error, ":go takes the number of an exchange, not %q", what)
			return
		}
		n = n*10 + intercept.Seq(r-'0')
	}
	m.show(keymap.Events)
	if m.rec == nil && !m.events.SelectExchange(n) || m.rec != nil && !m.goRecorded(n) {
		m.say(intercept.Warning, "#%d is not in the list: the filter hides it, or it is too old", n)
	}
}

// completeCommand offers commands, and what they take.
func (m *Model) completeCommand(text string, pos int) []rule.Candidate {
	before := text[:pos]
	word, rest, found := strings.Cut(before, " ")
	if found {
		from := len(word) + 1
		var inner []rule.Candidate
		switch word {
		case "filter":
			inner = rule.Complete(rest, len(rest))
		case "break":
			inner = completeRule(rest, len(rest))
		case "set":
			inner = completeSet(rest)
		case "copy":
			inner = completeForms(rest)
		}
		for i := range inner {
			inner[i].From += from
			inner[i].To += from
		}
		return inner
	}
	var all []rule.Candidate
	add := func(name, doc string) {
		if strings.HasPrefix(name, word) && !slices.ContainsFunc(all, func(c rule.Candidate) bool { return c.Text == name }) {
			all = append(all, rule.Candidate{Text: name, Doc: doc, From: 0, To: pos})
		}
	}
	for _, c := range commands {
		add(c.Text, c.Doc)
	}
	for _, a := range m.keys.Commands() {
		if _, ok := m.keys.Action(keymap.InList, a.ID); ok {
			add(string(a.ID), a.Long)
		}
	}
	return all
}

func completeSet(rest string) []rule.Candidate {
	var found []rule.Candidate
	if what, value, ok := strings.Cut(rest, " "); ok && what == "theme" {
		for _, n := range theme.Names {
			if strings.HasPrefix(n, value) {
				found = append(found, rule.Candidate{Text: n, From: len(what) + 1, To: len(rest)})
			}
		}
		return found
	}
	for _, w := range []string{"theme", "ascii", "unicode", "read-only"} {
		if strings.HasPrefix(w, rest) {
			found = append(found, rule.Candidate{Text: w, To: len(rest)})
		}
	}
	return found
}

// commandHelp says what the command being typed does.
func (m *Model) commandHelp(text string) string {
	word, _, _ := strings.Cut(text, " ")
	for _, c := range commands {
		if c.Text == word {
			return c.Doc
		}
	}
	if a, ok := m.keys.Command(word); ok {
		if why := m.off(a.ID); why != "" {
			return a.Long + ". Off now: " + why
		}
		return a.Long
	}
	return "a command; tab completes its name"
}
