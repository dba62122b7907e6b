package mysqlwire

import (
	"reflect"
	"strings"
	"testing"
)

func TestAuthenticationRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind Kind
		hex  string
		want Message
	}{
		{"switch", KindAuthSwitch, "fe 6100 " + strings.Repeat("62", 20) + "00", &AuthSwitch{PluginName: "a", Data: []byte(strings.Repeat("b", 20) + "\x00")}},
		{"switch without data", KindAuthSwitch, "fe 6100", &AuthSwitch{PluginName: "a"}},
		{"switch without the name's end", KindAuthSwitch, "fe 61", &AuthSwitch{PluginName: "a", noNUL: true}},
		{"old switch", KindOldAuth, "fe", &OldAuth{}},
		{"more data", KindAuthMore, "01 04", &AuthMore{Data: []byte{4}}},
		{"no more data", KindAuthMore, "01", &AuthMore{}},
		{"next factor", KindNextFactor, "02 6100 6263", &NextFactor{PluginName: "a", Data: []byte("bc")}},
		{"plugin's data", KindAuthData, "03 4172", &AuthData{Data: []byte("\x03Ar")}},
		{"empty data", KindAuthData, "", &AuthData{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := wantSameBytes(t, tt.kind, tt.hex, nil); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestScrambleWithoutItsEnd(t *testing.T) {
	for _, tt := range []struct {
		data string
		want int
	}{
		{strings.Repeat("b", 20) + "\x00", 20},
		{strings.Repeat("b", 20), 20},
		{strings.Repeat("b", 31) + "\x00", 32}, // the nonce of ed25519 may end in zero
		{strings.Repeat("b", 32) + "\x00", 32},
		{"", 0},
	} {
		if got := (&AuthSwitch{Data: []byte(tt.data)}).Scramble(); len(got) != tt.want {
			t.Errorf("%q: got %q, want %d bytes", tt.data, got, tt.want)
		}
		if got := (&NextFactor{Data: []byte(tt.data)}).Scramble(); len(got) != tt.want {
			t.Errorf("%q: got %q, want %d bytes", tt.data, got, tt.want)
		}
	}
}

func TestAuthMoreIsNamed(t *testing.T) {
	for s, want := range map[string]string{
		"01 03":                     "03 fast_auth_success",
		"01 04":                     "04 perform_full_authentication",
		"01 0505":                   "0505",
		"01 2d2d2d2d2d424547494e20": `"-----BEGIN "`,
	} {
		fields, err := Dissect(KindAuthMore, unspaced(t, s), nil)
		if err != nil || fields[len(fields)-1].Value != want {
			t.Errorf("%s: got %+v, %v, want %s", s, fields, err, want)
		}
	}
	// Without data there is no field whose value could be replaced.
	if fields, err := Dissect(KindAuthMore, []byte{1}, nil); err != nil || fields[0].Value != "1" {
		t.Errorf("got %+v, %v", fields, err)
	}
}
