package tui

import (
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/sessions"
	"mydbg/tui/digests"
	"mydbg/tui/keymap"
	"mydbg/tui/traffic"
)

// counting is how far the digests have been counted. It begins when somebody looks: with what is kept of live
// traffic, and with all of a recording.
type counting struct {
	on   bool
	busy bool // a countedMsg is under way
	gen  int  // a countedMsg of another one is too late

	queue  []intercept.Exchange // finished and not counted, of live traffic
	seen   []intercept.Seq      // put into queue, by number: what is finished can change again
	missed uint64
	next   intercept.Seq // to count, of a recording
}

const (
	countQueue = 2 * traffic.Keep
	countSlice = 50 * time.Millisecond
)

// countedMsg brings samples; next is where a recording goes on.
type countedMsg struct {
	gen     int
	samples []digests.Sample
	next    intercept.Seq
}

// startCounting begins if that has not been done.
func (m *Model) startCounting() {
	c := &m.counting
	if c.on {
		return
	}
	c.on, c.next = true, 1
	if m.rec == nil {
		c.seen = make([]intercept.Seq, 1<<16)
		all, _ := m.e.Since(0, nil)
		m.collect(all)
	}
}

// resetCounting forgets all: another engine's exchanges come.
func (m *Model) resetCounting() {
	m.counting = counting{gen: m.counting.gen + 1}
	m.digests.Reset()
}

// collect takes what has finished of live traffic, to be counted soon.
func (m *Model) collect(list []intercept.Exchange) {
	c := &m.counting
	if !c.on || m.rec != nil {
		return
	}
	for i := range list {
		x := &list[i]
		at := &c.seen[uint64(x.Seq)%uint64(len(c.seen))]
		switch {
		case x.State != intercept.Done && x.State != intercept.Gone || *at == x.Seq:
		case len(c.queue) == countQueue:
			*at = x.Seq
			c.missed++
		default:
			*at = x.Seq
			c.queue = append(c.queue, *x)
		}
	}
}

// count has a goroutine read the statements that are to be counted.
func (m *Model) count() tea.Cmd {
	c := &m.counting
	if !c.on || c.busy {
		return nil
	}
	if m.rec != nil {
		if int(c.next) > m.rec.r.Len() {
			return nil
		}
		c.busy = true
		r, msg := m.rec.r, countedMsg{gen: c.gen, next: c.next}
		return func() tea.Msg { return countRecorded(r, msg) }
	}
	if len(c.queue) == 0 {
		return nil
	}
	c.busy = true
	queue, msg := c.queue, countedMsg{gen: c.gen}
	c.queue = nil
	return func() tea.Msg {
		for i := range queue {
			if s, ok := digests.Of(&queue[i]); ok {
				msg.samples = append(msg.samples, s)
			}
		}
		return msg
	}
}

// countRecorded reads a slice of a recording.
func countRecorded(r *sessions.Reader, msg countedMsg) tea.Msg {
	until := time.Now().Add(countSlice)
	for x, err := range r.From(msg.next) {
		msg.next++
		if err != nil { // what cannot be read does not count
			continue
		}
		if s, ok := digests.Of(&x.Exchange); ok {
			msg.samples = append(msg.samples, s)
		}
		if msg.next%64 == 0 && time.Now().After(until) {
			break
		}
	}
	return msg
}

// counted takes samples in.
func (m *Model) counted(msg countedMsg) tea.Cmd {
	c := &m.counting
	if msg.gen != c.gen {
		return nil
	}
	c.busy = false
	note := ""
	switch {
	case m.rec != nil:
		c.next = msg.next
		if n := m.rec.r.Len(); int(c.next) <= n {
			note = fmt.Sprintf("counting %d%%", int(c.next)*100/n)
		}
	case c.missed > 0:
		note = traffic.Count(c.missed) + " came too fast to count"
	}
	m.digests.Add(msg.samples, note)
	return nil // afterAll goes on
}

// digest is the form that keys act on: the selected one, while pane 4 is shown.
func (m *Model) digest() (*digests.Stat, bool) {
	if m.pane != keymap.Digests {
		return nil, false
	}
	return m.digests.Selected()
}

// doDigests runs the actions of pane 4.
func (m *Model) doDigests(id keymap.ID) {
	s, ok := m.digest()
	switch {
	case id == keymap.Sort:
		m.say(intercept.Info, "digests by %s", m.digests.Sort())
	case id == keymap.Open && ok:
		m.showDigest(s)
	default:
		m.digests.Do(id)
	}
}

// showDigest lists the exchanges of a form.
func (m *Model) showDigest(s *digests.Stat) {
	x, err := rule.Compile(s.Cond)
	if err != nil {
		m.say(intercept.Error, "%v", err)
		return
	}
	m.filterBy(x)
	m.show(keymap.Events)
	m.events.Work(workBudget)
	m.say(intercept.Info, "only %s is shown; f and an empty line show all again", s.Cond)
}
