package mysqlwire

import (
	"bufio"
	"fmt"
	"io"
	"math/bits"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// rawClient speaks to a server with capabilities of the test's choice. It waits for an answer for
// as long as the tracker says: an end seen too early or too late breaks the next command.
type rawClient struct {
	t   *testing.T
	con net.Conn
	r   *bufio.Reader
	d   Decoder
	seq uint8
}

func dialRaw(t *testing.T, addr string, caps Caps) *rawClient {
	con, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { con.Close() })
	con.SetDeadline(time.Now().Add(20 * time.Second))
	c := &rawClient{t: t, con: con, r: bufio.NewReader(con)}
	c.d.KeepColumns = true
	_, greeting := c.read()
	var g Greeting
	if err := g.Decode(greeting, nil); err != nil {
		t.Fatal(err)
	}
	login := Login{
		Caps:       caps&g.Caps | Protocol41 | SecureConnection | PluginAuth | g.Caps&LongPassword,
		User:       "lab_empty",
		PluginName: g.PluginName,
	}
	p, err := login.Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.send(p)
	for c.d.State() == StateAuth {
		if f, _ := c.read(); f.Kind == KindAuthSwitch {
			c.send(nil)
		}
	}
	return c
}

func (c *rawClient) send(payload []byte) {
	c.t.Helper()
	if c.d.State() == StateIdle {
		c.seq = 0
	}
	c.look(ToServer, Header{Len: len(payload), Seq: c.seq}, payload)
	if _, err := c.con.Write(append(Header{Len: len(payload), Seq: c.seq}.Append(nil), payload...)); err != nil {
		c.t.Fatal(err)
	}
	c.seq++
}

func (c *rawClient) read() (Frame, []byte) {
	c.t.Helper()
	var head [HeaderLen]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		c.t.Fatalf("%v in state %s of %s", err, c.d.State(), c.d.Command())
	}
	h := ParseHeader(head[:])
	payload := make([]byte, h.Len)
	if _, err := io.ReadFull(c.r, payload); err != nil {
		c.t.Fatal(err)
	}
	c.seq = h.Seq + 1
	return c.look(ToClient, h, payload), payload
}

func (c *rawClient) look(dir Direction, h Header, payload []byte) Frame {
	c.t.Helper()
	f, err := c.d.Next(dir, h, payload[:min(h.Len, HeadLen)])
	if err != nil {
		c.t.Fatalf("%v: % x, running %s", err, payload[:min(h.Len, HeadLen)], c.d.Command())
	}
	if n := c.d.Need(f); n > 0 {
		c.d.Note(f, payload[:n])
	}
	if f.Kind.IsRow() && !f.Cont && !f.More {
		if _, err := Decode(f.Kind, payload, c.d.Context()); err != nil {
			c.t.Errorf("row of %s: %v", c.d.Command(), err)
		}
	}
	return f
}

// ask sends a line's payload, with ID for the statement prepared last, and returns the kinds of the answer, repeated ones once.
func (c *rawClient) ask(line string) string {
	c.t.Helper()
	if s := c.d.Stmt(LastStmtID); s != nil {
		line = strings.Replace(line, "ID", fmt.Sprintf("%08x", bits.ReverseBytes32(s.ID)), 1)
	}
	_, payload, _, _ := parseTurn(c.t, "C "+line)
	c.send(payload)
	var kinds []string
	for c.d.State() != StateIdle {
		if c.d.State() == StateUpload {
			c.send([]byte("1\n"))
			c.send(nil)
		}
		f, _ := c.read()
		if f.Kind == KindAuthSwitch {
			c.send(nil)
		}
		if n := len(kinds); !f.Cont && f.Kind != KindProgress && (n == 0 || kinds[n-1] != f.Kind.String()) {
			kinds = append(kinds, f.Kind.String())
		}
	}
	return strings.Join(kinds, ", ")
}

func TestTrackerFindsTheEndOfRealAnswers(t *testing.T) {
	const base = MultiStatements | MultiResults | PSMultiResults | LocalFiles | Transactions | LongFlag
	for _, server := range []string{"MARIADB", "MYSQL", "MARIADB11", "MYSQL56"} {
		for _, tt := range []struct {
			name string
			caps Caps
		}{
			{"plain", base},
			{"deprecate EOF", base | DeprecateEOF},
			{"everything", ^(SSL | Compress | ZstdCompressionAlgorithm | ConnectWithDB | ConnectAttrs | LongPassword | QueryAttributes |
				PluginAuthLenencClientData | MariaDBComMulti)},
			{"everything with EOF", ^(SSL | Compress | ZstdCompressionAlgorithm | ConnectWithDB | ConnectAttrs | LongPassword | QueryAttributes |
				PluginAuthLenencClientData | MariaDBComMulti | DeprecateEOF)},
		} {
			t.Run(server+" "+tt.name, func(t *testing.T) {
				addr := os.Getenv("LAB_" + server + "_ADDR")
				if addr == "" {
					t.Skip("needs LAB_" + server + "_ADDR")
				}
				c := dialRaw(t, addr, tt.caps)
				end, eof := "OK", ""
				if !c.d.Caps().Has(DeprecateEOF) {
					end, eof = "EOF", "EOF, "
				}
				def, flagged := "ColumnDefinition41, ", c.d.Caps()&(MariaDBCacheMetadata|OptionalResultsetMetadata) != 0
				rows := "column count, " + def + eof + "text row, " + end
				// MariaDB leaves out what the prepare said; MySQL everything, if told so.
				executed, bare, barePrepare := def, rows, "COM_STMT_PREPARE_OK, parameter definition, "+eof+strings.TrimSuffix(def+eof, ", ")
				prepared, setting, reset := barePrepare, "ERR", "OK"
				if server == "MYSQL56" {
					reset = "ERR" // MySQL has COM_RESET_CONNECTION since 5.7.3
				}
				if c.d.Caps().Has(MariaDBCacheMetadata) {
					executed = ""
				}
				if flagged && !c.d.MariaDB() {
					setting, bare = "OK", "column count, "+eof+"text row, "+end
					barePrepare = strings.TrimSuffix("COM_STMT_PREPARE_OK, "+eof, ", ")
				}
				for _, step := range []struct{ line, want string }{
					{"0e", "OK"},
					{"02 'lab'", "OK"},
					{"03 'select 1'", rows},
					{"03 'do 1; select 1; select 2'", "OK, " + rows + ", " + rows},
					{"03 'select x'", "ERR"},
					{"03 'create temporary table lt (a int)'", "OK"},
					{"03 'load data local infile \"x\" into table lt'", "LOCAL INFILE request, OK"},
					{"09", "statistics"},
					{"1b 00 00", end},
					{"77", "ERR"},
					{"16 'select id from customers where id < ?'", prepared},
					{"17 ID 00 01000000 00 01 0800 0700000000000000", "column count, " + executed + eof + "binary row, " + end},
					{"17 ID 00 01000000 00 00 0900000000000000", "column count, " + executed + eof + "binary row, " + end},
					{"17 ID 01 01000000 00 00 0700000000000000", "column count, " + def + end},
					{"1c ID 03000000", "binary row, " + end},
					{"1c ID 30000000", "binary row, " + end},
					{"1a ID", "OK"},
					{"19 ID", ""},
					{"17 01000000 00 01000000", "ERR"},
					{"04 'lt' 00", def + end},
					{"03 'set resultset_metadata = \"NONE\"'", setting},
					{"03 'select 1'", bare},
					{"16 'select id from customers where id < ?'", barePrepare},
					{"1f", reset},
					{"11 'lab_empty' 00 00 00 2d 00 'mysql_native_password' 00", "AuthSwitchRequest, OK"},
					{"0e", "OK"},
				} {
					if got := c.ask(step.line); got != step.want {
						t.Errorf("%s:\n got %s\nwant %s", step.line, got, step.want)
					}
				}
			})
		}
	}
}
