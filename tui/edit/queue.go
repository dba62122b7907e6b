package edit

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/tui/safe"
)

// queue is the line of a plan in the statement's editor: what is injected can be added, shown, hidden, removed.
type queue struct {
	plan   plan
	chip   int // of the side that has the focus; the number of its queries is the place to add one
	adding bool
	text   text
}

func (q *queue) side(first bool) *[]intercept.Query {
	if first {
		return &q.plan.before
	}
	return &q.plan.after
}

// key gives a key to one side. It reports whether the plan has changed.
func (q *queue) key(ev *intercept.Event, first bool, k tea.KeyMsg) bool {
	side := q.side(first)
	if q.adding {
		switch k.Type {
		case tea.KeyEnter:
			return q.add(ev, side)
		case tea.KeyEsc:
			q.adding = false
		default:
			q.text.key(k)
		}
		return false
	}
	q.chip = min(q.chip, len(*side))
	switch k.String() {
	case "left":
		q.chip = max(q.chip-1, 0)
	case "right":
		q.chip = min(q.chip+1, len(*side))
	case "enter":
		q.adding, q.text = true, oneLine("")
	case " ":
		if q.chip == len(*side) {
			return false
		}
		*side = slices.Clone(*side)
		(*side)[q.chip].Show = !(*side)[q.chip].Show
		return true
	case "delete", "backspace":
		if q.chip == len(*side) {
			q.chip--
		}
		if q.chip < 0 {
			q.chip = 0
			return false
		}
		*side = slices.Delete(slices.Clone(*side), q.chip, q.chip+1)
		return true
	default:
		if k.Type == tea.KeyRunes { // begins to type
			q.adding, q.text = true, oneLine("")
			q.text.key(k)
		}
	}
	return false
}

// add injects what was typed, each statement by itself and hidden.
func (q *queue) add(ev *intercept.Event, side *[]intercept.Query) bool {
	q.adding = false
	list := sqltext.Split(q.text.String())
	*side = slices.Clone(*side)
	for _, sql := range list {
		n, err := injected(ev, sql, false)
		if err != nil {
			continue // it has no attributes, which is all that can fail
		}
		*side = append(*side, n)
	}
	q.chip = len(*side) - 1
	return len(list) > 0
}

// view draws the queue in as many lines as it takes. focus is 0 for the first side, 1 for the second, else none.
func (q *queue) view(env *Env, ev *intercept.Event, w, focus int) []string {
	th := env.Theme
	if q.adding && focus >= 0 && focus < 2 {
		name := [2]string{"before: ", "after: "}[focus]
		return []string{env.label("queue", true) + th.Key.Render(name) + q.text.viewLine(th, max(w-indent-len(name), 1), true)}
	}
	all := q.plan.queries() // with Join worked out
	var chips []string
	var width []int
	chip := func(s string, focused bool) {
		s = "[" + safe.Cut(s, max(w-indent-2, 1)) + "]"
		width = append(width, safe.Width(s))
		if focused {
			chips = append(chips, th.Cursor.Render(s))
		} else {
			chips = append(chips, th.Text.Render(s))
		}
	}
	side := func(name string, list []intercept.Query, focused bool) {
		if len(list) == 0 {
			chip(name+": none", focused)
			return
		}
		for i, n := range list {
			chip(name+": "+safe.Elide(describe(ev, n), 40)+", "+fate(n), focused && min(q.chip, len(list)) == i)
		}
		if focused && q.chip >= len(list) {
			chip("+", true)
		}
	}
	before, self := len(q.plan.before), len(q.plan.self)
	side("before", all[:before], focus == 0)
	this := "this"
	if !q.plan.main().Show {
		this = "this, hidden from app"
	}
	chip(this, false)
	side("after", all[before+self:], focus == 1)
	return flow(env.label("queue", focus == 0 || focus == 1), env.label("", false), chips, width, w)
}

// flow puts chips into lines.
func flow(head, more string, chips []string, width []int, w int) []string {
	var lines []string
	line, used := head, indent
	for i, c := range chips {
		if used > indent && used+1+width[i] > w {
			lines = append(lines, line)
			line, used = more, indent
		}
		if used > indent {
			line += " "
			used++
		}
		line += c
		used += width[i]
	}
	return append(lines, strings.TrimRight(line, " "))
}
