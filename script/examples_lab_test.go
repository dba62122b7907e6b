package script

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
)

// eachExample runs a test of an example against every server. With two the server is behind two
// addresses, the second one for reading.
func eachExample(t *testing.T, name string, two bool, test func(t *testing.T, b *labBench)) {
	src, err := os.ReadFile(filepath.Join("examples", name))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			o := intercept.Options{Backends: []intercept.Backend{{Address: s.Addr}}}
			if two {
				o.Backends = append(o.Backends, intercept.Backend{Address: strings.Replace(s.Addr, "127.0.0.1", "localhost", 1), ReadOnly: true})
			}
			p := intercepttest.NewProxy(t, o, "")
			b := &labBench{loadWith(t, string(src), Options{Servers: p, Deadline: 2 * time.Second}), p, s}
			p.SetHooks(b.e)
			test(t, b)
		})
	}
}

// said waits until the script has said a line that holds each text.
func (b *labBench) said(texts ...string) {
	b.t.Helper()
	var all []string
	b.p.Until("the script says "+strings.Join(texts, ", "), func() bool {
		all = append(all, b.output()...)
		for _, text := range texts {
			if !slices.ContainsFunc(all, func(line string) bool { return strings.Contains(line, text) }) {
				return false
			}
		}
		return true
	})
}

func TestLabExampleRewrite(t *testing.T) {
	eachExample(t, "rewrite.lua", false, func(t *testing.T, b *labBench) {
		c := b.open("")
		const many = "select 1 from information_schema.collations a, information_schema.collations b"
		if got := len(b.column(c, many+" ;")); got != 1000 {
			t.Errorf("got %d rows, want 1000", got)
		}
		if got := len(b.column(c, many+" limit 1001")); got != 1001 {
			t.Errorf("with a limit of its own: got %d rows, want 1001", got)
		}
		want(t, b.column(c, "select 'from here'"), "from here")
		if _, err := c.ExecContext(t.Context(), "select x from no_such_table"); err == nil {
			t.Error("got no error")
		}
	})
}

func TestLabExampleTiming(t *testing.T) {
	eachExample(t, "timing.lua", false, func(t *testing.T, b *labBench) {
		c := b.open("")
		if _, err := c.ExecContext(t.Context(), "create temporary table timed (a int)"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ExecContext(t.Context(), "insert into timed values (1), (2), (3)"); err != nil {
			t.Fatal(err)
		}
		want(t, b.column(c, "select a from timed order by a"), "1", "2", "3")
		b.said("3 rows after ", ": select a from timed", "Handler_read_rnd_next +")
	})
}

func TestLabExampleFilter(t *testing.T) {
	eachExample(t, "filter.lua", false, func(t *testing.T, b *labBench) {
		c := b.open("")
		_, err := c.ExecContext(t.Context(), "drop table no_such_table")
		var refused *mysql.MySQLError
		if !errors.As(err, &refused) || refused.Number != 1142 || refused.Message != "DROP is refused" {
			t.Errorf("got %v", err)
		}
		want(t, b.column(c, "select 1"), "1")
		b.said(b.s.User + ": drop table no_such_table")
	})
}

func TestLabExampleAudit(t *testing.T) {
	eachExample(t, "audit.lua", false, func(t *testing.T, b *labBench) {
		c := b.open("")
		want(t, b.column(c, "select 'secret'"), "secret")
		if _, err := c.ExecContext(t.Context(), "select x from no_such_table"); err == nil {
			t.Error("got no error")
		}
		b.said(b.s.User+" from 127.0.0.1 logged in", ": SELECT ? ", ": that failed")
		_ = c.Close()
		b.closeAll()
		b.said("left after 2 statements, 1 of them failed")
	})
}

func TestLabExamplePrepared(t *testing.T) {
	eachExample(t, "prepared.lua", false, func(t *testing.T, b *labBench) {
		c := b.open("")
		want(t, b.column(c, "select concat(?, ?)", "it's ", int64(7)), "it's 7")
		b.said("select concat('it''s ', 7)")
	})
}

func TestLabExampleStatistics(t *testing.T) {
	eachExample(t, "statistics.lua", false, func(t *testing.T, b *labBench) {
		c := b.open("")
		for range 3 {
			want(t, b.column(c, "select 41 + 1"), "42")
		}
		if got := b.column(c, "show proxy statistics"); !slices.Contains(got, "SELECT ? + ? ") {
			t.Errorf("got %q", got)
		}
	})
}

func TestLabExampleRouting(t *testing.T) {
	eachExample(t, "routing.lua", true, func(t *testing.T, b *labBench) {
		c := b.open("")
		want(t, b.column(c, "select 1"), "1")
		if got := b.p.Conns()[0].BackendIndex; got != 2 {
			t.Errorf("got server %d, want 2", got)
		}
		b.said(" goes to ")
	})
}

func TestLabExampleBalance(t *testing.T) {
	eachExample(t, "balance.lua", true, func(t *testing.T, b *labBench) {
		for range 4 {
			want(t, b.column(b.open(""), "select 1"), "1")
		}
		count := map[int]int{}
		for _, c := range b.p.Conns() {
			count[c.BackendIndex]++
		}
		if count[1] != 2 || count[2] != 2 {
			t.Errorf("got %v, want two on each server", count)
		}
	})
}

func TestLabExampleReadWriteSplitting(t *testing.T) {
	eachExample(t, "rwsplit.lua", true, func(t *testing.T, b *labBench) {
		idle := func(rw, ro int) {
			t.Helper()
			b.p.Until("connections are idle", func() bool {
				list := b.p.Backends()
				return len(list[0].Idle) == rw && len(list[1].Idle) == ro
			})
		}
		const plain = "?allowNativePasswords=true"
		one := b.open(plain)
		idle(1, 0)
		want(t, b.column(one, "select 1"), "1")
		b.said("server 1: select 1") // there is none for reading yet
		two := b.open(plain)
		idle(1, 1)
		want(t, b.column(one, "select 2"), "2")
		b.said("server 2: select 2")
		idle(1, 1)
		want(t, b.column(two, "select database()"), b.s.Database)
		for _, sql := range []string{"set @a = 1", "begin"} {
			if _, err := two.ExecContext(context.Background(), sql); err != nil {
				t.Fatal(err)
			}
		}
		b.said("server 1: set @a = 1", "server 1: begin")
		idle(0, 1)
		want(t, b.column(two, "select 3"), "3") // in the transaction
		want(t, b.column(one, "select 4"), "4")
		b.said("server 2: select 4")
		if _, err := one.ExecContext(t.Context(), "set @a = 2"); err == nil || !strings.Contains(err.Error(), "no server connection is idle") {
			t.Errorf("while the server for writing is taken: got %v", err)
		}
		if _, err := two.ExecContext(t.Context(), "rollback"); err != nil {
			t.Fatal(err)
		}
		idle(1, 1)
	})
}
