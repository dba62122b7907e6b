package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/sessions/demo"
	"mydbg/tui/keymap"
	"mydbg/tui/tuitest/tmux"
)

// TestMain lets the test binary be mydbg: tests run it as a program of that name.
func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"mydbg": main}) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Setup: func(e *testscript.Env) error {
		e.Setenv("HOME", e.WorkDir)
		wd, err := os.Getwd()
		e.Setenv("SESSIONS", filepath.Join(wd, "sessions", "testdata"))
		return err
	}})
}

func TestEveryCommandHasAnExample(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if !c.HasExample() {
			t.Errorf("%s has none", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				walk(sub)
			}
		}
	}
	walk(commands())
}

// program is a running mydbg.
type program struct {
	t       *testing.T
	cmd     *exec.Cmd
	addr    string // where it listens
	changed chan struct{}

	mu       sync.Mutex
	out, err bytes.Buffer
	reading  sync.WaitGroup
	over     bool
}

// start runs mydbg until it listens.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{t: t, changed: make(chan struct{}, 1)}
	p.cmd = exec.Command("mydbg", args...)
	p.cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME=")
	p.begin()
	p.addr = p.wait(&p.err, `listening on (\S+?)(?:,|$)`)[1]
	return p
}

func (p *program) begin() {
	p.t.Helper()
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.reading.Go(func() { p.read(stdout, &p.out) }) // both end with the process
	p.reading.Go(func() { p.read(stderr, &p.err) })
	p.t.Cleanup(func() {
		if !p.over {
			_ = p.cmd.Process.Kill()
			p.end()
		}
	})
}

func (p *program) read(from io.Reader, to *bytes.Buffer) {
	for lines := bufio.NewReader(from); ; {
		line, err := lines.ReadString('\n')
		p.mu.Lock()
		to.WriteString(line)
		p.mu.Unlock()
		select {
		case p.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (p *program) text(of *bytes.Buffer) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return of.String()
}

// wait waits until a line of the output matches.
func (p *program) wait(of *bytes.Buffer, pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	for late := time.After(intercepttest.Patience); ; {
		if m := re.FindStringSubmatch(p.text(of)); m != nil {
			return m
		}
		select {
		case <-p.changed:
		case <-late:
			p.t.Fatalf("no line like %s\nstdout:\n%s\nstderr:\n%s", pattern, p.text(&p.out), p.text(&p.err))
		}
	}
}

// signal sends a signal and waits for the end; it returns the exit status.
func (p *program) signal(s os.Signal) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	return p.end()
}

func (p *program) end() int {
	p.t.Helper()
	late := time.AfterFunc(intercepttest.Patience, func() { _ = p.cmd.Process.Signal(syscall.SIGQUIT) }) // it tells where it hangs
	defer late.Stop()
	p.reading.Wait()
	err := p.cmd.Wait()
	p.over = true
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

func embedded(t testing.TB) intercepttest.Server {
	t.Helper()
	s, err := demo.Start(context.Background(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return intercepttest.Server{Name: "embedded", Addr: s.Addr(), User: "app", Password: "app-pw", Database: "shop"}
}

// each runs a test against every server there is.
func each(t *testing.T, test func(t *testing.T, s intercepttest.Server)) {
	for _, s := range intercepttest.Servers(t, embedded) {
		t.Run(s.Name, func(t *testing.T) { test(t, s) })
	}
}

// connect is one connection through addr.
func connect(t *testing.T, s *intercepttest.Server, addr, params string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("mysql", s.DSN(addr)+params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func query(t *testing.T, c *sql.Conn, text string, args ...any) (string, error) {
	t.Helper()
	var v string
	err := c.QueryRowContext(t.Context(), text, args...).Scan(&v)
	return v, err
}

func TestProxyWritesEveryExchangeOnce(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server) {
		// The names of MySQL Proxy, as in an old command line.
		p := start(t, "proxy", "--proxy-address=127.0.0.1:0", "-b", s.Addr, "--log", "json")
		c := connect(t, &s, p.addr, "")
		const n = 200
		for i := range n {
			if got, err := query(t, c, fmt.Sprintf("select %d", i)); err != nil || got != fmt.Sprint(i) {
				t.Fatalf("got %q, %v", got, err)
			}
		}
		if _, err := query(t, c, "select concat(?, 'x')", "SKU-77"); err != nil {
			t.Fatal(err)
		}
		if status := p.signal(os.Interrupt); status != 130 {
			t.Errorf("interrupted: status %d, want 130", status)
		}
		seen := map[string]int{}
		for line := range strings.Lines(p.text(&p.out)) {
			var o struct {
				SQL    string
				Cmd    string
				Params []struct{ Type, Value string }
			}
			if err := json.Unmarshal([]byte(line), &o); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if o.Cmd == "query" {
				seen[o.SQL]++
			}
			if o.Cmd == "execute" && (len(o.Params) != 1 || o.Params[0].Value != "SKU-77") {
				t.Errorf("the execute is %s", line)
			}
		}
		for i := range n {
			if got := seen[fmt.Sprintf("select %d", i)]; got != 1 {
				t.Errorf("select %d was written %d times", i, got)
			}
		}
	})
}

func TestTerminatedIsAnOrdinaryEnd(t *testing.T) {
	p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", "127.0.0.1:1")
	if status := p.signal(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d, want 0\n%s", status, p.text(&p.err))
	}
}

// --user gives up root's rights once the ports are open; only root can.
func TestUserIsGivenUpFor(t *testing.T) {
	args := []string{"proxy", "--listen", "127.0.0.1:0", "--backend", "127.0.0.1:1", "--user"}
	if os.Geteuid() != 0 {
		p := &program{t: t, changed: make(chan struct{}, 1), cmd: exec.Command("mydbg", append(args, "root")...)}
		p.begin()
		if status := p.end(); status == 0 || !strings.Contains(p.text(&p.err), "become root: operation not permitted. Only root can") {
			t.Errorf("status %d\n%s", status, p.text(&p.err))
		}
		return
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	p := start(t, append(args, "nobody")...)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skip(err)
	}
	for _, id := range []string{"Uid", "Gid"} {
		want := nobody.Uid
		if id == "Gid" {
			want = nobody.Gid
		}
		if line := id + strings.Repeat("\t"+want, 4); !strings.Contains(string(status), line[:3]+":"+line[3:]+"\n") {
			t.Errorf("%s is not %s:\n%s", id, want, status)
		}
	}
	if !strings.Contains(string(status), "\nGroups:\t"+nobody.Gid+" \n") {
		t.Errorf("it has other groups:\n%s", status)
	}
	if status := p.signal(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d, want 0\n%s", status, p.text(&p.err))
	}
}

func TestHangupReopensTheLogFile(t *testing.T) {
	s := embedded(t)
	path := filepath.Join(t.TempDir(), "log")
	p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", s.Addr, "--log-file", path)
	c := connect(t, &s, p.addr, "")
	ask := func(text string) {
		if _, err := query(t, c, text); err != nil {
			t.Fatal(err)
		}
	}
	ask("select 111")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.wait(&p.err, "reopened "+path)
	ask("select 222")
	if status := p.signal(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d, want 0\n%s", status, p.text(&p.err))
	}
	rotated, err := os.ReadFile(path + ".1")
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(fresh), "select 222") || strings.Contains(string(rotated), "select 222") {
		t.Errorf("after SIGHUP the lines do not go to the new file\nold:\n%s\nnew:\n%s", rotated, fresh)
	}
	if n := strings.Count(string(rotated)+string(fresh), "select 111"); n != 1 {
		t.Errorf("the line before SIGHUP is there %d times", n)
	}
}

func TestFailIf(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server) {
		p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", s.Addr, "--filter", "false", "--fail-if", "error.code != 0")
		c := connect(t, &s, p.addr, "")
		if _, err := query(t, c, "select nonsense from nowhere"); err == nil {
			t.Fatal("nonsense has an answer")
		}
		p.wait(&p.out, `error  #\d+ fails: error.code != 0$`)
		if status := p.signal(os.Interrupt); status != 1 {
			t.Errorf("status %d, want 1", status)
		}
		if got := p.text(&p.err); !strings.Contains(got, `--fail-if was true of 1 exchanges, first of #`) || !strings.Contains(got, "nonsense") {
			t.Errorf("it says:\n%s", got)
		}
		if got := p.text(&p.out); strings.Contains(got, "  query  ") {
			t.Errorf("the filter let through:\n%s", got)
		}
	})
}

func TestShutdownReleasesWhatIsHeld(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server) {
		p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", s.Addr, "--break", `for 1h then err 1205 if sql contains "held"`)
		c := connect(t, &s, p.addr, "")
		answered := make(chan error, 1)
		go func() { // ends with the query
			_, err := query(t, c, "select 'held'")
			answered <- err
		}()
		p.wait(&p.out, `stopped at read_query by breakpoint 1$`)
		if status := p.signal(os.Interrupt); status != 130 {
			t.Errorf("status %d, want 130", status)
		}
		select {
		case err := <-answered:
			if my := (*mysql.MySQLError)(nil); errors.As(err, &my) {
				t.Errorf("the held query got %v instead of going on unchanged", my)
			}
		case <-time.After(intercepttest.Patience):
			t.Error("the client still waits")
		}
		if got := p.text(&p.out); !strings.Contains(got, "select 'held'") {
			t.Errorf("the exchange is not in the log:\n%s", got)
		}
	})
}

// Nobody could continue it.
func TestWithoutAScreenPausesAreLogged(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server) {
		p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", s.Addr, "--break", `stock if sql contains "stop me"`)
		p.wait(&p.out, `warning  nobody is there to continue what these rules hold, so they log instead: stock`)
		c := connect(t, &s, p.addr, "")
		if got, err := query(t, c, "select 'stop me'"); err != nil || got != "stop me" {
			t.Errorf("got %q, %v", got, err)
		}
		p.wait(&p.out, `info  .*would pause here: stock`)
	})
}

func TestRulesAndScriptsWork(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server) {
		dir := t.TempDir()
		write(t, dir, "answer.lua", `
function read_query(packet)
  if packet:byte() == proxy.COM_QUERY and packet:sub(2) == "select 'lua'" then
    print("answering")
    proxy.response = { type = proxy.MYSQLD_PACKET_OK, resultset = {
      fields = { { name = "a", type = proxy.MYSQL_TYPE_STRING } }, rows = { { "from lua" } } } }
    return proxy.PROXY_SEND_RESULT
  end
end`)
		write(t, dir, "shop.rules", "# locks\nlocked do err 1205 if sql contains \"lock me\"\n")
		write(t, dir, "mydbg.toml", fmt.Sprintf("rules = %q\nscript = [%q]\n", filepath.Join(dir, "shop.rules"), filepath.Join(dir, "answer.lua")))
		p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", s.Addr, "--config", filepath.Join(dir, "mydbg.toml"), "--log=json")
		c := connect(t, &s, p.addr, "")
		if got, err := query(t, c, "select 'lua'"); err != nil || got != "from lua" {
			t.Errorf("got %q, %v", got, err)
		}
		_, err := query(t, c, "select 'lock me'")
		if my := (*mysql.MySQLError)(nil); !errors.As(err, &my) || my.Number != 1205 {
			t.Errorf("got %v, want error 1205", err)
		}
		p.wait(&p.out, `"message":"answer.lua.*answering"`)
		p.wait(&p.out, `"sql":"select 'lua'".*"by":"script answer.lua[^"]*","action":"reply"`)
		p.wait(&p.out, `"sql":"select 'lock me'".*"by":"rule locked","action":"reply"`)
	})
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTLSTellsTheCertificate(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server) {
		p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", s.Addr, "--client-tls", "required", "--backend-tls", "preferred")
		connect(t, &s, p.addr, "?tls=skip-verify")
		file := p.wait(&p.out, `clients use TLS. Those that verify certificates should trust (\S+)`)[1]
		if pem, err := os.ReadFile(file); err != nil || !bytes.Contains(pem, []byte("BEGIN CERTIFICATE")) {
			t.Errorf("%s: %v", file, err)
		}
	})
}

// TestUnwritableStateDirectory is told at the start: nobody should find out by a client's failure.
func TestUnwritableStateDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", "127.0.0.1:1", "--state-dir", file)
	p.wait(&p.out, `warning  clients are not offered TLS, .*`+regexp.QuoteMeta(file)+`.*--state-dir`)
}

// wantsClearText is a server without TLS that asks for the password itself and then says OK to everything.
func wantsClearText(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	greeting, err := (&mysqlwire.Greeting{
		Version: "8.4.0", Scramble: []byte("01234567890123456789"), Caps: intercepttest.ClientCaps, Collation: 45,
		PluginName: "mysql_clear_password", Status: mysqlwire.StatusAutocommit,
	}).Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the connection
				defer c.Close()
				r, head := bufio.NewReader(c), make([]byte, mysqlwire.HeaderLen)
				say := func(payload []byte, seq uint8) {
					b, _ := mysqlwire.AppendPacket(nil, payload, seq)
					_, _ = c.Write(b) // who does not listen has left
				}
				say(greeting, 0)
				for n := 0; ; n++ {
					if _, err := io.ReadFull(r, head); err != nil {
						return
					}
					h := mysqlwire.ParseHeader(head)
					if _, err := r.Discard(h.Len); err != nil {
						return
					}
					if n == 0 {
						say([]byte("\xfemysql_clear_password\x00"), h.Seq+1)
					} else {
						say([]byte("\x00\x00\x00\x02\x00\x00\x00"), h.Seq+1)
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func TestClearTextNeedsAFlag(t *testing.T) {
	server := wantsClearText(t)
	ping := func(p *program) error {
		db, err := sql.Open("mysql", "app:app-pw@tcp("+p.addr+")/?tls=skip-verify&allowCleartextPasswords=true")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		return db.PingContext(t.Context())
	}
	args := []string{"proxy", "--listen", "127.0.0.1:0", "--backend", server, "--client-tls", "required", "--backend-tls", "disabled", "--state-dir", t.TempDir()}
	p := start(t, args...)
	if err := ping(p); err == nil || !strings.Contains(err.Error(), "clear text") {
		t.Errorf("got %v", err)
	}
	p.wait(&p.out, `login of app failed: .*--allow-cleartext`)
	if err := ping(start(t, append(args, "--allow-cleartext")...)); err != nil {
		t.Errorf("with --allow-cleartext: %v", err)
	}
}

// TestOwnCertificate is what accounts see that require one.
func TestOwnCertificate(t *testing.T) {
	cert, key := os.Getenv("LAB_TLS_CLIENT_CERT"), os.Getenv("LAB_TLS_CLIENT_KEY")
	each(t, func(t *testing.T, s intercepttest.Server) {
		for _, u := range s.Users {
			if !strings.HasSuffix(u.Name, "_x509") || cert == "" {
				continue
			}
			args := []string{"proxy", "--listen", "127.0.0.1:0", "--backend", s.Addr, "--backend-tls", "required"}
			for _, own := range [][]string{nil, {"--backend-cert", cert, "--backend-key", key}} {
				p := start(t, append(args, own...)...)
				db, err := sql.Open("mysql", u.Name+":"+u.Password+"@tcp("+p.addr+")/")
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				err = db.PingContext(t.Context())
				if own != nil && err != nil {
					t.Errorf("with a certificate: %v", err)
				}
				if own == nil {
					if err == nil {
						t.Error("it got in without a certificate")
					}
					p.wait(&p.out, `login of `+u.Name+` failed: .*--backend-cert=FILE`)
				}
			}
		}
	})
}

func TestPortInUseSaysByWhom(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out, err := exec.Command("mydbg", "proxy", "--listen", l.Addr().String()).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("ended with %v, want status 3", err)
	}
	want := fmt.Sprintf("mydbg: listen on %s: in use", l.Addr())
	if name, err := os.ReadFile("/proc/self/comm"); err == nil { // elsewhere it is not known
		want += fmt.Sprintf(" by %s (pid %d)", bytes.TrimSpace(name), os.Getpid())
	}
	if got := string(out); !strings.HasPrefix(got, want) || !strings.Contains(got, "Try another address with --listen") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestListeningForOthersIsLoud(t *testing.T) {
	p := start(t, "proxy", "--listen", "0.0.0.0:0", "--backend", "127.0.0.1:1")
	p.wait(&p.err, `^mydbg: WARNING: \S+ can be reached from other machines`)
	p.wait(&p.out, `warning  WARNING: \S+ can be reached from other machines`)
}

func TestServerThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	_ = l.Close()
	p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", nobody)
	p.wait(&p.out, `warning  server `+regexp.QuoteMeta(nobody)+`: .*refused \(is it running\?\)\. .*--backend`)
	db, err := sql.Open("mysql", "app:app-pw@tcp("+p.addr+")/shop")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.PingContext(t.Context())
	if my := (*mysql.MySQLError)(nil); !errors.As(err, &my) || my.Number != 1429 {
		t.Errorf("the client got %v, want error 1429", err)
	}
	p.wait(&p.out, `connection 1: .*cannot connect to the server`)
}

func TestServerThatIsNotMySQL(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.9\r\n")
			_ = c.Close()
		}
	}()
	p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", l.Addr().String())
	p.wait(&p.out, `warning  server \S+: it does not greet as a MySQL server, but with "SSH-2"`)
}

func TestClientThatIsNotMySQL(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server) {
		p := start(t, "proxy", "--listen", "127.0.0.1:0", "--backend", s.Addr)
		c, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		p.wait(&p.out, `(warning|error)  connection 1: .`)
		if err := c.SetReadDeadline(time.Now().Add(intercepttest.Patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the connection stays open")
		}
		// The next client is served.
		if _, err := query(t, connect(t, &s, p.addr, ""), "select 1"); err != nil {
			t.Error(err)
		}
	})
}

func TestDemoWithoutATerminal(t *testing.T) {
	p := start(t, "demo", "--log", "json")
	p.wait(&p.err, `^mydbg: standard output is no terminal: running as mydbg proxy does`)
	p.wait(&p.err, `mysql -h 127.0.0.1 -P `+strings.TrimPrefix(p.addr, "127.0.0.1:")+` -u app`)
	for _, pattern := range []string{`"cmd":"execute".*"params":\[\{"type"`, `"verb":"UPDATE"`, `"verb":"COMMIT"`, `"rows":[1-9]`} {
		p.wait(&p.out, pattern)
	}
	// A client of one's own sees the shop's data.
	s := intercepttest.Server{User: "app", Password: "app-pw", Database: "shop"}
	if _, err := query(t, connect(t, &s, p.addr, ""), "select count(*) from products"); err != nil {
		t.Error(err)
	}
	p.wait(&p.out, `"sql":"select count\(\*\) from products"`)
	if status := p.signal(os.Interrupt); status != 130 {
		t.Errorf("status %d, want 130\n%s", status, p.text(&p.err))
	}
}

// The end of a pipe is an ordinary one.
func TestItEndsWithItsReader(t *testing.T) {
	out, err := exec.Command("bash", "-c", "set -o pipefail; mydbg demo | head -n 3").Output()
	if err != nil || bytes.Count(out, []byte("\n")) != 3 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestExportEndsWithItsReader: nobody is there to be told of it.
func TestExportEndsWithItsReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	defer w.Close()
	var said bytes.Buffer
	cmd := exec.Command("mydbg", "export", "sessions/testdata/recording.pcapng", "--to", "sql")
	cmd.Stdout, cmd.Stderr = w, &said
	if err := cmd.Run(); err != nil || said.Len() > 0 {
		t.Errorf("%v: %s", err, said.String())
	}
}

// block is a piece of the README between fences.
type block struct{ language, text string }

// blocks are those of a language.
func blocks(t *testing.T, languages ...string) (list []block) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```(.+?)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		if slices.Contains(languages, m[1]) {
			list = append(list, block{m[1], m[2]})
		}
	}
	if len(list) == 0 {
		t.Fatalf("the README has no block of %v", languages)
	}
	return list
}

func TestReadmeConditionsCompile(t *testing.T) {
	for _, b := range blocks(t, "conditions") {
		for line := range strings.Lines(b.text) {
			if _, err := rule.Compile(strings.TrimSpace(line)); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	for _, b := range blocks(t, "rules") {
		if list, err := rule.ParseRules(b.text); err != nil || len(list) == 0 {
			t.Errorf("%s: %v", b.text, err)
		}
	}
}

// TestReadmeCommands runs every command of the README but the tests' own. What is meant to run on is
// interrupted once it listens, on a free port.
func TestReadmeCommands(t *testing.T) {
	dir, home := t.TempDir(), t.TempDir()
	named := regexp.MustCompile(`^(?:#|--) (\S+)\n`)
	for _, b := range blocks(t, "rules", "lua", "toml") {
		m := named.FindStringSubmatch(b.text)
		if m == nil {
			t.Fatalf("a file without a name in its first line:\n%s", b.text)
		}
		write(t, dir, m[1], b.text)
	}
	recording, err := os.ReadFile("sessions/testdata/recording.pcapng")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "session.pcapng", string(recording))
	for _, b := range blocks(t, "sh") {
		for line := range strings.Lines(b.text) {
			line = strings.TrimSpace(line)
			t.Run(line, func(t *testing.T) { readmeCommand(t, line, dir, home) })
		}
	}
}

func readmeCommand(t *testing.T, line, dir, home string) {
	if runs := regexp.MustCompile(`^mydbg (--|proxy|serve)`); runs.MatchString(line) && !strings.Contains(line, "mydbg demo") {
		line = strings.Replace(line, " --record session.pcapng", " --record recorded.pcapng", 1) + " --listen 127.0.0.1:0"
	}
	p := &program{t: t, changed: make(chan struct{}, 1)}
	p.cmd = exec.Command("bash", "-o", "pipefail", "-c", line)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+home)
	if strings.Contains(line, "go build") || strings.Contains(line, "go run") {
		p.cmd.Dir = ""
		p.cmd.Env = append(p.cmd.Env, "CGO_ENABLED=0") // no other build of all dependencies than the one to install
		if strings.Contains(line, "-o mydbg") {
			line = strings.Replace(line, "-o mydbg", "-o "+dir+"/built", 1)
			p.cmd.Args[len(p.cmd.Args)-1] = line
		}
	}
	p.begin()
	ended := make(chan struct{})
	go func() { // ends with the command
		p.reading.Wait()
		close(ended)
	}()
	interrupted := strings.Contains(line, "|")
	for late := time.After(10 * time.Minute); ; {
		if !interrupted && strings.Contains(p.text(&p.err), "listening on ") {
			interrupted = true
			if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-p.changed:
			continue
		case <-ended:
		case <-late:
			t.Fatalf("it does not end:\n%s", p.text(&p.err))
		}
		break
	}
	status, said := p.end(), p.text(&p.err)
	switch {
	case status == 0, status == 130 && strings.Contains(said, "listening on "):
	case status == 1 && strings.HasPrefix(line, "mydbg replay"): // there is no such server, so every answer differs
	case strings.HasPrefix(line, "go run") && strings.HasSuffix(said, "exit status 130\n"):
	default:
		t.Errorf("status %d\n%s%s", status, p.text(&p.out), said)
	}
}

var update = flag.Bool("update", false, "renew the README's table of keys")

func TestReadmeKeys(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), " renews them -->\n")
	_, after, closed := strings.Cut(rest, "<!-- /keys -->")
	if !ok || !closed {
		t.Fatal("the README has no place for the keys")
	}
	want := before + " renews them -->\n\n" + keymap.Default().Markdown() + "\n<!-- /keys -->" + after
	if *update {
		if err := os.WriteFile("README.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(text) != want {
		t.Error("the keys have changed: go test -run TestReadmeKeys -update .")
	}
}

// pkg is a package of this module.
type pkg struct {
	ImportPath    string
	Name          string
	Imports, Deps []string
}

func packages(t *testing.T) (list []pkg) {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// TestImportsGoOneWay: mysqlwire, then intercept, then script and sessions, which do not know one
// another, then tui, then the program.
func TestImportsGoOneWay(t *testing.T) {
	level := map[string]int{"mysqlwire": 1, "intercept": 2, "script": 3, "sessions": 3, "tui": 4, "": 5, "screenshots": 5}
	top := func(path string) (string, bool) {
		if path == "mydbg" {
			return "", true
		}
		rest, ours := strings.CutPrefix(path, "mydbg/")
		folder, _, _ := strings.Cut(rest, "/")
		return folder, ours
	}
	seen := map[string]bool{}
	for _, p := range packages(t) {
		from, _ := top(p.ImportPath)
		if level[from] == 0 {
			t.Errorf("%s is in no known folder", p.ImportPath)
		}
		seen[from] = true
		for _, dep := range p.Deps {
			if to, ours := top(dep); ours && to != from && level[to] >= level[from] {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
			if host, _, _ := strings.Cut(dep, "/"); from == "mysqlwire" && p.Name != "main" && strings.Contains(host, ".") { // a generator is no part of it
				t.Errorf("%s depends on %s: it must do with the standard library", p.ImportPath, dep)
			}
		}
	}
	for folder := range level {
		if !seen[folder] && folder != "screenshots" { // which are pictures above all
			t.Errorf("found no package in %q", folder)
		}
	}
}

// libraries are those that may be imported outside tests.
var libraries = []string{
	"github.com/charmbracelet/", "github.com/muesli/termenv", "github.com/aymanbagabas/go-osc52/v2", "github.com/rivo/uniseg", // the screen
	"github.com/alecthomas/chroma/v2", "github.com/yuin/gopher-lua", "github.com/spf13/cobra", "github.com/spf13/pflag",
	"github.com/expr-lang/expr", "github.com/pingcap/tidb/pkg/parser", "github.com/klauspost/compress", "github.com/BurntSushi/toml",
	"github.com/gopacket/gopacket", "modernc.org/sqlite", "filippo.io/edwards25519", "golang.org/x/text", // captures, exports, MariaDB's ed25519, character sets
	"github.com/dolthub/go-mysql-server", "github.com/dolthub/vitess", "github.com/sirupsen/logrus", "github.com/go-sql-driver/mysql", // the demo
}

// testLibraries may be imported by packages that exist for tests, too.
var testLibraries = []string{"github.com/rogpeppe/go-internal", "github.com/google/go-cmp"}

func TestNoOtherLibraries(t *testing.T) {
	for _, p := range packages(t) {
		allowed := libraries
		if strings.HasSuffix(p.ImportPath, "test") {
			allowed = slices.Concat(libraries, testLibraries)
		}
		for _, path := range p.Imports {
			host, _, _ := strings.Cut(path, "/")
			if !strings.Contains(host, ".") {
				continue
			}
			if !slices.ContainsFunc(allowed, func(l string) bool { return strings.HasPrefix(path, l) }) {
				t.Errorf("%s imports %s: a new library needs a reason", p.ImportPath, path)
			}
		}
	}
}

// tty is a terminal and the file with the number of its shell.
type tty struct {
	*tmux.Terminal
	shell string
}

// onScreen is how long tests wait for a screen: many processes draw it.
const onScreen = 3 * intercepttest.Patience

// terminal runs mydbg in a terminal; what follows it shows how it ended.
func terminal(t *testing.T, args string) *tty {
	t.Helper()
	dir := t.TempDir()
	env := []string{"XDG_CONFIG_HOME=" + dir, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	script := "echo $$ > " + dir + "/shell; mydbg " + args + "; echo ended with $?; stty -a | grep -o ' icanon'; read"
	term, err := tmux.Start(120, 36, env, "bash", "-c", script)
	if errors.Is(err, tmux.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = term.Close() })
	return &tty{term, filepath.Join(dir, "shell")}
}

// on waits for texts on the screen.
func on(t *testing.T, term *tty, texts ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), onScreen)
	defer cancel()
	screen, err := term.WaitText(ctx, texts...)
	if err != nil {
		t.Fatal(err)
	}
	return screen
}

func TestDemoOnATerminal(t *testing.T) {
	term := terminal(t, "demo")
	on(t, term, "1 Events", "app@127.0.0.1") // no statement: those go by
	if err := term.Keys("Q"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), onScreen)
	defer cancel()
	_, err := term.Wait(ctx, "the end", func(screen string) bool {
		if strings.Contains(screen, "Quit?") {
			_ = term.Keys("r") // again and again: a question that has just come up takes no answer
		}
		return strings.Contains(screen, "ended with 0") && strings.Contains(screen, " icanon") // the terminal is as it was
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A signal from outside ends the screen in good order: what is held goes on, the terminal is as it was.
func TestSignalOnATerminal(t *testing.T) {
	for _, tt := range []struct {
		signal syscall.Signal
		status string
	}{{syscall.SIGINT, "130"}, {syscall.SIGTERM, "0"}} {
		t.Run(tt.signal.String(), func(t *testing.T) {
			s := intercepttest.Servers(t, embedded)[0]
			term := terminal(t, "--listen 127.0.0.1:0 --backend "+s.Addr+` --break 'if sql contains "held"'`)
			ctx, cancel := context.WithTimeout(t.Context(), onScreen)
			defer cancel()
			address := regexp.MustCompile(`mydbg +(127.0.0.1:\d+) `)
			screen, err := term.Wait(ctx, "the address", address.MatchString)
			if err != nil {
				t.Fatal(err)
			}
			c := connect(t, &s, address.FindStringSubmatch(screen)[1], "")
			answered := make(chan error, 1)
			go func() { // ends with the query
				_, err := query(t, c, "select 'held'")
				answered <- err
			}()
			on(t, term, "1 PAUSED", "select 'held'")
			if err := syscall.Kill(child(t, term), tt.signal); err != nil {
				t.Fatal(err)
			}
			on(t, term, "ended with "+tt.status, " icanon")
			select {
			case err := <-answered:
				if my := (*mysql.MySQLError)(nil); errors.As(err, &my) {
					t.Errorf("the held query got %v instead of going on unchanged", my)
				}
			case <-ctx.Done():
				t.Error("the client still waits")
			}
		})
	}
}

// child is the process that the terminal's shell has started.
func child(t *testing.T, term *tty) int {
	t.Helper()
	shell, err := os.ReadFile(term.shell)
	if err != nil {
		t.Fatal(err)
	}
	pid := strings.TrimSpace(string(shell))
	text, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		t.Skip(err)
	}
	of, err := strconv.Atoi(strings.Fields(string(text))[0])
	if err != nil {
		t.Fatal(err)
	}
	return of
}

// A bug beside the screen must not leave the terminal as the screen had it: the run ends instead.
