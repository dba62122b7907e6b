package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
	"mydbg/mysqlwire/wiretext"
)

const (
	patience      = 20 * time.Second // with an answer
	goodbye       = 3 * time.Second  // for a server to hang up
	fixedScramble = "abcdefghijklmnopqrstuvwxyzABCDEF"
)

// client speaks to a server and keeps what was said. Its first error sticks: what follows does
// nothing, so topics need not look.
type client struct {
	server
	want    mysqlwire.Caps
	plugin  string // of the login, if not the server's own
	version string

	con      net.Conn
	r        *bufio.Reader
	d        mysqlwire.Decoder
	seq      uint8
	scramble []byte
	packets  []wiretext.Packet
	written  bool // what is sent has been written before
	cut      bool // the connection ended in the middle of an answer
	err      error
}

func (c *client) fail(what string, err error) {
	if c.err == nil && err != nil {
		c.err = fmt.Errorf("%s after %d packets: %w", what, len(c.packets), err)
	}
}

// login connects and logs in with the server's own account.
func (c *client) login() { c.loginAs(c.user, c.password, c.db) }

// connect reads the greeting.
func (c *client) connect() (g mysqlwire.Greeting) {
	con, err := net.Dial("tcp", c.addr)
	if err != nil {
		c.fail("dial", err)
		return g
	}
	c.con, c.r = con, bufio.NewReader(con)
	c.d.KeepColumns = true
	_, payload := c.read()
	if c.err == nil {
		c.fail("greeting", g.Decode(payload, nil))
	}
	c.version, c.scramble = g.ServerVersion(), bytes.Clone(g.Scramble)
	return g
}

func (c *client) loginAs(user, password, db string) {
	g := c.connect()
	m := mysqlwire.Login{
		Caps: c.want & g.Caps, MaxPacket: 1 << 24, Collation: 45, User: user, PluginName: g.PluginName, DB: db,
		Attrs: []mysqlwire.Attr{{Name: "program_name", Value: "corpus"}, {Name: "_client_name", Value: "mydbg"}},
	}
	if g.Caps.Has(mysqlwire.LongPassword) {
		m.Caps |= mysqlwire.LongPassword
	}
	if db == "" {
		m.Caps &^= mysqlwire.ConnectWithDB
	}
	if c.plugin != "" {
		m.PluginName = c.plugin
	}
	m.AuthResponse = c.proof(m.PluginName, password)
	c.authenticate(&m, m.PluginName, password)
}

// changeUser is COM_CHANGE_USER. The server as a rule asks for a proof of its own.
func (c *client) changeUser(user, password, db, plugin string) {
	c.authenticate(&mysqlwire.ChangeUser{User: user, DB: db, Collation: 45, PluginName: plugin, AuthResponse: c.proof(plugin, password)}, plugin, password)
}

// authenticate sends m and plays the rounds that follow.
func (c *client) authenticate(m mysqlwire.Message, plugin, password string) {
	c.send(m)
	for c.err == nil && c.d.State() == mysqlwire.StateAuth {
		k, payload := c.read()
		switch k {
		case mysqlwire.KindAuthSwitch:
			var s mysqlwire.AuthSwitch
			c.fail("switch", s.Decode(payload, nil))
			plugin, c.scramble = s.PluginName, bytes.Clone(s.Scramble())
			c.sendBytes(c.proof(plugin, password))
		case mysqlwire.KindAuthMore:
			c.more(payload[1:], plugin, password)
		}
	}
}

// more answers within the exchange of a plugin that uses RSA.
func (c *client) more(data []byte, plugin, password string) {
	switch {
	case len(data) == 1 && data[0] == 4: // full authentication: ask for the key
		c.sendBytes([]byte{2})
	case len(data) > 1 && !strings.HasSuffix(plugin, "_password"):
		c.sendBytes(make([]byte, 96)) // a signature that no server takes
	case len(data) > 1:
		key, err := auth.ParsePublicKey(data)
		if err != nil {
			c.fail("public key", err)
			return
		}
		proof, err := auth.EncryptPassword([]byte(password), c.scramble, key)
		c.fail("encrypt", err)
		c.sendBytes(proof)
	}
}

// proof is the first answer of a plugin. Signature plugins get an empty one, which they refuse.
func (c *client) proof(plugin, password string) []byte {
	if password == "" {
		return nil
	}
	switch plugin {
	case "mysql_native_password":
		return auth.NativePassword([]byte(password), c.scramble)
	case "caching_sha2_password":
		return auth.CachingSHA2([]byte(password), c.scramble)
	case "sha256_password":
		return []byte{1} // asks for the key
	}
	return nil
}

// send sends a message as a packet.
func (c *client) send(m mysqlwire.Message) {
	if c.err != nil {
		return
	}
	cx := *c.d.Context()
	payload, err := m.Encode(nil, &cx)
	if err != nil {
		c.fail("encode", err)
		return
	}
	c.sendBytes(payload)
}

func (c *client) sendBytes(payload []byte) {
	if c.err != nil {
		return
	}
	if c.d.State() == mysqlwire.StateIdle {
		c.seq = 0
	}
	wire, next := mysqlwire.AppendPacket(nil, payload, c.seq)
	p := wiretext.Packet{Dir: mysqlwire.ToServer, Seq: c.seq}
	for rest := wire; len(rest) > 0; {
		h := mysqlwire.ParseHeader(rest)
		c.look(&p, h, rest[mysqlwire.HeaderLen:mysqlwire.HeaderLen+h.Len])
		rest = rest[mysqlwire.HeaderLen+h.Len:]
	}
	c.keep(p, payload)
	c.con.SetDeadline(time.Now().Add(patience))
	if !c.written {
		if _, err := c.con.Write(wire); err != nil {
			c.fail("write", err)
		}
	}
	c.seq = next
}

// read reads a packet of the server.
func (c *client) read() (mysqlwire.Kind, []byte) {
	if c.err != nil {
		return 0, nil
	}
	c.con.SetDeadline(time.Now().Add(patience))
	p := wiretext.Packet{Dir: mysqlwire.ToClient}
	payload := []byte{}
	for first := true; ; first = false {
		var head [mysqlwire.HeaderLen]byte
		if _, err := io.ReadFull(c.r, head[:]); err != nil {
			c.fail("read in state "+c.d.State().String(), err)
			return 0, nil
		}
		h := mysqlwire.ParseHeader(head[:])
		body := make([]byte, h.Len)
		if _, err := io.ReadFull(c.r, body); err != nil {
			c.fail("read", err)
			return 0, nil
		}
		if first {
			p.Seq = h.Seq
		}
		c.seq = h.Seq + 1
		c.look(&p, h, body)
		payload = append(payload, body...)
		if h.Len < mysqlwire.MaxFrame {
			break
		}
	}
	c.keep(p, payload)
	return p.Kind, payload
}

// look has the decoder explain a frame. What it cannot explain is recorded as opaque and found by
// the corpus' test.
func (c *client) look(p *wiretext.Packet, h mysqlwire.Header, body []byte) {
	f, err := c.d.Next(p.Dir, h, body[:min(h.Len, mysqlwire.HeadLen)])
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v: %x\n", c.name, err, body[:min(h.Len, mysqlwire.HeadLen)])
		c.fail("explain", err)
	}
	if !f.Cont {
		p.Kind = f.Kind
		if n := c.d.Need(f); n > 0 {
			c.d.Note(f, bytes.Clone(body[:n]))
		}
	}
}

// keep appends a packet without its secrets.
func (c *client) keep(p wiretext.Packet, payload []byte) {
	switch p.Kind {
	case mysqlwire.KindGreeting:
		var m mysqlwire.Greeting
		if m.Decode(bytes.Clone(payload), nil) == nil {
			m.Scramble = []byte(fixedScramble[:len(m.Scramble)])
			payload, _ = m.Encode(nil, nil)
		}
	case mysqlwire.KindAuthSwitch:
		var m mysqlwire.AuthSwitch
		if m.Decode(bytes.Clone(payload), nil) == nil {
			copy(m.Scramble(), fixedScramble)
			payload, _ = m.Encode(nil, nil)
		}
	case mysqlwire.KindAuthData:
		if len(payload) > 1 { // one byte asks for a key
			payload = mysqlwire.BlankPayload(p.Kind, payload, c.d.Context())
		}
	default:
		payload = mysqlwire.BlankPayload(p.Kind, payload, c.d.Context())
	}
	p.Payload = bytes.Clone(payload)
	if p.Payload == nil {
		p.Payload = []byte{}
	}
	c.packets = append(c.packets, p)
}

// ask sends a command and reads its whole answer.
func (c *client) ask(m mysqlwire.Message) {
	c.send(m)
	c.answer()
}

// pipeline writes all commands at once and then reads their answers.
func (c *client) pipeline(commands ...mysqlwire.Message) {
	var wire []byte
	for _, m := range commands {
		cx := *c.d.Context()
		payload, err := m.Encode(nil, &cx)
		c.fail("encode", err)
		wire, _ = mysqlwire.AppendPacket(wire, payload, 0)
	}
	if c.err != nil {
		return
	}
	if _, err := c.con.Write(wire); err != nil {
		c.fail("write", err)
	}
	c.written = true
	for _, m := range commands {
		c.ask(m)
	}
	c.written = false
}

func (c *client) askBytes(payload []byte) {
	c.sendBytes(payload)
	c.answer()
}

func (c *client) answer() {
	for c.err == nil && c.d.State() != mysqlwire.StateIdle && c.d.State() < mysqlwire.StateOpaque {
		if c.d.State() == mysqlwire.StateUpload {
			return
		}
		c.read()
	}
}

// rest reads what the server still has to say until it hangs up.
func (c *client) rest() {
	for c.err == nil {
		c.con.SetReadDeadline(time.Now().Add(goodbye))
		if _, err := c.r.Peek(1); err != nil {
			c.hangUp()
			return
		}
		c.read()
	}
}

func (c *client) query(sql string, attrs ...mysqlwire.QueryAttr) {
	c.ask(&mysqlwire.Query{SQL: sql, Attributes: attrs})
}

// prepare returns the id of the statement, 0 if the server refused.
func (c *client) prepare(sql string) uint32 {
	c.ask(&mysqlwire.StmtPrepare{SQL: sql})
	if s := c.d.Stmt(mysqlwire.LastStmtID); s != nil && c.err == nil {
		return s.ID
	}
	return 0
}

func (c *client) execute(id uint32, flags mysqlwire.ExecFlags, params ...mysqlwire.ExecParam) {
	c.ask(&mysqlwire.StmtExecute{StmtID: id, Flags: flags, Iterations: 1, Params: params, NewParamsBound: len(params) > 0})
}

// has reports whether capabilities are agreed.
func (c *client) has(caps mysqlwire.Caps) bool { return c.d.Caps().Has(caps) }

func (c *client) hangUp() {
	state := c.d.State()
	c.cut = state > mysqlwire.StateIdle && state < mysqlwire.StateOpaque
	c.con.Close()
	c.con = nil
}

// close says goodbye, if the server still listens.
func (c *client) close() {
	if c.con == nil {
		return
	}
	if c.d.State() == mysqlwire.StateIdle {
		c.send(&mysqlwire.Quit{})
	}
	c.hangUp()
}
