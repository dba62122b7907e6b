package mysqlwire

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
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
				p := l.ask(&StmtPrepare{SQL: "select concat(?, '/', ?)"})
				if p[0] != 0 {
					t.Fatalf("prepare: %q", p)
				}
				for range 5 { // two parameters, EOF, column, EOF
					l.read()
				}
				e := &StmtExecute{
					StmtID: binary.LittleEndian.Uint32(p[1:]), Flags: tt.flags, Iterations: 1, NewParamsBound: true,
					Params: []ExecParam{{Type: 253, Raw: []byte("\x03abc")}, {Type: 8, Unsigned: true, Raw: []byte{7, 0, 0, 0, 0, 0, 0, 0}}},
				}
				if tt.attr != "" {
					e.Params = append(e.Params, ExecParam{Name: tt.attr, Type: 253, Raw: []byte("\x017")})
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
