package auth

// Progress is how far an exchange has come, for whoever explains why it went no further. It holds
// no secret.
type Progress struct {
	Offered string  // the plugin the client began with
	Plugin  string  // the one in use: the server's last word
	Factor  int     // 1 for the first, 0 before the exchange began
	Next    Speaker // who did not speak, if the exchange broke off

	Heard      bool // the server has said something
	Switched   bool // the server asked for another plugin than the client began with
	Answered   bool // the client has answered the plugin in use
	NoPassword bool // that answer was empty
	// Verified says that the server has told that the password is right: what it refuses after that
	// is something else. Only the cache of caching_sha2_password tells so.
	Verified bool
	Full     bool // caching_sha2_password's full authentication was asked for
	KeyAsked bool // the client asked for a public key
	Over     bool // OK or ERR has come
}

// Progress is how far the exchange has come.
func (e *Exchange) Progress() Progress {
	p := e.progress
	p.Plugin, p.Next = e.plugin, e.next
	return p
}
