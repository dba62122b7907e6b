package intercept_test

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/compress"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/intercept/tlspair"
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

// TestCompressionThatCannotBeIsSaid once, and on each connection.
func TestCompressionThatCannotBeIsSaid(t *testing.T) {
	for _, s := range realServers(t) {
		for _, backend := range backendModes {
			t.Run(fmt.Sprintf("%s %s", s.Name, backend.mode), func(t *testing.T) {
				p := intercepttest.NewProxy(t, intercept.Options{ClientCompress: compress.Offer, BackendCompress: backend.mode}, s.Addr)
				const noWish, cannot = "the client asks for no compression", "cannot do"
				wants := map[string]int{noWish: 1}
				if !offers(t, &s, backend.want) {
					wants[cannot] = 1
				}
				for range 2 {
					client(t, &s, p.Addr, intercepttest.ClientCaps)
				}
				client(t, &s, p.Addr, intercepttest.ClientCaps|mysqlwire.Compress)
				said := map[string]int{}
				for _, n := range p.Journal.Notices(0, nil) {
					for _, text := range []string{noWish, cannot} {
						if strings.Contains(n.Text, text) {
							said[text]++
						}
					}
				}
				if !maps.Equal(said, wants) {
					t.Errorf("said %v, want %v", said, wants)
				}
				for _, i := range p.Conns() {
					if got := strings.Contains(i.Uncompressed, cannot); got != (wants[cannot] > 0) {
						t.Errorf("connection %d: %q", i.ID, i.Uncompressed)
					}
					if got := strings.Contains(i.Uncompressed, noWish); got != (i.ID < 3) {
						t.Errorf("connection %d: %q", i.ID, i.Uncompressed)
					}
				}
			})
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
				p.Until("the login is over", func() bool { return p.Conns()[0].Phase == intercept.Ready })
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

// TestCommandLineClientsCompress runs the programs people use, TLS below the compression or not.
func TestCommandLineClientsCompress(t *testing.T) {
	for _, s := range realServers(t) {
		for _, c := range []struct {
			program string
			args    []string
			want    compress.Algorithm
			mode    tlspair.Mode
		}{
			{"mysql", []string{"--ssl-mode=DISABLED", "--get-server-public-key", "--compression-algorithms=zlib"}, compress.Zlib, tlspair.Disabled},
			{"mysql", []string{"--ssl-mode=DISABLED", "--get-server-public-key", "--compression-algorithms=zstd", "--zstd-compression-level=19"}, compress.Zstd, tlspair.Disabled},
			{"mysql", []string{"--ssl-mode=REQUIRED", "--compression-algorithms=zstd"}, compress.Zstd, tlspair.Mirror},
			{"mysql", []string{"--ssl-mode=DISABLED", "--get-server-public-key", "--compression-algorithms=zstd,zlib"}, compress.Zlib, tlspair.Disabled},
			{"mariadb", []string{"--skip-ssl", "--compress"}, compress.Zlib, tlspair.Disabled},
			{"mariadb", []string{"--ssl", "--compress"}, compress.Zlib, tlspair.Mirror},
		} {
			if c.program == "mysql" && s.Name == "mysql56" || c.mode == tlspair.Mirror && s.Name == "mysql56" || !s.Lab {
				continue // which do not know each other's collations, and a server without today's TLS
			}
			for _, backend := range []compress.Mode{compress.Mirror, compress.Disabled, compress.WantZlib} {
				t.Run(fmt.Sprintf("%s to %s, %s, %s", c.program, s.Name, strings.Join(c.args, " "), backend), func(t *testing.T) {
					path := tool(t, c.program)
					p := intercepttest.NewProxy(t, intercept.Options{
						ClientCompress: compress.Offer, BackendCompress: backend, BackendTLS: c.mode,
					}, s.Addr)
					got, err := run(t, path, intercepttest.User{Name: s.User, Password: s.Password}, p.Addr, s.Database, everyone+"; "+longRow, c.args...)
					plain := slices.DeleteFunc(slices.Clone(c.args), func(arg string) bool { return strings.Contains(arg, "compress") })
					want, err2 := run(t, path, intercepttest.User{Name: s.User, Password: s.Password}, s.Addr, s.Database, everyone+"; "+longRow, plain...)
					if err != nil || err2 != nil || got != want {
						t.Errorf("got %d bytes, %v, want %d, %v", len(got), err, len(want), err2)
					}
					i := p.Conns()[0]
					if i.ClientCompress.Algorithm != c.want || i.Opaque != "" || i.ClientCompress.Ratio() > 0.7 {
						t.Errorf("client leg %+v, opaque %q", i.ClientCompress, i.Opaque)
					}
				})
			}
		}
	}
}

const (
	everyone = "select * from customers order by id; select * from orders order by id"
	longRow  = "select repeat('long ', 600000)"
)

// TestUploadUnderCompression has the client send a file, whose packets the server counts.
func TestUploadUnderCompression(t *testing.T) {
	for _, s := range realServers(t) {
		for _, mode := range []compress.Mode{compress.Disabled, compress.WantZlib, compress.WantZstd} {
			for _, packed := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s %v", s.Name, mode, packed), func(t *testing.T) {
					p := intercepttest.NewProxy(t, intercept.Options{ClientCompress: compress.Offer, BackendCompress: mode}, s.Addr)
					c := open(t, &s, p.Addr, fmt.Sprintf("?compress=%v&allowAllFiles=true&multiStatements=true", packed))
					file := filepath.Join(t.TempDir(), "lines")
					const lines = 300_000
					if err := os.WriteFile(file, bytes.Repeat([]byte("one line of many\n"), lines), 0o600); err != nil {
						t.Fatal(err)
					}
					exec := func(sql string) {
						if _, err := c.ExecContext(t.Context(), sql); err != nil {
							t.Fatalf("%s: %v", sql, err)
						}
					}
					exec("create temporary table upload (line varchar(100))")
					exec("do 1; load data local infile '" + file + "' into table upload")
					if n := one[int](t, c, "select count(*) from upload"); n != lines {
						t.Errorf("got %d lines", n)
					}
					if i := p.Conns()[0]; i.Opaque != "" {
						t.Error(i.Opaque)
					}
				})
			}
		}
	}
}

// TestUnfollowedCompressedConnection: on a connection that is relayed without being followed the
// legs go on as they were, numbers included.
func TestUnfollowedCompressedConnection(t *testing.T) {
	for _, s := range realServers(t) {
		for _, modes := range []struct {
			front compress.Algorithm
			back  compress.Mode
		}{{compress.None, compress.WantZlib}, {compress.Zlib, compress.Disabled}, {compress.Zlib, compress.WantZlib}} {
			t.Run(fmt.Sprintf("%s %q %s", s.Name, modes.front, modes.back), func(t *testing.T) {
				p := intercepttest.NewProxy(t, intercept.Options{ClientCompress: compress.Offer, BackendCompress: modes.back}, s.Addr)
				c := client(t, &s, p.Addr, intercepttest.ClientCaps|compressing[modes.front])
				if c.Greeting.MariaDB() {
					t.Skip("it has no command that begins a protocol of its own")
				}
				if p := c.Unfollowed([]byte{byte(mysqlwire.ComClone)}); p[0] != 0xff {
					t.Fatalf("got %q", p)
				}
				for range 3 {
					if n := len(c.Text("select repeat('x', 1000000)")); n != 1_000_000 {
						t.Fatalf("got %d bytes", n)
					}
					c.Do(query(c, "select 1; select 2, 3; do 4; select repeat('y', 100000)"))
				}
				if i := p.Conns()[0]; i.Opaque == "" {
					t.Error("it is followed")
				}
			})
		}
	}
}

// TestCompressedGarbage: what cannot be expanded ends its connection, with a reason, and no other.
func TestCompressedGarbage(t *testing.T) {
	for _, s := range realServers(t) {
		for _, tt := range []struct {
			name string
			sent []byte
		}{
			{"garbage", append(mysqlwire.CompressedHeader{Len: 100, Plain: 1000}.Append(nil), bytes.Repeat([]byte("garbage"), 100)...)},
			{"no header of a command", append(mysqlwire.CompressedHeader{Len: 100}.Append(nil), bytes.Repeat([]byte{0xee}, 100)...)},
		} {
			t.Run(s.Name+" "+tt.name, func(t *testing.T) {
				p := intercepttest.NewProxy(t, intercept.Options{}, s.Addr)
				bad, good := client(t, &s, p.Addr, intercepttest.ClientCaps|mysqlwire.Compress), client(t, &s, p.Addr, 0)
				raw := bad.Conn.(*compress.Conn).Conn
				if _, err := raw.Write(tt.sent); err != nil {
					t.Fatal(err)
				}
				_ = raw.(*net.TCPConn).CloseWrite()
				p.Until("the connection is closed", func() bool {
					return slices.ContainsFunc(p.Conns(), func(i intercept.ConnInfo) bool {
						return i.Phase == intercept.Closed && (tt.name != "garbage" || strings.Contains(i.Cause, "from the client: compressed packet 0, zlib"))
					})
				})
				if v := good.Text("select 7"); v != "7" {
					t.Errorf("the other connection got %s", v)
				}
			})
		}
	}
}

// TestCompressionWithoutAServer: a greeting that a hook made offers what it says.
func TestCompressionWithoutAServer(t *testing.T) {
	for _, a := range []compress.Algorithm{compress.None, compress.Zlib, compress.Zstd} {
		t.Run(a.String(), func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{}, "")
			p.SetHooks(&hook{points: intercept.At(rule.ConnectServer, rule.ReadAuth, rule.ReadQuery), handle: inventing})
			c, err := intercepttest.TryDial(t, "tcp", p.Addr, "app", "", "", intercepttest.ClientCaps|compressing[a])
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if got := c.Do(query(c, "select 1")).Packets[0]; got.Kind != mysqlwire.KindERR || len(got.Payload) < 5000 {
					t.Errorf("got %.80q", got.Payload)
				}
			}
			if i := p.Conns()[0]; i.ClientCompress.Algorithm != a || a != compress.None && i.ClientCompress.Ratio() > 0.5 {
				t.Errorf("%+v", i.ClientCompress)
			}
		})
	}
}

// inventing answers in the place of a server there is none of.
func inventing(ev *intercept.Event) (intercept.Verdict, error) {
	answer := mysqlwire.ERRAnswer(1105, "HY000", strings.Repeat("invented ", 600))
	switch ev.Point {
	case rule.ConnectServer:
		b, err := (&mysqlwire.Greeting{
			Version: "8.4.0", ConnectionID: 9, Scramble: []byte("01234567890123456789"), Collation: 45,
			Caps: intercepttest.ClientCaps | compress.Flags, PluginName: "mysql_native_password", Status: mysqlwire.StatusAutocommit,
		}).Encode(nil, nil)
		if err != nil {
			return intercept.Verdict{}, err
		}
		answer = &mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindGreeting, Payload: b}}}
	case rule.ReadAuth:
		answer = &mysqlwire.Answer{Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindOK, Payload: []byte{0, 0, 0, 2, 0, 0, 0}}}}
	}
	return intercept.Verdict{Action: intercept.Reply, Answer: answer}, nil
}
