// Package client is a MySQL client that speaks in packets: it logs in and then sends the commands of a recording as they
// are, and hands back whole answers as they came. Drivers cannot do that: they decide by themselves what they ask for, and
// give away values where an answer's bytes are wanted.
package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// Options say how to log in.
type Options struct {
	User, Password, DB string
	Caps               mysqlwire.Caps // what to ask for, as far as the server offers it; 0 is Caps
	Collation          uint8          // 45, utf8mb4, if 0
	Attrs              []mysqlwire.Attr
	TLS                tlspair.Mode  // Mirror means Preferred
	CA                 string        // PEM file of authorities for TLS
	Timeout            time.Duration // of the login; 10 s if 0
}

// Caps are what is asked for if nothing else is said.
const Caps = mysqlwire.Protocol41 | mysqlwire.LongPassword | mysqlwire.LongFlag | mysqlwire.SecureConnection | mysqlwire.PluginAuth |
	mysqlwire.PluginAuthLenencClientData | mysqlwire.Transactions | mysqlwire.DeprecateEOF | mysqlwire.MultiStatements | mysqlwire.MultiResults |
	mysqlwire.PSMultiResults | mysqlwire.ConnectAttrs

// own are the capabilities that decide on the form of the login and the session, which are this package's matter.
const own = mysqlwire.Protocol41 | mysqlwire.SecureConnection | mysqlwire.PluginAuth | mysqlwire.PluginAuthLenencClientData | mysqlwire.LongPassword

// never are those that it does not do.
const never = mysqlwire.Compress | mysqlwire.ZstdCompressionAlgorithm | mysqlwire.SSL | mysqlwire.MultiFactorAuthentication | mysqlwire.LocalFiles

// Conn is a session. It is for one goroutine.
type Conn struct {
	Greeting mysqlwire.Greeting
	conn     net.Conn
	r        *bufio.Reader
	dec      mysqlwire.Decoder
	seq      uint8
	secure   bool // a password may cross in clear text
	scramble []byte
	out      []byte
	ahead    int // commands that have been written and Do has not been asked for
}

// Dial logs in at a server: network and address as net.Dial has them. A server's refusal is a *mysqlwire.ERR.
func Dial(ctx context.Context, network, address string, o Options) (*Conn, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c, err := New(ctx, nc, o)
	if err != nil {
		return nil, fmt.Errorf("log in at %s as %q: %w", address, o.User, err)
	}
	return c, nil
}

// New logs in on a connection, which it closes if that fails.
func New(ctx context.Context, nc net.Conn, o Options) (*Conn, error) {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Caps == 0 {
		o.Caps = Caps
	}
	if o.Collation == 0 {
		o.Collation = 45
	}
	c := &Conn{conn: nc, r: bufio.NewReaderSize(nc, 64<<10)}
	c.dec.KeepColumns = true
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) }) // ends what waits
	defer stop()
	err := nc.SetDeadline(time.Now().Add(o.Timeout))
	if err == nil {
		err = c.login(ctx, &o)
	}
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = c.conn.Close() // the login's error is the one to tell
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, err
	}
	return c, nil
}

func (c *Conn) login(ctx context.Context, o *Options) error {
	p, err := c.read()
	if err != nil {
		return fmt.Errorf("read greeting: %w", err)
	}
	if len(p) > 0 && p[0] == 0xff {
		return refusal(p)
	}
	if err := c.Greeting.Decode(p, nil); err != nil {
		return fmt.Errorf("read greeting: %w", err)
	}
	caps := o.Caps&^never | own
	if o.DB != "" {
		caps |= mysqlwire.ConnectWithDB
	} else {
		caps &^= mysqlwire.ConnectWithDB
	}
	caps &= c.Greeting.Caps
	if !c.Greeting.Caps.Has(mysqlwire.LongPassword) { // MariaDB with capabilities of its own
		caps |= o.Caps & (mysqlwire.MariaDBExtendedMetadata | mysqlwire.MariaDBCacheMetadata | mysqlwire.MariaDBProgress) & c.Greeting.Caps
	}
	m := &mysqlwire.Login{Caps: caps, MaxPacket: 1 << 30, Collation: o.Collation, User: o.User, DB: o.DB, PluginName: c.Greeting.PluginName, Attrs: o.Attrs}
	if len(o.Attrs) == 0 {
		m.Caps &^= mysqlwire.ConnectAttrs
	}
	if err := c.encrypt(ctx, o, m); err != nil {
		return err
	}
	c.scramble = c.Greeting.Scramble
	if m.AuthResponse, err = c.prove(m.PluginName, o.Password); err != nil {
		m.AuthResponse = nil // of a plugin that is not ours; the server may ask for another
	}
	b, err := m.Encode(nil, nil)
	if err != nil {
		return err
	}
	if err := c.write(b); err != nil {
		return err
	}
	if err := c.authenticate(m.PluginName, o.Password); err != nil {
		return err
	}
	c.dec.Agree(m.Caps&^mysqlwire.SSL, c.Greeting.MariaDB())
	c.dec.SetUser(o.User)
	c.dec.SetDB(o.DB)
	c.dec.Ready()
	return nil
}

// encrypt begins TLS if that is wanted and offered.
func (c *Conn) encrypt(ctx context.Context, o *Options, m *mysqlwire.Login) error {
	c.secure = c.conn.RemoteAddr() != nil && c.conn.RemoteAddr().Network() == "unix"
	mode := o.TLS
	if mode == tlspair.Mirror {
		mode = tlspair.Preferred
	}
	offered := c.Greeting.Caps.Has(mysqlwire.SSL)
	switch {
	case mode == tlspair.Disabled || c.secure && mode == tlspair.Preferred || !offered && mode == tlspair.Preferred:
		return nil
	case !offered:
		return errors.New("the server offers no TLS, which --backend-tls asks for")
	}
	host := ""
	if h, _, err := net.SplitHostPort(c.conn.RemoteAddr().String()); err == nil {
		host = h
	}
	cfg, err := tlspair.ClientConfig(mode, o.CA, host, "", "")
	if err != nil {
		return err
	}
	m.Caps |= mysqlwire.SSL
	request, err := (&mysqlwire.SSLRequest{Caps: m.Caps, MaxPacket: m.MaxPacket, Collation: m.Collation}).Encode(nil, nil)
	if err != nil {
		return err
	}
	if err := c.write(request); err != nil {
		return err
	}
	tc, err := tlspair.Client(ctx, c.conn, cfg)
	if err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	c.conn, c.r, c.secure = tc, bufio.NewReaderSize(tc, 64<<10), true
	return nil
}

func refusal(p []byte) error {
	e := &mysqlwire.ERR{}
	if err := e.Decode(p, nil); err != nil {
		return err
	}
	return e
}

// Close says goodbye and closes.
func (c *Conn) Close() error {
	c.seq = 0
	_ = c.conn.SetDeadline(time.Now().Add(time.Second))
	_ = c.write([]byte{byte(mysqlwire.ComQuit)}) // the server may be gone
	return c.conn.Close()
}

// LocalAddr is this side's address, as a proxy in between sees it.
func (c *Conn) LocalAddr() string { return c.conn.LocalAddr().String() }

// Kill closes without a word, and ends what runs in another goroutine.
func (c *Conn) Kill() error { return c.conn.Close() }

// Context is what encodes the next command: capabilities, and of an execute the statement.
func (c *Conn) Context() *mysqlwire.Context { return c.dec.Context() }

// Stmt is an open prepared statement.
func (c *Conn) Stmt(id uint32) *mysqlwire.Stmt { return c.dec.Stmt(id) }

// Ahead writes commands in one piece, for which Do is to be asked next, in this order: the server finds each
// when it is done with the one before. They must be small, so that a server that is busy answering can take them,
// none may make the server ask for a file, and none may need the answer of another.
func (c *Conn) Ahead(commands ...[]byte) error {
	c.out = c.out[:0]
	for _, b := range commands {
		c.out, _ = mysqlwire.AppendPacket(c.out, b, 0)
	}
	c.ahead += len(commands)
	_, err := c.conn.Write(c.out)
	return err
}

// Do sends a command and returns its whole answer, and what decodes that. The answer of a command that has none is empty.
// A file that the server asks for is refused. After an error the session is over.
func (c *Conn) Do(command []byte) (*mysqlwire.Answer, *mysqlwire.Context, error) {
	if len(command) == 0 {
		return nil, nil, errors.New("empty command")
	}
	if err := c.send(command); err != nil {
		return nil, nil, err
	}
	a := &mysqlwire.Answer{Command: mysqlwire.Command(command[0])}
	for a.Command.Answered() {
		p, err := c.read()
		if err != nil {
			return a, c.dec.Context(), fmt.Errorf("read the answer to %s: %w", a.Command, err)
		}
		f, err := c.follow(p)
		if err != nil {
			return a, c.dec.Context(), err
		}
		a.Packets = append(a.Packets, mysqlwire.Packet{Kind: f.Kind, Payload: p})
		if f.Ends {
			break
		}
		if f.Kind == mysqlwire.KindLocalInfile {
			if c.ahead > 0 {
				return a, c.dec.Context(), errors.New("the server asks for a file, and got the next command")
			}
			if _, err := c.dec.Next(mysqlwire.ToServer, mysqlwire.Header{Seq: c.seq}, nil); err != nil {
				return a, c.dec.Context(), err
			}
			if err := c.write(nil); err != nil {
				return a, c.dec.Context(), err
			}
		}
	}
	cx := *c.dec.Context()
	cx.Command = a.Command
	return a, &cx, nil
}

// send writes a command and shows it to the decoder.
func (c *Conn) send(command []byte) error {
	c.seq = 0
	for rest := command; ; {
		n := min(len(rest), mysqlwire.MaxFrame)
		f, err := c.dec.Next(mysqlwire.ToServer, mysqlwire.Header{Len: n, Seq: c.seq}, rest[:min(n, mysqlwire.HeadLen)])
		if err != nil {
			return err
		}
		c.seq++
		if !f.Cont && c.dec.Need(f) > 0 {
			c.dec.Note(f, command)
		}
		rest = rest[n:]
		if n < mysqlwire.MaxFrame {
			break
		}
	}
	if c.ahead > 0 {
		c.ahead--
		return nil
	}
	c.seq = 0
	return c.write(command)
}

// follow shows a packet of the server to the decoder.
func (c *Conn) follow(p []byte) (mysqlwire.Frame, error) {
	frames := mysqlwire.Frames(len(p))
	seq := c.seq - uint8(frames)
	var begin, f mysqlwire.Frame
	for i := range frames {
		part := p[i*mysqlwire.MaxFrame:]
		n := min(len(part), mysqlwire.MaxFrame)
		var err error
		if f, err = c.dec.Next(mysqlwire.ToClient, mysqlwire.Header{Len: n, Seq: seq + uint8(i)}, part[:min(n, mysqlwire.HeadLen)]); err != nil {
			return f, err
		}
		if i == 0 {
			begin = f
		}
	}
	if c.dec.Need(begin) > 0 {
		c.dec.Note(begin, p)
	}
	return f, nil
}

// read reads a packet.
func (c *Conn) read() ([]byte, error) {
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
			return nil, errors.Join(io.ErrUnexpectedEOF, err)
		}
		if h.Len < mysqlwire.MaxFrame {
			return payload, nil
		}
	}
}

// write sends a packet with the next number.
func (c *Conn) write(payload []byte) error {
	c.out, c.seq = mysqlwire.AppendPacket(c.out[:0], payload, c.seq)
	_, err := c.conn.Write(c.out)
	if cap(c.out) > 1<<20 {
		c.out = nil
	}
	return err
}
