package vlist

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
)

// ring keeps the last cap ids, like the engine's; ids grow from 1 and have no gaps.
type ring struct {
	mu          sync.Mutex
	first, next uint64
	cap         uint64
	drawn       int
	text        func(id uint64) string
}

func newRing(n, capacity uint64) *ring {
	r := &ring{first: 1, next: 1, cap: capacity}
	r.add(n)
	return r
}

func (r *ring) add(n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next += n
	if r.next-r.first > r.cap {
		r.first = r.next - r.cap
	}
}

func (r *ring) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int(r.next - r.first)
}

func (r *ring) ID(i int) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first + uint64(i)
}

func (r *ring) Index(id uint64) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id < r.first || id >= r.next {
		return -1
	}
	return int(id - r.first)
}

func (r *ring) Row(i, w int, selected bool) string {
	id := r.ID(i)
	r.mu.Lock()
	r.drawn++
	r.mu.Unlock()
	mark := " "
	if selected {
		mark = ">"
	}
	if r.text != nil {
		return mark + r.text(id)
	}
	return fmt.Sprintf("%s %d", mark, id)
}

// table is a list in any order.
type table []uint64

func (t table) Len() int        { return len(t) }
func (t table) ID(i int) uint64 { return t[i] }
func (t table) Row(i, _ int, selected bool) string {
	return fmt.Sprintf("%v %d", selected, t[i])
}

func (t table) Index(id uint64) int {
	for i, x := range t {
		if x == id {
			return i
		}
	}
	return -1
}

// state is what a test compares: the window's ids, the selected one, follow.
func state(l *List) string {
	var ids []string
	top, n := l.Window()
	for i := top; i < top+n; i++ {
		ids = append(ids, fmt.Sprint(l.src.ID(i)))
	}
	id, _, ok := l.Selected()
	sel := "-"
	if ok {
		sel = fmt.Sprint(id)
	}
	s := strings.Join(ids, " ") + " > " + sel
	if l.Following() {
		s += " follow"
	}
	return s
}

func TestStory(t *testing.T) {
	src := newRing(10, 20)
	l := New(src)
	l.SetSize(20, 4)
	for _, step := range []struct {
		what string
		do   func()
		want string
	}{
		{"it starts at the top with nothing selected", func() {}, "1 2 3 4 > -"},
		{"it follows", func() { l.SetFollow(true) }, "7 8 9 10 > - follow"},
		{"up selects the last visible row and stops following", func() { l.Move(-1) }, "7 8 9 10 > 10"},
		{"up again", func() { l.Move(-2) }, "7 8 9 10 > 8"},
		{"arrivals move nothing", func() { src.add(3); l.Sync() }, "7 8 9 10 > 8"},
		{"follow moves the window, not the selection", func() { l.SetFollow(true) }, "10 11 12 13 > 8 follow"},
		{"arrivals move the window alone", func() { src.add(1); l.Sync() }, "11 12 13 14 > 8 follow"},
		{"down comes back to the selection", func() { l.Move(1) }, "9 10 11 12 > 9"},
		{"end selects the last and follows", func() { l.End() }, "11 12 13 14 > 14 follow"},
		{"the selection stays while following", func() { src.add(2); l.Sync() }, "13 14 15 16 > 14 follow"},
		{"down in the tail goes on following", func() { l.Move(1) }, "13 14 15 16 > 15 follow"},
		{"home stops following", func() { l.Home() }, "1 2 3 4 > 1"},
		{"page down", func() { l.Page(1) }, "4 5 6 7 > 4"},
		{"half page down", func() { l.HalfPage(1) }, "6 7 8 9 > 6"},
		{"page up", func() { l.Page(-1) }, "3 4 5 6 > 3"},
		{"page up to the start", func() { l.Page(-1) }, "1 2 3 4 > 1"},
		{"select by id", func() { l.Select(9) }, "6 7 8 9 > 9"},
		{"the wheel moves the window alone", func() { l.Scroll(3) }, "9 10 11 12 > 9"},
		{"old rows fall out; the window stays", func() { src.add(8); l.Sync() }, "9 10 11 12 > 9"},
		{"the selected row falls out: the nearest is next", func() { src.add(6); l.Sync() }, "11 12 13 14 > 11"},
		{"all that was visible falls out", func() { src.add(50); l.Sync() }, "61 62 63 64 > 61"},
		{"a taller window keeps the top row", func() { l.SetSize(20, 6) }, "61 62 63 64 65 66 > 61"},
		{"search below", func() { l.Search(1, func(i int) bool { return src.ID(i)%10 == 0 }) }, "65 66 67 68 69 70 > 70"},
		{"a lower window keeps the selection in view", func() { l.SetSize(20, 3) }, "68 69 70 > 70"},
		{"search above", func() { l.Search(-1, func(i int) bool { return src.ID(i)%33 == 0 }) }, "66 67 68 > 66"},
		{"search goes on at the other end", func() { l.Search(-1, func(i int) bool { return src.ID(i) == 80 }) }, "78 79 80 > 80"},
		{"a search that finds nothing moves nothing", func() { l.Search(1, func(int) bool { return false }) }, "78 79 80 > 80"},
		{"an id that is gone is not selected", func() { l.Select(3) }, "78 79 80 > 80"},
		{"nothing selected on request", func() { l.Unselect() }, "78 79 80 > -"},
	} {
		step.do()
		if got := state(l); got != step.want {
			t.Fatalf("%s: got %s, want %s", step.what, got, step.want)
		}
	}
}

func TestOrderChanges(t *testing.T) {
	l := New(table{5, 3, 9, 1, 7, 2})
	l.SetSize(10, 3)
	l.Select(1)
	for _, step := range []struct {
		what string
		rows table
		want string
	}{
		{"sorted anew, the window goes where the selected row went", table{1, 2, 3, 5, 7, 9}, "1 2 3 > 1"},
		{"rows put in above the window do not scroll it", table{11, 12, 1, 2, 3, 5, 7, 9}, "1 2 3 > 1"},
		{"rows put in above the selected row push others out", table{1, 11, 2, 12, 3, 5, 7, 9}, "1 11 2 > 1"},
	} {
		l.SetSource(step.rows)
		if got := state(l); got != step.want {
			t.Fatalf("%s: got %s, want %s", step.what, got, step.want)
		}
	}
	l.Select(5)
	l.SetSource(table{11, 12, 3, 7, 9})
	if got := state(l); got != "12 3 7 > 3" {
		t.Errorf("the selected row is filtered out: got %s, want its neighbour", got)
	}
	l.SetSource(table{})
	if got := state(l); got != " > -" {
		t.Errorf("no rows: got %s", got)
	}
	l.Move(1)
	l.Move(-1)
	l.Page(1)
	l.Home()
	l.End()
	if l.Search(1, func(int) bool { return true }) {
		t.Error("found a row in an empty list")
	}
	if got := l.View(); got != "          \n          \n          " {
		t.Errorf("got %q", got)
	}
}

func TestAt(t *testing.T) {
	l := New(newRing(3, 10))
	l.SetSize(10, 5)
	for y, want := range map[int]uint64{-1: 0, 0: 1, 2: 3, 3: 0, 9: 0} {
		if got, ok := l.At(y); got != want || ok != (want > 0) {
			t.Errorf("line %d: got %d %v, want %d", y, got, ok, want)
		}
	}
}

func TestGolden(t *testing.T) {
	for _, w := range []int{4, 12, 40} {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			src := newRing(100, 100)
			src.text = func(id uint64) string { return fmt.Sprintf("%d 漢字 e\u0301 row", id) }
			l := New(src)
			l.SetSize(w, 5)
			l.Select(50)
			golden.RequireEqual(t, []byte(l.View()))
		})
	}
}

func TestViewIsExact(t *testing.T) {
	src := newRing(7, 100)
	src.text = func(id uint64) string { return strings.Repeat("漢e\u0301\x1b[1m🇩🇪\x1b[0m", int(id)) }
	l := New(src)
	for w := range 40 {
		for h := range 10 {
			l.SetSize(w, h)
			l.Move(1 - 2*(w%2))
			got := l.View()
			if w == 0 || h == 0 {
				if got != "" {
					t.Fatalf("got %q", got)
				}
				continue
			}
			lines := strings.Split(got, "\n")
			if len(lines) != h {
				t.Fatalf("%dx%d: %d lines", w, h, len(lines))
			}
			for _, line := range lines {
				if n := ansi.StringWidth(line); n != w {
					t.Fatalf("%dx%d: %d cells in %q", w, h, n, line)
				}
			}
		}
	}
}

func TestViewChangesNothing(t *testing.T) {
	src := newRing(50, 100)
	l := New(src)
	l.SetSize(10, 5)
	l.End()
	src.add(10)
	before := fmt.Sprintf("%+v", *l)
	first := l.View()
	if after := fmt.Sprintf("%+v", *l); after != before {
		t.Errorf("got %s, want %s", after, before)
	}
	if second := l.View(); second != first {
		t.Errorf("got %q, then %q", first, second)
	}
}

func TestCostDoesNotDependOnLen(t *testing.T) {
	cost := func(n uint64) (allocs float64, drawn int) {
		src := newRing(n, n)
		src.text = func(uint64) string { return " row" }
		l := New(src)
		l.SetSize(80, 20)
		l.SetFollow(true)
		l.Move(-1)
		allocs = testing.AllocsPerRun(50, func() {
			src.add(1)
			src.drawn = 0
			l.Sync()
			l.View()
			l.Move(-1)
			l.Move(1)
		})
		return allocs, src.drawn
	}
	small, _ := cost(100)
	big, drawn := cost(1_000_000)
	if big > small || drawn != 20 {
		t.Errorf("got %v allocations and %d rows drawn with a million rows, want %v and 20", big, drawn, small)
	}
}

// Rows arrive and leave while the list is drawn and moved; the selection follows its id.
func TestArrivalsWhileDrawing(t *testing.T) {
	src := newRing(100_000, 100_000)
	l := New(src)
	l.SetSize(40, 10)
	l.SetFollow(true)
	l.Select(90_000)
	var arrivals sync.WaitGroup
	arrivals.Go(func() {
		for range 2000 {
			src.add(40)
		}
	})
	for range 500 {
		l.Sync()
		l.View()
		if id, _, ok := l.Selected(); !ok || id != 90_000 {
			t.Fatalf("the selection went to %d", id)
		}
	}
	arrivals.Wait()
	l.Sync()
	if id, i, _ := l.Selected(); id != 90_000 || src.ID(i) != id {
		t.Errorf("got %d at %d", id, i)
	}
}

// Whatever one does, the window and the selection are within the rows, and the selection in view after a movement.
func TestRandomMoves(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	src := newRing(30, 40)
	l := New(src)
	l.SetSize(10, 7)
	for step := range 20_000 {
		moved := true
		switch rnd.IntN(9) {
		case 0:
			src.add(rnd.Uint64N(60))
			l.Sync()
			moved = false
		case 1:
			l.Move(rnd.IntN(9) - 4)
			moved = false // by nothing, perhaps
		case 2:
			l.Page(rnd.IntN(2)*2 - 1)
		case 3:
			l.HalfPage(rnd.IntN(2)*2 - 1)
		case 4:
			l.SetSize(10, rnd.IntN(12))
			moved = false
		case 5:
			l.Home()
		case 6:
			l.End()
		case 7:
			l.SetFollow(rnd.IntN(2) == 0)
			moved = false
		case 8:
			l.Scroll(rnd.IntN(9) - 4)
			moved = false
		}
		top, n := l.Window()
		_, h := l.Size()
		if top < 0 || n > h || top+n > src.Len() || (n < h && n < src.Len()) {
			t.Fatalf("step %d: window %d+%d of %d rows in %d lines", step, top, n, src.Len(), h)
		}
		id, i, ok := l.Selected()
		if ok && (i >= src.Len() || src.ID(i) != id) {
			t.Fatalf("step %d: selected %d at %d", step, id, i)
		}
		if moved && h > 0 && !l.SelectionVisible() {
			t.Fatalf("step %d: selection %d out of view in %d+%d", step, i, top, n)
		}
		if l.Following() && top+n != src.Len() {
			t.Fatalf("step %d: following, but the window ends at %d of %d", step, top+n, src.Len())
		}
	}
}

func BenchmarkView(b *testing.B) {
	for _, n := range []uint64{100, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			src := newRing(n, n)
			src.text = func(uint64) string { return " SELECT a FROM t WHERE id = 1" }
			l := New(src)
			l.SetSize(120, 40)
			l.SetFollow(true)
			b.ReportAllocs()
			for b.Loop() {
				src.add(10)
				l.Sync()
				l.View()
			}
		})
	}
}
