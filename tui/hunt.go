package tui

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/sessions"
)

// huntSlice is how long the screen waits for a search before that goes on aside.
const huntSlice = 20 * time.Millisecond

// a test says whether an exchange is what is looked for, and why.
type test func(a *asker, s intercept.Seq) (ok bool, why string)

// anything is a test that everything passes.
func anything(*asker, intercept.Seq) (bool, string) { return true, "" }

// about is a test of what is known without an exchange's text.
func about(is func(x *sessions.Exchange) bool) test {
	return func(a *asker, s intercept.Seq) (bool, string) {
		x, err := a.c.Counts(s)
		return err == nil && is(&x), ""
	}
}

// hunting is a search through a recording.
type hunting struct {
	from intercept.Seq // behind it
	dir  int
	is   test
	none string // what to say when there is none
	// count is asked first about exchanges from counted up to from, which are not looked for.
	count   func(a *asker, s intercept.Seq)
	counted intercept.Seq
	wrap    bool // go on at the other end, up to from
}

// huntMsg is the end of a search through a recording.
type huntMsg struct {
	n       int // of the search
	found   intercept.Seq
	why     string
	none    string
	stopped bool
}

// hunt looks for an exchange among those that the filter shows.
func (m *Model) hunt(h hunting) tea.Cmd {
	m.stopHunt()
	m.hunts++
	n, r, list, stop := m.hunts, m.rec.r, m.rec.list, new(atomic.Bool)
	known, whole := list.next, list.done
	rows := list.rows
	m.hunting = stop
	a := m.rec.asker()
	shown := func(s intercept.Seq) bool {
		if list.filter == nil {
			return true
		}
		if s < known || whole {
			own := listed{filter: list.filter, rows: rows}
			i := own.pos(s)
			return i < len(rows) && intercept.Seq(rows[i]) == s
		}
		ok, _, err := a.eval(list.filter, s)
		return ok || err != nil
	}
	s, wrapped := int64(h.from), false
	end := func(msg huntMsg) huntMsg {
		msg.n = n
		return msg
	}
	look := func(until time.Time) (huntMsg, bool) {
		late := func(i int64) bool { return i%64 == 0 && !until.IsZero() && time.Now().After(until) }
		for h.count != nil && h.counted < h.from {
			if stop.Load() {
				return end(huntMsg{stopped: true}), true
			}
			if late(int64(h.counted)) && h.counted > 0 {
				h.count(a, h.counted+1)
				h.counted++
				return huntMsg{}, false
			}
			h.counted++
			h.count(a, h.counted)
		}
		for {
			s += int64(h.dir)
			if last := int64(r.Len()); s < 1 || s > last {
				if !h.wrap || wrapped || last == 0 {
					return end(huntMsg{none: h.none}), true
				}
				wrapped = true
				if s = 1; h.dir < 0 {
					s = last
				}
			}
			if wrapped && (h.dir > 0 && s > int64(h.from) || h.dir < 0 && s < int64(h.from)) {
				return end(huntMsg{none: h.none}), true
			}
			if shown(intercept.Seq(s)) {
				if ok, why := h.is(a, intercept.Seq(s)); ok {
					return end(huntMsg{found: intercept.Seq(s), why: why}), true
				}
			} else if h.count != nil {
				h.count(a, intercept.Seq(s))
			}
			if stop.Load() {
				return end(huntMsg{stopped: true}), true
			}
			if late(s) {
				return huntMsg{}, false
			}
		}
	}
	if msg, done := look(time.Now().Add(huntSlice)); done { // mostly it is near
		m.found(msg)
		return nil
	}
	m.say(intercept.Info, "searching the recording; ctrl+c stops")
	return func() tea.Msg {
		msg, _ := look(time.Time{})
		return msg
	}
}

// stopHunt ends a search; false when there was none.
func (m *Model) stopHunt() bool {
	if m.hunting == nil {
		return false
	}
	m.hunting.Store(true)
	m.hunting = nil
	if m.rec != nil {
		m.rec.counted = map[int]*counted{} // it may still be counting
	}
	m.hunts++
	return true
}

// found goes to what a search has found.
func (m *Model) found(msg huntMsg) {
	if msg.n != m.hunts {
		return
	}
	m.hunting = nil
	switch {
	case msg.stopped:
	case msg.found == 0:
		m.say(intercept.Info, "%s", msg.none)
	case !m.goRecorded(msg.found):
		m.say(intercept.Warning, "#%d cannot be shown", msg.found)
	case msg.why != "":
		m.say(intercept.Info, "#%d: %s", msg.found, msg.why)
	}
}

// searchRecorded selects the nearest exchange whose statement has a text, below the selected one or above it.
func (m *Model) searchRecorded(text string, dir int) tea.Cmd {
	m.events.SetSearching(text)
	text = strings.ToLower(text)
	t, _ := m.events.Selected()
	return m.hunt(hunting{from: t.Exchange, dir: dir, wrap: true, none: fmt.Sprintf("no match for %q", text), is: func(a *asker, s intercept.Seq) (bool, string) {
		x, err := a.c.Exchange(s)
		if err != nil {
			return false, ""
		}
		if x.SQLLen > len(x.SQL) {
			if rec, err := a.c.Look(s, lookLimit); err == nil {
				x.SQL = rec.Statement
			}
		}
		return strings.Contains(strings.ToLower(x.SQL), text), ""
	}})
}

// breaking are the rules that are on and about what a recording has: statements and answers.
func (e *recording) breaking() (on []intercept.Breakpoint) {
	list, off := e.live.Breaks()
	if off {
		return nil
	}
	for _, b := range list {
		if b.Enabled && intercept.At(b.Rule.Points()...)&intercept.At(rule.ReadQuery, rule.ReadQueryResult) != 0 {
			on = append(on, b)
		}
	}
	return on
}

// counted are the hits of a rule, as if the recording had been run from its beginning on: so a rule that stops at
// its third hit does at the same exchange wherever it is run from.
type counted struct {
	rule    *rule.Rule
	counter *rule.Counter
	up      intercept.Seq // the last that was counted
}

// counts reports whether more than a rule's condition says whether it stops.
func counts(r *rule.Rule) bool { return r.Hit.Op != "" || r.Once || r.Prob > 0 }

// Breaks are the rules, with the hits up to where they have been run to.
func (e *recording) Breaks() ([]intercept.Breakpoint, bool) {
	list, off := e.live.Breaks()
	for i := range list {
		if c := e.counted[list[i].ID]; c != nil && c.rule == list[i].Rule {
			list[i].Hits, list[i].Fired = c.counter.Total()
		}
	}
	return list, off
}

// run is the search for the next exchange that a rule stops at.
func (e *recording) run(from intercept.Seq, list []intercept.Breakpoint) hunting {
	h := hunting{from: from, dir: 1, none: "no breakpoint matches up to the end", counted: from}
	var uses rule.FieldSet
	counters := make([]*counted, len(list))
	for i, b := range list {
		uses |= b.Rule.Uses()
		if !counts(b.Rule) {
			continue
		}
		c := e.counted[b.ID]
		if c == nil || c.rule != b.Rule || c.up > from {
			on := *b.Rule
			on.Off = false
			c = &counted{b.Rule, rule.NewCounter(&on), 0}
			e.counted[b.ID] = c
		}
		counters[i] = c
		h.counted = min(h.counted, c.up)
	}
	if h.counted < from || len(e.counted) > 0 {
		h.count = func(a *asker, s intercept.Seq) {
			_, env, err := a.env(s, uses)
			if err != nil {
				return
			}
			for i, b := range list {
				if c := counters[i]; c != nil && s > c.up {
					c.up = s
					if ok, err := b.Rule.If.Eval(env); ok && err == nil {
						c.counter.Hit(env.Conn, env.Digest)
					}
				}
			}
		}
	}
	h.is = func(a *asker, s intercept.Seq) (stops bool, why string) {
		_, env, err := a.env(s, uses)
		if err != nil {
			return false, ""
		}
		for i, b := range list {
			ok, err := b.Rule.If.Eval(env)
			if c := counters[i]; c != nil && s > c.up {
				c.up = s
				if ok && err == nil {
					_, ok = c.counter.Hit(env.Conn, env.Digest)
				}
			}
			switch {
			case stops:
			case err != nil:
				stops, why = true, fmt.Sprintf("breakpoint %d: %v", b.ID, err)
			case ok:
				stops, why = true, fmt.Sprintf("breakpoint %d: %s", b.ID, b.Rule)
			}
		}
		return stops, why
	}
	return h
}
