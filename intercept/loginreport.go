package intercept

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// A LoginReport explains a login that failed: what the client offered, what the server wanted, which
// step failed and what to change. It holds no secret. Texts from the wire are in it as they came:
// whoever shows them makes them printable.
type LoginReport struct {
	At      time.Time
	Cause   LoginCause
	Step    LoginStep
	User    string // "" before the client has said it, as DB
	DB      string
	From    string // the client's address
	Backend string // the server's, "" while none was chosen
	// Line says what happened, in one sentence without a full stop.
	Line string
	// Hints say what to change, the likeliest first; none where nothing is wrong on this side.
	Hints  []string
	Client []Fact         // what the client offered
	Server []Fact         // what the server wanted
	Steps  []string       // the authentication, step by step
	Error  *mysqlwire.ERR // what the client was told; nil when nobody told it anything
}

// Fact is a line of a LoginReport: a name of one or two words and what there is to say.
type Fact struct{ Name, Text string }

// Hint is all hints in one line.
func (r *LoginReport) Hint() string { return strings.Join(r.Hints, "; or ") }

// Title is the report in a line.
func (r *LoginReport) Title() string {
	who := ""
	if r.User != "" {
		who = " of " + r.User
	}
	return "login" + who + " failed: " + r.Line
}

// Text is the report in lines.
func (r *LoginReport) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nfailed at: %s (%s)\n", r.Title(), r.Step, r.Cause)
	section := func(name string, facts []Fact) {
		if len(facts) == 0 {
			return
		}
		b.WriteString(name + "\n")
		for _, f := range facts {
			fmt.Fprintf(&b, "  %s: %s\n", f.Name, f.Text)
		}
	}
	section("the client offered", r.Client)
	section("the server wanted", r.Server)
	section("step by step", numbered(r.Steps))
	if r.Error != nil {
		fmt.Fprintf(&b, "the client was told\n  %v\n", r.Error)
	}
	section("what to change", numbered(r.Hints))
	return b.String()
}

func numbered(lines []string) []Fact {
	facts := make([]Fact, len(lines))
	for i, l := range lines {
		facts[i] = Fact{fmt.Sprint(i + 1), l}
	}
	return facts
}

// LoginStep is how far a login came.
type LoginStep uint8

const (
	StepConnect LoginStep = iota
	StepGreeting
	StepClientLogin
	StepClientTLS
	StepServerTLS
	StepAuthentication
	StepAfterLogin
	StepChangeUser
)

func (s LoginStep) String() string {
	return [...]string{
		"connecting to the server", "the server's greeting", "the client's login", "TLS with the client", "TLS with the server",
		"authentication", "after the login", "COM_CHANGE_USER",
	}[s]
}

// Hook is the hook event at or before which a login of that step failed.
func (s LoginStep) Hook() string { return s.point().String() }

func (s LoginStep) point() Point {
	switch s {
	case StepConnect:
		return rule.ConnectServer
	case StepGreeting:
		return rule.ReadHandshake
	case StepClientLogin, StepClientTLS, StepServerTLS:
		return rule.ReadAuth
	case StepChangeUser:
		return rule.ReadQueryResult
	}
	return rule.ReadAuthResult
}

// LoginCause says why a login failed, in a word that programs may rely on.
type LoginCause string

const (
	// Nobody answered, or not in MySQL's protocol.
	CauseServerUnreachable LoginCause = "server_unreachable"
	CauseServerSilent      LoginCause = "server_silent"
	CauseNotServer         LoginCause = "not_a_mysql_server"
	CauseNotClient         LoginCause = "not_a_mysql_client"
	CauseServerLeft        LoginCause = "server_left"
	CauseClientLeft        LoginCause = "client_left"
	CauseNoLogin           LoginCause = "client_left_before_login"
	CauseTimeout           LoginCause = "timeout"
	CauseMalformed         LoginCause = "malformed_packet"
	CauseOutOfOrder        LoginCause = "packet_out_of_order"
	CauseOldProtocol       LoginCause = "old_protocol"

	// The server takes no connections, not from here, or not now.
	CauseTooMany        LoginCause = "too_many_connections"
	CauseHostBlocked    LoginCause = "host_blocked"
	CauseHostNotAllowed LoginCause = "host_not_allowed"
	CauseOffline        LoginCause = "server_offline"
	CauseRefused        LoginCause = "server_refused"

	// TLS with the client.
	CauseClientTLS           LoginCause = "client_tls_failed"
	CauseClientDistrusts     LoginCause = "client_refused_certificate"
	CauseClientPlain         LoginCause = "client_plain_after_tls_request"
	CauseClientTLSFirst      LoginCause = "client_began_with_tls"
	CauseTLSNotOffered       LoginCause = "tls_not_offered_to_client"
	CauseListenerRequiresTLS LoginCause = "tls_required_by_mydbg"
	CauseCertificateBound    LoginCause = "certificate_bound_to_password"
	CauseClientCertificate   LoginCause = "client_certificate_unreadable"

	// TLS with the server.
	CauseServerWithoutTLS         LoginCause = "server_without_tls"
	CauseServerTLS                LoginCause = "server_tls_failed"
	CauseServerCertificate        LoginCause = "server_certificate"
	CauseServerRefusesCertificate LoginCause = "server_refused_certificate"
	CauseServerRequiresTLS        LoginCause = "tls_required_by_server"
	CauseCertificateRequired      LoginCause = "certificate_required_by_account"

	// The proof of identity.
	CauseDenied            LoginCause = "access_denied"
	CauseNoPassword        LoginCause = "no_password_sent"
	CauseOldPassword       LoginCause = "old_password"
	CauseCleartext         LoginCause = "cleartext_refused"
	CauseClearPlugin       LoginCause = "cleartext_plugin_disabled"
	CauseKeyPinned         LoginCause = "rsa_key_pinned"
	CauseKeyNeeded         LoginCause = "rsa_key_needed"
	CausePluginUnsupported LoginCause = "plugin_not_supported_by_client"
	CausePluginNotLoaded   LoginCause = "plugin_not_loaded_by_server"
	CauseExchange          LoginCause = "authentication_broke_off"

	// Who may do what.
	CauseDatabaseDenied  LoginCause = "database_denied"
	CauseDatabaseUnknown LoginCause = "database_unknown"
	CauseExpired         LoginCause = "password_expired"
	CauseLocked          LoginCause = "account_locked"
	CauseAttributes      LoginCause = "connection_attributes"
)

// Certificate is what is shown of a certificate that one side presented.
type Certificate struct {
	Subject, Issuer string
	NotAfter        time.Time
}

// String is the certificate in a line.
func (c *Certificate) String() string {
	return fmt.Sprintf("%s, issued by %s, valid until %s", c.Subject, c.Issuer, c.NotAfter.UTC().Format(time.DateOnly))
}

// clientFacts are what the client offered.
func (a *attempt) clientFacts(i *ConnInfo) []Fact {
	facts := []Fact{{"address", i.Client}}
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, Fact{name, text})
		}
	}
	if !a.loggedIn {
		return append(facts, Fact{"TLS", tlsWords(i.ClientTLS)})
	}
	add("program", program(i))
	add("user", i.User)
	add("database", i.DB)
	plugin := a.clientPlugin
	if a.exchange != nil {
		plugin = a.exchange.Progress().Offered
	}
	if plugin == "" {
		plugin = "none named"
	}
	add("plugin", plugin)
	add("TLS", tlsWords(i.ClientTLS))
	if i.ClientCert != nil {
		add("certificate", i.ClientCert.String()+" (seen here; it cannot cross to the server)")
	}
	add("capabilities", strings.Join(a.clientCaps.Names(), " "))
	return facts
}

// program is what the client says it is, with the library it uses.
func program(i *ConnInfo) string {
	find := func(name string) string {
		at := slices.IndexFunc(i.Attrs, func(a mysqlwire.Attr) bool { return a.Name == name })
		if at < 0 {
			return ""
		}
		return i.Attrs[at].Value
	}
	text := find("program_name")
	if lib := strings.TrimSpace(find("_client_name") + " " + find("_client_version")); lib != "" && text != "" {
		text += " (" + lib + ")"
	} else if lib != "" {
		text = lib
	}
	return text
}

// serverFacts are what the server wanted.
func (a *attempt) serverFacts(i *ConnInfo) []Fact {
	if i.Backend == "" {
		return nil
	}
	facts := []Fact{{"address", i.Backend}}
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, Fact{name, text})
		}
	}
	add("version", i.Server)
	if i.Server == "" {
		return facts
	}
	text := tlsWords(i.ServerTLS)
	switch {
	case i.ServerTLS == "" && a.serverCaps.Has(mysqlwire.SSL):
		text += ", though it offers TLS"
	case i.ServerTLS == "":
		text += ": it offers no TLS"
	case a.certWanted && a.certSent:
		text += ", with mydbg's own certificate (--backend-cert)"
	case a.certWanted:
		text += "; it asked for a certificate and mydbg has none (--backend-cert, --backend-key)"
	}
	add("TLS", text)
	if i.ServerCert != nil {
		add("certificate", i.ServerCert.String())
	}
	if a.exchange == nil {
		add("plugin", a.serverPlugin)
		return facts
	}
	p := a.exchange.Progress()
	text = p.Plugin
	switch {
	case p.Factor > 1:
		text += fmt.Sprintf(", as factor %d", p.Factor)
	case p.Switched:
		text += ", which it asked for in place of " + p.Offered
	}
	add("plugin", text)
	return facts
}

func tlsWords(version string) string {
	if version == "" {
		return "none, plain text"
	}
	return version
}
