package intercept

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// BackendState is what is known of a server's health. Scripts may set others than these.
type BackendState int

const (
	BackendUnknown BackendState = iota // not tried yet, or not for a while
	BackendUp                          // the last connection to it was made
	BackendDown                        // and could not be made
)

func (s BackendState) String() string {
	switch s {
	case BackendUnknown:
		return "unknown"
	case BackendUp:
		return "up"
	case BackendDown:
		return "down"
	}
	return fmt.Sprintf("state %d", int(s))
}

// BackendInfo is a snapshot of a server.
type BackendInfo struct {
	Backend
	Index            int    // from 1, in the order of the options
	Numeric          string // Address with the host as a number, where that could be found out
	State            BackendState
	Since            time.Time // when the proxy last changed State; zero if it never did
	Clients          int       // that have a connection to it
	UUID             string    // a script's
	MinIdle, MaxIdle int       // of its pool, a script's
	Idle             []IdleInfo
}

// IdleInfo is a server connection in the pool.
type IdleInfo struct {
	User   string // who logged in on it last
	Thread uint32
	Since  time.Time
}

// wakeAfter is after how many seconds a server that was down may be tried again, as in MySQL Proxy.
const wakeAfter = 4

// server is an entry of the registry. What follows mu of the registry belongs to who holds that.
type server struct {
	Backend
	index   int
	numeric string

	state            BackendState
	since            time.Time
	clients          int
	uuid             string
	minIdle, maxIdle int
	idle             []*spare // oldest first
}

// served counts the clients that have a connection, with those whose connection is on its way to the
// pool: whoever adds up the clients and the pool counts each connection once. The caller holds the
// registry's lock.
func (s *server) served() int {
	n := s.clients
	for _, sp := range s.idle {
		if sp.owner != nil {
			n++
		}
	}
	return n
}

// registry is the servers there are, with their health, their clients and their pools. It exists
// beside the sessions, which tell it what they learn. Nobody waits for anything with its lock.
type registry struct {
	mu     sync.Mutex
	list   []*server
	woken  int64 // second of the last look at who is down
	closed bool
}

// resolvePatience is how long the name of a server may take to be resolved when it is added.
const resolvePatience = time.Second

// numeric is an address with its host as a number, or as it was where that is not to be had.
func numeric(address string) string {
	network, addr := splitAddress(address)
	host, port, err := net.SplitHostPort(addr)
	if network == "unix" || err != nil || net.ParseIP(host) != nil {
		return address
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolvePatience)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(ips) == 0 {
		return address
	}
	best := ips[0].Unmap()
	for _, ip := range ips {
		if ip = ip.Unmap(); ip.Is4() {
			best = ip
			break
		}
	}
	return net.JoinHostPort(best.String(), port)
}

// add appends a server and returns its number.
func (r *registry) add(b Backend) int {
	s := &server{Backend: b, numeric: b.Address}
	if b.Dial == nil {
		s.numeric = numeric(b.Address)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, s)
	s.index = len(r.list)
	return s.index
}

// get is the server of a number; nil if there is none.
func (r *registry) get(n int) *server {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n < 1 || n > len(r.list) {
		return nil
	}
	return r.list[n-1]
}

// change edits the server of a number; false if there is none.
func (r *registry) change(n int, edit func(*server)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n < 1 || n > len(r.list) {
		return false
	}
	edit(r.list[n-1])
	return true
}

// tried notes how an attempt to connect ended.
func (r *registry) tried(n int, err error) {
	r.change(n, func(s *server) {
		s.state, s.since = BackendUp, time.Now()
		if err != nil {
			s.state = BackendDown
			return
		}
		s.clients++
	})
}

// wake has servers that have been down for a while tried again, and returns which.
func (r *registry) wake(now time.Time) (woken []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.woken == now.Unix() {
		return nil
	}
	r.woken = now.Unix()
	for _, s := range r.list {
		if s.state == BackendDown && now.Unix()-s.since.Unix() > wakeAfter {
			s.state, s.since = BackendUnknown, now
			woken = append(woken, s.Address)
		}
	}
	return woken
}

// down reports whether a server is.
func (r *registry) down(s *server) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return s.state == BackendDown
}

// choose is the server of a connection for which nobody has chosen: of those for writing that are
// not down, the one with the fewest clients; with evenDown then those that are down. Servers in not are
// left out.
func (r *registry) choose(not []int, evenDown bool) *server {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, down := range []bool{false, true} {
		if down && !evenDown {
			break
		}
		var best *server
		for _, s := range r.list {
			if s.ReadOnly || (s.state == BackendDown) != down || slices.Contains(not, s.index) {
				continue
			}
			if best == nil || s.served() < best.served() {
				best = s
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

// Backends lists the servers: first those for writing, then the read-only ones, each in the order
// they were given; then those that were added.
func (p *Proxy) Backends() []BackendInfo {
	p.servers.mu.Lock()
	defer p.servers.mu.Unlock()
	list := make([]BackendInfo, len(p.servers.list))
	for i, s := range p.servers.list {
		list[i] = BackendInfo{
			Backend: s.Backend, Index: s.index, Numeric: s.numeric, State: s.state, Since: s.since, Clients: s.served(),
			UUID: s.uuid, MinIdle: s.minIdle, MaxIdle: s.maxIdle,
		}
		for _, sp := range s.idle {
			if sp.owner != nil {
				continue
			}
			list[i].Idle = append(list[i].Idle, IdleInfo{User: sp.user, Thread: sp.link.greeting.ConnectionID, Since: sp.since})
		}
	}
	return list
}

// AddBackend adds a server for connections that come, and returns its number. A server that is there
// already is an error.
func (p *Proxy) AddBackend(b Backend) (int, error) {
	if b.Dial == nil {
		a, err := ParseAddress(b.Address, 3306)
		if err != nil {
			return 0, fmt.Errorf("backend %w", err)
		}
		b.Address = a
	}
	for _, have := range p.Backends() {
		if have.Address == b.Address || have.Numeric == numeric(b.Address) {
			return 0, fmt.Errorf("backend %s is already known", b.Address)
		}
	}
	n := p.servers.add(b)
	p.Journal.ring()
	return n, nil
}

// SetBackendState says how a server is. The proxy's own findings replace it.
func (p *Proxy) SetBackendState(n int, st BackendState) bool {
	defer p.Journal.ring()
	return p.servers.change(n, func(s *server) { s.state = st })
}

// SetBackendUUID names a server.
func (p *Proxy) SetBackendUUID(n int, id string) bool {
	return p.servers.change(n, func(s *server) { s.uuid = id })
}

// SetPoolLimits sets how many idle connections the pool of a server should have. The pool itself
// heeds the first only, see Proxy.Idle.
func (p *Proxy) SetPoolLimits(n, minIdle, maxIdle int) bool {
	return p.servers.change(n, func(s *server) { s.minIdle, s.maxIdle = minIdle, maxIdle })
}

// Same lists servers that were given twice.
func (p *Proxy) sameServers() (twice []string) {
	seen := map[string]bool{}
	for _, b := range p.Backends() {
		if name := strings.ToLower(b.Numeric); seen[name] && b.Dial == nil {
			twice = append(twice, b.Address)
		} else {
			seen[name] = true
		}
	}
	return twice
}
