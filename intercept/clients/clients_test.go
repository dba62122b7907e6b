package clients

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/compress"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// limit is how long one program may take for all statements on a machine that has other things to do.
const limit = 5 * time.Minute

// task is one run of a program.
type task struct {
	server         *intercepttest.Server
	addr, db       string
	upload         string // file
	tls, pack, big bool
}

// env is the task as programs are told of it.
func (k *task) env() []string {
	host, port, _ := net.SplitHostPort(k.addr)
	env := []string{
		"HOST=" + host, "PORT=" + port, "DBUSER=" + k.server.User, "PASSWORD=" + k.server.Password, "DB=" + k.db,
		"STATEMENTS=" + filepath.Join("testdata", "statements.txt"), "UPLOAD=" + k.upload, "LC_ALL=C.UTF-8",
	}
	for name, set := range map[string]bool{"TLS": k.tls, "COMPRESS": k.pack, "BIG": k.big} {
		if set {
			env = append(env, name+"=1")
		}
	}
	return env
}

// A program is a way to run the statements.
type program struct {
	name      string
	tls, pack bool // it can do TLS, compression
	// run returns what it printed. An error means that it broke off, in which case that is compared too.
	run func(t *testing.T, k *task) (string, error)
}

// programs are all client libraries.
var programs = []program{
	{"go-sql-driver", true, true, goDriver},
	{"libmysqlclient", true, true, commandLine("mysql", "--compression-algorithms=zlib", "--ssl-mode=REQUIRED", "--ssl-mode=DISABLED", "--get-server-public-key")},
	{"libmariadb", true, true, commandLine("mariadb", "--compress", "--ssl", "--skip-ssl")},
	{"libmariadb11", true, true, commandLine("mariadb11", "--compress", "--ssl --disable-ssl-verify-server-cert", "--skip-ssl")},
	{"PyMySQL", true, false, script("python3-pymysql python3-cryptography", []string{"-c", "import pymysql, cryptography"}, "/usr/bin/python3", "testdata/with_pymysql.py")},
	{"mysqlnd", true, true, script("php-cli php-mysql", []string{"-r", "exit(class_exists('mysqli') ? 0 : 1);"}, "php", "-d", "mysqli.allow_local_infile=1", "-d", "memory_limit=1G", "testdata/with_mysqlnd.php")},
	{"DBI", true, true, script("libdbd-mysql-perl", []string{"-MDBD::mysql", "-e1"}, "/usr/bin/perl", "testdata/with_dbi.pl")},
	{"mysql2", true, true, script("ruby-mysql2", []string{"-e", "require 'mysql2'"}, "/usr/bin/ruby", "testdata/with_mysql2.rb")},
	{"Node", true, false, script("node-mysql", []string{"-e", "require('mysql')"}, "/usr/bin/node", "testdata/with_node.js")},
	{"ConnectorJ", true, true, connectorJ},
}

// TestAnswersAreTheSame runs every program against every server.
func TestAnswersAreTheSame(t *testing.T) {
	upload := filepath.Join(t.TempDir(), "upload.csv")
	if err := os.WriteFile(upload, []byte("upload1,1.5\nupload2,2.5\nupload ü,\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			for _, p := range programs {
				t.Run(p.name, func(t *testing.T) {
					t.Parallel()
					compare(t, &s, p, upload)
				})
			}
		})
	}
}

func compare(t *testing.T, s *intercepttest.Server, p program, upload string) {
	caps := intercepttest.Dial(t, "tcp", s.Addr, s.User, s.Password, "", 0).Greeting.Caps
	run := func(k task) string {
		t.Helper()
		k.server, k.upload, k.db = s, upload, fmt.Sprintf("clients_%d_%s", os.Getpid(), strings.ToLower(strings.ReplaceAll(p.name, "-", "_")))
		admin := intercepttest.Dial(t, "tcp", s.Addr, s.User, s.Password, "", 0)
		defer admin.Conn.Close()
		admin.Query("drop database if exists " + k.db)
		if sum := admin.Query("create database " + k.db); sum.Error != nil {
			t.Fatal(sum.Error)
		}
		defer admin.Query("drop database " + k.db)
		out, err := p.run(t, &k)
		if err != nil {
			out += "\nbroke off: " + err.Error()
		}
		return strings.ReplaceAll(out, k.addr, "ADDRESS")
	}
	want := run(task{addr: s.Addr, big: true})
	if n := strings.Count(want, "\n"); n < 400 && !strings.Contains(want, "ER_NOT_SUPPORTED_AUTH_MODE") {
		t.Fatalf("only %d lines:\n%s", n, want)
	}
	onBoth := task{tls: p.tls && caps.Has(mysqlwire.SSL), pack: p.pack && caps.Has(mysqlwire.Compress)}
	for _, through := range []struct {
		name    string
		options intercept.Options
		hook    *decoder
		task    task
	}{
		{"relayed", intercept.Options{}, nil, task{big: true}},
		{"decoded, with TLS and compression on both legs", intercept.Options{}, &decoder{}, onBoth},
		{
			"relayed, with TLS and compression to the client", intercept.Options{
				ClientTLS: tlspair.Preferred, BackendTLS: tlspair.Disabled, ClientCompress: compress.Offer, BackendCompress: compress.Disabled,
			}, nil, task{tls: p.tls, pack: p.pack},
		},
	} {
		t.Run(through.name, func(t *testing.T) {
			if testing.Short() && through.hook == nil {
				t.Skip("takes minutes on a busy machine")
			}
			proxy := intercepttest.NewProxy(t, through.options, s.Addr)
			if through.hook != nil {
				proxy.SetHooks(through.hook)
			}
			k := through.task
			k.addr = proxy.Addr
			differ(t, withoutBig(run(k), k.big), withoutBig(want, k.big))
			looked(t, proxy, k)
			if through.hook != nil {
				through.hook.report(t)
			}
		})
	}
}

// number is how lines begin, and what the command-line clients are made to say.
var number = regexp.MustCompile(`^(?:select 'line )?(\d+)[ ']`)

// withoutBig leaves out what only the runs with long packets have.
func withoutBig(out string, big bool) string {
	if big {
		return out
	}
	var kept strings.Builder
	skip := false
	for line := range strings.Lines(out) {
		if m := number.FindStringSubmatch(line); m != nil && !strings.HasSuffix(line, " in set\n") {
			skip = bigLines()[m[1]]
		}
		if !skip {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// differ shows the first lines that are not the same.
func differ(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		line := func(of []string) string {
			if i >= len(of) {
				return "nothing more"
			}
			return of[i][:min(len(of[i]), 500)]
		}
		if line(g) != line(w) {
			t.Errorf("line %d differs through mydbg:\n got %s\nwant %s", i+1, line(g), line(w))
			return
		}
	}
}

// looked checks that the proxy followed to the end, with what was asked for.
func looked(t *testing.T, p *intercepttest.Proxy, k task) {
	t.Helper()
	for _, n := range p.Journal.Notices(0, nil) {
		if n.Level == intercept.Error {
			t.Errorf("the proxy noted: %s", n.Text)
		}
	}
	list := p.Conns()
	if len(list) == 0 {
		t.Fatal("nobody came through the proxy")
	}
	for _, i := range list {
		if i.Opaque != "" {
			t.Errorf("connection %d became opaque: %s", i.ID, i.Opaque)
		}
		if in := i.User != "" && i.Commands > 1; in && (i.ClientTLS != "") != k.tls {
			t.Errorf("TLS of the client's leg: %q, want %t", i.ClientTLS, k.tls)
		} else if in && (i.ClientCompress.Algorithm != compress.None) != k.pack {
			t.Errorf("compression of the client's leg: %q, want %t", i.ClientCompress.Algorithm, k.pack)
		}
	}
}

// decoder is a hook that decodes every message and encodes it again.
type decoder struct {
	mu      sync.Mutex
	packets int
	wrong   []string
}

func (d *decoder) Name() string               { return "decoder" }
func (d *decoder) Interest() intercept.Points { return intercept.Everywhere }

func (d *decoder) Handle(_ context.Context, ev *intercept.Event) (intercept.Verdict, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ev.Packet != nil && ev.Whole() {
		d.check(ev.Kind, ev.Packet, ev.Context)
	}
	if ev.Answer == nil {
		return intercept.Verdict{}, nil
	}
	results, err := ev.Answer.Results(ev.Context)
	if err != nil {
		d.wrong = append(d.wrong, fmt.Sprintf("results of %s: %v", ev.SQL, err))
	}
	for _, r := range results {
		cx := *ev.Context
		cx.Command, cx.Columns = ev.Answer.Command, r.Columns
		for _, p := range ev.Answer.Packets[r.First : r.Last+1] {
			d.check(p.Kind, p.Payload, &cx)
		}
	}
	return intercept.Verdict{}, nil
}

func (d *decoder) check(k mysqlwire.Kind, payload []byte, cx *mysqlwire.Context) {
	d.packets++
	m, err := mysqlwire.Decode(k, payload, cx)
	var again []byte
	if err == nil {
		again, err = m.Encode(nil, cx)
	}
	if err == nil && !bytes.Equal(again, payload) {
		err = fmt.Errorf("encodes to % x", again[:min(len(again), 200)])
	}
	if err == nil {
		_, err = mysqlwire.Dissect(k, payload, cx)
	}
	if err != nil {
		d.wrong = append(d.wrong, fmt.Sprintf("%s % x: %v", k, payload[:min(len(payload), 200)], err))
	}
}

func (d *decoder) report(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.wrong[:min(len(d.wrong), 10)] {
		t.Error(w)
	}
	t.Logf("%d packets were decoded and encoded again", d.packets)
}
