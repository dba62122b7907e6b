package digests

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"mydbg/tui/conns"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
	"mydbg/tui/traffic"
	"mydbg/tui/vlist"
)

// Order is what the rows are sorted by, the largest first.
type Order uint8

const (
	ByTotal Order = iota
	ByCount
	ByMean
	ByP95
	ByMax
	ByRows
	ByFailed
	orders
)

var orderNames = [...]string{"total time", "count", "mean time", "95th percentile", "longest", "rows", "errors"}

func (o Order) String() string { return orderNames[o] }

// Pane lists forms of statements. Use New.
type Pane struct {
	th   *theme.Theme
	list *vlist.List
	w, h int

	focused bool
	table   Table
	rows    []*Stat
	ids     map[uint64]int // rows by their identity
	order   Order
	note    string // how far counting has come
}

// New makes an empty pane.
func New(th *theme.Theme) *Pane {
	p := &Pane{th: th, ids: map[uint64]int{}}
	p.list = vlist.New(p)
	return p
}

// SetFocused says whether keys go here; it changes how the selection looks.
func (p *Pane) SetFocused(on bool) { p.focused = on }

// SetTheme changes the looks.
func (p *Pane) SetTheme(th *theme.Theme) { p.th = th }

// about is how many lines the selected row is explained in.
const about = 6

// SetSize changes the size of the box.
func (p *Pane) SetSize(w, h int) {
	p.w, p.h = w, h
	iw, ih := theme.Inner(w, h)
	p.list.SetSize(iw, max(ih-1-p.about(), 1))
}

// about is how many lines the explanation has.
func (p *Pane) about() int {
	if _, ih := theme.Inner(p.w, p.h); ih < about+8 {
		return 0
	}
	return about
}

// Reset forgets what was counted.
func (p *Pane) Reset() {
	p.table, p.note = Table{}, ""
	p.arrange()
}

// Add counts samples. note says how far counting has come, "" when it is up to date.
func (p *Pane) Add(samples []Sample, note string) {
	for i := range samples {
		p.table.Add(samples[i])
	}
	p.note = note
	p.arrange()
}

// Sort changes the order of the rows to the next one there is.
func (p *Pane) Sort() Order {
	p.order = (p.order + 1) % orders
	p.arrange()
	p.list.Home()
	return p.order
}

// Selected is the selected form.
func (p *Pane) Selected() (*Stat, bool) {
	id, _, ok := p.list.Selected()
	if i, here := p.ids[id]; ok && here {
		return p.rows[i], true
	}
	return nil, false
}

// Do carries out a movement; false when a is not the pane's.
func (p *Pane) Do(a keymap.ID) bool { return conns.Move(p.list, a) }

func (p *Pane) arrange() {
	key := func(s *Stat) uint64 {
		switch p.order {
		case ByCount:
			return s.Count
		case ByMean:
			return uint64(s.Mean())
		case ByP95:
			return uint64(s.Quantile(0.95))
		case ByMax:
			return uint64(s.Max)
		case ByRows:
			return s.Rows
		case ByFailed:
			return s.Failed
		}
		return uint64(s.Total)
	}
	type keyed struct {
		key uint64
		s   *Stat
	}
	all := make([]keyed, len(p.table.list))
	for i, s := range p.table.list {
		all[i] = keyed{key(s), s}
	}
	slices.SortFunc(all, func(a, b keyed) int {
		return cmp.Or(cmp.Compare(b.key, a.key), cmp.Compare(b.s.Total, a.s.Total), strings.Compare(a.s.Text, b.s.Text))
	})
	p.rows = p.rows[:0]
	clear(p.ids)
	for i, k := range all {
		p.rows = append(p.rows, k.s)
		p.ids[id(k.s)] = i
	}
	p.list.Sync()
	if _, _, ok := p.list.Selected(); !ok && len(p.rows) > 0 {
		p.list.Select(id(p.rows[0]))
	}
}

// id is a form's identity for the list.
func id(s *Stat) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.Text)) // never fails
	return h.Sum64() | 1           // 0 is no row
}

// Len is the number of rows.
func (p *Pane) Len() int { return len(p.rows) }

// ID is the identity of row i.
func (p *Pane) ID(i int) uint64 { return id(p.rows[i]) }

// Index is the place of a row, -1 if it is not listed.
func (p *Pane) Index(id uint64) int {
	if i, ok := p.ids[id]; ok {
		return i
	}
	return -1
}

// column is one of the table; those with a higher rank go first when there is no room.
type column struct {
	name string
	w    int
	rank int
	by   Order
	cell func(*Stat) string
}

// least is how much room the statement has at least.
const least = 28

func (p *Pane) columns(w int) []column {
	d := func(f func(*Stat) time.Duration) func(*Stat) string {
		return func(s *Stat) string { return traffic.Short(f(s)) }
	}
	number := func(f func(*Stat) uint64) func(*Stat) string {
		return func(s *Stat) string {
			if n := f(s); n > 0 {
				return traffic.Count(n)
			}
			return "-"
		}
	}
	all := []column{
		{"total", 8, 0, ByTotal, d(func(s *Stat) time.Duration { return s.Total })},
		{"share", 6, 1, orders, func(s *Stat) string {
			return fmt.Sprintf("%.1f%%", 100*float64(s.Total)/float64(max(p.table.Total, 1)))
		}},
		{"count", 9, 0, ByCount, number(func(s *Stat) uint64 { return s.Count })},
		{"mean", 8, 0, ByMean, d((*Stat).Mean)},
		{"p50", 8, 4, orders, d(func(s *Stat) time.Duration { return s.Quantile(0.5) })},
		{"p95", 8, 2, ByP95, d(func(s *Stat) time.Duration { return s.Quantile(0.95) })},
		{"p99", 8, 4, orders, d(func(s *Stat) time.Duration { return s.Quantile(0.99) })},
		{"max", 8, 3, ByMax, d(func(s *Stat) time.Duration { return s.Max })},
		{"rows", 9, 3, ByRows, number(func(s *Stat) uint64 { return s.Rows })},
		{"affected", 8, 5, orders, number(func(s *Stat) uint64 { return s.Affected })},
		{"errors", 6, 2, ByFailed, number(func(s *Stat) uint64 { return s.Failed })},
	}
	for rank := 5; rank > 0; rank-- {
		used := 2 + tagWidth + least
		for _, c := range all {
			used += c.w + 1
		}
		if used <= w {
			break
		}
		all = slices.DeleteFunc(all, func(c column) bool { return c.rank == rank && c.by != p.order })
	}
	return all
}

// tagWidth is the room for what is special about a form.
const tagWidth = 5

// Row draws row i.
func (p *Pane) Row(i, w int, selected bool) string {
	s := p.rows[i]
	line := " "
	if selected {
		line = p.th.Pointer()
	}
	for _, c := range p.columns(w) {
		cell := safe.PadLeft(c.cell(s), c.w)
		switch {
		case c.name == "errors" && s.Failed > 0:
			cell = p.th.Error.Render(cell)
		case s.Chatter:
			cell = p.th.Dim.Render(cell)
		case c.by == p.order:
			cell = p.th.Strong.Render(cell)
		}
		line += " " + cell
	}
	tag := strings.Repeat(" ", tagWidth)
	switch {
	case s.Repeats():
		tag = p.th.State(theme.NPlus1).Render(safe.Pad(" "+theme.NPlus1.Tag(), tagWidth))
	case s.Chatter:
		tag = p.th.Dim.Render(safe.Pad(" drv", tagWidth))
	}
	line += tag
	text := safe.Cut(safe.Line(compact.Replace(s.Text)), max(w-ansi.StringWidth(line)-1, 0))
	switch verb, rest, ok := strings.Cut(text, " "); {
	case s.Chatter || s.Digest == "":
		line += " " + p.th.Dim.Render(text)
	case ok:
		line += " " + p.th.Keyword.Render(verb) + " " + rest
	default:
		line += " " + p.th.Keyword.Render(text)
	}
	if selected {
		return conns.Chosen(p.th, line, w, p.focused)
	}
	return line
}

// compact makes a digest's text shorter where there is little room.
var compact = strings.NewReplacer("`", "", " , ", ", ", " . ", ".", "( ", "(", " )", ")")

// View draws the pane's box.
func (p *Pane) View(focused bool) string {
	iw, _ := theme.Inner(p.w, p.h)
	head := " "
	for _, c := range p.columns(iw) {
		head += " " + safe.PadLeft(c.name, c.w)
	}
	head += strings.Repeat(" ", tagWidth+1) + "statement"
	body := p.th.Dim.Render(safe.Cut(head, iw)) + "\n" + p.list.View()
	if n := p.about(); n > 0 {
		lines := p.explain(iw)
		for len(lines) < n {
			lines = append(lines, "")
		}
		body += "\n" + strings.Join(lines[:n], "\n")
	}
	if len(p.rows) == 0 {
		body = p.th.Dim.Render("No statement has been counted yet.")
	}
	return p.th.Box(p.title(), "S order  enter show them  b break", body, p.w, p.h, focused)
}

func (p *Pane) title() string {
	t := &p.table
	title := fmt.Sprintf("4 Digests: %s of %s statements, by %s", traffic.Count(len(p.rows)), traffic.Count(t.Counted), p.order)
	if t.Chatter > 0 {
		title += fmt.Sprintf(", %d%% from drivers", (100*t.Chatter+t.Counted/2)/t.Counted)
	}
	if t.Other > 0 {
		title += fmt.Sprintf(", %s not listed", traffic.Count(t.Other))
	}
	if p.note != "" {
		title += ", " + p.note
	}
	return title
}

// explain says about the selected form what its row has no room for.
func (p *Pane) explain(w int) []string {
	s, ok := p.Selected()
	if !ok {
		return nil
	}
	lines := []string{p.th.Dim.Render(strings.Repeat(p.th.Line(), w))}
	text := safe.Wrap(s.Text, w)
	if most := about - 3; len(text) > most {
		text = append(text[:most-1:most-1], safe.Cut(strings.Join(text[most-1:], " "), w))
	}
	lines = append(lines, text...)
	where := fmt.Sprintf("%s  first #%d, last #%d, slowest #%d in %s", s.Cond, s.First, s.Last, s.Slowest, traffic.Short(s.Max))
	times := fmt.Sprintf("p50 %s  p95 %s  p99 %s  rows %s each", traffic.Short(s.Quantile(0.5)), traffic.Short(s.Quantile(0.95)),
		traffic.Short(s.Quantile(0.99)), perEach(s.Rows, s.Count))
	if s.Repeats() {
		times += fmt.Sprintf("  %s came right behind another: N+1?", traffic.Count(s.Alike))
	}
	return append(lines, p.th.Dim.Render(safe.Cut(where, w)), p.th.Dim.Render(safe.Cut(times, w)))
}

func perEach(n, of uint64) string {
	if n%of == 0 {
		return traffic.Count(n / of)
	}
	return fmt.Sprintf("%.1f", float64(n)/float64(of))
}
