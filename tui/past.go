package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/sessions"
	"mydbg/tui/keymap"
	"mydbg/tui/traffic"
)

// pastMsg brings what has passed, or says that more of it has been read.
type pastMsg struct {
	r   *sessions.Reader
	err error
}

// live is the way back from the past.
type present struct {
	e    engine
	flat bool
	came *intercept.Exchange // above which the past is looked at; nil for all of it
}

// offPast says why there is no past to look at.
func (m *Model) offPast() string {
	switch {
	case m.rec != nil && m.rec.past:
		return ""
	case m.rec != nil:
		return "mydbg open FILE shows another recording"
	case m.o.Recorder == nil:
		return "nothing is kept of the traffic"
	}
	if st := m.o.Recorder.Status(); !st.Spool && st.Path == "" {
		return "nothing is kept of the traffic: --no-spool"
	}
	return ""
}

// toPast shows all that has been kept of the traffic, or goes back to what happens now.
func (m *Model) toPast() tea.Cmd {
	if m.rec != nil {
		m.toPresent()
		return nil
	}
	return m.readPast(nil)
}

// readPast opens what has been kept of the traffic, above an exchange that is still listed; all of it with nil.
func (m *Model) readPast(above *intercept.Exchange) tea.Cmd {
	rec := m.o.Recorder
	m.above = above
	return func() tea.Msg {
		r, err := rec.History(sessions.Options{})
		return pastMsg{r, err}
	}
}

func (m *Model) inPast(msg pastMsg) tea.Cmd {
	switch {
	case msg.err != nil:
		m.say(intercept.Error, "%v", msg.err)
		return nil
	case m.rec != nil && m.rec.r == msg.r: // it has been read
		m.pull()
		m.joinPast()
		return nil
	case m.rec != nil:
		_ = msg.r.Close() // the key was pressed twice
		return nil
	}
	m.present = &present{m.e, m.events.Flat(), m.above}
	m.above = nil
	past := newRecording(msg.r, nil, m.o.Proxy)
	past.past = true
	m.change(past, true)
	m.say(intercept.Info, "all that has been kept of the traffic, numbered anew; L goes back to what happens now")
	return func() tea.Msg {
		<-msg.r.Done()
		return pastMsg{r: msg.r}
	}
}

// joinPast goes to what came before the oldest event that the live list had, unless somebody has gone elsewhere.
func (m *Model) joinPast() {
	came := m.present.came
	m.present.came = nil
	if t, ok := m.events.Selected(); came == nil || m.rec.rows() == 0 || ok && t.Exchange != m.rec.list.at(0) {
		return
	}
	if s, ok := m.rec.r.Nearest(came.Conn, came.Begun); ok {
		m.nearest(max(s, 2) - 1)
	}
}

// beyond goes on where the list ends, when a movement has not moved the selection: to what is kept of earlier
// traffic, back from there to what happens now, to another part of a recording.
func (m *Model) beyond(id keymap.ID, before traffic.Target) tea.Cmd {
	after, ok := m.events.Selected()
	if !ok || after != before {
		return nil
	}
	up, down := false, false
	switch id {
	case keymap.Up, keymap.HalfUp, keymap.PageUp, keymap.Top:
		up = true
	case keymap.Down, keymap.HalfDown, keymap.PageDown, keymap.Bottom:
		down = true
	}
	switch {
	case m.rec == nil:
		if !up || m.e.Gone() == 0 || m.offPast() != "" {
			return nil
		}
		var above *intercept.Exchange
		if x, ok := m.events.Oldest(); ok && id != keymap.Top {
			above = &x
		}
		return m.readPast(above)
	case up && m.rec.lo > 0:
		m.goRecorded(m.rec.list.at(m.rec.lo - 1))
	case down && m.rec.fed < m.rec.rows():
		m.goRecorded(m.rec.list.at(m.rec.fed))
	case down && m.rec.past && m.rec.r.Progress().Done && m.events.Flat():
		x, had := m.events.Exchange(after.Exchange)
		m.toPresent()
		if s, ok := m.events.Nearest(x.Conn, x.Begun); had && ok && id != keymap.Bottom {
			m.events.SelectExchange(s)
		}
	}
	return nil
}

// toPresent goes back to the live traffic.
func (m *Model) toPresent() {
	m.stopHunt()
	r := m.rec.r
	m.change(m.present.e, m.present.flat)
	_ = r.Close() // only read
	m.events.Do(keymap.Bottom)
	m.say(intercept.Info, "this is live traffic again")
}

// change shows another engine's events.
func (m *Model) change(e engine, flat bool) {
	filter := m.events.Filter()
	m.events.SetFilter(nil)
	m.e = e
	m.rec, _ = e.(*recording)
	m.events.SetWhole(nil)
	if m.rec != nil {
		m.events.SetWhole(m.rec.whole())
	}
	m.version, m.shown = 0, subjectKey{}
	if m.rec != nil && m.rec.past {
		m.kept = m.noticed
		m.noticed = 1 << 62 // the log stays that of the traffic
	} else {
		m.noticed = m.kept
	}
	m.events.SetDetail(e.Detail)
	m.events.Reset()
	m.resetCounting()
	if m.events.Flat() != flat {
		m.events.Do(keymap.Tree)
	}
	m.show(keymap.Events)
	m.pull()
	if filter != nil {
		m.filterBy(filter)
	}
}
