package tui

import (
	"fmt"
	"path/filepath"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/sessions"
)

// Recorder keeps the traffic.
type Recorder interface {
	Status() sessions.RecordStatus
	Keep(path string) error
	Stop() error
	// History reads all that has been kept so far.
	History(sessions.Options) (*sessions.Reader, error)
}

// recordedMsg says that a recording has begun or ended.
type recordedMsg struct {
	text string
	err  error
}

// record begins a recording, or ends the one that goes on. The files are not Update's to wait for.
func (m *Model) record(path string) tea.Cmd {
	rec := m.o.Recorder
	if st := rec.Status(); st.Path != "" {
		if path != "" {
			m.say(intercept.Warning, "this is being recorded to %s already; W ends that", st.Path)
			return nil
		}
		return func() tea.Msg {
			err := rec.Stop()
			return recordedMsg{fmt.Sprintf("recorded to %s; mydbg open shows it", st.Path), err}
		}
	}
	if path == "" {
		path = "mydbg-" + m.now().Format("20060102-150405") + ".pcapng"
	}
	m.say(intercept.Info, "recording to %s", path)
	return func() tea.Msg {
		spooled := rec.Status().Spool
		err := rec.Keep(path)
		text := fmt.Sprintf("recording to %s, with all that has been seen; W ends it", path)
		if !spooled {
			text = fmt.Sprintf("recording to %s, each connection from its next command on; W ends it", path)
		}
		return recordedMsg{text, err}
	}
}

func (m *Model) recorded(msg recordedMsg) {
	if msg.err != nil {
		m.say(intercept.Error, "%v", msg.err)
		return
	}
	m.say(intercept.Info, "%s", msg.text)
}

// recordingState is what the header says of the recording.
func (m *Model) recordingState() string {
	if m.o.Recorder == nil {
		return ""
	}
	st := m.o.Recorder.Status()
	switch {
	case st.Err != nil:
		return "REC FAILS"
	case st.Path == "":
		return ""
	}
	name := filepath.Base(st.Path)
	if m.w < 100 {
		name = ""
	} else {
		name += " "
	}
	text := "REC " + name + bytes(st.Size)
	if st.Lost > 0 {
		text += " -" + bytes(int64(st.Lost))
	}
	return text
}

// bytes is a number of bytes for people.
func bytes(n int64) string {
	for _, u := range []struct {
		name string
		n    int64
	}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"kB", 1 << 10}} {
		if n >= u.n {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.n), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
