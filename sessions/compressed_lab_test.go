package sessions

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/compress"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
	"mydbg/sessions/pcapng"
)

// overhear relays one connection to a server, and returns what somebody who captures there sees of it.
func overhear(t *testing.T, server string) (addr string, seen func() []frame) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var frames []frame
	talk := newTalk(&frames, 40000, pcapng.LinkEthernet)
	talk.open()
	var mu sync.Mutex
	done := make(chan struct{})
	go func() { // ends with the connection
		defer close(done)
		client, err := l.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		c, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer c.Close()
		var both sync.WaitGroup
		pass := func(side int, to, from net.Conn) {
			b := make([]byte, 64<<10)
			for {
				n, err := from.Read(b)
				if n > 0 {
					mu.Lock()
					talk.say(side, slices.Clone(b[:n]))
					mu.Unlock()
					if _, err := to.Write(b[:n]); err != nil {
						return
					}
				}
				if err != nil {
					_ = to.(*net.TCPConn).CloseWrite() // the other way may still have something
					return
				}
			}
		}
		both.Go(func() { pass(0, c, client) })
		both.Go(func() { pass(1, client, c) })
		both.Wait()
	}()
	return l.Addr().String(), func() []frame {
		<-done
		talk.close()
		return frames
	}
}

// TestCompressedCaptures reads what was captured of real compressed traffic.
func TestCompressedCaptures(t *testing.T) {
	for _, s := range intercepttest.Servers(t, nil) {
		for a, caps := range map[compress.Algorithm]mysqlwire.Caps{compress.Zlib: mysqlwire.Compress, compress.Zstd: mysqlwire.ZstdCompressionAlgorithm} {
			t.Run(fmt.Sprint(s.Name, " ", a), func(t *testing.T) {
				addr, seen := overhear(t, s.Addr)
				c, err := intercepttest.TryDial(t, "tcp", addr, s.User, s.Password, s.Database, intercepttest.ClientCaps|caps)
				if err != nil {
					t.Fatal(err)
				}
				if compress.Agreed(c.Greeting.Caps, caps) == compress.None {
					t.Skip("this version does not have it")
				}
				long := "SELECT '" + strings.Repeat("compressible ", 3000) + "' AS v"
				want := []string{"SELECT 1", long, "SELECT nope"}
				for i := range 40 { // so many that a hole is given up before the end
					want = append(want, fmt.Sprintf("SELECT %d UNION SELECT 3", 10+i))
				}
				for _, q := range want {
					c.Query(q)
				}
				_ = c.Conn.Close()
				frames := seen()
				r := openBytes(t, pcap(pcapng.LinkEthernet, frames), Options{})
				if conn := r.Conns()[0]; !conn.Marks.Has(Compressed) || conn.Opaque != "" || conn.User != s.User {
					t.Errorf("got %+v", conn)
				}
				var got []string
				for rec, err := range r.Records(0) {
					if err != nil {
						t.Fatal(err)
					}
					if rec.Command != mysqlwire.ComQuery {
						continue
					}
					got = append(got, rec.Statement)
					results, err := rec.Results()
					if err != nil {
						t.Fatalf("#%d: %v", rec.Seq, err)
					}
					if rec.Statement == long && (rec.Rows != 1 || rec.RowBytes < 39_000 || rec.State != intercept.Done || len(results) != 1) {
						t.Errorf("got %+v", rec.Exchange)
					}
					if fails := rec.Statement == "SELECT nope"; fails != (rec.Error != nil) {
						t.Errorf("%q: error %v", rec.Statement, rec.Error)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("got %.60q, want %.60q", got, want)
				}
				last := 0 // packet of the client's with something in it
				for i, f := range frames {
					const headers = 14 + 20 + 20
					if len(f.data) > 60 && f.data[14+20] == 40000>>8 && f.data[14+21] == 40000&0xff && len(f.data) > headers {
						last = i
					}
				}
				for at := range frames { // without any one of the packets it says so, or does not need it
					less := openBytes(t, pcap(pcapng.LinkEthernet, slices.Delete(slices.Clone(frames), at, at+1)), Options{})
					if n := less.Len(); n < r.Len() && less.Conns()[0].Marks&(Gap|Unfollowed|LateStart|Encrypted) == 0 {
						t.Errorf("without packet %d of %d there are %d exchanges, and no mark", at, len(frames), n)
					}
					if conn := less.Conns()[0]; at >= last-40 || !conn.Marks.Has(Compressed) {
						continue
					}
					if x, err := less.Exchange(intercept.Seq(less.Len())); err != nil || x.SQL != want[len(want)-1] || x.Rows != 2 || x.State != intercept.Done {
						t.Errorf("without packet %d of %d the last exchange is %.60q, %s, %v", at, len(frames), x.SQL, x.State, err)
					}
				}
			})
		}
	}
}
