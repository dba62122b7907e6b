package script

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
	"mydbg/intercept/rule"
)

// Options configure an Engine or a Console.
type Options struct {
	// Deadline ends a hook that runs longer; 0 is DefaultDeadline, negative is none.
	Deadline time.Duration
	// Output is told each line of output, one call at a time per event. It must not block.
	Output func(Line)
	// Servers fills proxy.global.backends. Without it there are none.
	Servers Servers
	// Path is where require looks for Lua files, as in LUA_PATH; "" is beside the script and then
	// where the environment says.
	Path string
	// CPath is where require would look for C libraries, as in LUA_CPATH. What it finds there it names
	// as not loadable.
	CPath string
	// Sandbox withholds what reaches beyond the proxy: io, os.execute and the like, files as code,
	// posix, lfs, and debug but for traceback.
	Sandbox bool
	// Share is an engine whose Lua state the new one shares, with proxy.global and _G.
	Share *Engine
	// Shutdown ends the program in good order, for chassis.set_shutdown.
	Shutdown func()
}

// DefaultDeadline is how long a hook may run.
const DefaultDeadline = 50 * time.Millisecond

// loadDeadline is how long the script itself may run when a connection loads it.
const loadDeadline = 2 * time.Second

func (o *Options) deadline(of time.Duration) time.Duration {
	if o.Deadline < 0 {
		return 0
	}
	return of
}

// Engine is a script, as a hook.
type Engine struct {
	name   string
	src    *source
	o      Options
	u      *universe
	out    output
	conns  map[intercept.ConnID]*conn // belongs to whoever has the turn
	hinted map[string]bool            // hints given; belongs to whoever has the turn
	alone  bool                       // there is never a server: the script answers every command
	stats  stats
}

// Load makes an engine of a script file. An error is an *Error: the script does not compile.
func Load(path string, o Options) (*Engine, error) { return loadSource(&source{path: path}, o) }

func loadSource(src *source, o Options) (*Engine, error) {
	path := src.path
	if o.Deadline == 0 {
		o.Deadline = DefaultDeadline
	}
	e := &Engine{
		name: "script " + filepath.Base(path), src: src, o: o, conns: map[intercept.ConnID]*conn{}, hinted: map[string]bool{},
	}
	if o.Share != nil {
		e.u = o.Share.u
	} else {
		e.u = newUniverse(o)
	}
	e.out.to = o.Output
	if o.Path == "" && o.Share == nil {
		pkg := e.u.l.GetGlobal("package").(*lua.LTable)
		elsewhere, _ := text(pkg.RawGetString("path"))
		pkg.RawSetString("path", lua.LString(filepath.Join(filepath.Dir(path), "?.lua")+";"+elsewhere))
	}
	if _, err := e.src.load(); err != nil {
		return nil, err
	}
	return e, nil
}

// Name is the hook's name, "script rw.lua".
func (e *Engine) Name() string { return e.name }

// Path is the script's file as given to Load.
func (e *Engine) Path() string { return e.src.path }

// Lines is the newest output, oldest first.
func (e *Engine) Lines() []Line { return e.out.list() }

// Reload compiles the file and has the connections that are open run it again, each before its next
// hook and with globals of its own anew. Without it a changed file is for new connections only. An
// error is an *Error, and everything stays as it was.
func (e *Engine) Reload(ctx context.Context) error {
	if _, err := e.src.again(); err != nil {
		return err
	}
	if err := e.u.enter(ctx); err != nil {
		return err
	}
	for _, c := range e.conns {
		c.loaded = false
		e.u.emptied(c)
	}
	e.stats.renewed()
	e.out.add(e.u.leave())
	return nil
}

// points are the events of the hooks. Answers are not among them: the engine is asked about those
// of its own queries without.
var points = intercept.At(rule.ConnectServer, rule.ReadHandshake, rule.ReadAuth, rule.ReadAuthResult, rule.ReadQuery, rule.Disconnect)

// Interest is all hook events but read_query_result: which hooks a script has is known only when it
// has run for a connection, and may change.
func (e *Engine) Interest() intercept.Points { return points }

// hookNames are the functions called at the points.
var hookNames = map[intercept.Point]string{
	rule.ConnectServer: "connect_server", rule.ReadHandshake: "read_handshake", rule.ReadAuth: "read_auth",
	rule.ReadAuthResult: "read_auth_result", rule.ReadQuery: "read_query", rule.ReadQueryResult: "read_query_result",
	rule.Disconnect: "disconnect_client",
}

// Handle asks the script about an event. An error is an *Error.
func (e *Engine) Handle(ctx context.Context, ev *intercept.Event) (intercept.Verdict, error) {
	v, _, err := e.handle(ctx, ev)
	return v, err
}

// handle is Handle with the number that the hook returned.
func (e *Engine) handle(ctx context.Context, ev *intercept.Event) (intercept.Verdict, int, error) {
	if ev.Point == rule.Disconnect {
		ctx = context.WithoutCancel(ctx) // the connection has ended, its last hook may still run
	}
	c, failed, err := e.conn(ctx, ev) // takes the turn
	if err != nil {
		return intercept.Verdict{}, 0, err
	}
	defer func() { // also when something panics: other connections wait for the turn
		e.u.now = moment{}
		e.out.add(e.u.leave())
	}()
	e.u.now = moment{e.src.path, Line{Event: ev.ID, Exchange: ev.Exchange, Conn: ev.Conn.ID, Hook: hookNames[ev.Point]}}
	return e.decide(ctx, ev, c, failed)
}

func (e *Engine) decide(ctx context.Context, ev *intercept.Event, c *conn, failed *loadFailure) (intercept.Verdict, int, error) {
	if ev.Point == rule.Disconnect {
		delete(e.conns, ev.Conn.ID)
	}
	if failed != nil {
		v, err := e.unloaded(ev, failed)
		return v, 0, err
	}
	e.u.use(c.private, c.of)
	h := hooks{e: e, c: c, ev: ev, ctx: ctx}
	v, err := h.decide()
	if h.called {
		e.stats.decided(ev.Point, &v)
	}
	return v, h.ret, err
}

// conn finds or makes the state of the event's connection and takes the turn, which is left only
// with an error.
func (e *Engine) conn(ctx context.Context, ev *intercept.Event) (*conn, *loadFailure, error) {
	if err := e.u.enter(ctx); err != nil {
		return nil, nil, err
	}
	c := e.conns[ev.Conn.ID]
	if c != nil && c.loaded {
		return c, nil, nil
	}
	e.out.add(e.u.leave())
	proto, bad := e.src.load() // reads a file: without the turn
	if err := e.u.enter(ctx); err != nil {
		return nil, nil, err
	}
	// Events of one connection come one after the other: c is still what it was.
	if c == nil {
		c = e.u.newConn(ev.Conn)
		e.conns[ev.Conn.ID] = c
		e.u.global.RawSetString("backends", e.u.userdata(e.u.kinds.backends, nil))
	}
	if bad != nil {
		return c, &loadFailure{bad, "load"}, nil
	}
	e.u.now = moment{e.src.path, Line{Event: ev.ID, Exchange: ev.Exchange, Conn: ev.Conn.ID}}
	e.u.use(c.private, c.of)
	if bad := e.execute(ctx, c, proto); bad != nil {
		return c, &loadFailure{bad, "execute"}, nil
	}
	c.loaded = true
	e.stats.loading(nil)
	return c, nil, nil
}

// execute runs the script in the environment of a connection, which defines its hooks.
func (e *Engine) execute(ctx context.Context, c *conn, proto *lua.FunctionProto) *Error {
	outer := e.u.l.NewFunctionFromProto(proto)
	outer.Env = c.env
	limit := e.o.deadline(loadDeadline)
	body, err := e.u.call(ctx, limit, outer)
	if err == nil {
		_, err = e.u.call(ctx, limit, body.(*lua.LFunction))
	}
	if err == nil {
		return nil
	}
	return asError(err, c.of.ID, "")
}

// loadFailure says at what loading a script failed: to load or to execute it.
type loadFailure struct {
	err *Error
	at  string
}

// unloaded decides where there is no script: clients are told, as MySQL Proxy tells them.
func (e *Engine) unloaded(ev *intercept.Event, f *loadFailure) (intercept.Verdict, error) {
	e.stats.loading(f.err)
	e.fail(f.err)
	switch ev.Point {
	case rule.ConnectServer, rule.ReadQuery, rule.ReadQueryResult:
		if ev.Point == rule.ReadQuery && !ev.Command().Answered() {
			break
		}
		a := proxyERR("MySQL Proxy Lua script failed to " + f.at + ". Check the error log.")
		return intercept.Verdict{Action: intercept.Reply, Answer: a, By: e.name, Why: f.err.Error()}, nil
	}
	return intercept.Verdict{}, nil
}

// fail files an error as output.
func (e *Engine) fail(err *Error) {
	e.u.say(Failure, "%v", err)
	last := &e.u.said[len(e.u.said)-1]
	last.Err, last.Source = err, err.Line
}

// asError gives an error from the universe what it lacks.
func asError(err error, id intercept.ConnID, hook string) *Error {
	var bad *Error
	if !errors.As(err, &bad) {
		bad = &Error{Msg: err.Error()}
	}
	bad.Conn, bad.Hook = id, hook
	return bad
}
