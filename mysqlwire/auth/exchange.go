package auth

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
)

// An Exchange follows one login, or one COM_CHANGE_USER. It is not safe for concurrent use,
// keeps no payload it was given, and forgets a password as soon as that has been passed on.
type Exchange struct {
	client, server Leg
	o              Options

	plugin   string
	kind     kind
	scramble []byte
	stage    stage
	next     Speaker
	login    bool   // the response for the login packet is still owed
	password []byte // read from the client, waiting for the server's key
	key      *rsa.PrivateKey
	packets  int
	history  []string
	progress Progress
	err      error // sticks
}

// maxPackets bounds an exchange. Real ones need fewer than ten; only PAM and SASL dialogs
// come near that.
const maxPackets = 200

// NewExchange returns an exchange at its beginning, between the two legs as they are after
// any TLS handshake.
func NewExchange(client, server Leg, o Options) *Exchange {
	return &Exchange{client: client, server: server, o: o}
}

// Plugin names the plugin in use, as the client knows it.
func (e *Exchange) Plugin() string { return e.plugin }

// Scramble is the last one the server sent. A later COM_CHANGE_USER starts from it.
func (e *Exchange) Scramble() []byte { return e.scramble }

// Begin starts from the client's login packet or COM_CHANGE_USER: the plugin named in it (may
// be empty), the response in it, and the scramble of the greeting, or for COM_CHANGE_USER
// that of the exchange before. The step's ToServer[0] is the response to send in its place.
//
// If Login is false, the packet has to wait: the client has asked for a key first, which is
// in ToClient, and the response comes with a later step.
func (e *Exchange) Begin(plugin string, scramble, response []byte) (Step, error) {
	if e.next != Nobody || e.err != nil || e.packets > 0 {
		return Step{}, e.fail("begin", errors.New("the exchange has begun already"), "")
	}
	e.packets++
	e.login = true
	if plugin == "" {
		plugin = "mysql_native_password"
	}
	e.use(plugin, scramble)
	e.progress.Offered, e.progress.Factor = plugin, 1
	e.stage = stageAnswer
	e.note("client began with %s", e.name())
	if e.kind == kindOld {
		return Step{}, e.fail("login", ErrOldPassword, "")
	}
	s, err := e.fromClient(response)
	if err == nil && s.Next == Either {
		s.Next, e.next = Server, Server // after a login packet it is always the server's turn
	}
	return s, err
}

// FromServer takes the next packet of the server.
func (e *Exchange) FromServer(payload []byte) (Step, error) {
	e.progress.Heard = true
	if len(payload) > 0 && payload[0] == 0xff && e.next != Nobody {
		return e.refused(payload), nil // an ERR may come at any time
	}
	if err := e.turn(Server); err != nil {
		return Step{}, err
	}
	first := -1
	if len(payload) > 0 {
		first = int(payload[0])
	}
	switch {
	case first == 0x00:
		e.note("server accepted the login")
		return e.over(payload, true), nil
	case first == 0xfe:
		return e.switched(payload)
	case first == 0x02 && e.o.MultiFactor:
		name, data := cutName(payload[1:])
		e.use(name, data)
		e.progress.Factor++
		e.stage = stageAnswer
		e.note("server asked for another factor with %s", e.name())
		return e.toClient(payload, e.clientTurn())
	case first == 0x01:
		return e.more(payload, payload[1:])
	}
	return e.more(payload, payload) // MariaDB's raw plugin data
}

// FromClient takes the next packet of the client.
func (e *Exchange) FromClient(payload []byte) (Step, error) {
	if err := e.turn(Client); err != nil {
		return Step{}, err
	}
	return e.fromClient(payload)
}

func (e *Exchange) switched(payload []byte) (Step, error) {
	name, data := cutName(payload[1:])
	if len(payload) == 1 {
		name = "mysql_old_password"
	}
	e.use(name, data)
	e.progress.Switched = true
	e.stage = stageAnswer
	e.note("server switched to %s", e.name())
	if e.kind == kindOld {
		return Step{}, e.fail("switch", ErrOldPassword,
			"give the account a newer password: SET old_passwords = 0, then SET PASSWORD")
	}
	return e.toClient(payload, e.clientTurn())
}

// more handles plugin data of the server. data is the payload without its 0x01.
func (e *Exchange) more(payload, data []byte) (Step, error) {
	isKey := bytes.HasPrefix(data, []byte("-----BEGIN"))
	switch {
	case e.stage == stageKey:
		return e.serverKey(data)
	case e.kind == kindCachingSHA2 && len(data) == 1 && data[0] == 3:
		e.progress.Verified = true
		e.note("server found the answer right in its cache")
		return e.toClient(payload, Server)
	case e.kind == kindCachingSHA2 && len(data) == 1 && data[0] == 4:
		e.progress.Full = true
		e.note("server asked for caching_sha2_password full authentication")
		e.stage = stageFull
		return e.toClient(payload, Client)
	case e.kind == kindCachingSHA2 && isKey:
		e.note("server sent its public key")
		e.stage = stageFull
		return e.toClient(payload, Client)
	case e.kind == kindSHA256 && isKey:
		e.note("server sent its public key")
		e.stage = stageAnswer
		return e.toClient(payload, Client)
	case e.kind == kindTurns, e.kind == kindClear:
		e.note("server sent a question of %s", e.name())
		return e.toClient(payload, Client)
	case e.kind == kindFree, e.kind == kindUnknown:
		e.note("server sent %d B for %s", len(data), e.name())
		return e.toClient(payload, Either)
	}
	// Relayed, not refused: a newer server may know more rounds than we do.
	e.note("server sent %d B that %s does not expect", len(data), e.name())
	e.stage = stageRelay
	return e.toClient(payload, Either)
}

func (e *Exchange) fromClient(payload []byte) (Step, error) {
	switch {
	case e.asksKey(payload):
		e.progress.KeyAsked = true
	case e.stage == stageAnswer:
		e.progress.Answered, e.progress.NoPassword = true, noPassword(payload)
	}
	switch e.kind {
	case kindClear, kindUnknown:
		if err := e.checkCleartext(payload); err != nil {
			return Step{}, err
		}
	case kindCachingSHA2:
		if e.stage == stageFull || e.stage == stageCipher {
			return e.fullAnswer(payload, requestKeyCaching)
		}
	case kindSHA256:
		if e.stage == stageCipher || e.stage == stageAnswer && !noPassword(payload) {
			return e.fullAnswer(payload, requestKeySHA256)
		}
	}
	return e.relayAnswer(payload)
}

// asksKey reports whether payload is the client's request for a public key.
func (e *Exchange) asksKey(payload []byte) bool {
	switch e.kind {
	case kindCachingSHA2:
		return e.stage == stageFull && bytes.Equal(payload, requestKeyCaching)
	case kindSHA256:
		return e.stage == stageAnswer && bytes.Equal(payload, requestKeySHA256)
	}
	return false
}

// fullAnswer takes the client's part of a full authentication, in which the two legs may
// want different things. request is how the plugin asks for the key.
func (e *Exchange) fullAnswer(payload, request []byte) (Step, error) {
	fromClear, toClear := e.client.sendsClear(e.kind), e.server.sendsClear(e.kind)
	asksKey := bytes.Equal(payload, request)
	switch {
	case fromClear == toClear && asksKey:
		e.note("client asked for the server's public key")
		e.stage = stageRelay
		return e.toServer(payload, Server, false)
	case fromClear == toClear && fromClear:
		e.note("client sent its password in clear text, both legs being secure")
		e.stage = stageRelay
		return e.toServer(payload, Server, true)
	case fromClear == toClear:
		e.note("client sent its RSA-encrypted password (%d B)", len(payload))
		e.stage = stageRelay
		return e.toServer(payload, Server, true)
	case fromClear:
		e.password = bytes.Clone(bytes.TrimSuffix(payload, []byte{0}))
		e.note("client sent its password in clear text; asked the server for its public key, its leg being plain")
		e.stage = stageKey
		return e.toServer(bytes.Clone(request), Server, true) // callers may blank what they get
	case asksKey && e.stage != stageCipher:
		return e.ourKey()
	}
	return e.decrypt(payload)
}

// ourKey answers the client's request for a key in the server's place.
func (e *Exchange) ourKey() (Step, error) {
	const step = "answer the client's key request"
	key, err := e.privateKey()
	if err != nil {
		return Step{}, e.fail(step, err, "")
	}
	text, err := MarshalPublicKey(&key.PublicKey)
	if err != nil {
		return Step{}, e.fail(step, err, "")
	}
	e.note("client asked for the server's public key; sent ours, the server's leg being secure")
	e.stage = stageCipher
	return e.toClient(append([]byte{1}, text...), Client)
}

// decrypt turns a password encrypted for our key into the clear text the server expects.
func (e *Exchange) decrypt(payload []byte) (Step, error) {
	password, err := e.decryptPassword(payload)
	if err != nil && e.login {
		// The account may not use this plugin at all: let the server decide.
		e.note("client sent an answer that could not be decrypted; passed it on as it was")
		e.stage = stageRelay
		return e.toServer(payload, Server, true)
	}
	if err != nil {
		hint := ""
		if e.stage != stageCipher && len(payload) >= 128 { // the length of an RSA text
			hint = "the client seems to hold the server's public key (server-public-key-path, serverRSAPublicKeyFile): " +
				"let it ask for the key, or use TLS on both legs or on neither"
		}
		return Step{}, e.fail("decrypt the client's password", err, hint)
	}
	e.note("client sent its RSA-encrypted password (%d B); passed it on in clear text, the server's leg being secure", len(payload))
	e.stage = stageRelay
	return e.toServer(append(password, 0), Server, true)
}

// serverKey encrypts the waiting password with the key the server has sent.
func (e *Exchange) serverKey(data []byte) (Step, error) {
	const step = "encrypt the password for the server"
	pub, err := ParsePublicKey(data)
	if err != nil {
		return Step{}, e.fail(step, err, "")
	}
	cipher, err := EncryptPassword(e.password, e.scramble, pub)
	if err != nil {
		return Step{}, e.fail(step, err, "")
	}
	e.forget()
	e.note("server sent its public key; sent the RSA-encrypted password (%d B)", len(cipher))
	e.stage = stageRelay
	return e.toServer(cipher, Server, true)
}

// relayAnswer passes an answer of the client on unchanged.
func (e *Exchange) relayAnswer(payload []byte) (Step, error) {
	next := Server
	first := e.stage == stageAnswer
	e.stage = stageRelay
	switch {
	case noPassword(payload) && first:
		e.note("client sent an empty answer") // no password, or not before a switch
	case e.kind == kindClear:
		e.note("client sent a clear-text answer") // its length would tell the password's
		if !e.client.private() {
			e.note("warning: that answer crossed the client's leg in clear text")
		}
		if !e.server.private() {
			e.note("warning: that answer crossed the server's leg in clear text")
		}
	case e.kind == kindUnknown:
		e.note("client sent an answer for %s", e.name())
	default:
		e.note("client sent %d B for %s", len(payload), e.name())
	}
	if e.kind == kindFree || e.kind == kindUnknown {
		next = Either
	}
	return e.toServer(payload, next, !noPassword(payload))
}

// checkCleartext refuses to weaken what the client relies on. A plugin we do not know is
// taken for one that sends clear text.
func (e *Exchange) checkCleartext(payload []byte) error {
	if noPassword(payload) || e.o.AllowCleartext || !e.client.private() || e.server.private() {
		return nil
	}
	hint := "use TLS to the server too, or allow clear-text passwords on its leg"
	if e.kind == kindUnknown {
		hint = "what this plugin sends is unknown, perhaps the password: " + hint
	}
	return e.fail("client's answer", ErrCleartext, hint)
}

// turn checks that side may speak now.
func (e *Exchange) turn(side Speaker) error {
	if e.err != nil {
		return e.err
	}
	if e.next != side && e.next != Either {
		what := fmt.Errorf("the %s spoke, but it was the turn of the %s", side, e.next)
		if e.next == Nobody {
			what = fmt.Errorf("the %s spoke, but the exchange was not going on", side)
		}
		return e.fail(e.stage.String(), what, "")
	}
	if e.packets++; e.packets > maxPackets {
		return e.fail(e.stage.String(), fmt.Errorf("more than %d packets", maxPackets), "")
	}
	return nil
}

// use makes plugin and scramble the current ones; the ones before are void.
func (e *Exchange) use(plugin string, data []byte) {
	e.forget()
	e.plugin, e.kind = plugin, kindOf(plugin)
	e.progress = Progress{Offered: e.progress.Offered, Factor: e.progress.Factor, Switched: e.progress.Switched, Heard: e.progress.Heard}
	if len(data) > 0 { // plugins without a scramble leave the old one for COM_CHANGE_USER
		e.scramble = bytes.Clone(trimScramble(data))
	}
}

// clientTurn is who speaks after a switch. Only plugins with turns of their own may leave
// the word to the server.
func (e *Exchange) clientTurn() Speaker {
	if e.kind == kindFree || e.kind == kindUnknown {
		return Either
	}
	return Client
}

func (e *Exchange) toClient(payload []byte, next Speaker) (Step, error) {
	e.next = next
	return Step{ToClient: [][]byte{payload}, Next: next}, nil
}

func (e *Exchange) toServer(payload []byte, next Speaker, secret bool) (Step, error) {
	s := Step{ToServer: [][]byte{payload}, Next: next, Login: e.login, Secret: secret}
	e.next, e.login = next, false
	return s, nil
}

func (e *Exchange) over(payload []byte, ok bool) Step {
	e.forget()
	e.next, e.stage, e.progress.Over = Nobody, stageRelay, true
	return Step{ToClient: [][]byte{payload}, Done: true, OK: ok}
}

func (e *Exchange) refused(payload []byte) Step {
	text := ""
	if len(payload) >= 3 {
		text = string(payload[3:])
		if rest, ok := strings.CutPrefix(text, "#"); ok && len(rest) >= 5 {
			text = "(" + rest[:5] + ") " + rest[5:]
		}
		text = fmt.Sprintf(": %d %s", uint(payload[1])|uint(payload[2])<<8, printable(text))
	}
	e.note("server refused the login%s", text)
	return e.over(payload, false)
}

func (e *Exchange) decryptPassword(cipher []byte) ([]byte, error) {
	key, err := e.privateKey()
	if err != nil {
		return nil, err
	}
	return DecryptPassword(cipher, e.scramble, key)
}

func (e *Exchange) privateKey() (*rsa.PrivateKey, error) {
	if e.key != nil {
		return e.key, nil
	}
	if e.o.Key == nil {
		return nil, errors.New("the proxy has no RSA key")
	}
	key, err := e.o.Key()
	if err != nil {
		return nil, err
	}
	e.key = key
	return key, nil
}

// fail ends the exchange.
func (e *Exchange) fail(step string, err error, hint string) error {
	e.forget()
	e.next = Nobody
	if e.err == nil {
		e.err = &Error{Plugin: e.plugin, Step: step, Err: err, Hint: hint}
		e.note("gave up: %s: %v", step, err)
	}
	return e.err
}

func (e *Exchange) forget() {
	clear(e.password)
	e.password = nil
}

func cutName(b []byte) (name string, rest []byte) {
	head, rest, _ := bytes.Cut(b, []byte{0})
	return string(head), rest
}
