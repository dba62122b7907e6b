package sessions

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mydbg/intercept"
	"mydbg/sessions/pcapng"
)

var usualConn = "conn 1 10.0.0.7:40000 app@shop 8.4.2 []"

var usual = []string{
	usualConn,
	`#1 conn 1 query "SELECT v FROM t" done rows 3 affected 0`,
	`#2 conn 1 query "UPDATE t SET v = 1" done rows 0 affected 2`,
}

func TestReadsLinkTypes(t *testing.T) {
	for _, link := range []pcapng.LinkType{
		pcapng.LinkEthernet, pcapng.LinkRaw, pcapng.LinkNull, pcapng.LinkLinuxSLL, pcapng.LinkLinuxSLL2, pcapng.LinkIPv4,
	} {
		t.Run(fmt.Sprint(link), func(t *testing.T) {
			r := openBytes(t, smallCapture(link), Options{})
			if d := cmp.Diff(usual, describe(r)); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("packed", func(t *testing.T) {
		r := openBytes(t, pack(smallCapture(pcapng.LinkEthernet)), Options{})
		if d := cmp.Diff(usual, describe(r)); d != "" {
			t.Error(d)
		}
	})
	t.Run("IPv6", func(t *testing.T) {
		var frames []frame
		c := newTalk(&frames, 40000, pcapng.LinkEthernet)
		c.ends = [2]netip.AddrPort{netip.MustParseAddrPort("[2001:db8::7]:40000"), netip.MustParseAddrPort("[2001:db8::1]:3306")}
		c.open()
		c.login()
		c.query("SELECT 6")
		c.rows(1, "six")
		r := openBytes(t, pcap(pcapng.LinkEthernet, frames), Options{})
		want := []string{"conn 1 [2001:db8::7]:40000 app@shop 8.4.2 [open at the end]", `#1 conn 1 query "SELECT 6" done rows 1 affected 0`}
		if d := cmp.Diff(want, describe(r)); d != "" {
			t.Error(d)
		}
	})
	for name, head := range map[string][]byte{
		"VLAN":               {0x81, 0, 0, 5, 8, 0},
		"VLAN in VLAN":       {0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0},
		"MPLS, by gopacket":  {0x88, 0x47, 0, 1, 0x01, 64},
		"PPPoE, by gopacket": {0x88, 0x64, 0x11, 0, 0, 1, 0, 0, 0, 0x21},
	} {
		t.Run(name, func(t *testing.T) {
			var frames []frame
			c := newTalk(&frames, 40000, pcapng.LinkRaw)
			c.open()
			c.login()
			c.query("SELECT v FROM t")
			c.rows(3, "cell")
			c.query("UPDATE t SET v = 1")
			c.payloads(1, 1, okPayload(2))
			c.close()
			for i := range frames {
				h := append(make([]byte, 12), head...)
				if strings.HasPrefix(name, "PPPoE") {
					n := len(frames[i].data) + 2
					h[12+6], h[12+7] = byte(n>>8), byte(n)
				}
				frames[i].data = append(h, frames[i].data...)
			}
			r := openBytes(t, pcap(pcapng.LinkEthernet, frames), Options{})
			if d := cmp.Diff(usual, describe(r)); d != "" {
				t.Error(d)
			}
		})
	}
}

// story is a conversation whose packets tests shuffle.
func story(n int) ([]frame, []string) {
	var frames []frame
	var want []string
	c := newTalk(&frames, 40000, pcapng.LinkEthernet)
	c.mss = 100
	c.open()
	c.login()
	for i := range n {
		sql := fmt.Sprintf("SELECT v FROM t WHERE a = '%s' AND id = %d", strings.Repeat("x", i*13%300), i)
		c.query(sql)
		c.rows(i%7, "some cell")
		c.packet(0, flagACK, nil)
		want = append(want, fmt.Sprintf("#%d conn 1 query %q done rows %d affected 0", i+1, sql, i%7))
	}
	c.close()
	return frames, append([]string{usualConn}, want...)
}

func TestPutsSegmentsInOrder(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		frames, want := story(40)
		var twice []frame
		for i, f := range frames {
			twice = append(twice, f)
			if i > 3 && rnd.IntN(5) == 0 { // sent again
				twice = append(twice, frames[i-rnd.IntN(3)])
			}
		}
		for i := 4; i+2 < len(twice); i++ { // overtaken, as networks do
			if rnd.IntN(4) == 0 {
				twice[i], twice[i+1] = twice[i+1], twice[i]
			}
		}
		r := openBytes(t, pcap(pcapng.LinkEthernet, twice), Options{})
		if d := cmp.Diff(want, describe(r)); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
	}
}

func TestMarksWhatIsMissing(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		frames, want := story(60)
		at := 20 + rnd.IntN(len(frames)-40)
		for len(frames[at].data) <= 60 { // one with data
			at++
		}
		r := openBytes(t, pcap(pcapng.LinkEthernet, slices.Delete(slices.Clone(frames), at, at+1)), Options{})
		got := describe(r)
		if c := r.Conns(); len(c) != 1 || !c[0].Marks.Has(Gap) || c[0].Missing == 0 {
			t.Fatalf("seed %d: the gap is not marked: %v", seed, got[0])
		}
		// Everything but a few exchanges at the hole is as if nothing were missing.
		known := map[string]bool{}
		for _, line := range want {
			_, line, _ = strings.Cut(line, " ")
			known[line] = true
		}
		odd := 0
		for x, err := range r.Exchanges(0) {
			if err != nil {
				t.Fatal(err)
			}
			line := fmt.Sprintf("conn %d %s %q %s rows %d affected %d", x.Conn, x.Command.Short(), x.SQL, x.State, x.Rows, x.Affected)
			if x.Marks&intercept.MarkPartial == 0 && !known[line] {
				t.Errorf("seed %d: #%d is not marked, and is wrong: %s", seed, x.Seq, line)
			}
			if x.Marks&intercept.MarkPartial != 0 {
				odd++
			}
		}
		if odd > 1 || r.Len() < 57 {
			t.Errorf("seed %d: of 60 exchanges %d are there, %d partial", seed, r.Len(), odd)
		}
	}
}

func TestStartsInTheMiddle(t *testing.T) {
	for _, from := range []int{9, 12, 30, 31, 32, 33, 50} {
		frames, want := story(60)
		r := openBytes(t, pcap(pcapng.LinkEthernet, frames[from:]), Options{})
		got := describe(r)
		if len(got) < 40 || !strings.Contains(got[0], "late start") {
			t.Fatalf("from packet %d: %v", from, got[0])
		}
		for i, line := range got[1:] {
			_, a, _ := strings.Cut(line, " ")
			_, b, _ := strings.Cut(want[len(want)-len(got)+1+i], " ")
			if a != b {
				t.Errorf("from packet %d: got %s, want %s", from, a, b)
				break
			}
		}
	}
}

func TestFindsServersOnAnyPort(t *testing.T) {
	make := func(late bool) []byte {
		var frames []frame
		c := newTalk(&frames, 40000, pcapng.LinkEthernet)
		c.ends[1] = netip.AddrPortFrom(c.ends[1].Addr(), 4406)
		c.open()
		c.login()
		skip := len(frames)
		for range 3 {
			c.query("SELECT v FROM t")
			c.rows(3, "cell")
		}
		// And something that is no MySQL.
		web := newTalk(&frames, 40001, pcapng.LinkEthernet)
		web.ends[1] = netip.AddrPortFrom(web.ends[1].Addr(), 80)
		web.open()
		web.say(0, []byte("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"))
		web.say(1, []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		if late {
			frames = frames[skip:]
		}
		return pcap(pcapng.LinkEthernet, frames)
	}
	if r := openBytes(t, make(false), Options{}); len(r.Conns()) != 1 || r.Len() != 3 {
		t.Errorf("by its greeting: %v", describe(r))
	}
	if r := openBytes(t, make(true), Options{}); len(r.Conns()) != 1 || r.Len() != 3 {
		t.Errorf("by its commands: %v", describe(r))
	}
	if r := openBytes(t, make(true), Options{Port: 4406}); len(r.Conns()) != 1 || r.Len() != 3 {
		t.Errorf("by its port: %v", describe(r))
	}
}

func TestKeepsConnectionsApart(t *testing.T) {
	var frames []frame
	talks := map[int]*talk{}
	for i := range 50 {
		talks[i] = newTalk(&frames, uint16(40000+i), pcapng.LinkEthernet)
		talks[i].open()
	}
	for i := range 50 {
		talks[i].login()
	}
	for n := range 10 {
		for i := range 50 {
			talks[i].query(fmt.Sprintf("SELECT %d", i*100+n))
		}
		for i := range 50 {
			talks[49-i].rows(1, "x")
		}
	}
	for i := range 50 {
		talks[i].close()
		// The port is used again.
		again := newTalk(&frames, uint16(40000+i), pcapng.LinkEthernet)
		again.seq = [2]uint32{uint32(1000 * i), 5}
		again.open()
		again.login()
		again.query("SELECT 'again'")
		again.rows(1, "y")
		again.close()
	}
	r := openBytes(t, pcap(pcapng.LinkEthernet, frames), Options{})
	conns := r.Conns()
	if len(conns) != 100 || r.Len() != 550 {
		t.Fatalf("got %d connections, %d exchanges; want 100, 550", len(conns), r.Len())
	}
	for i, c := range conns[:50] {
		n := 0
		for rec, err := range r.Records(c.ID) {
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("SELECT %d", i*100+n); rec.Statement != want || rec.Rows != 1 || rec.State != intercept.Done {
				t.Errorf("connection %d: got %q with %d rows, want %q", i, rec.Statement, rec.Rows, want)
			}
			n++
		}
	}
}

func TestShowsTLSAsSuch(t *testing.T) {
	var frames []frame
	c := newTalk(&frames, 40000, pcapng.LinkEthernet)
	c.open()
	c.payloads(1, 0, must(synthGreeting().Encode(nil, nil)))
	c.payloads(0, 1, make([]byte, 32)) // replaced below
	request := []byte{0, 0x0a | 0x80, 0, 0}
	request[1] |= 0x08
	b := frames[len(frames)-1].data
	copy(b[len(b)-32:], request)
	c.say(0, []byte{22, 3, 1, 0, 200, 1, 0, 0, 196})
	c.say(1, []byte{22, 3, 3, 0, 90, 2, 0, 0, 86})
	r := openBytes(t, pcap(pcapng.LinkEthernet, frames), Options{})
	conns := r.Conns()
	if len(conns) != 1 || !conns[0].Marks.Has(Encrypted) || r.Len() != 0 || r.Progress().Err != nil {
		t.Errorf("got %v", describe(r))
	}
}
