package mysqlwire

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
)

func TestChangeUserRoundTrip(t *testing.T) {
	const all = SecureConnection | PluginAuth | ConnectAttrs | PluginAuthLenencClientData
	for _, tt := range []struct {
		name, hex string
		caps      Caps
		want      ChangeUser
	}{
		{"all fields", "11 7500 02 0102 6400 2d00 7000 04 0161 0162", all, ChangeUser{
			User: "u", AuthResponse: []byte{1, 2}, DB: "d", Collation: 45, PluginName: "p", Attrs: []Attr{{"a", "b"}},
		}},
		{"no attributes", "11 7500 02 0102 6400 2d00 7000", all, ChangeUser{
			User: "u", AuthResponse: []byte{1, 2}, DB: "d", Collation: 45, PluginName: "p", absent: ConnectAttrs,
		}},
		{"nothing after the schema", "11 7500 00 00", all, ChangeUser{
			User: "u", AuthResponse: []byte{}, absent: Protocol41 | PluginAuth | ConnectAttrs,
		}},
		{"response ended by zero", "11 7500 0102 00 6400 0801", 0, ChangeUser{
			User: "u", AuthResponse: []byte{1, 2}, DB: "d", Collation: 264, nulEnded: true,
		}},
		{"a length that a login would read as two bytes", "11 7500 fb" + strings.Repeat("61", 251) + "00 2d00 70", all, ChangeUser{
			User: "u", AuthResponse: []byte(strings.Repeat("a", 251)), Collation: 45, PluginName: "p", pluginNoNUL: true, absent: ConnectAttrs,
		}},
		{"bytes nobody knows", "11 7500 00 00 2d00 ff", SecureConnection, ChangeUser{
			User: "u", AuthResponse: []byte{}, Collation: 45, Rest: []byte{255},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wantSameBytes(t, KindChangeUser, tt.hex, &Context{Caps: tt.caps}).(*ChangeUser)
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
		})
	}
}

func TestChangeUserFieldSetLater(t *testing.T) {
	cx := &Context{Caps: SecureConnection | PluginAuth | ConnectAttrs}
	m := wantSameBytes(t, KindChangeUser, "11 7500 00 00", cx).(*ChangeUser)
	m.PluginName = "p"
	got, err := m.Encode(nil, cx)
	if want := "11" + "7500" + "00" + "00" + "0000" + "7000" + "00"; err != nil || hex.EncodeToString(got) != want {
		t.Errorf("got  %x, %v\nwant %s", got, err, want)
	}
}
