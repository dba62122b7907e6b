package intercept

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// Listen opens a listener on address, host:port, :port or unix:/path, and serves what it accepts
// until Close. A socket file left behind by a process that is gone is replaced.
func (p *Proxy) Listen(address string) (net.Addr, error) { return p.listen(address, nil) }

// ListenWith is Listen with automatic hooks of the listener's own, which are asked in place of the
// proxy's. Breakpoints count here as everywhere.
func (p *Proxy) ListenWith(address string, hooks ...Hook) (net.Addr, error) {
	d := &door{hooks: hooks}
	p.mu.Lock()
	p.doors = append(p.doors, d)
	p.mu.Unlock()
	p.rechain()
	return p.listen(address, d)
}

// door is a listener with hooks of its own.
type door struct {
	hooks []Hook
	chain atomic.Pointer[Chain]
}

// chain is the hooks that are asked about the session.
func (s *session) chain() *Chain {
	if s.door != nil {
		return s.door.chain.Load()
	}
	return s.proxy.chain.Load()
}

func (p *Proxy) listen(address string, d *door) (net.Addr, error) {
	a, err := ParseAddress(address, 4040)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	network, addr := splitAddress(a)
	l, err := net.Listen(network, addr)
	if errors.Is(err, syscall.EADDRINUSE) && network == "unix" && abandoned(addr) {
		if err = os.Remove(addr); err == nil {
			l, err = net.Listen(network, addr)
		}
	}
	if err != nil {
		return nil, listenError(network, addr, err)
	}
	p.mu.Lock()
	p.listeners = append(p.listeners, l)
	p.mu.Unlock()
	p.sessions.Go(func() { p.accept(l, d) }) // ends when Close closes the listener
	return l.Addr(), nil
}

// abandoned reports whether nobody listens on a socket file.
func abandoned(path string) bool {
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

func listenError(network, addr string, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	who := ""
	if name := portHolder(addr); network == "tcp" && name != "" {
		who = " by " + name
	}
	return fmt.Errorf("listen on %s: in use%s. Try another address with --listen, :0 takes a free port", addr, who)
}

// Serve runs one client connection that somebody else accepted, to its end.
func (p *Proxy) Serve(ctx context.Context, nc net.Conn) { p.serveAt(ctx, nc, nil) }

func (p *Proxy) serveAt(ctx context.Context, nc net.Conn, d *door) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.base, func() { cancel(context.Cause(p.base)) })()
	p.serve(ctx, nc, d)
}

func (p *Proxy) accept(l net.Listener, d *door) {
	for wait := time.Duration(0); ; {
		nc, err := l.Accept()
		switch {
		case err == nil:
			wait = 0
			p.sessions.Go(func() { p.serveAt(p.base, nc, d) }) // ends with the connection; Close waits for it
		case errors.Is(err, net.ErrClosed):
			return
		default:
			// Out of file descriptors, most likely: leave those there are time to end.
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			p.Journal.Note(Error, 0, 0, "accept on %s: %v", l.Addr(), err)
			select {
			case <-time.After(wait):
			case <-p.base.Done():
				return
			}
		}
	}
}
