package intercept_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// notHere are the commands that a test must not send to a server that others use, or that have tests
// of their own: quit, shutdown, a login, streams without an end.
var notHere = map[mysqlwire.Command]bool{
	mysqlwire.ComQuit: true, mysqlwire.ComShutdown: true, mysqlwire.ComChangeUser: true, mysqlwire.ComBinlogDump: true, mysqlwire.ComBinlogDumpGTID: true,
}

// ownProtocol are the commands that nobody follows a connection behind.
func ownProtocol(c *intercepttest.Client, cmd mysqlwire.Command) bool {
	return !c.Greeting.MariaDB() && (cmd == mysqlwire.ComClone || cmd == mysqlwire.ComSubscribeGroupReplicationStream)
}

// said is what a server answered to a command: its packets, or the end of the connection.
type said struct {
	packets []mysqlwire.Packet
	closed  bool
}

// ask sends a command on c, or on a new connection if there is none, and returns c if it is still open.
func ask(t *testing.T, c *intercepttest.Client, dial func() *intercepttest.Client, command []byte) (*intercepttest.Client, said) {
	t.Helper()
	if c == nil {
		c = dial()
	}
	cmd := mysqlwire.Command(command[0])
	if ownProtocol(c, cmd) {
		p := c.Unfollowed(command)
		_ = c.Conn.Close()
		return nil, said{packets: []mysqlwire.Packet{{Payload: p}}, closed: true}
	}
	c.Send(command)
	a, err := c.TryAnswer(command)
	if err != nil {
		if !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: %v", cmd, err)
		}
		return nil, said{a.Packets, true}
	}
	// Some errors are a server's last words.
	c.Send([]byte{byte(mysqlwire.ComPing)})
	if _, err := c.TryAnswer([]byte{byte(mysqlwire.ComPing)}); err != nil {
		return nil, said{a.Packets, true}
	}
	return c, said{a.Packets, false}
}

// TestEveryCommandByte sends every command there is, and those there are not, directly and through the
// proxy: with nothing behind the byte, and with zeros.
func TestEveryCommandByte(t *testing.T) {
	for _, rules := range [][]string{nil, {`if sql contains "never there"`, `at result if sql contains "never there"`}} {
		t.Run(fmt.Sprintf("%d rules", len(rules)), func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				p.Break(rules...)
				var direct, proxied *intercepttest.Client
				for b := range 256 {
					cmd := mysqlwire.Command(b)
					if notHere[cmd] {
						continue
					}
					for _, command := range [][]byte{{byte(b)}, append([]byte{byte(b)}, make([]byte, 8)...)} {
						if strayed(&s, command) {
							continue
						}
						var want, got said
						direct, want = ask(t, direct, func() *intercepttest.Client { return client(t, &s, s.Addr, 0) }, command)
						proxied, got = ask(t, proxied, func() *intercepttest.Client { return client(t, &s, p.Addr, 0) }, command)
						what := fmt.Sprintf("%s with %d bytes", cmd, len(command)-1)
						if got.closed != want.closed {
							t.Errorf("%s: got closed %v, want %v", what, got.closed, want.closed)
						}
						if ownProtocol(&intercepttest.Client{Greeting: greeting(&s)}, cmd) {
							continue
						}
						if cmd == mysqlwire.ComProcessInfo && len(got.packets) > 1 && len(want.packets) > 1 { // it shows itself
							got.packets, want.packets = got.packets[:5], want.packets[:5]
						}
						same(t, what, &mysqlwire.Answer{Packets: got.packets}, &mysqlwire.Answer{Packets: want.packets})
					}
				}
				for _, i := range p.Conns() {
					if i.Opaque != "" && !strings.Contains(i.Opaque, "protocol of its own") {
						t.Errorf("connection %d: %s", i.ID, i.Opaque)
					}
				}
			})
		})
	}
}

// strayed are the commands that MySQL answers, or does not, against its own rules when they are too short: an answer
// that comes beside that to the next command cannot be told from it.
func strayed(s *intercepttest.Server, command []byte) bool {
	switch mysqlwire.Command(command[0]) {
	case mysqlwire.ComStmtClose, mysqlwire.ComStmtSendLongData:
		return len(command) == 1
	case mysqlwire.ComStmtExecute:
		return s.Name == "mysql56"
	}
	return false
}

// greeting is as much of a server's greeting as tells its kind.
func greeting(s *intercepttest.Server) (g mysqlwire.Greeting) {
	g.Version = "9.0.0"
	if strings.HasPrefix(s.Name, "mariadb") {
		g.Version = "10.11.0-MariaDB"
	}
	return g
}

// TestOldAdministration: commands that newer servers have as statements only.
func TestOldAdministration(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		victim := client(t, &s, s.Addr, 0)
		id := victim.Text("select connection_id()")
		var thread uint32
		if _, err := fmt.Sscan(id, &thread); err != nil {
			t.Fatal(err)
		}
		kill, err := (&mysqlwire.ProcessKill{ConnectionID: thread}).Encode(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		schema := fmt.Sprintf("mydbg_old_%d", thread)
		list := [][]byte{
			{byte(mysqlwire.ComProcessInfo)},
			append([]byte{byte(mysqlwire.ComCreateDB)}, schema...), append([]byte{byte(mysqlwire.ComDropDB)}, schema...),
			{byte(mysqlwire.ComRefresh), 0x10}, // the session's status
			[]byte("\x04all_types\x00%"), []byte("\x04all_types\x00c_%"),
			append([]byte{byte(mysqlwire.ComInitDB)}, s.Database...),
			{byte(mysqlwire.ComStatistics)},
			{byte(mysqlwire.ComTime)},
		}
		direct, proxied := client(t, &s, s.Addr, 0), client(t, &s, p.Addr, 0)
		for _, command := range list {
			want, got := direct.Do(command), proxied.Do(command)
			what := mysqlwire.Command(command[0]).String()
			if mysqlwire.Command(command[0]) == mysqlwire.ComProcessInfo { // which has other rows each time
				if got.Packets[0].Kind != want.Packets[0].Kind || got.Packets[len(got.Packets)-1].Kind != want.Packets[len(want.Packets)-1].Kind {
					t.Errorf("%s: got %s … %s", what, got.Packets[0].Kind, got.Packets[len(got.Packets)-1].Kind)
				}
				continue
			}
			same(t, what, got, want)
		}
		// Killed through the proxy: gone where the server still has the command.
		ping := []byte{byte(mysqlwire.ComPing)}
		if a := proxied.Do(kill); a.Packets[0].Kind != mysqlwire.KindOK { // then it lives on
			if got := victim.Do(ping); got.Packets[0].Kind != mysqlwire.KindOK {
				t.Errorf("refused to kill it, and it answers %s", got.Packets[0].Kind)
			}
		} else if _, err := victim.TryAnswer(ping); err == nil {
			t.Error("the connection is still there")
		}
		for _, i := range p.Conns() {
			if i.Opaque != "" {
				t.Error(i.Opaque)
			}
		}
	})
}

// TestSetOptionIsFollowed: several statements in one command are allowed or not, and the connection shows it.
func TestSetOptionIsFollowed(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, intercepttest.ClientCaps)
		for _, on := range []bool{false, true} {
			option := uint16(mysqlwire.MultiStatementsOff)
			if on {
				option = mysqlwire.MultiStatementsOn
			}
			b, err := (&mysqlwire.SetOption{Option: option}).Encode(nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if a := c.Do(b); a.Packets[0].Kind == mysqlwire.KindERR {
				t.Fatal("refused")
			}
			sum := c.Query("select 1; select 2")
			if (sum.Error == nil) != on {
				t.Errorf("%v: got %+v", on, sum)
			}
			stmt := fmt.Sprintf("select 'set %v'", on)
			c.Text(stmt)
			p.Finished(stmt)
			if i := p.Conns()[0]; i.Caps.Has(mysqlwire.MultiStatements) != on {
				t.Errorf("the connection has %s", i.Caps)
			}
		}
	})
}

// TestFetchedRowsAreEdited holds and edits the rows that a cursor gives.
func TestFetchedRowsAreEdited(t *testing.T) {
	for _, as := range capabilities {
		t.Run(as.name, func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				c := client(t, &s, p.Addr, as.caps)
				id := c.Prepare("select 1 as n, 'one' as word union all select 2, 'two' union all select 3, 'three' order by 1")
				c.Do(execute(c, id, mysqlwire.ExecCursorReadOnly))
				p.Break(`at result if cmd == "fetch" and rows > 0`)
				fetch := statementCommand(mysqlwire.ComStmtFetch, id, 2, 0, 0, 0)
				c.Send(fetch)
				h := p.Held(rule.ReadQueryResult)
				edit, err := h.Answer.EditResult(h.Context, 0)
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(edit.Set(0, 1, []byte("eins")), edit.CopyRow(1)); err != nil {
					t.Fatal(err)
				}
				edited, err := edit.Answer()
				if err != nil {
					t.Fatal(err)
				}
				p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Answer: edited})
				if got := words(t, c, c.Answer(fetch)); got != "eins two two" {
					t.Errorf("got %q", got)
				}
				c.Send(fetch)
				p.Resolve(p.Held(), intercept.Verdict{})
				if got := words(t, c, c.Answer(fetch)); got != "three" {
					t.Errorf("then got %q", got)
				}
				if got := c.Text("select 7"); got != "7" {
					t.Errorf("then got %s", got)
				}
			})
		})
	}
}

// words are the second column of the rows of a cursor.
func words(t *testing.T, c *intercepttest.Client, a *mysqlwire.Answer) string {
	t.Helper()
	cx := *c.Decoder.Context()
	cx.Command = a.Command
	results, err := a.Results(&cx)
	if err != nil || len(results) != 1 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	var list []string
	for i := range results[0].Rows.Len() {
		row, err := results[0].Rows.Row(i)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, row.Text(1))
	}
	return strings.Join(list, " ")
}

// TestCommandsOfScriptedServers are those that must not reach a server that others use.
func TestCommandsOfScriptedServers(t *testing.T) {
	ok := mysqlwire.OKAnswer(0, 0, mysqlwire.StatusAutocommit, 0, "").Packets[0].Payload
	eof := []byte{0xfe, 0, 0, 2, 0}
	for _, tt := range []struct {
		command, answer []byte
		mariadb         bool
	}{
		{[]byte{byte(mysqlwire.ComShutdown), 0}, eof, false},
		{[]byte{byte(mysqlwire.ComShutdown)}, ok, false},
		{append([]byte{byte(mysqlwire.ComMulti)}, "\x05\x00\x00\x00\x00\x00\x00\x03do 1"...), ok, true},
		{append([]byte{byte(mysqlwire.ComTableDump)}, "\x01d\x01t"...), []byte("\xff\x17\x04#08S01Unknown command"), true},
		{[]byte{0x7d, 1, 2, 3}, []byte("\x07whatever this is"), true},
	} {
		cmd := mysqlwire.Command(tt.command[0])
		t.Run(cmd.String(), func(t *testing.T) {
			caps := intercepttest.ClientCaps &^ mysqlwire.DeprecateEOF
			e := intercepttest.NewEnds(t, intercept.Options{}, caps, tt.mariadb)
			defer func() { _ = e.Close() }()
			for _, step := range []struct {
				from, to *intercepttest.End
				payload  []byte
			}{
				{e.Client, e.Server, tt.command},
				{e.Server, e.Client, tt.answer},
				{e.Client, e.Server, []byte{byte(mysqlwire.ComPing)}},
				{e.Server, e.Client, ok},
			} {
				if step.from == e.Client {
					e.Client.Seq, e.Server.Seq = 0, 0
				}
				if err := step.from.Send(step.payload); err != nil {
					t.Fatal(err)
				}
				if got, err := step.to.Receive(); err != nil || !bytes.Equal(got, step.payload) {
					t.Fatalf("got %q, %v, want %q", got, err, step.payload)
				}
			}
			x := dumped(intercepttest.Proxied(t, e.Proxy), cmd)
			if x.State != intercept.Done || x.Marks != 0 {
				t.Errorf("the journal has %+v", x)
			}
		})
	}
}
