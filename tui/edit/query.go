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
	"mydbg/mysqlwire/value"
	"mydbg/tui/keymap"
)

// Query edits a held command: its statement and parameters, or its bytes; at login events the packet.
func Query(h intercept.Held, draft *intercept.Verdict, env Env) (Editor, error) {
	if h.Point == rule.ReadQueryResult {
		return Result(h, draft, env)
	}
	if err := answers(draft); err != nil {
		return nil, err
	}
	switch h.Point {
	case rule.ReadQuery:
	default:
		return newPacket(h, draft, env)
	}
	if !h.Whole() {
		return nil, fmt.Errorf("only the first %d of %d bytes were kept, so it cannot be edited; it can be answered", len(h.Packet), h.PacketLen)
	}
	m, err := h.Message()
	if err != nil {
		return newPacket(h, draft, env)
	}
	switch m := m.(type) {
	case *mysqlwire.Query, *mysqlwire.StmtPrepare, *mysqlwire.InitDB:
	case *mysqlwire.StmtExecute:
		if m.Undecoded != nil { // prepared before anybody looked
			return newPacket(h, draft, env)
		}
	case *mysqlwire.StmtBulkExecute:
		if m.Undecoded != nil || len(m.Rows)*len(m.Types) > maxBulk {
			return newPacket(h, draft, env)
		}
	default:
		return newPacket(h, draft, env)
	}
	return newStatement(h, draft, env, m), nil
}

// statement edits a command that has a text.
type statement struct {
	env   Env
	held  intercept.Held
	msg   mysqlwire.Message // the command as it came
	sql   string            // its text
	draft *intercept.Verdict
	base  intercept.Verdict
	start statementState
	fixed string // why the text cannot be changed, "" if it can

	statementState
	history[statementState]

	err error  // why it cannot be sent
	ok  string // what it is, when it can
}

type statementState struct {
	text   text
	params []param
	queue  queue
	focus  int
}

func newStatement(h intercept.Held, draft *intercept.Verdict, env Env, m mysqlwire.Message) *statement {
	e := &statement{env: env, held: h, msg: m, draft: draft, base: begin(h.Event, draft)}
	e.queue.plan = planOf(h.Event, &e.base)
	e.sql = textOf(h.Event, m)
	e.params = paramsOf(m, h.Context)
	switch m.(type) {
	case *mysqlwire.StmtBulkExecute:
		e.fixed = "the text is that of the statement it names"
	case *mysqlwire.StmtExecute:
		switch {
		case h.Stmt == nil || e.sql == "":
			e.fixed = "its text is not known any more"
		case h.Stmt.Cut:
			e.fixed = "only the beginning of its text was kept"
		}
	}
	sql := e.sql
	if drafted := e.drafted(); drafted != nil {
		sql = textOf(h.Event, drafted)
		if self := e.queue.plan.self; len(self) > 1 {
			if p, err := mysqlwire.Decode(mysqlwire.KindStmtPrepare, self[0].Packet, h.Context); err == nil {
				sql = textOf(h.Event, p)
			}
		}
		if params := paramsOf(drafted, h.Context); len(params) == len(e.params) {
			for i, d := range params {
				e.params[i].typ, e.params[i].unsigned, e.params[i].null = d.typ, d.unsigned, d.null
				if !d.null {
					e.params[i].text = d.text
				}
			}
		}
	}
	if _, schema := m.(*mysqlwire.InitDB); schema {
		e.text = oneLine(sql)
	} else {
		e.text.many = true
		e.text.set(sql)
	}
	if _, query := m.(*mysqlwire.Query); len(e.params) > 0 && !query {
		e.focus = e.valueOf(0)
	}
	e.start = e.statementState
	e.check()
	return e
}

// drafted is the command as the draft has it, nil if it cannot be read.
func (e *statement) drafted() mysqlwire.Message {
	q := e.queue.plan.main()
	m, err := mysqlwire.Decode(commandOf(*q).Kind(), q.Packet, e.held.Context)
	if err != nil || m.Kind() != e.msg.Kind() {
		return nil
	}
	return m
}

// wireText is the text of a command as it was sent, if it carries one.
func wireText(m mysqlwire.Message) (text string, has bool) {
	switch m := m.(type) {
	case *mysqlwire.Query:
		return m.SQL, true
	case *mysqlwire.StmtPrepare:
		return m.SQL, true
	case *mysqlwire.InitDB:
		return m.Schema, true
	}
	return "", false
}

func textOf(ev *intercept.Event, m mysqlwire.Message) string {
	switch m := m.(type) {
	case *mysqlwire.Query:
		return ev.Context.ClientText(m.SQL)
	case *mysqlwire.StmtPrepare:
		return ev.Context.ClientText(m.SQL)
	case *mysqlwire.InitDB:
		return ev.Context.ClientText(m.Schema)
	}
	return ev.SQL
}

// The stops of the focus: the text, type and value of each parameter, both sides of the queue.
func (e *statement) valueOf(i int) int { return 2 + 2*i }
func (e *statement) queueAt() int      { return 1 + 2*len(e.params) }
func (e *statement) stops() int        { return e.queueAt() + 2 }

// param is the parameter that has the focus; column 0 is its type, 1 its value.
func (e *statement) param() (i, column int, ok bool) {
	if e.focus < 1 || e.focus >= e.queueAt() {
		return 0, 0, false
	}
	return (e.focus - 1) / 2, (e.focus - 1) % 2, true
}

func (e *statement) Title() string {
	if x := name(e.held.Event); x != "" {
		switch e.msg.(type) {
		case *mysqlwire.StmtExecute:
			return "Edit " + x + ": statement and params"
		case *mysqlwire.StmtBulkExecute:
			return "Edit " + x + ": rows of params"
		case *mysqlwire.InitDB:
			return "Edit " + x + ": schema"
		}
		return "Edit " + x + ": statement"
	}
	return "Edit"
}

// name is what an event is called in titles.
func name(ev *intercept.Event) string {
	if ev.Exchange == 0 {
		return ev.Point.String()
	}
	return fmt.Sprintf("#%d", ev.Exchange)
}

func (e *statement) Busy() bool { return e.queue.adding }

func (e *statement) Update(msg tea.Msg) tea.Cmd {
	k, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	was := e.statementState
	switch a := e.env.action(keymap.InEditor, k); {
	case a == keymap.EditUndo:
		if s, ok := e.undo(e.statementState); ok {
			e.statementState = s
			e.check()
		}
		return nil
	case a == keymap.EditRedo:
		if s, ok := e.redo(e.statementState); ok {
			e.statementState = s
			e.check()
		}
		return nil
	case a == keymap.NextField && !e.queue.adding:
		e.focus = (e.focus + 1) % e.stops()
		return nil
	case a == keymap.PrevField && !e.queue.adding:
		e.focus = (e.focus + e.stops() - 1) % e.stops()
		return nil
	default:
		edited, group := e.key(k, a)
		if edited {
			e.did(was, group)
			e.check()
		}
	}
	return nil
}

// key gives a key to what has the focus.
func (e *statement) key(k tea.KeyMsg, a keymap.ID) (edited bool, group string) {
	if e.focus == 0 {
		if e.fixed != "" && k.Type != tea.KeyUp && k.Type != tea.KeyDown {
			return false, ""
		}
		taken, edited := e.text.key(k)
		if !taken && k.String() == "down" {
			e.focus = min(e.valueOf(0), e.queueAt())
		}
		return edited, typing("text", k)
	}
	if e.focus >= e.queueAt() {
		if k.String() == "up" && !e.queue.adding {
			e.focus = max(e.queueAt()-1, 0)
			return false, ""
		}
		return e.queue.key(e.held.Event, e.focus == e.queueAt(), k), ""
	}
	i, column, _ := e.param()
	switch k.String() {
	case "up":
		e.focus -= 2
		if e.focus < 1 {
			e.focus = 0
		}
		return false, ""
	case "down":
		e.focus = min(e.focus+2, e.queueAt())
		return false, ""
	}
	e.params = slices.Clone(e.params)
	p := &e.params[i]
	if p.kept() != "" {
		return false, ""
	}
	if a == keymap.Null {
		p.null = !p.null
		return true, ""
	}
	if column == 0 {
		return !p.fixed && p.typeKey(k), ""
	}
	taken, edited := p.text.key(k)
	if edited && taken {
		p.null = false
	}
	return edited, typing(itoa(i), k)
}

// typeKey chooses a parameter's type: by arrows, by space, by the first letter.
func (p *param) typeKey(k tea.KeyMsg) bool {
	switch s := k.String(); {
	case s == "left":
		p.cycle(-1)
	case s == "right", s == " ":
		p.cycle(1)
	case k.Type == tea.KeyRunes && len(k.Runes) == 1:
		return p.begins(s)
	default:
		return false
	}
	return true
}

// check works out what View says of the draft.
func (e *statement) check() {
	_, e.err = e.Verdict()
	if e.err == nil {
		e.ok = e.summary()
	}
}

// digestLimit is how long a text may be to be digested at every key.
const digestLimit = 64 << 10

func (e *statement) summary() string {
	sql := e.text.String()
	var parts []string
	if x, ok := e.msg.(*mysqlwire.StmtExecute); ok {
		n := e.markers(x)
		parts = append(parts, fmt.Sprintf("%s for %s", count(n, "value"), count(n, "marker")))
	}
	if _, ok := e.msg.(*mysqlwire.InitDB); ok {
		return "the schema becomes " + sql
	}
	switch {
	case len(sql) > digestLimit:
		parts = append(parts, fmt.Sprintf("%d bytes", len(sql)))
	case sql == e.sql:
		parts = append(parts, "same statement, digest "+digest(sql))
	case digest(sql) == digest(e.sql):
		parts = append(parts, "same digest "+digest(sql))
	default:
		parts = append(parts, "digest "+digest(e.sql)+" becomes "+digest(sql))
	}
	return strings.Join(parts, ", ")
}

func digest(sql string) string {
	hash, _ := sqltext.Digest(sql)
	return hash[:min(len(hash), 6)]
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return itoa(n) + " " + what + "s"
}

// markers is how many parameters the statement has; query attributes come behind them.
func (e *statement) markers(x *mysqlwire.StmtExecute) int {
	return min(len(e.held.Context.Params), len(x.Params))
}

// self is the command as edited.
func (e *statement) self() ([]intercept.Query, error) {
	sql := e.text.String()
	if sql == e.start.text.String() && slices.EqualFunc(e.params, e.start.params, sameParam) {
		return e.start.queue.plan.self, nil
	}
	touched := slices.ContainsFunc(e.params, func(p param) bool { return p.touched() })
	if sql == e.sql && !touched {
		return []intercept.Query{{Packet: e.held.Packet, Origin: intercept.FromClient, Show: true}}, nil
	}
	if strings.TrimSpace(sql) == "" && e.fixed == "" {
		return nil, errors.New("the statement is empty")
	}
	var m mysqlwire.Message
	var sent []byte
	var err error
	if wire, has := wireText(e.msg); has {
		if sent, err = value.Reencode(e.held.Context.ClientCharset(), []byte(wire), sql); err != nil {
			return nil, err
		}
	}
	switch was := e.msg.(type) {
	case *mysqlwire.Query:
		if m, err = apply(was.WithSQL(string(sent)), e.params, (*mysqlwire.Query).WithAttribute); err != nil {
			return nil, err
		}
	case *mysqlwire.StmtBulkExecute:
		n := len(was.Types)
		m, err = apply(was, e.params, func(b *mysqlwire.StmtBulkExecute, i int, _ value.Type, _ bool, v value.Value) (*mysqlwire.StmtBulkExecute, error) {
			return b.WithValue(i/n, i%n, v)
		})
		if err != nil {
			return nil, err
		}
	case *mysqlwire.StmtPrepare:
		m = &mysqlwire.StmtPrepare{SQL: string(sent)}
	case *mysqlwire.InitDB:
		m = &mysqlwire.InitDB{Schema: string(sent)}
	case *mysqlwire.StmtExecute:
		if have, want := e.markers(was), sqltext.Markers(sql); sql != e.sql && have != want {
			return nil, fmt.Errorf("the text has %s, the command %s", count(want, "marker"), count(have, "value"))
		}
		x, err := apply(was, e.params, (*mysqlwire.StmtExecute).WithParam)
		if err != nil {
			return nil, err
		}
		if sql != e.sql {
			return intercept.Reprepare(e.held.Event, sql, x, intercept.FromPerson)
		}
		m = x
	}
	packet, err := m.(interface {
		Encode([]byte, *mysqlwire.Context) ([]byte, error)
	}).Encode(nil, e.held.Context)
	if err != nil {
		return nil, err
	}
	return []intercept.Query{{Packet: packet, Origin: intercept.FromPerson, Show: true}}, nil
}

func sameParam(a, b param) bool {
	return a.typ == b.typ && a.unsigned == b.unsigned && a.null == b.null && (a.null || a.text.String() == b.text.String())
}

func (e *statement) Verdict() (intercept.Verdict, error) {
	if !e.Touched() {
		return kept(e.draft), nil
	}
	self, err := e.self()
	if err != nil {
		return intercept.Verdict{}, err
	}
	p := e.queue.plan
	return p.verdict(e.held.Event, &e.base, self)
}

// verdict is the draft of a command with p around it. A command that is sent as it came, alone, needs none, unless
// scripts want it otherwise.
func (p plan) verdict(ev *intercept.Event, base *intercept.Verdict, self []intercept.Query) (intercept.Verdict, error) {
	v := *base
	v.Action, v.Answer, v.Packet, v.Queries = intercept.Pass, nil, nil, nil
	p.self = slices.Clone(self)
	main, was := p.main(), (&plan{self: self}).main()
	main.Show = was.Show
	plain := p.plain() && len(self) == 1 && self[0].Origin == intercept.FromClient && main.Show
	if !plain || ev.SoFar.Touches() {
		v.Action, v.Queries = intercept.Forward, p.queries()
	}
	return v, intercept.Check(ev, &v)
}

func (e *statement) External() (text, suffix string, ok bool) {
	return e.text.String(), ".sql", e.fixed == ""
}

func (e *statement) SetExternal(s string) error {
	if e.fixed != "" {
		return errors.New(e.fixed)
	}
	if strings.TrimSpace(s) == "" {
		return errors.New("the statement is empty; nothing was changed")
	}
	if s == e.text.String() {
		return nil
	}
	was := e.statementState
	e.text.set(s)
	e.did(was, "")
	e.check()
	return nil
}
