package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/sessions"
	"mydbg/tui/keymap"
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
	rec := m.o.Recorder
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
		return nil
	case m.rec != nil:
		_ = msg.r.Close() // the key was pressed twice
		return nil
	}
	m.present = &present{m.e, m.events.Flat()}
	past := newRecording(msg.r, nil, m.o.Proxy)
	past.past = true
	m.change(past, true)
	m.say(intercept.Info, "all that has been kept of the traffic, numbered anew; L goes back to what happens now")
	return func() tea.Msg {
		<-msg.r.Done()
		return pastMsg{r: msg.r}
	}
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
