package tui

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/breaks"
	"mydbg/tui/conns"
	"mydbg/tui/detail"
	"mydbg/tui/digests"
	"mydbg/tui/keymap"
	"mydbg/tui/logs"
	"mydbg/tui/replays"
	"mydbg/tui/scripts"
	"mydbg/tui/theme"
	"mydbg/tui/traffic"
)

// Model is the root of the screen.
type Model struct {
	o       Options
	e       engine
	rec     *recording          // e, when it is one
	present *present            // the way back from the past; good while rec is that
	above   *intercept.Exchange // of which the past is being opened
	kept    uint64              // noticed, while the past is looked at
	bell    <-chan struct{}
	keys    *keymap.Map
	th      *theme.Theme
	out     *screenWriter // nil in tests: nothing is copied there
	now     func() time.Time
	after   func(time.Duration, tea.Msg) tea.Cmd

	w, h      int
	lay       layout
	pane      keymap.ID // which of the numbered panes is shown
	focus     area
	inspect   bool // in narrow windows: the inspector instead of the list
	zoom      bool
	split     int
	helpLines bool

	events    *traffic.Pane
	conns     *conns.Pane
	breaks    *breaks.Pane
	digests   *digests.Pane
	replays   *replays.Pane
	logs      *logs.Pane
	inspector inspector
	scripts   *scripts.Model

	prompt  *prompt
	dialog  *dialog
	overlay *overlay
	edit    *editing
	left    *editing // closed with something in it that is no draft
	history map[promptKind][]string

	version uint64 // of the journal
	noticed uint64
	buf     []intercept.Exchange
	notes   []intercept.Notice
	infos   []intercept.ConnInfo
	held    []intercept.Held
	seen    map[intercept.HoldID]bool // held events that have rung
	drafts  map[intercept.HoldID]*intercept.Verdict
	unsaved map[int][]byte   // texts of scripts that could not be saved
	chase   intercept.ConnID // stepped: its next stop is selected
	shown   subjectKey
	met     met
	rate    rate

	message message
	guard   guard
	title   string
	rang    time.Time
	leaving bool // somebody has been told that a replay goes on
	newStop bool // something is held that has not rung
	working bool // a workMsg is under way
	ticking bool

	counting counting // of digests

	hunts   int          // searches of the recording begun
	hunting *atomic.Bool // stops the one under way; nil without one
}

// inspector is what the screen needs of package detail.
type inspector interface {
	Show(s detail.Subject)
	Do(a keymap.ID) (tea.Cmd, bool)
	View(w, h int, focused bool) string
	HexView(w, h int, focused bool) string
	Preview(w, h int) string
	Copy() (text, what string)
}

// frame is how often traffic may change the screen.
const frame = time.Second / 30

// The messages of the screen to itself.
type (
	wakeMsg  struct{} // the bell rang
	readyMsg struct{} // a frame has passed since
	tickMsg  struct{} // what counts up counts up
)

// New makes the screen. It fails when a theme or a filter is not understood.
func New(o Options) (*Model, error) {
	if o.Proxy == nil {
		return nil, errors.New("the screen needs a proxy")
	}
	if o.Recording != nil {
		o.Kept = windowSize
		return newModel(o, newRecording(o.Recording, o.Changed, o.Proxy))
	}
	return newModel(o, live{o.Proxy})
}

func newModel(o Options, e engine) (*Model, error) {
	th, err := theme.New(o.Theme)
	if err != nil {
		return nil, err
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	m := &Model{
		o: o, e: e, th: th, keys: o.Keys, now: o.Now, after: o.After,
		pane: keymap.Events, helpLines: true,
		events: traffic.New(th, o.Kept, e.Detail), conns: conns.New(th), breaks: breaks.New(th), digests: digests.New(th), replays: replays.New(th), logs: logs.New(th),
		inspector: detail.New(th), scripts: scripts.New(th, o.Keys, o.Snippets),
		history: map[promptKind][]string{}, seen: map[intercept.HoldID]bool{}, drafts: map[intercept.HoldID]*intercept.Verdict{}, unsaved: map[int][]byte{},
	}
	if m.keys == nil {
		m.keys = keymap.Default()
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.after == nil {
		m.after = func(d time.Duration, msg tea.Msg) tea.Cmd {
			return tea.Tick(d, func(time.Time) tea.Msg { return msg })
		}
	}
	m.bell = e.Listen()
	if m.rec, _ = e.(*recording); m.rec != nil { // every connection is closed, and would be folded
		m.events.SetWhole(m.rec.whole())
		m.events.Do(keymap.Tree)
	}
	if o.Filter != "" {
		x, err := rule.Compile(o.Filter)
		if err != nil {
			return nil, fmt.Errorf("filter: %w", err)
		}
		m.filterBy(x)
	}
	if o.Replay != nil && m.rec != nil { // it is what there is to see
		m.pane = keymap.Sessions
	}
	return m, nil
}

// Init starts listening.
func (m *Model) Init() tea.Cmd { return tea.Batch(m.listen(), m.tick()) }

// listen waits for the bell. The command ends with the program.
func (m *Model) listen() tea.Cmd {
	if m.bell == nil {
		return nil
	}
	bell := m.bell
	return func() tea.Msg {
		<-bell
		return wakeMsg{}
	}
}

// tick counts up what is shown as a time: faster while something runs.
func (m *Model) tick() tea.Cmd {
	if m.ticking {
		return nil
	}
	m.ticking = true
	return m.after(250*time.Millisecond, tickMsg{})
}

// Update takes in a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		first := m.w == 0
		m.w, m.h = msg.Width, msg.Height
		if first { // with rows to show and a place for them
			m.arrange()
			m.pull()
		}
	case wakeMsg:
		m.pull()
		cmd = m.after(frame, readyMsg{})
	case readyMsg:
		cmd = m.listen()
		if m.events.Busy() {
			m.events.Work(workBudget)
			cmd = tea.Batch(cmd, m.work())
		}
	case workMsg:
		m.working = false
		m.events.Work(workBudget)
		cmd = m.work()
	case tickMsg:
		m.ticking = false
		m.events.SetNow(m.clock())
		m.conns.SetNow(m.clock())
		m.rate.sample(m.now(), m.rate.last)
		m.syncReplay()
		if m.rec != nil && m.rec.past && !m.rec.r.Progress().Done {
			m.pull()
		}
		cmd = m.tick()
	case tea.KeyMsg:
		cmd = m.key(msg)
	case flushMsg:
		cmd = m.flush()
	case externalMsg:
		cmd = m.external(msg)
	case editedMsg:
		m.edited(msg)
	case copiedMsg:
		m.copied(msg)
	case tea.ResumeMsg:
		m.pull()
	case scripts.TakeMsg:
		m.take(msg)
	case scripts.CloseMsg:
		m.show(keymap.Events)
	case scripts.ReloadMsg:
		cmd = m.reload(msg.N)
	case scripts.EditMsg:
		cmd = m.openScript(msg.N)
	case scripts.GoMsg:
		m.toLine(msg.Line)
	case scriptReadyMsg:
		cmd = m.editScript(msg)
	case scriptEditedMsg:
		cmd = m.saveScript(msg)
	case scriptSavedMsg:
		m.scriptSaved(msg)
	case countedMsg:
		cmd = m.counted(msg)
	case pastMsg:
		cmd = m.inPast(msg)
	case huntMsg:
		m.found(msg)
	case askedMsg:
		m.asked(msg)
	case recordedMsg:
		m.recorded(msg)
	default:
		cmd = m.scripts.Update(msg) // a snippet has run
		if m.edit != nil {
			cmd = tea.Batch(cmd, m.edit.Update(msg))
		}
	}
	m.fade()
	m.arrange()
	m.slide()
	m.subject()
	return m, tea.Batch(cmd, m.afterAll())
}

const workBudget = 6 * time.Millisecond

type workMsg struct{}

// work goes on with filters while there is something to ask.
func (m *Model) work() tea.Cmd {
	if m.working || !m.events.Busy() {
		return nil
	}
	m.working = true
	return m.after(frame/4, workMsg{})
}

// pull takes in what has changed.
func (m *Model) pull() {
	now := m.now()
	m.buf, m.version = m.e.Since(m.version, m.buf[:0])
	m.infos, m.held = m.e.Conns(), m.e.Pending()
	for i := range m.buf {
		m.rate.last = max(m.rate.last, m.buf[i].Seq)
	}
	m.rate.sample(now, m.rate.last)
	m.met.see(m.infos)
	m.conns.SetNow(m.clock())
	m.conns.SetBackends(m.e.Backends())
	m.conns.Sync(m.infos, m.held)
	m.breaks.Sync(m.e.Breaks())
	held := m.held
	if m.rec != nil { // their numbers are of something else
		held = nil
	}
	if m.rec != nil {
		m.events.SetWhole(m.rec.whole())
	}
	m.events.Sync(traffic.Feed{Changed: m.buf, Conns: m.infos, Held: held, Gone: m.e.Gone(), Now: m.clock()})
	if m.rec != nil && m.rec.begin() { // at its beginning, not at its end
		m.events.Pin(m.rec.list.at(0))
	}
	m.events.Work(workBudget)
	m.collect(m.buf)
	m.syncReplay()
	m.notes = m.e.Notices(m.noticed, m.notes[:0])
	for _, n := range m.notes {
		m.noticed = n.N
		line := logs.Line{At: n.At, Level: n.Level, Text: n.Text, Exchange: n.Exchange}
		if n.Login != nil {
			line.Conn = n.Conn
		}
		m.logs.Add(line)
		if n.Level > intercept.Info {
			text, _, _ := strings.Cut(n.Text, "\n") // a traceback is in the log
			m.message = message{level: n.Level, text: text, at: now}
		}
	}
	if m.pane == keymap.Lua {
		m.scripts.Pull()
	}
	m.stops()
	if cap(m.buf) > 4*traffic.Keep/10 { // after a flood
		m.buf = nil
	}
}

// clock is the time that ages are counted to.
func (m *Model) clock() time.Time {
	if m.rec != nil {
		return m.rec.now()
	}
	return m.now()
}

// stops notices what is newly held, and forgets drafts of what is not held any more.
func (m *Model) stops() {
	here := map[intercept.HoldID]bool{}
	for i := range m.held {
		h := &m.held[i]
		here[h.ID] = true
		if m.seen[h.ID] {
			continue
		}
		m.seen[h.ID], m.newStop = true, true
		if h.Conn.ID == m.chase || m.idle() {
			m.events.SelectHeld(h.ID)
			m.chase = 0
		}
	}
	if m.chase != 0 && m.conn(m.chase).Phase == intercept.Closed { // it will not stop any more
		m.chase = 0
		if t, _ := m.events.Selected(); t.Hold == 0 && len(m.held) > 0 {
			m.events.SelectHeld(m.held[0].ID)
		}
	}
	maps.DeleteFunc(m.seen, func(id intercept.HoldID, _ bool) bool { return !here[id] })
	maps.DeleteFunc(m.drafts, func(id intercept.HoldID, _ *intercept.Verdict) bool { return !here[id] })
	m.tellDrafts()
	if m.edit != nil && !m.edit.gone && !here[m.edit.held.ID] {
		m.edit.gone = true
		m.say(intercept.Warning, "%s was released or its connection ended while you edited it: nothing of this edit can be sent", name(&m.edit.held))
	}
}

// idle reports whether nobody is at work on a row: none is selected, or the list has followed away from it.
func (m *Model) idle() bool {
	_, any := m.events.Selected()
	return !any || m.focus == inList && m.edit == nil && m.events.Following() && !m.events.SelectionVisible()
}

func (m *Model) tellDrafts() {
	has := make(map[intercept.HoldID]bool, len(m.drafts))
	for id := range m.drafts {
		has[id] = true
	}
	m.events.SetDrafts(has)
}

// afterAll are the commands that may follow any message: title, bell, unfinished filters.
func (m *Model) afterAll() tea.Cmd {
	cmds := []tea.Cmd{m.work(), m.count(), m.asks()}
	title := "mydbg"
	if n := len(m.held); n > 0 {
		title = fmt.Sprintf("[%d paused] mydbg", n)
	}
	if title != m.title {
		m.title = title
		cmds = append(cmds, tea.SetWindowTitle(title))
	}
	if now := m.now(); m.newStop && now.Sub(m.rang) >= 5*time.Second {
		m.rang = now
		cmds = append(cmds, m.ring())
	}
	m.newStop = false
	return tea.Batch(cmds...)
}

// subjectKey is what the inspector shows.
type subjectKey struct {
	exchange intercept.Seq
	conn     intercept.ConnID
	hold     intercept.HoldID
	version  uint64
	draft    *intercept.Verdict
	since    int // to follow a connection's state
}

// subject tells the inspector what is selected, when that is something else than before.
func (m *Model) subject() {
	t, ok := m.target()
	if !ok {
		if m.shown != (subjectKey{}) {
			m.shown = subjectKey{}
			m.inspector.Show(detail.Subject{})
		}
		return
	}
	k := subjectKey{exchange: t.Exchange, conn: t.Conn}
	x, _ := m.events.Exchange(t.Exchange)
	k.version = x.Version
	held := m.heldByID(t.Hold)
	if t.Exchange == 0 && t.Below {
		held = nil // the row is the connection's
	}
	if held != nil {
		k.hold, k.draft = held.ID, m.drafts[held.ID]
	}
	info := m.conn(t.Conn)
	k.since = int(info.Commands) + int(info.Status)<<8 + int(info.Phase)<<24
	if t.Exchange != 0 {
		k.since = int(info.Phase)
	}
	if info.LoginFailure != nil {
		k.since |= 1 << 30
	}
	if k == m.shown {
		return
	}
	m.shown = k
	s := detail.Subject{Held: held, Conn: info, Draft: k.draft, Scripts: m.o.Snippets != nil && len(m.o.Snippets.Scripts()) > 0}
	s.Acted, s.Lines = m.e.Acted(t.Conn, t.Exchange), m.printed(t.Conn, t.Exchange)
	if t.Exchange != 0 {
		if d, ok := m.e.Detail(t.Exchange); ok {
			s.Detail = &d
		}
	}
	m.inspector.Show(s)
}

func (m *Model) conn(id intercept.ConnID) intercept.ConnInfo {
	for i := range m.infos {
		if m.infos[i].ID == id {
			return m.infos[i]
		}
	}
	return intercept.ConnInfo{ID: id}
}

func (m *Model) heldByID(id intercept.HoldID) *intercept.Held {
	for i := range m.held {
		if id != 0 && m.held[i].ID == id {
			return &m.held[i]
		}
	}
	return nil
}

// target is what keys about an event act on: the selection of the events, or of the connections.
func (m *Model) target() (traffic.Target, bool) {
	if m.pane == keymap.Connections {
		id, ok := m.conns.Selected()
		t := traffic.Target{Conn: id}
		for i := range m.held {
			if m.held[i].Conn.ID == id {
				t.Hold, t.Below = m.held[i].ID, true
				break
			}
		}
		return t, ok
	}
	if m.pane != keymap.Events {
		return traffic.Target{}, false // what is not on the screen is not acted on
	}
	return m.events.Selected()
}

func label(s intercept.Seq) string { return fmt.Sprintf("#%d", s) }

// message is what the message line says.
type message struct {
	level intercept.Level
	text  string
	at    time.Time
}

// say tells the user something; it is in the log for good.
func (m *Model) say(l intercept.Level, format string, args ...any) {
	now := m.now()
	m.message = message{level: l, text: fmt.Sprintf(format, args...), at: now}
	m.logs.Add(logs.Line{At: now, Level: l, Text: m.message.text})
}

// fade takes information away after a while; warnings and errors stay until esc or the next message.
func (m *Model) fade() {
	if m.message.level == intercept.Info && m.message.text != "" && m.now().Sub(m.message.at) > 5*time.Second {
		m.message = message{}
	}
}
