package intercept

import (
	"sync"
	"sync/atomic"
	"time"

	"mydbg/intercept/compress"
	"mydbg/mysqlwire"
)

// Conn is one client connection for those who look on: hooks, taps and the screen.
type Conn struct {
	ID     ConnID
	Opened time.Time

	step     atomic.Int32  // StepMode
	status   atomic.Uint32 // newest mysqlwire.Status
	commands atomic.Uint64
	busy     atomic.Bool // an exchange is running that will end by itself

	mu     sync.Mutex
	info   ConnInfo
	client Peer              // greeting and login
	server *Peer             // nil without one
	asking *session          // while its hooks run
	packed [2]*compress.Conn // by Leg; nil where it is not compressed
	cancel func(error)
}

// PastConn is a connection that is over, for those who look at what it did: what its snapshot says is
// all that is known of it.
func PastConn(info ConnInfo) *Conn {
	c := &Conn{ID: info.ID, Opened: info.Opened, info: info, cancel: func(error) {}}
	c.commands.Store(info.Commands)
	c.status.Store(uint32(info.Status))
	if info.User != "" {
		c.client.Login = &mysqlwire.Login{User: info.User, DB: info.DB, PluginName: info.AuthPlugin}
	}
	if info.Server != "" {
		c.client.Greeting = &mysqlwire.Greeting{Version: info.Server, ConnectionID: info.Thread, Caps: info.Caps, PluginName: info.AuthPlugin}
		c.server = &Peer{Src: info.ServerFrom, Dst: info.ServerTo, Greeting: c.client.Greeting, Login: c.client.Login}
	}
	return c
}

// ConnInfo is a snapshot of a connection.
type ConnInfo struct {
	ID             ConnID
	Opened, Closed time.Time // Closed is zero while open
	Cause          string    // why it was closed
	Client         string    // the client's address
	Via            string    // the proxy that announced it, and how; "" for a client that connected itself
	Listen         string    // ours that it connected to
	Backend        string    // the server's, "" while not connected
	ServerFrom     string    // our end of the connection to it, and the server's, as the network has them
	ServerTo       string
	BackendIndex   int // 1-based; 0 without one
	Phase          Phase
	User, DB       string
	Replayed       bool   // a replay sends it
	ServerDB       string // the server connection's current schema, which another client may have left there
	AuthPlugin     string
	Login          []string // the authentication, step by step, in words without secrets
	Attrs          []mysqlwire.Attr
	Server         string // version
	Thread         uint32
	MariaDB        bool
	Caps           mysqlwire.Caps // agreed with the client
	ClientTLS      string         // "TLS 1.3", "" for plain
	ServerTLS      string
	ClientCompress compress.Stats // None for a leg that is not compressed
	ServerCompress compress.Stats
	Uncompressed   string       // why a leg is not compressed as the options want it; "" if it is, or none is wanted
	ClientCert     *Certificate // that the client presented, not verified; nil without one
	ServerCert     *Certificate // that the server presented
	LoginFailure   *LoginReport // why the login, or the latest COM_CHANGE_USER, failed; nil if it did not
	Statements     int          // open prepared statements
	Commands       uint64
	Charset        string // character_set_client: what its statements are read as, "" if that is not known
	Results        string // character_set_results; "" if that is not known or none
	Status         mysqlwire.Status
	TxSince        time.Time // zero outside a transaction
	TxCommands     int
	Stream         *Stream // the newest that a replica got here; nil without one
	Opaque         string  // why it is relayed without being followed; "" while it is
	Step           StepMode
}

// Program is what the client calls itself: the attribute program_name, else _client_name.
func (i *ConnInfo) Program() string {
	for _, want := range []string{"program_name", "_client_name"} {
		for _, a := range i.Attrs {
			if a.Name == want && a.Value != "" {
				return a.Value
			}
		}
	}
	return ""
}

// Phase is how far a connection has come.
type Phase uint8

const (
	Connecting Phase = iota // to the server
	LoggingIn
	Ready   // command phase
	Relayed // opaque
	Closed
)

var phaseNames = [...]string{"connecting", "logging in", "ready", "opaque", "closed"}

func (p Phase) String() string { return phaseNames[p] }

// Info is a snapshot.
func (c *Conn) Info() ConnInfo {
	c.mu.Lock()
	i, packed := c.info, c.packed
	c.mu.Unlock()
	if p := packed[ClientLeg]; p != nil {
		i.ClientCompress = p.Stats()
	}
	if p := packed[ServerLeg]; p != nil {
		i.ServerCompress = p.Stats()
	}
	i.Commands = c.commands.Load()
	i.Status = mysqlwire.Status(c.status.Load())
	i.Step = StepMode(c.step.Load())
	return i
}

// Commands is how many exchanges the client has begun.
func (c *Conn) Commands() uint64 { return c.commands.Load() }

// Kill closes both sides of the connection; err says why.
func (c *Conn) Kill(err error) { c.cancel(err) }

// change edits the snapshot.
func (c *Conn) change(edit func(*ConnInfo)) {
	c.mu.Lock()
	edit(&c.info)
	c.mu.Unlock()
}
