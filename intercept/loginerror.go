package intercept

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
)

// Errors with which servers refuse logins. Numbers are MySQL's unless they say otherwise.
const (
	erTooManyConnections     = 1040
	erBadHandshake           = 1043
	erDatabaseDenied         = 1044
	erAccessDenied           = 1045
	erDatabaseUnknown        = 1049
	erHostBlocked            = 1129
	erHostNotAllowed         = 1130
	erReadTimeout            = 1159
	erWriteTimeout           = 1161
	erTooManyUserConnections = 1203
	erUserLimit              = 1226
	erClientTooOld           = 1251
	erSecureAuth             = 1275
	erPluginNotLoaded        = 1524
	erDeniedNoPassword       = 1698
	erPasswordMustChange     = 1820
	erPasswordExpired        = 1862
	erOfflineMode            = 3032
	erAccountLocked          = 3118
	erTLSRequired            = 3159
	erBlockedByFailures      = 3955
	erMariaDBLocked          = 4151
	erMariaDBManyFailures    = 4150 // also: account is blocked because of too many credential errors
)

// serverSaid explains an error of the server.
func (a *attempt) serverSaid(i *ConnInfo, e *mysqlwire.ERR) reason {
	said := e.Error()
	switch e.Code {
	case erAccessDenied, erDeniedNoPassword:
		return a.denied(i, e)
	case erTooManyConnections:
		return because(CauseTooMany, "the server has no connection left: "+said, "close connections that nobody needs, or raise the server's max_connections")
	case erTooManyUserConnections, erUserLimit:
		return because(CauseTooMany, "the account has no connection left: "+said, "close some, or raise the account's limit: ALTER USER … WITH MAX_USER_CONNECTIONS …, max_user_connections")
	case erHostBlocked:
		return because(CauseHostBlocked, "the server blocks this machine after too many failed connections: "+said,
			"TRUNCATE TABLE performance_schema.host_cache on the server, or mysqladmin flush-hosts; behind mydbg all clients count as one machine")
	case erHostNotAllowed:
		return because(CauseHostNotAllowed, "the server has no account for this machine: "+said, "make an account for the address that mydbg connects from; the server sees that, not the client's")
	case erTLSRequired:
		return because(CauseServerRequiresTLS, "the server takes connections with TLS only: "+said, "let mydbg use TLS to the server: --backend-tls=required (or preferred)")
	case erDatabaseDenied:
		return because(CauseDatabaseDenied, "the account may not use the database: "+said, "log in without a database, or GRANT rights on it")
	case erDatabaseUnknown:
		return because(CauseDatabaseUnknown, "there is no such database: "+said, "create it, or let the client name another one or none")
	case erPasswordExpired, erPasswordMustChange:
		return because(CauseExpired, "the password is right but has expired: "+said,
			"change it: ALTER USER … IDENTIFIED BY …, or mysqladmin password", "let the client say that it can handle expired passwords: --connect-expired-password")
	case erAccountLocked, erMariaDBLocked:
		return because(CauseLocked, "the account is locked: "+said, "ALTER USER … ACCOUNT UNLOCK")
	case erBlockedByFailures, erMariaDBManyFailures:
		return because(CauseLocked, "the account is locked after too many wrong passwords: "+said, "ALTER USER … ACCOUNT UNLOCK, on MariaDB FLUSH PRIVILEGES; else wait")
	case erOfflineMode:
		return because(CauseOffline, "the server is in offline mode: "+said, "SET GLOBAL offline_mode = OFF")
	case erPluginNotLoaded:
		return because(CausePluginNotLoaded, "the server does not have the account's plugin: "+said, "load it on the server (INSTALL PLUGIN, plugin_load_add, mysql_native_password=ON), or give the account another: ALTER USER … IDENTIFIED WITH …")
	case erClientTooOld, erSecureAuth:
		return because(CauseOldPassword, "the server will not use so old a way of proving passwords: "+said, "update the client", "give the account a newer password: ALTER USER … IDENTIFIED BY …")
	case erReadTimeout, erWriteTimeout:
		return because(CauseTimeout, "the server waited too long: "+said, "hold logins for less than the server's connect_timeout, or raise that")
	case erBadHandshake:
		return a.badHandshake(i, said)
	}
	return because(CauseRefused, "the server refused: "+said)
}

// attributesLimit is how many bytes of connection attributes servers take at most, by MySQL's manual.
const attributesLimit = 64 << 10

// badHandshake explains the error that says the least.
func (a *attempt) badHandshake(i *ConnInfo, said string) reason {
	n := 0
	for _, at := range i.Attrs {
		n += len(at.Name) + len(at.Value)
	}
	if n >= attributesLimit {
		return because(CauseAttributes, fmt.Sprintf("the server could not read the login, which has %d bytes of connection attributes: %s", n, said),
			"let the client send less than 64 KiB of them")
	}
	return because(CauseMalformed, "the server could not read the login: "+said,
		"if a rule or a script edited it, undo that", "if mydbg's leg has another capability than the client asked for, report it with the text above")
}

// denied explains 1045, which servers use for most of what can be wrong, so as to tell strangers nothing.
func (a *attempt) denied(i *ConnInfo, e *mysqlwire.ERR) reason {
	said := e.Error()
	var p auth.Progress
	if a.exchange != nil {
		p = a.exchange.Progress()
	}
	requirement := a.requirement(i)
	switch {
	case e.Code == erDeniedNoPassword:
		return because(CauseDenied, "the account looks who the client is (unix_socket, auth_socket), if not in place of a password then besides: "+said,
			"the server sees mydbg's own user at its socket, not the client's: make an account with a password")
	case p.Verified && requirement.cause != "":
		requirement.line = "the password is right, " + requirement.line + ": " + said
		return requirement
	case p.Verified:
		return because(CauseRefused, "the password is right, but the server refused all the same: "+said,
			"look at what the account REQUIREs: SHOW CREATE USER")
	case p.NoPassword || !p.Answered && strings.Contains(e.Message, "using password: NO"): // which PAM says of any password
		return because(CauseNoPassword, "the client sent no password: "+said, "give the client the password", "if it has one, look why it does not use it: another configuration file, an empty variable")
	}
	v := because(CauseDenied, "the password is wrong, or there is no such account for this machine, which servers do not tell apart: "+said,
		"try user and password at the server itself; behind mydbg it sees the address of mydbg's machine")
	if requirement.cause == "" {
		return v
	}
	hint := "if the password is right, " + strings.TrimPrefix(requirement.line, "but ") + ": " + requirement.hints[0]
	if requirement.likely {
		v.line = "the password is wrong, there is no such account for this machine, or it REQUIREs what mydbg does not pass on, which servers do not tell apart: " + said
		v.hints = append([]string{hint}, v.hints...)
	} else {
		v.hints = append(v.hints, hint)
	}
	return v
}

// requirement is what an account may REQUIRE and did not get, as far as the server's leg tells.
func (a *attempt) requirement(i *ConnInfo) reason {
	switch {
	case i.ServerTLS == "" && !a.serverCaps.Has(mysqlwire.SSL):
		return reason{}
	case i.ServerTLS == "":
		v := because(CauseServerRequiresTLS, "but the account may REQUIRE SSL and mydbg's connection to the server is plain",
			"let mydbg use TLS to the server: --backend-tls=required")
		v.likely = i.ClientTLS != ""
		return v
	case a.certWanted && a.certSent:
		return because(CauseCertificateRequired, "but the account may REQUIRE a certificate with another SUBJECT or ISSUER than that of --backend-cert",
			"give mydbg the certificate that SHOW CREATE USER names: --backend-cert, --backend-key")
	case a.certWanted && i.ClientCert != nil:
		v := because(CauseCertificateRequired, "but the account may REQUIRE X509: the client's certificate ("+i.ClientCert.Subject+") ends at mydbg", ownCertificate)
		v.likely = true
		return v
	case a.certWanted:
		return because(CauseCertificateRequired, "but the account may REQUIRE X509 and mydbg showed no certificate to the server", ownCertificate)
	}
	return reason{}
}

// exchangeFailed explains what mydbg itself could not carry over.
func (a *attempt) exchangeFailed(e *auth.Error) reason {
	p := a.exchange.Progress()
	v := because(CauseExchange, e.Error(), e.Hint)
	switch {
	case errors.Is(e, auth.ErrCleartext):
		v.cause = CauseCleartext
		v.hints = []string{"use TLS to the server: --backend-tls=required", "if that leg is safe, let clear-text passwords cross it: --allow-cleartext"}
	case errors.Is(e, auth.ErrOldPassword):
		v.cause = CauseOldPassword
		v.hints = []string{"give the account a newer password: SET old_passwords = 0, then SET PASSWORD", "update the client if it is older than MySQL 4.1"}
	case errors.Is(e, rsa.ErrDecryption) && !p.KeyAsked:
		v.cause = CauseKeyPinned
	}
	return v
}
