package mysqlwire

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Programs and a driver talk to real servers through a relay. Every packet of theirs must decode as
// what it is and encode to the same bytes.

func TestLabPrograms(t *testing.T) {
	for _, tt := range []struct {
		name, server, program string
		args                  []string
		input                 string
		want                  []Kind
	}{
		{
			"mysql to MySQL", "MYSQL", "mysql",
			[]string{"--ssl-mode=DISABLED", "--get-server-public-key", "--force", "--commands", "--named-commands", "lab"},
			"select 1;\nquery_attributes trace 7f3a page 12;\nselect 2;\nuse lab\nresetconnection\nstatus\n",
			[]Kind{KindGreeting, KindLogin, KindQuery, KindInitDB, KindResetConnection, KindStatisticsCommand, KindQuit},
		},
		{
			"mysql with zstd to MySQL, not compressed", "MYSQL", "mysql",
			[]string{"--ssl-mode=DISABLED", "--get-server-public-key", "--compression-algorithms=uncompressed", "--zstd-compression-level=7"},
			"select 1;",
			[]Kind{KindLogin, KindQuery},
		},
		{
			"mysql without schema, as a user without password", "MYSQL", "mysql",
			[]string{"--ssl-mode=DISABLED", "--user=lab_empty", "--password=", "--no-auto-rehash"},
			"select 1;",
			[]Kind{KindLogin, KindQuery},
		},
		{
			"mariadb to MySQL", "MYSQL", "mariadb",
			[]string{"--skip-ssl", "--user=lab_empty", "--password="},
			"select 1; status\n",
			[]Kind{KindLogin, KindQuery},
		},
		{
			"mariadb to MariaDB", "MARIADB", "mariadb",
			[]string{"--skip-ssl", "--named-commands", "lab"},
			"select 1;\nuse lab\nstatus\n",
			[]Kind{KindGreeting, KindLogin, KindQuery, KindInitDB, KindStatisticsCommand, KindQuit},
		},
		{
			"mariadb by ed25519", "MARIADB", "mariadb",
			[]string{"--skip-ssl", "--user=lab_ed25519", "--password=ed25519-pw"},
			"select 1;",
			[]Kind{KindAuthSwitch, KindAuthData},
		},
		{
			"mysqladmin to MySQL", "MYSQL", "mysqladmin",
			[]string{"--ssl-mode=DISABLED", "--get-server-public-key", "ping", "processlist", "refresh"},
			"",
			[]Kind{KindPing},
		},
		{
			"mariadb-admin to MariaDB", "MARIADB", "mariadb-admin",
			[]string{"--skip-ssl", "ping", "processlist", "status", "debug", "refresh"},
			"",
			[]Kind{KindPing, KindStatisticsCommand, KindDebug, KindRefresh},
		},
		{
			"mysqlbinlog to MySQL", "MYSQL", "mysqlbinlog",
			[]string{"--ssl-mode=DISABLED", "--get-server-public-key", "--read-from-remote-server", "no-such-log.000001"},
			"",
			[]Kind{KindLogin, KindBinlogDump},
		},
		{
			"mysqlbinlog by GTIDs to MySQL", "MYSQL", "mysqlbinlog",
			[]string{
				"--ssl-mode=DISABLED", "--get-server-public-key", "--read-from-remote-source=BINLOG-DUMP-GTIDS",
				"--exclude-gtids=3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5", "no-such-log.000001",
			},
			"",
			[]Kind{KindLogin, KindBinlogDumpGTID},
		},
		{
			"mariadb-binlog to MariaDB", "MARIADB", "mariadb-binlog",
			[]string{"--skip-ssl", "--read-from-remote-server", "no-such-log.000001"},
			"",
			[]Kind{KindLogin, KindBinlogDump},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, tt.server)
			host, port, _ := net.SplitHostPort(r.addr)
			// Options given later win.
			args := append([]string{
				"--no-defaults", "--host=" + host, "--port=" + port,
				"--user=" + labVar(t, "ADMIN_USER"), "--password=" + labVar(t, "ADMIN_PASSWORD"),
			}, tt.args...)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, filepath.Join(labVar(t, "BIN"), tt.program), args...)
			cmd.Stdin = strings.NewReader(tt.input)
			out, err := cmd.CombinedOutput() // some are refused what they ask for
			r.check(t, tt.want)
			if t.Failed() {
				t.Logf("%v: %s", err, out)
			}
		})
	}
}

func TestLabDriver(t *testing.T) {
	for _, server := range []string{"MYSQL", "MARIADB"} {
		t.Run(server, func(t *testing.T) {
			r := startRelay(t, server)
			cfg, err := mysql.ParseDSN(labVar(t, server+"_DSN"))
			if err != nil {
				t.Fatal(err)
			}
			cfg.Addr, cfg.AllowNativePasswords = r.addr, true
			cfg.ConnectionAttributes = "program_name:mydbg test,shard:7"
			useDriver(t, cfg)
			r.check(t, []Kind{
				KindGreeting, KindLogin, KindQuery, KindPing, KindStmtPrepare, KindStmtExecute,
				KindStmtSendLongData, KindStmtClose, KindQuit,
			})
		})
	}
}

func useDriver(t *testing.T, cfg *mysql.Config) {
	con, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(con)
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "set @a = 1"); err != nil {
		t.Fatal(err)
	}
	st, err := db.PrepareContext(t.Context(), "select ?, ?, ?, ?, ?, ?, ?, ?, ?")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	at := time.Date(2026, 7, 3, 12, 30, 59, 250000000, time.UTC)
	long := bytes.Repeat([]byte("long data "), 2<<20) // the driver sends it ahead
	for _, args := range [][]any{
		{1, int64(-1), uint64(1<<64 - 1), 1.5, float32(2.5), true, "text", []byte{0, 255}, at},
		{nil, nil, nil, nil, nil, nil, nil, nil, nil},
		{"a", nil, strings.Repeat("x", 300), nil, 0, false, "", []byte{}, at.Truncate(24 * time.Hour)},
		{1, 2, long, 4, 5, 6, 7, 8, nil},
	} {
		rows, err := st.QueryContext(t.Context(), args...)
		if err != nil {
			// A server's max_allowed_packet may be too small for the long one: it has been sent all the same.
			if len(args) > 2 && fmt.Sprintf("%T", args[2]) == "[]uint8" {
				continue
			}
			t.Fatal(err)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// labVar is what the environment says of the test servers; without it the test is skipped.
func labVar(t *testing.T, name string) string {
	v := os.Getenv("LAB_" + name)
	if v == "" {
		t.Skip("needs LAB_" + name)
	}
	return v
}

// relay passes connections on to a server and checks each client packet on its way.
type relay struct {
	addr string
	ln   net.Listener
	wg   sync.WaitGroup

	mu     sync.Mutex
	seen   map[Kind]int
	errors []string
}

func startRelay(t *testing.T, server string) *relay {
	target := labVar(t, server+"_ADDR")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{addr: ln.Addr().String(), ln: ln, seen: map[Kind]int{}}
	r.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", target)
			if err != nil {
				r.complain("%v", err)
				c.Close()
				return
			}
			conn := &relayed{relay: r, auth: true, stmts: map[uint32][]Param{}}
			r.wg.Go(func() { conn.pump(s, c, conn.fromClient); s.(*net.TCPConn).CloseWrite() })
			r.wg.Go(func() { conn.pump(c, s, conn.fromServer); c.Close(); s.Close() })
		}
	})
	t.Cleanup(func() { ln.Close(); r.wg.Wait() })
	return r
}

// check waits for the connections to end and reports what went wrong on them.
func (r *relay) check(t *testing.T, want []Kind) {
	t.Helper()
	r.ln.Close()
	r.wg.Wait()
	for _, e := range r.errors {
		t.Error(e)
	}
	for _, k := range want {
		if r.seen[k] == 0 {
			t.Errorf("no %s was sent; got %v", k, r.seen)
		}
	}
}

func (r *relay) complain(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// relayed is one connection: as much of its state as decoding the client's packets takes.
type relayed struct {
	*relay

	mu       sync.Mutex
	cx       Context
	greeting Greeting
	login    bool // seen
	auth     bool // no OK yet
	answer   Command
	stmts    map[uint32][]Param
}

// pump passes packets on after look has seen them, until the source ends.
func (c *relayed) pump(dst io.Writer, src io.Reader, look func([]byte)) {
	for {
		var raw, payload []byte
		for {
			head := make([]byte, HeaderLen)
			if _, err := io.ReadFull(src, head); err != nil {
				return
			}
			h := ParseHeader(head)
			body := make([]byte, h.Len)
			if _, err := io.ReadFull(src, body); err != nil {
				return
			}
			raw, payload = append(append(raw, head...), body...), append(payload, body...)
			if h.Len < MaxFrame {
				break
			}
		}
		look(payload)
		if _, err := dst.Write(raw); err != nil {
			return
		}
	}
}

func (c *relayed) fromServer(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.greeting.Version == "":
		if m, ok := c.try(KindGreeting, p).(*Greeting); ok {
			c.greeting = *m
			c.cx.MariaDB = m.MariaDB()
		}
	case c.auth:
		c.authFromServer(p)
	case c.answer == ComStmtPrepare && p[0] == 0 && len(p) >= 12:
		id := uint32(p[1]) | uint32(p[2])<<8 | uint32(p[3])<<16 | uint32(p[4])<<24
		c.stmts[id] = make([]Param, int(p[7])|int(p[8])<<8)
		c.answer = 0
	}
}

func (c *relayed) authFromServer(p []byte) {
	switch p[0] {
	case 0x00:
		c.auth = false
	case 0x01:
		c.try(KindAuthMore, p)
	case 0xfe:
		c.try(KindAuthSwitch, p)
	}
}

func (c *relayed) fromClient(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.login:
		c.login = true
		if IsSSLRequest(p) {
			c.complain("client wants TLS")
		}
		if m, ok := c.try(KindLogin, p).(*Login); ok {
			c.cx.Caps = m.Caps & c.greeting.Caps
			c.checkWithoutSSL(m, p)
		}
	case c.auth:
		c.try(KindAuthData, p)
	default:
		c.commandFromClient(p)
	}
}

// checkWithoutSSL changes one bit and expects all others to stay.
func (c *relayed) checkWithoutSSL(m *Login, p []byte) {
	n := *m
	n.Caps ^= SSL
	want := bytes.Clone(p)
	want[1] ^= byte(SSL >> 8)
	if got, err := n.Encode(nil, nil); err != nil || !bytes.Equal(got, want) {
		c.complain("login with the SSL bit changed:\n got %x, %v\nwant %x", got, err, want)
	}
}

func (c *relayed) commandFromClient(p []byte) {
	c.answer = Command(p[0])
	id := uint32(0)
	if len(p) >= 5 {
		id = uint32(p[1]) | uint32(p[2])<<8 | uint32(p[3])<<16 | uint32(p[4])<<24
	}
	c.cx.Params, c.cx.ParamsKnown = c.stmts[id]
	switch m := c.try(c.answer.Kind(), p).(type) {
	case *OtherCommand:
		c.complain("unknown command %x", p)
	case *StmtSendLongData:
		c.stmts[m.StmtID][m.Param].Long = true
	case *StmtExecute:
		if m.Undecoded != nil {
			c.complain("execute of an unknown statement %x", p)
		}
		for i := range c.stmts[m.StmtID] {
			k := &c.stmts[m.StmtID][i]
			*k = Param{Type: m.Params[i].Type, Unsigned: m.Params[i].Unsigned, Bound: true}
		}
	}
}

// try decodes, encodes and dissects p.
func (c *relayed) try(k Kind, p []byte) Message {
	c.relay.mu.Lock()
	c.seen[k]++
	c.relay.mu.Unlock()
	if os.Getenv("LAB_SHOW") != "" && len(p) < 400 {
		fmt.Printf("%s %x\n", k, p)
	}
	m, err := Decode(k, p, &c.cx)
	if err != nil {
		c.complain("%v\n%s", err, hex.Dump(p[:min(len(p), 512)]))
		return nil
	}
	if got, err := m.Encode(nil, &c.cx); err != nil || !bytes.Equal(got, p) {
		c.complain("%s:\n got %x, %v\nwant %x", k, got, err, p)
	}
	if _, err := Dissect(k, p, &c.cx); err != nil {
		c.complain("dissect: %v", err)
	}
	return m
}
