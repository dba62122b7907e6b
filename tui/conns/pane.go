// Package conns is the pane of connections: who is connected, how, and in what state.
package conns

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
	"mydbg/tui/traffic"
	"mydbg/tui/vlist"
)

// Pane lists connections. Use New.
type Pane struct {
	th   *theme.Theme
	list *vlist.List
	w, h int

	focused bool
	now     time.Time

	infos []intercept.ConnInfo
	held  map[intercept.ConnID]time.Time // since when

	backends []intercept.BackendInfo
}

// New makes an empty pane.
func New(th *theme.Theme) *Pane {
	p := &Pane{th: th, held: map[intercept.ConnID]time.Time{}}
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
	p.divide()
}

// inner is the room in the box.
func (p *Pane) inner() (w, h int) { return theme.Inner(p.w, p.h) }

// SetNow tells the time for what counts up.
func (p *Pane) SetNow(now time.Time) { p.now = now }

// Sync takes the connections as they are: open ones first.
func (p *Pane) Sync(infos []intercept.ConnInfo, held []intercept.Held) {
	p.infos = infos
	clear(p.held)
	for i := range held {
		if _, ok := p.held[held[i].Conn.ID]; !ok {
			p.held[held[i].Conn.ID] = held[i].Since
		}
	}
	p.list.Sync()
	if _, _, ok := p.list.Selected(); !ok && len(infos) > 0 {
		p.list.Select(uint64(infos[0].ID))
	}
}

// Selected is the selected connection.
func (p *Pane) Selected() (intercept.ConnID, bool) {
	id, _, ok := p.list.Selected()
	return intercept.ConnID(id), ok
}

// Select selects a connection.
func (p *Pane) Select(id intercept.ConnID) { p.list.Select(uint64(id)) }

// Do carries out a movement; false when a is not the pane's.
func (p *Pane) Do(a keymap.ID) bool { return Move(p.list, a) }

// Move applies an action that moves about to a list; false for others.
func Move(l *vlist.List, a keymap.ID) bool {
	switch a {
	case keymap.Down:
		l.Move(1)
	case keymap.Up:
		l.Move(-1)
	case keymap.Top:
		l.Home()
	case keymap.Bottom:
		l.End()
	case keymap.HalfDown:
		l.HalfPage(1)
	case keymap.HalfUp:
		l.HalfPage(-1)
	case keymap.PageDown:
		l.Page(1)
	case keymap.PageUp:
		l.Page(-1)
	default:
		return false
	}
	return true
}

// Chosen draws a selected row: in reverse, or underlined while the keys go elsewhere.
func Chosen(th *theme.Theme, line string, w int, focused bool) string {
	style := th.SelectedBlur
	if focused {
		style = th.Selected
	}
	return style.Render(theme.Fit(ansi.Strip(line), w))
}

// Len is the number of rows.
func (p *Pane) Len() int { return len(p.infos) }

// ID is the identity of row i.
func (p *Pane) ID(i int) uint64 { return uint64(p.infos[i].ID) }

// Index is the place of a connection, -1 if it is not listed.
func (p *Pane) Index(id uint64) int {
	return slices.IndexFunc(p.infos, func(i intercept.ConnInfo) bool { return uint64(i.ID) == id })
}

// column is one of the table; those with a higher rank go first when there is no room.
type column struct {
	name string
	w    int
	rank int
	cell func(*intercept.ConnInfo) string
}

func (p *Pane) columns(w int) []column {
	all := []column{
		{"client", 21, 0, func(i *intercept.ConnInfo) string { return i.Client }},
		{"user", 8, 0, func(i *intercept.ConnInfo) string { return i.User }},
		{"db", 10, 0, func(i *intercept.ConnInfo) string { return i.DB }},
		{"state", 13, 0, p.state},
		{"tx", 4, 1, func(i *intercept.ConnInfo) string {
			if i.TxSince.IsZero() || i.Phase == intercept.Closed {
				return "-"
			}
			return traffic.Span(p.now.Sub(i.TxSince))
		}},
		{"stmts", 7, 1, func(i *intercept.ConnInfo) string { return traffic.Count(i.Commands) }},
		{"tls", 7, 2, func(i *intercept.ConnInfo) string { return tls(i.ClientTLS) + "/" + tls(i.ServerTLS) }},
		{"compress", 9, 4, compression},
		{"prep", 4, 3, func(i *intercept.ConnInfo) string { return fmt.Sprint(i.Statements) }},
		{"age", 6, 2, func(i *intercept.ConnInfo) string {
			end := p.now
			if !i.Closed.IsZero() {
				end = i.Closed
			}
			return traffic.Clock(end.Sub(i.Opened))
		}},
		{"program", 14, 4, func(i *intercept.ConnInfo) string { return i.Program() }},
		{"auth", 12, 5, func(i *intercept.ConnInfo) string { return auth(i.AuthPlugin) }},
		{"server", 16, 6, func(i *intercept.ConnInfo) string { return i.Server }},
		{"closed because", 30, 7, func(i *intercept.ConnInfo) string { return i.Cause }},
	}
	for rank := 7; rank > 0; rank-- {
		used := 8
		for _, c := range all {
			used += c.w + 1
		}
		if used <= w {
			break
		}
		all = slices.DeleteFunc(all, func(c column) bool { return c.rank == rank })
	}
	return all
}

func tls(s string) string {
	if s == "" {
		return "-"
	}
	if len(s) > 4 && s[:4] == "TLS " {
		return s[4:]
	}
	return s
}

// compression is what the legs are compressed with, "-" where neither is.
func compression(i *intercept.ConnInfo) string {
	client, server := i.ClientCompress.Algorithm.String(), i.ServerCompress.Algorithm.String()
	if client+server == "" {
		return "-"
	}
	return tls(client) + "/" + tls(server)
}

// auth shortens the names of the plugins that everybody has.
func auth(plugin string) string {
	switch plugin {
	case "caching_sha2_password":
		return "sha2"
	case "mysql_native_password":
		return "native"
	}
	return plugin
}

func (p *Pane) state(i *intercept.ConnInfo) string {
	if _, ok := p.held[i.ID]; ok {
		return "PAUSED"
	}
	switch {
	case i.Phase == intercept.Closed && i.LoginFailure != nil && i.Commands == 0:
		return "login failed"
	case i.Step != intercept.Continue:
		return i.Step.String()
	case i.Phase == intercept.Ready && i.Status.Has(mysqlwire.StatusInTrans):
		return "in tx"
	}
	return i.Phase.String()
}

// Row draws row i.
func (p *Pane) Row(i, w int, selected bool) string {
	info := &p.infos[i]
	pointer := " "
	if selected {
		pointer = p.th.Pointer()
	}
	since, held := p.held[info.ID]
	glyph := "  "
	if held {
		glyph = p.th.Held.Render(safe.Pad(p.th.Glyph(theme.Held), 2))
	}
	line := pointer + glyph + " " + safe.PadLeft(fmt.Sprint(info.ID), 4)
	for _, c := range p.columns(w) {
		cell := safe.Pad(c.cell(info), c.w)
		switch {
		case c.name == "state" && info.Phase == intercept.Closed && info.LoginFailure != nil && info.Commands == 0:
			cell = p.th.Error.Render(cell)
		case info.Phase == intercept.Closed:
			cell = p.th.Dim.Render(cell)
		case c.name == "state" && held:
			cell = p.th.Held.Render(safe.Pad("PAUSED "+traffic.Clock(p.now.Sub(since)), c.w))
		case c.name == "user":
			cell = p.th.Strong.Render(cell)
		case c.name == "tx" && !info.TxSince.IsZero():
			cell = p.th.Key.Render(cell)
		}
		line += " " + cell
	}
	if selected {
		return Chosen(p.th, line, w, p.focused)
	}
	return line
}

// View draws the pane's box.
func (p *Pane) View(focused bool) string {
	iw, ih := p.inner()
	head := safe.PadLeft("#", 8)
	for _, c := range p.columns(iw) {
		head += " " + safe.Pad(c.name, c.w)
	}
	open := 0
	for i := range p.infos {
		if p.infos[i].Phase != intercept.Closed {
			open++
		}
	}
	body := p.th.Dim.Render(safe.Cut(head, iw)) + "\n" + p.list.View()
	if len(p.infos) == 0 {
		body = p.th.Dim.Render("No client has connected yet.")
	}
	if servers := p.backendTable(iw, p.backendLines(ih)); len(servers) > 0 {
		lines := strings.Split(body, "\n")
		for len(lines) < ih-len(servers) {
			lines = append(lines, "")
		}
		body = strings.Join(append(lines[:ih-len(servers)], servers...), "\n")
	}
	title := fmt.Sprintf("2 Connections: %d open, %d closed", open, len(p.infos)-open)
	return p.th.Box(title, "p pause  ctrl+k kill", body, p.w, p.h, focused)
}
