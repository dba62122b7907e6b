package intercept

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
)

// attempt is what a login has come to, for the report if it fails.
type attempt struct {
	step         LoginStep
	since        time.Time // the step began
	exchange     *auth.Exchange
	refused      *mysqlwire.ERR // by the server
	told         *mysqlwire.ERR // by mydbg
	loggedIn     bool           // the client's login has been read
	clientCaps   mysqlwire.Caps
	clientPlugin string
	serverPlugin string // of the greeting
	clientTLS    bool   // TLS was offered to the client
	serverCaps   mysqlwire.Caps
	certWanted   bool // the server asked mydbg for a certificate
	certSent     bool
	held         string // where it was held when it ended; "" if it was not
	caFile       string // of the authority for clients, once one has used TLS
	bound        bool   // the OK binds the password to the server's certificate
}

func (a *attempt) at(s LoginStep) { a.step, a.since = s, time.Now() }

// errRefused ends a login that the server refused with an error.
var errRefused = errors.New("the server refused the login")

// reason is a cause with its words.
type reason struct {
	cause LoginCause
	line  string
	hints []string
	// likely says that it is as good an explanation as any, where it is one of several.
	likely bool
}

func because(c LoginCause, line string, hints ...string) reason {
	return reason{cause: c, line: line, hints: slices.DeleteFunc(hints, func(h string) bool { return h == "" })}
}

// explain says why a login ended with err; nil when nothing failed: a rule, a person or the end of
// mydbg ended it.
func (s *session) explain(ctx context.Context, err error) *LoginReport {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var refused *refusal
	switch {
	case errors.Is(err, errRefused), errors.Is(err, errClientLeft), errors.Is(err, errServerLeft), errors.As(err, &refused):
	case ctx.Err() != nil, errors.Is(err, errClosed):
		return nil
	}
	i := s.conn.Info()
	return s.report(&i, err)
}

func (s *session) report(i *ConnInfo, err error) *LoginReport {
	a := &s.attempt
	v := a.judge(i, &s.proxy.o, err)
	r := &LoginReport{
		At: time.Now(), Cause: v.cause, Step: a.step, Line: v.line, Hints: v.hints, Error: a.refused, From: i.Client, Backend: i.Backend,
		Client: a.clientFacts(i), Server: a.serverFacts(i),
	}
	if r.Error == nil {
		r.Error = a.told
	}
	if a.loggedIn {
		r.User, r.DB = i.User, i.DB
	}
	if a.exchange != nil {
		r.Steps = a.exchange.History()
	}
	return r
}

// judge finds the cause. The most certain evidence comes first: what the server said, then what mydbg
// itself refused, then who left and when.
func (a *attempt) judge(i *ConnInfo, o *Options, err error) reason {
	var (
		leg     *tlspair.Error
		step    *auth.Error
		foreign *protocolError
	)
	switch {
	case a.refused != nil:
		return a.serverSaid(i, a.refused)
	case errors.As(err, &step):
		return a.exchangeFailed(step)
	case errors.As(err, &leg):
		return a.legFailed(leg)
	case errors.As(err, &foreign):
		return a.notOurProtocol(i, foreign)
	}
	switch {
	case a.held != "" && errors.Is(err, errClientLeft):
		return a.clientWent(i, err)
	case a.held != "" && errors.Is(err, errServerLeft):
		return a.serverWent(i, err)
	}
	switch a.step {
	case StepConnect, StepGreeting:
		return a.noServer(i, o, err)
	case StepServerTLS:
		return because(CauseServerTLS, err.Error())
	}
	switch {
	case errors.Is(err, errClientLeft):
		return a.clientWent(i, err)
	case errors.Is(err, errServerLeft):
		return a.serverWent(i, err)
	case errors.Is(err, errOldProtocol):
		return because(CauseOldProtocol, err.Error(), "use a client library of MySQL 4.1 or newer",
			"if it is newer, let it not turn the 4.1 protocol off (--skip-secure-auth, CLIENT_PROTOCOL_41)")
	case errors.Is(err, errNeedsTLS):
		return because(CauseListenerRequiresTLS, err.Error(), "let the client use TLS: --ssl-mode=REQUIRED, for MariaDB's --ssl",
			"let mydbg take plain connections: --client-tls=preferred")
	case errors.Is(err, errNoTLS):
		return because(CauseTLSNotOffered, err.Error(), "let mydbg offer it: --client-tls=preferred", "let the client do without: --ssl-mode=DISABLED, for MariaDB's --skip-ssl")
	case a.step == StepClientTLS:
		return because(CauseClientTLS, err.Error(), "--state-dir names a directory for the certificate authority")
	}
	return because(CauseMalformed, err.Error(), "if a rule or a script edited the login, undo that; else the client's library is broken or too new")
}

// noServer is for a server that did not come to greet.
func (a *attempt) noServer(i *ConnInfo, o *Options, err error) reason {
	switch {
	case errors.Is(err, errClientLeft):
		return because(CauseClientLeft, "the client left before the server had greeted")
	case a.step == StepConnect:
		return because(CauseServerUnreachable, err.Error(), "start the server, or set its address with --backend",
			"if the address is a name, look whether it means this server: 127.0.0.1 and ::1 are not the same")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return because(CauseServerSilent, fmt.Sprintf("the server at %s sent no greeting for %v", i.Backend, o.ConnectTimeout),
			"look whether a MySQL server listens there: one of TLS or of HTTP waits for its client to speak first",
			"a server that looks up the client's name may wait for its DNS: try skip_name_resolve")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errServerLeft):
		return because(CauseServerLeft, fmt.Sprintf("the server at %s closed the connection without a greeting", i.Backend),
			"the server's error log may say why", "a balancer in between has perhaps no server behind it")
	}
	return because(CauseNotServer, err.Error(), "set the address of a MySQL or MariaDB server with --backend")
}

// clientWent is for a client that left without being told an error.
func (a *attempt) clientWent(i *ConnInfo, err error) reason {
	switch {
	case a.held != "":
		return because(CauseTimeout, "client left while its login was held at "+a.held, "hold logins for less than the client's timeout (connect_timeout, dial or login timeout), or raise that")
	case a.step == StepAfterLogin:
		return a.certificateBound()
	case a.step == StepClientLogin && errors.Is(err, io.ErrUnexpectedEOF):
		return because(CauseClientLeft, "the client left in the middle of its login")
	case a.step == StepClientLogin && i.ClientTLS != "":
		return because(CauseClientDistrusts, "the client left after TLS had begun, before its login: it does not accept the certificate or the name in it",
			a.trust(), "let it not compare the name: --ssl-mode=VERIFY_CA, or not verify at all: --ssl-mode=REQUIRED, for MariaDB's --disable-ssl-verify-server-cert")
	case a.step == StepClientLogin && !a.clientTLS:
		return because(CauseNoLogin, "the client left after the greeting, before its login",
			"a monitor that only looks whether the port is open does so", "a client that insists on TLS does so too: none was offered to it")
	case a.step == StepClientLogin:
		return because(CauseNoLogin, "the client left after the greeting, before its login", "a monitor that only looks whether the port is open does so")
	case a.exchange == nil:
		return because(CauseClientLeft, "the client left before the server had answered its login")
	}
	return a.clientGaveUp(i)
}

// clientGaveUp is for a client that left in the middle of the authentication.
func (a *attempt) clientGaveUp(i *ConnInfo) reason {
	p := a.exchange.Progress()
	plain := i.ClientTLS == ""
	switch {
	case p.Next == auth.Server:
		return because(CauseClientLeft, fmt.Sprintf("the client left while the server was busy with its %s login", p.Plugin), "its timeout may be too short: connect_timeout, dial or login timeout")
	case p.Full && plain:
		return because(CauseKeyNeeded, "the client left when the server asked for the password itself: it sends that over TLS only, or encrypted with the server's RSA key",
			"let the client use TLS to mydbg", "let it ask for the key: --get-server-public-key, allowPublicKeyRetrieval=true")
	case p.KeyAsked:
		return because(CauseKeyNeeded, "the client left when it was sent an RSA key", "let the client use TLS to mydbg",
			"if a key file is set (server-public-key-path, serverRSAPublicKeyFile), leave it out: mydbg has a key of its own where the server's leg has TLS")
	case (p.Plugin == "mysql_clear_password" || p.Plugin == "dialog") && !p.Answered:
		return because(CauseClearPlugin, "the client left when the server asked for the password in clear text ("+p.Plugin+")",
			"allow it in the client: --enable-cleartext-plugin, LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN=1, allowCleartextPasswords=true", "and let it use TLS to mydbg, if it wants TLS for that")
	case p.Switched || p.Factor > 1:
		why := because(CausePluginUnsupported, fmt.Sprintf("the client left when the server asked for %s: it does not have that plugin or is not allowed to use it", p.Plugin),
			"update the client, or install its plugin "+p.Plugin, "give the account a plugin that the client knows: ALTER USER … IDENTIFIED WITH …")
		if !plain && mariaDBClient(i) {
			why.hints = append(why.hints, "a MariaDB client that does not trust the certificate uses only plugins that can vouch for it: "+a.trust())
		}
		return why
	case !plain && mariaDBClient(i):
		return a.certificateBound()
	}
	return because(CauseClientLeft, fmt.Sprintf("the client left in the middle of its %s login", p.Plugin))
}

// serverWent is for a server that left without an error.
func (a *attempt) serverWent(i *ConnInfo, err error) reason {
	waited := time.Since(a.since).Round(100 * time.Millisecond)
	if alert := tlspair.Alert(err); strings.Contains(alert, "certificate") || strings.Contains(alert, "unknown") && strings.Contains(alert, "authority") {
		if a.certSent {
			return because(CauseServerRefusesCertificate, "the server refused mydbg's client certificate: "+alert,
				"give mydbg a certificate of an authority that the server trusts (its ssl_ca): --backend-cert, --backend-key")
		}
		return because(CauseServerRefusesCertificate, "the server wants a client certificate: "+alert, ownCertificate)
	}
	switch {
	case a.certSent && a.exchange != nil && !a.exchange.Progress().Heard:
		return because(CauseServerRefusesCertificate, "the server left after it had seen mydbg's client certificate: it does not trust it, most likely",
			"give mydbg a certificate of an authority that the server trusts (its ssl_ca): --backend-cert, --backend-key")
	case a.held != "":
		return because(CauseTimeout, "server left while the login was held at "+a.held, "hold logins for less than the server's connect_timeout (10 s unless set), or raise that")
	case a.step == StepClientLogin:
		return because(CauseTimeout, fmt.Sprintf("the server left while it waited %v for the client's login", waited),
			"hold logins for less than the server's connect_timeout, or raise that")
	case a.exchange != nil && a.exchange.Progress().Next == auth.Client:
		return because(CauseTimeout, fmt.Sprintf("the server left while it waited %v for the client's answer to %s", waited, a.exchange.Progress().Plugin),
			"raise the server's connect_timeout, or answer faster")
	}
	line := "the server left without an answer to the login"
	if !errors.Is(err, io.EOF) && err != errServerLeft {
		line += ": " + err.Error()
	}
	return because(CauseServerLeft, line, "the server's error log may say why: it has perhaps crashed, been stopped, or killed the connection")
}

// legFailed is for TLS that did not come about.
func (a *attempt) legFailed(e *tlspair.Error) reason {
	cause := CauseClientTLS
	if a.step == StepServerTLS {
		cause = CauseServerTLS
	}
	var invalid x509.CertificateInvalidError
	switch {
	case e.Reason == tlspair.NotOffered:
		cause = CauseServerWithoutTLS
	case a.step == StepServerTLS && (e.Reason == tlspair.Untrusted || e.Reason == tlspair.OtherName || errors.As(e, &invalid)):
		cause = CauseServerCertificate
	case a.step == StepServerTLS && e.Reason == tlspair.NeedsOurs:
		cause = CauseServerRefusesCertificate
	case e.Reason == tlspair.Distrusted, e.Reason == tlspair.HungUp:
		cause = CauseClientDistrusts
	case e.Reason == tlspair.PlainText && a.step == StepClientTLS:
		cause = CauseClientPlain
	case e.Reason == tlspair.BadCertificate:
		cause = CauseClientCertificate
	}
	line := e.Error()
	switch cause {
	case CauseClientDistrusts:
		line = "the client refused mydbg's certificate: " + line
	case CauseServerCertificate:
		line = "mydbg refused the server's certificate: " + line
	}
	v := because(cause, line, e.Hint)
	if cause == CauseServerRefusesCertificate && !a.certSent {
		v.hints = append(v.hints, ownCertificate)
	}
	return v
}

// notOurProtocol is for bytes that make no sense here.
func (a *attempt) notOurProtocol(i *ConnInfo, e *protocolError) reason {
	name := foreigner(e.head)
	if a.step == StepGreeting {
		line := fmt.Sprintf("%s answered with %s", i.Backend, e.text)
		hint := "set the address of a MySQL or MariaDB server with --backend"
		switch name {
		case "":
		case foreignX:
			line, hint = fmt.Sprintf("%s speaks the X Protocol", i.Backend), "use the port of the classic protocol, usually 3306 instead of 33060"
		default:
			line = fmt.Sprintf("%s speaks %s", i.Backend, name)
		}
		return because(CauseNotServer, fmt.Sprintf("%s (%q), %v", line, e.head, e), hint)
	}
	what := fmt.Sprintf("the client sent %q, %v", e.head, e)
	switch {
	case a.step == StepClientLogin && name == foreignTLS:
		return because(CauseClientTLSFirst, "the client began with TLS at once, where MySQL's clients wait for the greeting and ask for it: "+e.Error(),
			"let the client speak MySQL's protocol, not a tunnel's (stunnel, sslmode of another product)")
	case a.step == StepClientLogin && name == foreignProxy:
		return because(CauseNotClient, "the client sent a header of the PROXY protocol, which this listener does not expect, "+e.Error(),
			"let the balancer before mydbg not send it, or let mydbg expect it with --proxy-protocol=require, or accept where other clients connect themselves")
	case a.step == StepClientLogin && name == foreignX:
		return because(CauseNotClient, "the client speaks the X Protocol: "+what, "let it use the classic protocol: mysql://, not mysqlx://")
	case a.step == StepClientLogin && name != "":
		return because(CauseNotClient, "the client speaks "+name+": "+what, "give that client the address it is meant for")
	case a.exchange != nil && a.exchange.Progress().Next == auth.Server:
		return because(CauseOutOfOrder, fmt.Sprintf("the server sent %q, %v", e.head, e), "something between mydbg and the server may have changed the bytes")
	}
	return because(CauseOutOfOrder, what, "the client's library is broken, or something before mydbg has changed the bytes")
}

const ownCertificate = "give mydbg a client certificate of its own: --backend-cert=FILE --backend-key=FILE; that of the client cannot cross a proxy"

// trust is how a client comes to trust mydbg's certificates.
func (a *attempt) trust() string {
	return "let the client trust mydbg's authority: --ssl-ca=" + a.caFile
}

// certificateBound is MariaDB's check of a certificate by the password.
func (a *attempt) certificateBound() reason {
	return because(CauseCertificateBound,
		"the client left after the server's OK: MariaDB clients from 11.4 on that do not know the authority of a certificate want the server "+
			"to prove with the password that the certificate is its own, and behind a proxy it is another one",
		a.trust(), "let it not verify: --disable-ssl-verify-server-cert", "let it do without TLS: --skip-ssl")
}

// mariaDBClient reports whether the client uses MariaDB's library, as far as it says so.
func mariaDBClient(i *ConnInfo) bool {
	return slices.ContainsFunc(i.Attrs, func(a mysqlwire.Attr) bool {
		return a.Name == "_client_name" && strings.Contains(a.Value, "mariadb")
	})
}
