// Package tui is the debugger's screen: one root model, its panes, and Run, which shows them.
//
// The screen pulls. A bell of the journal wakes it at most thirty times a second; it then asks for what
// changed, so a flood of traffic costs a screen no more than a trickle, and traffic never waits
// for it. Update does no I/O; View draws from what Update left behind and changes nothing.
//
// A key is looked up in package keymap by where it is pressed; panes are given actions, only text
// inputs and editors get keys. In the main contexts printable keys wait 30 ms for company: four
// or more at once are text that was pasted or sent by a machine, and run nothing. A release key
// acts once per press. So nothing is let go by accident.
package tui

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/sessions"
	"mydbg/tui/keymap"
	"mydbg/tui/replays"
	"mydbg/tui/theme"
)

// Options say what the screen shows and how.
type Options struct {
	Proxy    *intercept.Proxy
	Listen   []string // where clients connect
	Backend  string   // where the proxy connects
	Theme    theme.Options
	ReadOnly bool        // nothing may be altered, answered or injected
	Demo     *DemoInfo   // nil when the server is a real one
	Keys     *keymap.Map // nil for the keys as shipped
	Filter   string      // a condition for the list of events, "" for none
	Kept     int         // exchanges the proxy's journal keeps; 0 is its default
	Snippets Snippets    // nil without Lua
	// Recording is shown instead of the proxy's traffic, whose breakpoints are then those of the recording.
	// Changed rings when more of it has been read.
	Recording *sessions.Reader
	Changed   <-chan struct{}
	Replay    *replays.Log        // that runs beside the screen; nil for none
	Recorder  Recorder            // nil when nothing can be recorded
	Getenv    func(string) string // nil is os.Getenv

	// Now and After stand for time in tests; nil for the real one. After returns msg after d.
	Now   func() time.Time
	After func(d time.Duration, msg tea.Msg) tea.Cmd
}

// DemoInfo are the texts of the first screen of a demonstration.
type DemoInfo struct {
	Title string
	Lines []string // what goes on, and what to try
}

// Run shows the screen until the user leaves it or ctx ends. What is held then has been released
// unchanged or closed, as the user chose; the proxy is still open.
func Run(ctx context.Context, o Options) error {
	m, err := New(o)
	if err != nil {
		return err
	}
	out := &screenWriter{File: os.Stdout}
	m.out = out
	// Signals end ctx. Bubble Tea's own handler, hearing of the same one, may wait for ever for a loop that has ended.
	p := tea.NewProgram(m, tea.WithAltScreen(), tea.WithOutput(out), tea.WithoutSignalHandler())
	defer func() {
		// However the screen ended, a panic included, nobody is left who could release.
		o.Proxy.Stepper.PauseAll(false)
		o.Proxy.Breakpoints.Off(true)
		o.Proxy.Gate.ReleaseAll(intercept.Verdict{})
	}()
	// A context given to Bubble Tea kills it, and a killed one closes its input under its own reader.
	defer context.AfterFunc(ctx, p.Quit)()
	_, err = p.Run()
	if err != nil {
		return fmt.Errorf("screen: %w", err)
	}
	return nil
}

// addresses joins what people type to connect.
func (o *Options) addresses() string { return strings.Join(o.Listen, ", ") }
