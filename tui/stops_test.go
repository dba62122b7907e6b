package tui

import (
	"testing"
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
