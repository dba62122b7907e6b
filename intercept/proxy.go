package intercept

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mydbg/intercept/compress"
	"mydbg/intercept/proxyproto"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
)

// Options configure a Proxy. The zero value relays without TLS certificates of its own being
// needed until a client asks for TLS.
type Options struct {
	Backends        []Backend    // the first is the default
	ClientTLS       tlspair.Mode // Mirror means Preferred
	BackendTLS      tlspair.Mode
	ClientCompress  compress.Mode // one of compress.ClientModes
	BackendCompress compress.Mode // one of compress.ServerModes
	BackendCA       string        // PEM file of authorities that may sign the server's certificate
	BackendCert     string        // the proxy's own client certificate and key, PEM files
	BackendKey      string
	StateDir        string        // where the local authority lives; "" is tlspair.DefaultDir
	AllowCleartext  bool          // let passwords cross a plain server leg in clear text
	ConnectTimeout  time.Duration // 10 s if 0
	Replayed        bool          // the clients are a replay's, for who asks (ConnInfo.Replayed)
	// ProxyProtocol says whether clients' connections begin with a PROXY header, ProxyFrom who may send
	// one; nil is everybody. BackendProxyProtocol is the version of the header sent to servers, 1 or 2; 0 is none.
	ProxyProtocol        proxyproto.Mode
	ProxyFrom            []netip.Prefix
	BackendProxyProtocol int
	// ReadTimeout ends connections on which neither side sends anything for so long, WriteTimeout those
	// with a side that does not take what it is sent. 0 is never; time held does not count.
	ReadTimeout, WriteTimeout time.Duration
	// PoolNoChangeUser takes pooled connections over without COM_CHANGE_USER, by clients that prove
	// themselves exactly as the one before did.
	PoolNoChangeUser bool
	JournalSize      int // exchanges; 20,000 if 0
	JournalBytes     int // of their packets; 32 MiB if 0
	Tap              Tap // told what crosses; may be nil
}

// Backend is a server to connect to.
type Backend struct {
	Address  string // host:port or unix:/path
	ReadOnly bool
	// Dial opens a connection that is not to Address: an embedded server's. nil dials Address.
	Dial func(ctx context.Context) (net.Conn, error)
}

func (b *Backend) dial(ctx context.Context) (net.Conn, error) {
	if b.Dial != nil {
		return b.Dial(ctx)
	}
	return dial(ctx, b.Address)
}

// Proxy accepts client connections and carries each to a server.
type Proxy struct {
	Journal     *Journal
	Gate        *Gate
	Breakpoints *Breakpoints
	Stepper     *Stepper

	o       Options
	chain   atomic.Pointer[Chain]
	servers registry

	authority func() (*tlspair.Authority, error)
	rsaKey    func() (*rsa.PrivateKey, error) // for passwords
	plainLegs sync.Map                        // notices of legs that are not compressed as was wanted, made once: text to nothing
	askNoCert atomic.Bool                     // clients are not asked for a certificate any more: one had none that could be read

	mu          sync.Mutex
	listeners   []net.Listener
	doors       []*door
	conns       map[ConnID]*Conn
	closedConns []ConnInfo // newest last, bounded
	lastConn    ConnID
	auto        []Hook
	base        context.Context
	stop        context.CancelCauseFunc
	sessions    sync.WaitGroup
}

// keptConns is how many closed connections are still listed.
const keptConns = 200

// New makes a proxy. It listens only once Listen is called.
func New(o Options) (*Proxy, error) {
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = 10 * time.Second
	}
	for i := range o.Backends {
		if o.Backends[i].Dial != nil {
			continue
		}
		a, err := ParseAddress(o.Backends[i].Address, 3306)
		if err != nil {
			return nil, fmt.Errorf("backend %w", err)
		}
		o.Backends[i].Address = a
	}
	slices.SortStableFunc(o.Backends, func(a, b Backend) int { // those for writing come first
		switch {
		case a.ReadOnly == b.ReadOnly:
			return 0
		case a.ReadOnly:
			return 1
		}
		return -1
	})
	if o.BackendCA != "" || o.BackendTLS > tlspair.Required {
		if _, err := tlspair.ClientConfig(o.BackendTLS, o.BackendCA, "localhost", o.BackendCert, o.BackendKey); err != nil {
			return nil, err
		}
	}
	p := &Proxy{
		Journal: NewJournal(o.JournalSize, o.JournalBytes), Stepper: &Stepper{}, o: o,
		conns:     map[ConnID]*Conn{},
		authority: sync.OnceValues(func() (*tlspair.Authority, error) { return tlspair.OpenAuthority(o.StateDir) }),
		rsaKey:    sync.OnceValues(tlspair.NewRSAKey),
	}
	if err := p.checkState(); err != nil {
		return nil, err
	}
	if o.Tap != nil {
		p.Journal.noted = o.Tap.Noted
	}
	for _, b := range o.Backends {
		p.servers.add(b)
	}
	for _, address := range p.sameServers() {
		p.Journal.Note(Warning, 0, 0, "backend %s is already known!", address)
	}
	p.Gate = &Gate{bell: p.Journal.ring}
	p.Breakpoints = newBreakpoints(p)
	p.base, p.stop = context.WithCancelCause(context.Background())
	p.rechain()
	return p, nil
}

// checkState looks whether clients can be offered TLS. If not, they are not, unless they must be.
func (p *Proxy) checkState() error {
	if p.o.ClientTLS == tlspair.Disabled {
		return nil
	}
	err := tlspair.CheckDir(p.o.StateDir)
	switch {
	case err == nil:
		return nil
	case p.o.ClientTLS >= tlspair.Required:
		return fmt.Errorf("--client-tls=%s: %w. Name a directory that can be written with --state-dir", p.o.ClientTLS, err)
	}
	p.o.ClientTLS = tlspair.Disabled
	text := ""
	if p.o.BackendTLS == tlspair.Mirror {
		text = ", and so the server's leg is plain too (--backend-tls=mirror)"
	}
	p.Journal.Note(Warning, 0, 0, "clients are not offered TLS%s: %v. Name a directory that can be written with --state-dir", text, err)
	return nil
}

// SetHooks replaces the automatic hooks, in the order they are asked.
func (p *Proxy) SetHooks(hooks ...Hook) {
	p.mu.Lock()
	p.auto = slices.Clone(hooks)
	p.mu.Unlock()
	p.rechain()
}

// rechain publishes the chain of the hooks and breakpoints there are now.
func (p *Proxy) rechain() {
	p.mu.Lock()
	auto, doors := p.auto, slices.Clone(p.doors)
	p.mu.Unlock()
	pre, post := p.Breakpoints.hooks()
	p.chain.Store(NewChain(pre, auto, post))
	for _, d := range doors {
		d.chain.Store(NewChain(pre, d.hooks, post))
	}
	p.Journal.ring()
}

// Conns lists the open connections, oldest first, and then those that closed last.
func (p *Proxy) Conns() []ConnInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]ConnInfo, 0, len(p.conns)+len(p.closedConns))
	for _, id := range slices.Sorted(maps.Keys(p.conns)) {
		list = append(list, p.conns[id].Info())
	}
	return append(list, p.closedConns...)
}

// Conn finds an open connection; nil when it is closed.
func (p *Proxy) Conn(id ConnID) *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns[id]
}

// Step tells a connection where to stop next.
func (p *Proxy) Step(id ConnID, m StepMode) {
	if c := p.Conn(id); c != nil {
		p.Stepper.Set(c, m)
		p.Journal.ring()
	}
}

// open registers a new client connection.
func (p *Proxy) open(nc net.Conn, cancel context.CancelCauseFunc) *Conn {
	p.mu.Lock()
	p.lastConn++
	c := &Conn{ID: p.lastConn, Opened: time.Now(), cancel: cancel}
	c.info = ConnInfo{ID: c.ID, Opened: c.Opened, Client: nc.RemoteAddr().String(), Listen: nc.LocalAddr().String(), Replayed: p.o.Replayed}
	p.conns[c.ID] = c
	p.mu.Unlock()
	if p.o.Tap != nil {
		p.o.Tap.Opened(c)
	}
	p.Journal.ring()
	return c
}

func (p *Proxy) closed(c *Conn, cause error) {
	p.mu.Lock()
	delete(p.conns, c.ID)
	p.closedConns = append(p.closedConns, c.Info())
	if len(p.closedConns) > keptConns {
		p.closedConns = slices.Delete(p.closedConns, 0, len(p.closedConns)-keptConns)
	}
	p.mu.Unlock()
	if p.o.Tap != nil {
		p.o.Tap.Closed(c, cause)
	}
	p.Journal.ring()
}

func (p *Proxy) finished(c *Conn, x *Exchange) {
	p.Breakpoints.finished(c, x)
	if p.o.Tap != nil {
		p.o.Tap.Finished(c, x, c.commands.Load())
	}
}

// tapped has l tell the tap what crosses it.
func (p *Proxy) tapped(c *Conn, l *leg) *leg {
	if t := p.o.Tap; t != nil {
		side := ServerLeg
		if l.from == mysqlwire.ToServer {
			side = ClientLeg
		}
		l.tap = func(d mysqlwire.Direction, b []byte) { t.Bytes(c, side, d, b) }
	}
	return l
}

// clientTLS is what the client leg of nc shows clients.
func (p *Proxy) clientTLS(nc net.Conn) (*tlspair.Authority, *tls.Config, error) {
	a, err := p.authority()
	if err != nil {
		return nil, nil, err
	}
	var names []string
	if host, _, err := net.SplitHostPort(nc.LocalAddr().String()); err == nil {
		names = append(names, host)
	}
	conf, err := a.ServerConfig(names...)
	if err == nil && p.askNoCert.Load() {
		conf.ClientAuth = tls.NoClientCert
	}
	return a, conf, err
}

// CAFile is the certificate that clients should trust, made if there is none yet.
func (p *Proxy) CAFile() (string, error) {
	a, err := p.authority()
	if err != nil {
		return "", err
	}
	return a.CAFile(), nil
}

func (p *Proxy) backendTLS(address string) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = "localhost" // a Unix socket
	}
	return tlspair.ClientConfig(p.o.BackendTLS, p.o.BackendCA, host, p.o.BackendCert, p.o.BackendKey)
}

func (p *Proxy) authOptions(caps mysqlwire.Caps) auth.Options {
	return auth.Options{
		Key:            p.rsaKey,
		AllowCleartext: p.o.AllowCleartext,
		MultiFactor:    caps.Has(mysqlwire.MultiFactorAuthentication),
	}
}

// closePatience is how long Close waits for running exchanges.
const closePatience = time.Second

// Close stops accepting, releases what is held unchanged, gives running exchanges a moment to end, and closes
// every connection. It returns when all sessions have ended, but for those of callers of Serve.
func (p *Proxy) Close() error {
	p.mu.Lock()
	listeners := p.listeners
	p.listeners = nil
	p.mu.Unlock()
	var err error
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	p.Stepper.PauseAll(false)
	p.mu.Lock()
	p.chain.Store(NewChain(nil, p.auto, nil))
	for _, d := range p.doors {
		d.chain.Store(NewChain(nil, d.hooks, nil))
	}
	for _, c := range p.conns {
		p.Stepper.Set(c, Continue)
	}
	p.mu.Unlock()
	p.Gate.ReleaseAll(Verdict{})
	p.drain()
	p.stop(errors.New("mydbg ends"))
	p.servers.close()
	p.sessions.Wait()
	return err
}

// drain waits for running exchanges, not for long.
func (p *Proxy) drain() {
	late := time.NewTimer(closePatience)
	defer late.Stop()
	for bell := p.Journal.Listen(); p.busy(); {
		select {
		case <-bell:
		case <-late.C:
			return
		}
	}
}

// busy reports whether any connection has an exchange that will end by itself.
func (p *Proxy) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		if c.busy.Load() {
			return true
		}
	}
	return false
}
