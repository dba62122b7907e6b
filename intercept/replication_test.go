package intercept_test

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// binlogReader is the command of a client program that reads binary logs, or a skip.
func binlogReader(t *testing.T, s *intercepttest.Server, addr string, args ...string) *exec.Cmd {
	t.Helper()
	name := map[string]string{"mysql": "mysqlbinlog", "mysql56": "mysqlbinlog", "mariadb": "mariadb-binlog", "mariadb11": "mariadb11-binlog"}[s.Name]
	path := filepath.Join(os.Getenv("LAB_BIN"), name)
	if _, err := os.Stat(path); name == "" || err != nil {
		t.Skipf("needs %s of the lab", name)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"--no-defaults", "--host=" + host, "--port=" + port, "--user=" + s.User, "--password=" + s.Password}
	if name == "mysqlbinlog" {
		all = append(all, "--ssl-mode=DISABLED", "--get-server-public-key")
	} else {
		all = append(all, "--skip-ssl")
	}
	return exec.CommandContext(t.Context(), path, append(all, args...)...)
}

// someEvents has a server write the making of a table and n transactions to its binary log, and returns the log's name and where
// in it they begin and end.
func someEvents(t *testing.T, s *intercepttest.Server, n int) (file, from, to string) {
	t.Helper()
	db, err := sql.Open("mysql", s.DSN(""))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	row := func(q string) (map[string]string, error) {
		rows, err := db.Query(q)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil || !rows.Next() {
			return nil, errors.Join(err, rows.Err())
		}
		cells, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		err = rows.Scan(into...)
		got := map[string]string{}
		for i, name := range names {
			got[name] = cells[i].String
		}
		return got, err
	}
	end := func() (file, at string) {
		status, err := row("show master status")
		if err != nil { // MySQL's name of it since 8.4
			status, err = row("show binary log status")
		}
		if err != nil {
			t.Fatal(err)
		}
		if status["File"] == "" {
			t.Skip("it has no binary log")
		}
		return status["File"], status["Position"]
	}
	own := scratch(t, s)
	file, from = end()
	if _, err := db.Exec("create table " + own + ".t (a int primary key, b varchar(100)) engine = innodb"); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := db.Exec("insert into "+own+".t values (?, ?)", i, strings.Repeat("x", 100)); err != nil {
			t.Fatal(err)
		}
	}
	now, to := end()
	if now != file {
		t.Skip("the binary log was rotated meanwhile")
	}
	return file, from, to
}

// TestBinlogReaders compares what client programs read of a binary log directly and through a proxy.
func TestBinlogReaders(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		const transactions = 100 // of three events at least
		file, from, to := someEvents(t, &s, transactions)
		part := []string{"--start-position=" + from, "--stop-position=" + to, file}
		ways := [][]string{append([]string{"--read-from-remote-server", "-v"}, part...)}
		if s.Name == "mysql" {
			ways = append(ways, append([]string{"--read-from-remote-source=BINLOG-DUMP-GTIDS"}, part...))
		}
		for i, args := range ways {
			want, err := binlogReader(t, &s, s.Addr, args...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %v\n%.500s", args, err, want)
			}
			got, err := binlogReader(t, &s, p.Addr, args...).CombinedOutput()
			if err != nil {
				t.Fatalf("proxied: %v: %v\n%.500s", args, err, got)
			}
			if !bytes.Equal(got, want) || len(want) < 10_000 {
				t.Errorf("%v: got %d bytes, want %d that are the same", args, len(got), len(want))
			}
			cmd := mysqlwire.ComBinlogDump
			if i == 1 {
				cmd = mysqlwire.ComBinlogDumpGTID
			}
			x := dumped(p, cmd)
			st := x.Stream
			if x.State != intercept.Done || st.File == "" || x.First.IsZero() || st.Position == 0 || st.Events < 3*transactions || st.Bytes == 0 || x.Marks&intercept.MarkOpaque != 0 {
				t.Errorf("%v: the journal has %+v of %+v", args, st, x)
			}
			for _, name := range []string{"ROTATE_EVENT", "FORMAT_DESCRIPTION_EVENT", "QUERY_EVENT", "TABLE_MAP_EVENT", "XID_EVENT"} {
				if !slices.ContainsFunc(st.Counts, func(c intercept.EventCount) bool { return c.Type.String() == name }) {
					t.Errorf("%s is missing in %s", name, st.CountsText())
				}
			}
			for _, c := range st.Counts {
				if strings.HasPrefix(c.Type.String(), "event ") {
					t.Errorf("%d events of type %s", c.N, c.Type)
				}
			}
			if s.Name != "mysql56" && st.GTID == "" {
				t.Error("no transaction was seen")
			}
		}
	})
}

// dumped waits for the end of a replication command and returns its exchange.
func dumped(p *intercepttest.Proxy, cmd mysqlwire.Command) intercept.Exchange {
	var found intercept.Exchange
	p.Until("the end of "+cmd.String(), func() bool {
		list, _ := p.Journal.Since(0, nil)
		for _, x := range list {
			if x.Command == cmd && (x.State == intercept.Done || x.State == intercept.Gone) {
				found = x
				return true
			}
		}
		return false
	})
	return found
}

// TestBinlogReaderThatStays waits for more when it has read all; killing it is the end of its stream.
func TestBinlogReaderThatStays(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		file, from, _ := someEvents(t, &s, 100)
		id := fmt.Sprintf("--connection-server-id=%d", 100_000+os.Getpid())
		if strings.HasPrefix(s.Name, "mariadb") {
			id = fmt.Sprintf("--stop-never-slave-server-id=%d", 100_000+os.Getpid())
		}
		cmd := binlogReader(t, &s, p.Addr, "--read-from-remote-server", "--stop-never", id, "--start-position="+from, "--result-file=/dev/null", file)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var running *intercept.Stream
		p.Until("events come", func() bool {
			list, _ := p.Journal.Since(0, nil)
			for _, x := range list {
				if x.Stream != nil && x.Stream.Events >= 300 {
					running = x.Stream
				}
			}
			return running != nil
		})
		for _, i := range p.Conns() {
			if i.Stream == nil || i.Opaque != "" {
				t.Errorf("the connection is shown with %+v", i)
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
		x := dumped(p, mysqlwire.ComBinlogDump)
		if x.State != intercept.Done || x.Note != "the client ended the stream" || x.Stream.Events < running.Events {
			t.Errorf("the journal has %+v of %+v; %s", x.Stream, x, said.String())
		}
	})
}

// TestMariaDBReplicaBeginsAtATransaction: a replica says where in variables of its session.
func TestMariaDBReplicaBeginsAtATransaction(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		if !strings.HasPrefix(s.Name, "mariadb") {
			t.Skip("MariaDB's way")
		}
		setup := client(t, &s, s.Addr, 0)
		from := setup.Text("select @@gtid_binlog_pos")
		db := scratch(t, &s)
		for _, q := range []string{"create table " + db + ".t (a int)", "insert into " + db + ".t values (1), (2)", "insert into " + db + ".t values (3)"} {
			if sum := setup.Query(q); sum.Error != nil {
				t.Fatal(sum.Error)
			}
		}
		dump := func(addr string) []string {
			c := client(t, &s, addr, 0)
			for _, q := range []string{
				"set @mariadb_slave_capability = 4", "set @master_binlog_checksum = 'NONE'", "set @slave_connect_state = '" + from + "'",
				"set @slave_gtid_strict_mode = 0",
			} {
				if sum := c.Query(q); sum.Error != nil {
					t.Fatalf("%s: %v", q, sum.Error)
				}
			}
			register := mysqlwire.RegisterSlave{ServerID: uint32(200_000 + os.Getpid())}
			b, err := register.Encode(nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if a := c.Do(b); a.Packets[0].Kind != mysqlwire.KindOK {
				t.Fatalf("COM_REGISTER_SLAVE: %s", a.Packets[0].Kind)
			}
			const nonBlock, annotate = 1, 2
			dump := mysqlwire.BinlogDump{Position: 4, Flags: nonBlock | annotate, ServerID: register.ServerID}
			if b, err = dump.Encode(nil, nil); err != nil {
				t.Fatal(err)
			}
			var events []string
			for _, p := range c.Do(b).Packets {
				if h, ok := mysqlwire.ReadEventHead(p.Payload, len(p.Payload)); ok && h.EndPos != 0 && !h.Artificial() {
					events = append(events, string(p.Payload))
				}
			}
			return events
		}
		want, got := dump(s.Addr), dump(p.Addr)
		n := min(len(want), len(got)) // others may have written meanwhile
		if n < 8 || !slices.Equal(got[:n], want[:n]) {
			t.Errorf("got %d events, want %d", len(got), len(want))
		}
		x := dumped(p, mysqlwire.ComBinlogDump)
		if x.Stream.GTID == "" || !strings.Contains(x.Stream.CountsText(), "GTID_EVENT") || !strings.Contains(x.Stream.CountsText(), "ANNOTATE_ROWS_EVENT") {
			t.Errorf("the journal has %+v", x.Stream)
		}
		if register := dumped(p, mysqlwire.ComRegisterSlave); register.Error != nil {
			t.Errorf("the registration: %v", register.Error)
		}
	})
}

// TestBinlogThatIsNotThere: the stream's end is an error.
func TestBinlogThatIsNotThere(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, 0)
		m := mysqlwire.BinlogDump{Position: 4, Flags: 1, ServerID: uint32(300_000 + os.Getpid()), File: "no-such.000001"}
		b, err := m.Encode(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		a := c.Do(b)
		last := a.Packets[len(a.Packets)-1]
		if last.Kind != mysqlwire.KindERR {
			t.Fatalf("got %s", last.Kind)
		}
		if x := dumped(p, mysqlwire.ComBinlogDump); x.State != intercept.Done || x.Error == nil || x.Error.Code != 1236 || x.Stream == nil {
			t.Errorf("the journal has %+v", x)
		}
	})
}

// binlogEvent is an event as servers send it.
func binlogEvent(t mysqlwire.EventType, endPos uint32, body []byte) []byte {
	m := mysqlwire.BinlogEvent{Timestamp: 1, Type: t, ServerID: 1, Length: uint32(19 + len(body)), EndPos: endPos, Body: body}
	b, _ := m.Encode(nil, nil)
	return b
}

// TestLongStreamTakesLittleMemory relays several hundred megabytes of events between scripted ends,
// with acknowledgements in between.
func TestLongStreamTakesLittleMemory(t *testing.T) {
	e := intercepttest.NewEnds(t, intercept.Options{}, intercepttest.ClientCaps, true)
	defer func() { _ = e.Close() }()
	p := intercepttest.Proxied(t, e.Proxy)
	send := func(end *intercepttest.End, payload []byte) {
		t.Helper()
		if err := end.Send(payload); err != nil {
			t.Fatal(err)
		}
	}
	dump, err := (&mysqlwire.BinlogDump{Position: 4, ServerID: 2, File: "log.000001"}).Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	e.Client.Seq, e.Server.Seq = 0, 0
	send(e.Client, dump)
	if _, err := e.Server.Receive(); err != nil {
		t.Fatal(err)
	}
	rotate := append(binary.LittleEndian.AppendUint64(nil, 4), "log.000001"...)
	row := bytes.Repeat([]byte("row"), 300)
	gtid := make([]byte, 13)
	const rounds, perRound = 4000, 3 * 80
	var b []byte // used again and again: what is measured is not the test's
	batch := func(round int) []byte {
		b = b[:0]
		seq := e.Server.Seq
		add := func(payload []byte) { b, seq = mysqlwire.AppendPacket(b, payload, seq) }
		for i := range perRound / 3 {
			at := uint32(round*perRound + i)
			binary.LittleEndian.PutUint64(gtid, uint64(at))
			add(binlogEvent(mysqlwire.EventMariaDBGTID, at+1, gtid))
			add(binlogEvent(19, at+2, []byte("a table")))
			add(binlogEvent(23, at+3, row))
		}
		e.Server.Seq = seq
		return b
	}
	read := make(chan int)
	go func() { // ends with the session
		n, b := 0, make([]byte, 64<<10)
		for {
			m, err := e.Client.Read(b)
			n += m
			if err != nil {
				read <- n
				return
			}
		}
	}()
	sent := 0
	grown := mostLive(func() {
		hello, _ := mysqlwire.AppendPacket(nil, binlogEvent(mysqlwire.EventRotate, 0, rotate), e.Server.Seq)
		e.Server.Seq++
		for round := range rounds {
			b := batch(round)
			if round == 0 {
				b = append(hello, b...)
			}
			if err := e.Server.Write(b); err != nil {
				t.Error(err)
				return
			}
			sent += len(b)
			if round%1000 == 0 {
				ack, _ := (&mysqlwire.SemiSyncAck{Position: uint64(round), File: "log.000001"}).Encode(nil, nil)
				frame, _ := mysqlwire.AppendPacket(nil, ack, 0)
				if err := e.Client.Write(frame); err != nil {
					t.Error(err)
					return
				}
				e.Server.Seq = 0
				if got, err := e.Server.Receive(); err != nil || !bytes.Equal(got, ack) {
					t.Errorf("got %q, %v", got, err)
				}
				e.Server.Seq = 0
			}
		}
	})
	if err := e.Client.Close(); err != nil {
		t.Error(err)
	}
	if got := <-read; got < sent-1<<20 {
		t.Errorf("%d of %d bytes came", got, sent)
	}
	x := dumped(p, mysqlwire.ComBinlogDump)
	st := x.Stream
	if st.Events != 1+rounds*perRound || st.Acks != 4 || st.File != "log.000001" || len(st.Counts) != 4 {
		t.Errorf("the journal has %+v", st)
	}
	const most = 48 << 20 // a machine with other things to do is slow to give memory back
	if grown > most {
		t.Errorf("%d bytes of memory were in use for a stream of %d, at most %d should", grown, sent, most)
	}
}
