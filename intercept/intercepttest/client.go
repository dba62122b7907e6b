package intercepttest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"mydbg/intercept/compress"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
)

// ClientCaps are what a Client asks for if it is not told otherwise.
const ClientCaps = mysqlwire.Protocol41 | mysqlwire.LongPassword | mysqlwire.LongFlag | mysqlwire.ConnectWithDB | mysqlwire.SecureConnection |
	mysqlwire.PluginAuth | mysqlwire.PluginAuthLenencClientData | mysqlwire.Transactions | mysqlwire.DeprecateEOF |
	mysqlwire.MultiStatements | mysqlwire.MultiResults | mysqlwire.PSMultiResults | mysqlwire.SessionTrack

// Client is a client that speaks in packets, compressed ones if the capabilities say so. It is strict: a packet out of order, or an answer that
// it cannot follow, fails the test.
type Client struct {
	Conn     net.Conn
	Greeting mysqlwire.Greeting
	Decoder  mysqlwire.Decoder // follows what is sent and received
	Scramble []byte            // the server's last

	t         testing.TB
	r         *bufio.Reader
	seq       uint8
	collation uint8 // of the login
}

// Dial logs in at addr, in plain text. Caps of 0 are ClientCaps; others are added to Protocol41.
func Dial(t testing.TB, network, addr, user, password, db string, caps mysqlwire.Caps) *Client {
	t.Helper()
	c, err := TryDial(t, network, addr, user, password, db, caps)
	if err != nil {
		t.Fatalf("login of %s at %s: %v", user, addr, err)
	}
	return c
}

// TryDial is Dial for logins that may fail. A server's error is a *mysqlwire.ERR.
func TryDial(t testing.TB, network, addr, user, password, db string, caps mysqlwire.Caps) (*Client, error) {
	t.Helper()
	conn, err := net.DialTimeout(network, addr, Patience)
	if err != nil {
		return nil, err
	}
	return NewClient(t, conn, user, password, db, caps)
}

// NewClient logs in on a connection.
func NewClient(t testing.TB, conn net.Conn, user, password, db string, caps mysqlwire.Caps) (*Client, error) {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	return newClient(t, conn, user, password, db, caps, 45)
}

// DialIn is Dial for a client whose texts are in the character set of a collation.
func DialIn(t testing.TB, addr string, s *Server, caps mysqlwire.Caps, collation uint8) *Client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c, err := newClient(t, conn, s.User, s.Password, s.Database, caps, collation)
	if err != nil {
		t.Fatalf("login of %s at %s: %v", s.User, addr, err)
	}
	return c
}

func newClient(t testing.TB, conn net.Conn, user, password, db string, caps mysqlwire.Caps, collation uint8) (*Client, error) {
	c := &Client{Conn: conn, t: t, r: bufio.NewReaderSize(conn, 1<<20), collation: collation}
	if caps == 0 {
		caps = ClientCaps
	}
	if err := c.login(user, password, db, caps|mysqlwire.Protocol41); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Client) login(user, password, db string, caps mysqlwire.Caps) error {
	p, err := c.read()
	if err != nil {
		return err
	}
	if p[0] == 0xff {
		return c.errIn(p)
	}
	if err := c.Greeting.Decode(p, nil); err != nil {
		return err
	}
	if !c.Greeting.Caps.Has(mysqlwire.LongPassword) {
		caps &^= mysqlwire.LongPassword // so that MariaDB's own capabilities are looked at
	}
	caps &= c.Greeting.Caps | mysqlwire.ConnectWithDB
	c.Decoder.Agree(caps&^compress.Flags, c.Greeting.MariaDB())
	c.Scramble = c.Greeting.Scramble
	m := &mysqlwire.Login{
		Caps: caps, MaxPacket: 1 << 30, Collation: c.collation, User: user, DB: db, PluginName: c.Greeting.PluginName,
		AuthResponse: c.prove(c.Greeting.PluginName, password), ZstdLevel: compress.DefaultLevel,
	}
	b, err := m.Encode(nil, nil)
	if err != nil {
		return err
	}
	if err := c.write(b); err != nil {
		return err
	}
	if err := c.Authenticate(c.Greeting.PluginName, password); err != nil {
		return err
	}
	if a := compress.Agreed(c.Greeting.Caps, caps); a != compress.None {
		rest, _ := c.r.Peek(c.r.Buffered()) // they are there
		c.Conn = compress.Client(c.Conn, a, compress.DefaultLevel, rest)
		c.r.Reset(c.Conn)
	}
	c.Decoder.Ready()
	return nil
}

// prove is the first answer of a plugin.
func (c *Client) prove(plugin, password string) []byte {
	switch {
	case password == "":
		return nil
	case plugin == "caching_sha2_password":
		return auth.CachingSHA2([]byte(password), c.Scramble)
	case plugin == "sha256_password":
		return []byte{1}
	}
	return auth.NativePassword([]byte(password), c.Scramble)
}

// Authenticate goes through the rounds of a login, or of a COM_CHANGE_USER that has been sent.
func (c *Client) Authenticate(plugin, password string) error {
	for {
		p, err := c.read()
		if err != nil {
			return err
		}
		var answer []byte
		switch {
		case p[0] == 0x00:
			return nil
		case p[0] == 0xff:
			return c.errIn(p)
		case p[0] == 0xfe:
			var m mysqlwire.AuthSwitch
			if err := m.Decode(p, nil); err != nil {
				return err
			}
			plugin, c.Scramble = m.PluginName, m.Scramble()
			answer = c.prove(plugin, password)
		case p[0] == 0x01 && len(p) == 2 && p[1] == 3:
			continue
		case p[0] == 0x01 && len(p) == 2 && p[1] == 4:
			answer = []byte{2} // the key, please
		case p[0] == 0x01:
			key, err := auth.ParsePublicKey(p[1:])
			if err != nil {
				return err
			}
			if answer, err = auth.EncryptPassword([]byte(password), c.Scramble, key); err != nil {
				return err
			}
		default:
			return fmt.Errorf("packet of %s begins with 0x%02x", plugin, p[0])
		}
		if err := c.write(answer); err != nil {
			return err
		}
	}
}

// ChangeUser sends COM_CHANGE_USER and follows it.
func (c *Client) ChangeUser(user, password, db string) error {
	c.t.Helper()
	return c.ChangeUserBy(c.Greeting.PluginName, user, password, db)
}

// ChangeUserBy is ChangeUser that begins with a plugin.
func (c *Client) ChangeUserBy(plugin, user, password, db string) error {
	c.t.Helper()
	m := &mysqlwire.ChangeUser{User: user, DB: db, Collation: uint16(c.collation), PluginName: plugin, AuthResponse: c.prove(plugin, password)}
	b, err := m.Encode(nil, c.Decoder.Context())
	if err != nil {
		return err
	}
	c.seq = 0
	if err := c.write(b); err != nil {
		return err
	}
	return c.Authenticate(plugin, password)
}

func (c *Client) errIn(p []byte) error {
	e := &mysqlwire.ERR{}
	if err := e.Decode(p, nil); err != nil {
		return err
	}
	return e
}

// read reads a packet and counts it.
func (c *Client) read() ([]byte, error) {
	if err := c.Conn.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		return nil, err
	}
	var payload []byte
	for {
		var head [mysqlwire.HeaderLen]byte
		if _, err := io.ReadFull(c.r, head[:]); err != nil {
			return nil, err
		}
		h := mysqlwire.ParseHeader(head[:])
		if h.Seq != c.seq {
			return nil, fmt.Errorf("packet number %d, want %d", h.Seq, c.seq)
		}
		c.seq++
		from := len(payload)
		payload = append(payload, make([]byte, h.Len)...)
		if _, err := io.ReadFull(c.r, payload[from:]); err != nil {
			return nil, err
		}
		if h.Len < mysqlwire.MaxFrame {
			return payload, nil
		}
	}
}

// write sends a packet with the next number.
func (c *Client) write(payload []byte) error {
	var b []byte
	b, c.seq = mysqlwire.AppendPacket(nil, payload, c.seq)
	_, err := c.Conn.Write(b)
	return err
}

// Send sends commands in one write.
func (c *Client) Send(commands ...[]byte) {
	c.t.Helper()
	var b []byte
	for _, p := range commands {
		b, c.seq = mysqlwire.AppendPacket(b, p, 0)
	}
	if _, err := c.Conn.Write(b); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// Unfollowed sends a command and reads one packet, without the decoder.
func (c *Client) Unfollowed(command []byte) []byte {
	c.t.Helper()
	c.Send(command)
	p, err := c.read()
	if err != nil {
		c.t.Fatalf("answer to %.40q: %v", command, err)
	}
	return p
}

// Answer reads the whole answer to command, which Send has sent.
func (c *Client) Answer(command []byte) *mysqlwire.Answer {
	c.t.Helper()
	a, err := c.TryAnswer(command)
	if err != nil {
		c.t.Fatalf("answer to %.40q: %v", command, err)
	}
	return a
}

// TryAnswer is Answer for connections that may end.
func (c *Client) TryAnswer(command []byte) (*mysqlwire.Answer, error) {
	c.seq = 0
	for rest := command; ; {
		n := min(len(rest), mysqlwire.MaxFrame)
		if err := c.track(mysqlwire.ToServer, n, rest, command); err != nil {
			return nil, err
		}
		rest = rest[n:]
		if n < mysqlwire.MaxFrame {
			break
		}
	}
	a := &mysqlwire.Answer{}
	if len(command) > 0 {
		a.Command = mysqlwire.Command(command[0])
	}
	if !a.Command.Answered() {
		return a, nil
	}
	for {
		p, err := c.read()
		if err != nil {
			return a, err
		}
		f, err := c.follow(p)
		if err != nil {
			return a, err
		}
		a.Packets = append(a.Packets, mysqlwire.Packet{Kind: f.Kind, Payload: p})
		if f.Ends || f.Kind == mysqlwire.KindLocalInfile {
			return a, nil
		}
	}
}

// Upload sends the file that a LOCAL INFILE answer asked for, in packets, and reads the end of the answer,
// or its part up to the request for the next file.
func (c *Client) Upload(packets ...[]byte) *mysqlwire.Answer {
	c.t.Helper()
	a := &mysqlwire.Answer{}
	for _, p := range append(packets, nil) {
		if _, err := c.Decoder.Next(mysqlwire.ToServer, mysqlwire.Header{Len: len(p), Seq: c.seq}, p[:min(len(p), mysqlwire.HeadLen)]); err != nil {
			c.t.Fatal(err)
		}
		if err := c.write(p); err != nil {
			c.t.Fatal(err)
		}
	}
	for {
		p, err := c.read()
		if err != nil {
			c.t.Fatal(err)
		}
		f, err := c.follow(p)
		if err != nil {
			c.t.Fatal(err)
		}
		a.Packets = append(a.Packets, mysqlwire.Packet{Kind: f.Kind, Payload: p})
		if f.Ends || f.Kind == mysqlwire.KindLocalInfile {
			return a
		}
	}
}

// follow shows the decoder a packet that was read.
func (c *Client) follow(p []byte) (mysqlwire.Frame, error) {
	frames := mysqlwire.Frames(len(p))
	seq := c.seq - uint8(frames)
	var begin, f mysqlwire.Frame
	for i := range frames {
		n := min(len(p)-i*mysqlwire.MaxFrame, mysqlwire.MaxFrame)
		part := p[i*mysqlwire.MaxFrame:]
		var err error
		if f, err = c.Decoder.Next(mysqlwire.ToClient, mysqlwire.Header{Len: n, Seq: seq + uint8(i)}, part[:min(n, mysqlwire.HeadLen)]); err != nil {
			return f, err
		}
		if i == 0 {
			begin = f
		}
	}
	if c.Decoder.Need(begin) > 0 {
		c.Decoder.Note(begin, p)
	}
	return f, nil
}

func (c *Client) track(dir mysqlwire.Direction, n int, part, whole []byte) error {
	f, err := c.Decoder.Next(dir, mysqlwire.Header{Len: n, Seq: c.seq}, part[:min(n, mysqlwire.HeadLen)])
	if err != nil {
		return err
	}
	c.seq++
	if !f.Cont {
		c.Decoder.Note(f, whole)
	}
	return nil
}

// Drain reads the answer with rows to a command that Send has sent, without keeping or following it, and returns its
// size: for answers of which there is too much.
func (c *Client) Drain() (size int) {
	c.t.Helper()
	ends := 0 // EOF packets, of which there are two where OK does not take their place
	want := 2
	if c.Decoder.Caps().Has(mysqlwire.DeprecateEOF) {
		want = 1
	}
	var p []byte
	for ends < want {
		if err := c.Conn.SetReadDeadline(time.Now().Add(Patience)); err != nil {
			c.t.Fatal(err)
		}
		var head [mysqlwire.HeaderLen]byte
		if _, err := io.ReadFull(c.r, head[:]); err != nil {
			c.t.Fatal(err)
		}
		h := mysqlwire.ParseHeader(head[:])
		if cap(p) < h.Len {
			p = make([]byte, h.Len)
		}
		p = p[:h.Len]
		if _, err := io.ReadFull(c.r, p); err != nil {
			c.t.Fatal(err)
		}
		size += mysqlwire.HeaderLen + h.Len
		switch {
		case p[0] == 0xff:
			c.t.Fatal(c.errIn(p))
		case p[0] == 0xfe && h.Len < 9:
			ends++
		}
	}
	return size
}

// Do sends a command and reads its answer.
func (c *Client) Do(command []byte) *mysqlwire.Answer {
	c.t.Helper()
	c.Send(command)
	return c.Answer(command)
}

// Query runs a statement and returns its answer in numbers. An error of the server is in it.
func (c *Client) Query(sql string) mysqlwire.Summary {
	c.t.Helper()
	a := c.Do(c.statement(sql))
	sum, err := a.Summary(c.Decoder.Context())
	if err != nil {
		c.t.Fatalf("%.60s: %v", sql, err)
	}
	return sum
}

// Text runs a statement with one value and returns it.
func (c *Client) Text(sql string) string {
	c.t.Helper()
	return c.Value(c.Do(c.statement(sql)))
}

// statement is a COM_QUERY.
func (c *Client) statement(sql string) []byte {
	c.t.Helper()
	m := mysqlwire.Query{SQL: sql}
	b, err := m.Encode(nil, c.Decoder.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// Value is the first column of the first row of an answer; an error's text if it is one.
func (c *Client) Value(a *mysqlwire.Answer) string {
	c.t.Helper()
	cx := *c.Decoder.Context()
	cx.Command = a.Command
	results, err := a.Results(&cx)
	if err != nil {
		c.t.Fatal(err)
	}
	if last := a.Packets[len(a.Packets)-1]; last.Kind == mysqlwire.KindERR {
		return c.errIn(last.Payload).Error()
	}
	if len(results) == 0 || results[0].Rows.Len() == 0 {
		c.t.Fatalf("no row in %d packets", len(a.Packets))
	}
	row, err := results[0].Rows.Row(0)
	if err != nil {
		c.t.Fatal(err)
	}
	return row.Text(0)
}

// Prepare prepares a statement.
func (c *Client) Prepare(sql string) uint32 {
	c.t.Helper()
	a := c.Do(append([]byte{byte(mysqlwire.ComStmtPrepare)}, sql...))
	var m mysqlwire.PrepareOK
	if err := m.Decode(a.Packets[0].Payload, c.Decoder.Context()); err != nil {
		c.t.Fatalf("prepare %s: %v: %q", sql, err, a.Packets[0].Payload)
	}
	return m.StmtID
}

// Closed reads until the other side closes, which it must, and returns the error that it may have sent first.
func (c *Client) Closed() error {
	c.t.Helper()
	var said error
	for {
		c.seq = 0
		if err := c.Conn.SetReadDeadline(time.Now().Add(Patience)); err != nil {
			return said
		}
		var head [mysqlwire.HeaderLen]byte
		if _, err := io.ReadFull(c.r, head[:]); err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				c.t.Fatal("the connection is still open")
			}
			return said
		}
		p := make([]byte, mysqlwire.ParseHeader(head[:]).Len)
		if _, err := io.ReadFull(c.r, p); err != nil {
			return said
		}
		if len(p) > 0 && p[0] == 0xff {
			said = c.errIn(p)
		}
	}
}
