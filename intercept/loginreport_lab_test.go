package intercept_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// TestRefusedLoginsAreExplained with the words of real servers, which differ.
func TestRefusedLoginsAreExplained(t *testing.T) {
	for _, s := range realServers(t) {
		password := map[string]string{"nobody_at_all": "guess"}
		for _, u := range s.Users {
			password[u.Name] = u.Password
		}
		for _, tt := range []struct {
			name, user, password, db string
			cause                    intercept.LoginCause
			hint                     string
		}{
			{"a wrong password", "lab_limited", "wrong", "", intercept.CauseDenied, "at the server itself"},
			{"an unknown user", "nobody_at_all", "", "", intercept.CauseDenied, "at the server itself"},
			{"no password", "lab_limited", "-", "", intercept.CauseNoPassword, "give the client the password"},
			{"a database of others", "lab_limited", "", "mysql", intercept.CauseDatabaseDenied, "GRANT"},
			{"a database that is not there", s.User, s.Password, "no_such_database", intercept.CauseDatabaseUnknown, "create it"},
			{"a locked account", "lab_locked", "", "", intercept.CauseLocked, "ACCOUNT UNLOCK"},
			{"an expired password", "lab_expired", "", "", intercept.CauseExpired, "ALTER USER"},
		} {
			t.Run(s.Name+" "+tt.name, func(t *testing.T) {
				right, known := password[tt.user]
				if !known && tt.password == "" {
					t.Skipf("%s has no %s", s.Name, tt.user)
				}
				pw := tt.password
				switch pw {
				case "":
					pw = right
				case "-":
					pw = ""
				}
				p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
				_, err := who(fmt.Sprintf("%s:%s@tcp(%s)/%s", tt.user, pw, p.Addr, tt.db))
				if err == nil {
					t.Fatal("it got in")
				}
				r := failedLogin(t, p, tt.cause, tt.hint)
				if r.Error == nil || r.Error.Code != number(err) || r.User != tt.user || len(r.Steps) < 2 || len(r.Client) < 4 || len(r.Server) < 4 {
					t.Errorf("got %s", r.Text())
				}
				if pw != "" && strings.Contains(r.Text(), pw) && pw != "wrong" {
					t.Errorf("the password is in it: %s", r.Text())
				}
				if r.Step == intercept.StepAfterLogin { // MariaDB lets it in, to change its password
					return
				}
				p.Until("the connection says so", func() bool { return p.Conns()[0].Cause == r.Title() })
				listedLogin(t, p, r)
			})
		}
	}
}

// listedLogin checks the row of the only login there was, which failed, and the conditions that find it.
func listedLogin(t *testing.T, p *intercepttest.Proxy, r *intercept.LoginReport) {
	t.Helper()
	list, _ := p.Journal.Since(0, nil)
	if len(list) != 1 || !list[0].Login() || list[0].Error != r.Error || list[0].Note != r.Title() || list[0].Title() != "LOGIN" || list[0].State != intercept.Done {
		t.Fatalf("the journal has %+v", list)
	}
	d, ok := p.Journal.Detail(list[0].Seq)
	if !ok || len(d.Answer.Packets) != 1 || len(d.Received.Payload) != 0 {
		t.Errorf("its packets: %+v", d.Answer)
	}
	info := p.Conns()[0]
	for condition, want := range map[string]bool{
		"hook == 'auth_result'": true, "error": true, fmt.Sprintf("error.code == %d", r.Error.Code): true, fmt.Sprintf("user == %q", r.User): true,
		"cmd == 'connect' and error": true, "hook == 'query'": false, "not error": false, "user == 'someone else'": false, "cmd == 'query'": false,
	} {
		e, err := rule.Compile(condition)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Eval(list[0].Env(&info, nil, e.Uses())); got != want || err != nil {
			t.Errorf("%s: %t, %v", condition, got, err)
		}
	}
}

// TestChangeUserIsExplained when it fails, and the failure is forgotten when the next one succeeds.
func TestChangeUserIsExplained(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, 0)
		if err := c.ChangeUser("lab_limited", "wrong", ""); err == nil {
			t.Fatal("a wrong password was taken")
		}
		r := failedLogin(t, p, intercept.CauseDenied, "at the server itself")
		if r.Step != intercept.StepChangeUser || r.User != "lab_limited" {
			t.Errorf("got %s", r.Text())
		}
		list, _ := p.Journal.Since(0, nil)
		if x := list[len(list)-1]; x.Command != mysqlwire.ComChangeUser || !strings.HasPrefix(x.Note, "login of lab_limited failed") {
			t.Errorf("the exchange is noted %q", x.Note)
		}
		d := client(t, &s, p.Addr, 0)
		if err := d.ChangeUser(s.User, s.Password, ""); err != nil {
			t.Fatal(err)
		}
		if i := p.Conn(2).Info(); i.LoginFailure != nil {
			t.Errorf("got %s", i.LoginFailure.Text())
		}
	})
}

// TestServerOfAnotherName: the certificate is right, but not for the address that mydbg was given.
func TestServerOfAnotherName(t *testing.T) {
	for _, s := range realServers(t) {
		if s.CA == "" || !offersTLS(t, &s) {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			cert, err := serverCertificate(s.DSN(""))
			if err != nil {
				t.Fatal(err)
			}
			if cert.VerifyHostname("127.0.0.2") == nil {
				t.Skip("its certificate is for that address too")
			}
			p := intercepttest.NewProxy(t, intercept.Options{BackendTLS: tlspair.VerifyIdentity, BackendCA: s.CA}, alias(t, s.Addr))
			if _, err := who(s.DSN(p.Addr)); number(err) != 1043 {
				t.Errorf("got %v", err)
			}
			failedLogin(t, p, intercept.CauseServerCertificate, "--backend-tls=verify_ca")
		})
	}
}

// alias is another address of a server.
func alias(t *testing.T, addr string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skipf("no second address of the loopback: %v", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", addr)
			if err != nil {
				_ = a.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
				go func() { // ends with either connection
					_, _ = io.Copy(way[0], way[1])
					_ = way[0].Close()
				}()
			}
		}
	}()
	return l.Addr().String()
}

// TestHeldTooLong: whoever waits for a login that a person looks at loses patience some time.
func TestHeldTooLong(t *testing.T) {
	for _, tt := range []struct {
		who, hint string
	}{{"server", "server's connect_timeout"}, {"client", "client's timeout"}} {
		t.Run(tt.who, func(t *testing.T) {
			s := strangers(t, intercept.Options{ClientTLS: tlspair.Disabled})
			if _, err := s.Proxy.Breakpoints.Add("at auth"); err != nil {
				t.Fatal(err)
			}
			s.must(s.Server.Send(s.greeting(false)))
			_, err := s.Client.Receive()
			s.must(err)
			bell := s.Proxy.Journal.Listen()
			s.must(s.Client.Send(s.login(mysqlwire.Login{})))
			for late := time.After(intercepttest.Patience); len(s.Proxy.Gate.Pending()) == 0; {
				select {
				case <-bell:
				case <-late:
					t.Fatal("nothing is held")
				}
			}
			end := s.Server
			if tt.who == "client" {
				end = s.Client
			}
			s.must(end.Conn.Close())
			if r := s.failure(); r.Cause != intercept.CauseTimeout || !strings.Contains(r.Hint(), tt.hint) {
				t.Errorf("got %s", r.Text())
			}
		})
	}
}

// TestHeldRefusal: the server says no and leaves; a person looks at why, and the client is told all the same.
func TestHeldRefusal(t *testing.T) {
	refusal := []byte("\xff\x15\x04#28000Access denied for user 'app'@'%' (using password: YES)")
	for point, tt := range map[string]struct {
		begins bool
		says   []byte
	}{
		"handshake":   {false, []byte("\xff\x10\x04Too many connections")},
		"auth_result": {true, refusal},
	} {
		t.Run(point, func(t *testing.T) {
			s := strangers(t, intercept.Options{ClientTLS: tlspair.Disabled})
			if tt.begins {
				s.begin(false, false, mysqlwire.Login{AuthResponse: []byte("20 bytes of a proof.")})
			}
			if _, err := s.Proxy.Breakpoints.Add("at " + point); err != nil {
				t.Fatal(err)
			}
			bell := s.Proxy.Journal.Listen()
			s.must(s.Server.Send(tt.says))
			s.must(s.Server.Conn.Close())
			for late := time.After(intercepttest.Patience); len(s.Proxy.Gate.Pending()) == 0; {
				select {
				case <-bell:
				case <-s.Ended():
					t.Fatal("the session ended before anybody could look")
				case <-late:
					t.Fatal("nothing is held")
				}
			}
			if r := s.Proxy.Conns()[0].LoginFailure; r == nil || r.Error == nil {
				t.Error("nothing is explained while it is held")
			}
			s.must(s.Proxy.Gate.Resolve(s.Proxy.Gate.Pending()[0].ID, intercept.Verdict{}))
			s.hears(s.Client, string(tt.says), "")
			if r := s.failure(); r.Error == nil || s.Proxy.Conns()[0].Cause != r.Title() {
				t.Errorf("got %s", r.Text())
			}
		})
	}
}
