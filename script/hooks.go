package script

import (
	"bytes"
	"context"
	"time"

	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// hooks carries one event through the script.
type hooks struct {
	e   *Engine
	c   *conn
	ev  *intercept.Event
	ctx context.Context

	called bool   // the script has the hook
	ret    int    // what it returned
	dry    bool   // a trial: nothing is counted or reported
	failed *Error // what the hook raised
}

func (h *hooks) decide() (intercept.Verdict, error) {
	h.c.note(h.ev)
	switch h.ev.Point {
	case rule.ConnectServer:
		return h.connectServer()
	case rule.ReadHandshake:
		return h.readHandshake()
	case rule.ReadAuth:
		return h.readAuth()
	case rule.ReadAuthResult:
		return h.readAuthResult()
	case rule.ReadQuery:
		return h.readQuery()
	case rule.ReadQueryResult:
		return h.readQueryResult()
	case rule.Disconnect:
		_, _, err := h.call()
		return intercept.Verdict{}, err
	}
	return intercept.Verdict{}, nil
}

// call calls the event's hook. exists is false if the script has none; its decision is 0 then.
func (h *hooks) call(args ...lua.LValue) (decision int, exists bool, err error) {
	name := hookNames[h.ev.Point]
	var fn *lua.LFunction
	switch v := h.lookup(name).(type) {
	case *lua.LFunction:
		fn = v
	case *lua.LNilType:
		return 0, false, nil
	default:
		if h.ev.Point != rule.ReadQuery {
			h.e.u.say(Message, "%s is a %s, not a function: it is not called", name, v.Type())
		}
		return 0, false, nil
	}
	h.called = true
	began := time.Now()
	v, err := h.e.u.call(h.ctx, h.e.o.deadline(h.e.o.Deadline), fn, args...)
	if err != nil {
		bad := asError(err, h.c.of.ID, name)
		h.failed = bad
		if !h.dry {
			h.e.stats.called(h.ev.Point, time.Since(began), bad)
			h.e.fail(bad)
		}
		return 0, true, bad
	}
	if !h.dry {
		h.e.stats.called(h.ev.Point, time.Since(began), nil)
	}
	h.ret, _ = integer(v)
	return h.ret, true, nil
}

// lookup finds a hook in the connection's environment, then in _G.
func (h *hooks) lookup(name string) lua.LValue {
	if v := h.c.env.RawGetString(name); v != lua.LNil {
		return v
	}
	return h.e.u.l.G.Global.RawGetString(name)
}

func (h *hooks) connectServer() (intercept.Verdict, error) {
	h.c.wanted = nil
	ret, _, err := h.call()
	if ret == sendResult {
		a := h.answer(0)
		if p := a.Packets[0]; p.Kind == mysqlwire.KindGreeting {
			if g := new(mysqlwire.Greeting); g.Decode(p.Payload, nil) == nil {
				h.c.greeting = g
			}
		}
		return h.reply(a), nil
	}
	n := h.c.info().BackendIndex
	if w := h.c.wanted; w != nil {
		n = *w
	}
	if n <= 0 {
		return intercept.Verdict{}, err
	}
	return intercept.Verdict{Action: intercept.Forward, Backend: n, Pooled: ret == ignoreResult && h.c.of.Waiting()}, err
}

func (h *hooks) readHandshake() (intercept.Verdict, error) {
	if h.ev.Kind == mysqlwire.KindERR {
		return intercept.Verdict{}, nil
	}
	ret, _, err := h.call()
	if ret == sendQuery {
		h.e.u.say(Warning, "read_handshake() returned PROXY_SEND_QUERY, which is deprecated: use PROXY_SEND_RESULT")
	}
	if ret == sendResult || ret == sendQuery {
		return h.reply(h.answer(0)), nil
	}
	h.c.greeted = true
	return intercept.Verdict{}, err
}

func (h *hooks) readAuth() (intercept.Verdict, error) {
	ret, _, err := h.call()
	queued := h.c.queue.entries
	h.c.queue.reset()
	switch {
	case ret == sendResult:
		return h.stay(h.answer(0)), nil
	case ret == sendQuery && len(queued) > 0:
		if h.c.serverPeer() == nil {
			h.e.u.say(Critical, "read_auth() wants to send a query, but there is no server")
			break
		}
		return intercept.Verdict{Action: intercept.Forward, Packet: []byte(queued[0].packet)}, nil
	}
	return intercept.Verdict{}, err
}

func (h *hooks) readAuthResult() (intercept.Verdict, error) {
	auth := h.e.u.l.NewTable()
	auth.RawSetString("packet", lua.LString(h.ev.Packet))
	ret, _, err := h.call(auth)
	if ret == sendResult {
		return h.stay(h.answer(0)), nil
	}
	return intercept.Verdict{}, err
}

// reply answers the client in the server's place.
func (h *hooks) reply(a *mysqlwire.Answer) intercept.Verdict {
	return intercept.Verdict{Action: intercept.Reply, Answer: a}
}

// stay is reply in a login that goes on as the server decided, or as if it had.
func (h *hooks) stay(a *mysqlwire.Answer) intercept.Verdict {
	v := h.reply(a)
	v.Stay = true
	return v
}

// answer makes packets of proxy.response; an error for the client if that fails.
func (h *hooks) answer(cmd mysqlwire.Command) *mysqlwire.Answer {
	h.hintResponse(h.c.private.RawGetString("response"))
	a, why := response(h.c.private.RawGetString("response"), cmd, h.ev.Context)
	if why != nil {
		h.e.u.say(why.level, "%s", why.in(h.e.src.path))
		return proxyERR("(lua) handling proxy.response failed, check error-log")
	}
	for _, w := range a.warnings {
		h.e.u.say(Warning, "%s", w)
	}
	return a.answer
}

func (h *hooks) readQuery() (intercept.Verdict, error) {
	c := h.c
	c.queue.reset()
	c.private.RawSetString("response", h.e.u.l.CreateTable(0, 0)) // NewTable makes room for 64 entries
	c.sent, c.running, c.over = 0, nil, false
	c.answered = h.ev.Command().Answered()
	if !h.ev.Whole() {
		h.e.u.say(Warning, "a command of more than %d bytes goes past read_query", len(h.ev.Packet))
		return intercept.Verdict{}, nil
	}
	c.original, c.attrs = scriptPacket(h.ev.Packet, h.ev.Context.Caps)
	c.wire = h.ev.Packet
	ret, exists, err := h.call(lua.LString(c.original))
	pass := intercept.Verdict{CloseAfter: c.closing}
	if !exists && !c.of.Adrift() {
		return pass, nil
	}
	h.hintNothing()
	waiting := len(c.queue.entries)
	switch {
	case ret == sendResult:
		c.queue.reset()
		return h.replyToCommand(), nil
	case c.of.Adrift() && !h.e.alone:
		return h.stranded(), nil
	case err != nil:
		c.queue.reset()
		return pass, err
	case ret == sendQuery && waiting > 0:
		c.show = c.shown()
		return intercept.Verdict{Action: intercept.Forward, Queries: h.next()}, nil
	case ret == sendQuery:
		h.e.u.say(Critical, "'return proxy.PROXY_SEND_QUERY' used without proxy.queue:append() or :prepend(). Assuming 'nil' was returned")
	case ret != 0:
		h.e.u.say(Critical, "read_query() returned %d, which means nothing here. Assuming 'nil' was returned", ret)
		fallthrough
	case waiting > 0:
		if waiting > 0 {
			h.e.u.say(Critical, "proxy.queue:append() or :prepend() used without 'return proxy.PROXY_SEND_QUERY'. Discarding %d elements from the queue.", waiting)
			h.hintQueue()
		}
	}
	c.queue.reset()
	return pass, nil
}

// stranded closes a connection whose command has nowhere to go.
func (h *hooks) stranded() intercept.Verdict {
	h.e.u.say(Critical, "I have no server backend, closing connection")
	h.c.queue.reset()
	return intercept.Verdict{Action: intercept.Close, Why: "no server"}
}

// replyToCommand answers a command in the server's place. A command that has no answer is not sent
// on, which is all that can be done about it.
func (h *hooks) replyToCommand() intercept.Verdict {
	a := h.answer(h.ev.Command())
	if !h.c.answered {
		return intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{}, CloseAfter: h.c.closing}
	}
	v := h.reply(a)
	v.CloseAfter = h.c.closing
	return v
}

// shown finds the query whose answer the list shows as that of the command: the client's own, else
// the last. What the client gets is decided answer by answer.
func (c *conn) shown() string {
	for _, e := range c.queue.entries {
		if e.packet == c.original {
			return e.packet
		}
	}
	return c.queue.entries[len(c.queue.entries)-1].packet
}

// next takes the next query off the queue for the core to send.
func (h *hooks) next() []intercept.Query {
	c := h.c
	c.running, c.over = c.queue.pop(), false
	e := c.running
	q := intercept.Query{ID: e.id, Origin: intercept.FromScript, Need: e.need, Packet: c.wirePacket(e.packet, h.ev.Context.Caps)}
	if e.packet == c.original {
		q.Origin = intercept.FromClient
	}
	answered := len(e.packet) > 0 && mysqlwire.Command(e.packet[0]).Answered()
	q.Show = (!e.need || e.packet == c.show) && (c.answered || !answered)
	return []intercept.Query{q}
}

func (h *hooks) readQueryResult() (intercept.Verdict, error) {
	c := h.c
	if c.running == nil { // a person has changed the plan
		return intercept.Verdict{}, nil
	}
	if c.over { // the rest of an answer that was too large to keep
		return h.goOn(intercept.Verdict{}), nil
	}
	inj := &injection{entry: c.running, ev: h.ev}
	ret, exists, err := h.call(h.e.u.userdata(h.e.u.kinds.injection, inj))
	var v intercept.Verdict
	if c.running.need && h.ev.Answer != nil {
		v = h.decideBuffered(ret)
	} else if exists {
		if ret != 0 {
			h.e.u.say(Critical, "read_query_result() in %s tries to modify the resultset, but hasn't asked to buffer it in proxy.query:append(..., { resultset_is_needed = true }). We ignore the change to the result-set.", h.e.src.path)
			h.hintBuffer()
		}
		c.sent++
	}
	if h.ev.Answer != nil && h.ev.Answer.Partial {
		c.over = true
		return v, nil
	}
	if v = h.goOn(v); v.Action == intercept.Pass && !v.Touches() {
		return v, err
	}
	return v, nil // the error is in the output; with it the core would drop the verdict
}

// decideBuffered decides on an answer that was kept for the script.
func (h *hooks) decideBuffered(ret int) intercept.Verdict {
	c := h.c
	dropped := intercept.Verdict{Action: intercept.Drop}
	switch {
	case !c.answered:
		return dropped
	case ret == ignoreResult:
		return dropped
	case ret != 0 && ret != sendResult:
		h.e.u.say(Message, "return-code for read_query_result() was neither PROXY_SEND_RESULT or PROXY_IGNORE_RESULT, will ignore the result")
		return dropped
	case c.sent > 0:
		h.e.u.say(Critical, "got asked to send a resultset, but ignoring it as we already have sent %d resultset(s). injection-id: %d", c.sent, c.running.id)
		return dropped
	}
	c.sent++
	partial := h.ev.Answer.Partial
	switch {
	case ret == sendResult && partial:
		h.e.u.say(Critical, "the answer is too large to be replaced: it goes to the client as it is")
	case ret == sendResult:
		return h.reply(h.answer(mysqlwire.Command(c.running.packet[0])))
	}
	if h.ev.Query.Show {
		return intercept.Verdict{}
	}
	if partial {
		h.e.u.say(Critical, "the answer to an injected query is too large to be kept: the connection is closed")
		return intercept.Verdict{Action: intercept.Close}
	}
	return intercept.Verdict{Action: intercept.Forward, Answer: h.ev.Answer}
}

// goOn adds what comes after the answer: the end of the connection, the next query, or nothing.
func (h *hooks) goOn(v intercept.Verdict) intercept.Verdict {
	c := h.c
	c.running, c.over = nil, false
	switch {
	case c.closing:
		v.CloseAfter = true
		c.queue.reset()
	case len(c.queue.entries) == 0:
	case !c.queue.entries[0].need && c.sent > 0:
		h.e.u.say(Critical, "proxy.queries:append() in %s can only have one injected query without { resultset_is_needed = true } set. We close the client connection now.", h.e.src.path)
		v.CloseAfter = true
		c.queue.reset()
	default:
		v.Queries = h.next()
	}
	return v
}

// scriptPacket is a command as scripts expect it: with the SQL text right behind the command byte.
// Attributes of the query are returned beside it.
func scriptPacket(packet []byte, caps mysqlwire.Caps) (string, []mysqlwire.QueryAttr) {
	if len(packet) > 0 && packet[0] == byte(mysqlwire.ComQuery) && caps.Has(mysqlwire.QueryAttributes) {
		var q mysqlwire.Query
		if q.Decode(packet, &mysqlwire.Context{Caps: caps}) == nil {
			return string([]byte{byte(mysqlwire.ComQuery)}) + q.SQL, q.Attributes
		}
	}
	return string(packet), nil
}

// wirePacket is a script's packet as the server expects it: with attributes where those are agreed,
// the client's own if it stands for the client's command.
func (c *conn) wirePacket(packet string, caps mysqlwire.Caps) []byte {
	if packet == c.original {
		return bytes.Clone(c.wire)
	}
	if packet == "" || packet[0] != byte(mysqlwire.ComQuery) || !caps.Has(mysqlwire.QueryAttributes) {
		return []byte(packet)
	}
	q := &mysqlwire.Query{SQL: packet[1:]}
	if packet == c.show {
		q.Attributes = c.attrs
	}
	b, err := q.Encode(nil, &mysqlwire.Context{Caps: caps})
	if err != nil { // the attributes were decoded under the same capabilities
		return []byte(packet)
	}
	return b
}
