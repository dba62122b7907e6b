package intercept_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/compress"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// listener is a Tap that keeps what crosses each leg.
type listener struct {
	mu  sync.Mutex
	got [2][2][]byte // by Leg and Direction
}

func (l *listener) Opened(*intercept.Conn)                                {}
func (l *listener) Connected(*intercept.Conn, *intercept.Connected)       {}
func (l *listener) Decided(*intercept.Conn, *intercept.Decision)          {}
func (l *listener) Queried(*intercept.Conn, *intercept.Queried)           {}
func (l *listener) Finished(*intercept.Conn, *intercept.Exchange, uint64) {}
func (l *listener) Noted(*intercept.Notice)                               {}
func (l *listener) Closed(*intercept.Conn, error)                         {}

func (l *listener) Bytes(_ *intercept.Conn, leg intercept.Leg, d mysqlwire.Direction, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got[leg][d] = append(l.got[leg][d], b...)
}

// TestTapsHearFrames: under TLS and compression a tap is told of the frames, from the greeting on.
func TestTapsHearFrames(t *testing.T) {
	for _, s := range realServers(t) {
		for _, mode := range []compress.Mode{compress.Disabled, compress.WantZlib} {
			t.Run(s.Name+" "+mode.String(), func(t *testing.T) {
				tls, params := tlspair.Preferred, "?tls=skip-verify&compress=true"
				heard := &listener{}
				p := intercepttest.NewProxy(t, intercept.Options{
					Tap: heard, ClientTLS: tls, BackendTLS: tlspair.Preferred, ClientCompress: compress.Offer, BackendCompress: mode,
				}, s.Addr)
				c := open(t, &s, p.Addr, params)
				if got := one[string](t, c, "select repeat('tapped ', 1000)"); len(got) != 7000 {
					t.Fatalf("got %d bytes", len(got))
				}
				p.Finished("select repeat('tapped ', 1000)")
				heard.mu.Lock()
				defer heard.mu.Unlock()
				for leg, both := range heard.got {
					if !bytes.Contains(both[mysqlwire.ToServer], []byte("select repeat('tapped ', 1000)")) {
						t.Errorf("leg %d: no query in %.200q", leg, both[mysqlwire.ToServer])
					}
					if !bytes.Contains(both[mysqlwire.ToClient], bytes.Repeat([]byte("tapped "), 1000)) {
						t.Errorf("leg %d: no row in %d bytes", leg, len(both[mysqlwire.ToClient]))
					}
					for d, b := range both {
						if n := framed(b); n != 0 {
							t.Errorf("leg %d, %s: %d bytes that are no frames", leg, mysqlwire.Direction(d), n)
						}
					}
				}
			})
		}
	}
}

// framed walks over frames and returns how many bytes are left over.
func framed(b []byte) int {
	for len(b) >= mysqlwire.HeaderLen {
		n := mysqlwire.HeaderLen + mysqlwire.ParseHeader(b).Len
		if n > len(b) {
			break
		}
		b = b[n:]
	}
	return len(b)
}

// pooling gives every server connection to the pool when its client leaves, and takes it from there.
type pooling struct{}

func (pooling) Name() string { return "pooling" }

func (pooling) Interest() intercept.Points { return intercept.At(rule.ConnectServer, rule.Disconnect) }

func (pooling) Handle(_ context.Context, ev *intercept.Event) (intercept.Verdict, error) {
	if ev.Point == rule.Disconnect {
		return intercept.Verdict{}, ev.Conn.Pick(0)
	}
	if err := ev.Conn.Pick(1); err != nil {
		return intercept.Verdict{}, err
	}
	return intercept.Verdict{Action: intercept.Forward, Pooled: ev.Conn.Waiting()}, nil
}

// TestPooledConnectionsStayCompressed: what a server connection is compressed with stays, whoever
// takes it over.
func TestPooledConnectionsStayCompressed(t *testing.T) {
	for _, s := range realServers(t) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{ClientCompress: compress.Offer, BackendCompress: compress.WantZlib}, s.Addr)
			p.SetPoolLimits(1, 0, 10)
			p.SetHooks(pooling{})
			thread := ""
			for i, front := range []compress.Algorithm{compress.None, compress.Zlib, compress.Zstd, compress.None} {
				c := client(t, &s, p.Addr, intercepttest.ClientCaps|compressing[front])
				if got := len(c.Text("select repeat('x', 100000)")); got != 100_000 {
					t.Fatalf("%d: got %d bytes", i, got)
				}
				if got := c.Text("select connection_id()"); thread == "" {
					thread = got
				} else if got != thread {
					t.Errorf("%d: it has a new server connection: %v", i, p.Journal.Notices(0, nil))
				}
				info := p.Conns()[0]
				if info.ServerCompress.Algorithm != compress.Zlib || info.ClientCompress.Algorithm != front {
					t.Errorf("%d: client %q, server %q", i, info.ClientCompress.Algorithm, info.ServerCompress.Algorithm)
				}
				_ = c.Conn.Close()
				p.Until(fmt.Sprintf("connection %d is in the pool", i), func() bool { return p.Idle(1, s.User, nil) == 1 })
			}
		})
	}
}
