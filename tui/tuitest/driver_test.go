package tuitest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// recorder writes down what it is told, and when.
type recorder struct {
	d    *Driver
	said []string
}

type alarm string

func (r *recorder) Init() tea.Cmd { return r.d.After(50*time.Millisecond, alarm("init")) }
func (r *recorder) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	r.said = append(r.said, fmt.Sprintf("%v %v", r.d.Now().Sub(noon), msg))
	switch msg := msg.(type) {
	case tea.KeyMsg:
		if msg.String() == "q" {
			return r, tea.Sequence(func() tea.Msg { return alarm("last") }, tea.Quit)
		}
		return r, tea.Batch(r.d.After(30*time.Millisecond, alarm("after "+msg.String())), func() tea.Msg { return alarm("now") }, tea.SetWindowTitle("x"))
	}
	return r, nil
}
func (r *recorder) View() string { return "\x1b[1mframe\x1b[0m  \n" }

var noon = time.Date(2026, 2, 11, 12, 0, 0, 0, time.UTC)

func TestDriver(t *testing.T) {
	d := New(t, noon)
	r := &recorder{d: d}
	d.Start(r, 80, 24)
	d.Press("a", "ctrl+c", "space")
	d.Press("q")
	want := `0s {80 24}
0s a
0s now
30ms after a
50ms init
100ms ctrl+c
100ms now
130ms after ctrl+c
200ms  
200ms now
230ms after  
300ms q
300ms last`
	if got := strings.Join(r.said, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !d.Quit() {
		t.Error("the end was not noticed")
	}
	if got := d.Text(); got != "frame\n" {
		t.Errorf("got %q", got)
	}
}

func TestKey(t *testing.T) {
	for _, name := range []string{"enter", "esc", "tab", "shift+tab", "up", "pgdown", "home", "ctrl+k", "ctrl+z", "x", "]", "ü", "f10"} {
		if got := Key(name).String(); got != name {
			t.Errorf("%s: got %s", name, got)
		}
	}
}
