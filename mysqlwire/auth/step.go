package auth

import "crypto/rsa"

// Options are what an Exchange needs to know beyond the two legs.
type Options struct {
	// Key is the proxy's own key, asked for when a client on a plain leg must encrypt its
	// password for a server on a TLS leg. A client with a pinned server key can be served
	// only if this is that server's key. It may be nil: such logins then fail.
	Key func() (*rsa.PrivateKey, error)

	// AllowCleartext lets plugins that send the password in clear text do so on a plain
	// server leg, although the client's own leg is secure.
	AllowCleartext bool

	// MultiFactor says that MULTI_FACTOR_AUTHENTICATION was agreed. Without it, 0x02 is the
	// beginning of plugin data as any other byte.
	MultiFactor bool
}

// Speaker says from whom the next packet comes.
type Speaker uint8

const (
	Nobody Speaker = iota // the exchange is over
	Client
	Server
	Either // the plugin's turns are its own affair: listen to both
)

func (s Speaker) String() string {
	switch s {
	case Client:
		return "client"
	case Server:
		return "server"
	case Either:
		return "either side"
	}
	return "nobody"
}

// A Step is what follows from one packet. The payloads are without headers; an empty one is
// a packet to send all the same.
type Step struct {
	ToClient, ToServer [][]byte

	// Login marks ToServer[0] as the response that belongs into the login packet or
	// COM_CHANGE_USER, instead of being a packet of its own. Exactly one step of an exchange
	// that reaches the server has it, nearly always the one from Begin.
	Login bool

	Next Speaker
	Done bool // OK or ERR came from the server and is in ToClient
	OK   bool // it was OK

	// Secret says that the payload given or one to be sent holds a password or something
	// made from one: blank both before showing or recording them.
	Secret bool
}

// stage is what a packet of the plugin means when it comes.
type stage uint8

const (
	stageRelay  stage = iota // nothing special
	stageAnswer              // the client's first answer to the plugin
	stageFull                // the client's answer to caching_sha2_password's 01 04
	stageCipher              // the client's password, encrypted with our key
	stageKey                 // the server's key, which we have asked for
)

func (s stage) String() string {
	switch s {
	case stageAnswer:
		return "first answer"
	case stageFull:
		return "full authentication"
	case stageCipher:
		return "encrypted password"
	case stageKey:
		return "server's public key"
	}
	return "exchange"
}

var (
	requestKeySHA256  = []byte{1}
	requestKeyCaching = []byte{2}
)
