package mysqlwire

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
)

// unspaced reads hex digits with spaces between them.
func unspaced(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantSameBytes decodes s, expects it to encode to the same bytes, and returns the message.
func wantSameBytes(t testing.TB, k Kind, s string, cx *Context) Message {
	t.Helper()
	b := unspaced(t, s)
	m, err := Decode(k, b, cx)
	if err != nil {
		t.Fatal(err)
	}
	if m.Kind() != k {
		t.Errorf("got a %s, want %s", m.Kind(), k)
	}
	if got, err := m.Encode(nil, cx); err != nil || !bytes.Equal(got, b) {
		t.Errorf("encoded again:\n got %x, %v\nwant %x", got, err, b)
	}
	return m
}

const (
	mariadb10Greeting = "0a352e352e352d31302e31312e31392d4d6172696144422d302b646562313275312d6c6f6700320000002d4969554e673c33" +
		"00feff2d0200ff81150000000000001d0000002c21604061477e66633e4a3c006d7973716c5f6e61746976655f70617373776f726400"
	mysql9Greeting = "0a392e372e342d3200f00000001b481a5819284b2200ffffff0200ffdf15000000000000000000004b4c7401392f48017e6d3e1b" +
		"0063616368696e675f736861325f70617373776f726400"
)

func TestGreetingRoundTrip(t *testing.T) {
	const head = "0a 382e3000 01000000 6162636465666768 00" // 8.0, id 1, abcdefgh
	for _, tt := range []struct {
		name, hex string
		want      Greeting
		mariadb   bool
		version   string
	}{
		{
			"of MariaDB 10", mariadb10Greeting,
			Greeting{
				Version: "5.5.5-10.11.19-MariaDB-0+deb12u1-log", ConnectionID: 50, Scramble: []byte("-IiUNg<3,!`@aG~fc>J<"),
				Caps: 0x1d_81ff_fffe, Collation: 45, Status: StatusAutocommit, PluginName: "mysql_native_password",
			},
			true, "10.11.19-MariaDB-0+deb12u1-log",
		},
		{
			"of MySQL 9", mysql9Greeting,
			Greeting{
				Version: "9.7.4-2", ConnectionID: 240, Scramble: []byte("\x1bH\x1aX\x19(K\"KLt\x019/H\x01~m>\x1b"),
				Caps: 0xdfff_ffff, Collation: 255, Status: StatusAutocommit, PluginName: "caching_sha2_password",
			},
			false, "9.7.4-2",
		},
		{
			"without plugins", head + "01f7 08 0200 0000 00" + strings.Repeat("00", 10) + "6970717273747576777879 7a 00",
			Greeting{Version: "8.0", ConnectionID: 1, Scramble: []byte("abcdefghipqrstuvwxyz"), Caps: 0xf701, Collation: 8, Status: 2},
			false, "8.0",
		},
		{
			"plugin name without its zero byte", head + "01f7 08 0200 0800 15" + strings.Repeat("00", 10) + "6970717273747576777879 7a 00 6d7973716c",
			Greeting{
				Version: "8.0", ConnectionID: 1, Scramble: []byte("abcdefghipqrstuvwxyz"), Caps: 0x8f701, Collation: 8, Status: 2,
				PluginName: "mysql", wire: greetingWire{pluginNoNUL: true},
			},
			false, "8.0",
		},
		{
			"no plugin name", head + "01f7 08 0200 0800 15" + strings.Repeat("00", 10) + "6970717273747576777879 7a 00",
			Greeting{
				Version: "8.0", ConnectionID: 1, Scramble: []byte("abcdefghipqrstuvwxyz"), Caps: 0x8f701, Collation: 8, Status: 2,
				wire: greetingWire{noPlugin: true},
			},
			false, "8.0",
		},
		{
			"odd length, filler, reserved, scramble without end", strings.TrimSuffix(head, "00") + "07 01f7 08 0200 0800 08" + "0102030405060708090a" + "6970717273747576777879 7a 7b 78 00 ee",
			Greeting{
				Version: "8.0", ConnectionID: 1, Scramble: []byte("abcdefghipqrstuvwxyz{"), Caps: 0x8f701, Collation: 8, Status: 2,
				PluginName: "x", Rest: []byte{0xee}, wire: greetingWire{
					filler: 7, authLen: 8, authLenOdd: true, noNUL: true, reserved: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
				},
			},
			false, "8.0",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wantSameBytes(t, KindGreeting, tt.hex, nil).(*Greeting)
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
			if got.MariaDB() != tt.mariadb || got.ServerVersion() != tt.version {
				t.Errorf("got MariaDB %v, version %q", got.MariaDB(), got.ServerVersion())
			}
		})
	}
}

func TestGreetingMasksCapabilities(t *testing.T) {
	for _, hex := range []string{mysql9Greeting, mariadb10Greeting} {
		m := wantSameBytes(t, KindGreeting, hex, nil).(*Greeting)
		want := *m
		want.Caps &^= Compress | ZstdCompressionAlgorithm | MariaDBProgress
		b, err := want.Encode(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got Greeting
		if err := got.Decode(b, nil); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
		if len(b) != len(hex)/2 {
			t.Errorf("length changed from %d to %d", len(hex)/2, len(b))
		}
	}
}

func TestGreetingMadeByHand(t *testing.T) {
	m := &Greeting{
		Version: "9.7.4-2", ConnectionID: 240, Scramble: []byte("\x1bH\x1aX\x19(K\"KLt\x019/H\x01~m>\x1b"),
		Caps: 0xdfff_ffff, Collation: 255, Status: StatusAutocommit, PluginName: "caching_sha2_password",
	}
	if got, err := m.Encode(nil, nil); err != nil || hex.EncodeToString(got) != mysql9Greeting {
		t.Errorf("got  %x, %v\nwant %s", got, err, mysql9Greeting)
	}
	for _, bad := range []*Greeting{
		{Scramble: []byte("short")},
		{Scramble: bytes.Repeat([]byte("x"), 300)},
		{Version: "a\x00b", Scramble: m.Scramble},
	} {
		if b, err := bad.Encode(nil, nil); err == nil {
			t.Errorf("%+v encoded to %x", bad, b)
		}
	}
}

func TestGreetingShowsCapabilities(t *testing.T) {
	fields, err := Dissect(KindGreeting, unspaced(t, mariadb10Greeting), nil)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	end := 0
	for _, f := range fields {
		if f.Off != end {
			t.Errorf("%s begins at %d, want %d", f.Name, f.Off, end)
		}
		shown[f.Name], end = f.Value, f.Off+f.Len
	}
	for name, want := range map[string]string{
		"mariadb_capability_flags": "MARIADB_PROGRESS MARIADB_STMT_BULK_OPERATIONS MARIADB_EXTENDED_METADATA MARIADB_CACHE_METADATA",
		"server_version":           `"5.5.5-10.11.19-MariaDB-0+deb12u1-log"`,
		"status_flags":             "AUTOCOMMIT",
	} {
		if shown[name] != want {
			t.Errorf("%s: got %q, want %q", name, shown[name], want)
		}
	}
}
