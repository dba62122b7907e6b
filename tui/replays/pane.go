package replays

import (
	"fmt"
	"strings"
	"time"

	"mydbg/tui/conns"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
	"mydbg/tui/traffic"
	"mydbg/tui/vlist"
)

// Pane lists what differs. Use New.
type Pane struct {
	th   *theme.Theme
	list *vlist.List
	w, h int

	focused bool
	to      string
	items   []Item
	state   State
}

// New makes an empty pane.
func New(th *theme.Theme) *Pane {
	p := &Pane{th: th}
	p.list = vlist.New(p)
	return p
}

// SetFocused says whether keys go here; it changes how the selection looks.
func (p *Pane) SetFocused(on bool) { p.focused = on }

// SetTheme changes the looks.
func (p *Pane) SetTheme(th *theme.Theme) { p.th = th }

// SetSize changes the size of the box.
func (p *Pane) SetSize(w, h int) {
	p.w, p.h = w, h
	iw, ih := theme.Inner(w, h)
	p.list.SetSize(iw, max(ih-headLines-p.about(), 1))
}

// headLines are above the list: the bar, the counts, the names of the columns.
const headLines = 3

// about is how many lines the selected row is explained in.
func (p *Pane) about() int {
	_, ih := theme.Inner(p.w, p.h)
	if ih < 12 {
		return 0
	}
	return min(ih/2-1, 12)
}

// Sync takes in how a replay stands.
func (p *Pane) Sync(l *Log) {
	items, state := l.since(len(p.items))
	p.to, p.state = l.to, state
	p.items = append(p.items, items...)
	p.list.Sync()
	if _, _, ok := p.list.Selected(); !ok && len(p.items) > 0 {
		p.list.Home()
	}
}

// State is how the replay stood at the last Sync.
func (p *Pane) State() State { return p.state }

// Selected is the selected result.
func (p *Pane) Selected() (Item, bool) {
	if _, i, ok := p.list.Selected(); ok && i < len(p.items) {
		return p.items[i], true
	}
	return Item{}, false
}

// Do carries out a movement; false when a is not the pane's.
func (p *Pane) Do(a keymap.ID) bool { return conns.Move(p.list, a) }

// Len is the number of rows.
func (p *Pane) Len() int { return len(p.items) }

// ID is the identity of row i.
func (p *Pane) ID(i int) uint64 { return uint64(i + 1) }

// Index is the place of a row.
func (p *Pane) Index(id uint64) int {
	if id == 0 || id > uint64(len(p.items)) {
		return -1
	}
	return int(id - 1)
}

const (
	seqWidth  = 8
	connWidth = 6
	timeWidth = 8
)

// kindsWidth is the room for what differs.
func kindsWidth(w int) int { return min(max(w/5, 12), 26) }

// Row draws row i.
func (p *Pane) Row(i, w int, selected bool) string {
	it := &p.items[i]
	pointer := " "
	if selected {
		pointer = p.th.Pointer()
	}
	kinds := safe.Pad(safe.Cut(it.Kinds, kindsWidth(w)), kindsWidth(w))
	style := p.th.Warning
	if it.Failed {
		style = p.th.Error
	}
	took := p.duration(it.Took)
	if it.Took == 0 { // not known
		took = "-"
	}
	head := pointer + " " + safe.PadLeft(fmt.Sprintf("%d", it.Seq), seqWidth-1) + safe.PadLeft(fmt.Sprintf("#%d", it.Conn), connWidth) + "  "
	line := head + style.Render(kinds) + safe.PadLeft(took, timeWidth) + p.th.Dim.Render(safe.PadLeft(p.duration(it.Was), timeWidth)) + "  "
	room := w - len(head) - kindsWidth(w) - 2*timeWidth - 2
	line += safe.Cut(safe.Line(it.SQL), max(room, 0))
	if selected {
		return conns.Chosen(p.th, line, w, p.focused)
	}
	return line
}

func (p *Pane) duration(d time.Duration) string { return traffic.Short(d) }

// View draws the pane's box.
func (p *Pane) View(focused bool) string {
	iw, _ := theme.Inner(p.w, p.h)
	lines := []string{p.progress(iw), p.counts(iw)}
	kinds := kindsWidth(iw)
	head := "  " + safe.PadLeft("event", seqWidth-1) + safe.PadLeft("conn", connWidth) + "  " + safe.Pad("differs in", kinds) +
		safe.PadLeft("now", timeWidth) + safe.PadLeft("was", timeWidth) + "  statement"
	lines = append(lines, p.th.Dim.Render(safe.Cut(head, iw)))
	if len(p.items) > 0 {
		lines = append(lines, p.list.View())
	} else {
		text := "Nothing differs so far."
		if p.state.Over {
			text = "Nothing differs."
		}
		_, h := p.list.Size()
		lines = append(lines, p.th.Dim.Render(text)+strings.Repeat("\n", max(h-1, 0)))
	}
	if n := p.about(); n > 0 {
		about := p.explain(iw)
		for len(about) < n {
			about = append(about, "")
		}
		lines = append(lines, about[:n]...)
	}
	right := ""
	if len(p.items) > 0 {
		right = "enter shows the event"
	}
	return p.th.Box("7 Replay to "+p.to, right, strings.Join(lines, "\n"), p.w, p.h, focused)
}

// progress is how far it has come.
func (p *Pane) progress(w int) string {
	s := &p.state
	took := s.Now.Sub(s.Began)
	var text string
	switch {
	case s.Err != nil:
		return p.th.Error.Render(safe.Cut(safe.Line("It has ended: "+s.Err.Error()), w))
	case s.Over:
		text = fmt.Sprintf("done  %s of %s in %s", traffic.Count(s.Done), traffic.Count(s.All), traffic.Short(took))
	default:
		text = fmt.Sprintf("%s of %s, %s", traffic.Count(s.Done), traffic.Count(s.All), traffic.Clock(took))
		if s.Done > 0 && took > 2*time.Second {
			text += fmt.Sprintf(", %s/s", traffic.Count(int(float64(s.Done)/took.Seconds())))
		}
	}
	bar := min(max(w-len(text)-2, 0), 40)
	return p.th.Bar(s.Done, s.All, bar) + "  " + safe.Cut(text, max(w-bar-2, 0))
}

// counts are the results in numbers.
func (p *Pane) counts(w int) string {
	s := &p.state
	parts := []string{traffic.Count(s.Same) + " the same"}
	add := func(n int, what string, style theme.Style) {
		if n > 0 {
			parts = append(parts, style.Render(traffic.Count(n)+" "+what))
		}
	}
	add(s.Differ, "different", p.th.Warning)
	add(s.Failed, "failed", p.th.Error)
	add(s.Ignored, "ignored", p.th.Text)
	add(s.Skipped, "not sent", p.th.Dim)
	if n := s.Differ + s.Failed - len(p.items); n > 0 {
		parts = append(parts, p.th.Dim.Render(traffic.Count(n)+" not listed"))
	}
	return theme.Fit(strings.Join(parts, "  "), w)
}

// explain is the selected result in full, and at the end what was not sent and why.
func (p *Pane) explain(w int) []string {
	lines := []string{p.th.Dim.Render(strings.Repeat(p.th.Line(), w))}
	it, ok := p.Selected()
	if ok {
		text := safe.Wrap(safe.Line(it.SQL), w)
		lines = append(lines, text[:min(len(text), 3)]...)
		for _, l := range it.Lines {
			wrapped := safe.Wrap(safe.Line(l), max(w-2, 1))
			for _, part := range wrapped[:min(len(wrapped), 2)] {
				lines = append(lines, "  "+p.th.Warning.Render(part))
			}
		}
	}
	if p.state.Over {
		for _, l := range p.state.Summary {
			lines = append(lines, p.th.Dim.Render(safe.Cut(safe.Line(l), w)))
		}
	}
	return lines
}
