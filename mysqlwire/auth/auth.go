// Package auth knows how MySQL and MariaDB clients prove a password, and what a proxy has to
// do when it sits between the two sides of such a proof.
//
// It has two halves. The functions compute and check single answers: [NativePassword],
// [CachingSHA2], [EncryptPassword] and their counterparts for a server. [Exchange] follows the
// rounds of one login or COM_CHANGE_USER and says, packet by packet, what each side must be
// sent. Nothing here does I/O, counts sequence ids or parses login packets.
//
// The one rule for callers: a proxy sends exactly what a [Step] says and then listens to
// whom Step.Next names. Payloads the exchange has no reason to touch come back as the very
// slices that were passed in.
//
// What we chose: hash and signature plugins are relayed, because they are bound to the
// server's scramble only, and that passes through. Only the full authentication of
// caching_sha2_password and sha256_password depends on whether a leg is secure: the client
// encrypts for a plain leg and sends clear text on a secure one, and the server expects the
// same of its own leg. Where the legs differ the exchange translates, with a key of its own
// towards the client or the server's key towards the server. What we did not choose: logging
// in to the server with credentials of the proxy, which would hide the application's own
// login from the person who wants to see it.
package auth

import (
	"errors"
	"strings"
)

// A Leg is one of the proxy's two connections, as far as passwords are concerned.
type Leg struct {
	TLS    bool
	Socket bool // a Unix socket
}

// private says whether the leg hides what is sent on it from others on the network.
func (l Leg) private() bool { return l.TLS || l.Socket }

// sendsClear says whether the plugin's full authentication sends the password itself on the
// leg, rather than encrypting it. Clients and servers follow the same rule:
// caching_sha2_password trusts TLS and Unix sockets, sha256_password TLS alone.
func (l Leg) sendsClear(k kind) bool {
	if k == kindSHA256 {
		return l.TLS
	}
	return l.private()
}

// kind groups the plugins by what a proxy must know about them.
type kind uint8

const (
	kindUnknown     kind = iota
	kindOld              // the pre-4.1 hash, refused
	kindHash             // one answer, bound to the scramble
	kindTurns            // several answers bound to the scramble, one for each question
	kindFree             // tokens or signatures, in an order of the plugin's own
	kindClear            // the password itself, or a token as good as one
	kindCachingSHA2      // a hash, then perhaps the password
	kindSHA256           // the password, encrypted on plain legs
)

var kinds = map[string]kind{
	"mysql_old_password":    kindOld,
	"mysql_native_password": kindHash,
	"client_ed25519":        kindHash,
	"parsec":                kindTurns,
	"caching_sha2_password": kindCachingSHA2,
	"sha256_password":       kindSHA256,
	"mysql_clear_password":  kindClear,
	"dialog":                kindClear,

	// The identity token is valid for whoever holds it.
	"authentication_openid_connect_client": kindClear,

	"auth_gssapi_client":              kindFree,
	"authentication_kerberos_client":  kindFree,
	"authentication_ldap_sasl_client": kindFree,
	"authentication_oci_client":       kindFree,
	"authentication_webauthn_client":  kindFree,
	"authentication_fido_client":      kindFree,
}

// kindOf looks a plugin up by the name on the wire. A client that names none means
// mysql_native_password.
func kindOf(plugin string) kind {
	if plugin == "" {
		return kindHash
	}
	return kinds[plugin]
}

// An Error says which plugin and which step of an exchange could not go on. It ends the
// exchange: the client should be sent an ERR, the server be left.
type Error struct {
	Plugin string
	Step   string // what was going on, in words
	Err    error
	Hint   string // what to try next, may be empty
}

func (e *Error) Error() string {
	text := e.Step + ": " + e.Err.Error()
	if e.Plugin != "" { // empty only before an exchange began
		text = printable(e.Plugin) + ": " + text
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// ErrOldPassword is the cause when either side wants the hash from before MySQL 4.1.
var ErrOldPassword = errors.New("the password hash from before MySQL 4.1 is not supported")

// ErrCleartext is the cause when a password from a secure client leg would have crossed a
// plain server leg.
var ErrCleartext = errors.New("the password would cross the server leg in clear text")

// printable makes text from the wire fit for a line of the history: bounded, no controls.
func printable(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
