package tui

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/sessions"
	"mydbg/tui/keymap"
	"mydbg/tui/traffic"
)

// recording is the engine behind the screens of an open file. Breakpoints are those of a proxy that
// nobody connects to. The list has a window of the exchanges, which moves with the selection, so that a file of any
// size is looked at in the same memory.
type recording struct {
	live
	r    *sessions.Reader
	bell <-chan struct{}

	window
	list    *listed       // what the filter lets through
	probe   *listed       // what the condition does that is being typed; nil without one
	asking  bool          // a condition is being asked
	want    intercept.Seq // selected before the filter came, to be found again
	cursor  *sessions.Cursor
	aside   *asker
	asideOf int // how much had been indexed when aside was made

	counted map[int]*counted         // hits by breakpoint
	marked  map[intercept.Seq]uint64 // how often a mark was set or taken back
	conns   []intercept.ConnInfo
	connsOf int // how much had been indexed when conns was made
	begun   bool
	past    bool // it is what has passed of the live traffic, which goes on
}

// Open shows a recording, or somebody's capture, until the user leaves it or ctx ends. port is a server's beside 3306, for
// connections whose beginning was not captured.
func Open(ctx context.Context, path string, port uint16, rules []*rule.Rule, o Options) (err error) {
	bell := make(chan struct{}, 1)
	o.Changed = bell
	o.Recording, err = sessions.Start(path, sessions.Options{Port: port, Changed: Ring(bell)})
	if err != nil {
		return err
	}
	defer o.Recording.Close()
	return Show(ctx, rules, o)
}

// Ring is what rings a bell, for any goroutine.
func Ring(bell chan<- struct{}) func() {
	return func() {
		select {
		case bell <- struct{}{}:
		default: // rung already
		}
	}
}

// Show is Open for a recording that is open already.
func Show(ctx context.Context, rules []*rule.Rule, o Options) (err error) {
	if o.Proxy, err = intercept.New(intercept.Options{JournalSize: 1, JournalBytes: 1}); err != nil {
		return err
	}
	defer o.Proxy.Close()
	for _, r := range rules {
		o.Proxy.Breakpoints.AddRule(r)
	}
	return Run(ctx, o)
}

// window is the part of a recording that the pane has: places in what is listed, from 0.
type window struct {
	lo, fed  int // the first of it, and behind the last that the pane has
	running  []intercept.Seq
	touched  []intercept.Seq // marked since
	wantFrom intercept.Seq   // selected while want is looked for
}

const (
	windowSize = 10_000
	windowEdge = 200     // the window moves when the selection comes so near to its end
	lookLimit  = 4 << 20 // bytes of an answer that the inspector gets
)

var errRecorded = errors.New("this is a recording: what is in it has happened")

// newRecording makes an engine of an open file. bell rings when there is more of it.
func newRecording(r *sessions.Reader, bell <-chan struct{}, p *intercept.Proxy) *recording {
	return &recording{
		live: live{p}, r: r, bell: bell, list: &listed{}, cursor: r.Cursor(), counted: map[int]*counted{}, marked: map[intercept.Seq]uint64{},
	}
}

func (e *recording) Listen() <-chan struct{} { return e.bell }

func (e *recording) Since(_ uint64, dst []intercept.Exchange) ([]intercept.Exchange, uint64) {
	add := func(s intercept.Seq) bool {
		x, err := e.cursor.Exchange(s)
		if err != nil {
			return false
		}
		x.Version = uint64(s)<<8 | e.marked[s]&0x3f<<2 | uint64(x.State)&3
		if e.marked[s]%2 == 1 {
			x.Marks |= intercept.MarkMarked
		}
		dst = append(dst, x.Exchange)
		return true
	}
	e.running = slices.DeleteFunc(e.running, func(s intercept.Seq) bool {
		return add(s) && dst[len(dst)-1].State != intercept.InFlight
	})
	for _, s := range e.touched {
		add(s)
	}
	e.touched = e.touched[:0]
	for end := min(e.rows(), e.lo+windowSize); e.fed < end && add(e.list.at(e.fed)); e.fed++ {
		if dst[len(dst)-1].State == intercept.InFlight {
			e.running = append(e.running, e.list.at(e.fed))
		}
	}
	return dst, 0
}

// begin reports, once, that the first exchange is there.
func (e *recording) begin() bool {
	first := !e.begun && e.fed > 0
	e.begun = e.begun || first
	return first
}

// rows is how many exchanges are listed.
func (e *recording) rows() int {
	if e.list.filter == nil {
		return e.r.Len()
	}
	return len(e.list.rows)
}

// move begins the window anew around a place.
func (e *recording) move(i int) {
	e.window = window{lo: max(i-windowSize/2, 0), touched: e.touched, wantFrom: e.wantFrom}
	e.fed = e.lo
}

// near reports whether there is more of the recording, close to an exchange, than the pane has.
func (e *recording) near(s intercept.Seq) bool {
	if s == 0 {
		return false
	}
	i := e.list.pos(s)
	return i < e.lo+windowEdge && e.lo > 0 || i+windowEdge >= e.fed && e.fed < e.rows() && e.fed >= e.lo+windowSize || i < e.lo || i >= e.fed
}

// Acted is nothing: a recording has what was sent, and what it was made from.
func (e *recording) Acted(intercept.ConnID, intercept.Seq) []intercept.Acted { return nil }

// Backends are none: nothing is connected to.
func (e *recording) Backends() []intercept.BackendInfo { return nil }

// whole is what the pane says of all that is listed.
func (e *recording) whole() *traffic.Whole {
	return &traffic.Whole{
		Filter: e.list.filter, Matched: e.rows(), Total: e.r.Len(),
		Busy: e.list.filter != nil && !e.list.done && (e.r.Progress().Done || e.list.next <= intercept.Seq(e.r.Len())),
	}
}

func (e *recording) Gone() uint64 { return 0 }

func (e *recording) Detail(s intercept.Seq) (intercept.Detail, bool) {
	rec, err := e.r.Look(s, lookLimit)
	if err != nil {
		return intercept.Detail{}, false
	}
	if len(rec.Statement) > len(rec.SQL) {
		rec.SQL = rec.Statement
	}
	return rec.Detail, true
}

func (e *recording) Mark(s intercept.Seq, on bool) {
	if on != (e.marked[s]%2 == 1) {
		e.marked[s]++
		e.touched = append(e.touched, s)
	}
}

func (e *recording) Clear() {}

func (e *recording) Notices(n uint64, dst []intercept.Notice) []intercept.Notice {
	notes := e.r.Notes()
	return append(dst, notes[min(n, uint64(len(notes))):]...)
}

// Conns are those of the file; what is special about one is said where it ends.
func (e *recording) Conns() []intercept.ConnInfo {
	p := e.r.Progress()
	if n := e.r.Len(); e.conns != nil && e.connsOf == n && !p.Done || e.connsOf == -1 {
		return e.conns
	}
	e.conns = e.conns[:0]
	for _, c := range e.r.Conns() {
		info := c.ConnInfo
		if marks := c.Marks; marks != 0 {
			info.Cause = strings.TrimPrefix(info.Cause+" ("+marks.String()+")", " ")
		}
		if p.Done && info.Phase != intercept.Closed { // nothing more will come
			_, info.Closed = e.r.Span()
			info.Phase = intercept.Closed
		}
		e.conns = append(e.conns, info)
	}
	e.connsOf = e.r.Len()
	if p.Done {
		e.connsOf = -1
	}
	return e.conns
}

func (e *recording) Conn(id intercept.ConnID) *intercept.Conn { return pastConn(e.Conns(), id) }

// Pending are the paused events of the traffic that goes on.
func (e *recording) Pending() []intercept.Held {
	if e.past {
		return e.live.Pending()
	}
	return nil
}

func (e *recording) Resolve(intercept.HoldID, intercept.Verdict) error { return errRecorded }
func (e *recording) Keep(intercept.HoldID)                             {}
func (e *recording) ReleaseAll()                                       {}
func (e *recording) Step(intercept.ConnID, intercept.StepMode)         {}
func (e *recording) PauseAll(bool)                                     {}
func (e *recording) PausingAll() bool                                  { return false }
func (e *recording) Kill(intercept.ConnID)                             {}

// now is when the recording ends: ages of what is in it are counted from there.
func (e *recording) now() time.Time {
	_, last := e.r.Span()
	return last
}

// state is what the header says of the file.
func (e *recording) state() string {
	p := e.r.Progress()
	s := fmt.Sprintf("%s  %s exchanges", filepath.Base(e.r.Path()), traffic.Count(e.r.Len()))
	if e.past {
		s += "  L: back to live"
	}
	switch {
	case !p.Done:
		s += fmt.Sprintf("  reading %d%%", p.Read*100/max(p.Size, 1))
	case p.Err != nil:
		s += "  broken"
	case p.Cut:
		s += "  cut off"
	}
	return s
}

// onlyLive are the actions that need traffic.
var onlyLive = map[keymap.ID]bool{
	keymap.EditExternal: true, keymap.Respond: true, keymap.InjectBefore: true, keymap.InjectAfter: true, keymap.Undo: true, keymap.Kill: true,
	keymap.Pause: true, keymap.PauseAll: true, keymap.ContinueAll: true, keymap.NextPaused: true, keymap.PrevPaused: true, keymap.Record: true,
	keymap.Clear: true, keymap.Follow: true,
}

// offRecorded says why an action cannot be used in a recording; "" when it can. ok is false for actions
// that are as elsewhere.
func (m *Model) offRecorded(id keymap.ID) (why string, ok bool) {
	if m.inLua() && (id == keymap.Edit || id == keymap.EditExternal) { // a script
		return "", false
	}
	if onlyLive[id] || id == keymap.Edit && m.pane != keymap.Breakpoints {
		if m.rec.past {
			return "this is the past: L goes back to the traffic", true
		}
		return "this is a recording: there is no traffic to act on", true
	}
	switch id {
	case keymap.Step, keymap.Next, keymap.StepBack, keymap.FinishTx, keymap.Continue:
		if m.rec.r.Len() == 0 {
			return "there is nothing in it", true
		}
		if id == keymap.Continue && len(m.rec.breaking()) == 0 {
			return "no breakpoint is on: i and b set one; s goes on step by step", true
		}
		return "", true
	}
	return "", false
}

// doRecorded runs the actions that mean something else in a recording; false for the others.
func (m *Model) doRecorded(id keymap.ID) (tea.Cmd, bool) {
	t, _ := m.events.Selected()
	from := t.Exchange
	switch id {
	case keymap.Step:
		return m.hunt(hunting{from: from, dir: 1, none: "the end of the recording", is: anything}), true
	case keymap.StepBack:
		return m.hunt(hunting{from: from, dir: -1, none: "the beginning of the recording", is: anything}), true
	case keymap.Next:
		none := fmt.Sprintf("connection #%d has no further command", t.Conn)
		return m.hunt(hunting{from: from, dir: 1, none: none, is: about(func(x *sessions.Exchange) bool {
			return x.Conn == t.Conn && x.Parent == 0
		})}), true
	case keymap.FinishTx:
		none := fmt.Sprintf("no transaction of connection #%d ends behind this", t.Conn)
		return m.hunt(hunting{from: from, dir: 1, none: none, is: about(func(x *sessions.Exchange) bool {
			return x.Conn == t.Conn && x.InTx && !x.Status.Has(mysqlwire.StatusInTrans)
		})}), true
	case keymap.Continue:
		return m.hunt(m.rec.run(from, m.rec.breaking())), true
	case keymap.Top, keymap.Bottom:
		if m.pane != keymap.Events || m.focus != inList || m.rec.rows() <= windowSize {
			return nil, false
		}
		i := 0
		if id == keymap.Bottom {
			i = m.rec.rows() - 1
		}
		m.rec.want = 0
		m.goRecorded(m.rec.list.at(i))
		return nil, true
	case keymap.SearchNext, keymap.SearchPrev:
		dir := 1
		if id == keymap.SearchPrev {
			dir = -1
		}
		return m.searchRecorded(m.events.Searching(), dir), true
	}
	return nil, false
}

// goRecorded selects an exchange, wherever in the recording it is; false when the filter hides it, or there is none.
func (m *Model) goRecorded(s intercept.Seq) bool {
	if m.pane != keymap.Events { // the list needs its size to show something
		m.show(keymap.Events)
		m.arrange()
	}
	m.focus, m.inspect = inList, false
	l := m.rec.list
	i := l.pos(s)
	if i >= m.rec.rows() || l.at(i) != s {
		return s != 0 && l.filter != nil && s >= l.next && !l.done && m.events.Pin(s) // it has not been asked yet
	}
	if m.rec.near(s) {
		m.rec.move(i)
		m.events.Reset()
		m.pull()
	}
	if !m.events.Pin(s) {
		return false
	}
	m.events.Reveal()
	return true
}

// slide moves the window when the selection has come to its end.
func (m *Model) slide() {
	if m.rec == nil || m.pane != keymap.Events {
		return
	}
	if t, ok := m.events.Selected(); ok && m.events.Flat() && m.rec.near(t.Exchange) {
		m.goRecorded(t.Exchange)
	}
}

// intro is what the list says while it is empty.
func (e *recording) intro() []string {
	p := e.r.Progress()
	switch {
	case !p.Done:
		return []string{fmt.Sprintf("Reading %s, %d%%.", e.r.Path(), p.Read*100/max(p.Size, 1))}
	case len(e.r.Conns()) > 0:
		return []string{
			fmt.Sprintf("%d connections, but no command of them that can be read.", len(e.r.Conns())),
			"2 shows the connections, and why; 8 what was odd about the file.",
		}
	}
	return []string{
		"There is no MySQL traffic in " + e.r.Path() + ".",
		"Connections are recognised by their greeting on any port, and by the port where their beginning was not captured: --port N names it.",
	}
}
