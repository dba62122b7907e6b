package edit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// Inject adds a query before or after the held command, or after the held result.
func Inject(h intercept.Held, draft *intercept.Verdict, before bool, env Env) (Editor, error) {
	switch h.Point {
	case rule.ReadQuery:
	case rule.ReadQueryResult:
		if h.File != nil {
			return nil, errors.New("the server waits for a file: a query can be sent after its answer")
		}
		if before {
			return nil, errors.New("this is the answer already: a query can only be sent after it")
		}
	default:
		return nil, fmt.Errorf("no query can be sent at %s: only between commands", h.Point)
	}
	e := &inject{env: env, held: h, before: before, draft: draft, base: begin(h.Event, draft)}
	if e.base.Action == intercept.Close || e.base.Action == intercept.Hang {
		return nil, answers(&e.base)
	}
	e.plan = planOf(h.Event, &e.base)
	e.text = manyLines("")
	e.check()
	return e, nil
}

// inject adds to a plan.
type inject struct {
	env    Env
	held   intercept.Held
	before bool
	draft  *intercept.Verdict
	base   intercept.Verdict
	plan   plan // without what is typed here

	injectState
	history[injectState]
	err    error
	count  int    // of statements
	effect string // what they change of what the app sees
}

type injectState struct {
	text  text
	show  shown
	focus int // 0 the text, 1 what becomes of the answer
}

// shown is what becomes of the answer of what is injected.
type shown int

const (
	hidden  shown = iota
	joined        // a further result of the app's answer
	instead       // the app's answer, and the command's own is hidden
	allShown
)

var shownNames = [...]string{"hidden from app", "a further result", "instead of its own"}

func (e *inject) Title() string {
	where := "after"
	if e.before {
		where = "before"
	}
	return fmt.Sprintf("Inject %s %s", where, name(e.held.Event))
}

func (e *inject) Busy() bool { return false }

func (e *inject) Update(msg tea.Msg) tea.Cmd {
	k, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	was := e.injectState
	switch a := e.env.action(keymap.InEditor, k); a {
	case keymap.EditUndo:
		if s, ok := e.undo(e.injectState); ok {
			e.injectState = s
		}
	case keymap.EditRedo:
		if s, ok := e.redo(e.injectState); ok {
			e.injectState = s
		}
	case keymap.NextField, keymap.PrevField:
		if e.held.Point == rule.ReadQuery {
			e.focus = 1 - e.focus
		}
	default:
		if e.focus == 0 {
			if _, edited := e.text.key(k); edited {
				e.did(was, typing("text", k))
			}
			break
		}
		switch k.String() {
		case "left":
			e.show = (e.show + allShown - 1) % allShown
		case "right", " ":
			e.show = (e.show + 1) % allShown
		default:
			return nil
		}
		e.did(was, "")
	}
	e.check()
	return nil
}

// queue is the plan with what is typed.
func (e *inject) queue() (plan, error) {
	p := plan{before: slices.Clone(e.plan.before), self: slices.Clone(e.plan.self), after: slices.Clone(e.plan.after)}
	list := sqltext.Split(e.text.String())
	if len(list) == 0 {
		return p, errors.New("there is no statement yet")
	}
	var added []intercept.Query
	for i, sql := range list {
		q, err := injected(e.held.Event, sql, e.show != hidden && (e.show == joined || i == len(list)-1))
		if err != nil {
			return p, err
		}
		added = append(added, q)
	}
	if e.show == instead && len(p.self) > 0 {
		p.main().Show = false
		p.main().Need = true
	}
	if e.before {
		p.before = append(p.before, added...)
	} else {
		p.after = append(added, p.after...)
	}
	return p, nil
}

func (e *inject) check() {
	_, e.err = e.whole()
	e.count, e.effect = len(sqltext.Split(e.text.String())), effects(e.text.String())
}

// Verdict is the draft; nothing typed adds nothing.
func (e *inject) Verdict() (intercept.Verdict, error) {
	if strings.TrimSpace(e.text.String()) == "" {
		return kept(e.draft), nil
	}
	return e.whole()
}

func (e *inject) whole() (intercept.Verdict, error) {
	p, err := e.queue()
	if err != nil {
		return intercept.Verdict{}, err
	}
	v := e.base
	switch {
	case e.held.Point == rule.ReadQueryResult:
		if v.Action != intercept.Reply {
			v.Action = intercept.Forward
		}
		v.Queries = p.queries()
	case v.Action == intercept.Reply: // the server gets what is injected and not the command
		if e.show != hidden {
			return intercept.Verdict{}, errors.New("the draft answers the app already: what is injected can only be hidden")
		}
		v.Queries = slices.Concat(e.base.Queries, p.before, p.after)
	default:
		v.Action, v.Answer, v.Queries = intercept.Forward, nil, p.queries()
		if e.show == joined && !e.held.Context.Caps.Has(mysqlwire.MultiResults) {
			return intercept.Verdict{}, errors.New("the app did not agree to several results for one command (MULTI_RESULTS): hide it, or show it instead")
		}
	}
	return v, intercept.Check(e.held.Event, &v)
}

var injectHints = []keymap.ID{keymap.Apply, keymap.Draft, keymap.NextField, keymap.EditUndo, keymap.External, keymap.Close}

func (e *inject) View(w, h int) string {
	iw, ih := theme.Inner(w, h)
	th := e.env.Theme
	var tail []string
	if e.held.Point == rule.ReadQuery {
		var chips []string
		var width []int
		for i := range allShown {
			chips = append(chips, e.env.choice(shownNames[i], e.show == i, e.focus == 1))
			width = append(width, len(shownNames[i])+3)
		}
		tail = append(tail, flow(e.env.label("its answer", e.focus == 1), e.env.label("", false), chips, width, iw)...)
	} else {
		tail = append(tail, e.env.label("its answer", false)+th.Text.Render(safe.Cut("hidden from app, which gets the held answer", max(iw-indent, 0))))
	}
	p, err := e.queue()
	if err != nil {
		p = e.plan
	}
	q := queue{plan: p}
	if len(p.self) > 0 {
		tail = append(tail, q.view(&e.env, e.held.Event, iw, -1)...)
	} else {
		var chips []string
		var width []int
		for _, n := range p.after {
			s := "[" + safe.Elide(describe(e.held.Event, n), max(min(40, iw-indent-2), 1)) + "]"
			chips, width = append(chips, th.Text.Render(s)), append(width, safe.Width(s))
		}
		tail = append(tail, flow(e.env.label("queue", false), e.env.label("", false), chips, width, iw)...)
	}
	tail = append(tail, e.env.note("note", e.effect, iw)...)
	tail = append(tail, e.env.verdictLine(e.err, count(e.count, "statement")+" on the app's own connection", iw)...)
	rows := max(min(ih-2-len(tail), max(len(wrapAll(e.text.lines, iw-6, ih))+1, 4)), 1)
	body := []string{th.Dim.Render(safe.Cut("SQL; several statements are sent one by one", iw))}
	body = append(body, e.text.view(th, iw, rows, e.focus == 0, true)...)
	return e.env.frame(e.Title(), append(body, tail...), keymap.InEditor, injectHints, w, h)
}

func (e *inject) External() (text, suffix string, ok bool) { return e.text.String(), ".sql", true }

func (e *inject) SetExternal(s string) error {
	if s == e.text.String() {
		return nil
	}
	was := e.injectState
	e.text.set(s)
	e.did(was, "")
	e.check()
	return nil
}
