package intercept_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/proxyproto"
)

func announcing(version int, source string) *proxyproto.Header {
	return &proxyproto.Header{
		Version: version, Source: proxyproto.Address{IP: netip.MustParseAddrPort(source)},
		Destination: proxyproto.Address{IP: netip.MustParseAddrPort("198.51.100.1:3306")},
	}
}

// behind logs in at addr behind a header.
func behind(t *testing.T, s *intercepttest.Server, addr string, h *proxyproto.Header) (*intercepttest.Client, error) {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, intercepttest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{b[:7], b[7:]} {
		if _, err := c.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	return intercepttest.NewClient(t, c, s.User, s.Password, s.Database, 0)
}

// TestServersLearnWhoTheClientIs has MariaDB say whom it takes the client for.
func TestServersLearnWhoTheClientIs(t *testing.T) {
	s := intercepttest.OwnMariaDB(t, "--proxy-protocol-networks=127.0.0.0/8,localhost")
	const whom = "select substring_index(user(), '@', -1)"
	for version := 1; version <= 2; version++ {
		p := intercepttest.NewProxy(t, intercept.Options{ProxyProtocol: proxyproto.Accept, BackendProxyProtocol: version}, s.Addr)
		for _, tt := range []struct {
			name string
			h    *proxyproto.Header
			want string
		}{
			{"announced by version 1", announcing(1, "203.0.113.7:4711"), "203.0.113.7"},
			{"announced by version 2", announcing(2, "203.0.113.8:4711"), "203.0.113.8"},
			{"IPv6", announcing(2, "[2001:db8::5]:4711"), "2001:db8::5"},
			{"the proxy's own", &proxyproto.Header{Version: 2, Kind: proxyproto.Local}, "127.0.0.1"},
			{"not known", &proxyproto.Header{Version: 1, Kind: proxyproto.Unknown}, "127.0.0.1"},
			{"not announced", nil, "127.0.0.1"},
		} {
			t.Run(fmt.Sprintf("%s, sent on as version %d", tt.name, version), func(t *testing.T) {
				var c *intercepttest.Client
				var err error
				if tt.h == nil {
					c = client(t, &s, p.Addr, 0)
				} else if c, err = behind(t, &s, p.Addr, tt.h); err != nil {
					t.Fatal(err)
				}
				got := c.Text(whom)
				if tt.h != nil && tt.h.Kind != proxyproto.Proxied {
					if strings.HasPrefix(got, "203.") {
						t.Errorf("the server says %s", got)
					}
				} else if got != tt.want {
					t.Errorf("the server says %s, want %s", got, tt.want)
				}
				real := c.Conn.LocalAddr().String()
				for _, i := range p.Conns() {
					if !strings.HasPrefix(i.Via, real) && i.Client != real {
						continue
					}
					wantClient := real
					if tt.h != nil && tt.h.Kind == proxyproto.Proxied {
						wantClient = tt.h.Source.String()
					}
					if i.Client != wantClient || (i.Via == "") != (tt.h == nil) {
						t.Errorf("shown as %q via %q", i.Client, i.Via)
					}
					return
				}
				t.Errorf("%s is not listed", real)
			})
		}
	}
}

// TestChainOfProxies has one mydbg announce to another who its client is.
func TestChainOfProxies(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, _ *intercepttest.Proxy) {
		for version := 1; version <= 2; version++ {
			inner := intercepttest.NewProxy(t, intercept.Options{ProxyProtocol: proxyproto.Require}, s.Addr)
			outer := intercepttest.NewProxy(t, intercept.Options{BackendProxyProtocol: version}, inner.Addr)
			c := client(t, &s, outer.Addr, 0)
			if v := c.Text("select 7"); v != "7" {
				t.Errorf("got %s", v)
			}
			i := inner.Conns()[0]
			if want := c.Conn.LocalAddr().String(); i.Client != want || !strings.HasSuffix(i.Via, fmt.Sprintf(", PROXY v%d", version)) {
				t.Errorf("shown as %s via %q, want %s", i.Client, i.Via, want)
			}
		}
	})
}

// TestAnnouncedOnAUnixSocket: a client on a socket has no address.
func TestAnnouncedOnAUnixSocket(t *testing.T) {
	s := servers(t)[0]
	inner := intercepttest.NewProxy(t, intercept.Options{ProxyProtocol: proxyproto.Require}, s.Addr)
	outer := intercepttest.NewProxy(t, intercept.Options{BackendProxyProtocol: 2}, inner.Addr)
	path := filepath.Join(t.TempDir(), "p")
	if _, err := outer.Listen("unix:" + path); err != nil {
		t.Fatal(err)
	}
	c := intercepttest.Dial(t, "unix", path, s.User, s.Password, s.Database, 0)
	if v := c.Text("select 7"); v != "7" {
		t.Errorf("got %s", v)
	}
	if i := inner.Conns()[0]; !strings.HasPrefix(i.Client, "unix:") {
		t.Errorf("shown as %s", i.Client)
	}
}

// TestBadHeaders: whatever is wrong ends its connection, with a reason, and no other.
func TestBadProxyHeaders(t *testing.T) {
	s := servers(t)[0]
	for _, tt := range []struct {
		name, sent, want string
		o                intercept.Options
	}{
		{"no header", "GET / HTTP/1.1\r\n\r\n", "begins with", intercept.Options{ProxyProtocol: proxyproto.Require}},
		{"a bad one", "PROXY TCP4 1.2.3.4 nonsense 1 2\r\n", "nonsense", intercept.Options{ProxyProtocol: proxyproto.Require}},
		{"a bad one where it is optional", "PROXY TCP9 \r\n", "TCP9", intercept.Options{ProxyProtocol: proxyproto.Accept}},
		{"the beginning of one", "PROXY TCP4", "no PROXY header within", intercept.Options{ProxyProtocol: proxyproto.Require, ConnectTimeout: 50 * time.Millisecond}},
		{"nothing", "", "--proxy-protocol=accept", intercept.Options{ProxyProtocol: proxyproto.Require, ConnectTimeout: 50 * time.Millisecond}},
		{
			"somebody else's", "PROXY UNKNOWN\r\n", "--proxy-protocol-from",
			intercept.Options{ProxyProtocol: proxyproto.Require, ProxyFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, tt.o, s.Addr)
			c, err := net.Dial("tcp", p.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte(tt.sent)); err != nil {
				t.Fatal(err)
			}
			_ = c.SetReadDeadline(time.Now().Add(intercepttest.Patience))
			// The system resets a connection that is closed before all of it was read.
			if b, err := io.ReadAll(c); !strings.Contains(string(b), tt.want) {
				t.Errorf("the client was told %q, %v, want %q", b, err, tt.want)
			}
			p.Until("the log says why", func() bool {
				for _, n := range p.Journal.Notices(0, nil) {
					if n.Level >= intercept.Warning && strings.Contains(n.Text, tt.want) {
						return true
					}
				}
				return false
			})
		})
	}
}

// TestHeadersOfOthersAreNotBelieved: where headers are optional, those who may not send one are
// clients like any other.
func TestHeadersOfOthersAreNotBelieved(t *testing.T) {
	s := servers(t)[0]
	p := intercepttest.NewProxy(t, intercept.Options{ProxyProtocol: proxyproto.Accept, ProxyFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, s.Addr)
	if _, err := behind(t, &s, p.Addr, announcing(1, "203.0.113.7:1")); err == nil {
		t.Error("it got in")
	}
	if v := client(t, &s, p.Addr, 0).Text("select 7"); v != "7" {
		t.Errorf("got %s", v)
	}
	for _, i := range p.Conns() {
		if i.Via != "" || strings.HasPrefix(i.Client, "203.") {
			t.Errorf("shown as %s via %q", i.Client, i.Via)
		}
	}
}
