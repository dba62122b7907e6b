package intercept_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/tlspair"
)

// clientCertificate are the files of the lab's client certificate.
func clientCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	cert, key = os.Getenv("LAB_TLS_CLIENT_CERT"), os.Getenv("LAB_TLS_CLIENT_KEY")
	if cert == "" || key == "" {
		t.Skip("no client certificate: LAB_TLS_CLIENT_CERT is empty")
	}
	return cert, key
}

// TestAccountsThatRequireACertificate: the client's ends at mydbg, that of mydbg is the one the server sees.
func TestAccountsThatRequireACertificate(t *testing.T) {
	certFile, keyFile := clientCertificate(t)
	cert := readPEM(t, certFile)
	name := func(of string) string { return strings.ReplaceAll(of, "'", "''") }
	subject, issuer := "/"+strings.ReplaceAll(cert.Subject.String(), ",", "/"), "/"+strings.ReplaceAll(cert.Issuer.String(), ",", "/")
	for _, s := range realServers(t) {
		if !offersTLS(t, &s) {
			continue // TestEveryAccount… has what is true there
		}
		admin := client(t, &s, s.Addr, 0)
		must := func(sql string) {
			t.Helper()
			if sum := admin.Query(sql); sum.Error != nil {
				t.Fatalf("%s: %v", sql, sum.Error)
			}
		}
		for user, require := range map[string]string{
			"auth_cert_any": "X509", "auth_cert_subject": "SUBJECT '" + name(subject) + "'", "auth_cert_issuer": "ISSUER '" + name(issuer) + "'",
			"auth_cert_other": "SUBJECT '/CN=somebody else'", "auth_cert_tls": "SSL",
		} {
			t.Run(s.Name+" "+require, func(t *testing.T) {
				must("drop user if exists " + user)
				must("create user " + user + " identified by 'pw' require " + require)
				t.Cleanup(func() { admin.Query("drop user " + user) })
				in := func(o intercept.Options, params string) (*intercepttest.Proxy, error) {
					p := intercepttest.NewProxy(t, o, s.Addr)
					if params == "" {
						params = trusting(t, p)
					}
					_, err := who(fmt.Sprintf("%s:pw@tcp(%s)/?tls=%s", user, p.Addr, params))
					return p, err
				}
				switch {
				case require == "SSL":
					if _, err := in(intercept.Options{BackendTLS: tlspair.Required}, "false"); err != nil {
						t.Errorf("over TLS to the server: %v", err)
					}
					p, err := in(intercept.Options{BackendTLS: tlspair.Disabled}, "")
					if number(err) != 1045 {
						t.Errorf("over a plain leg: got %v", err)
					}
					r := unmet(t, p, intercept.CauseServerRequiresTLS, "--backend-tls=required")
					if !strings.Contains(r.Hints[0], "--backend-tls") {
						t.Errorf("the first hint is %q", r.Hints[0])
					}
					return
				case user != "auth_cert_other":
					if _, err := in(intercept.Options{BackendTLS: tlspair.Required, BackendCert: certFile, BackendKey: keyFile}, ""); err != nil {
						t.Errorf("with mydbg's own certificate: %v", err)
					}
				default:
					p, err := in(intercept.Options{BackendTLS: tlspair.Required, BackendCert: certFile, BackendKey: keyFile}, "")
					if number(err) != 1045 {
						t.Errorf("with another subject: got %v", err)
					}
					unmet(t, p, intercept.CauseCertificateRequired, "SHOW CREATE USER")
				}
				pair, err := tls.LoadX509KeyPair(certFile, keyFile)
				if err != nil {
					t.Fatal(err)
				}
				if err := mysql.RegisterTLSConfig("presenting", &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}}); err != nil {
					t.Fatal(err)
				}
				p, err := in(intercept.Options{BackendTLS: tlspair.Required}, "presenting")
				if number(err) != 1045 {
					t.Errorf("with the client's certificate: got %v", err)
				}
				r := unmet(t, p, intercept.CauseCertificateRequired, "--backend-cert=FILE")
				if !strings.Contains(r.Hints[0], "--backend-cert") || !strings.Contains(r.Text(), cert.Subject.String()) {
					t.Errorf("got %s", r.Text())
				}
				i := p.Conns()[0]
				want := intercept.Certificate{Subject: cert.Subject.String(), Issuer: cert.Issuer.String(), NotAfter: cert.NotAfter}
				if i.ClientCert == nil || *i.ClientCert != want {
					t.Errorf("the client's certificate is shown as %v, want %v", i.ClientCert, &want)
				}
				if i.ServerCert == nil || i.ServerCert.Subject == "" {
					t.Errorf("the server's certificate is shown as %v", i.ServerCert)
				}
			})
		}
	}
}

// unmet checks the report of an account whose requirement was not met. Only a server whose cache knows that the
// password is right names cause; elsewhere, and where somebody has just emptied that cache, it is
// one of the explanations of access denied.
func unmet(t *testing.T, p *intercepttest.Proxy, cause intercept.LoginCause, hint string) *intercept.LoginReport {
	t.Helper()
	r := newestFailure(p)
	if r.Cause != cause && r.Cause != intercept.CauseDenied || !strings.Contains(r.Hint(), hint) {
		t.Errorf("the cause is %s, want %s with a hint of %q:\n%s", r.Cause, cause, hint, r.Text())
	}
	return r
}

// TestUntrustedClientCertificate: the server refuses mydbg's own with an alert, or as if it had none.
func TestUntrustedClientCertificate(t *testing.T) {
	for _, s := range realServers(t) {
		if !offersTLS(t, &s) {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			cert, key := strangersCertificate(t)
			p := intercepttest.NewProxy(t, intercept.Options{BackendTLS: tlspair.Required, BackendCert: cert, BackendKey: key}, s.Addr)
			if _, err := who(s.DSN(p.Addr)); err == nil {
				t.Fatal("it got in")
			}
			failedLogin(t, p, intercept.CauseServerRefusesCertificate, "--backend-cert")
		})
	}
}

// TestClientsWithACertificate: asking for one disturbs no client, with one or without, old TLS or new.
func TestClientsWithACertificate(t *testing.T) {
	certFile, keyFile := clientCertificate(t)
	s := realServers(t)[0]
	for _, program := range []string{"mysql", "mariadb", "mariadb11"} {
		for _, version := range []string{"TLSv1.2", "TLSv1.3"} {
			for _, with := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s %v", program, version, with), func(t *testing.T) {
					path := tool(t, program)
					p := intercepttest.NewProxy(t, intercept.Options{BackendTLS: tlspair.Disabled}, s.Addr)
					args := []string{"--ssl", "--tls-version=" + version, "--disable-ssl-verify-server-cert"}
					if program == "mysql" {
						args = []string{"--ssl-mode=REQUIRED", "--tls-version=" + version}
					}
					if with {
						args = append(args, "--ssl-cert="+certFile, "--ssl-key="+keyFile)
					}
					got, err := run(t, path, intercepttest.User{Name: s.User, Password: s.Password}, p.Addr, s.Database, "select 1", args...)
					if err != nil || got != "1\n" {
						t.Errorf("got %q, %v", got, err)
					}
					if i := p.Conns()[0]; (i.ClientCert != nil) != with || !strings.Contains(i.ClientTLS, version[4:]) {
						t.Errorf("got %q with %v", i.ClientTLS, i.ClientCert)
					}
				})
			}
		}
	}
}

// TestCertificateThatCannotBeRead keeps nobody out for long: the client is not asked again.
func TestCertificateThatCannotBeRead(t *testing.T) {
	s := realServers(t)[0]
	p := intercepttest.NewProxy(t, intercept.Options{BackendTLS: tlspair.Disabled}, s.Addr)
	cert, key := strangersCertificate(t)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	pair.Certificate[0] = []byte("this is no certificate")
	if err := mysql.RegisterTLSConfig("garbage", &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}}); err != nil {
		t.Fatal(err)
	}
	if _, err := who(s.DSN(p.Addr) + "?tls=garbage"); err == nil {
		// The driver tries again by itself where the first attempt breaks off early enough.
		t.Log("it got in at its second attempt")
	}
	failedLogin(t, p, intercept.CauseClientCertificate, "connect again")
	if _, err := who(s.DSN(p.Addr) + "?tls=garbage"); err != nil {
		t.Errorf("the second time: %v", err)
	}
}

// strangersCertificate are the files of a certificate that no server knows.
func strangersCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := tlspair.OpenAuthority(dir); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca-key.pem")
}

// TestCertificateBoundToThePassword: MariaDB's clients from 11.4 on want the server's proof of its own
// certificate, which a proxy cannot give. What happens is named, and so are the ways out, which work.
// 127.0.0.2 is used because these clients do not look at certificates of 127.0.0.1.
func TestCertificateBoundToThePassword(t *testing.T) {
	path := tool(t, "mariadb11")
	for _, s := range realServers(t) {
		if s.Name != "mariadb11" {
			continue
		}
		for _, u := range s.Users {
			if !strings.HasSuffix(u.Name, "_native") && !strings.HasSuffix(u.Name, "_ed25519") && !strings.HasSuffix(u.Name, "_parsec") {
				continue
			}
			t.Run(u.Plugin, func(t *testing.T) {
				p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
				at, err := p.Listen("127.0.0.2:0")
				if err != nil {
					t.Skipf("no second address of the loopback: %v", err)
				}
				try := func(args ...string) error {
					_, err := run(t, path, u, at.String(), s.Database, "select 1", append([]string{"--password=" + u.Password}, args...)...)
					return err
				}
				if err := try(); err == nil || !strings.Contains(err.Error(), "NOT trusted") {
					t.Fatalf("got %v, want the client to distrust the certificate", err)
				}
				r := failedLogin(t, p, intercept.CauseCertificateBound, "--disable-ssl-verify-server-cert")
				file, err := p.CAFile()
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(r.Hint(), "--ssl-ca="+file) || r.Step != intercept.StepAfterLogin {
					t.Errorf("got %s", r.Text())
				}
				p.Until("the connection is listed as failed", func() bool { return p.Conns()[0].LoginFailure != nil })
				for _, out := range [][]string{{"--ssl-ca=" + file}, {"--disable-ssl-verify-server-cert"}, {"--skip-ssl"}} {
					if err := try(out...); err != nil {
						t.Errorf("with %s: %v", out, err)
					}
				}
			})
		}
	}
}

// TestServerCertificates that do not fit are told apart.
func TestServerCertificates(t *testing.T) {
	for _, s := range realServers(t) {
		if s.CA == "" || !offersTLS(t, &s) {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{BackendTLS: tlspair.VerifyIdentity, BackendCA: s.CA}, s.Addr)
			_, err := who(s.DSN(p.Addr))
			server, dialErr := serverCertificate(s.DSN(""))
			if dialErr != nil {
				t.Fatal(dialErr)
			}
			if server.VerifyHostname("127.0.0.1") == nil {
				if err != nil {
					t.Errorf("its own name: %v", err)
				}
				return
			}
			if number(err) != 1043 {
				t.Errorf("another name: got %v", err)
			}
			failedLogin(t, p, intercept.CauseServerCertificate, "--backend-tls=verify_ca")
		})
	}
}

// serverCertificate is the one that the server of a DSN shows.
func serverCertificate(dsn string) (*x509.Certificate, error) {
	var seen *x509.Certificate
	conf := &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
		seen = s.PeerCertificates[0]
		return nil
	}}
	if err := mysql.RegisterTLSConfig("looking", conf); err != nil {
		return nil, err
	}
	_, err := who(dsn + "?tls=looking")
	return seen, err
}

// TestUnwritableStateDirectory is noticed at the start: clients are not offered what could not be kept.
func TestUnwritableStateDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := intercept.New(intercept.Options{StateDir: file, ClientTLS: tlspair.Required}); err == nil || !strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("where TLS is required: got %v", err)
	}
	for _, s := range realServers(t) {
		p := intercepttest.NewProxy(t, intercept.Options{StateDir: file}, s.Addr)
		n := p.Journal.Notices(0, nil)
		if len(n) != 1 || n[0].Level != intercept.Warning || !strings.Contains(n[0].Text, "clients are not offered TLS") || !strings.Contains(n[0].Text, "--state-dir") {
			t.Errorf("the log has %v", n)
		}
		if _, err := who(s.DSN(p.Addr) + "?tls=preferred"); err != nil {
			t.Errorf("%s in plain text: %v", s.Name, err)
		}
		if _, err := who(s.DSN(p.Addr) + "?tls=skip-verify"); err == nil {
			t.Errorf("%s: TLS was offered", s.Name)
		}
	}
}
