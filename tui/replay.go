package tui

import (
	"fmt"

	"mydbg/intercept"
	"mydbg/tui/keymap"
)

// syncReplay takes in how the replay stands that runs beside the screen.
func (m *Model) syncReplay() {
	if m.o.Replay != nil {
		m.replays.Sync(m.o.Replay)
	}
}

// doReplay runs the actions of pane 7.
func (m *Model) doReplay(id keymap.ID) {
	if id == keymap.Open {
		m.openDifference()
		return
	}
	m.replays.Do(id)
}

// openDifference shows the event whose answer differs: of the recording, or of the traffic where it is sent
// through the proxy.
func (m *Model) openDifference() {
	it, ok := m.replays.Selected()
	if !ok {
		m.say(intercept.Info, "nothing differs so far")
		return
	}
	found := false
	if m.rec != nil && !m.rec.past {
		found = m.goRecorded(it.Seq)
	} else if m.rec == nil {
		for i := range m.infos {
			if m.infos[i].Client != it.Local || it.Local == "" {
				continue
			}
			if s, near := m.events.Nearest(m.infos[i].ID, it.Sent); near {
				m.show(keymap.Events)
				m.arrange()
				found = m.events.Pin(s)
			}
		}
	}
	if !found {
		m.say(intercept.Warning, "#%d of the recording is not in the list: the filter hides it, or it was not sent, or it is too old", it.Seq)
		return
	}
	m.events.Reveal()
	if len(it.Lines) > 0 {
		m.say(intercept.Info, "%s", it.Lines[0])
	}
}

// replayState is what the header says of the replay.
func (m *Model) replayState() string {
	if m.o.Replay == nil {
		return ""
	}
	s := m.replays.State()
	text := fmt.Sprintf("REPLAY %d%%", s.Done*100/max(s.All, 1))
	if s.Over {
		text = "REPLAYED"
	}
	if n := s.Differ + s.Failed; n > 0 {
		text += fmt.Sprintf(" %d differ", n)
	}
	return text
}
