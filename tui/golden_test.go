package tui

import (
	"fmt"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/tui/tuitest"
)

var sizes = [][2]int{{200, 50}, {120, 36}, {100, 30}, {80, 24}, {60, 15}}

// The states of the mock-ups.
var scenes = []struct {
	name string
	make func() *fake
	do   func(d *tuitest.Driver)
}{
	{"first", func() *fake { return &fake{} }, nil},
	{"paused", shop, nil},
	{"flat", shop, func(d *tuitest.Driver) { d.Press("T") }},
	{"connections", shop, func(d *tuitest.Driver) { d.Press("2") }},
	{"breakpoints", shop, func(d *tuitest.Driver) { d.Press("3", "j") }},
	{"digests", shop, func(d *tuitest.Driver) { d.Press("4", "j") }},
	{"log", shop, func(d *tuitest.Driver) { d.Press("8") }},
	{"inspector", shop, func(d *tuitest.Driver) { d.Press("enter") }},
	{"filter", shop, func(d *tuitest.Driver) { d.Press("f"); d.Type(`rows > 2 and "orders" in tabels`) }},
	{"filtered", shop, func(d *tuitest.Driver) { d.Press("f"); d.Type(`rows > 2`); d.Press("enter") }},
	{"break", shop, func(d *tuitest.Driver) { d.Press("i"); d.Type(`verb == "UPDATE" and ro`); d.Press("tab") }},
	{"command", shop, func(d *tuitest.Driver) { d.Press(":"); d.Type("break"); d.Press("tab") }},
	{"help", shop, func(d *tuitest.Driver) { d.Press("?"); d.Type("inj") }},
	{"palette", shop, func(d *tuitest.Driver) { d.Press("ctrl+p"); d.Type("break") }},
	{"kill", shop, func(d *tuitest.Driver) { d.Press("ctrl+k") }},
	{"quit", shop, func(d *tuitest.Driver) { d.Press("Q") }},
}

func TestGolden(t *testing.T) {
	for _, s := range scenes {
		for _, z := range sizes {
			t.Run(fmt.Sprintf("%s/%dx%d", s.name, z[0], z[1]), func(t *testing.T) {
				d, _ := start(t, s.make(), z[0], z[1], plain)
				if s.do != nil {
					s.do(d)
				}
				d.Golden(t)
			})
		}
	}
}

func TestGoldenLooks(t *testing.T) {
	for _, l := range []look{
		{name: "dark", profile: termenv.ANSI},
		{name: "light", profile: termenv.ANSI},
		{name: "high-contrast", profile: termenv.ANSI},
		{name: "mono", profile: termenv.ANSI},
		{name: "dark", noColor: true, profile: termenv.ANSI},
		{name: "dark", ascii: true, profile: termenv.Ascii},
	} {
		t.Run(fmt.Sprintf("%s no colour %v ascii %v", l.name, l.noColor, l.ascii), func(t *testing.T) {
			d, _ := start(t, shop(), 120, 36, l)
			d.Golden(t)
		})
	}
}

func TestGoldenTooSmall(t *testing.T) {
	d, _ := start(t, shop(), 50, 10, plain)
	d.Golden(t)
}

// Frames of every state are exact at any size, and never wider than the window.
func TestFramesAreExact(t *testing.T) {
	for _, s := range scenes {
		d, _ := start(t, s.make(), 80, 24, plain)
		if s.do != nil {
			s.do(d)
		}
		for w := 20; w < 220; w += 13 {
			for h := 5; h < 60; h += 7 {
				d.Resize(w, h)
				tuitest.Exact(t, d.Frame())
			}
		}
	}
}

// A screen at 20,000 exchanges a second has 33 ms for each of 667.
func BenchmarkFrame(b *testing.B) {
	f := shop()
	d, m := start(b, f, 120, 36, plain)
	seq := intercept.Seq(2000)
	for b.Loop() {
		f.exchanges = f.exchanges[:0]
		for range 667 {
			seq++
			f.add(seq, 3+intercept.ConnID(seq%4), 3, fmt.Sprintf("SELECT o.* FROM orders o WHERE o.id = %d", seq%700), 0, time.Millisecond, rows(3))
		}
		d.Send(wakeMsg{})
		_ = m.View()
		d.Advance(frame)
	}
}
