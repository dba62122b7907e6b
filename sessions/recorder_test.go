package sessions

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// one is a connection through a proxy.
func one(t *testing.T, server *intercepttest.Server, addr string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("mysql", server.DSN(addr)+"?tls=false")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	c, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func run(t *testing.T, c *sql.Conn, q string) {
	t.Helper()
	if _, err := c.ExecContext(context.Background(), q); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
}

// leave closes a connection and waits until the proxy knows.
func leave(t *testing.T, p *intercepttest.Proxy, conns ...*sql.Conn) {
	t.Helper()
	for _, c := range conns {
		_ = c.Raw(func(any) error { return errBad }) // closes it for good
	}
	p.Until("all connections are closed", func() bool {
		return !slices.ContainsFunc(p.Conns(), func(c intercept.ConnInfo) bool { return c.Phase != intercept.Closed })
	})
}

var errBad = fmt.Errorf("done: %w", sqlBad)

func TestRecordsDecisions(t *testing.T) {
	server := intercepttest.Servers(t, nil)[0]
	r, _, _ := record(t, &server, RecordOptions{}, func(p *intercepttest.Proxy) {
		p.Break(`do err 1213 if sql contains "crafted"`, `stop at query if sql contains "edited"`, `stop at query if sql contains "extended"`)
		c := one(t, &server, p.Addr)
		run(t, c, "SELECT 'plain'")
		if _, err := c.ExecContext(context.Background(), "SELECT 'crafted'"); err == nil {
			t.Error("no error")
		}
		done := make(chan error, 1)
		for _, name := range []string{"edited", "extended"} {
			go func() {
				_, err := c.ExecContext(context.Background(), "SELECT '"+name+"'")
				done <- err
			}()
			h := p.Held(rule.ReadQuery)
			own := intercept.Query{Packet: []byte("\x03SELECT 'changed'"), Origin: intercept.FromPerson, Show: true}
			if server.Name == "mysql" {
				own.Packet = []byte("\x03\x00\x01SELECT 'changed'")
			}
			v := intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{own}, Why: "because"}
			if name == "extended" {
				v.Queries = []intercept.Query{intercept.QueryText("SELECT 'before'", intercept.FromPerson), {Packet: h.Packet, Show: true}}
			}
			p.Resolve(h, v)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		run(t, c, "SELECT 'plain again'")
		leave(t, p, c)
	})
	got := decided(t, r)
	want := []string{
		"SELECT 'plain' []",
		`SELECT 'crafted' [crafted rule] delivered 1 | read_query reply by rule 1 held false`,
		`SELECT 'edited' [paused edited] sent "SELECT 'changed'" | read_query forward by you held true`,
		`SELECT 'extended' [paused edited] | read_query forward by you held true`,
		"SELECT 'before' [injected hidden] of #4 from you delivered 0",
		"SELECT 'plain again' []",
		" []",
	}
	if d := cmp.Diff(want[:6], got[:min(len(got), 6)]); d != "" {
		t.Error(d)
	}
	// A copy tells the same of both legs.
	path := filepath.Join(t.TempDir(), "copy.pcapng")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	c := NewCopier(out, r)
	for rec, err := range r.Records(0) {
		if err != nil {
			t.Fatal(err)
		}
		conn, _ := r.Conn(rec.Conn)
		if err := c.Write(rec, &conn, r.Decisions(rec.Seq)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(c.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if d := cmp.Diff(got, decided(t, again)); d != "" || !again.Recording() {
		t.Errorf("the copy (-want +got): %s", d)
	}
}

// decided says of each exchange what was decided about it, and what each side got.
func decided(t *testing.T, r *Reader) (got []string) {
	t.Helper()
	for rec, err := range r.Records(0) {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %v", rec.Statement, namesOf(rec.Marks))
		if rec.Parent != 0 {
			line += fmt.Sprintf(" of #%d from %s", rec.Parent, rec.Origin)
		}
		for _, s := range rec.Sent {
			line += fmt.Sprintf(" sent %q", strings.TrimLeft(string(s.Payload), "\x00\x01\x03"))
		}
		if rec.Delivered != nil {
			line += fmt.Sprintf(" delivered %d", len(rec.Delivered.Packets))
		}
		for _, d := range r.Decisions(rec.Seq) {
			line += fmt.Sprintf(" | %s %s by %s held %v", d.Hook, d.Action, d.By, d.Held > 0)
		}
		got = append(got, line)
	}
	return got
}

func TestMasksSecrets(t *testing.T) {
	for _, server := range intercepttest.Servers(t, nil) {
		t.Run(server.Name, func(t *testing.T) {
			secret := "Secr3t-" + server.Name
			_, _, path := record(t, &server, RecordOptions{}, func(p *intercepttest.Proxy) {
				c := one(t, &server, p.Addr)
				for _, q := range []string{
					"CREATE USER rec_mask@localhost IDENTIFIED BY '%s'", "SET PASSWORD FOR rec_mask@localhost = '%s'", "/* x */ ALTER USER rec_mask@localhost IDENTIFIED BY '%s'",
				} {
					_, _ = c.ExecContext(context.Background(), fmt.Sprintf(q, secret)) // some servers refuse some
				}
				run(t, c, "DROP USER rec_mask@localhost")
				leave(t, p, c)
			})
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if at := strings.Index(string(b), secret); at >= 0 {
				t.Errorf("the password is in the recording: %q", b[max(at-60, 0):at+20])
			}
		})
	}
}

func TestRotates(t *testing.T) {
	server := intercepttest.Servers(t, nil)[0]
	path := filepath.Join(t.TempDir(), "r.pcapng")
	const n = 300
	record(t, &server, RecordOptions{Path: path, Size: 32 << 10}, func(p *intercepttest.Proxy) {
		a, b := one(t, &server, p.Addr), one(t, &server, p.Addr)
		for i := range n {
			run(t, a, fmt.Sprintf("SELECT 'a%d'", i))
			run(t, b, fmt.Sprintf("SELECT 'b%d'", i))
		}
		leave(t, p, a, b)
	})
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "r*.pcapng"))
	if err != nil || len(files) < 4 {
		t.Fatalf("got %v, %v; want several files", files, err)
	}
	seen := map[string]int{}
	for _, f := range files {
		r, err := Open(f, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for rec, err := range r.Records(0) {
			if err != nil {
				t.Fatal(err)
			}
			if rec.State != intercept.Done || rec.Rows != 1 && rec.Received.Kind == mysqlwire.KindQuery {
				t.Errorf("%s: #%d %q is %s with %d rows", filepath.Base(f), rec.Seq, rec.Statement, rec.State, rec.Rows)
			}
			if rec.User != server.User {
				t.Errorf("%s: #%d is of user %q", filepath.Base(f), rec.Seq, rec.User)
			}
			seen[rec.Statement]++
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		for _, c := range "ab" {
			if q := fmt.Sprintf("SELECT '%c%d'", c, i); seen[q] != 1 {
				t.Errorf("%s is %d times in the files", q, seen[q])
			}
		}
	}
}

// TestRotationKeepsPreparedStatements executes statements in later files than they were prepared in: their texts are
// known there, their parameters though clients send the types once, and that a closed one is closed.
func TestRotationKeepsPreparedStatements(t *testing.T) {
	for _, server := range intercepttest.Servers(t, nil) {
		t.Run(server.Name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "r.pcapng")
			const n = 150
			record(t, &server, RecordOptions{Path: path, Size: 32 << 10}, func(p *intercepttest.Proxy) {
				c := intercepttest.Dial(t, "tcp", p.Addr, server.User, server.Password, server.Database, 0)
				closed := c.Prepare("SELECT 'closed', ?")
				id := c.Prepare("SELECT ? + 1 AS n")
				none := c.Prepare("SELECT 'no parameters'")
				c.Send(binary.LittleEndian.AppendUint32([]byte{byte(mysqlwire.ComStmtClose)}, closed))
				for i := range n {
					head := func(id uint32) []byte {
						b := binary.LittleEndian.AppendUint32([]byte{byte(mysqlwire.ComStmtExecute)}, id)
						return append(b, 0, 1, 0, 0, 0)
					}
					x := append(head(id), 0, 0) // no NULL, no types
					if i == 0 {
						x = append(head(id), 0, 1, 8, 0) // BIGINT
					}
					c.Do(binary.LittleEndian.AppendUint64(x, uint64(i)))
					c.Do(head(none))
					c.Query(fmt.Sprintf("SELECT '%s%d'", strings.Repeat("fill ", 50), i))
				}
				_ = c.Conn.Close()
				leave(t, p)
			})
			files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "r*.pcapng"))
			if err != nil || len(files) < 4 {
				t.Fatalf("got %v, %v; want several files", files, err)
			}
			var got []int
			for _, f := range files {
				r, err := Open(f, Options{})
				if err != nil {
					t.Fatal(err)
				}
				for rec, err := range r.Records(0) {
					if err != nil {
						t.Fatal(err)
					}
					if rec.Command != mysqlwire.ComStmtExecute {
						continue
					}
					listed, err := r.Exchange(rec.Seq)
					if err != nil || listed.SQL != rec.Statement {
						t.Errorf("%s: #%d is listed as %q, loaded as %q, %v", filepath.Base(f), rec.Seq, listed.SQL, rec.Statement, err)
					}
					if rec.Statement == "SELECT 'no parameters'" {
						continue
					}
					m, err := rec.Message()
					x, ok := m.(*mysqlwire.StmtExecute)
					if err != nil || !ok || len(x.Params) != 1 || rec.Statement != "SELECT ? + 1 AS n" || rec.Rows != 1 {
						t.Fatalf("%s: #%d %q: %v, %+v", filepath.Base(f), rec.Seq, rec.Statement, err, m)
					}
					v, err := x.Params[0].Value()
					if err != nil {
						t.Fatal(err)
					}
					i, _ := v.(int64)
					got = append(got, int(i))
					results, err := rec.Results()
					if err != nil || len(results) != 1 {
						t.Errorf("%s: #%d: %v", filepath.Base(f), rec.Seq, err)
					}
				}
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
			}
			slices.Sort(got)
			if len(got) != n || got[0] != 0 || got[n-1] != n-1 {
				t.Errorf("got %d executes: %v", len(got), got)
			}
		})
	}
}

func TestKeepsTheSpool(t *testing.T) {
	server := intercepttest.Servers(t, nil)[0]
	for _, spool := range []int64{0, 1 << 20} {
		t.Run(fmt.Sprint(spool), func(t *testing.T) {
			dir := t.TempDir()
			rec, err := NewRecorder(RecordOptions{Spool: spool, Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			p := intercepttest.NewProxy(t, intercept.Options{Tap: rec}, server.Addr)
			c := one(t, &server, p.Addr)
			run(t, c, "SELECT 'before'")
			path := filepath.Join(dir, "kept.pcapng")
			if err := rec.Keep(path); err != nil {
				t.Fatal(err)
			}
			run(t, c, "SELECT 'after'")
			d := one(t, &server, p.Addr)
			run(t, d, "SELECT 'other'")
			if err := rec.Stop(); err != nil {
				t.Fatal(err)
			}
			run(t, c, "SELECT 'later'")
			if err := rec.Keep(path); err == nil {
				t.Error("a file that is there was written over")
			}
			leave(t, p, c, d)
			if err := rec.Close(); err != nil {
				t.Fatal(err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*spool*")); len(left) > 0 {
				t.Errorf("the spool is left behind: %v", left)
			}
			r, err := Open(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var got []string
			for rec, err := range r.Records(0) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%s %s %d %s", rec.User, rec.Statement, rec.Rows, rec.State))
			}
			want := []string{"SELECT 'before' 1 done", "SELECT 'after' 1 done", "SELECT 'other' 1 done"}
			if spool == 0 {
				want = want[1:]
			}
			for i := range want {
				want[i] = server.User + " " + want[i]
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Error(info.Mode(), err)
			}
		})
	}
}

// TestSpoolIsARing writes more than the spool holds.
func TestSpoolIsARing(t *testing.T) {
	server := intercepttest.Servers(t, nil)[0]
	rec, err := NewRecorder(RecordOptions{Spool: 1 << 20, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	p := intercepttest.NewProxy(t, intercept.Options{Tap: rec}, server.Addr)
	c := one(t, &server, p.Addr)
	for range 60 {
		run(t, c, "SELECT REPEAT('x', 30000)")
	}
	run(t, c, "SELECT 'last'")
	path := filepath.Join(t.TempDir(), "kept.pcapng")
	if err := rec.Keep(path); err != nil {
		t.Fatal(err)
	}
	leave(t, p, c)
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 3<<19 {
		t.Errorf("got %d bytes, %v; the spool should have had 1 MiB", info.Size(), err)
	}
	r, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := r.Len()
	if n < 5 || n > 40 {
		t.Errorf("got %d exchanges", n)
	}
	for rec, err := range r.Records(0) {
		if err != nil || rec.State != intercept.Done || rec.Marks&^intercept.MarkLoop != 0 {
			t.Errorf("#%d %q: %s %v %v", rec.Seq, rec.Statement, rec.State, namesOf(rec.Marks), err)
		}
	}
}

// TestDiskFull lets the traffic go on, and the recording too when there is room again.
func TestDiskFull(t *testing.T) {
	server := intercepttest.Servers(t, nil)[0]
	path := filepath.Join(t.TempDir(), "full.pcapng")
	troubles := make(chan error, 100)
	rec, err := NewRecorder(RecordOptions{Path: path, Trouble: func(err error) { troubles <- err }})
	if err != nil {
		t.Fatal(err)
	}
	p := intercepttest.NewProxy(t, intercept.Options{Tap: rec}, server.Addr)
	c := one(t, &server, p.Addr)
	run(t, c, "SELECT 'before'")
	settle(t, rec)
	limited := &limit{}
	rec.fault(limited.write)
	limited.set(100)
	run(t, c, "SELECT 'lost'")
	d := one(t, &server, p.Addr)
	run(t, d, "SELECT 'lost too'")
	if err := <-troubles; err == nil {
		t.Error("nothing was said")
	}
	limited.set(1 << 40)
	deadline := time.After(intercepttest.Patience)
	for over := false; !over; {
		run(t, c, "SELECT 'tick'")
		select {
		case err := <-troubles:
			over = err == nil
		case <-deadline:
			t.Fatal("recording does not go on")
		default:
		}
	}
	run(t, c, "SELECT 'after'")
	run(t, d, "SELECT 'after, too'")
	leave(t, p, c, d)
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if pr := r.Progress(); pr.Cut || pr.Err != nil {
		t.Errorf("the file is damaged: %+v", pr)
	}
	found := map[string]bool{}
	for rec, err := range r.Records(0) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.State == intercept.Done {
			found[rec.Statement] = true
		}
	}
	for _, q := range []string{"SELECT 'before'", "SELECT 'after'", "SELECT 'after, too'"} {
		if !found[q] {
			t.Errorf("%s is not in the recording: %v", q, describe(r))
		}
	}
	if rec.Status().Lost == 0 {
		t.Error("nothing is said to be lost")
	}
}

// TestBacklog leaves bytes out when the disk does not keep up, and says so.
func TestBacklog(t *testing.T) {
	server := intercepttest.Servers(t, nil)[0]
	path := filepath.Join(t.TempDir(), "slow.pcapng")
	rec, err := NewRecorder(RecordOptions{Path: path, Backlog: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	p := intercepttest.NewProxy(t, intercept.Options{Tap: rec}, server.Addr)
	c := one(t, &server, p.Addr)
	run(t, c, "SELECT 'before'")
	settle(t, rec)
	stuck := make(chan struct{})
	rec.fault(func(f *os.File, b []byte) (int, error) {
		<-stuck
		return f.Write(b)
	})
	for range 20 {
		run(t, c, "SELECT REPEAT('x', 30000)")
	}
	if rec.Status().Lost == 0 {
		t.Error("nothing was left out")
	}
	close(stuck)
	settle(t, rec)
	run(t, c, "SELECT 'after'")
	leave(t, p, c)
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	conns := r.Conns()
	if len(conns) != 1 || !conns[0].Marks.Has(Gap) {
		t.Errorf("got %v", describe(r))
	}
	last := ""
	for rec, err := range r.Records(0) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Command == mysqlwire.ComQuery {
			last = rec.Statement
		}
	}
	if last != "SELECT 'after'" {
		t.Errorf("got %q last: %v", last, describe(r))
	}
}

// settle waits until everything so far is written.
func settle(t *testing.T, rec *Recorder) {
	t.Helper()
	if err := rec.ask(func(w *recordWriter) error { w.flush(); return nil }); err != nil {
		t.Fatal(err)
	}
}

// TestHistory reads what the spool has while it is written, also when that goes on without it.
func TestHistory(t *testing.T) {
	server := intercepttest.Servers(t, nil)[0]
	rec, err := NewRecorder(RecordOptions{Spool: 1 << 20, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	p := intercepttest.NewProxy(t, intercept.Options{Tap: rec}, server.Addr)
	c := one(t, &server, p.Addr)
	for i := range 20 {
		run(t, c, fmt.Sprintf("SELECT 'h%d'", i))
	}
	r, err := rec.History(Options{})
	if err != nil {
		t.Fatal(err)
	}
	<-r.Done()
	for range 60 { // the segments that it reads leave the ring
		run(t, c, "SELECT REPEAT('x', 30000)")
	}
	n := 0
	for rec, err := range r.Records(0) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("SELECT 'h%d'", n); rec.Statement != want || rec.Rows != 1 {
			t.Errorf("got %q with %d rows, want %q", rec.Statement, rec.Rows, want)
		}
		n++
	}
	if n != 20 {
		t.Errorf("got %d exchanges, want 20", n)
	}
	leave(t, p, c)
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Record(1); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}
