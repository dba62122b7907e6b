package sessions

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"mydbg/mysqlwire"
	"mydbg/sessions/pcapng"
)

// synthCaps are what clients of synthetic captures agree on.
const synthCaps = mysqlwire.LongPassword | mysqlwire.Protocol41 | mysqlwire.SecureConnection | mysqlwire.PluginAuth | mysqlwire.Transactions |
	mysqlwire.MultiResults | mysqlwire.DeprecateEOF | mysqlwire.ConnectWithDB

// frame is a captured packet.
type frame struct {
	at   int64
	data []byte
	n    int // length on the wire; 0 is that of data
}

// talk is a connection that is made up.
type talk struct {
	ends   [2]netip.AddrPort // client, server
	seq    [2]uint32
	link   pcapng.LinkType
	at     int64
	frames *[]frame
	mss    int
}

func newTalk(frames *[]frame, port uint16, link pcapng.LinkType) *talk {
	t := &talk{
		ends: [2]netip.AddrPort{
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 7}), port), netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), 3306),
		},
		seq: [2]uint32{0xfffffff0, 77}, link: link, at: 1_700_000_000e9, frames: frames, mss: 1448,
	}
	return t
}

func (t *talk) packet(from int, flags byte, data []byte) {
	src, dst := t.ends[from], t.ends[1-from]
	var h []byte
	ether := []byte{8, 0}
	if src.Addr().Is6() {
		ether = []byte{0x86, 0xdd}
	}
	switch t.link {
	case pcapng.LinkEthernet:
		h = append(make([]byte, 12), ether...)
	case pcapng.LinkLinuxSLL:
		h = append(make([]byte, 14), ether...)
	case pcapng.LinkLinuxSLL2:
		h = append(ether, make([]byte, 18)...)
	case pcapng.LinkNull:
		h = []byte{2, 0, 0, 0}
	}
	h = ipHeader(h, src.Addr(), dst.Addr(), len(data))
	h = binary.BigEndian.AppendUint16(h, src.Port())
	h = binary.BigEndian.AppendUint16(h, dst.Port())
	h = binary.BigEndian.AppendUint32(h, t.seq[from])
	h = binary.BigEndian.AppendUint32(h, t.seq[1-from])
	h = append(h, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	h = append(h, data...)
	if t.link == pcapng.LinkEthernet {
		for len(h) < 60 { // the least that Ethernet sends
			h = append(h, 0)
		}
	}
	t.seq[from] += uint32(len(data))
	if flags&(flagSYN|flagFIN) != 0 {
		t.seq[from]++
	}
	t.at += 50_000
	*t.frames = append(*t.frames, frame{at: t.at, data: h})
}

func (t *talk) say(from int, b []byte) {
	for len(b) > 0 {
		n := min(len(b), t.mss)
		t.packet(from, flagACK|flagPSH, b[:n])
		b = b[n:]
	}
}

func (t *talk) payloads(from int, seq byte, payloads ...[]byte) {
	var b []byte
	for _, p := range payloads {
		b, seq = mysqlwire.AppendPacket(b, p, seq)
	}
	t.say(from, b)
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

var synthContext = &mysqlwire.Context{Caps: synthCaps}

func okPayload(affected uint64) []byte {
	return must((&mysqlwire.OK{AffectedRows: affected, Status: mysqlwire.StatusAutocommit}).Encode(nil, synthContext))
}

func (t *talk) open() {
	t.packet(0, flagSYN, nil)
	t.packet(1, flagSYN|flagACK, nil)
	t.packet(0, flagACK, nil)
}

func synthGreeting() *mysqlwire.Greeting {
	return &mysqlwire.Greeting{
		Version: "8.4.2", ConnectionID: 9, Scramble: bytes.Repeat([]byte{7}, 20), Caps: synthCaps | mysqlwire.SSL, PluginName: "mysql_native_password",
	}
}

func (t *talk) login() {
	t.payloads(1, 0, must(synthGreeting().Encode(nil, nil)))
	t.payloads(0, 1, must((&mysqlwire.Login{Caps: synthCaps, User: "app", DB: "shop", PluginName: "mysql_native_password", AuthResponse: bytes.Repeat([]byte{1}, 20)}).Encode(nil, nil)))
	t.payloads(1, 2, okPayload(0))
}

func (t *talk) query(sql string) { t.payloads(0, 0, append([]byte{3}, sql...)) }

// rows answers with so many rows of one column.
func (t *talk) rows(n int, cell string) {
	column := &mysqlwire.Column{Name: "v", Type: 0xfd, Collation: 45, Length: 1000}
	payloads := [][]byte{{1}, must(column.Encode(nil, synthContext))}
	for i := range n {
		payloads = append(payloads, must((&mysqlwire.TextRow{Cells: [][]byte{fmt.Appendf(nil, "%s%d", cell, i)}}).Encode(nil, synthContext)))
	}
	payloads = append(payloads, must((&mysqlwire.OK{End: true, Status: mysqlwire.StatusAutocommit}).Encode(nil, synthContext)))
	t.payloads(1, 1, payloads...)
}

func (t *talk) close() {
	t.packet(0, flagFIN|flagACK, nil)
	t.packet(1, flagFIN|flagACK, nil)
	t.packet(0, flagACK, nil)
}

// pcap is a file of the older format.
func pcap(link pcapng.LinkType, frames []frame) []byte {
	var b []byte
	for _, v := range []uint32{0xa1b2c3d4, 4<<16 | 2, 0, 0, 1 << 18, uint32(link)} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for _, f := range frames {
		for _, v := range []uint32{uint32(f.at / 1e9), uint32(f.at % 1e9 / 1e3), uint32(len(f.data)), uint32(max(f.n, len(f.data)))} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		b = append(b, f.data...)
	}
	return b
}

func writeFile(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openBytes(t testing.TB, b []byte, o Options) *Reader {
	t.Helper()
	r, err := Open(writeFile(t, "capture", b), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}
