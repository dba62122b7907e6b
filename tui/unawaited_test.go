package tui

import (
	"testing"
	"time"

	"mydbg/intercept"
)

// TestWhatNobodyAwaitsIsNotSentByAccident: c asks first, releasing all discards.
func TestWhatNobodyAwaitsIsNotSentByAccident(t *testing.T) {
	f := shop()
	leave := func() {
		h := &f.held[0]
		h.Left = noon.Add(-5 * time.Second)
		f.edit(h.Exchange, func(x *intercept.Exchange) { x.Marks |= intercept.MarkUnawaited })
	}
	leave()
	d, m := start(t, f, 120, 36, plain)
	id, n := f.held[0].ID, len(f.held)
	m.events.SelectHeld(id)
	wake(d)
	d.Has("GONE")
	d.Press("c")
	d.Has("Nobody awaits", "Go on all the same?")
	later := m.now().Add(time.Second)
	m.now = func() time.Time { return later }
	d.Press("n")
	if len(f.held) != n || len(f.resolved) != 0 {
		t.Fatalf("n released it: %v", f.resolved)
	}
	d.Press("c")
	later = later.Add(time.Second)
	d.Press("y")
	if len(f.resolved) != 1 || f.resolved[0].id != id || !f.resolved[0].v.Unawaited {
		t.Fatalf("y did %+v", f.resolved)
	}
	leave()
	wake(d)
	m.releaseAll()
	for _, r := range f.resolved[1:] {
		if left := r.id == f.resolved[1].id; left != (r.v.Action == intercept.Close) {
			t.Errorf("releasing all: %+v", r)
		}
	}
}
