// Package keymap declares every action of the screen once: its keys, its help, its command. The help screen, the
// footer, the palette, the command line's completion and the table of the README are made from it, so they cannot be
// wrong.
//
// An action has one name, its ID: keys.toml, the command line and the documents use the same. A key means something in
// a Context. Contexts without text input fall back to InMain; those with it, and questions, are
// closed, so that no letter typed there can release anything. A key that releases traffic means that or nothing wherever InMain
// is reachable: Rebind refuses to put it on an action that only moves about.
//
// The package knows no timing: holding back key repeat and pasted text is the caller's part.
package keymap

import (
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
)

// ID names an action.
type ID string

// Context is where a key is pressed.
type Context string

// The contexts. InInspector includes the hex view below it, InRecording is a list with no traffic behind it.
const (
	InMain      Context = "main"
	InList      Context = "list"
	InInspector Context = "inspector"
	InRecording Context = "recording"
	InScripts   Context = "scripts" // the table and the output of the Lua pane
	InEditor    Context = "editor"  // text areas and forms
	InGrid      Context = "grid"    // a result set being edited: letters are commands, cells open an editor
	InSnippet   Context = "snippet" // the Lua prompt
	InPrompt    Context = "prompt"  // one line of input: filter, command, palette
	InConfirm   Context = "confirm" // a question
	InQuit      Context = "quit"    // the quit dialog
)

// contexts are in the order of the documents.
var contexts = []Context{
	InMain, InList, InInspector, InRecording, InScripts, InEditor, InGrid, InSnippet, InPrompt, InConfirm, InQuit,
}

// parent is the context that c falls back to, or "".
func (c Context) parent() Context {
	switch c {
	case InList, InInspector, InScripts:
		return InMain
	case InRecording:
		return InList
	}
	return ""
}

// root is the last context that c falls back to.
func (c Context) root() Context {
	for c.parent() != "" {
		c = c.parent()
	}
	return c
}

// takesText reports whether printable keys are input in c.
func (c Context) takesText() bool { return c == InEditor || c == InSnippet || c == InPrompt }

// Group is a heading of the help.
type Group string

// The groups, in the order of the help.
const (
	GroupRelease Group = "release"
	GroupStop    Group = "stop"
	GroupAlter   Group = "alter"
	GroupMove    Group = "move"
	GroupLook    Group = "look"
	GroupLists   Group = "list"
	GroupData    Group = "data"
	GroupEdit    Group = "edit"
	GroupApp     Group = "app"
)

var groups = []Group{
	GroupRelease, GroupStop, GroupAlter, GroupMove, GroupLook, GroupLists, GroupData, GroupEdit, GroupApp,
}

// Action is something a key does.
type Action struct {
	ID      ID
	Context Context // where it was declared
	Group   Group
	Short   string // for the footer
	Long    string // for the help
	Keys    []string
}

// Key is the first of the action's keys as people write it, or "" if it has none.
func (a Action) Key() string {
	if len(a.Keys) == 0 {
		return ""
	}
	return a.Keys[0]
}

// Command is the action on the command line, or "" for the keys of prompts and questions.
func (a Action) Command() string {
	if a.Context == InPrompt || a.Context == InConfirm || a.ID == No {
		return ""
	}
	return ":" + string(a.ID)
}

// Binding is the action for the bubbles that want one.
func (a Action) Binding() key.Binding {
	keys := make([]string, len(a.Keys))
	for i, k := range a.Keys {
		keys[i] = k
		if k == "space" {
			keys[i] = " "
		}
	}
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(strings.Join(a.Keys, "/"), a.Short))
}

// Map is a set of bindings. It is not safe for concurrent use while Rebind runs.
type Map struct {
	actions map[Context][]Action // by context of binding, in declared order
}

// Default returns the keys as shipped.
func Default() *Map {
	m := &Map{actions: make(map[Context][]Action, len(contexts))}
	for _, a := range declared {
		a.Keys = slices.Clone(a.Keys)
		m.actions[a.Context] = append(m.actions[a.Context], a)
	}
	return m
}

// Lookup returns what k does in c. It takes the name Bubble Tea gives a key (tea.KeyMsg.String()) or ours for it.
func (m *Map) Lookup(c Context, k string) (Action, bool) {
	k = normal(k)
	var passed []ID // bound nearer to c, with other keys
	for ; c != ""; c = c.parent() {
		for _, a := range m.actions[c] {
			if slices.Contains(a.Keys, k) && !slices.Contains(passed, a.ID) {
				return a, true
			}
		}
		for _, a := range m.actions[c] {
			passed = append(passed, a.ID)
		}
	}
	return Action{}, false
}

// Action returns the action as it is bound in c, with its keys there.
func (m *Map) Action(c Context, id ID) (Action, bool) {
	for ; c != ""; c = c.parent() {
		for _, a := range m.actions[c] {
			if a.ID == id {
				return a, true
			}
		}
	}
	return Action{}, false
}

// Actions returns what can be done in c: its own actions first, then those it falls back to.
func (m *Map) Actions(c Context) []Action {
	var all []Action
	seen := map[ID]bool{}
	for ; c != ""; c = c.parent() {
		for _, a := range m.actions[c] {
			if !seen[a.ID] {
				seen[a.ID] = true
				all = append(all, a)
			}
		}
	}
	return all
}

// Commands returns one action of each name, in declared order: the vocabulary of the command line and the palette.
func (m *Map) Commands() []Action {
	var all []Action
	seen := map[ID]bool{}
	for _, d := range declared {
		if a, ok := m.Action(d.Context, d.ID); ok && !seen[d.ID] && a.Command() != "" {
			seen[d.ID] = true
			all = append(all, a)
		}
	}
	return all
}

// Command finds an action by its name, with or without the colon.
func (m *Map) Command(name string) (Action, bool) {
	id := ID(strings.TrimPrefix(name, ":"))
	for _, a := range m.Commands() {
		if a.ID == id {
			return a, true
		}
	}
	return Action{}, false
}

// normal turns the name of a key into ours; people and Bubble Tea have others for some.
func normal(k string) string {
	switch k {
	case " ":
		return "space"
	case "pgdn", "pagedown":
		return "pgdown"
	case "pageup":
		return "pgup"
	}
	return k
}
