// Package breaks is the pane of breakpoints, tracepoints and rules.
package breaks

import (
	"fmt"
	"slices"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/tui/conns"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
	"mydbg/tui/traffic"
	"mydbg/tui/vlist"
)

// Pane lists breakpoints. Use New.
type Pane struct {
	th   *theme.Theme
	list *vlist.List
	w, h int

	focused bool

	all    []intercept.Breakpoint
	allOff bool
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

// fixed is the width of a row without its condition.
const fixed = 44 + 17

// about is how many lines the explanation of the selected row may take.
const about = 3

// SetSize changes the size of the box.
func (p *Pane) SetSize(w, h int) {
	p.w, p.h = w, h
	iw, ih := theme.Inner(w, h)
	p.list.SetSize(iw, max(ih-1-about, 1))
}

// Sync takes the breakpoints as they are.
func (p *Pane) Sync(all []intercept.Breakpoint, off bool) {
	p.all, p.allOff = all, off
	p.list.Sync()
	if _, _, ok := p.list.Selected(); !ok && len(all) > 0 {
		p.list.Select(uint64(all[0].ID))
	}
}

// Selected is the selected breakpoint.
func (p *Pane) Selected() (intercept.Breakpoint, bool) {
	_, i, ok := p.list.Selected()
	if !ok || i >= len(p.all) {
		return intercept.Breakpoint{}, false
	}
	return p.all[i], true
}

// Select selects one by its number.
func (p *Pane) Select(id int) { p.list.Select(uint64(id)) }

// On is how many are on, and how many there are.
func (p *Pane) On() (on, all int) {
	for i := range p.all {
		if p.all[i].Enabled && !p.allOff {
			on++
		}
	}
	return on, len(p.all)
}

// AllOff reports whether all are off together.
func (p *Pane) AllOff() bool { return p.allOff }

// Do carries out a movement; false when a is not the pane's.
func (p *Pane) Do(a keymap.ID) bool { return conns.Move(p.list, a) }

// Len is the number of rows.
func (p *Pane) Len() int { return len(p.all) }

// ID is the identity of row i.
func (p *Pane) ID(i int) uint64 { return uint64(p.all[i].ID) }

// Index is the place of a breakpoint, -1 if there is none.
func (p *Pane) Index(id uint64) int {
	return slices.IndexFunc(p.all, func(b intercept.Breakpoint) bool { return uint64(b.ID) == id })
}

// Row draws row i.
func (p *Pane) Row(i, w int, selected bool) string {
	b := &p.all[i]
	pointer := " "
	if selected {
		pointer = p.th.Pointer()
	}
	box, style := "[x]", p.th.Text
	if !b.Enabled || p.allOff {
		box, style = "[ ]", p.th.Dim
	}
	name := b.Rule.Name
	if name == "" {
		name = "-"
	}
	hits := style.Render(safe.PadLeft(traffic.Count(b.Hits), 7))
	if b.Problem != "" {
		hits = p.th.Error.Render(safe.PadLeft("error", 7))
	}
	var do []string
	for _, a := range b.Rule.Do {
		do = append(do, a.String())
	}
	cond := max(w-fixed, 8)
	line := pointer + safe.PadLeft(fmt.Sprint(b.ID), 4) + "  " + box + " " +
		p.th.Strong.Render(safe.Pad(name, 8)) + " " + style.Render(safe.Pad(points(b.Rule), 8)+" "+stage(b.Rule)+" "+safe.Pad(condition(b.Rule), cond)) +
		" " + hits + "  " + style.Render(safe.Cut(strings.Join(do, "; "), max(w-cond-44, 4)))
	if selected {
		return conns.Chosen(p.th, line, w, p.focused)
	}
	return line
}

// stage is where among the scripts a rule looks at an event.
func stage(r *rule.Rule) string {
	if r.Pre {
		return "pre "
	}
	return "post"
}

func points(r *rule.Rule) string {
	var names []string
	for _, p := range r.Points() {
		names = append(names, p.Short())
	}
	return strings.Join(names, ",")
}

// condition is the rule's condition and the options that narrow it.
func condition(r *rule.Rule) string {
	var parts []string
	if r.If != nil {
		parts = append(parts, r.If.String())
	} else {
		parts = append(parts, "everything")
	}
	if r.Hit.Op != "" {
		parts = append(parts, fmt.Sprintf("hit %s %d", r.Hit.Op, r.Hit.N))
	}
	if r.Hit.Per != rule.PerRule {
		parts = append(parts, "per "+r.Hit.Per.String())
	}
	if r.Prob > 0 {
		parts = append(parts, fmt.Sprintf("prob %g", r.Prob))
	}
	if r.Once {
		parts = append(parts, "once")
	}
	return strings.Join(parts, "  ")
}

// View draws the pane's box: the list, and what the selected rule means.
func (p *Pane) View(focused bool) string {
	iw, _ := theme.Inner(p.w, p.h)
	on, all := p.On()
	title := fmt.Sprintf("3 Breakpoints: %d on, %d off", on, all-on)
	if p.allOff && all > 0 {
		title = fmt.Sprintf("3 Breakpoints: all %d off, I turns them on", all)
	}
	hints := "i add  e edit  space on/off  B pre/post  ctrl+x remove"
	if p.w < 90 {
		hints = "i add  e edit  space on/off  B pre/post"
	}
	if all == 0 {
		var body []string
		for _, l := range []string{
			"No breakpoints yet.", "",
			"i adds one where a condition holds:     if verb == \"UPDATE\" and \"orders\" in tables",
			"b in the events adds one for the statement selected there; B one before the scripts.", "",
			"A rule may also log, delay, answer or close:",
			"  at query hit <= 2 do err 1205 if \"stock\" in tables and write     fail twice, then work",
			"  at result do log if ms > 200",
			"  at query for 20s then continue if sql contains \"for update\"",
		} {
			body = append(body, p.th.Dim.Render(safe.Cut(l, iw)))
		}
		return p.th.BoxLines(title, hints, body, p.w, p.h, focused)
	}
	head := safe.Cut("    #  on  name     stops at when "+safe.Pad("if", max(iw-fixed, 8))+"    hits  do", iw)
	body := append([]string{p.th.Dim.Render(head)}, strings.Split(p.list.View(), "\n")...)
	if b, ok := p.Selected(); ok {
		text := fmt.Sprintf("%d: %s", b.ID, b.Rule.Explain())
		style := p.th.Text
		if b.Problem != "" {
			text, style = fmt.Sprintf("%d: %s", b.ID, b.Problem), p.th.Error
		} else if b.Fired != b.Hits {
			text += fmt.Sprintf(". Acted on %s of %s hits.", traffic.Count(b.Fired), traffic.Count(b.Hits))
		}
		for i, l := range safe.Wrap(text, iw) {
			if i < about {
				body = append(body, style.Render(l))
			}
		}
	}
	return p.th.BoxLines(title, hints, body, p.w, p.h, focused)
}
