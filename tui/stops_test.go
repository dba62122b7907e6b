package tui

import (
	"testing"

	"mydbg/intercept"
)

// What stops while nobody looks at a row is selected; what stops while somebody does is not.
func TestStopsSelectThemselvesWhileNobodyLooks(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []string
		want bool
	}{
		{"following, the selection out of sight", []string{"g", "F"}, true},
		{"a row selected", []string{"g"}, false},
		{"in the inspector", []string{"g", "enter", "F"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := shop()
			held := f.held
			f.held = nil
			d, m := start(t, f, 80, 16, plain)
			d.Press(c.keys...)
			f.held = held
			wake(d)
			got, _ := m.events.Selected()
			if selected := got.Hold != 0 && !got.Below; selected != c.want {
				t.Errorf("selected %+v, want a held event: %v\n%s", got, c.want, d.Frame())
			}
		})
	}
}

func TestIntroTellsHowFarTheFirstClientCame(t *testing.T) {
	f := &fake{}
	d, _ := start(t, f, 100, 30, plain)
	d.Has("[ ] first client connected", "[ ] logged in")
	f.conns = []intercept.ConnInfo{{ID: 1, Phase: intercept.Closed, Client: "127.0.0.1:5", Cause: "cannot connect to the server"}}
	wake(d)
	d.Has("[x] first client connected", "[ ] logged in", "The last client failed: cannot connect to the server")
}

func TestLongMessagesTakeTheLineAbove(t *testing.T) {
	f := shop()
	d, _ := start(t, f, 60, 15, plain)
	f.notices = append(f.notices, intercept.Notice{
		N: 1, At: noon, Level: intercept.Error,
		Text: "connection 9: cannot connect to the server 127.0.0.1:3306: connection refused. Is it running?",
	})
	wake(d)
	d.Has("cannot connect to the server", "refused. Is it running?")
	d.Press("esc")
	d.Has("? more")
}

// A connection that closes instead of stopping again leaves the selection to what is paused.
func TestSteppedConnectionCloses(t *testing.T) {
	f := shop()
	d, m := start(t, f, 120, 36, plain)
	wake(d)
	d.Press("]")
	was, _ := m.events.Selected()
	d.Press("t")
	if got, _ := m.events.Selected(); got.Exchange != was.Exchange {
		t.Fatalf("selected %+v while %+v may stop again", got, was)
	}
	for i := range f.conns {
		if f.conns[i].ID == was.Conn {
			f.conns[i].Phase = intercept.Closed
		}
	}
	wake(d)
	if got, _ := m.events.Selected(); got.Hold == 0 {
		t.Errorf("selected %+v although %d are paused\n%s", got, len(f.held), d.Frame())
	}
}
