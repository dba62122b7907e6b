package detail

import (
	"fmt"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
)

// subjects are one of every kind.
func subjects(t testing.TB) map[string]Subject {
	list := map[string]Subject{
		"nothing": {}, "connection": {Conn: connInfo()},
		"execute": heldExecute(t), "edited execute": editedExecute(t), "result": heldResult(t, 6),
	}
	s := heldExecute(t)
	s.Draft = &intercept.Verdict{Action: intercept.Forward}
	var err error
	s.Draft.Queries, err = intercept.Rewrite(s.Held.Event, "UPDATE stock SET qty = qty - ? WHERE sku = ? AND updated_at < ? LIMIT 1", intercept.FromPerson)
	if err != nil {
		t.Fatal(err)
	}
	s.Draft.Queries = append([]intercept.Query{intercept.QueryText("SET @who = 'me'", intercept.FromPerson)}, s.Draft.Queries...)
	s.Draft.Queries = append(s.Draft.Queries, intercept.QueryText("SHOW WARNINGS", intercept.FromPerson))
	list["plan"] = s

	s = heldExecute(t)
	s.Draft = &intercept.Verdict{Action: intercept.Reply, Answer: mysqlwire.ERRAnswer(1213, "", ""), CloseAfter: true}
	list["crafted"] = s

	s = heldResult(t, 6)
	edit, err := s.Held.Answer.EditResult(s.Held.Context, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{edit.Set(2, 1, []byte("refunded")), edit.Set(4, 0, uint64(1)), edit.DeleteRow(1)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	changed, err := edit.Answer()
	if err != nil {
		t.Fatal(err)
	}
	s.Held.SoFar = intercept.Verdict{Action: intercept.Forward, Answer: changed, By: "script mask.lua:7"}
	list["edited result"] = s

	list["error"] = Subject{Conn: connInfo(), Detail: exchange("COMMIT", mysqlwire.ERRAnswer(1213, "", "Deadlock found when trying to get lock; try restarting transaction"))}
	ok := encode(t, &mysqlwire.OK{
		AffectedRows: 3, LastInsertID: 41, Warnings: 1, Status: mysqlwire.StatusInTrans | mysqlwire.StatusSessionStateChanged, Info: "Rows matched: 3",
		SessionState: []mysqlwire.StateChange{
			{Type: mysqlwire.StateSystemVariables, Variables: []mysqlwire.StateVariable{{Name: "sql_mode", Value: "ANSI"}}},
			{Type: mysqlwire.StateSchema, Text: "shop"},
			{Type: mysqlwire.StateTransactionState, Text: "T_R_W___"},
		},
	}, answerContext(mysqlwire.ComQuery))
	list["ok"] = Subject{Conn: connInfo(), Detail: exchange("INSERT INTO orders (status) VALUES ('new')", &mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindOK, Payload: ok}}})}

	d := exchange(ordersSQL, answer(t, orders(3), answerContext(mysqlwire.ComQuery), false))
	d.Answer.Packets = d.Answer.Packets[:len(d.Answer.Packets)-2]
	d.Answer.Partial, d.Cut, d.Rows = true, true, 4120
	list["cut"] = Subject{Conn: connInfo(), Detail: d}
	d = exchange(ordersSQL, answer(t, orders(3), answerContext(mysqlwire.ComQuery), false))
	d.Missing, d.Received, d.Answer = true, mysqlwire.Packet{}, mysqlwire.Answer{}
	list["missing"] = Subject{Conn: connInfo(), Detail: d}

	login := encode(t, &mysqlwire.Login{
		Caps: mysqlwire.Protocol41 | mysqlwire.SecureConnection | mysqlwire.PluginAuth | mysqlwire.ConnectWithDB | mysqlwire.LongPassword, MaxPacket: 1 << 24, Collation: 255,
		User: "app", DB: "shop", PluginName: "mysql_native_password", AuthResponse: []byte("twenty secret bytes!"),
	}, nil)
	c := connInfo()
	c.Phase, c.ClientTLS = intercept.LoggingIn, ""
	list["login"] = Subject{Conn: c, Held: &intercept.Held{Since: at, Reason: intercept.Verdict{By: "breakpoint 1"}, Event: &intercept.Event{
		ID: 4, Point: rule.ReadAuth, Dir: mysqlwire.ToServer, Packet: login, PacketLen: len(login), Kind: mysqlwire.KindLogin, Context: &mysqlwire.Context{},
	}}}
	c.LoginFailure = &intercept.LoginReport{
		At: at, Cause: intercept.CauseDenied, Step: intercept.StepAuthentication, User: "app",
		Line:   "the password is wrong, or there is no such account for this machine, which servers do not tell apart: ERROR 1045 (28000): Access denied",
		Hints:  []string{"try user and password at the server itself", "let mydbg use TLS to the server: --backend-tls=required"},
		Client: []intercept.Fact{{Name: "address", Text: "10.0.0.7:51812"}, {Name: "plugin", Text: "mysql_native_password"}, {Name: "capabilities", Text: "PROTOCOL_41"}},
		Server: []intercept.Fact{{Name: "version", Text: "8.4.2"}, {Name: "TLS", Text: "none, plain text, though it offers TLS"}},
		Error:  &mysqlwire.ERR{Code: 1045, SQLState: "28000", Message: "Access denied\x1b[31m"},
	}
	refused := encode(t, c.LoginFailure.Error, nil)
	list["refused"] = Subject{Conn: c, Held: &intercept.Held{Since: at, Reason: intercept.Verdict{By: "breakpoint 1"}, Event: &intercept.Event{
		ID: 6, Point: rule.ReadAuthResult, Dir: mysqlwire.ToClient, Packet: refused, PacketLen: len(refused), Kind: mysqlwire.KindERR, Context: &mysqlwire.Context{Caps: mysqlwire.Protocol41},
	}}}
	c.Phase, c.Cause, c.Closed = intercept.Closed, c.LoginFailure.Title(), at
	c.ClientCert = &intercept.Certificate{Subject: "CN=app", Issuer: "CN=shop", NotAfter: at}
	list["failed connection"] = Subject{Conn: c}
	c.LoginFailure, c.Cause, c.Closed, c.ClientCert, c.Phase = nil, "", time.Time{}, nil, intercept.LoggingIn
	list["connect"] = Subject{Conn: c, Held: &intercept.Held{Since: at, Reason: intercept.Verdict{By: "pause"}, Event: &intercept.Event{ID: 5, Point: rule.ConnectServer}}}
	return list
}

func press(t *testing.T, m *Model, keys ...keymap.ID) {
	t.Helper()
	for _, k := range keys {
		m.Do(k)
	}
}

func TestGolden(t *testing.T) {
	all := subjects(t)
	for _, tt := range []struct {
		name, subject string
		tab           tab
		keys          []keymap.ID
	}{
		{"packet", "execute", tabPacket, []keymap.ID{keymap.Bottom, keymap.Up}},
		{"packet bytes", "execute", tabPacket, []keymap.ID{keymap.View}},
		{"packet plan", "plan", tabPacket, nil},
		{"packet login", "login", tabPacket, nil},
		{"packet result", "result", tabPacket, []keymap.ID{keymap.Down, keymap.Open}},
		{"packet cut", "cut", tabPacket, []keymap.ID{keymap.Bottom}},
		{"packet missing", "missing", tabPacket, nil},
		{"packet connect", "connect", tabPacket, nil},
		{"stages", "edited execute", tabStages, []keymap.ID{keymap.NextChange, keymap.NextChange, keymap.NextChange}},
		{"stages changes", "edited execute", tabStages, []keymap.ID{keymap.View}},
		{"stages unchanged", "execute", tabStages, nil},
		{"stages plan", "plan", tabStages, nil},
		{"stages crafted", "crafted", tabStages, nil},
		{"stages result", "edited result", tabStages, nil},
		{"stages exchange", "error", tabStages, nil},
		{"statement", "execute", tabStatement, nil},
		{"statement bound", "execute", tabStatement, []keymap.ID{keymap.View}},
		{"statement plan", "plan", tabStatement, nil},
		{"result", "result", tabResult, []keymap.ID{keymap.Down, keymap.Right}},
		{"result row", "result", tabResult, []keymap.ID{keymap.View}},
		{"result edited", "edited result", tabResult, nil},
		{"result crafted", "crafted", tabResult, nil},
		{"result error", "error", tabResult, nil},
		{"result ok", "ok", tabResult, nil},
		{"result cut", "cut", tabResult, nil},
		{"session", "connection", tabSession, nil},
		{"session login failed", "failed connection", tabSession, nil},
		{"packet login refused", "refused", tabPacket, nil},
		{"nothing", "nothing", tabPacket, nil},
	} {
		for _, sz := range []size{{53, 25}, {80, 15}, {38, 12}} {
			t.Run(fmt.Sprintf("%s/%dx%d", tt.name, sz.w, sz.h), func(t *testing.T) {
				m := newModel(t, all[tt.subject])
				m.tab = tt.tab
				m.View(sz.w, sz.h, true)
				press(t, m, tt.keys...)
				view := m.View(sz.w, sz.h, true)
				hexW, hexH := sz.w, 5
				if sz.w == 53 { // below the whole screen
					hexW, hexH = 120, 7
				}
				hex := m.HexView(hexW, hexH, false)
				preview := m.Preview(hexW, 6)
				checkExact(t, "view", view, sz.w, sz.h)
				checkExact(t, "hex", hex, hexW, hexH)
				checkExact(t, "preview", preview, hexW, 6)
				golden.RequireEqual(t, []byte(view+"\n"+hex+"\n"+preview+"\n"))
			})
		}
	}
}

func TestGoldenColour(t *testing.T) {
	all := subjects(t)
	for _, name := range []string{"dark", "mono"} {
		t.Run(name, func(t *testing.T) {
			m := newModel(t, all["edited execute"])
			m.th = newTheme(t, termenv.ANSI, name)
			m.Show(Subject{})
			m.Show(all["edited execute"])
			m.tab = tabStages
			got := m.View(80, 15, true) + "\n" + m.HexView(80, 5, false) + "\n" + m.Preview(80, 6) + "\n"
			m.tab = tabPacket
			got += m.View(53, 25, false) + "\n"
			golden.RequireEqual(t, []byte(got))
		})
	}
}
