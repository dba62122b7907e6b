package intercept_test

import (
	"fmt"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
)

// plugin installs a plugin for the time of a test, or skips it.
func plugin(t *testing.T, admin *intercepttest.Client, install, uninstall string) {
	t.Helper()
	switch sum := admin.Query(install); {
	case sum.Error == nil:
		t.Cleanup(func() { admin.Query(uninstall) })
	case sum.Error.Code == 1125 || sum.Error.Code == 1968: // it is there already
	default:
		t.Skipf("%s: %v", install, sum.Error)
	}
}

// account makes one for the time of a test.
func account(t *testing.T, admin *intercepttest.Client, name, how string) {
	t.Helper()
	admin.Query("drop user if exists " + name)
	if sum := admin.Query("create user " + name + " " + how); sum.Error != nil {
		t.Fatalf("create user %s %s: %v", name, how, sum.Error)
	}
	t.Cleanup(func() { admin.Query("drop user " + name) })
}

// byName is the lab's server of that name.
func byName(t *testing.T, name string) intercepttest.Server {
	t.Helper()
	for _, s := range realServers(t) {
		if s.Name == name {
			return s
		}
	}
	t.Skipf("needs the lab's %s", name)
	return intercepttest.Server{}
}

// TestTwoFactorsOfARealServer: a password, and who the client is at the server's socket, which is mydbg. The
// second factor needs nothing from the client; those that do are in TestPluginsBetweenScriptedEnds.
func TestTwoFactorsOfARealServer(t *testing.T) {
	path := tool(t, "mysql")
	s := byName(t, "mysql")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	admin := client(t, &s, s.Addr, 0)
	plugin(t, admin, "install plugin auth_socket soname 'auth_socket.so'", "uninstall plugin auth_socket")
	u := intercepttest.User{Name: "auth_two_factors"}
	account(t, admin, u.Name, fmt.Sprintf("identified with caching_sha2_password by 'pw' and identified with auth_socket as '%s'", me.Username))
	login := func(backend, password string, args ...string) (*intercepttest.Proxy, error) {
		p := intercepttest.NewProxy(t, intercept.Options{}, backend)
		args = append([]string{"--password1=" + password, "--password2=x"}, args...)
		_, err := run(t, path, u, p.Addr, "", "select 1", args...)
		return p, err
	}
	for _, tls := range []string{"--ssl-mode=DISABLED", "--ssl-mode=REQUIRED"} {
		if _, err := login("unix:"+s.Socket, "pw", tls, "--get-server-public-key"); err != nil {
			t.Errorf("%s: %v", tls, err)
		}
	}
	p, err := login("unix:"+s.Socket, "wrong")
	if err == nil {
		t.Error("it got in with a wrong first factor")
	}
	failedLogin(t, p, intercept.CauseDenied, "at the server itself")
	p, err = login(s.Addr, "pw")
	if err == nil {
		t.Error("it got in without the socket")
	}
	failedLogin(t, p, intercept.CauseDenied, "mydbg's own user")
}

// TestPAM: what comes of it is the system's affair, and the same through mydbg.
func TestPAM(t *testing.T) {
	for _, name := range []string{"mariadb", "mariadb11"} {
		t.Run(name, func(t *testing.T) {
			s := byName(t, name)
			path := tool(t, name)
			if list, _ := filepath.Glob("/etc/pam.d/*"); len(list) == 0 {
				t.Skip("the system has no PAM")
			}
			admin := client(t, &s, s.Addr, 0)
			plugin(t, admin, "install soname 'auth_pam_v1'", "uninstall soname 'auth_pam_v1'")
			for _, service := range []string{"su", "passwd"} {
				u := intercepttest.User{Name: "daemon"}
				account(t, admin, u.Name, "identified via pam using '"+service+"'")
				_, want := run(t, path, u, s.Addr, "", "select 1", "--password=guess", "--skip-ssl")
				p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
				_, err := run(t, path, u, p.Addr, "", "select 1", "--password=guess", "--skip-ssl")
				if fmt.Sprint(err) != fmt.Sprint(want) {
					t.Errorf("%s: got %v, want %v", service, err, want)
				}
				t.Logf("%s: %v: %s", service, err, strings.Join(p.Conns()[0].Login, "; "))
				if steps := strings.Join(p.Conns()[0].Login, "\n"); !strings.Contains(steps, "switched to dialog") || strings.Contains(steps, "guess") {
					t.Errorf("%s: got %s", service, steps)
				}
				if err != nil {
					failedLogin(t, p, intercept.CauseDenied, "")
				}
			}
		})
	}
}

// TestConnectionAttributes that are more than servers take: each says what it says without mydbg.
func TestConnectionAttributes(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		for _, n := range []int{200, 60_000, 70_000} {
			params := "?connectionAttributes=long:" + strings.Repeat("x", n)
			_, want := who(s.DSN("") + params)
			_, got := who(s.DSN(p.Addr) + params)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%d bytes: got %v, want %v", n, got, want)
			}
			if (want == nil) != (n < 64<<10) {
				t.Errorf("%d bytes: the server says %v", n, want)
			}
			if want == nil {
				continue
			}
			r := failedLogin(t, p, intercept.CauseAttributes, "64 KiB")
			if !strings.Contains(r.Line, "bytes of connection attributes") {
				t.Errorf("got %s", r.Line)
			}
		}
	})
}
