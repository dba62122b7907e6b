package sessions

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// recorded runs traffic through a proxy that records, and opens the recording.
func record(t *testing.T, server *intercepttest.Server, o RecordOptions, traffic func(p *intercepttest.Proxy)) (*Reader, []intercept.Exchange, string) {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "session.pcapng")
	}
	o.Trouble = func(err error) { t.Errorf("trouble: %v", err) }
	rec, err := NewRecorder(o)
	if err != nil {
		t.Fatal(err)
	}
	p := intercepttest.NewProxy(t, intercept.Options{Tap: rec}, server.Addr)
	traffic(p)
	p.Until("all connections are closed", func() bool {
		return !slices.ContainsFunc(p.Conns(), func(c intercept.ConnInfo) bool { return c.Phase != intercept.Closed })
	})
	live, _ := p.Journal.Since(0, nil)
	slices.SortFunc(live, func(a, b intercept.Exchange) int { return int(a.Seq) - int(b.Seq) })
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(o.Path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, live, o.Path
}

// everything sends what a recording has to cope with.
func everything(t *testing.T, server *intercepttest.Server, addr, parameters string) {
	t.Helper()
	db, err := sql.Open("mysql", server.DSN(addr)+"?"+parameters)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	c, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	do := func(q string, args ...any) {
		if _, err := c.ExecContext(ctx, q, args...); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	do("CREATE TEMPORARY TABLE rec_t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(200), n INT)")
	do("INSERT INTO rec_t (v, n) VALUES ('a', 1), ('b', 2)")
	do("INSERT INTO rec_t (v, n) VALUES (?, ?)", "it's", 3)
	st, err := c.PrepareContext(ctx, "SELECT id, v, n FROM rec_t WHERE n > ? ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		rows, err := st.QueryContext(ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
		}
		rows.Close()
	}
	st.Close()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("UPDATE rec_t SET n = n + 10"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ExecContext(ctx, "SELECT nope FROM rec_t"); err == nil {
		t.Fatal("no error")
	}
	do("INSERT INTO rec_t (v, n) VALUES ('" + strings.Repeat("x", 190) + "', 9)")
	do("SET @big = REPEAT('y', 100000)")
	var big string
	if err := c.QueryRowContext(ctx, "SELECT @big").Scan(&big); err != nil || len(big) != 100_000 {
		t.Fatal(err, len(big))
	}
	rows, err := c.QueryContext(ctx, "SELECT a.id, b.v FROM rec_t a, (SELECT 1 v UNION SELECT 2 UNION SELECT 3) b")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	rows.Close()
	if err := c.PingContext(ctx); err != nil {
		t.Fatal(err)
	}
}

// essence is what a recording must say of an exchange as the live journal did.
type essence struct {
	Conn    intercept.ConnID
	Command string
	SQL     string
	SQLLen  int
	State   intercept.State
	InTx    bool
	StmtID  uint32
	Counts  intercept.Counts
	Error   string
}

func essenceOf(x *intercept.Exchange) essence {
	e := essence{x.Conn, x.Command.String(), x.SQL, x.SQLLen, x.State, x.InTx, x.StmtID, x.Counts, ""}
	if x.Error != nil {
		e.Error = x.Error.Error()
	}
	e.Counts.Error = nil
	return e
}

func TestRecordingSaysWhatTheJournalSaid(t *testing.T) {
	for _, server := range intercepttest.Servers(t, nil) {
		for _, parameters := range []string{"tls=false", "tls=skip-verify", "tls=false&compress=true", "tls=false&interpolateParams=true"} {
			t.Run(server.Name+" "+parameters, func(t *testing.T) {
				if server.Name == "mysql56" && parameters == "tls=skip-verify" {
					t.Skip("its TLS is too old")
				}
				r, live, path := record(t, &server, RecordOptions{}, func(p *intercepttest.Proxy) {
					everything(t, &server, p.Addr, parameters)
				})
				var got, want []essence
				for x, err := range r.Exchanges(0) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, essenceOf(&x.Exchange))
				}
				for i := range live {
					want = append(want, essenceOf(&live[i]))
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("live and recorded differ:\n%s", d)
				}
				if notes := r.Notes(); len(notes) > 0 && notes[len(notes)-1].Level > intercept.Info {
					t.Error(notes)
				}
				checkRecords(t, r)
				checkTshark(t, r, path, server.Addr)
			})
		}
	}
}

// checkRecords decodes everything.
func checkRecords(t *testing.T, r *Reader) {
	t.Helper()
	executes := 0
	for rec, err := range r.Records(0) {
		if err != nil {
			t.Fatal(err)
		}
		m, err := rec.Message()
		if err != nil {
			t.Errorf("#%d: %v", rec.Seq, err)
		}
		if x, ok := m.(*mysqlwire.StmtExecute); ok {
			executes++
			if x.Undecoded != nil || rec.Statement == "" {
				t.Errorf("#%d: parameters are not decoded: %+v of %q", rec.Seq, x, rec.Statement)
			}
		}
		results, err := rec.Results()
		if err != nil {
			t.Errorf("#%d: %v", rec.Seq, err)
		}
		n := 0
		for i := range results {
			for j := range results[i].Rows.Len() {
				if _, err := results[i].Rows.Row(j); err != nil {
					t.Errorf("#%d row %d: %v", rec.Seq, j, err)
				}
				n++
			}
		}
		if uint64(n) != rec.Rows {
			t.Errorf("#%d: got %d rows, want %d", rec.Seq, n, rec.Rows)
		}
		if rec.Sent != nil || rec.Delivered != nil {
			t.Errorf("#%d: was relayed, but differs between the legs", rec.Seq)
		}
	}
	_ = executes
}

// checkTshark has tshark find every query, on both legs.
func checkTshark(t *testing.T, r *Reader, path, server string) {
	t.Helper()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Log("no tshark")
		return
	}
	args := []string{"-r", path, "-Y", "mysql.query", "-T", "fields", "-e", "frame.interface_name", "-e", "mysql.query"}
	ports := map[string]bool{}
	for _, c := range r.Conns() {
		for _, addr := range []string{c.Listen, server} {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				t.Fatal(err)
			}
			ports[port] = true
		}
	}
	for port := range ports {
		args = append(args, "-d", "tcp.port=="+port+",mysql")
	}
	out, err := exec.Command(tshark, args...).Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	for _, leg := range []string{"client", "server"} {
		var got, want []string
		for line := range strings.Lines(string(out)) {
			if name, q, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t"); name == leg {
				got = append(got, q)
			}
		}
		for rec, err := range r.Records(0) {
			if err != nil {
				t.Fatal(err)
			}
			if k := rec.Received.Kind; k == mysqlwire.KindQuery || k == mysqlwire.KindStmtPrepare {
				want = append(want, rec.Statement)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("tshark's queries of the %s's leg differ:\n%s", leg, d)
		}
	}
	for _, tool := range [][]string{{"capinfos", path}, {"editcap", path, path + ".copy"}} {
		if out, err := exec.Command(tool[0], tool[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", tool[0], err, out)
		}
	}
	copied, err := Open(path+".copy", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if got, want := fmt.Sprint(copied.Len(), copied.Recording()), fmt.Sprint(r.Len(), r.Recording()); got != want {
		t.Errorf("editcap's copy: got %s, want %s", got, want)
	}
}
