package intercept_test

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// fileCaps let the server ask for files.
const fileCaps = intercepttest.ClientCaps | mysqlwire.LocalFiles

// fileTable makes a table for uploads and returns its name.
func fileTable(t *testing.T, s *intercepttest.Server) string {
	t.Helper()
	name := scratch(t, s) + ".t"
	if sum := client(t, s, s.Addr, 0).Query("create table " + name + " (a int, b varchar(200))"); sum.Error != nil {
		t.Fatal(sum.Error)
	}
	return name
}

// eachUpload runs a test with a table on every real server.
func eachUpload(t *testing.T, test func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy, table string)) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		test(t, s, p, fileTable(t, &s))
	})
}

func asked(t *testing.T, a *mysqlwire.Answer) string {
	t.Helper()
	last := a.Packets[len(a.Packets)-1]
	var m mysqlwire.LocalInfile
	if err := m.Decode(last.Payload, nil); err != nil {
		t.Fatalf("the server did not ask for a file: %s %.100q", last.Kind, last.Payload)
	}
	return m.Name
}

func TestUploadIsCounted(t *testing.T) {
	eachUpload(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy, table string) {
		c := client(t, &s, p.Addr, fileCaps)
		stmt := "load data local infile 'data.tsv' into table " + table
		if got := asked(t, c.Do(query(c, stmt))); got != "data.tsv" {
			t.Errorf("asked for %q", got)
		}
		c.Upload([]byte("1\tone\n2\tt"), []byte("wo\n"))
		x := p.Finished(stmt)
		want := intercept.Upload{File: "data.tsv", Files: 1, Ended: true, Bytes: 12, Packets: 2}
		if x.Upload == nil || *x.Upload != want || x.Affected != 2 || x.Marks != 0 {
			t.Errorf("got %+v of %+v", x.Upload, x)
		}
		d, _ := p.Journal.Detail(x.Seq)
		var kept []byte
		for _, pk := range d.Uploaded {
			kept = append(kept, pk.Payload...)
		}
		if string(kept) != "1\tone\n2\ttwo\n" || d.Cut {
			t.Errorf("kept %q, cut %v", kept, d.Cut)
		}
	})
}

func TestFileNameIsEdited(t *testing.T) {
	eachUpload(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy, table string) {
		c := client(t, &s, p.Addr, fileCaps)
		p.Break(`if file == "secret.tsv"`)
		stmt := "load data local infile 'secret.tsv' into table " + table
		c.Send(query(c, stmt))
		h := p.Held(rule.ReadQueryResult)
		if h.File == nil || *h.File != (intercept.FileRequest{Name: "secret.tsv", Named: true}) || h.Kind != mysqlwire.KindLocalInfile || h.Answer != nil {
			t.Fatalf("held %+v", h.Event)
		}
		for _, bad := range []intercept.Verdict{
			{Action: intercept.Drop},
			{Action: intercept.Forward, Packet: []byte("no request")},
			{Action: intercept.Forward, Answer: mysqlwire.OKAnswer(0, 0, 2, 0, "")},
			{Action: intercept.Forward, Queries: []intercept.Query{intercept.QueryText("do 1", intercept.FromPerson)}},
		} {
			if err := p.Gate.Resolve(h.ID, bad); err == nil {
				t.Errorf("%+v was accepted", bad)
			}
		}
		p.Resolve(h, intercept.AskForFile("public.tsv"))
		if got := asked(t, c.Answer(query(c, stmt))); got != "public.tsv" {
			t.Errorf("asked for %q", got)
		}
		c.Upload([]byte("7\tseven\n"))
		if got := c.Text("select b from " + table); got != "seven" {
			t.Errorf("the table has %q", got)
		}
		if x := p.Finished(stmt); x.Upload.File != "secret.tsv" || x.Upload.Given != "public.tsv" || x.Marks&intercept.MarkEdited == 0 {
			t.Errorf("got %+v of %+v", x.Upload, x)
		}
	})
}

// TestFileIsRefused compares with what a server says that may not ask.
func TestFileIsRefused(t *testing.T) {
	eachUpload(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy, table string) {
		c := client(t, &s, p.Addr, fileCaps)
		p.Break(`if file == "secret.tsv"`)
		stmt := "load data local infile 'secret.tsv' into table " + table
		c.Send(query(c, stmt))
		h := p.Held()
		p.Resolve(h, intercept.RefuseFile(h.Event))
		sum, err := c.Answer(query(c, stmt)).Summary(c.Decoder.Context())
		if err != nil || sum.Error == nil || sum.Error.SQLState != "42000" {
			t.Fatalf("got %+v, %v", sum, err)
		}
		// What the server says that may not be asked for files.
		plain := client(t, &s, s.Addr, 0)
		if e := plain.Query(stmt).Error; e == nil || e.Code != sum.Error.Code {
			t.Errorf("refused with %v, the server says %v", sum.Error, e)
		}
		if got := c.Text("select count(*) from " + table); got != "0" {
			t.Errorf("%s rows came", got)
		}
		if x := p.Finished(stmt); x.Upload.Refused != "you" || x.Marks&intercept.MarkCrafted == 0 || x.Error == nil {
			t.Errorf("got %+v of %+v", x.Upload, x)
		}
	})
}

// TestClientRefusesFile: an empty packet at once is what clients send that may not or cannot.
func TestClientRefusesFile(t *testing.T) {
	eachUpload(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy, table string) {
		c := client(t, &s, p.Addr, fileCaps)
		stmt := "load data local infile 'absent.tsv' into table " + table
		asked(t, c.Do(query(c, stmt)))
		if a := c.Upload(); a.Packets[0].Kind != mysqlwire.KindOK {
			t.Errorf("got %s", a.Packets[0].Kind)
		}
		if x := p.Finished(stmt); x.Upload == nil || x.Upload.Packets != 0 || !strings.Contains(x.Upload.Text(), "refused or the file is empty") {
			t.Errorf("got %+v", x.Upload)
		}
	})
}

// uploaded is what later gives of an Upload.
func uploaded(c *intercepttest.Client, packets ...[]byte) (wait func(*testing.T) *mysqlwire.Answer) {
	var a *mysqlwire.Answer
	done := later(func() error { a = c.Upload(packets...); return nil })
	return func(t *testing.T) *mysqlwire.Answer {
		t.Helper()
		_ = done(t) // there is none
		return a
	}
}

func TestSeveralFilesInOneCommand(t *testing.T) {
	for _, held := range []bool{false, true} {
		t.Run(fmt.Sprintf("held=%v", held), func(t *testing.T) {
			eachUpload(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy, table string) {
				c := client(t, &s, p.Addr, fileCaps)
				if held {
					p.Break(`at result if sql contains "load data"`, `if file == "2"`)
				}
				stmt := fmt.Sprintf("load data local infile '1' into table %[1]s; do 1; load data local infile '2' into table %[1]s; select count(*) from %[1]s", table)
				if got := asked(t, c.Do(query(c, stmt))); got != "1" {
					t.Errorf("asked for %q", got)
				}
				release := func(file bool) {
					if !held {
						return
					}
					h := p.Held(rule.ReadQueryResult)
					if (h.File != nil) != file {
						t.Errorf("held with the request %+v", h.File)
					}
					p.Resolve(h, intercept.Verdict{})
				}
				wait := uploaded(c, []byte("1\ta\n"))
				release(true)
				if got := asked(t, wait(t)); got != "2" {
					t.Errorf("then asked for %q", got)
				}
				wait = uploaded(c, []byte("2\tb\n"), []byte("3\tc\n"))
				release(false)
				a := wait(t)
				if sum, err := a.Summary(c.Decoder.Context()); err != nil || sum.Rows != 1 || sum.Error != nil {
					t.Errorf("got %+v, %v", sum, err)
				}
				want := intercept.Upload{File: "2", Files: 2, Ended: true, Bytes: 12, Packets: 3}
				if x := p.Finished(stmt); x.Upload == nil || *x.Upload != want {
					t.Errorf("got %+v", x.Upload)
				}
				if got := c.Text("select count(*) from " + table); got != "3" {
					t.Errorf("%s rows", got)
				}
			})
		})
	}
}

// liveHeap is how much of the heap the last collection found in use.
func liveHeap() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// mostLive runs f and returns by how much the heap in use grew meanwhile, looked at again and again.
func mostLive(f func()) uint64 {
	runtime.GC()
	before, most := liveHeap(), uint64(0)
	done := make(chan struct{})
	go func() { f(); close(done) }()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for over := false; !over; {
		select {
		case <-look.C:
		case <-done:
			over = true
		}
		runtime.GC()
		most = max(most, liveHeap())
	}
	return max(most, before) - before
}

// TestLargeFileTakesLittleMemory uploads 100 MB.
func TestLargeFileTakesLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("moves hundreds of megabytes")
	}
	packet := append([]byte("1\t"), bytes.Repeat([]byte("x"), 250<<10)...)
	packet[len(packet)-1] = '\n'
	packets := make([][]byte, 100<<20/len(packet)+1)
	for i := range packets {
		packets[i] = packet
	}
	eachUpload(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy, table string) {
		c := client(t, &s, p.Addr, fileCaps)
		stmt := "load data local infile 'large' into table " + table + " (a, @rest)"
		asked(t, c.Do(query(c, stmt)))
		var a *mysqlwire.Answer
		grown := mostLive(func() { a = c.Upload(packets...) })
		if a.Packets[0].Kind != mysqlwire.KindOK {
			t.Errorf("got %s %.200q", a.Packets[0].Kind, a.Packets[0].Payload)
		}
		const most = 16 << 20
		if grown > most {
			t.Errorf("%d bytes of memory were in use, at most %d should", grown, most)
		}
		if x := p.Finished(stmt); x.Upload.Bytes != uint64(len(packets)*len(packet)) || x.Affected != uint64(len(packets)) {
			t.Errorf("got %+v, %d rows", x.Upload, x.Affected)
		}
	})
}

// TestServerThatAsksForAnyFile is flagged: the statement names none.
func TestServerThatAsksForAnyFile(t *testing.T) {
	e := intercepttest.NewEnds(t, intercept.Options{}, fileCaps, false)
	defer e.Close()
	if _, err := e.Proxy.Breakpoints.Add("if file_unnamed"); err != nil {
		t.Fatal(err)
	}
	p := intercepttest.Proxied(t, e.Proxy)
	e.Client.Seq, e.Server.Seq = 0, 0
	for _, err := range []error{e.Client.Send([]byte("\x03select @@version_comment limit 1"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Server.Receive(); err != nil {
		t.Fatal(err)
	}
	if err := e.Server.Send([]byte("\xfb/etc/passwd")); err != nil {
		t.Fatal(err)
	}
	h := p.Held()
	if h.File.Named {
		t.Error("the statement is said to name the file")
	}
	found := false
	for _, n := range e.Proxy.Journal.Notices(0, nil) {
		found = found || n.Level == intercept.Warning && strings.Contains(n.Text, `"/etc/passwd", which the statement does not name`)
	}
	if !found {
		t.Error("nobody is warned")
	}
}
