// Package tuitest drives a screen without a terminal: it sends keys, lets time pass without waiting,
// runs the commands that come back, and compares frames with golden files.
//
// Time is the driver's: give Now and After to the model. A timer is a message that Advance delivers
// when its time has come. All other commands run to their end before a method returns, so they must
// not wait for anything.
package tuitest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
)

// Driver holds a model and its time. Use New.
type Driver struct {
	t      testing.TB
	model  tea.Model
	now    time.Time
	timers []timer
	quit   bool
}

type timer struct {
	at  time.Time
	msg tea.Msg
}

// New makes a driver whose clock begins at start. Start gives it the model.
func New(t testing.TB, start time.Time) *Driver { return &Driver{t: t, now: start} }

// Now is the driver's time.
func (d *Driver) Now() time.Time { return d.now }

// After delivers msg when so much time has passed.
func (d *Driver) After(in time.Duration, msg tea.Msg) tea.Cmd {
	d.timers = append(d.timers, timer{d.now.Add(in), msg})
	return nil
}

// Start gives the driver its model and the window its size.
func (d *Driver) Start(m tea.Model, w, h int) {
	d.model = m
	d.run(m.Init())
	d.Resize(w, h)
}

// Resize changes the window.
func (d *Driver) Resize(w, h int) { d.Send(tea.WindowSizeMsg{Width: w, Height: h}) }

// Send delivers a message and runs what follows from it.
func (d *Driver) Send(msg tea.Msg) {
	var cmd tea.Cmd
	d.model, cmd = d.model.Update(msg)
	d.run(cmd)
}

// run runs a command and delivers its message.
func (d *Driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			d.run(c)
		}
	case tea.QuitMsg:
		d.quit = true
	default:
		if v := reflect.ValueOf(msg); v.Kind() == reflect.Slice && v.Type().Elem() == reflect.TypeFor[tea.Cmd]() { // a sequence
			for i := range v.Len() {
				d.run(v.Index(i).Interface().(tea.Cmd))
			}
			return
		}
		if reflect.TypeOf(msg).PkgPath() == reflect.TypeFor[tea.KeyMsg]().PkgPath() {
			return // for the terminal: title, clear screen
		}
		d.Send(msg)
	}
}

// Advance lets time pass: timers that fall due are delivered in order.
func (d *Driver) Advance(by time.Duration) {
	end := d.now.Add(by)
	for {
		slices.SortStableFunc(d.timers, func(a, b timer) int { return a.at.Compare(b.at) })
		if len(d.timers) == 0 || d.timers[0].at.After(end) {
			break
		}
		next := d.timers[0]
		d.timers = d.timers[1:]
		if next.at.After(d.now) {
			d.now = next.at
		}
		d.Send(next.msg)
	}
	d.now = end
}

// Press presses keys one after the other, as a person does: with time between them.
func (d *Driver) Press(keys ...string) {
	for _, k := range keys {
		d.Send(Key(k))
		d.Advance(100 * time.Millisecond)
	}
}

// Type presses the keys of a text.
func (d *Driver) Type(text string) {
	for _, r := range text {
		d.Press(string(r))
	}
}

// Paste delivers a text as a terminal with bracketed paste does.
func (d *Driver) Paste(text string) {
	d.Send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: true})
}

// Burst delivers a text as fast as a terminal without bracketed paste does, all in one read.
func (d *Driver) Burst(text string) { d.Send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text)}) }

// Quit reports whether the program was left.
func (d *Driver) Quit() bool { return d.quit }

// Frame is what is on the screen, with its styles.
func (d *Driver) Frame() string { return d.model.View() }

// Text is what is on the screen, without styles and without spaces at the ends of lines.
func (d *Driver) Text() string {
	lines := strings.Split(ansi.Strip(d.Frame()), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

// Has fails the test unless the screen shows all of the texts.
func (d *Driver) Has(texts ...string) {
	d.t.Helper()
	frame := d.Text()
	for _, text := range texts {
		if !strings.Contains(frame, text) {
			d.t.Errorf("the screen lacks %q:\n%s", text, frame)
		}
	}
}

// Lacks fails the test if the screen shows one of the texts.
func (d *Driver) Lacks(texts ...string) {
	d.t.Helper()
	frame := d.Text()
	for _, text := range texts {
		if strings.Contains(frame, text) {
			d.t.Errorf("the screen has %q:\n%s", text, frame)
		}
	}
}

// Golden compares the frame with the test's golden file; -update writes it.
func (d *Driver) Golden(t *testing.T) {
	t.Helper()
	Exact(t, d.Frame())
	golden.RequireEqual(t, []byte(d.Frame()+"\n"))
}

// Exact fails the test unless all lines of a frame are of the same width.
func Exact(t testing.TB, frame string) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	for i, l := range lines {
		if got, want := ansi.StringWidth(l), ansi.StringWidth(lines[0]); got != want {
			t.Errorf("line %d is %d wide, not %d: %q", i+1, got, want, l)
		}
	}
}

// keys are the names that are no single characters.
var keys = map[string]tea.KeyType{
	"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "up": tea.KeyUp, "down": tea.KeyDown,
	"left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
	"backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "f5": tea.KeyF5, "f9": tea.KeyF9, "f10": tea.KeyF10, "f11": tea.KeyF11,
}

// Key is the message of a key by the name that package keymap has for it.
func Key(name string) tea.KeyMsg {
	if k, ok := keys[name]; ok {
		return tea.KeyMsg{Type: k}
	}
	if name == "space" || name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	if c, ok := strings.CutPrefix(name, "ctrl+"); ok && len(c) == 1 && c[0] >= 'a' && c[0] <= 'z' {
		return tea.KeyMsg{Type: tea.KeyType(c[0] - 'a' + 1)}
	}
	if r := []rune(name); len(r) == 1 {
		return tea.KeyMsg{Type: tea.KeyRunes, Runes: r}
	}
	panic(fmt.Sprintf("tuitest: no key is named %q", name))
}
