package tui

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
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
	o.Recording, err = sessions.Start(path, sessions.Options{Port: port, Changed: func() {
		select {
		case bell <- struct{}{}:
		default: // rung already
		}
	}})
	if err != nil {
		return err
	}
	defer o.Recording.Close()
	if o.Proxy, err = intercept.New(intercept.Options{JournalSize: 1, JournalBytes: 1}); err != nil {
		return err
	}
	defer o.Proxy.Close()
	for _, r := range rules {
		o.Proxy.Breakpoints.AddRule(r)
	}
	return Run(ctx, o)
}

// window is the part of a recording that is listed.
type window struct {
	lo      intercept.Seq // first of it
	fed     intercept.Seq // last that the list has
	running []intercept.Seq
	touched []intercept.Seq // marked since
}

const (
	windowSize = 10_000
	windowEdge = 200     // the window moves when the selection comes so near to its end
	lookLimit  = 4 << 20 // bytes of an answer that the inspector gets
	huntSlice  = 20 * time.Millisecond
)

var errRecorded = errors.New("this is a recording: what is in it has happened")

// newRecording makes an engine of an open file. bell rings when there is more of it.
func newRecording(r *sessions.Reader, bell <-chan struct{}, p *intercept.Proxy) *recording {
	return &recording{live: live{p}, r: r, bell: bell, window: window{lo: 1}, marked: map[intercept.Seq]uint64{}}
}

func (e *recording) Listen() <-chan struct{} { return e.bell }

func (e *recording) Since(_ uint64, dst []intercept.Exchange) ([]intercept.Exchange, uint64) {
	add := func(s intercept.Seq) bool {
		x, err := e.r.Exchange(s)
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
	for end := min(intercept.Seq(e.r.Len()), e.lo+windowSize-1); e.fed < end && add(e.fed+1); {
		e.fed++
		if dst[len(dst)-1].State == intercept.InFlight {
			e.running = append(e.running, e.fed)
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

// move begins the window anew around an exchange.
func (e *recording) move(s intercept.Seq) {
	e.window = window{lo: 1}
	if s > windowSize/2 {
		e.lo = s - windowSize/2
	}
	e.fed = e.lo - 1
}

// near reports whether there is more of the recording, close to an exchange, than is listed.
func (e *recording) near(s intercept.Seq) bool {
	if s == 0 {
		return false
	}
	return s < e.lo+windowEdge && e.lo > 1 || s+windowEdge > e.fed && e.fed < intercept.Seq(e.r.Len()) && e.fed >= e.lo+windowSize-1 ||
		s < e.lo || s > e.fed
}

// Acted is nothing: a recording has what was sent, and what it was made from.
func (e *recording) Acted(intercept.ConnID, intercept.Seq) []intercept.Acted { return nil }

// Backends are none: nothing is connected to.
func (e *recording) Backends() []intercept.BackendInfo { return nil }

func (e *recording) Gone() uint64 { return uint64(e.lo - 1) }

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

func (e *recording) Conn(id intercept.ConnID) *intercept.Conn { return &intercept.Conn{ID: id} }

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
		return m.hunt(from, 1, "the end of the recording", anything), true
	case keymap.StepBack:
		return m.hunt(from, -1, "the beginning of the recording", anything), true
	case keymap.Next:
		return m.hunt(from, 1, fmt.Sprintf("connection #%d has no further command", t.Conn), func(x *sessions.Exchange) (bool, string) {
			return x.Conn == t.Conn && x.Parent == 0, ""
		}), true
	case keymap.FinishTx:
		return m.hunt(from, 1, fmt.Sprintf("no transaction of connection #%d ends behind this", t.Conn), func(x *sessions.Exchange) (bool, string) {
			return x.Conn == t.Conn && x.InTx && !x.Status.Has(mysqlwire.StatusInTrans), ""
		}), true
	case keymap.Continue:
		return m.hunt(from, 1, "no breakpoint matches up to the end", m.rec.matcher(m.rec.breaking())), true
	case keymap.Top, keymap.Bottom:
		if m.pane != keymap.Events || m.focus != inList || m.rec.r.Len() <= windowSize {
			return nil, false
		}
		s := intercept.Seq(1)
		if id == keymap.Bottom {
			s = intercept.Seq(m.rec.r.Len())
		}
		m.goRecorded(s)
		return nil, true
	}
	return nil, false
}

// goRecorded selects an exchange, wherever in the recording it is.
func (m *Model) goRecorded(s intercept.Seq) bool {
	m.show(keymap.Events)
	if m.rec.near(s) {
		m.rec.move(s)
		m.events.Reset()
		m.pull()
		for m.events.Busy() && m.events.Filter() != nil { // the filter has to have seen it
			m.events.Work(time.Second)
		}
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

// a test says whether an exchange is what is looked for, and why.
type test func(x *sessions.Exchange) (bool, string)

// anything is a test that everything passes.
func anything(*sessions.Exchange) (bool, string) { return true, "" }

// huntMsg is the end of a search through a recording.
type huntMsg struct {
	n     int // of the search
	found intercept.Seq
	why   string
	none  string
}

// hunt looks for an exchange from behind one on, in a direction, among those that the filter shows.
func (m *Model) hunt(from intercept.Seq, dir int, none string, is test) tea.Cmd {
	m.stopHunt()
	m.hunts++
	n, r, filter, stop := m.hunts, m.rec.r, m.events.Filter(), new(atomic.Bool)
	m.hunting = stop
	infos := m.rec.infos()
	wanted := func(x *sessions.Exchange) (bool, string) {
		ok, why := is(x)
		if !ok || filter == nil {
			return ok, why
		}
		shown, err := filter.Eval(envOf(r, x, infos, filter.Uses()))
		return shown || err != nil, why
	}
	look := func(until time.Time) (huntMsg, bool) {
		for s := int64(from) + int64(dir); ; s += int64(dir) {
			x, err := r.Exchange(intercept.Seq(max(s, 0)))
			if s < 1 || err != nil {
				return huntMsg{n: n, none: none}, true
			}
			if ok, why := wanted(&x); ok {
				return huntMsg{n: n, found: x.Seq, why: why}, true
			}
			from = intercept.Seq(s)
			if stop.Load() {
				return huntMsg{n: n}, true
			}
			if s%64 == 0 && !until.IsZero() && time.Now().After(until) {
				return huntMsg{}, false
			}
		}
	}
	if msg, done := look(time.Now().Add(huntSlice)); done { // mostly it is near
		m.found(msg)
		return nil
	}
	m.say(intercept.Info, "searching the recording; ctrl+c stops")
	return func() tea.Msg {
		msg, _ := look(time.Time{})
		return msg
	}
}

// stopHunt ends a search; false when there was none.
func (m *Model) stopHunt() bool {
	if m.hunting == nil {
		return false
	}
	m.hunting.Store(true)
	m.hunting = nil
	m.hunts++
	return true
}

// found goes to what a search has found.
func (m *Model) found(msg huntMsg) {
	if msg.n != m.hunts {
		return
	}
	m.hunting = nil
	switch {
	case msg.found == 0:
		m.say(intercept.Info, "%s", msg.none)
	case !m.goRecorded(msg.found):
		m.say(intercept.Warning, "#%d cannot be shown", msg.found)
	case msg.why != "":
		m.say(intercept.Info, "#%d: %s", msg.found, msg.why)
	}
}

// breaking are the rules that are on.
func (e *recording) breaking() (on []intercept.Breakpoint) {
	list, off := e.Breaks()
	if off {
		return nil
	}
	for _, b := range list {
		if b.Enabled {
			on = append(on, b)
		}
	}
	return on
}

// matcher is a test for breakpoints' conditions.
func (e *recording) matcher(list []intercept.Breakpoint) test {
	infos, r := e.infos(), e.r
	var uses rule.FieldSet
	for _, b := range list {
		uses |= b.Rule.If.Uses()
	}
	return func(x *sessions.Exchange) (bool, string) {
		env := envOf(r, x, infos, uses)
		for _, b := range list {
			switch ok, err := b.Rule.If.Eval(env); {
			case err != nil:
				return true, fmt.Sprintf("breakpoint %d: %v", b.ID, err)
			case ok:
				return true, fmt.Sprintf("breakpoint %d: %s", b.ID, b.Rule)
			}
		}
		return false, ""
	}
}

// infos are the connections by number.
func (e *recording) infos() map[intercept.ConnID]*intercept.ConnInfo {
	all := map[intercept.ConnID]*intercept.ConnInfo{}
	for _, c := range e.r.Conns() {
		info := c.ConnInfo
		all[c.ID] = &info
	}
	return all
}

// envOf is what a condition asks about an exchange of a recording.
func envOf(r *sessions.Reader, x *sessions.Exchange, infos map[intercept.ConnID]*intercept.ConnInfo, uses rule.FieldSet) *rule.Env {
	info := infos[x.Conn]
	if info == nil {
		info = &intercept.ConnInfo{ID: x.Conn}
	}
	who := *info
	who.User, who.DB = x.User, x.DB
	own := x.Exchange
	var detail *intercept.Detail
	if intercept.NeedsDetail(uses) || own.SQLLen > len(own.SQL) {
		if rec, err := r.Look(x.Seq, lookLimit); err == nil {
			detail = &rec.Detail
			own.SQL = rec.Statement
		}
	}
	return own.Env(&who, detail, uses)
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
