package detail

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/tui/keymap"
)

// scripted is a server in memory: every statement has one parameter and one row that says it again.
type scripted struct {
	in  *bufio.Reader
	out net.Conn
	cx  *mysqlwire.Context
}

func (s *scripted) read() (payload []byte, seq uint8, err error) {
	var head [mysqlwire.HeaderLen]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return nil, 0, err
	}
	h := mysqlwire.ParseHeader(head[:])
	payload = make([]byte, h.Len)
	_, err = io.ReadFull(s.in, payload)
	return payload, h.Seq, err
}

func (s *scripted) write(seq uint8, packets ...mysqlwire.Packet) error {
	b, _ := (&mysqlwire.Answer{Packets: packets}).AppendFrames(nil, seq)
	_, err := s.out.Write(b)
	return err
}

func (s *scripted) packet(m mysqlwire.Message) mysqlwire.Packet {
	b, err := m.Encode(nil, s.cx)
	if err != nil {
		panic(err)
	}
	return mysqlwire.Packet{Kind: m.Kind(), Payload: b}
}

// serve ends when the other side closes.
func (s *scripted) serve() error {
	defer s.out.Close()
	offer := mysqlwire.LongPassword | mysqlwire.Protocol41 | mysqlwire.SecureConnection | mysqlwire.PluginAuth | mysqlwire.Transactions | mysqlwire.ConnectWithDB | mysqlwire.DeprecateEOF
	if err := s.write(0, s.packet(&mysqlwire.Greeting{Version: "8.4.2-scripted", ConnectionID: 77, Scramble: []byte("abcdefghijklmnopqrst"), Caps: offer, Collation: 255, PluginName: "mysql_native_password"})); err != nil {
		return err
	}
	payload, seq, err := s.read()
	if err != nil {
		return err
	}
	var login mysqlwire.Login
	if err := login.Decode(payload, s.cx); err != nil {
		return err
	}
	s.cx = &mysqlwire.Context{Caps: offer & login.Caps}
	ok := s.packet(&mysqlwire.OK{Status: mysqlwire.StatusAutocommit})
	if err := s.write(seq+1, ok); err != nil {
		return err
	}
	for {
		payload, _, err := s.read()
		if err != nil {
			return err
		}
		switch mysqlwire.Command(payload[0]) {
		case mysqlwire.ComQuit:
			return nil
		case mysqlwire.ComStmtClose:
			continue
		case mysqlwire.ComStmtPrepare:
			col := column("a", value.VarString, 0, 255, 400)
			param := column("?", value.VarString, 0, 255, 400)
			err = s.write(1, s.packet(&mysqlwire.PrepareOK{StmtID: 1, Columns: 1, Params: 1}), s.packet(&param), s.packet(&col))
		case mysqlwire.ComStmtExecute:
			err = s.execute(payload)
		default:
			err = s.write(1, ok)
		}
		if err != nil {
			return err
		}
	}
}

func (s *scripted) execute(payload []byte) error {
	cx := *s.cx
	cx.Command, cx.ParamsKnown, cx.Params = mysqlwire.ComStmtExecute, true, []mysqlwire.Param{{Type: value.VarString}}
	var m mysqlwire.StmtExecute
	if err := m.Decode(payload, &cx); err != nil {
		return err
	}
	v, err := m.Params[0].Value()
	if err != nil {
		return err
	}
	rs := &mysqlwire.ResultSet{Columns: []mysqlwire.Column{column("a", value.VarString, 0, 255, 400)}, Rows: [][]value.Value{{fmt.Appendf(nil, "<%s>", value.Text(v, m.Params[0].Type, value.NoDecimals))}}}
	packets, err := rs.Packets(&cx, true)
	if err != nil {
		return err
	}
	return s.write(1, packets...)
}

// proxies runs a test behind a proxy in front of the scripted server, and of real ones where there are any.
func proxies(t *testing.T, test func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy)) {
	t.Run("scripted", func(t *testing.T) {
		dial := func(context.Context) (net.Conn, error) {
			ours, theirs := net.Pipe()
			s := &scripted{in: bufio.NewReader(ours), out: ours, cx: &mysqlwire.Context{}}
			go func() {
				if err := s.serve(); err != nil && err != io.EOF && !strings.Contains(err.Error(), "closed pipe") {
					panic(err)
				}
			}()
			return theirs, nil
		}
		o := intercept.Options{Backends: []intercept.Backend{{Address: "memory", Dial: dial}}}
		test(t, intercepttest.Server{User: "app"}, intercepttest.NewProxy(t, o, ""))
	})
	if os.Getenv("LAB_MYSQL_ADDR")+os.Getenv("LAB_MARIADB_ADDR") == "" {
		return
	}
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) { test(t, s, intercepttest.NewProxy(t, intercept.Options{}, s.Addr)) })
	}
}

func TestThroughAProxy(t *testing.T) {
	proxies(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		db, err := sql.Open("mysql", s.DSN(p.Addr))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		st, err := db.PrepareContext(t.Context(), "select concat('<', ?, '>') as a")
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		p.Break(`at query, result if cmd == "execute"`)
		var got string
		done := make(chan error, 1)
		go func() { done <- st.QueryRowContext(t.Context(), "first").Scan(&got) }()

		m := newModel(t, Subject{})
		shows := func(tab tab, want ...string) {
			t.Helper()
			m.tab = tab
			view := screen(m.View(120, 40, true)) + "\n" + screen(m.HexView(120, 8, false))
			for _, w := range want {
				if !strings.Contains(view, w) {
					t.Errorf("%s lacks %q:\n%s", tabNames[tab], w, view)
				}
			}
		}

		h := p.Held(rule.ReadQuery)
		sub := Subject{Held: &h, Conn: h.Conn.Info()}
		if d, ok := p.Journal.Detail(h.Exchange); ok {
			sub.Detail = &d
		}
		m.Show(sub)
		shows(tabPacket, "COM_STMT_EXECUTE", "statement_id", "parameter 1", "'first'", "select concat('<', 'first', '>') as a")
		msg, err := h.Message()
		if err != nil {
			t.Fatal(err)
		}
		edited, err := msg.(*mysqlwire.StmtExecute).WithParam(0, value.VarString, false, []byte("second"))
		if err != nil {
			t.Fatal(err)
		}
		packet, err := edited.Encode(nil, h.Context)
		if err != nil {
			t.Fatal(err)
		}
		draft := intercept.Verdict{Action: intercept.Forward, By: "you", Queries: []intercept.Query{{Packet: packet, Origin: intercept.FromPerson, Show: true}}}
		sub.Draft = &draft
		m.Show(sub)
		shows(tabStages, "edited by you, not sent yet", "'first'", "'second'", "DRAFT")
		p.Resolve(h, draft)

		h = p.Held(rule.ReadQueryResult)
		m.Show(Subject{Held: &h, Conn: h.Conn.Info()})
		shows(tabResult, "1 row, 1 column, binary", "[<second>")
		n := 4
		if !h.Context.Caps.Has(mysqlwire.DeprecateEOF) {
			n = 5 // with an EOF behind the definitions, which MySQL 5.6 sends
		}
		shows(tabPacket, fmt.Sprintf("answer  %d packets", n), "binary row", "<second>")
		edit, err := h.Answer.EditResult(h.Context, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := edit.Set(0, 0, []byte("<third>")); err != nil {
			t.Fatal(err)
		}
		answer, err := edit.Answer()
		if err != nil {
			t.Fatal(err)
		}
		draft = intercept.Verdict{Action: intercept.Forward, By: "you", Answer: answer}
		m.Show(Subject{Held: &h, Conn: h.Conn.Info(), Draft: &draft})
		shows(tabStages, "- a", "<second>", "+ a", "<third>", "changed run")
		shows(tabResult, "[<third>", "edited by you, not sent yet")
		p.Resolve(h, draft)
		select {
		case err := <-done:
			if err != nil || got != "<third>" {
				t.Fatalf("the client got %q, %v", got, err)
			}
		case <-time.After(intercepttest.Patience):
			t.Fatal("the client was left waiting")
		}

		x := p.Finished("select concat('<', ?, '>') as a")
		for _, candidate := range func() []intercept.Exchange { l, _ := p.Journal.Since(0, nil); return l }() {
			if candidate.Command == mysqlwire.ComStmtExecute {
				x = candidate
			}
		}
		d, ok := p.Journal.Detail(x.Seq)
		must(t, ok, "the journal has forgotten #%d", x.Seq)
		info := p.Conn(x.Conn).Info()
		m.Show(Subject{Detail: &d, Conn: info})
		shows(tabPacket, "command  1 packet", "sent  1 packet", fmt.Sprintf("answer  %d packets", n), fmt.Sprintf("delivered  %d packets", n))
		shows(tabStages, "'first'", "'second'", "<second>", "<third>", "changed by you")
		shows(tabResult, "[<third>")
		shows(tabStatement, "parameters 1", "'first'", "digest")
		shows(tabSession, "connection #", info.Server, "1 prepared statement open", "PROTOCOL_41")
		m.tab = tabPacket
		press(t, m, keymap.Bottom)
		checkExact(t, "preview", m.Preview(80, 6), 80, 6)
	})
}
