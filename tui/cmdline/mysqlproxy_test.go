package cmdline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// asProxy reads a command line of mydbg proxy.
func asProxy(t *testing.T, args ...string) (*Settings, error) {
	t.Helper()
	s := &Settings{}
	cmd := &cobra.Command{Use: "proxy"}
	s.AddServer(cmd)
	s.AddMySQLProxy(cmd)
	s.Add(cmd, "127.0.0.1:4040")
	if err := cmd.ParseFlags(args); err != nil {
		return nil, err
	}
	return s, s.Read(cmd, func(string) string { return "" })
}

func TestOptionsOfMySQLProxy(t *testing.T) {
	s, err := asProxy(t, "--proxy-address=:4040", "--proxy-backend-addresses=a:1", "-b", "b:2", "--proxy-read-only-backend-addresses", "c:3",
		"--proxy-lua-script=lib/rw.lua", "--basedir=/opt/proxy", "--pid-file=run/pid", "--proxy-connect-timeout=1.5", "--proxy-read-timeout=28800",
		"--proxy-pool-no-change-user", "--log-level=critical", "--plugins=proxy", "--plugins=admin", "--admin-username=root", "--admin-password=x",
		"--admin-lua-script=lib/admin.lua", "--lua-path=/x/?.lua", "--daemon", "--event-threads=4", "--proxy-skip-profiling", "--max-open-files", "8192")
	if err != nil {
		t.Fatal(err)
	}
	m := &s.MySQLProxy
	if got := strings.Join(slices.Concat(s.Listen, s.Backend, s.BackendRO, s.Scripts), " "); got != ":4040 a:1 b:2 c:3 /opt/proxy/lib/rw.lua" {
		t.Errorf("got %s", got)
	}
	if m.ConnectTimeout != 1500*time.Millisecond || m.ReadTimeout != 8*time.Hour || m.WriteTimeout != 0 {
		t.Errorf("timeouts: got %v, %v, %v", m.ConnectTimeout, m.ReadTimeout, m.WriteTimeout)
	}
	want := Admin{true, "127.0.0.1:4041", "root", "x", "/opt/proxy/lib/admin.lua"}
	if m.Admin != want || !m.PoolNoChangeUser || m.PIDFile != "/opt/proxy/run/pid" || m.LogLevel != "critical" || s.LuaPath != "/x/?.lua" || m.NoProxy {
		t.Errorf("got %+v", m)
	}
	if got := strings.Join(m.Ignored, "\n"); strings.Count(got, "has no meaning") != 4 || !strings.Contains(got, "--daemon") || !strings.Contains(got, "--max-open-files") {
		t.Errorf("it says %s", got)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"--plugins=admin", "needs --admin-username and --admin-password"},
		{"--plugins=admn", "did you mean"},
		{"--no-proxy", "nothing is left to do"},
		{"--basedir=here", "absolute"},
		{"--proxy-read-timeout=-1", "want seconds"},
		{"--defaults-file=/no/such/file", "read the defaults"},
	} {
		if _, err := asProxy(t, tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.args, err, tt.want)
		}
	}
}

func TestDefaultsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "proxy.cnf")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("# a comment\n[other]\nnonsense\n[mysql-proxy]\nproxy-backend-addresses = a:1 , b:2\nproxy-address=:4000\n; another\nproxy-connect-timeout = 0.5\nproxy-pool-no-change-user = true\ndaemon = true\n", 0o600)
	s, err := asProxy(t, "--defaults-file="+path, "--proxy-address=:4444")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(slices.Concat(s.Listen, s.Backend), " "); got != ":4444 a:1 b:2" {
		t.Errorf("got %s", got)
	}
	if m := s.MySQLProxy; m.ConnectTimeout != time.Second/2 || !m.PoolNoChangeUser || len(m.Ignored) != 1 {
		t.Errorf("got %+v", m)
	}
	for _, tt := range []struct {
		text string
		mode os.FileMode
		want string
	}{
		{"[mysql-proxy]\nproxy-adress = :1\n", 0o600, ":2: there is no option \"proxy-adress\""},
		{"[mysql-proxy]\n\nproxy-connect-timeout = soon\n", 0o600, ":3: proxy-connect-timeout"},
		{"[mysql-proxy]\nno value\n", 0o600, "want NAME = VALUE"},
		{"", 0o604, "chmod o-rwx"},
	} {
		write(tt.text, tt.mode)
		if _, err := asProxy(t, "--defaults-file="+path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q in it", tt.text, err, tt.want)
		}
	}
}
