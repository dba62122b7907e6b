package export_test

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/sessions"
	"mydbg/sessions/export"
	"mydbg/sessions/redact"
	"mydbg/sessions/sessionstest"
)

// traffic is what is exported: all kinds of statements, one that fails, values that need care.
func traffic(t *testing.T, s *intercepttest.Server, addr, table string) {
	c, end := sessionstest.Open(t, s, addr, "")
	defer end()
	sessionstest.Rows(t, c, "SELECT id, name, email FROM "+table+" ORDER BY id")
	sessionstest.Exec(t, c, "INSERT INTO "+table+" (name, email, score) VALUES (?, ?, ?)", "it's; -- a \"test\"\n", "carol@example.com", 7.25)
	sessionstest.Rows(t, c, "SELECT name FROM "+table+" WHERE email = 'alice@example.com' -- a comment")
	if _, err := c.ExecContext(t.Context(), "INSERT INTO "+table+" (email) VALUES ('bob@example.com')"); err == nil {
		t.Error("no error")
	}
	sessionstest.Exec(t, c, "UPDATE "+table+" SET score = 99 WHERE name = ?", "Bob")
}

func each(t *testing.T, test func(t *testing.T, s *intercepttest.Server, table string, r *sessions.Reader)) {
	for _, s := range sessionstest.Servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			table := sessionstest.Shop(t, &s)
			r := sessionstest.Record(t, &s, func(p *intercepttest.Proxy) { traffic(t, &s, p.Addr, table) })
			test(t, &s, table, r)
		})
	}
}

func write(t *testing.T, format string, r *sessions.Reader, o export.Options) string {
	t.Helper()
	var b bytes.Buffer
	totals, err := export.Write(format, r, &b, o)
	if err != nil {
		t.Fatal(err)
	}
	if totals.Problems > 0 || totals.Written+totals.Left != r.Len() {
		t.Errorf("got %+v of %d", totals, r.Len())
	}
	return b.String()
}

// TestSQLRunsInTheClient runs what was recorded again, on fresh data, and compares the tables.
func TestSQLRunsInTheClient(t *testing.T) {
	each(t, func(t *testing.T, s *intercepttest.Server, table string, r *sessions.Reader) {
		c, end := sessionstest.Open(t, s, "", "")
		defer end()
		want := sessionstest.Rows(t, c, "SELECT name, email, score FROM "+table+" ORDER BY id")
		script := write(t, "sql", r, export.Options{})
		if !strings.Contains(script, "-- error 1062 when it was recorded") {
			t.Errorf("what failed is no comment:\n%s", script)
		}
		sessionstest.Exec(t, c, "DELETE FROM "+table+" WHERE id > 3")
		sessionstest.Exec(t, c, "UPDATE "+table+" SET score = -3 WHERE id = 2")
		program, err := exec.LookPath(filepath.Join(os.Getenv("LAB_BIN"), "mariadb"))
		if err != nil {
			if program, err = exec.LookPath("mariadb"); err != nil {
				t.Skip("no client program: install mariadb-client")
			}
		}
		host, port, err := net.SplitHostPort(s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "--no-defaults", "--skip-ssl", "--default-character-set=utf8mb4", "-h", host, "-P", port, "-u", s.User)
		cmd.Env = append(os.Environ(), "MYSQL_PWD="+s.Password)
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s\n%s", err, out, script)
		}
		if got := sessionstest.Rows(t, c, "SELECT name, email, score FROM "+table+" ORDER BY id"); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q\n%s", got, want, script)
		}
	})
}

func TestLines(t *testing.T) {
	each(t, func(t *testing.T, _ *intercepttest.Server, table string, r *sessions.Reader) {
		for line := range strings.Lines(write(t, "jsonl", r, export.Options{})) {
			var o map[string]any
			if err := json.Unmarshal([]byte(line), &o); err != nil || o["exchange"] == nil || o["time"] == nil {
				t.Errorf("%v in %s", err, line)
			}
		}
		if text := write(t, "text", r, export.Options{}); strings.Count(text, "\n") != r.Len() || !strings.Contains(text, "ERR 1062") {
			t.Errorf("got %s", text)
		}
		only, err := rule.Compile(`verb == "UPDATE" and affected == 1`)
		if err != nil {
			t.Fatal(err)
		}
		table2, err := csv.NewReader(strings.NewReader(write(t, "csv", r, export.Options{Filter: only}))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		// Drivers prepare and execute what has parameters; preparing affects nothing.
		if len(table2) != 2 || !slices.Contains(table2[1], "'Bob'") || !strings.Contains(strings.Join(table2[1], " "), "UPDATE "+table) {
			t.Errorf("got %q", table2)
		}
	})
}

func TestSQLite(t *testing.T) {
	each(t, func(t *testing.T, s *intercepttest.Server, table string, r *sessions.Reader) {
		path := filepath.Join(t.TempDir(), "an odd name?#%.db")
		if _, err := export.To("sqlite", r, path, export.Options{Rows: true}); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, q := range []struct{ query, want string }{
			{"SELECT count(*) FROM exchanges", fmt.Sprint(r.Len())},
			{"SELECT user FROM connections", s.User},
			{"SELECT group_concat(value, '|') FROM (SELECT value FROM params WHERE position = 0 ORDER BY exchange)", "it's; -- a \"test\"\n|Bob"},
			{"SELECT affected FROM exchanges WHERE verb = 'UPDATE' AND command = 'execute'", "1"},
			{"SELECT error_code FROM exchanges WHERE error_code IS NOT NULL", "1062"},
			{"SELECT value FROM rows JOIN exchanges e ON e.id = exchange WHERE name = 'name' AND row = 2 AND statement LIKE '%ORDER BY id'", "Zoë"},
			{"SELECT count(*) FROM rows WHERE value IS NULL", "1"},
			{"SELECT julianday(time) > 2460000 FROM exchanges LIMIT 1", "1"},
			{"SELECT count(DISTINCT digest) > 3 FROM exchanges WHERE tables = '" + table + "'", "1"},
		} {
			var got string
			if err := db.QueryRow(q.query).Scan(&got); err != nil || got != q.want {
				t.Errorf("%s: got %q, %v, want %q", q.query, got, err, q.want)
			}
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file has mode %v", info.Mode())
		}
		if _, err := export.To("sqlite", r, path, export.Options{}); err == nil || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("overwriting: got %v", err)
		}
	})
}

// TestSlowLogIsReadByPtQueryDigest counts with the tool that people count with.
func TestSlowLogIsReadByPtQueryDigest(t *testing.T) {
	program, err := exec.LookPath("pt-query-digest")
	if err != nil {
		t.Skip("pt-query-digest is not installed: install percona-toolkit")
	}
	each(t, func(t *testing.T, _ *intercepttest.Server, _ string, r *sessions.Reader) {
		path := filepath.Join(t.TempDir(), "slow.log")
		if _, err := export.To("slowlog", r, path, export.Options{}); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "--no-version-check", "--output", "json", "--limit", "100%", path)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		var bad bytes.Buffer
		cmd.Stderr = &bad
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, bad.String())
		}
		var digest struct {
			Classes []struct {
				Fingerprint string `json:"fingerprint"`
				Count       int    `json:"query_count"`
			}
		}
		if err := json.Unmarshal(out, &digest); err != nil {
			t.Fatalf("%v: %.200s", err, out)
		}
		name := regexp.MustCompile(`s_test\w+\??`) // with some of its digits replaced
		counts := map[string]int{}
		for _, c := range digest.Classes {
			counts[name.ReplaceAllString(c.Fingerprint, "T")] += c.Count
		}
		want := map[string]int{
			"administrator command: Prepare": 2, "select id, name, email from T order by id": 1, "insert into T (name, email, score) values(?+)": 1,
			"select name from T where email = ? ": 1, "insert into T (email) values(?+)": 1, "update T set score = ? where name = ?": 1,
		}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestRedacted looks for what must not be found, in every format.
func TestRedacted(t *testing.T) {
	each(t, func(t *testing.T, s *intercepttest.Server, _ string, r *sessions.Reader) {
		rules, err := redact.Compile(`column == "email"`, []byte("key"))
		if err != nil {
			t.Fatal(err)
		}
		mask := rules.Mask("alice@example.com")
		for _, f := range export.Formats {
			path := filepath.Join(t.TempDir(), "out")
			totals, err := export.To(f.Name, r, path, export.Options{Redact: rules, Rows: true})
			if err != nil || totals.Problems > 0 {
				t.Fatalf("%s: %v, %+v", f.Name, err, totals)
			}
			out, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"alice@example.com", "bob@example.com", "carol@example.com", "example.com"} {
				if i := bytes.Index(out, []byte(secret)); i >= 0 {
					t.Errorf("%s has %s: …%.100q", f.Name, secret, out[max(i-50, 0):])
				}
			}
			if !bytes.Contains(out, []byte(mask)) {
				t.Errorf("%s has no mask of alice", f.Name)
			}
			if !bytes.Contains(out, []byte("Bob")) {
				t.Errorf("%s has lost what is not masked", f.Name)
			}
		}
	})
}

// TestPcapngIsACopy opens what was written and compares it with the original.
func TestPcapngIsACopy(t *testing.T) {
	each(t, func(t *testing.T, _ *intercepttest.Server, _ string, r *sessions.Reader) {
		path := filepath.Join(t.TempDir(), "copy.pcapng")
		if _, err := export.To("pcapng", r, path, export.Options{}); err != nil {
			t.Fatal(err)
		}
		if was, is := write(t, "csv", r, export.Options{}), csvOf(t, path); was != is {
			t.Error(cmp.Diff(strings.Split(was, "\n"), strings.Split(is, "\n")))
		}
		only, err := rule.Compile(`verb == "UPDATE"`)
		if err != nil {
			t.Fatal(err)
		}
		path = filepath.Join(t.TempDir(), "filtered.pcapng")
		if _, err := export.To("pcapng", r, path, export.Options{Filter: only}); err != nil {
			t.Fatal(err)
		}
		if got := csvOf(t, path); !strings.Contains(got, "'Bob'") || strings.Contains(got, "carol") || strings.Contains(got, "alice") {
			t.Errorf("filtered: got %s", got)
		}
		program, err := exec.LookPath("tshark")
		if err != nil {
			t.Skip("tshark is not installed: install tshark")
		}
		conns := r.Conns()
		_, port, err := net.SplitHostPort(conns[0].Listen)
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(program, "-r", path, "-d", "tcp.port=="+port+",mysql", "-Y", "mysql.query", "-T", "fields", "-e", "mysql.query").Output()
		if err != nil || !strings.Contains(string(out), "UPDATE") {
			t.Errorf("tshark says %q, %v", out, err)
		}
	})
}

// csvOf is a file as a table, without the addresses, which a copy has of another leg.
func csvOf(t *testing.T, path string) string {
	t.Helper()
	r, err := sessions.Open(path, sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return write(t, "csv", r, export.Options{})
}

func TestUnknownFormat(t *testing.T) {
	if _, err := export.To("xml", nil, "", export.Options{}); err == nil || !strings.Contains(err.Error(), "jsonl") {
		t.Errorf("got %v", err)
	}
}
