package mysqlwire

import (
	"reflect"
	"strings"
	"testing"

	"mydbg/mysqlwire/value"
)

func TestStmtBulkExecuteRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		cx        *Context
		want      StmtBulkExecute
	}{
		{
			"rows with types", "fa 01000000 8000 0380 fe00 00 01000000 00 0161 01 02 00 02000000 03",
			&Context{Params: make([]Param, 2), ParamsKnown: true},
			StmtBulkExecute{
				StmtID: 1, Flags: BulkSendTypes, Types: []BulkType{{Type: value.Long, Unsigned: true}, {Type: value.String}},
				Rows: [][]BulkValue{
					{{Raw: []byte{1, 0, 0, 0}}, {Raw: []byte{1, 'a'}}},
					{{Indicator: BulkNull}, {Indicator: BulkDefault}},
					{{Raw: []byte{2, 0, 0, 0}}, {Indicator: BulkIgnore}},
				},
			},
		},
		{
			"types of the last execute", "fa ffffffff 4000 00 07 00 08", &Context{Params: []Param{{Type: value.Tiny, Bound: true}}, ParamsKnown: true},
			StmtBulkExecute{
				StmtID: LastStmtID, Flags: BulkUnitResults, Types: []BulkType{{Type: value.Tiny}},
				Rows: [][]BulkValue{{{Raw: []byte{7}}}, {{Raw: []byte{8}}}},
			},
		},
		{"statement nobody saw prepared", "fa 01000000 8000 0300 00 01000000", &Context{}, StmtBulkExecute{
			StmtID: 1, Flags: BulkSendTypes, Undecoded: []byte{3, 0, 0, 1, 0, 0, 0},
		}},
		{"types nobody saw", "fa 01000000 0000 00 07", &Context{Params: make([]Param, 1), ParamsKnown: true}, StmtBulkExecute{
			StmtID: 1, Undecoded: []byte{0, 7},
		}},
		{"no parameters", "fa 01000000 8000 00", &Context{ParamsKnown: true}, StmtBulkExecute{
			StmtID: 1, Flags: BulkSendTypes, Undecoded: []byte{0},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wantSameBytes(t, KindStmtBulkExecute, tt.hex, tt.cx).(*StmtBulkExecute)
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
		})
	}
}

func TestBulkValueText(t *testing.T) {
	typ := BulkType{Type: value.Tiny, Unsigned: true}
	for _, tt := range []struct {
		v    BulkValue
		want string
	}{
		{BulkValue{Raw: []byte{200}}, "200"},
		{BulkValue{Indicator: BulkNull}, "NULL"},
		{BulkValue{Indicator: BulkDefault}, "DEFAULT"},
		{BulkValue{Indicator: 9}, "indicator 9"},
	} {
		if got := tt.v.Text(typ); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.v, got, tt.want)
		}
	}
	if v, err := (BulkValue{Raw: []byte{200}}).Value(typ); err != nil || v != uint64(200) {
		t.Errorf("got %v, %v", v, err)
	}
	if v, err := (BulkValue{Indicator: BulkIgnore}).Value(typ); err != nil || v != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestStmtBulkExecuteRefuses(t *testing.T) {
	cx := &Context{Params: make([]Param, 2), ParamsKnown: true}
	for hex, want := range map[string]string{
		"fa 01000000 8000 0300 fe00 00 01000000": "parameter_indicator",
		"fa 01000000 8000 0300 fe00 00 010000":   "parameter 1, LONG",
		"fa 01000000 8000 0300 fe00 04":          "indicator is",
		"fa 01000000 8000 0300 fe":               "parameter_flag",
	} {
		_, err := Decode(KindStmtBulkExecute, unspaced(t, hex), cx)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", hex, err, want)
		}
	}
	if got := (BulkSendTypes | BulkUnitResults | 1).String(); got != "SEND_TYPES_TO_SERVER SEND_UNIT_RESULTS 1" {
		t.Errorf("got %s", got)
	}
}
