package intercept_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/tlspair"
)

// tool finds a command-line client, of the lab or installed.
func tool(t *testing.T, name string) string {
	t.Helper()
	if dir := os.Getenv("LAB_BIN"); dir != "" {
		if path := filepath.Join(dir, name); exec.Command(path, "--version").Run() == nil {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// run runs a command-line client with statements on its standard input.
func run(t *testing.T, path string, u intercepttest.User, addr, db, statements string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), intercepttest.Patience)
	defer cancel()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	all := append([]string{"--no-defaults", "--protocol=tcp", "-h", host, "-P", port, "-u", u.Name, "--batch", "--skip-column-names", "-D", db}, args...)
	cmd := exec.CommandContext(ctx, path, all...)
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+u.Password)
	cmd.Stdin = strings.NewReader(statements)
	var out, bad strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &bad
	err = cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(bad.String()))
	}
	return out.String(), err
}

// TestCommandLineClients logs every account in, with the options people use: who cannot log in directly cannot here.
func TestCommandLineClients(t *testing.T) {
	for _, s := range realServers(t) {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel() // with the other servers' runs, no other test
			commandLineClients(t, s)
		})
	}
}

// commandLineClients asks the server itself once for each client and account.
func commandLineClients(t *testing.T, s intercepttest.Server) {
	type direct struct {
		out string
		err error
	}
	asked := map[[2]string]direct{} // by program and account
	for _, c := range []struct {
		program string
		args    []string
		tls     bool
	}{
		{"mysql", []string{"--ssl-mode=DISABLED", "--get-server-public-key"}, false},
		{"mysql", []string{"--ssl-mode=REQUIRED"}, true},
		{"mysql", []string{"--ssl-mode=VERIFY_CA"}, true},
		{"mariadb", []string{"--skip-ssl"}, false},
		{"mariadb", []string{"--ssl"}, true},
		{"mariadb", []string{"--ssl", "--ssl-verify-server-cert"}, true},
		{"mariadb11", []string{"--skip-ssl"}, false},
		{"mariadb11", []string{"--ssl", "--disable-ssl-verify-server-cert"}, true},
		{"mariadb11", []string{"--ssl", "--ssl-verify-server-cert"}, true},
	} {
		for _, mode := range []tlspair.Mode{tlspair.Disabled, tlspair.Required} {
			t.Run(fmt.Sprintf("%s to %s, %s, %s", c.program, s.Name, strings.Join(c.args, " "), mode), func(t *testing.T) {
				path := tool(t, c.program)
				if noTLS(t, &s, false, mode) {
					return
				}
				p := intercepttest.NewProxy(t, intercept.Options{ClientTLS: tlspair.Preferred, BackendTLS: mode}, s.Addr)
				plainServer := !offersTLS(t, &s)
				args := c.args
				if ca := "--ssl-ca="; strings.Contains(strings.Join(args, " "), "--ssl-verify") || strings.Contains(strings.Join(args, " "), "VERIFY") {
					file, err := p.CAFile()
					if err != nil {
						t.Fatal(err)
					}
					args = append(args[:len(args):len(args)], ca+file)
				}
				forget(t, &s)
				for _, u := range s.Users {
					if mode == tlspair.Disabled && refusesPlain(u) {
						continue
					}
					directly := []string{"--ssl-mode=REQUIRED"}
					switch {
					case c.program == "mysql" && plainServer:
						directly = []string{"--ssl-mode=DISABLED"}
					case c.program != "mysql" && plainServer:
						directly = []string{"--skip-ssl"}
					case c.program != "mysql":
						directly = []string{"--ssl", "--disable-ssl-verify-server-cert"}
					}
					want, known := asked[[2]string{c.program, u.Name}]
					if !known {
						want.out, want.err = run(t, path, u, s.Addr, "lab", "select substring_index(current_user(), '@', 1)", directly...)
						asked[[2]string{c.program, u.Name}] = want
					}
					got, err := run(t, path, u, p.Addr, "lab", "select substring_index(current_user(), '@', 1)", args...)
					if (err == nil) != (want.err == nil) || got != want.out {
						t.Errorf("%s: got %q, %v, want %q, %v", u.Name, got, err, want.out, want.err)
					}
				}
			})
		}
	}
}

// TestRefusedAccountsOfCommandLineClients get the server's own words.
func TestRefusedAccountsOfCommandLineClients(t *testing.T) {
	path := tool(t, "mysql")
	for _, s := range realServers(t) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
			for _, u := range s.Users {
				if !strings.Contains(u.Name, "locked") && !strings.Contains(u.Name, "expired") && !strings.Contains(u.Name, "limited") {
					continue
				}
				const statements = "delete from customers where 1 = 0"
				want, directErr := run(t, path, u, s.Addr, "lab", statements, "--ssl-mode=DISABLED", "--get-server-public-key")
				got, err := run(t, path, u, p.Addr, "lab", statements, "--ssl-mode=DISABLED", "--get-server-public-key")
				if got != want || fmt.Sprint(err) != fmt.Sprint(directErr) {
					t.Errorf("%s: got %q, %v, want %q, %v", u.Name, got, err, want, directErr)
				}
			}
		})
	}
}
