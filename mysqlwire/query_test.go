package mysqlwire

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"mydbg/mysqlwire/value"
)

func TestQueryRoundTrip(t *testing.T) {
	attributes := &Context{Caps: QueryAttributes}
	for _, tt := range []struct {
		name, hex string
		cx        *Context
		want      Query
	}{
		{"plain", "03 73656c6563742031", nil, Query{SQL: "select 1"}},
		{"empty", "03", nil, Query{}},
		{"no attributes", "03 00 01 73656c6563742031", attributes, Query{SQL: "select 1"}},
		{"two of the mysql program", "03 02 01 00 01 fe00 057472616365 fe00 0470616765 0437663361 023132 73656c6563742032", attributes, Query{
			SQL: "select 2", Attributes: []QueryAttr{
				{Name: "trace", Type: value.String, Raw: []byte("\x047f3a")},
				{Name: "page", Type: value.String, Raw: []byte("\x0212")},
			},
		}},
		{"NULL, unsigned, a bit nobody knows", "03 02 01 01 01 0600 016e 0881 0169 2a00000000000000 78", attributes, Query{
			SQL: "x", Attributes: []QueryAttr{
				{Name: "n", Type: value.Null, Null: true},
				{Name: "i", Type: value.LongLong, Unsigned: true, typeBits: 1, Raw: []byte{42, 0, 0, 0, 0, 0, 0, 0}},
			},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wantSameBytes(t, KindQuery, tt.hex, tt.cx).(*Query)
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
		})
	}
}

func TestQueryWithSQLKeepsAttributes(t *testing.T) {
	cx := &Context{Caps: QueryAttributes}
	m := wantSameBytes(t, KindQuery, "03 01 01 00 01 fe00 0161 0162 73656c6563742031", cx).(*Query)
	got, err := m.WithSQL("do 2").Encode(nil, cx)
	if want := unspaced(t, "03 01 01 00 01 fe00 0161 0162 646f2032"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got  %x, %v\nwant %x", got, err, want)
	}
	if m.SQL != "select 1" {
		t.Errorf("the original became %q", m.SQL)
	}
	if b, err := m.Encode(nil, nil); err == nil {
		t.Errorf("attributes that are not agreed encoded to %x", b)
	}
}

func TestQueryRefuses(t *testing.T) {
	for _, tt := range []struct{ name, hex, want string }{
		{"two sets", "03 01 02", "want 1"},
		{"more attributes than bytes", "03 fe ffffffffffffff7f 01 00", "parameter_count"},
		{"types that do not fit", "03 10 01 0000 01 fe00", "want 32 bytes"},
		{"no types", "03 01 01 00 00 0161 78", "without types"},
		{"a value that is cut off", "03 01 01 00 01 0800 0161 0102", "LONGLONG"},
		{"no counts", "03", "parameter_count"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(KindQuery, unspaced(t, tt.hex), &Context{Caps: QueryAttributes})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestStmtPrepareRoundTrip(t *testing.T) {
	m := wantSameBytes(t, KindStmtPrepare, "16 73656c656374203f", nil).(*StmtPrepare)
	if m.SQL != "select ?" {
		t.Errorf("got %s", m.SQL)
	}
	// Attributes change nothing here.
	wantSameBytes(t, KindStmtPrepare, hex.EncodeToString([]byte("\x16\x00\x01x")), &Context{Caps: QueryAttributes})
}
