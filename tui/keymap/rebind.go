package keymap

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
)

// Rebind changes keys as a keys.toml says: context, then action, then its keys, separated by spaces; no keys unbind
// it. An action of InMain that is bound in another context has those keys there and its own elsewhere. All of the
// changes are made or, if there is an error, none; the error names every fault.
func (m *Map) Rebind(changes map[string]map[string]string) error {
	next := &Map{actions: make(map[Context][]Action, len(m.actions))}
	for c, as := range m.actions {
		next.actions[c] = slices.Clone(as)
	}
	var faults []error
	for _, c := range slices.Sorted(maps.Keys(changes)) {
		if !slices.Contains(contexts, Context(c)) {
			faults = append(faults, fmt.Errorf("unknown context %q, known are %v", c, contexts))
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(changes[c])) {
			if err := next.bind(Context(c), ID(id), strings.Fields(changes[c][id])); err != nil {
				faults = append(faults, err)
			}
		}
	}
	if faults = append(faults, next.faults()...); len(faults) > 0 {
		return errors.Join(faults...)
	}
	m.actions = next.actions
	return nil
}

func (m *Map) bind(c Context, id ID, keys []string) error {
	for i, k := range keys {
		keys[i] = normal(k)
		if !isKey(keys[i]) {
			return fmt.Errorf("%s in %s: no terminal sends a key named %q", id, c, k)
		}
	}
	as := m.actions[c]
	if i := slices.IndexFunc(as, func(a Action) bool { return a.ID == id }); i >= 0 {
		as[i].Keys = keys
		return nil
	}
	a, ok := m.Action(c, id)
	if !ok {
		return fmt.Errorf("unknown action %q in %s", id, c)
	}
	a.Context, a.Keys = c, keys
	m.actions[c] = append(as, a)
	return nil
}

// hides are the actions that take a key from one they fall back to, on purpose.
var hides = map[ID]ID{StepBack: Pause, Reload: Redraw}

// faults finds keys that mean two things, and keys that could release traffic by accident.
func (m *Map) faults() (faults []error) {
	for _, c := range contexts {
		for i, a := range m.actions[c] {
			for _, k := range a.Keys {
				if err := m.fault(c, i, a, k); err != nil {
					faults = append(faults, err)
				}
			}
		}
	}
	return faults
}

func (m *Map) fault(c Context, i int, a Action, k string) error {
	if c.root() == InMain {
		if other, ok := shipped(k, GroupRelease); ok && a.Group == GroupMove {
			return fmt.Errorf("key %q in %s: %s only moves, but people press it to release (%s)", k, c, a.ID, other)
		}
		if other, ok := shipped(k, GroupMove); ok && a.Group == GroupRelease {
			return fmt.Errorf("key %q in %s: %s releases, but people press it to move (%s)", k, c, a.ID, other)
		}
	}
	if c.takesText() && isText(k) {
		return fmt.Errorf("key %q in %s: %s would take a character that is typed there", k, c, a.ID)
	}
	for _, b := range m.actions[c][:i] {
		if slices.Contains(b.Keys, k) {
			return fmt.Errorf("key %q in %s: both %s and %s", k, c, b.ID, a.ID)
		}
	}
	for p := c.parent(); p != ""; p = p.parent() {
		for _, b := range m.actions[p] {
			if slices.Contains(b.Keys, k) && b.ID != a.ID && hides[a.ID] != b.ID && !m.bound(c, b.ID) {
				return fmt.Errorf("key %q in %s: %s hides %s of %s", k, c, a.ID, b.ID, p)
			}
		}
	}
	return nil
}

// bound reports whether id has keys of its own in c.
func (m *Map) bound(c Context, id ID) bool {
	return slices.ContainsFunc(m.actions[c], func(a Action) bool { return a.ID == id })
}

// shipped returns the action of group g in InMain that has k as shipped: what fingers remember.
func shipped(k string, g Group) (ID, bool) {
	for _, a := range declared {
		if a.Context == InMain && a.Group == g && slices.Contains(a.Keys, k) {
			return a.ID, true
		}
	}
	return "", false
}

func isText(k string) bool { return k == "space" || utf8.RuneCountInString(k) == 1 }

// isKey reports whether Bubble Tea has a key of that name.
func isKey(k string) bool {
	k = strings.TrimPrefix(k, "alt+")
	if r, n := utf8.DecodeRuneInString(k); n == len(k) {
		return unicode.IsPrint(r)
	}
	return k == "space" || namedKeys[k]
}

var namedKeys = func() map[string]bool {
	names := map[string]bool{}
	for t := tea.KeyType(-128); t < 128; t++ { // all there are, with room for more
		if s := (tea.Key{Type: t}).String(); s != "" {
			names[s] = true
		}
	}
	return names
}()
