package proxyproto

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func ip(s string) Address { return Address{IP: netip.MustParseAddrPort(s)} }

const sig = "0d0a0d0a000d0a515549540a"

// headers and their wire form, a line or hex.
var headers = []struct {
	name string
	wire string
	want Header
}{
	{"v1 IPv4", "PROXY TCP4 192.0.2.1 192.0.2.9 56324 3306\r\n", Header{Version: 1, Source: ip("192.0.2.1:56324"), Destination: ip("192.0.2.9:3306")}},
	{"v1 IPv6", "PROXY TCP6 2001:db8::1 ::1 65535 0\r\n", Header{Version: 1, Source: ip("[2001:db8::1]:65535"), Destination: ip("[::1]:0")}},
	{"v1 unknown", "PROXY UNKNOWN\r\n", Header{Version: 1, Kind: Unknown}},
	{"v2 IPv4", sig + "2111000c c0000201 c0000209 dc04 0cea", Header{Version: 2, Source: ip("192.0.2.1:56324"), Destination: ip("192.0.2.9:3306")}},
	{
		"v2 IPv6", sig + "21210024 20010db8000000000000000000000001 00000000000000000000000000000001 ffff 0000",
		Header{Version: 2, Source: ip("[2001:db8::1]:65535"), Destination: ip("[::1]:0")},
	},
	{
		"v2 Unix socket", sig + "213100d8" + hex.EncodeToString([]byte("/run/a")) + strings.Repeat("00", 102) + hex.EncodeToString([]byte("/run/b")) + strings.Repeat("00", 102),
		Header{Version: 2, Source: Address{Unix: true, Path: "/run/a"}, Destination: Address{Unix: true, Path: "/run/b"}},
	},
	{"v2 local", sig + "20000000", Header{Version: 2, Kind: Local}},
	{"v2 unknown", sig + "21000000", Header{Version: 2, Kind: Unknown}},
	{
		"v2 with a name", sig + "21110016 c0000201 c0000209 dc04 0cea 020002 6462 ee0002 0102",
		Header{Version: 2, Source: ip("192.0.2.1:56324"), Destination: ip("192.0.2.9:3306"), TLVs: []TLV{{0x02, []byte("db")}, {0xee, []byte{1, 2}}}},
	},
}

func wire(t testing.TB, s string) []byte {
	t.Helper()
	if strings.HasPrefix(s, "PROXY") {
		return []byte(s)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHeaders(t *testing.T) {
	for _, tt := range headers {
		t.Run(tt.name, func(t *testing.T) {
			b := wire(t, tt.wire)
			got, n, err := Parse(append(bytes.Clone(b), "what follows"...))
			if err != nil || n != len(b) || !reflect.DeepEqual(got, tt.want) {
				t.Fatalf("got %+v in %d bytes, %v, want %+v in %d", got, n, err, tt.want, len(b))
			}
			if out, err := got.Append(nil); err != nil || !bytes.Equal(out, b) {
				t.Errorf("encodes to %x, %v, want %x", out, err, b)
			}
			for i := range b {
				if _, _, err := Parse(b[:i]); err != ErrShort || !Begins(b[:i]) {
					t.Errorf("of the first %d bytes: %v", i, err)
				}
			}
		})
	}
}

func TestBadHeaders(t *testing.T) {
	for _, tt := range []struct{ wire, want string }{
		{"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n", "TCP5"},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "3 fields"},
		{"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", "1.2.3"},
		{"PROXY TCP4 ::1 1.2.3.4 1 2\r\n", "::1"},
		{"PROXY TCP6 1.2.3.4 ::1 1 2\r\n", "1.2.3.4"},
		{"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "eth0"},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "01"},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "65536"},
		{"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", "fields"},
		{"PROXY " + strings.Repeat("x", 200), "107"},
		{sig + "11110000", "version 1"},
		{sig + "22110000", "command 2"},
		{sig + "2111000b c0000201c0000209dc040c", "too short"},
		{sig + "2100ffff", "65551 bytes"},
		{sig + "21000002 0400", "behind the last TLV"},
		{sig + "21000004 04000500", "TLV 0x04 of 5 bytes"},
		{sig + "21000007 030004 00000000", "checksum 00000000"},
		{sig + "21000006 030003 000000", "checksum of 3 bytes"},
	} {
		_, _, err := Parse(wire(t, tt.wire))
		var bad *Error
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40q: %v, want %q", tt.wire, err, tt.want)
		}
	}
	for _, b := range []string{"\x16\x03\x01", "GET / HTTP/1.0", "PROXIED", "\r\n\r\nQUIT"} {
		if _, _, err := Parse([]byte(b)); err == nil || err == ErrShort || Begins([]byte(b)) {
			t.Errorf("%q: %v", b, err)
		}
	}
}

func TestChecksum(t *testing.T) {
	h := Header{Version: 2, Source: ip("192.0.2.1:1"), Destination: ip("192.0.2.2:2"), TLVs: []TLV{{0x05, []byte("unique")}}, Checksum: true}
	b, err := h.Append([]byte("in front"))
	if err != nil {
		t.Fatal(err)
	}
	b = b[len("in front"):]
	if got, _, err := Parse(b); err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("got %+v, %v", got, err)
	}
	b[18] ^= 1
	if _, _, err := Parse(b); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("changed: %v", err)
	}
}

func TestWhatVersionOneCannotSay(t *testing.T) {
	for _, tt := range []struct {
		h    Header
		want string
	}{
		{Header{Version: 1, Kind: Local}, "PROXY UNKNOWN\r\n"},
		{Header{Version: 1, Source: Address{Unix: true}, Destination: Address{Unix: true}}, "PROXY UNKNOWN\r\n"},
		{Header{Version: 1, Source: ip("1.2.3.4:5"), Destination: ip("[::1]:6")}, "PROXY TCP6 ::ffff:1.2.3.4 ::1 5 6\r\n"},
	} {
		if got, err := tt.h.Append(nil); err != nil || string(got) != tt.want {
			t.Errorf("got %q, %v, want %q", got, err, tt.want)
		}
	}
	if _, err := (&Header{Version: 3}).Append(nil); err == nil {
		t.Error("there is a version 3")
	}
}

func TestAddressOf(t *testing.T) {
	for _, tt := range []struct {
		addr net.Addr
		want string
	}{
		{&net.TCPAddr{IP: net.ParseIP("1.2.3.4"), Port: 5}, "1.2.3.4:5"},
		{&net.TCPAddr{IP: net.ParseIP("::1"), Port: 5}, "[::1]:5"},
		{&net.UnixAddr{Name: "/run/x"}, "unix:/run/x"},
		{&net.UnixAddr{Name: ""}, "unix:"},
	} {
		if got, ok := AddressOf(tt.addr); !ok || got.String() != tt.want {
			t.Errorf("got %s, %v, want %s", got, ok, tt.want)
		}
	}
	if _, ok := AddressOf(&net.UDPAddr{}); ok {
		t.Error("UDP is understood")
	}
}

// FuzzParse: what is understood is written as the same header again.
func FuzzParse(f *testing.F) {
	for _, tt := range headers {
		f.Add(wire(f, tt.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := Parse(b)
		if err == ErrShort && !Begins(b) || err == nil && (n > len(b) || n > MaxLen) {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if err != nil {
			return
		}
		out, err := h.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if again, m, err := Parse(out); err != nil || m != len(out) || !reflect.DeepEqual(again, h) {
			t.Fatalf("got %+v, %v, want %+v", again, err, h)
		}
	})
}
