package intercepttest

import (
	"sync/atomic"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
)

// Patience is how long tests wait for what should happen at once.
const Patience = 20 * time.Second

// Proxy is a proxy under test.
type Proxy struct {
	*intercept.Proxy
	Addr string // where it listens
	t    testing.TB
}

// running counts the proxies of the process.
var running atomic.Int32

// NewProxy runs a proxy in front of backend until the test ends.
func NewProxy(t testing.TB, o intercept.Options, backend string) *Proxy {
	t.Helper()
	if backend != "" {
		o.Backends = append(o.Backends, intercept.Backend{Address: backend})
	}
	if o.StateDir == "" {
		o.StateDir = stateDir(t)
	}
	p, err := intercept.New(o)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := p.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if running.Add(-1) == 0 {
			NoLeaks(t)
		}
	})
	running.Add(1)
	return &Proxy{Proxy: p, Addr: addr.String(), t: t}
}

// Proxied is a proxy that somebody else runs and ends.
func Proxied(t testing.TB, p *intercept.Proxy) *Proxy { return &Proxy{Proxy: p, t: t} }

// Break adds rules.
func (p *Proxy) Break(rules ...string) {
	p.t.Helper()
	for _, r := range rules {
		if _, err := p.Breakpoints.Add(r); err != nil {
			p.t.Fatal(err)
		}
	}
}

// Held waits until an event is held at one of the points (any without points).
func (p *Proxy) Held(points ...rule.Point) intercept.Held {
	p.t.Helper()
	var held intercept.Held
	p.Until("an event is held", func() bool {
		for _, h := range p.Gate.Pending() {
			if len(points) == 0 || intercept.At(points...).Has(h.Point) {
				held = h
				return true
			}
		}
		return false
	})
	return held
}

// Resolve answers a held event.
func (p *Proxy) Resolve(h intercept.Held, v intercept.Verdict) {
	p.t.Helper()
	if err := p.Gate.Resolve(h.ID, v); err != nil {
		p.t.Fatalf("resolve %s: %v", h.Point, err)
	}
}

// Until waits for the journal's bell until done reports true.
func (p *Proxy) Until(what string, done func() bool) {
	p.t.Helper()
	bell := p.Journal.Listen()
	late := time.NewTimer(Patience)
	defer late.Stop()
	for !done() {
		select {
		case <-bell:
		case <-late.C:
			p.t.Fatalf("waited %v, but not: %s", Patience, what)
		}
	}
}

// Finished waits until an exchange whose SQL is sql is over and returns it.
func (p *Proxy) Finished(sql string) intercept.Exchange {
	p.t.Helper()
	var found intercept.Exchange
	p.Until("the end of "+sql, func() bool {
		list, _ := p.Journal.Since(0, nil)
		for _, x := range list {
			if x.SQL == sql && (x.State == intercept.Done || x.State == intercept.Gone) {
				found = x
				return true
			}
		}
		return false
	})
	return found
}
