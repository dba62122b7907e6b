package mysqlwire

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"mydbg/mysqlwire/value"
)

// A hand-made session against a real server: what Encode makes is what the server reads.
func TestLabExecute(t *testing.T) {
	for _, server := range []string{"MYSQL", "MARIADB"} {
		for _, tt := range []struct {
			name  string
			caps  Caps
			flags ExecFlags
			attr  string
		}{
			{"plain", 0, 0, ""},
			{"attributes agreed, no count", QueryAttributes, 0, ""},
			{"attributes agreed, with count", QueryAttributes, ExecParameterCountAvailable, ""},
			{"with an attribute", QueryAttributes, ExecParameterCountAvailable, "trace"},
			{"count flag alone", 0, ExecParameterCountAvailable, ""},
		} {
			t.Run(server+" "+tt.name, func(t *testing.T) {
				if server == "MARIADB" && tt.attr != "" {
					t.Skip("has no query attributes")
				}
				l := labLogin(t, server, tt.caps)
				id := l.prepare("select concat(?, '/', ?)", 5) // two parameters, EOF, column, EOF
				e := &StmtExecute{
					StmtID: id, Flags: tt.flags, Iterations: 1, NewParamsBound: true,
					Params: []ExecParam{{Type: value.VarString, Raw: []byte("\x03abc")}, {Type: value.LongLong, Unsigned: true, Raw: []byte{7, 0, 0, 0, 0, 0, 0, 0}}},
				}
				if tt.attr != "" {
					e.Params = append(e.Params, ExecParam{Name: tt.attr, Type: value.VarString, Raw: []byte("\x017")})
				}
				l.cx.Params, l.cx.ParamsKnown = make([]Param, 2), true
				l.wantRow(e, "abc/7")
				if tt.attr == "" { // an attribute's type is not remembered
					e.NewParamsBound = false
					l.wantRow(e, "abc/7")
				}
			})
		}
	}
}

// prepare returns the statement's id after reading the rest of the answer, packets of it.
func (l *labConn) prepare(sql string, packets int) uint32 {
	l.t.Helper()
	p := l.ask(&StmtPrepare{SQL: sql})
	if p[0] != 0 {
		l.t.Fatalf("prepare: %q", p)
	}
	for range packets {
		l.read()
	}
	return binary.LittleEndian.Uint32(p[1:])
}

func TestLabLongData(t *testing.T) {
	for _, server := range []string{"MYSQL", "MARIADB"} {
		t.Run(server, func(t *testing.T) {
			l := labLogin(t, server, QueryAttributes)
			id := l.prepare("select concat(?, '/', ?)", 5)
			for _, piece := range []string{"ab", "cd"} {
				l.write(&StmtSendLongData{StmtID: id, Data: []byte(piece)}, 0)
			}
			l.wantRow(&StmtExecute{
				StmtID: id, Iterations: 1, NewParamsBound: true,
				Params: []ExecParam{{Type: value.Blob, Long: true}, {Type: value.Tiny, Raw: []byte{7}}},
			}, "abcd/7")
			if p := l.ask(&StmtReset{StmtID: id}); p[0] != 0 {
				t.Errorf("reset: %q", p)
			}
			l.write(&StmtClose{StmtID: id}, 0)
			if p := l.ask(&Ping{}); p[0] != 0 {
				t.Errorf("ping: %q", p)
			}
		})
	}
}

func TestLabChangeUser(t *testing.T) {
	for _, server := range []string{"MYSQL", "MARIADB"} {
		t.Run(server, func(t *testing.T) {
			l := labLogin(t, server, 0)
			plugin := strings.Fields(strings.ReplaceAll(labVar(t, server+"_USERS"), ":", " "))[2]
			p := l.ask(&ChangeUser{User: "lab_empty", DB: "information_schema", Collation: 45, PluginName: plugin, Attrs: []Attr{{"a", "b"}}})
			if p[0] == 0xfe {
				m, err := Decode(KindAuthSwitch, p, &l.cx)
				if err != nil || m.(*AuthSwitch).PluginName != plugin || len(m.(*AuthSwitch).Scramble()) != 20 {
					t.Errorf("got %+v, %v", m, err)
				}
				l.write(&AuthData{}, 2)
				p = l.read()
			}
			if p[0] != 0 {
				t.Fatalf("change user: %q", p)
			}
			for _, m := range []Message{&ResetConnection{}, &InitDB{Schema: "information_schema"}, &Query{SQL: "do 1"}} {
				if p := l.ask(m); p[0] != 0 {
					t.Errorf("%s: %q", m.Kind(), p)
				}
			}
			if p := l.ask(&SetOption{Option: MultiStatementsOff}); p[0] != 0xfe {
				t.Errorf("set option: %q", p)
			}
			if p := l.ask(&StatisticsCommand{}); !strings.HasPrefix(string(p), "Uptime") {
				t.Errorf("statistics: %q", p)
			}
		})
	}
}

func TestLabBulkExecute(t *testing.T) {
	l := labLogin(t, "MARIADB", MariaDBStmtBulkOperations)
	if !l.cx.Caps.Has(MariaDBStmtBulkOperations) {
		t.Fatalf("not agreed: %s", l.cx.Caps)
	}
	if p := l.ask(&InitDB{Schema: labVar(t, "DATABASE")}); p[0] != 0 {
		t.Skipf("no schema to write to: %q", p)
	}
	if p := l.ask(&Query{SQL: "create temporary table bulk (a int unsigned, b varchar(9) default 'none')"}); p[0] != 0 {
		t.Skipf("no right to write: %q", p)
	}
	id := l.prepare("insert into bulk values (?, ?)", 3)
	m := &StmtBulkExecute{
		StmtID: id, Flags: BulkSendTypes, Types: []BulkType{{Type: value.Long, Unsigned: true}, {Type: value.String}},
		Rows: [][]BulkValue{
			{{Raw: []byte{1, 0, 0, 0}}, {Raw: []byte("\x03one")}},
			{{Raw: []byte{255, 255, 255, 255}}, {Indicator: BulkDefault}},
			{{Indicator: BulkNull}, {Indicator: BulkNull}},
		},
	}
	if p := l.ask(m); p[0] != 0 || p[1] != 3 {
		t.Fatalf("bulk execute: %q", p)
	}
	m.Flags, m.Rows = 0, [][]BulkValue{{{Raw: []byte{2, 0, 0, 0}}, {Raw: []byte("\x03two")}}}
	if p := l.ask(m); p[0] != 0 || p[1] != 1 {
		t.Fatalf("bulk execute without types: %q", p)
	}
	id = l.prepare("select group_concat(ifnull(a, '-'), ifnull(b, '-') order by a) from bulk", 2)
	l.wantRow(&StmtExecute{StmtID: id, Iterations: 1}, "--,1one,2two,4294967295none")
}

type labConn struct {
	t *testing.T
	net.Conn
	cx Context
}

func labLogin(t *testing.T, server string, caps Caps) *labConn {
	c, err := net.Dial("tcp", labVar(t, server+"_ADDR"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	l := &labConn{t: t, Conn: c}
	m, err := Decode(KindGreeting, l.read(), nil)
	if err != nil {
		t.Fatal(err)
	}
	g := m.(*Greeting)
	login := &Login{
		Caps: caps | LongPassword | Protocol41 | SecureConnection | PluginAuth | ConnectAttrs | ConnectWithDB, MaxPacket: 1 << 24,
		Collation: 45, User: "lab_empty", DB: "information_schema", PluginName: g.PluginName, Attrs: []Attr{{"program_name", "mydbg"}},
	}
	if caps>>32 != 0 {
		login.Caps &^= LongPassword // extended flags follow
	}
	l.cx.Caps = login.Caps & g.Caps
	l.write(login, 1)
	for seq := byte(3); ; seq += 2 {
		switch p := l.read(); p[0] {
		case 0x00:
			return l
		case 0xfe:
			l.write(&AuthData{}, seq)
		default:
			t.Fatalf("login: %q", p)
		}
	}
}

func (l *labConn) write(m Message, seq byte) {
	l.t.Helper()
	p, err := m.Encode(nil, &l.cx)
	if err != nil {
		l.t.Fatal(err)
	}
	out, _ := AppendPacket(nil, p, seq)
	if _, err := l.Write(out); err != nil {
		l.t.Fatal(err)
	}
}

func (l *labConn) read() []byte {
	l.t.Helper()
	head := make([]byte, HeaderLen)
	if _, err := io.ReadFull(l.Conn, head); err != nil {
		l.t.Fatal(err)
	}
	p := make([]byte, ParseHeader(head).Len)
	if _, err := io.ReadFull(l.Conn, p); err != nil {
		l.t.Fatal(err)
	}
	return p
}

func (l *labConn) ask(m Message) []byte {
	l.t.Helper()
	l.write(m, 0)
	return l.read()
}

// wantRow executes m and reads the single value of its answer.
func (l *labConn) wantRow(m Message, want string) {
	l.t.Helper()
	if p := l.ask(m); p[0] != 1 {
		l.t.Fatalf("execute: %q", p)
	}
	l.read() // column
	l.read() // EOF
	row := l.read()
	if got := string(row[min(3, len(row)):]); got != want {
		l.t.Fatalf("got row %q, want %q", row, want)
	}
	l.read() // EOF
}
