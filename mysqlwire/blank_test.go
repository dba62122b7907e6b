package mysqlwire

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestBlank(t *testing.T) {
	cx := &Context{Caps: SecureConnection | PluginAuth}
	const secret = "7365637265"
	for _, tt := range []struct {
		name       string
		kind       Kind
		hex, blank string
	}{
		{"login", KindLogin, "0182" + "0000" + loginHead[2:] + "7500 05 7365637265", "0182" + "0000" + loginHead[2:] + "7500 05 0000000000"},
		{"login in the oldest form", KindLogin, "0102" + "0000" + loginHead[2:] + "7500 7365637265 00", "0102" + "0000" + loginHead[2:] + "7500 2a2a2a2a2a 00"},
		{"change of user", KindChangeUser, "11 7500 05 7365637265 6400 2d00 7000", "11 7500 05 0000000000 6400 2d00 7000"},
		{"password in clear", KindAuthData, "7365637265 00", "0000000000 00"},
		{
			"replica", KindRegisterSlave, "15 01000000 0168 0175 05 7365637265 ea0c 00000000 00000000",
			"15 01000000 0168 0175 05 0000000000 ea0c 00000000 00000000",
		},
		{"login cut off", KindLogin, "0182" + "0000" + loginHead[2:] + "7500 50 7365637265", "0182" + "0000" + loginHead[2:] + strings.Repeat("00", 8)},
		{"login too short", KindLogin, "0182", "0182"},
		{"change of user cut off", KindChangeUser, "11 7500 50 7365637265", "11" + strings.Repeat("00", 8)},
		{"replica cut off", KindRegisterSlave, "15 01000000 0168 0175 50 7365637265", "15" + strings.Repeat("00", 14)},
		{"query", KindQuery, "03 7365637265", "03 7365637265"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, want := unspaced(t, tt.hex), unspaced(t, tt.blank)
			before := bytes.Clone(b)
			if got := BlankPayload(tt.kind, b, cx); !bytes.Equal(got, want) {
				t.Errorf("got  %x\nwant %x", got, want)
			}
			if !bytes.Equal(b, before) {
				t.Error("the payload itself has changed")
			}
			m, err := Decode(tt.kind, b, cx)
			if err != nil {
				return // the whole message is not shown then
			}
			got, err := Blank(m).Encode(nil, cx)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("message:\n got %x, %v\nwant %x", got, err, want)
			}
			if tt.kind != KindQuery && strings.Contains(hex.EncodeToString(got), secret) {
				t.Errorf("%x still has the secret", got)
			}
			if again, _ := m.Encode(nil, cx); !bytes.Equal(again, before) {
				t.Error("the message itself has changed")
			}
		})
	}
}
