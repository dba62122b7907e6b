package conns

import (
	"fmt"
	"slices"
	"strings"

	"mydbg/intercept"
	"mydbg/tui/safe"
	"mydbg/tui/traffic"
)

// SetBackends tells the servers. They are a table below the connections where there is a choice between
// servers, a pool, or one that is down.
func (p *Pane) SetBackends(list []intercept.BackendInfo) {
	p.backends = list
	p.divide()
}

// backendLines is how many lines of the box the servers take, the names of their columns included.
func (p *Pane) backendLines(ih int) int {
	told := len(p.backends) > 1 || slices.ContainsFunc(p.backends, func(b intercept.BackendInfo) bool {
		return len(b.Idle) > 0 || b.State == intercept.BackendDown
	})
	if !told || ih < 8 {
		return 0
	}
	return min(len(p.backends)+1, ih/2)
}

// divide gives the list of connections the room that the servers leave.
func (p *Pane) divide() {
	iw, ih := p.inner()
	p.list.SetSize(iw, max(ih-1-p.backendLines(ih), 0)) // a line for the names of the columns
}

// backendTable draws the servers in n lines of w cells.
func (p *Pane) backendTable(w, n int) []string {
	if n == 0 {
		return nil
	}
	address := 12
	for i := range p.backends {
		address = max(address, safe.Width(p.backends[i].Address))
	}
	address = min(address, max(w-46, 8))
	lines := []string{p.th.Dim.Render(safe.Cut("       # "+safe.Pad("server", address)+" state   since   clients  idle  for     pooled logins", w))}
	for i := range p.backends {
		if len(lines) == n-1 && i < len(p.backends)-1 {
			lines = append(lines, p.th.Dim.Render(safe.Cut(fmt.Sprintf("         %d more", len(p.backends)-i), w)))
			break
		}
		lines = append(lines, p.backend(&p.backends[i], address, w))
	}
	return lines
}

func (p *Pane) backend(b *intercept.BackendInfo, address, w int) string {
	state := p.th.Text
	switch b.State {
	case intercept.BackendUp:
		state = p.th.Added
	case intercept.BackendDown:
		state = p.th.Error
	}
	since := "-"
	if !b.Since.IsZero() {
		since = traffic.Clock(p.now.Sub(b.Since))
	}
	use := "writes"
	if b.ReadOnly {
		use = "reads"
	}
	left := safe.PadLeft(fmt.Sprint(b.Index), 8) + " " + p.th.Strong.Render(safe.Pad(b.Address, address)) + " " + state.Render(safe.Pad(b.State.String(), 8))
	right := safe.PadLeft(since, 5) + safe.PadLeft(fmt.Sprint(b.Clients), 10) + safe.PadLeft(fmt.Sprint(len(b.Idle)), 6) + "  " + safe.Pad(use, 7)
	return left + p.th.Text.Render(right) + p.th.Dim.Render(safe.Cut(" "+pooled(b), max(w-address-18-len(right), 0)))
}

// pooled says whose connections are idle, "app 2, report", and how many a script wants.
func pooled(b *intercept.BackendInfo) string {
	count := map[string]int{}
	var users []string
	for _, idle := range b.Idle {
		if count[idle.User]++; count[idle.User] == 1 {
			users = append(users, idle.User)
		}
	}
	for i, u := range users {
		if count[u] > 1 {
			users[i] = fmt.Sprintf("%s %d", u, count[u])
		}
	}
	text := strings.Join(users, ", ")
	if b.MinIdle > 0 || b.MaxIdle > 0 {
		text = strings.TrimSpace(fmt.Sprintf("%s (wanted %d to %d)", text, b.MinIdle, b.MaxIdle))
	}
	return text
}
