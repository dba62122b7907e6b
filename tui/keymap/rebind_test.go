package keymap

import (
	"strings"
	"testing"
)

func TestRebind(t *testing.T) {
	for _, tt := range []struct {
		name    string
		changes map[string]map[string]string
		c       Context
		k       string
		want    ID
	}{
		{"gives a key", map[string]map[string]string{"main": {"filter": "ctrl+g"}}, InMain, "ctrl+g", Filter},
		{"takes the old one away", map[string]map[string]string{"main": {"filter": "ctrl+g"}}, InMain, "f", ""},
		{"unbinds", map[string]map[string]string{"main": {"filter": ""}}, InList, "f", ""},
		{"swaps", map[string]map[string]string{"main": {"filter": "F", "follow": "f"}}, InList, "f", Follow},
		{"binds for one context", map[string]map[string]string{"list": {"filter": "ctrl+g"}}, InList, "ctrl+g", Filter},
		{"and only there", map[string]map[string]string{"list": {"filter": "ctrl+g"}}, InMain, "ctrl+g", ""},
		{"replaces the inherited key there", map[string]map[string]string{"list": {"filter": "ctrl+g"}}, InList, "f", ""},
		{"keeps it elsewhere", map[string]map[string]string{"list": {"filter": "ctrl+g"}}, InInspector, "f", Filter},
		{"frees a key for another action there", map[string]map[string]string{"list": {"filter": "ctrl+g", "mark": "f"}}, InList, "f", Mark},
		{"knows the space bar by name", map[string]map[string]string{"main": {"toggle": "ctrl+g", "mark": "space"}}, InMain, " ", Mark},
		{"takes alt", map[string]map[string]string{"main": {"filter": "alt+f"}}, InMain, "alt+f", Filter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := Default()
			if err := m.Rebind(tt.changes); err != nil {
				t.Fatal(err)
			}
			if got, _ := m.Lookup(tt.c, tt.k); got.ID != tt.want {
				t.Errorf("%q in %s: got %q, want %q", tt.k, tt.c, got.ID, tt.want)
			}
		})
	}
}

func TestRebindRefuses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		changes map[string]map[string]string
		names   []string // what the error must say
	}{
		{"a clash", map[string]map[string]string{"main": {"filter": "m"}}, []string{`"m"`, "filter", "mark"}},
		{"a key that hides another", map[string]map[string]string{"list": {"filter": "m"}}, []string{`"m"`, "filter", "mark", "list"}},
		{"a release key that moves", map[string]map[string]string{"main": {"continue": "ctrl+g", "down": "c"}}, []string{`"c"`, "down", "continue"}},
		{"a release key that moves in one context", map[string]map[string]string{"list": {"down": "s"}}, []string{`"s"`, "down", "step"}},
		{"a moving key that releases", map[string]map[string]string{"main": {"step": "enter"}}, []string{`"enter"`, "step", "open"}},
		{"a character in a text field", map[string]map[string]string{"editor": {"draft": "x"}}, []string{`"x"`, "draft", "editor"}},
		{"the space bar in a text field", map[string]map[string]string{"prompt": {"accept": "space"}}, []string{`"space"`, "accept"}},
		{"an unknown action", map[string]map[string]string{"main": {"fliter": "m"}}, []string{"fliter", "main"}},
		{"an action of another context", map[string]map[string]string{"main": {"apply": "ctrl+g"}}, []string{"apply", "main"}},
		{"an unknown context", map[string]map[string]string{"mian": {"filter": "m"}}, []string{"mian", "inspector"}},
		{"a key no terminal sends", map[string]map[string]string{"main": {"filter": "ctrl+enter"}}, []string{"ctrl+enter", "filter"}},
		{"all faults at once", map[string]map[string]string{"main": {"filter": "m", "note": "ctrl+enter"}}, []string{"mark", "note"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := Default()
			before := m.Markdown()
			err := m.Rebind(tt.changes)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range tt.names {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to name %s", err, want)
				}
			}
			if m.Markdown() != before {
				t.Error("the map was changed all the same")
			}
		})
	}
}

// A rebound map never loses the default one's promises.
func FuzzRebind(f *testing.F) {
	f.Add("main", "filter", "ctrl+g", "c")
	f.Add("list", "down", "c", "c")
	f.Add("recording", "step", "p", "p")
	f.Fuzz(func(t *testing.T, c, id, keys, press string) {
		m := Default()
		before := m.Markdown()
		if err := m.Rebind(map[string]map[string]string{c: {id: keys}}); err != nil {
			if m.Markdown() != before {
				t.Fatal("changed in spite of", err)
			}
			return
		}
		if faults := m.faults(); len(faults) > 0 {
			t.Fatal(faults)
		}
		for _, k := range strings.Fields(keys) {
			if got, ok := m.Lookup(Context(c), k); !ok || got.ID != ID(id) {
				t.Fatalf("%q in %s: got %q, want %q", k, c, got.ID, id)
			}
		}
		if a, ok := m.Lookup(InPrompt, press); ok && isText(normal(press)) {
			t.Fatalf("%q in a prompt is %s", press, a.ID)
		}
	})
}
