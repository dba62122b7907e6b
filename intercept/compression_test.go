package intercept_test

import (
	"fmt"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/compress"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// compressing is how a client asks for an algorithm.
var compressing = map[compress.Algorithm]mysqlwire.Caps{
	compress.None: 0, compress.Zlib: mysqlwire.Compress, compress.Zstd: mysqlwire.ZstdCompressionAlgorithm,
}

// backendModes ask the server for an algorithm.
var backendModes = []struct {
	mode compress.Mode
	want compress.Algorithm
}{{compress.Disabled, compress.None}, {compress.WantZlib, compress.Zlib}, {compress.WantZstd, compress.Zstd}}

// offers reports whether a server can do an algorithm.
func offers(t *testing.T, s *intercepttest.Server, a compress.Algorithm) bool {
	t.Helper()
	return a == compress.None || client(t, s, s.Addr, 0).Greeting.Caps.Has(compressing[a])
}

// TestCompressionOnEitherLeg compares the packets of answers with those of a direct, plain connection.
func TestCompressionOnEitherLeg(t *testing.T) {
	for _, s := range realServers(t) {
		for _, backend := range backendModes {
			if !offers(t, &s, backend.want) || !s.Lab {
				continue
			}
			for _, front := range []compress.Algorithm{compress.None, compress.Zlib, compress.Zstd} {
				t.Run(fmt.Sprintf("%s client %q server %q", s.Name, front, backend.want), func(t *testing.T) {
					p := intercepttest.NewProxy(t, intercept.Options{ClientCompress: compress.Offer, BackendCompress: backend.mode}, s.Addr)
					proxied := client(t, &s, p.Addr, intercepttest.ClientCaps|compressing[front])
					compare(t, client(t, &s, s.Addr, intercepttest.ClientCaps), proxied)
					i := p.Conns()[0]
					if i.ClientCompress.Algorithm != front || i.ServerCompress.Algorithm != backend.want || i.Opaque != "" {
						t.Errorf("got client %q, server %q, opaque %q", i.ClientCompress.Algorithm, i.ServerCompress.Algorithm, i.Opaque)
					}
					for _, leg := range []compress.Stats{i.ClientCompress, i.ServerCompress} {
						if leg.Algorithm != compress.None && (leg.Ratio() > 0.9 || leg.In == 0 || leg.Out == 0) {
							t.Errorf("%+v: ratio %.2f", leg, leg.Ratio())
						}
					}
				})
			}
		}
	}
}

// TestCompressionIsWhatBothAgree: the server's offer reaches the client, its choice the server.
func TestCompressionIsWhatBothAgree(t *testing.T) {
	for _, s := range realServers(t) {
		for _, a := range []compress.Algorithm{compress.None, compress.Zlib, compress.Zstd} {
			if !offers(t, &s, a) {
				continue
			}
			t.Run(s.Name+" "+a.String(), func(t *testing.T) {
				p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
				c := client(t, &s, p.Addr, intercepttest.ClientCaps|compressing[a])
				if direct := client(t, &s, s.Addr, 0); c.Greeting.Caps&compress.Flags != direct.Greeting.Caps&compress.Flags {
					t.Errorf("offered %s, the server offers %s", c.Greeting.Caps&compress.Flags, direct.Greeting.Caps&compress.Flags)
				}
				if i := p.Conns()[0]; i.ClientCompress.Algorithm != a || i.ServerCompress.Algorithm != a || i.Caps&compress.Flags != compressing[a] {
					t.Errorf("got %+v", i)
				}
				if s.Name == "mysql" { // which says what it uses
					want := map[compress.Algorithm]string{compress.None: "", compress.Zlib: "zlib", compress.Zstd: "zstd"}[a]
					row := c.Text("select variable_value from performance_schema.session_status where variable_name = 'Compression_algorithm'")
					if row != want {
						t.Errorf("the server says it compresses with %q", row)
					}
				}
			})
		}
	}
}

func TestCompressionTurnedOff(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, _ *intercepttest.Proxy) {
		p := intercepttest.NewProxy(t, intercept.Options{ClientCompress: compress.Disabled}, s.Addr)
		c := client(t, &s, p.Addr, intercepttest.ClientCaps|compress.Flags)
		if got := c.Greeting.Caps & compress.Flags; got != 0 {
			t.Errorf("offered %s", got)
		}
		if v := c.Text("select 5"); v != "5" {
			t.Errorf("got %s", v)
		}
	})
}

// TestCompressedConnectionsAreDebugged holds, edits and answers on compressed legs.
func TestCompressedConnectionsAreDebugged(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := open(t, &s, p.Addr, "?compress=true&interpolateParams=true")
		p.Break(`stop if sql contains "first"`, `do err 1213 if sql contains "deadlock"`)
		var got string
		wait := later(func() error { return c.QueryRowContext(t.Context(), "select 'first'").Scan(&got) })
		h := p.Held()
		plan, err := intercept.Rewrite(h.Event, "select repeat('second', 1000)", intercept.FromPerson)
		if err != nil {
			t.Fatal(err)
		}
		p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Queries: plan})
		if err := wait(t); err != nil || got != strings.Repeat("second", 1000) {
			t.Errorf("got %.20q, %v", got, err)
		}
		if _, err := c.ExecContext(t.Context(), "do 'deadlock'"); err == nil || !strings.Contains(err.Error(), "1213") {
			t.Errorf("got %v", err)
		}
		if v := one[int](t, c, "select 7"); v != 7 {
			t.Errorf("then got %d", v)
		}
		if i := p.Conns()[0]; i.ClientCompress.Algorithm != compress.Zlib || i.ServerCompress.Algorithm != compress.Zlib {
			t.Errorf("%+v", i)
		}
	})
}

func TestChangeUserUnderCompression(t *testing.T) {
	for _, s := range realServers(t) {
		t.Run(s.Name, func(t *testing.T) {
			for _, mode := range []compress.Mode{compress.Disabled, compress.WantZlib} {
				p := intercepttest.NewProxy(t, intercept.Options{ClientCompress: compress.Offer, BackendCompress: mode}, s.Addr)
				c := client(t, &s, p.Addr, intercepttest.ClientCaps|mysqlwire.Compress)
				for _, u := range s.Users {
					if !changes(u) || refusesPlain(u) {
						continue
					}
					if err := c.ChangeUser(u.Name, u.Password, ""); err != nil {
						t.Fatalf("to %s: %v", u.Name, err)
					}
					if got := c.Text("select substring_index(current_user(), '@', 1)"); got != u.Name {
						t.Fatalf("got %s, want %s", got, u.Name)
					}
				}
			}
		})
	}
}
