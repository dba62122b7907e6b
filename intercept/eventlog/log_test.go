package eventlog_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"mydbg/intercept"
	"mydbg/intercept/eventlog"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/sessions/demo"
)

func embedded(t testing.TB) intercepttest.Server {
	t.Helper()
	s, err := demo.Start(context.Background(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return intercepttest.Server{Name: "embedded", Addr: s.Addr(), User: "app", Password: "app-pw", Database: "shop"}
}

// each runs a test against every server with a proxy in front and one connection to it.
func each(t *testing.T, o intercept.Options, test func(t *testing.T, p *intercepttest.Proxy, c *sql.Conn)) {
	for _, s := range intercepttest.Servers(t, embedded) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, o, s.Addr)
			db, err := sql.Open("mysql", s.DSN(p.Addr))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			c, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			test(t, p, c)
		})
	}
}

func one(t *testing.T, c *sql.Conn, query string, args ...any) {
	t.Helper()
	var v any
	if err := c.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// written runs a log over all that the journal has, and no longer.
func written(t *testing.T, p *intercepttest.Proxy, o eventlog.Options) (string, *eventlog.Log) {
	t.Helper()
	var out bytes.Buffer
	o.Out = &out
	l := eventlog.New(p.Proxy, o)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ended); err != nil {
		t.Fatal(err)
	}
	return out.String(), l
}

// objects reads JSON lines, strictly.
func objects(t *testing.T, lines string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(lines) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, o)
	}
	return list
}

func find(t *testing.T, list []map[string]any, key string, want any) map[string]any {
	t.Helper()
	for _, o := range list {
		if o[key] == want {
			return o
		}
	}
	t.Fatalf("no line has %s %v in %v", key, want, list)
	return nil
}

func TestJSONLinesSayWhatIsKnownAndNothingElse(t *testing.T) {
	each(t, intercept.Options{}, func(t *testing.T, p *intercepttest.Proxy, c *sql.Conn) {
		one(t, c, "select 'a' from (select 1 as x) as t")
		p.Finished("select 'a' from (select 1 as x) as t")
		if _, err := c.ExecContext(t.Context(), "drop table no_such_table"); err == nil {
			t.Fatal("the server dropped a table that is not there")
		}
		p.Finished("drop table no_such_table")

		text, l := written(t, p, eventlog.Options{JSON: true})
		list := objects(t, text)
		got := find(t, list, "cmd", "query")
		at, ok := got["time"].(string)
		if _, err := time.Parse("2006-01-02T15:04:05.000000Z07:00", at); !ok || err != nil {
			t.Errorf("time %v: %v", got["time"], err)
		}
		for _, k := range []string{"time", "ms", "bytes_in", "bytes_out", "client", "backend", "user", "db", "digest", "exchange"} {
			if got[k] == nil {
				t.Errorf("%s is missing from %v", k, got)
			}
			delete(got, k)
		}
		want := map[string]any{
			"conn": 1.0, "hook": "read_query_result", "cmd": "query", "sql": "select 'a' from (select 1 as x) as t", "verb": "SELECT",
			"rows": 1.0, "warnings": 0.0, "action": "forward",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("want -, got +\n%s", d)
		}
		failed := find(t, list, "verb", "DROP")
		if e, ok := failed["error"].(map[string]any); !ok || e["code"] == 0.0 || e["message"] == "" {
			t.Errorf("got %v, want an error", failed)
		}
		if _, ok := failed["affected"]; ok {
			t.Errorf("got %v, want no count of rows beside an error", failed)
		}
		if n := l.Totals().Written; n != 2 || len(list) != 2 {
			t.Errorf("wrote %d exchanges in %d lines, want 2", n, len(list))
		}
	})
}

func TestParametersKeepTheirTypes(t *testing.T) {
	each(t, intercept.Options{}, func(t *testing.T, p *intercepttest.Proxy, c *sql.Conn) {
		const query = "select concat(?, ?, coalesce(?, 'x'), length(?))"
		one(t, c, query, int64(-7), "SKU-77", nil, []byte{0xff, 0x00})
		p.Until("the execute is over", func() bool {
			x, _ := p.Journal.Since(0, nil)
			for i := range x {
				if x[i].Command.Short() == "execute" && x[i].State == intercept.Done {
					return true
				}
			}
			return false
		})
		text, _ := written(t, p, eventlog.Options{JSON: true})
		got := find(t, objects(t, text), "cmd", "execute")
		params, ok := got["params"].([]any)
		if !ok || len(params) != 4 || got["sql"] != query {
			t.Fatalf("got %v", got)
		}
		var values []any
		for _, p := range params {
			p := p.(map[string]any)
			if p["type"] == "" {
				t.Errorf("a parameter without type: %v", p)
			}
			if p["null"] == true {
				values = append(values, "NULL")
				continue
			}
			values = append(values, p["value"])
		}
		want := []any{-7.0, "SKU-77", "NULL", map[string]any{"base64": "/wA="}}
		if d := cmp.Diff(want, values); d != "" {
			t.Errorf("want -, got +\n%s", d)
		}
		line, _ := written(t, p, eventlog.Options{})
		if !strings.Contains(line, "select concat(-7, 'SKU-77', coalesce(NULL, 'x'), length(0xff00))") {
			t.Errorf("the text has not the values:\n%s", line)
		}
	})
}

func TestWhatFellOutOfTheRingIsCounted(t *testing.T) {
	each(t, intercept.Options{JournalSize: 4}, func(t *testing.T, p *intercepttest.Proxy, c *sql.Conn) {
		for range 10 {
			one(t, c, "select 1")
		}
		p.Until("all are over", func() bool {
			x, _ := p.Journal.Since(0, nil)
			return len(x) == 4 && x[3].State == intercept.Done && x[3].Seq >= 10
		})
		gone := p.Journal.Gone()
		text, l := written(t, p, eventlog.Options{})
		if got := l.Totals(); got.Written != 4 || got.Lost != gone || gone == 0 {
			t.Errorf("got %+v, want 4 written and %d lost", got, gone)
		}
		if !strings.Contains(text, "exchanges were lost") {
			t.Errorf("nothing is said of the loss:\n%s", text)
		}
	})
}

// watched is a writer that wakes who waits for a text in it.
type watched struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
	return w.text.Write(b)
}

func (w *watched) wait(t *testing.T, want string) {
	t.Helper()
	late := time.After(intercepttest.Patience)
	for {
		w.mu.Lock()
		text := w.text.String()
		w.mu.Unlock()
		if strings.Contains(text, want) {
			return
		}
		select {
		case <-w.more:
		case <-late:
			t.Fatalf("%q was not written:\n%s", want, text)
		}
	}
}

// A held exchange is in the way of the count of those written; later changes must not write it again.
func TestLiveExchangesAreWrittenOnce(t *testing.T) {
	each(t, intercept.Options{}, func(t *testing.T, p *intercepttest.Proxy, c *sql.Conn) {
		out := &watched{more: make(chan struct{}, 1)}
		l := eventlog.New(p.Proxy, eventlog.Options{Out: out, JSON: true})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		p.Break(`hold if sql contains "held"`)
		answered := make(chan error, 1)
		go func() { answered <- c.QueryRowContext(ctx, "select 'held'").Scan(new(string)) }()
		h := p.Held()
		p.Resolve(h, intercept.Verdict{})
		if err := <-answered; err != nil {
			t.Fatal(err)
		}
		out.wait(t, `"sql":"select 'held'"`)
		for i := range 100 {
			p.Journal.Mark(h.Exchange, intercept.MarkMarked, i%2 == 0)
			q := fmt.Sprintf("select %d", i)
			one(t, c, q)
			p.Finished(q)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.text.String(), `"sql":"select 'held'"`); n != 1 {
			t.Errorf("the held exchange was written %d times", n)
		}
		if got := l.Totals(); got.Lost != 0 || got.Written != 101 {
			t.Errorf("got %+v, want 101 written and none lost", got)
		}
		held := find(t, objects(t, out.text.String()), "sql", "select 'held'")
		if held["by"] != "breakpoint hold" || held["held_ms"] == nil || held["action"] != "forward" {
			t.Errorf("got %v", held)
		}
	})
}

func TestFilterAndFailIf(t *testing.T) {
	compile := func(src string) *rule.Expr {
		e, err := rule.Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	each(t, intercept.Options{}, func(t *testing.T, p *intercepttest.Proxy, c *sql.Conn) {
		for _, q := range []string{"select 1", "select 22", "select 333"} {
			one(t, c, q)
			p.Finished(q)
		}
		text, l := written(t, p, eventlog.Options{Filter: compile(`sql contains "22"`), FailIf: compile(`rows > 0 and sql contains "333"`)})
		if !strings.Contains(text, "select 22") || strings.Contains(text, "select 1\n") || strings.Contains(text, "OK  select 333") {
			t.Errorf("the filter let through:\n%s", text)
		}
		if got := l.Failed(); got == nil || got.SQL != "select 333" || l.Totals().Failing != 1 {
			t.Fatalf("failed at %+v, %+v", got, l.Totals())
		}
		if !strings.Contains(text, "fails: rows > 0") {
			t.Errorf("nothing is said of the failure:\n%s", text)
		}
	})
}

func TestItEndsWhenTheReaderLeaves(t *testing.T) {
	p := intercepttest.NewProxy(t, intercept.Options{}, "127.0.0.1:1")
	r, w := io.Pipe()
	l := eventlog.New(p.Proxy, eventlog.Options{Out: w})
	ended := make(chan error, 1)
	go func() { ended <- l.Run(t.Context()) }()
	p.Journal.Note(intercept.Info, 0, 0, "hello")
	if line, err := bufio.NewReader(r).ReadString('\n'); err != nil || !strings.HasSuffix(line, "info  hello\n") {
		t.Fatalf("read %q, %v", line, err)
	}
	_ = r.Close()
	p.Journal.Note(intercept.Info, 0, 0, "anybody?")
	select {
	case err := <-ended:
		if !errors.Is(err, eventlog.ErrReaderLeft) {
			t.Errorf("got %v", err)
		}
	case <-time.After(intercepttest.Patience):
		t.Fatal("it writes on")
	}
}

// full is a disk that has no room for a while.
type full struct {
	failures int
	strings.Builder
}

func (f *full) Write(b []byte) (int, error) {
	if f.failures > 0 {
		f.failures--
		return 0, errors.New("no space left on device")
	}
	return f.Builder.Write(b)
}

func TestAFullDiskLosesLinesOnly(t *testing.T) {
	p := intercepttest.NewProxy(t, intercept.Options{}, "127.0.0.1:1")
	disk := &full{failures: 1}
	var trouble []error
	l := eventlog.New(p.Proxy, eventlog.Options{Out: disk, Trouble: func(err error) { trouble = append(trouble, err) }})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, text := range []string{"first", "second"} {
		p.Journal.Note(intercept.Info, 0, 0, "%s", text)
		if err := l.Run(ended); err != nil {
			t.Fatal(err)
		}
	}
	if got := disk.String(); len(trouble) != 1 || strings.Contains(got, "first") || !strings.Contains(got, "second") {
		t.Errorf("wrote %q, told %v", got, trouble)
	}
}

// TestFailedLogin is explained in both forms, with what programs may rely on.
func TestFailedLogin(t *testing.T) {
	for _, s := range intercepttest.Servers(t, embedded) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
			if _, err := intercepttest.TryDial(t, "tcp", p.Addr, s.User, "wrong", "", 0); err == nil {
				t.Fatal("it got in")
			}
			p.Until("it is explained", func() bool { return len(p.Journal.Notices(0, nil)) > 0 })
			lines, _ := written(t, p, eventlog.Options{})
			for _, want := range []string{"warning", "connection 1: login of " + s.User + " failed: ", "the password is wrong, or there is no such account", "What to change: "} {
				if !strings.Contains(lines, want) {
					t.Errorf("got %s, want %q", lines, want)
				}
			}
			lines, _ = written(t, p, eventlog.Options{JSON: true})
			o := objects(t, lines)[0]
			login, ok := o["login"].(map[string]any)
			if !ok || login["cause"] != "access_denied" || login["step"] != "authentication" || o["hook"] != "read_auth_result" || o["user"] != s.User {
				t.Fatalf("got %s", lines)
			}
			client, server := login["client"].(map[string]any), login["server"].(map[string]any)
			if client["user"] != s.User || client["tls"] == nil || client["plugin"] == nil || server["address"] != s.Addr || server["plugin"] == nil {
				t.Errorf("the facts are %v and %v", client, server)
			}
			if e, ok := o["error"].(map[string]any); !ok || e["code"] != 1045.0 {
				t.Errorf("the error is %v", o["error"])
			}
			if login["steps"] == nil || login["hints"] == nil {
				t.Errorf("got %s", lines)
			}
		})
	}
}
