package intercept

import (
	"testing"

	"mydbg/mysqlwire"
)

// TestReleasedConnectionsAreCountedOnce: whoever adds up the clients of a server and its pool, as
// scripts do to balance, must not find a connection in neither while it is on its way.
func TestReleasedConnectionsAreCountedOnce(t *testing.T) {
	p, err := New(Options{StateDir: t.TempDir(), Backends: []Backend{{Address: "127.0.0.1:3306"}}})
	if err != nil {
		t.Fatal(err)
	}
	const n = 1
	p.servers.tried(n, nil)
	counts := func() (clients, idle int) {
		b := p.Backends()[n-1]
		return b.Clients, len(b.Idle)
	}
	k := &link{at: p.servers.get(n), login: &mysqlwire.Login{User: "u"}, greeting: &mysqlwire.Greeting{}}
	sp := p.servers.put(k, &session{})
	if clients, idle := counts(); clients != 1 || idle != 0 {
		t.Errorf("on its way: got %d clients, %d idle", clients, idle)
	}
	p.servers.mu.Lock()
	sp.owner = nil
	p.servers.mu.Unlock()
	if clients, idle := counts(); clients != 0 || idle != 1 {
		t.Errorf("in the pool: got %d clients, %d idle", clients, idle)
	}
}
