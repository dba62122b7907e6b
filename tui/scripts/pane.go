package scripts

import (
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/edit"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
)

const (
	keptTries  = 100
	shownLines = 200 // of one snippet's output
)

// Subject is what a snippet is tried on.
type Subject struct {
	Event *intercept.Event // nil for nothing
	Held  bool             // it waits, so what the snippet decides can be used
	Name  string           // "#1381 read_query_result", "a copy of #1374"
}

// Copy is an exchange as an event that a snippet can look at: its result if it has one, else its command.
// It is not held.
func Copy(d *intercept.Detail, conn *intercept.Conn) *intercept.Event {
	ev := &intercept.Event{
		Conn: conn, Exchange: d.Seq, At: d.Begun, Context: d.Context, SQL: d.SQL, Stmt: d.Stmt, Counts: d.Counts,
		Point: rule.ReadQuery, Packet: d.Received.Payload, PacketLen: len(d.Received.Payload), Kind: d.Received.Kind,
	}
	if len(d.Answer.Packets) == 0 {
		return ev
	}
	answer := d.Answer
	ev.Point, ev.Query, ev.Answer = rule.ReadQueryResult, intercept.Query{Packet: ev.Packet, Origin: d.Origin, Show: true}, &answer
	ev.Packet, ev.PacketLen = nil, 0
	return ev
}

// TakeMsg says that the person wants what a snippet decided: as the draft of a held event, or sent at once.
type TakeMsg struct {
	Event    intercept.HoldID
	Verdict  intercept.Verdict
	Continue bool
}

// CloseMsg, ReloadMsg and OpenMsg are what the prompt's keys ask of the root.
type (
	CloseMsg  struct{}
	ReloadMsg struct{}
	OpenMsg   struct{ Name string } // of a script, to edit its file
)

// doneMsg is a snippet that has run.
type doneMsg struct {
	n      int
	result Result
}

// try is a snippet and what came of it.
type try struct {
	n       int
	code    string
	subject Subject
	running bool
	result  Result
}

// Model is the pane.
type Model struct {
	theme   *theme.Theme
	keys    *keymap.Map
	engine  Engine
	subject Subject

	scripts []Status
	lines   []Line
	tries   []*try
	input   edit.Input
	history []string
	recall  int    // place in history; its length is what is being typed
	typed   string // that
	scroll  int    // lines the view is above the end
	next    int
	cancel  context.CancelFunc // of the snippet that runs
	note    string
}

// New makes the pane. engine is nil without Lua; keys are nil for those as shipped.
func New(th *theme.Theme, keys *keymap.Map, engine Engine) *Model {
	if keys == nil {
		keys = keymap.Default()
	}
	return &Model{theme: th, keys: keys, engine: engine, input: edit.NewInput("")}
}

// Pull asks how scripts do and what they printed.
func (m *Model) Pull() {
	if m.engine != nil {
		m.scripts, m.lines = m.engine.Scripts(), m.engine.Lines()
	}
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
	case keymap.PageUp:
		m.scroll += 10
	case keymap.PageDown:
		m.scroll = max(m.scroll-10, 0)
	case keymap.Reload:
		return say(ReloadMsg{})
	case keymap.External:
		name := ""
		if len(m.scripts) > 0 {
			name = m.scripts[0].Name
		}
		return say(OpenMsg{name})
	case keymap.Cancel, keymap.Close:
		if m.cancel != nil {
			m.cancel()
			return nil
		}
		return say(CloseMsg{})
	default:
		m.note = ""
		m.input.Key(k)
		m.recall = len(m.history)
	}
	return nil
}

func say(msg tea.Msg) tea.Cmd { return func() tea.Msg { return msg } }

// run tries what stands in the prompt.
func (m *Model) run() tea.Cmd {
	code := strings.TrimSpace(m.input.String())
	m.note = ""
	switch {
	case code == "":
		return nil
	case m.engine == nil:
		m.note = "no Lua here: start with --script FILE"
		return nil
	case m.cancel != nil:
		m.note = "the snippet before still runs; ctrl+c stops it"
		return nil
	case m.subject.Event == nil:
		m.note = "nothing to try it on: select an event"
		return nil
	}
	if n := len(m.history); n == 0 || m.history[n-1] != code {
		m.history = append(m.history, code)
	}
	m.recall, m.scroll = len(m.history), 0
	m.input.Set("")
	m.next++
	t := &try{n: m.next, code: code, subject: m.subject, running: true}
	m.tries = append(m.tries, t)
	if len(m.tries) > keptTries {
		m.tries = slices.Delete(m.tries, 0, len(m.tries)-keptTries)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	engine, ev, n := m.engine, t.subject.Event, t.n
	return func() tea.Msg { return doneMsg{n, engine.Run(ctx, ev, code)} }
}

func (m *Model) done(msg doneMsg) {
	for _, t := range m.tries {
		if t.n == msg.n {
			t.running, t.result = false, msg.result
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
