package script

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"os"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
)

// Admin is the hook of an admin listener, as MySQL Proxy's admin plugin is: it has no server, lets in
// one user, and has the read_query of its script answer every command.
type Admin struct {
	e              *Engine
	user, password string
	conns          map[intercept.ConnID][]byte // scrambles; belongs to whoever has the state's turn
}

//go:embed admin.lua
var adminScript []byte

// AdminOptions are who may log in, and the script.
type AdminOptions struct {
	User, Password string // both must be set
	Path           string // of the script; "" is the one that comes with the program
	// With is the engine whose Lua state it shares: proxy.global and _G. nil is a state of its own.
	With *Engine
}

// NewAdmin loads the script of an admin listener.
func NewAdmin(o Options, a AdminOptions) (*Admin, error) {
	if a.User == "" || a.Password == "" {
		return nil, errors.New("an admin listener needs a user and a password: --admin-username, --admin-password")
	}
	o.Share = a.With
	var e *Engine
	var err error
	if a.Path == "" {
		e, err = loadSource(&source{path: "admin.lua", text: adminScript}, o)
	} else {
		if _, unreadable := os.Stat(a.Path); unreadable != nil {
			return nil, unreadable
		}
		e, err = Load(a.Path, o)
	}
	if err != nil {
		return nil, err
	}
	e.alone = true
	return &Admin{e: e, user: a.User, password: a.Password, conns: map[intercept.ConnID][]byte{}}, nil
}

// Engine runs the script.
func (a *Admin) Engine() *Engine { return a.e }

// Name is the hook's name, "admin script admin.lua".
func (a *Admin) Name() string { return "admin " + a.e.name }

// Interest is where an admin connection has to be answered.
func (a *Admin) Interest() intercept.Points {
	return intercept.At(rule.ConnectServer, rule.ReadAuth, rule.ReadQuery, rule.Disconnect)
}

// Handle answers for the server that there is none of.
func (a *Admin) Handle(ctx context.Context, ev *intercept.Event) (intercept.Verdict, error) {
	switch ev.Point {
	case rule.ConnectServer:
		return a.greet(ctx, ev)
	case rule.ReadAuth:
		return a.login(ctx, ev)
	case rule.ReadQuery:
		return a.command(ctx, ev)
	}
	return intercept.Verdict{}, a.forget(context.WithoutCancel(ctx), ev)
}

func (a *Admin) greet(ctx context.Context, ev *intercept.Event) (intercept.Verdict, error) {
	scramble := make([]byte, 20)
	_, _ = rand.Read(scramble) // never fails
	for i := range scramble {
		scramble[i] = scramble[i]&0x7f | 1 // old clients take it for text
	}
	if err := a.e.u.enter(ctx); err != nil {
		return intercept.Verdict{Action: intercept.Close}, err
	}
	a.conns[ev.Conn.ID] = scramble
	a.e.out.add(a.e.u.leave())
	g := &mysqlwire.Greeting{
		Version: "5.0.99-agent-admin", ConnectionID: 1, Scramble: scramble, Collation: 8, Status: mysqlwire.StatusAutocommit,
		Caps: mysqlwire.LongPassword | mysqlwire.Protocol41 | mysqlwire.SecureConnection,
	}
	b, err := g.Encode(nil, nil)
	if err != nil {
		return intercept.Verdict{Action: intercept.Close}, err
	}
	return answerWith(&mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindGreeting, Payload: b}}}), nil
}

func answerWith(a *mysqlwire.Answer) intercept.Verdict {
	return intercept.Verdict{Action: intercept.Reply, Answer: a}
}

func (a *Admin) login(ctx context.Context, ev *intercept.Event) (intercept.Verdict, error) {
	if err := a.e.u.enter(ctx); err != nil {
		return intercept.Verdict{Action: intercept.Close}, err
	}
	scramble := a.conns[ev.Conn.ID]
	a.e.out.add(a.e.u.leave())
	m := ev.Conn.Client().Login
	why := ""
	switch {
	case m == nil || m.User != a.user:
		why = "unknown user"
	case len(m.AuthResponse) != 20:
		why = "scrambling failed"
	case !auth.CheckNative(auth.NativeHash([]byte(a.password)), scramble, m.AuthResponse):
		why = "password doesn't match"
	}
	if why == "" {
		return intercept.Verdict{}, nil
	}
	v := answerWith(mysqlwire.ERRAnswer(1045, "28000", why))
	v.CloseAfter, v.Why = true, why
	return v, nil
}

// command has the script answer. What is no answer ends the connection, as in MySQL Proxy.
func (a *Admin) command(ctx context.Context, ev *intercept.Event) (intercept.Verdict, error) {
	refuse := func(text string) intercept.Verdict {
		if !ev.Command().Answered() {
			return intercept.Verdict{Action: intercept.Close, Why: "the client leaves"}
		}
		v := answerWith(proxyERR(text))
		v.CloseAfter, v.Why = true, text
		return v
	}
	const otherwise = "need a resultset + proxy.PROXY_SEND_RESULT ... got something else"
	sql, isQuery := strings.CutPrefix(string(ev.Packet), "\x03")
	if isQuery && (sql == "" || len(sql) >= 5 && strings.EqualFold(sql[:5], "LOAD ")) {
		return refuse(otherwise), nil
	}
	v, ret, err := a.e.handle(ctx, ev)
	switch {
	case v.Action == intercept.Reply || v.Action == intercept.Forward && v.Queries != nil && len(v.Queries) == 0:
		return v, nil
	case err != nil || ret != 0:
		return refuse(otherwise), nil // the error is in the output; with it the core would drop the verdict
	}
	return refuse("need a resultset + proxy.PROXY_SEND_RESULT"), nil
}

func (a *Admin) forget(ctx context.Context, ev *intercept.Event) error {
	if err := a.e.u.enter(ctx); err != nil {
		return err
	}
	delete(a.conns, ev.Conn.ID)
	delete(a.e.conns, ev.Conn.ID)
	a.e.out.add(a.e.u.leave())
	return nil
}
