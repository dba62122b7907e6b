// Package intercepttest has what tests of the proxy need: real servers wherever there are any, a
// proxy in front of them, and ends that follow a script.
package intercepttest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Server is a database server to test against.
type Server struct {
	Name     string // mariadb, mysql, …
	Addr     string // host:port
	Socket   string // path, "" if not known
	User     string
	Password string
	Database string
	Users    []User // further accounts, one for each authentication plugin
	CA       string // PEM file that signs its certificate
	Lab      bool   // it has the lab's sample data
}

// User is an account of a test server.
type User struct{ Name, Password, Plugin string }

// DSN is the server as go-sql-driver names it, reached at addr ("" is the server's own).
func (s *Server) DSN(addr string) string {
	if addr == "" {
		addr = s.Addr
	}
	return fmt.Sprintf("%s:%s@tcp(%s)/%s", s.User, s.Password, addr, s.Database)
}

// Servers are those that the LAB_ variables name, else a mariadbd of its own where one is installed,
// else what fallback starts. It says which; without any the test is skipped.
func Servers(t testing.TB, fallback func(testing.TB) Server) []Server {
	t.Helper()
	var list []Server
	for _, name := range []string{"mariadb", "mysql", "mariadb11", "mysql56"} {
		env := func(key string) string { return os.Getenv("LAB_" + strings.ToUpper(name) + "_" + key) }
		if env("ADDR") == "" {
			continue
		}
		s := Server{
			Name: name, Addr: env("ADDR"), Socket: env("SOCKET"), User: os.Getenv("LAB_ADMIN_USER"), Password: os.Getenv("LAB_ADMIN_PASSWORD"),
			Database: os.Getenv("LAB_DATABASE"), CA: os.Getenv("LAB_TLS_CA"), Lab: true,
		}
		for u := range strings.FieldsSeq(env("USERS")) {
			if f := strings.SplitN(u, ":", 3); len(f) == 3 {
				s.Users = append(s.Users, User{f[0], f[1], f[2]})
			}
		}
		list = append(list, s)
	}
	if len(list) > 0 {
		return list
	}
	if path, err := exec.LookPath("mariadbd"); err == nil {
		t.Logf("no LAB_ variables: testing against %s", path)
		return []Server{startMariaDB(t, path)}
	}
	if fallback != nil {
		s := fallback(t)
		t.Logf("no LAB_ variables and no mariadbd: testing against %s", s.Name)
		return []Server{s}
	}
	t.Skip("no server: set the LAB_ variables or install mariadbd")
	return nil
}

// startMariaDB runs a server with data of its own until the test ends.
func startMariaDB(t testing.TB, mariadbd string) Server {
	t.Helper()
	dir := t.TempDir()
	data, socket := filepath.Join(dir, "data"), filepath.Join(dir, "s")
	args := []string{"--no-defaults", "--datadir=" + data, "--auth-root-authentication-method=normal"}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	if out, err := exec.Command("mariadb-install-db", args...).CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	addr := runMariaDB(t, []string{mariadbd}, "--datadir="+data, "--socket="+socket, "--pid-file="+filepath.Join(dir, "pid"))
	return Server{Name: "mariadbd", Addr: addr, Socket: socket, User: "root", Database: "test"}
}

// OwnMariaDB runs a server with further options, and data of its own, until the test ends: the
// lab's, else the one installed. Without either the test is skipped.
func OwnMariaDB(t testing.TB, options ...string) Server {
	t.Helper()
	dir := t.TempDir()
	data, socket := filepath.Join(dir, "data"), filepath.Join(dir, "s")
	if len(socket) > 100 {
		socket = filepath.Join(os.TempDir(), fmt.Sprintf("mydbg-%d.sock", os.Getpid()))
	}
	s := Server{Name: "mariadbd", Socket: socket, User: "root", Database: "test"}
	argv := []string{"mariadbd"}
	options = append([]string{"--datadir=" + data, "--socket=" + socket, "--pid-file=" + filepath.Join(dir, "pid"), "--skip-name-resolve"}, options...)
	if root := filepath.Join(os.Getenv("LAB_DIR"), "roots", "mariadb"); os.Getenv("LAB_DIR") != "" {
		argv = labProgram(t, root, "usr/sbin/mariadbd")
		options = append(options, "--basedir="+root+"/usr", "--plugin-dir="+root+"/usr/lib/mysql/plugin", "--lc-messages-dir="+root+"/usr/share/mysql",
			"--character-sets-dir="+root+"/usr/share/mysql/charsets", "--plugin-load-add=auth_ed25519", "--innodb-log-file-size=48M")
		if out, err := exec.Command("cp", "-r", filepath.Join(os.Getenv("LAB_DIR"), "template", "mariadb", "data"), data).CombinedOutput(); err != nil {
			t.Skipf("the lab's data cannot be copied: %v\n%s", err, out)
		}
		s.User, s.Password, s.Database = os.Getenv("LAB_ADMIN_USER"), os.Getenv("LAB_ADMIN_PASSWORD"), os.Getenv("LAB_DATABASE")
	} else {
		if _, err := exec.LookPath("mariadbd"); err != nil {
			t.Skip("needs the lab or an installed mariadbd")
		}
		if out, err := exec.Command("mariadb-install-db", "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal").CombinedOutput(); err != nil {
			t.Fatalf("mariadb-install-db: %v\n%s", err, out)
		}
	}
	s.Addr = runMariaDB(t, argv, options...)
	return s
}

// labProgram is how to run a program of one of the lab's roots: with its own loader and libraries.
func labProgram(t testing.TB, root, program string) []string {
	t.Helper()
	loaders, _ := filepath.Glob(root + "/lib*/*/ld-linux*.so.*") // the pattern is well-formed, here and below
	more, _ := filepath.Glob(root + "/usr/lib/*/ld-linux*.so.*")
	libraries, _ := filepath.Glob(root + "/usr/lib/*-linux-gnu")
	others, _ := filepath.Glob(root + "/lib/*-linux-gnu")
	if loaders = append(loaders, more...); len(loaders) == 0 {
		t.Skipf("%s has no loader", root)
	}
	return []string{loaders[0], "--library-path", strings.Join(append(libraries, others...), ":"), filepath.Join(root, program)}
}

// runMariaDB starts a server on a free port and waits until it listens.
func runMariaDB(t testing.TB, argv []string, options ...string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	_ = l.Close() // the server takes the port over
	args := append(argv[1:len(argv):len(argv)], "--no-defaults", "--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", addr.Port))
	args = append(args, options...)
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	cmd := exec.Command(argv[0], args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	for deadline := time.Now().Add(time.Minute); ; {
		c, err := net.DialTimeout("tcp", addr.String(), time.Second)
		if err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("mariadbd does not listen on %s: %v", addr, err)
		}
		<-time.After(50 * time.Millisecond) // there is nothing to wait on but its port
	}
	return addr.String()
}
