package intercept_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// capabilities to log in with: each changes what answers look like.
var capabilities = []struct {
	name string
	caps mysqlwire.Caps
}{
	{"usual", intercepttest.ClientCaps},
	{"with EOF", intercepttest.ClientCaps &^ (mysqlwire.DeprecateEOF | mysqlwire.SessionTrack)},
	{"MySQL's", intercepttest.ClientCaps | mysqlwire.QueryAttributes | mysqlwire.OptionalResultsetMetadata},
	{"MariaDB's", intercepttest.ClientCaps&^mysqlwire.LongPassword | mysqlwire.MariaDBCacheMetadata | mysqlwire.MariaDBExtendedMetadata | mysqlwire.MariaDBStmtBulkOperations | mysqlwire.MariaDBProgress},
}

func client(t *testing.T, s *intercepttest.Server, addr string, caps mysqlwire.Caps) *intercepttest.Client {
	t.Helper()
	return intercepttest.Dial(t, "tcp", addr, s.User, s.Password, s.Database, caps)
}

func query(c *intercepttest.Client, sql string) []byte {
	m := mysqlwire.Query{SQL: sql}
	b, err := m.Encode(nil, c.Decoder.Context())
	if err != nil {
		panic(err)
	}
	return b
}

func prepare(sql string) []byte { return append([]byte{byte(mysqlwire.ComStmtPrepare)}, sql...) }

func statementCommand(cmd mysqlwire.Command, id uint32, more ...byte) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte{byte(cmd)}, id), more...)
}

// execute is a COM_STMT_EXECUTE without parameters.
func execute(c *intercepttest.Client, id uint32, flags mysqlwire.ExecFlags) []byte {
	m := mysqlwire.StmtExecute{StmtID: id, Flags: flags, Iterations: 1}
	b, err := m.Encode(nil, &mysqlwire.Context{Caps: c.Decoder.Caps(), ParamsKnown: true})
	if err != nil {
		panic(err)
	}
	return b
}

// statements leave the sample data as it is.
var statements = []string{
	"select 1", "select", "do 1", "select * from customers order by id", "select * from products order by id", "select * from orders order by id",
	"select * from order_items order by order_id, line limit 700", "select * from events order by id limit 2500", "select * from all_types order by id",
	"select * from v_order_totals order by id limit 50", "call p_multi(3)", "call p_fail()", "select f_twice(21)", "set @b = 5",
	"call p_out(2, @b, @c)", "select @b, @c", "select 1; select 2, 3; do 4; select 5", "select 1; select nonsense; select 3", "show warnings",
	"explain select * from orders where status = 'paid'", "start transaction", "update products set stock = stock where id <= 3", "rollback",
	"select * from customers where 1 = 0", "insert into nowhere values (1)", "use lab", "set names utf8mb4", "show tables like 'order%'", "select null, '', 0",
	"select repeat('x', 250), repeat('y', 251), repeat('z', 70000)",
}

// TestUntouchedTrafficCrossesAsItIs compares the packets of answers with those of a direct connection.
func TestUntouchedTrafficCrossesAsItIs(t *testing.T) {
	for _, watched := range []struct {
		name  string
		rules []string
	}{
		{"nobody looks", nil},
		{"every command is looked at", []string{`if sql contains "never there"`}},
		{"every answer is collected", []string{`at result if sql contains "never there"`}},
	} {
		t.Run(watched.name, func(t *testing.T) {
			each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				if !s.Lab {
					t.Skip("needs the lab's sample data")
				}
				p.Break(watched.rules...)
				for _, as := range capabilities {
					t.Run(as.name, func(t *testing.T) {
						compare(t, client(t, &s, s.Addr, as.caps), client(t, &s, p.Addr, as.caps))
					})
				}
				for _, i := range p.Conns() {
					if i.Opaque != "" {
						t.Errorf("connection %d: %s", i.ID, i.Opaque)
					}
				}
			})
		})
	}
}

// answered is a command's answer.
type answered struct {
	what   string
	answer *mysqlwire.Answer
}

// compare runs everything first directly, then through the proxy.
func compare(t *testing.T, direct, proxied *intercepttest.Client) {
	t.Helper()
	want, got := everything(direct), everything(proxied)
	if len(got) != len(want) {
		t.Fatalf("got %d answers, want %d", len(got), len(want))
	}
	for i, w := range want {
		same(t, w.what, got[i].answer, w.answer)
	}
}

// everything runs all commands that there are.
func everything(c *intercepttest.Client) []answered {
	var all []answered
	do := func(what string, command []byte) *mysqlwire.Answer {
		a := c.Do(command)
		all = append(all, answered{what, a})
		return a
	}
	for _, sql := range statements {
		do(sql, query(c, sql))
	}
	for _, sql := range statements {
		if do("prepare "+sql, prepare(sql)).Packets[0].Kind != mysqlwire.KindPrepareOK {
			continue
		}
		id := c.Decoder.Stmt(mysqlwire.LastStmtID).ID
		for range 2 { // MariaDB leaves out the definitions the second time
			do("execute "+sql, execute(c, id, 0))
		}
		do("close", statementCommand(mysqlwire.ComStmtClose, id))
	}
	do("prepare for a cursor", prepare("select id, name, credit from customers order by id"))
	id := c.Decoder.Stmt(mysqlwire.LastStmtID).ID
	do("open a cursor", execute(c, id, mysqlwire.ExecCursorReadOnly))
	for range 5 {
		do("fetch", statementCommand(mysqlwire.ComStmtFetch, id, 60, 0, 0, 0))
	}
	do("reset", statementCommand(mysqlwire.ComStmtReset, id))
	for _, command := range [][]byte{
		{byte(mysqlwire.ComPing)},
		{byte(mysqlwire.ComStatistics)},
		[]byte("\x04products\x00%"), []byte("\x04nowhere\x00"),
		{byte(mysqlwire.ComSetOption), 1, 0},
		{byte(mysqlwire.ComSetOption), 0, 0},
		{byte(mysqlwire.ComSetOption), 9, 0},
		[]byte("\x02lab"), []byte("\x02nowhere"),
		{byte(mysqlwire.ComResetConnection)},
		{byte(mysqlwire.ComDebug)},
		{0x7f},
		{byte(mysqlwire.ComTime)},
		statementCommand(mysqlwire.ComStmtReset, 77),
		statementCommand(mysqlwire.ComStmtExecute, 77, 0, 1, 0, 0, 0), statementCommand(mysqlwire.ComStmtClose, 77),
		{byte(mysqlwire.ComPing)},
	} {
		do(mysqlwire.Command(command[0]).String(), command)
	}
	return all
}

// statementIDs stand in errors and differ from run to run.
var statementIDs = regexp.MustCompile(`\(\d+\)`)

func same(t *testing.T, what string, got, want *mysqlwire.Answer) {
	t.Helper()
	if len(got.Packets) != len(want.Packets) {
		t.Errorf("%s: got %d packets, want %d", what, len(got.Packets), len(want.Packets))
		return
	}
	for i, w := range want.Packets {
		g := got.Packets[i]
		switch w.Kind {
		case mysqlwire.KindPrepareOK: // begins with the statement's id
			g.Payload, w.Payload = g.Payload[5:], w.Payload[5:]
		case mysqlwire.KindERR:
			g.Payload, w.Payload = statementIDs.ReplaceAll(g.Payload, nil), statementIDs.ReplaceAll(w.Payload, nil)
		case mysqlwire.KindStatistics: // which change
			g.Payload, w.Payload = g.Payload[:6], w.Payload[:6]
		}
		if g.Kind != w.Kind || !bytes.Equal(g.Payload, w.Payload) {
			t.Errorf("%s: packet %d: got %s %.80q, want %s %.80q", what, i, g.Kind, g.Payload, w.Kind, w.Payload)
			return
		}
	}
}

// sizes are those around the end of a frame, and one of several.
var sizes = []int{1<<24 - 2, 1<<24 - 1, 1 << 24, 1<<24 + 1, 64 << 20}

func TestLongPacketsCross(t *testing.T) {
	if testing.Short() {
		t.Skip("moves several hundred megabytes")
	}
	for _, rules := range [][]string{nil, {`if sql contains "never there"`}, {`at result if sql contains "never there"`}} {
		t.Run(fmt.Sprint(rules), func(t *testing.T) {
			each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				p.Break(rules...)
				c := client(t, &s, p.Addr, 0)
				for _, size := range sizes {
					// A command of exactly this size; what it says comes back shortened.
					const head, tail = "select length('", "')"
					n := size - 1 - len(head) - len(tail)
					command := append([]byte{byte(mysqlwire.ComQuery)}, head+strings.Repeat("x", n)+tail...)
					if got := c.Value(c.Do(command)); got != fmt.Sprint(n) {
						t.Errorf("a command of %d bytes: got %.80s", size, got)
					}
					// A row of exactly this size, with the length in front.
					n = size - 4
					if n >= 1<<24 {
						n = size - 9
					}
					if got := len(c.Text(fmt.Sprintf("select repeat('y', %d)", n))); got != n {
						t.Errorf("a row of %d bytes: got %d, want %d", size, got, n)
					}
				}
				if got := c.Text("select 7"); got != "7" {
					t.Errorf("then got %s", got)
				}
				want := intercept.Mark(0)
				for _, i := range p.Conns() {
					if i.Opaque != "" {
						t.Errorf("opaque: %s", i.Opaque)
					}
				}
				if x := p.Finished("select 7"); x.Marks != want {
					t.Errorf("marks %v", x.Marks)
				}
			})
		})
	}
}

// TestLongDataCrosses: COM_STMT_SEND_LONG_DATA has no answer, and is long.
func TestLongDataCrosses(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, 0)
		id := c.Prepare("select length(?)")
		for _, n := range []int{10, 20_000, 300_000, 1<<24 - 8, 1<<24 - 7, 1<<24 - 6, 64 << 20} {
			c.Send(append(statementCommand(mysqlwire.ComStmtSendLongData, id, 0, 0), bytes.Repeat([]byte("z"), n)...))
			c.Answer(statementCommand(mysqlwire.ComStmtSendLongData, id, 0, 0))
			m := statementCommand(mysqlwire.ComStmtExecute, id, 0, 1, 0, 0, 0, 0, 1, 252, 0)
			if got := c.Value(c.Do(m)); got != fmt.Sprint(n) {
				t.Errorf("got %s, want %d", got, n)
			}
		}
	})
}
