package mysqlwire

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
)

const (
	mysql9Login = "8da2bf1900000001ff0000000000000000000000000000000000000000000000 6c61625f61646d696e00" +
		"20bb0770ceb3c95f8bac73d485af3d32eb17fa92f923d028ba9de3ee9714899bbb 6c616200" +
		"63616368696e675f736861325f70617373776f726400 71 045f706964 0435303434 095f706c6174666f726d 067838365f3634" +
		"035f6f73 054c696e7578 0c5f636c69656e745f6e616d65 086c69626d7973716c 076f735f75736572 04726f6f74" +
		"0f5f636c69656e745f76657273696f6e 05392e372e34 0c70726f6772616d5f6e616d65 056d7973716c"
	mariadb10Login = "84a2bf0000000100210000000000000000000000 00000000000000001d000000 6c61625f6564323535313900" +
		"1406da2085ba02d2e4eddabd270b3ede975c9f519b 6d7973716c5f6e61746976655f70617373776f726400 09 035f6f73 044c696e75"
	// Zeros but for the capabilities.
	loginHead = "0000004000 2d" + "0000000000000000000000000000000000000000000000"
)

func TestLoginRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		want      Login
	}{
		{"of MySQL 9", mysql9Login, Login{
			Caps: 0x19bfa28d, MaxPacket: 1 << 24, Collation: 255, User: "lab_admin",
			AuthResponse: unspaced(t, "bb0770ceb3c95f8bac73d485af3d32eb17fa92f923d028ba9de3ee9714899bbb"), DB: "lab",
			PluginName: "caching_sha2_password", Attrs: []Attr{
				{"_pid", "5044"},
				{"_platform", "x86_64"},
				{"_os", "Linux"},
				{"_client_name", "libmysql"},
				{"os_user", "root"},
				{"_client_version", "9.7.4"},
				{"program_name", "mysql"},
			},
		}},
		{"of MariaDB with extended flags", mariadb10Login, Login{
			Caps: 0x1d_00bfa284, MaxPacket: 1 << 16, Collation: 33, User: "lab_ed25519",
			AuthResponse: unspaced(t, "06da2085ba02d2e4eddabd270b3ede975c9f519b"), PluginName: "mysql_native_password",
			Attrs: []Attr{{"_os", "Linu"}},
		}},
		{"response with one byte of length", "0182 " + "0000" + loginHead[2:] + "7500 02 0102", Login{
			Caps: LongPassword | Protocol41 | SecureConnection, MaxPacket: 0x400000, Collation: 45, User: "u", AuthResponse: []byte{1, 2},
		}},
		{"response ended by zero", "0102 " + "0000" + loginHead[2:] + "7500 0102 00", Login{
			Caps: LongPassword | Protocol41, MaxPacket: 0x400000, Collation: 45, User: "u", AuthResponse: []byte{1, 2},
		}},
		{"zstd level", "0182 " + "0004" + loginHead[2:] + "7500 00 07", Login{
			Caps: LongPassword | Protocol41 | SecureConnection | ZstdCompressionAlgorithm, MaxPacket: 0x400000, Collation: 45,
			User: "u", AuthResponse: []byte{}, ZstdLevel: 7,
		}},
		{"fields left out at the end", "0982 " + "1804" + loginHead[2:] + "7500 00 6400", Login{
			Caps:      LongPassword | Protocol41 | SecureConnection | ConnectWithDB | PluginAuth | ConnectAttrs | ZstdCompressionAlgorithm,
			MaxPacket: 0x400000, Collation: 45, User: "u", AuthResponse: []byte{}, DB: "d",
			absent: PluginAuth | ConnectAttrs | ZstdCompressionAlgorithm,
		}},
		{"plugin name without its zero byte", "0182 " + "0800" + loginHead[2:] + "7500 00 70", Login{
			Caps: LongPassword | Protocol41 | SecureConnection | PluginAuth, MaxPacket: 0x400000, Collation: 45, User: "u",
			AuthResponse: []byte{}, PluginName: "p", pluginNoNUL: true,
		}},
		{"bytes nobody knows", "0182 " + "0000" + loginHead[2:] + "7500 00 beef", Login{
			Caps: LongPassword | Protocol41 | SecureConnection, MaxPacket: 0x400000, Collation: 45, User: "u", AuthResponse: []byte{},
			Rest: []byte{0xbe, 0xef},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wantSameBytes(t, KindLogin, tt.hex, nil).(*Login)
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
		})
	}
}

func TestLoginWithAnotherBit(t *testing.T) {
	for _, hex := range []string{mysql9Login, mariadb10Login} {
		m := wantSameBytes(t, KindLogin, hex, nil).(*Login)
		want := unspaced(t, hex)
		m.Caps |= SSL
		want[1] |= byte(SSL >> 8)
		if got, err := m.Encode(nil, nil); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got  %x, %v\nwant %x", got, err, want)
		}
	}
}

func TestLoginFieldSetLater(t *testing.T) {
	m := wantSameBytes(t, KindLogin, "0982 "+"1804"+loginHead[2:]+"7500 00", nil).(*Login)
	m.PluginName = "p"
	b, err := m.Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(b[32:]), "750000"+"00"+"7000"+"00"+"00"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLoginRefuses(t *testing.T) {
	for _, tt := range []struct{ name, hex, want string }{
		{"the form before 4.1", "8524 000000 726f6f7400", "before MySQL 4.1"},
		{"a list of attributes that ends inside one", "0182 " + "1000" + loginHead[2:] + "7500 00 03 0161 0362636465", "past the list"},
		{"a list of attributes longer than the packet", "0182 " + "1000" + loginHead[2:] + "7500 00 fe ffffffffffffffff 0161", "bytes left"},
		{"a response longer than the packet", "0182 " + "2000" + loginHead[2:] + "7500 fd ffffff", "bytes left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(KindLogin, unspaced(t, tt.hex), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	for _, bad := range []*Login{
		{Caps: Protocol41, User: "a\x00"},
		{Caps: Protocol41, AuthResponse: []byte{0}},
		{Caps: Protocol41 | SecureConnection, AuthResponse: make([]byte, 256)},
	} {
		if b, err := bad.Encode(nil, nil); err == nil || len(b) > 0 {
			t.Errorf("%+v encoded to %x, %v", bad, b, err)
		}
	}
}

func TestSSLRequest(t *testing.T) {
	const request = "85aebf19 00000001 ff 00000000000000000000000000000000000000 00000000"
	m := wantSameBytes(t, KindSSLRequest, request, nil).(*SSLRequest)
	if m.Caps != 0x19bfae85 || m.MaxPacket != 1<<24 || m.Collation != 255 {
		t.Errorf("got %+v", *m)
	}
	wantSameBytes(t, KindSSLRequest, "84aebf00 00000001 21 00000000000000000000000000000000000007 1d000000", nil)
	for s, want := range map[string]bool{
		request:           true,
		request + "00":    false,
		mysql9Login:       false,
		"":                false,
		"85a6" + "bf19":   false,
		"85a6" + "bf1900": false,
	} {
		if got := IsSSLRequest(unspaced(t, s)); got != want {
			t.Errorf("%s: got %v", s, got)
		}
	}
	b := unspaced(t, request)
	b[1] &^= byte(SSL >> 8)
	if IsSSLRequest(b) {
		t.Error("a packet without the SSL bit asks for TLS")
	}
}
