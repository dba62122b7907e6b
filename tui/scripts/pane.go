package scripts

import (
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/tui/edit"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
)

const (
	keptTries  = 100
	shownLines = 200 // of one snippet's output
)

// TakeMsg says that the person wants what a snippet decided: as the draft of a held event, or sent at once.
type TakeMsg struct {
	Event    intercept.HoldID
	Verdict  intercept.Verdict
	Continue bool
}

// CloseMsg, ReloadMsg, EditMsg and GoMsg are what the pane's keys ask of the root.
type (
	CloseMsg  struct{}
	ReloadMsg struct{ N int } // of a script, as is N of EditMsg
	EditMsg   struct{ N int }
	GoMsg     struct{ Line Line } // to the event that it belongs to
)

// doneMsg is something that was tried to its end.
type doneMsg struct {
	n      int
	result Result
	tried  []Tried
}

// try is a snippet, or the hooks, and what came of it.
type try struct {
	n       int
	code    string // "" for the hooks
	script  string // in whose environment
	subject Subject
	running bool
	result  Result
	tried   []Tried
}

// Part is a part of the pane.
type Part uint8

const (
	Table Part = iota
	Output
	Prompt
)

// Model is the pane.
type Model struct {
	theme   *theme.Theme
	keys    *keymap.Map
	engine  Engine
	subject Subject

	scripts  []Status
	findings map[int][]string // of the scripts saved last
	lines    []Line
	tries    []*try
	input    edit.Input
	history  []string
	recall   int    // place in history; its length is what is being typed
	typed    string // that
	next     int
	cancel   context.CancelFunc // of what runs
	note     string

	part   Part
	direct bool // the prompt was opened from elsewhere and closes to there
	row    int  // of the table
	open   bool // the newest error has as much room as it needs
	out    view
	owners []*try // of the lines below the scripts' own, as drawn last
}

// New makes the pane. engine is nil without Lua; keys are nil for those as shipped.
func New(th *theme.Theme, keys *keymap.Map, engine Engine) *Model {
	if keys == nil {
		keys = keymap.Default()
	}
	return &Model{theme: th, keys: keys, engine: engine, input: edit.NewInput(""), findings: map[int][]string{}, out: view{follow: true}}
}

// Focus gives the keys to a part of the pane. The prompt, opened so, closes to where it was opened from.
func (m *Model) Focus(p Part) { m.part, m.direct = p, p == Prompt }

// Stay has the prompt close to the rest of the pane.
func (m *Model) Stay() { m.direct = false }

// Typing reports whether keys are text.
func (m *Model) Typing() bool { return m.part == Prompt }

// Part is the part that has the keys.
func (m *Model) Part() Part { return m.part }

// SetFindings says what was found in script n when it was saved.
func (m *Model) SetFindings(n int, list []string) { m.findings[n] = list }

// Pull asks how scripts do and what they printed.
func (m *Model) Pull() {
	if m.engine == nil {
		return
	}
	m.scripts = m.engine.Scripts()
	m.row = min(m.row, max(len(m.rows())-1, 0))
	lines := m.engine.Lines()
	if at := m.out.cursor; at < len(m.lines) && !m.out.follow { // old lines are dropped
		if i := slices.Index(lines, m.lines[at]); i >= 0 {
			m.out.cursor = i
		}
	}
	m.lines = lines
}

// Scripts is how many there are.
func (m *Model) Scripts() int { return len(m.scripts) }

// Script is the place and the status of the script that is selected; false if there is none.
func (m *Model) Script() (int, Status, bool) {
	rows := m.rows()
	if m.row >= len(rows) {
		return 0, Status{}, false
	}
	n := rows[m.row].script
	return n, m.scripts[n], true
}

// Show says what snippets are tried on from now on.
func (m *Model) Show(s Subject) { m.subject = s }

// Busy reports whether a snippet runs.
func (m *Model) Busy() bool { return m.cancel != nil }

// SetCode puts a snippet into the prompt.
func (m *Model) SetCode(code string) { m.input.Set(code) }

// Code is what stands in the prompt.
func (m *Model) Code() string { return m.input.String() }

// Verdict is what the newest snippet decided about an event that is held.
func (m *Model) Verdict() (intercept.HoldID, intercept.Verdict, bool) {
	if len(m.tries) == 0 {
		return 0, intercept.Verdict{}, false
	}
	t := m.tries[len(m.tries)-1]
	if t.running || t.result.Verdict == nil || !t.subject.Held {
		return 0, intercept.Verdict{}, false
	}
	return t.subject.Event.ID, *t.result.Verdict, true
}

// Update takes keys and what snippets come to.
func (m *Model) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case doneMsg:
		m.done(msg)
	case tea.KeyMsg:
		return m.key(msg)
	}
	return nil
}

func (m *Model) key(k tea.KeyMsg) tea.Cmd {
	var a keymap.Action
	if !k.Paste {
		a, _ = m.keys.Lookup(keymap.InSnippet, k.String())
	}
	switch a.ID {
	case keymap.Accept:
		return m.run()
	case keymap.Draft, keymap.Apply:
		return m.take(a.ID == keymap.Apply)
	case keymap.HistoryPrev:
		m.remember(-1)
	case keymap.HistoryNext:
		m.remember(1)
	case keymap.Complete:
		m.complete()
	case keymap.PageUp, keymap.PageDown:
		m.out.do(a.ID)
	case keymap.Reload, keymap.External, keymap.TryHooks, keymap.NextScript:
		return m.about(a.ID)
	case keymap.FocusPrev:
		m.part = Output
	case keymap.Cancel, keymap.Close:
		switch {
		case m.cancel != nil:
			m.cancel()
		case m.direct:
			return say(CloseMsg{})
		default:
			m.part = Output
		}
	default:
		m.note = ""
		m.input.Key(k)
		m.recall = len(m.history)
	}
	return nil
}

func say(msg tea.Msg) tea.Cmd { return func() tea.Msg { return msg } }

// about does what is about scripts wherever the keys go; false for other actions.
func (m *Model) about(a keymap.ID) tea.Cmd {
	n, _, ok := m.Script()
	switch {
	case a == keymap.TryHooks:
		return m.TryHooks()
	case !ok:
		m.note = "there is no script: --script FILE loads one"
	case a == keymap.Reload:
		return say(ReloadMsg{n})
	case a == keymap.NextScript:
		m.choose((n + 1) % len(m.scripts))
	default:
		return say(EditMsg{n})
	}
	return nil
}

// choose selects a script in the table.
func (m *Model) choose(n int) {
	for i, r := range m.rows() {
		if r.script == n {
			m.row = i
			return
		}
	}
}

// Do carries out an action in the table or the output; false when it is none of the pane's.
func (m *Model) Do(a keymap.ID) (tea.Cmd, bool) {
	m.note = ""
	switch a {
	case keymap.FocusNext:
		m.part = (m.part + 1) % (Prompt + 1)
		m.direct = false
		return nil, true
	case keymap.FocusPrev:
		m.part = (m.part + Prompt) % (Prompt + 1)
		m.direct = false
		return nil, true
	case keymap.Edit, keymap.EditExternal:
		return m.about(keymap.External), true
	case keymap.Reload, keymap.TryHooks, keymap.NextScript:
		return m.about(a), true
	case keymap.Open:
		return m.enter(), true
	}
	if m.part == Output {
		return nil, m.out.do(a)
	}
	to, ok := move(a, m.row, len(m.rows()), 8)
	if ok {
		m.row, m.open = to, false
	}
	return nil, ok
}

// enter goes to the event of a line of output, or gives an error more room.
func (m *Model) enter() tea.Cmd {
	if m.part == Table {
		m.open = !m.open
		return nil
	}
	at := m.out.cursor
	if m.out.follow {
		at = m.out.n - 1
	}
	switch at {
	case -1:
		return nil
	default:
		if at < len(m.lines) {
			return say(GoMsg{m.lines[at]})
		}
	}
	if t := m.tryAt(at); t != nil && t.subject.Event != nil {
		return say(GoMsg{Line{Exchange: t.subject.Event.Exchange, Conn: t.subject.Event.Conn.ID}})
	}
	return nil
}

// run tries what stands in the prompt.
func (m *Model) run() tea.Cmd {
	code := strings.TrimSpace(m.input.String())
	if code == "" || !m.ready() {
		return nil
	}
	if n := len(m.history); n == 0 || m.history[n-1] != code {
		m.history = append(m.history, code)
	}
	m.recall = len(m.history)
	m.input.Set("")
	n, status, _ := m.Script()
	t, ctx := m.begin(code)
	if len(m.scripts) > 1 {
		t.script = status.Name
	}
	engine, ev, id := m.engine, t.subject.Event, t.n
	return func() tea.Msg { return doneMsg{n: id, result: engine.Run(ctx, n, ev, code)} }
}

// TryHooks asks the hooks of the scripts what they would make of the event.
func (m *Model) TryHooks() tea.Cmd {
	if len(m.scripts) == 0 && m.engine != nil {
		m.note = "there are no hooks to try: --script FILE loads a script"
		return nil
	}
	if !m.ready() {
		return nil
	}
	t, ctx := m.begin("")
	engine, id := m.engine, t.n
	return func() tea.Msg {
		done := doneMsg{n: id}
		for _, ev := range t.subject.events() {
			list, err := engine.Try(ctx, ev)
			done.tried = append(done.tried, list...)
			if err != nil {
				done.result.Err = err
				break
			}
		}
		return done
	}
}

// ready reports whether something can be tried now, and notes why not.
func (m *Model) ready() bool {
	m.note = ""
	switch {
	case m.engine == nil:
		m.note = "no Lua here: start with --script FILE"
	case m.cancel != nil:
		m.note = "what was tried before still runs; ctrl+c stops it"
	case m.subject.Event == nil:
		m.note = "nothing to try it on: select an event"
	default:
		return true
	}
	return false
}

// begin lists something that is tried from now on.
func (m *Model) begin(code string) (*try, context.Context) {
	m.out.follow = true
	m.next++
	t := &try{n: m.next, code: code, subject: m.subject, running: true}
	m.tries = append(m.tries, t)
	if len(m.tries) > keptTries {
		m.tries = slices.Delete(m.tries, 0, len(m.tries)-keptTries)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	return t, ctx
}

func (m *Model) done(msg doneMsg) {
	for _, t := range m.tries {
		if t.n == msg.n {
			t.running, t.result, t.tried = false, msg.result, msg.tried
		}
	}
	if msg.n == m.next && m.cancel != nil {
		m.cancel()
		m.cancel = nil
	}
}

// take hands the newest decision to the root.
func (m *Model) take(goOn bool) tea.Cmd {
	id, v, ok := m.Verdict()
	if !ok {
		m.note = m.whyNot()
		return nil
	}
	return say(TakeMsg{Event: id, Verdict: v, Continue: goOn})
}

func (m *Model) whyNot() string {
	if len(m.tries) == 0 {
		return "nothing was tried yet: enter tries"
	}
	switch t := m.tries[len(m.tries)-1]; {
	case t.running:
		return "the snippet still runs"
	case t.code == "":
		return "hooks are asked for themselves when the event goes on: only what a snippet decided can be used"
	case t.result.Err != nil:
		return "the snippet failed, so there is nothing to use"
	case t.result.Verdict == nil:
		return "the snippet decided nothing that could be used"
	}
	return "it was tried on a copy: only what is paused can be changed"
}

// remember goes through the history.
func (m *Model) remember(by int) {
	to := m.recall + by
	if to < 0 || to > len(m.history) {
		return
	}
	if m.recall == len(m.history) {
		m.typed = m.input.String()
	}
	m.recall = to
	if to == len(m.history) {
		m.input.Set(m.typed)
	} else {
		m.input.Set(m.history[to])
	}
}

// names are what the prompt completes.
var names = []string{
	"proxy.PROXY_IGNORE_RESULT", "proxy.PROXY_SEND_QUERY", "proxy.PROXY_SEND_RESULT", "proxy.MYSQLD_PACKET_ERR", "proxy.MYSQLD_PACKET_OK",
	"proxy.COM_QUERY", "proxy.connection", "proxy.connection.client", "proxy.connection.server", "proxy.global", "proxy.queries",
	"proxy.queries:append", "proxy.queries:prepend", "proxy.queries:reset", "proxy.response", "proxy.response.affected_rows",
	"proxy.response.errcode", "proxy.response.errmsg", "proxy.response.insert_id", "proxy.response.resultset", "proxy.response.sqlstate",
	"proxy.response.type", "inj.id", "inj.query", "inj.query_time", "inj.response_time", "inj.resultset", "inj.resultset.affected_rows",
	"inj.resultset.fields", "inj.resultset.flags", "inj.resultset.query_status", "inj.resultset.rows", "inj.resultset.warning_count",
	"packet", "print", "return", "string.format", "ipairs", "pairs", "function", "local",
}

// complete finishes the word before the cursor as far as all names that begin so agree.
func (m *Model) complete() {
	line := m.input.BeforeCursor()
	at := strings.LastIndexFunc(line, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.' && r != ':'
	})
	word := line[at+1:]
	if word == "" {
		return
	}
	common := ""
	for _, n := range names {
		switch {
		case !strings.HasPrefix(n, word):
		case common == "":
			common = n
		default:
			for !strings.HasPrefix(n, common) {
				common = common[:len(common)-1]
			}
		}
	}
	if len(common) > len(word) {
		m.input.Insert(common[len(word):])
	}
}
