package script

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/script/lua51"
)

// snippetDeadline is how long a snippet may run. Hooks of the same script wait for it meanwhile.
const snippetDeadline = 5 * time.Second

// snippetName is the script of errors in snippets.
const snippetName = "snippet"

// Console runs snippets of Lua on held events. Snippets see the globals of the first engine's script
// for the event's connection, and keep their own there; without engines they have a state of their
// own.
type Console struct {
	engines []*Engine
	u       *universe
	conns   map[intercept.ConnID]*conn // of u; belongs to whoever has the turn
}

// NewConsole makes a console over the scripts that run, which may be none.
func NewConsole(o Options, engines ...*Engine) *Console {
	c := &Console{engines: engines}
	if len(engines) > 0 {
		c.u, c.conns = engines[0].u, engines[0].conns
	} else {
		c.u, c.conns = newUniverse(o), map[intercept.ConnID]*conn{}
	}
	return c
}

// Scripts is how the scripts do.
func (c *Console) Scripts() []Status {
	list := make([]Status, len(c.engines))
	for i, e := range c.engines {
		list[i] = e.Status()
	}
	return list
}

// LinesOf is the output that belongs to an exchange, oldest first.
func (c *Console) LinesOf(x intercept.Seq) []Line {
	return slices.DeleteFunc(c.Lines(), func(l Line) bool { return l.Exchange != x })
}

// Lines is the newest output of all scripts, oldest first.
func (c *Console) Lines() []Line {
	var list []Line
	for _, e := range c.engines {
		list = append(list, e.Lines()...)
	}
	slices.SortStableFunc(list, func(a, b Line) int { return a.At.Compare(b.At) })
	return list
}

// Result is what a snippet did. Nothing of it has been applied to the event.
type Result struct {
	Output   []string           // what it printed, and the value of an expression
	Verdict  *intercept.Verdict // what it decided; nil without a decision
	Describe string             // the decision in words, or why there is none
	Err      error              // an *Error: of the code, or why the event cannot have what it decided
}

// snippet is one run.
type snippet struct {
	u    *universe
	c    *conn // a view of the connection, with a queue and a response of its own
	ev   *intercept.Event
	env  *lua.LTable
	expr bool
	fn   *lua.LFunction
}

// Run runs code at a held event, which stays held: the verdict is a draft. An expression's value is
// printed. Cancelling ctx stops it.
func (c *Console) Run(ctx context.Context, ev *intercept.Event, code string) Result {
	return c.RunIn(ctx, 0, ev, code)
}

// RunIn is Run in the environment of script n of Scripts. Of a connection that the script has not met,
// or that is over, the script is loaded for the snippet.
func (c *Console) RunIn(ctx context.Context, n int, ev *intercept.Event, code string) Result {
	if n > 0 && n < len(c.engines) {
		c = &Console{engines: c.engines[n:], u: c.engines[n].u, conns: c.engines[n].conns}
	}
	var proto *lua.FunctionProto
	var bad *Error
	if len(c.engines) > 0 {
		proto, bad = c.engines[0].src.load() // reads a file: without the turn
	}
	if err := c.u.enter(ctx); err != nil {
		return Result{Err: &Error{Script: snippetName, Conn: ev.Conn.ID, Msg: err.Error()}}
	}
	was := c.u.now
	defer func() {
		c.u.captured, c.u.printed, c.u.now = false, nil, was
		c.u.leave()
	}()
	c.u.now = moment{script: snippetName, line: Line{Event: ev.ID, Exchange: ev.Exchange, Conn: ev.Conn.ID}}
	c.u.captured, c.u.printed = true, nil
	r := Result{}
	of := c.conn(ev)
	if len(c.engines) > 0 && (of == nil || !of.loaded) {
		of, bad = c.loaded(ctx, ev, proto, bad)
		if bad != nil {
			r.Err = bad
		}
	}
	if r.Err == nil {
		r = c.run(ctx, ev, of, code)
	}
	r.Output = c.u.printed
	for _, l := range c.u.said {
		r.Output = append(r.Output, l.Level.String()+": "+l.Text)
	}
	return r
}

// loaded is the environment of a connection that the script has not met, or that is over: the script is
// loaded for the snippet.
func (c *Console) loaded(ctx context.Context, ev *intercept.Event, proto *lua.FunctionProto, bad *Error) (*conn, *Error) {
	if bad != nil {
		return nil, bad
	}
	of := c.u.newConn(ev.Conn)
	c.u.use(of.private, of.of)
	return of, c.engines[0].execute(ctx, of, proto)
}

func (c *Console) run(ctx context.Context, ev *intercept.Event, of *conn, code string) Result {
	s := snippet{u: c.u, ev: ev}
	if err := s.compile(code); err != nil {
		return Result{Err: err}
	}
	s.prepare(of)
	s.fn.Env = s.env
	l := c.u.l
	top := l.GetTop()
	if err := c.u.run(ctx, snippetDeadline, s.fn, lua.MultRet); err != nil {
		return Result{Err: asError(err, ev.Conn.ID, "")}
	}
	values := make([]lua.LValue, 0, l.GetTop()-top)
	for i := top + 1; i <= l.GetTop(); i++ {
		values = append(values, l.Get(i))
	}
	l.SetTop(top)
	if s.expr {
		if err := s.show(ctx, values); err != nil {
			return Result{Err: err}
		}
		values = nil
	}
	return s.result(values)
}

// conn is the connection's state: nil if a script has not met it yet, made if there is no script.
func (c *Console) conn(ev *intercept.Event) *conn {
	for id, k := range c.conns {
		if len(c.engines) == 0 && k.info().Phase == intercept.Closed {
			delete(c.conns, id)
		}
	}
	k := c.conns[ev.Conn.ID]
	if k == nil && len(c.engines) == 0 {
		k = c.u.newConn(ev.Conn)
		if ev.Point != rule.Disconnect {
			c.conns[ev.Conn.ID] = k
		}
	}
	return k
}

// compile tries the code as an expression first.
func (s *snippet) compile(code string) error {
	proto, err := lua51.CompileChunk("return "+code, lua51.ChunkID(snippetName))
	if s.expr = err == nil; !s.expr {
		if proto, err = lua51.CompileChunk(code, lua51.ChunkID(snippetName)); err != nil {
			e := compileError(err, snippetName)
			e.Conn = s.ev.Conn.ID
			return e
		}
	}
	s.fn = s.u.l.NewFunctionFromProto(proto)
	return nil
}

// prepare makes what the snippet sees: the connection's globals, and packet or inj.
func (s *snippet) prepare(of *conn) {
	view := *of
	s.c = &view
	view.queue, view.closing, view.wanted = queue{}, false, nil
	view.private = s.u.private(&view)
	below := s.u.l.NewTable()
	below.RawSetString("__index", of.private)
	below.RawSetString("__newindex", of.private)
	view.private.Metatable = below
	view.note(s.ev)
	s.u.use(view.private, view.of)

	s.env = s.u.layered(of.env, true)
	s.env.RawSetString("__proxy", view.private)
	if s.ev.Packet != nil {
		s.env.RawSetString("packet", lua.LString(s.ev.Packet))
	}
	switch s.ev.Point {
	case rule.ReadAuthResult:
		auth := s.u.l.NewTable()
		auth.RawSetString("packet", lua.LString(s.ev.Packet))
		s.env.RawSetString("auth", auth)
	case rule.ReadQuery:
		view.original, view.attrs = scriptPacket(s.ev.Packet, s.ev.Context.Caps)
		view.wire = s.ev.Packet
		s.env.RawSetString("packet", lua.LString(view.original))
	case rule.ReadQueryResult:
		q := s.ev.Query
		e := &entry{id: q.ID, need: true, queued: s.ev.Timing.Queued}
		e.packet, view.attrs = scriptPacket(q.Packet, s.ev.Context.Caps)
		if of.running != nil && of.running.id == q.ID {
			e.packet, e.queued = of.running.packet, of.running.queued
		}
		view.original = e.packet
		view.wire = q.Packet
		s.env.RawSetString("inj", s.u.userdata(s.u.kinds.injection, &injection{entry: e, ev: s.ev}))
	}
}

// show prints the values of an expression. It is a call of its own: __tostring is Lua code.
func (s *snippet) show(ctx context.Context, values []lua.LValue) error {
	fn := s.u.l.NewFunction(func(l *lua.LState) int {
		parts := make([]string, l.GetTop())
		for i := range parts {
			parts[i] = inspect(l, l.Get(i+1), 0)
		}
		if len(parts) > 0 {
			s.u.print(l, strings.Join(parts, "\t"))
		}
		return 0
	})
	if err := s.u.run(ctx, snippetDeadline, fn, 0, values...); err != nil {
		return asError(err, s.ev.Conn.ID, "")
	}
	return nil
}

// Limits of what inspect shows of a table.
const (
	shownKeys  = 50
	shownDepth = 3
)

// inspect is a value for a person: of a table, what is in it.
func inspect(l *lua.LState, v lua.LValue, depth int) string {
	t, ok := v.(*lua.LTable)
	if s, isText := v.(lua.LString); isText && depth > 0 {
		return fmt.Sprintf("%q", string(s))
	}
	if !ok || depth == shownDepth || l.GetMetaField(t, "__tostring") != lua.LNil {
		return display(l, v)
	}
	var parts []string
	more := 0
	t.ForEach(func(k, v lua.LValue) {
		if len(parts) == shownKeys {
			more++
			return
		}
		parts = append(parts, display(l, k)+" = "+inspect(l, v, depth+1))
	})
	if more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// result makes a draft of what the snippet returned.
func (s *snippet) result(values []lua.LValue) Result {
	ret := 0
	if len(values) > 0 {
		ret, _ = integer(values[0])
	}
	queued := len(s.c.queue.entries)
	v := intercept.Verdict{By: "you (lua)", CloseAfter: s.c.closing}
	var what string
	switch {
	case ret == sendResult:
		a, why := s.answer()
		if why != nil {
			return Result{Err: &Error{Script: snippetName, Conn: s.ev.Conn.ID, Msg: why.in(snippetName)}}
		}
		v.Action, v.Answer = intercept.Reply, a.answer
		what = "answers " + describeAnswer(a.answer)
	case ret == sendQuery && s.ev.Point == rule.ReadQuery && queued > 0:
		v.Action, v.Queries = intercept.Forward, s.queries(true)
		what = describeQueries(v.Queries)
	case ret == sendQuery && s.ev.Point == rule.ReadAuth && queued > 0:
		v.Action, v.Packet = intercept.Forward, []byte(s.c.queue.entries[0].packet)
		what = "sends another login"
	case ret == sendQuery:
		return Result{Describe: "nothing: PROXY_SEND_QUERY needs proxy.queries:append() at read_query"}
	case ret == ignoreResult && s.ev.Point == rule.ReadQueryResult:
		v.Action, what = intercept.Drop, "keeps the result from the client"
		if queued > 0 {
			v.Queries = s.queries(true)
			what += " and " + describeQueries(v.Queries)
		}
	case ret != 0:
		return Result{Describe: fmt.Sprintf("nothing: %d is no decision at %s", ret, s.ev.Point)}
	case queued > 0:
		return Result{Describe: fmt.Sprintf("nothing: %d queries are queued, return proxy.PROXY_SEND_QUERY to send them", queued)}
	case s.c.wanted != nil && s.ev.Point == rule.ConnectServer:
		v.Action, v.Backend = intercept.Forward, max(*s.c.wanted, 0)
		what = fmt.Sprintf("connects to backend %d", v.Backend)
	case s.c.closing:
		what = "lets it go on"
	default:
		return Result{Describe: "no decision"}
	}
	if s.c.closing {
		what += ", then closes the connection"
	}
	if err := intercept.Check(s.ev, &v); err != nil {
		return Result{Err: &Error{Script: snippetName, Conn: s.ev.Conn.ID, Msg: err.Error()}}
	}
	return Result{Verdict: &v, Describe: what}
}

func (s *snippet) answer() (*crafted, *refused) {
	return response(s.c.private.RawGetString("response"), s.ev.Command(), s.ev.Context)
}

// queries makes a plan of the queue in which the client gets one answer: that of the query it sent
// itself, else that of the last one.
func (s *snippet) queries(show bool) []intercept.Query {
	c := s.c
	c.show = c.shown()
	var list []intercept.Query
	done := !show
	for _, e := range c.queue.entries {
		q := intercept.Query{ID: e.id, Origin: intercept.FromPerson, Packet: c.wirePacket(e.packet, s.ev.Context.Caps)}
		if e.packet == c.show && !done {
			q.Show, done = true, true
		}
		if bytes.Equal(q.Packet, c.wire) {
			q.Origin = intercept.FromClient
		}
		list = append(list, q)
	}
	return list
}

func describeQueries(list []intercept.Query) string {
	if len(list) == 1 {
		return "sends " + describeQuery(list[0])
	}
	shown := ""
	for i, q := range list {
		if q.Show {
			shown = fmt.Sprintf("; the client gets the answer to number %d", i+1)
		}
	}
	return fmt.Sprintf("sends %d queries%s", len(list), shown)
}

func describeQuery(q intercept.Query) string {
	if len(q.Packet) == 0 {
		return "an empty command"
	}
	return mysqlwire.Command(q.Packet[0]).String()
}

func describeAnswer(a *mysqlwire.Answer) string {
	var cx mysqlwire.Context
	switch p := a.Packets[0]; p.Kind {
	case mysqlwire.KindOK:
		return "OK"
	case mysqlwire.KindERR:
		var e mysqlwire.ERR
		if e.Decode(p.Payload, &cx) == nil {
			return e.Error()
		}
	case mysqlwire.KindColumnCount:
		rows := 0
		for _, p := range a.Packets {
			if p.Kind.IsRow() {
				rows++
			}
		}
		return fmt.Sprintf("a result set of %d rows", rows)
	}
	return fmt.Sprintf("%d packets", len(a.Packets))
}
