package tui

import (
	"errors"
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
	"mydbg/tui/traffic"
)

// promptKind is what a line of input is for.
type promptKind uint8

const (
	promptFilter promptKind = iota
	promptSearch
	promptBreak
	promptCommand
)

var promptLabels = [...]string{" filter> ", " search> ", " break> ", " :"}

// promptLines is how many lines a prompt takes: the input, what is wrong or meant, the completions.
const promptLines = 3

// prompt is one line of input at the bottom, with what was understood of it.
type prompt struct {
	kind     promptKind
	input    textinput.Model
	replaces int // breakpoint that is edited; 0 adds one
	checked  string
	fault    error
	meaning  string

	choices []rule.Candidate // completions of what stood there when tab was pressed first
	choice  int
	typed   string // that text

	earlier int    // how far back in the history; 0 is what is being typed
	kept    string // what was being typed
}

// open begins a prompt.
func (m *Model) open(k promptKind, text string) {
	in := textinput.New()
	in.Prompt = ""
	in.SetValue(text)
	in.CursorEnd()
	in.Focus()
	m.prompt = &prompt{kind: k, input: in, choice: -1}
	m.check()
}

func (m *Model) closePrompt() {
	m.prompt = nil
	m.probe(nil)
}

// promptKey edits the line, or takes or leaves it.
func (m *Model) promptKey(k tea.KeyMsg) tea.Cmd {
	p := m.prompt
	a, _ := m.keys.Lookup(keymap.InPrompt, k.String())
	switch {
	case k.Paste || a.ID == "":
	case a.ID == keymap.Accept:
		return m.accept()
	case a.ID == keymap.Close || a.ID == keymap.Cancel:
		m.closePrompt()
		return nil
	case a.ID == keymap.Complete:
		p.complete(m, 1)
		m.check()
		return nil
	case a.ID == keymap.CompletePrev:
		p.complete(m, -1)
		m.check()
		return nil
	case a.ID == keymap.HistoryPrev:
		p.recall(m.history[p.kind], 1)
		m.check()
		return nil
	case a.ID == keymap.HistoryNext:
		p.recall(m.history[p.kind], -1)
		m.check()
		return nil
	}
	p.input, _ = p.input.Update(k)
	p.choices, p.choice = nil, -1
	p.once()
	m.check()
	return nil
}

// once drops the "if " that a breakpoint's line begins with when a whole rule is typed or pasted behind it.
func (p *prompt) once() {
	rest, ok := strings.CutPrefix(p.input.Value(), "if ")
	if p.kind != promptBreak || !ok || !strings.HasPrefix(rest, "if ") && !strings.HasPrefix(rest, "at ") {
		return
	}
	at := p.input.Position() - len("if ")
	p.input.SetValue(rest)
	p.input.SetCursor(max(at, 0))
}

// ruleLine is a breakpoint's line as a rule: a condition alone is one too.
func ruleLine(text string) (string, *rule.Rule, error) {
	r, err := rule.ParseRule(text)
	if err == nil || conditionAt(text) >= 0 {
		return text, r, err
	}
	var of, alone *rule.SyntaxError
	_, bare := rule.Compile(text)
	switch {
	case bare == nil:
		line := "if " + strings.TrimSpace(text)
		r, err = rule.ParseRule(line)
		return line, r, err
	case errors.As(err, &of) && errors.As(bare, &alone) && alone.Off > of.Off: // it is rather one of these
		return text, r, bare
	}
	return text, r, err
}

// recall walks through the history.
func (p *prompt) recall(lines []string, by int) {
	to := p.earlier + by
	if to < 0 || to > len(lines) {
		return
	}
	if p.earlier == 0 {
		p.kept = p.input.Value()
	}
	p.earlier = to
	text := p.kept
	if to > 0 {
		text = lines[len(lines)-to]
	}
	p.input.SetValue(text)
	p.input.CursorEnd()
}

// remember adds a line to the history of its kind.
func (m *Model) remember(k promptKind, line string) {
	h := m.history[k]
	if line != "" && (len(h) == 0 || h[len(h)-1] != line) {
		m.history[k] = append(h, line)
	}
}

// check works out what the line means, or what is wrong with it.
func (m *Model) check() {
	p := m.prompt
	text := p.input.Value()
	if text == p.checked && (p.meaning != "" || p.fault != nil) {
		return
	}
	p.checked, p.fault, p.meaning = text, nil, ""
	switch p.kind {
	case promptFilter:
		m.checkFilter(p, text)
	case promptSearch:
		p.meaning = "text of statements; enter goes to the next one, . and , to others"
	case promptBreak:
		m.checkRule(p, text)
	case promptCommand:
		p.meaning = m.commandHelp(text)
	}
}

func (m *Model) checkFilter(p *prompt, text string) {
	m.probe(nil)
	switch {
	case strings.TrimSpace(text) == "":
		p.meaning = "everything is shown; a condition hides what does not match, and lets nothing go"
		return
	case strings.HasPrefix(text, "/"):
		p.meaning = fmt.Sprintf("statements that contain %q", text[1:])
		text = searchFilter(text[1:])
	}
	x, err := rule.Compile(text)
	if err != nil {
		p.fault = err
		return
	}
	if p.meaning == "" {
		p.meaning = x.Explain()
	}
	m.probe(x)
}

// searchFilter is a plain search as a condition.
func searchFilter(text string) string {
	if text == "" {
		return "true"
	}
	return fmt.Sprintf("sql matches %q", "(?i)"+quoteMeta(text))
}

// quoteMeta escapes what a pattern would take for more than text.
func quoteMeta(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (m *Model) checkRule(p *prompt, text string) {
	m.probe(nil)
	if t := strings.TrimSpace(text); t == "" || t == "if" {
		p.meaning = "stops where the condition holds:  [NAME] [at HOOK] [hit OP N] [do ACTION] if CONDITION"
		return
	}
	_, r, err := ruleLine(text)
	if err != nil {
		p.fault = err
		return
	}
	p.meaning = r.Explain()
	if r.If != nil {
		m.probe(r.If)
	}
}

// accept carries out the line.
func (m *Model) accept() tea.Cmd {
	p := m.prompt
	text := strings.TrimSpace(p.input.Value())
	switch p.kind {
	case promptFilter:
		if p.fault != nil {
			return nil // the caret says why; nothing was changed
		}
		m.remember(p.kind, text)
		m.setFilter(text)
	case promptSearch:
		m.remember(p.kind, text)
		m.closePrompt()
		return m.search(text)
	case promptBreak:
		if p.fault != nil {
			return nil
		}
		if text == "" || text == "if" {
			break
		}
		text, _, _ = ruleLine(text)
		m.remember(p.kind, text)
		if p.replaces != 0 {
			m.report(m.e.ReplaceBreak(p.replaces, text), "breakpoint %d: %s", p.replaces, text)
		} else {
			m.addBreak(text)
		}
	case promptCommand:
		m.remember(p.kind, text)
		m.closePrompt()
		return m.command(text)
	}
	m.prompt = nil
	return nil
}

// setFilter puts a condition in force that was checked before, or reports what is wrong.
func (m *Model) setFilter(text string) {
	if text == "" {
		m.filterBy(nil)
		m.say(intercept.Info, "filter off")
		return
	}
	src := text
	if strings.HasPrefix(text, "/") {
		src = searchFilter(text[1:])
	}
	x, err := rule.Compile(src)
	if err != nil {
		m.say(intercept.Error, "filter: %v", err)
		return
	}
	m.filterBy(x)
}

// complete puts the next completion into the line.
func (p *prompt) complete(m *Model, by int) {
	if p.choices == nil {
		p.typed = p.input.Value()
		p.choices, p.choice = p.candidates(m), -1
	}
	n := len(p.choices)
	if n == 0 {
		return
	}
	if p.choice < 0 && by < 0 {
		p.choice = 0
	}
	p.choice = ((p.choice+by)%n + n) % n
	c := p.choices[p.choice]
	p.input.SetValue(p.typed[:c.From] + c.Text + p.typed[c.To:])
	p.input.SetCursor(len([]rune(p.typed[:c.From] + c.Text)))
}

// candidates are the ways to go on from the cursor.
func (p *prompt) candidates(m *Model) []rule.Candidate {
	text := p.input.Value()
	pos := len(string([]rune(text)[:p.input.Position()]))
	switch p.kind {
	case promptFilter:
		if strings.HasPrefix(text, "/") {
			return nil
		}
		return rule.Complete(text, pos)
	case promptBreak:
		return completeRule(text, pos)
	case promptCommand:
		return m.completeCommand(text, pos)
	}
	return nil
}

// ruleWords are the words of a rule before its condition.
var ruleWords = []rule.Candidate{
	{Text: "if", Doc: "CONDITION: the rest of the line"},
	{Text: "at", Doc: "HOOK: where to stop: query, result, connect, handshake, auth, auth_result, disconnect"},
	{Text: "do", Doc: "ACTION: pause, log, bell, mark, delay 1s, err 1213, ok, close, hang, rewrite \"SQL\""},
	{Text: "hit", Doc: "OP N: only some hits: hit >= 3, hit % 10"},
	{Text: "per", Doc: "conn or digest: what hits are counted by"},
	{Text: "once", Doc: "fires one time"},
	{Text: "prob", Doc: "0 to 1: the chance to fire"},
	{Text: "for", Doc: "DURATION then ACTION: a pause that ends by itself"},
	{Text: "pre", Doc: "before the scripts"},
	{Text: "off", Doc: "not in force yet"},
}

func completeRule(text string, pos int) []rule.Candidate {
	before := text[:pos]
	if i := conditionAt(before); i >= 0 {
		found := rule.Complete(text[i:], pos-i)
		for k := range found {
			found[k].From += i
			found[k].To += i
		}
		return found
	}
	from := strings.LastIndexAny(before, " ,") + 1
	words := ruleWords
	switch prev := strings.Fields(before[:from]); {
	case len(prev) > 0 && prev[len(prev)-1] == "at":
		words = nil
		for _, p := range rule.Points() {
			words = append(words, rule.Candidate{Text: p.Short(), Doc: p.String()})
		}
	case len(prev) > 0 && prev[len(prev)-1] == "per":
		words = []rule.Candidate{{Text: "conn"}, {Text: "digest"}}
	}
	var found []rule.Candidate
	for _, w := range words {
		if strings.HasPrefix(w.Text, before[from:]) {
			w.From, w.To = from, pos
			found = append(found, w)
		}
	}
	return found
}

// conditionAt is where the condition of a rule begins, after its first "if"; -1 without one.
func conditionAt(line string) int {
	for from := 0; ; {
		i := strings.Index(line[from:], "if ")
		if i < 0 {
			return -1
		}
		i += from
		if i == 0 || line[i-1] == ' ' {
			return i + len("if ")
		}
		from = i + 1
	}
}

// view draws the prompt: the input, the fault under its place or the meaning, the completions.
func (p *prompt) view(m *Model) []string {
	th := m.th
	label := promptLabels[p.kind]
	line, at := p.line(th, m.w-ansi.StringWidth(label)-1)
	lines := []string{th.FooterKey.Render(label) + line}

	last := p.last(m)
	var fault *rule.SyntaxError
	switch {
	case errors.As(p.fault, &fault):
		col := ansi.StringWidth(label) + at(min(fault.Off, len(p.checked)))
		hint := fault.Msg
		if fault.Hint != "" {
			hint += ", " + fault.Hint
		}
		hint = safe.Line(hint)
		mark := strings.Repeat(" ", min(col, m.w-1)) + "^"
		switch room := m.w - ansi.StringWidth(mark) - 2; {
		case ansi.StringWidth(hint) <= room:
			mark += " " + hint
		case ansi.StringWidth(hint)+2 <= col:
			mark = strings.Repeat(" ", col-ansi.StringWidth(hint)-1) + hint + " ^"
		case p.choice < 0: // a line of its own
			last = " " + th.Error.Render(safe.Cut(hint, m.w-2))
		default:
			mark += " " + safe.Cut(hint, room)
		}
		lines = append(lines, th.Error.Render(mark))
	case p.fault != nil:
		lines = append(lines, " "+th.Error.Render(safe.Cut(p.fault.Error(), m.w-2)))
	default:
		lines = append(lines, " "+th.Text.Render(safe.Cut(p.meaning, m.w-2)))
	}
	lines = append(lines, last)
	for len(lines) < m.h-1-m.lay.body.h {
		lines = append(lines, "")
	}
	return lines
}

// last is the completions while there are some, else how many kept events match.
func (p *prompt) last(m *Model) string {
	if p.choice >= 0 {
		return p.choicesLine(m)
	}
	keys := "enter apply  tab complete  up history  esc close"
	if p.kind == promptFilter || p.kind == promptBreak {
		if n, kept, done, any := m.probed(); p.fault == nil && any {
			more := ""
			if !done {
				more = " so far"
			}
			keys = fmt.Sprintf("matches %s of %s events%s    ", traffic.Count(n), traffic.Count(kept), more) + keys
		}
	}
	return " " + m.th.Dim.Render(safe.Cut(keys, m.w-2))
}

// choicesLine shows the completions around the chosen one, and what that is.
func (p *prompt) choicesLine(m *Model) string {
	var out strings.Builder
	used := 1
	doc := p.choices[p.choice].Doc
	room := m.w/2 - 2
	for i := max(p.choice-2, 0); i < len(p.choices); i++ {
		t := safe.Line(p.choices[i].Text)
		if used += ansi.StringWidth(t) + 2; used > room {
			break
		}
		if i == p.choice {
			out.WriteString(" " + m.th.Selected.Render(" "+t+" "))
		} else {
			out.WriteString("  " + m.th.Key.Render(t))
		}
	}
	text := theme.Fit(out.String(), room)
	return text + "  " + m.th.Dim.Render(safe.Cut(doc, m.w-room-3))
}

// line draws the text around the cursor in w cells; at tells where byte i of it stands.
func (p *prompt) line(th *theme.Theme, w int) (string, func(i int) int) {
	runes := []rune(p.input.Value())
	pos := p.input.Position()
	start := 0
	for start < pos && safe.Width(string(runes[start:pos])) > w-2 {
		start++
	}
	before := safe.Line(string(runes[start:pos]))
	under, after := " ", ""
	if pos < len(runes) {
		under = safe.Line(string(runes[pos]))
		after = safe.Line(string(runes[pos+1:]))
	}
	line := before + th.Cursor.Render(under) + after
	skipped := len(string(runes[:start]))
	at := func(i int) int {
		if i < skipped {
			return 0
		}
		return safe.Width(p.input.Value()[skipped:i])
	}
	return ansi.Truncate(line, max(w, 0), ""), at
}
