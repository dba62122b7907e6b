package intercept_test

import (
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// scratch makes a database of the test's own and returns its name.
func scratch(t *testing.T, s *intercepttest.Server) string {
	t.Helper()
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.Name()))
	name := fmt.Sprintf("mydbg_test_%x_%d", h.Sum64(), os.Getpid()) // others may run the same test
	db, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/", s.User, s.Password, s.Addr))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"drop database if exists " + name, "create database " + name} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := db.Exec("drop database " + name); err != nil {
			t.Error(err)
		}
		_ = db.Close()
	})
	return name
}

func TestLocalInfile(t *testing.T) {
	mysql.RegisterReaderHandler("small", func() io.Reader { return strings.NewReader("1\tone\n2\ttwo\n") })
	mysql.RegisterReaderHandler("empty", func() io.Reader { return strings.NewReader("") })
	mysql.RegisterReaderHandler("large", func() io.Reader {
		return strings.NewReader(strings.Repeat("7\t"+strings.Repeat("x", 990)+"\n", 4000))
	})
	for _, rules := range [][]string{nil, {`if sql contains "never there"`}, {`at result if sql contains "never there"`}} {
		t.Run(fmt.Sprint(rules), func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				if !s.Lab {
					t.Skip("needs local_infile")
				}
				p.Break(rules...)
				s.Database = scratch(t, &s)
				c := open(t, &s, p.Addr, "?maxAllowedPacket=0")
				if _, err := c.ExecContext(t.Context(), "create table f (id int, name varchar(1000))"); err != nil {
					t.Fatal(err)
				}
				for name, want := range map[string]int64{"small": 2, "empty": 0, "large": 4000} {
					r, err := c.ExecContext(t.Context(), "load data local infile 'Reader::"+name+"' into table f")
					if err != nil {
						t.Fatal(err)
					}
					if n, _ := r.RowsAffected(); n != want {
						t.Errorf("%s: got %d rows, want %d", name, n, want)
					}
				}
				if _, err := c.ExecContext(t.Context(), "load data local infile 'Reader::small' into table nowhere"); number(err) != 1146 {
					t.Errorf("into no table: got %v", err)
				}
				if n := one[int](t, c, "select count(*) from f"); n != 4002 {
					t.Errorf("then got %d", n)
				}
			})
		})
	}
}

// TestUploadForAnInjectedQuery: the client knows nothing of it and would not send a file.
func TestUploadForAnInjectedQuery(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		if !s.Lab {
			t.Skip("needs local_infile")
		}
		c := client(t, &s, p.Addr, intercepttest.ClientCaps|mysqlwire.LocalFiles)
		p.Break(`if sql == "select 5"`)
		c.Send(query(c, "select 5"))
		h := p.Held()
		p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{
			intercept.QueryText("load data local infile 'nothing' into table products", intercept.FromPerson),
			{Packet: []byte("\x03load data local infile 'nothing' into table products"), Origin: intercept.FromPerson},
			{Packet: h.Packet, Show: true},
		}})
		if got := c.Value(c.Answer(query(c, "select 5"))); got != "5" {
			t.Errorf("got %s", got)
		}
	})
}

func TestUploadWhoseAnswerIsHeld(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		if !s.Lab {
			t.Skip("needs local_infile")
		}
		s.Database = scratch(t, &s)
		c := client(t, &s, p.Addr, intercepttest.ClientCaps|mysqlwire.LocalFiles)
		c.Query("create table f (id int)")
		p.Break(`at result if sql contains "infile"`)
		const load = "load data local infile 'f' into table f"
		if a := c.Do(query(c, load)); a.Packets[0].Kind != mysqlwire.KindLocalInfile {
			t.Fatalf("got %s", a.Packets[0].Kind)
		}
		done := make(chan *mysqlwire.Answer, 1)
		go func() { done <- c.Upload([]byte("1\n2\n"), []byte("3\n")) }()
		h := p.Held()
		if h.Counts.Affected != 3 {
			t.Errorf("held with %+v", h.Counts)
		}
		p.Resolve(h, intercept.Verdict{Action: intercept.Reply, Answer: mysqlwire.ERRAnswer(1205, "", "")})
		if a := <-done; a.Packets[0].Kind != mysqlwire.KindERR {
			t.Errorf("got %s", a.Packets[0].Kind)
		}
		if got := c.Text("select count(*) from f"); got != "3" {
			t.Errorf("then got %s", got)
		}
	})
}

// TestCommandsSentAhead: a close glued in front of a query, and a whole batch.
func TestCommandsSentAhead(t *testing.T) {
	for _, rules := range [][]string{nil, {`if sql contains "never there"`}, {`at result if sql contains "never there"`}} {
		t.Run(fmt.Sprint(rules), func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				p.Break(rules...)
				c := client(t, &s, p.Addr, 0)
				id := c.Prepare("select 1")
				batch := [][]byte{statementCommand(mysqlwire.ComStmtClose, id)}
				for i := range 300 {
					batch = append(batch, query(c, fmt.Sprintf("select %d, '%s'", i, strings.Repeat("p", i))))
				}
				c.Send(batch...)
				for i, command := range batch {
					a := c.Answer(command)
					if i > 0 && c.Value(a) != fmt.Sprint(i-1) {
						t.Fatalf("answer %d is %q", i-1, c.Value(a))
					}
				}
			})
		})
	}
}

// TestExecuteBeforeThePrepareIsAnswered is what MariaDB's clients do. MySQL knows no such id and says so.
func TestExecuteBeforeThePrepareIsAnswered(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		p.Break(`at query, result if sql contains "never there"`)
		for _, caps := range []mysqlwire.Caps{0, capabilities[3].caps} {
			c := client(t, &s, p.Addr, caps)
			for range 3 {
				both := [][]byte{prepare("select 41 + 1"), statementCommand(mysqlwire.ComStmtExecute, mysqlwire.LastStmtID, 0, 1, 0, 0, 0)}
				c.Send(both...)
				c.Answer(both[0])
				want := "42"
				if !c.Greeting.MariaDB() {
					want = "ERROR 1243 (HY000): Unknown prepared statement handler"
				}
				if got := c.Value(c.Answer(both[1])); !strings.HasPrefix(got, want) {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		}
	})
}

// TestServerThatSpeaksUnasked: an idle connection is killed.
func TestServerThatSpeaksUnasked(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c, other := client(t, &s, p.Addr, 0), client(t, &s, s.Addr, 0)
		direct := client(t, &s, s.Addr, 0)
		other.Query("kill " + direct.Text("select connection_id()"))
		want := direct.Closed()
		other.Query("kill " + c.Text("select connection_id()"))
		if got := c.Closed(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		p.Until("the connection is gone", func() bool { return p.Conns()[0].Phase == intercept.Closed })
	})
}

// TestTooLongCommand: the server says so, in the words that a direct client hears, or closes.
func TestBinlogDumpIsRelayed(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		if !s.Lab {
			t.Skip("needs a binary log")
		}
		p.Break(`at query, result if sql contains "never there"`)
		c := client(t, &s, p.Addr, 0)
		status := "show binary log status"
		if s.Name != "mysql" {
			status = "show master status"
		}
		file := c.Text(status)
		c.Query("set @master_binlog_checksum = 'NONE', @source_binlog_checksum = 'NONE'")
		m := mysqlwire.BinlogDump{Position: 4, Flags: 1, ServerID: uint32(400_000 + os.Getpid()), File: file}
		dump, err := m.Encode(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Send(dump)
		a := c.Answer(dump)
		if last := a.Packets[len(a.Packets)-1]; len(a.Packets) < 3 || last.Kind != mysqlwire.KindEOF {
			t.Errorf("got %d packets, the last is %s %q", len(a.Packets), last.Kind, last.Payload)
		}
	})
}

func TestSysbench(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	path, err := exec.LookPath("sysbench")
	if err != nil {
		t.Skip("sysbench is not installed")
	}
	for _, rules := range [][]string{nil, {`if sql contains "never there"`}, {`at result if sql contains "never there"`}} {
		t.Run(fmt.Sprint(rules), func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				if !s.Lab {
					t.Skip("needs a real server")
				}
				db := scratch(t, &s)
				u := intercepttest.User{Name: s.User, Password: s.Password}
				if s.Name == "mysql" && sysbenchCannot(t, path, &s, u, db) {
					t.Skip("this sysbench cannot log in to this server at all")
				}
				p.Break(rules...)
				for _, step := range [][]string{{"prepare"}, {"--time=0", "--events=300", "--threads=4", "run"}} {
					if out, err := sysbench(t, path, p.Addr, u, db, step...); err != nil {
						t.Fatalf("%v: %v\n%s", step, err, out)
					} else if strings.Contains(out, "FATAL") || step[0] != "prepare" && !strings.Contains(out, "(0.00 per sec.)") {
						t.Errorf("errors in:\n%s", out)
					}
				}
				if i := p.Conns()[0]; i.Opaque != "" {
					t.Error(i.Opaque)
				}
			})
		})
	}
}

func sysbench(t *testing.T, path, addr string, u intercepttest.User, db string, args ...string) (string, error) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	all := append([]string{
		"oltp_read_write", "--db-driver=mysql", "--db-ps-mode=auto", "--mysql-host=" + host, "--mysql-port=" + port, "--mysql-user=" + u.Name,
		"--mysql-password=" + u.Password, "--mysql-db=" + db, "--tables=2", "--table-size=300",
	}, args...)
	out, err := exec.CommandContext(t.Context(), path, all...).CombinedOutput()
	return string(out), err
}

func sysbenchCannot(t *testing.T, path string, s *intercepttest.Server, u intercepttest.User, db string) bool {
	t.Helper()
	_, err := sysbench(t, path, s.Addr, u, db, "cleanup")
	return err != nil
}

// TestTypesThatOnlyTheClientKnows: what an execute without types means is what the client thinks.
func TestTypesThatOnlyTheClientKnows(t *testing.T) {
	long := func(v byte) []byte { return []byte{v, 0, 0, 0} }
	bind := func(c *intercepttest.Client, id uint32, bound bool, v byte) []byte {
		m := mysqlwire.StmtExecute{
			StmtID: id, Iterations: 1, NewParamsBound: bound,
			Params: []mysqlwire.ExecParam{{Type: value.Long, Raw: long(v)}},
		}
		if c.Decoder.Caps().Has(mysqlwire.QueryAttributes) {
			m.Flags = mysqlwire.ExecParameterCountAvailable
		}
		b, err := m.Encode(nil, &mysqlwire.Context{Caps: c.Decoder.Caps(), ParamsKnown: true})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, as := range capabilities {
		t.Run(as.name, func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				c := client(t, &s, p.Addr, as.caps)
				id := c.Prepare("select concat('<', ?, '>') as edited")

				// The very first execute is answered here: the server never hears of its types.
				p.Break(`once do err 1205 if cmd == "execute"`)
				if a := c.Do(bind(c, id, true, 1)); a.Packets[0].Kind != mysqlwire.KindERR {
					t.Fatalf("got %s", a.Packets[0].Kind)
				}
				if got := c.Value(c.Do(bind(c, id, false, 2))); got != "<2>" {
					t.Errorf("after an execute that was not sent: got %s", got)
				}
				// The next is sent with other types.
				p.Break(`once if cmd == "execute"`)
				c.Send(bind(c, id, false, 3))
				h := p.Held()
				m, err := h.Message()
				if err != nil {
					t.Fatal(err)
				}
				edited, err := m.(*mysqlwire.StmtExecute).WithParam(0, value.VarString, false, []byte("text"))
				if err != nil {
					t.Fatal(err)
				}
				packet, err := edited.Encode(nil, h.Context)
				if err != nil {
					t.Fatal(err)
				}
				p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{{Packet: packet, Origin: intercept.FromPerson, Show: true}}})
				if got := c.Value(c.Answer(bind(c, id, false, 3))); got != "<text>" {
					t.Errorf("edited: got %s", got)
				}
				for v := byte(4); v < 7; v++ {
					if got := c.Value(c.Do(bind(c, id, false, v))); got != fmt.Sprintf("<%d>", v) {
						t.Errorf("after an edited execute: got %s, want <%d>", got, v)
					}
				}
				// Another statement takes its place once, with columns of its own.
				p.Break(`once do rewrite "select 1 as a, 2 as b, ? as c" if cmd == "execute"`)
				if got := c.Value(c.Do(bind(c, id, false, 7))); got != "1" {
					t.Errorf("rewritten: got %s", got)
				}
				if got := c.Value(c.Do(bind(c, id, false, 8))); got != "<8>" {
					t.Errorf("after a rewritten execute: got %s", got)
				}
			})
		})
	}
}

// TestLongDataOfAnExecuteThatIsNotSent must not stick to the next one.
func TestLongDataOfAnExecuteThatIsNotSent(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, 0)
		id := c.Prepare("select concat('<', ?, '>')")
		data := func(text string) []byte {
			return append(statementCommand(mysqlwire.ComStmtSendLongData, id, 0, 0), text...)
		}
		exec := statementCommand(mysqlwire.ComStmtExecute, id, 0, 1, 0, 0, 0, 0, 1, 252, 0)
		p.Break(`once do err 1213 if cmd == "execute"`)
		c.Do(data("lost"))
		if a := c.Do(exec); a.Packets[0].Kind != mysqlwire.KindERR {
			t.Fatalf("got %s", a.Packets[0].Kind)
		}
		c.Do(data("kept"))
		if got := c.Value(c.Do(exec)); got != "<kept>" {
			t.Errorf("got %s", got)
		}
	})
}

// TestFailedRewriteTellsTheError: a statement that cannot be prepared is not executed.
func TestFailedRewriteTellsTheError(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := open(t, &s, p.Addr, "")
		st, err := c.PrepareContext(t.Context(), "select ?")
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		p.Break(`once do rewrite "select nonsense, ?" if cmd == "execute"`)
		var got int
		if err := st.QueryRow(5).Scan(&got); number(err) != 1054 {
			t.Errorf("got %v", err)
		}
		if err := st.QueryRow(6).Scan(&got); err != nil || got != 6 {
			t.Errorf("then got %d, %v", got, err)
		}
	})
}

// TestAnswerTooLargeToHold is decided on by its beginning, and the rest follows, or does not.
func TestAnswerTooLargeToHold(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, 0)
		const large = "select repeat('a', 9000000) union all select repeat('b', 9000000) union all select repeat('c', 17000000)"
		for _, tt := range []struct {
			name    string
			verdict intercept.Verdict
			rows    int
			code    uint16
		}{
			{"released", intercept.Verdict{}, 3, 0},
			{"an error instead", intercept.Verdict{Action: intercept.Reply, Answer: mysqlwire.ERRAnswer(1213, "", "")}, 0, 1213},
		} {
			id, err := p.Breakpoints.Add(`at result if sql contains "repeat"`)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan mysqlwire.Summary, 1)
			go func() { done <- c.Query(large) }()
			h := p.Held(rule.ReadQueryResult)
			if !h.Answer.Partial {
				t.Errorf("%s: the answer is whole", tt.name)
			}
			edit := intercept.Verdict{Action: intercept.Forward, Answer: mysqlwire.OKAnswer(0, 0, 2, 0, "")}
			if err := p.Gate.Resolve(h.ID, edit); err == nil {
				t.Errorf("%s: a part of an answer could be edited", tt.name)
			}
			p.Resolve(h, tt.verdict)
			sum := <-done
			var e *mysqlwire.ERR
			if sum.Rows != tt.rows || (sum.Error == nil) != (tt.code == 0) || errors.As(sum.Error, &e) && e != nil && e.Code != tt.code {
				t.Errorf("%s: got %+v", tt.name, sum)
			}
			if err := p.Breakpoints.Delete(id); err != nil {
				t.Fatal(err)
			}
			if got := c.Text("select 7"); got != "7" {
				t.Errorf("%s: then got %s", tt.name, got)
			}
		}
	})
}
