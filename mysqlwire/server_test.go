package mysqlwire

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"mydbg/mysqlwire/value"
)

// Bytes of the server's packets: those seen on live servers, and the forms of the protocol that
// these do not send.
var serverPackets = []struct {
	name string
	kind Kind
	caps Caps
	hex  string
	want Message // nil where only the bytes count
}{
	{"OK without info", KindOK, SessionTrack, "00000002000000", &OK{Status: StatusAutocommit, form: okBare}},
	{"OK with numbers", KindOK, 0, "00fc2c01050a000100", &OK{AffectedRows: 300, LastInsertID: 5, Status: StatusAutocommit | StatusMoreResultsExists, Warnings: 1, form: okBare}},
	{
		"OK of a login with schema", KindOK, SessionTrack, "00000002400000" + "00" + "09" + "0107" + "06736274657374",
		&OK{Status: StatusAutocommit | StatusSessionStateChanged, form: okState, SessionState: []StateChange{{Type: StateSchema, Text: "sbtest"}}},
	},
	{
		"OK with the state of a transaction", KindOK, SessionTrack, "00000003400000" + "00" + "2a" + "050908545f5f5f5f5f5f5f" + "041d1c5354415254205452414e53414354494f4e2052454144204f4e4c593b",
		&OK{Status: StatusInTrans | StatusAutocommit | StatusSessionStateChanged, form: okState, SessionState: []StateChange{
			{Type: StateTransactionState, Text: "T_______"},
			{Type: StateTransactionCharacteristics, Text: "START TRANSACTION READ ONLY;"},
		}},
	},
	{
		"OK with two variables in one entry", KindOK, SessionTrack, "00000002400000" + "00" + "0a" + "0008" + "01610131" + "01620132",
		&OK{Status: StatusAutocommit | StatusSessionStateChanged, form: okState, SessionState: []StateChange{
			{Type: StateSystemVariables, Variables: []StateVariable{{"a", "1"}, {"b", "2"}}},
		}},
	},
	{"OK that says state and has none", KindOK, SessionTrack, "00000002400000", nil},
	{"OK with info and a length", KindOK, 0, "0000000200000003616263", &OK{Status: StatusAutocommit, Info: "abc", form: okInfo}},
	{"OK with info to the end", KindOK, 0, "00000002000000616263", &OK{Status: StatusAutocommit, Info: "abc", form: okInfoToEnd}},
	{"OK at the end of rows", KindOK, DeprecateEOF, "fe000022000000", &OK{End: true, Status: StatusAutocommit | StatusNoIndexUsed, form: okBare}},
	{"OK with bytes nobody knows", KindOK, SessionTrack, "0000000200000000ffff", nil},
	{"ERR", KindERR, 0, "ffbd04233430303031446561646c6f636b", &ERR{Code: 1213, SQLState: "40001", Message: "Deadlock"}},
	{"ERR before capabilities", KindERR, 0, "ff1004546f6f206d616e79", &ERR{Code: 1040, Message: "Too many"}},
	{"ERR with a short message", KindERR, 0, "ff100423", &ERR{Code: 1040, Message: "#"}},
	{"EOF", KindEOF, 0, "fe00000200", &EOF{Status: StatusAutocommit}},
	{"EOF with the bit of session state", KindEOF, 0, "fe00000160", nil},
	{
		"progress", KindProgress, MariaDBProgress, "ffffff010102c4090011636f707920746f20746d70207461626c65",
		&Progress{Strings: 1, Stage: 1, MaxStage: 2, Progress: 2500, StageName: "copy to tmp table"},
	},
	{"column count", KindColumnCount, 0, "1e", &ColumnCount{Count: 30, Metadata: 1}},
	{"column count without definitions", KindColumnCount, MariaDBCacheMetadata, "0200", &ColumnCount{Count: 2}},
	{"column count with the agreed byte missing", KindColumnCount, OptionalResultsetMetadata, "02", &ColumnCount{Count: 2, Metadata: 1, short: true}},
	{"text row", KindTextRow, 0, "0131fb00", &TextRow{Cells: [][]byte{[]byte("1"), nil, {}}}},
	{"prepare answer", KindPrepareOK, 0, "000100000002000100000000", &PrepareOK{StmtID: 1, Columns: 2, Params: 1, Metadata: 1}},
	{"prepare answer without definitions", KindPrepareOK, OptionalResultsetMetadata, "00010000000200010000000000", &PrepareOK{StmtID: 1, Columns: 2, Params: 1}},
	{"prepare answer of an old server", KindPrepareOK, 0, "000100000002000100", nil},
	{"LOCAL INFILE", KindLocalInfile, 0, "fb2f746d702f61", &LocalInfile{Name: "/tmp/a"}},
	{"the end of a file", KindFileData, 0, "", &FileData{}},
	{"statistics", KindStatistics, 0, "557074696d653a", &StatisticsText{Text: "Uptime:"}},
	{
		"binlog event", KindBinlogEvent, 0, "00" + "efefefef" + "04" + "01000000" + "14000000" + "20000000" + "0000" + "aa",
		&BinlogEvent{Timestamp: 0xefefefef, Type: 4, ServerID: 1, Length: 20, EndPos: 32, Body: []byte{0xaa}},
	},
	{
		"binlog event, semi-synchronous", KindBinlogEvent, 0, "00" + "ef01" + "00000000" + "04" + "01000000" + "14000000" + "20000000" + "0000" + "aa",
		&BinlogEvent{SemiSync: true, AckWanted: 1, Type: 4, ServerID: 1, Length: 20, EndPos: 32, Body: []byte{0xaa}},
	},
}

func TestServerPackets(t *testing.T) {
	for _, tt := range serverPackets {
		t.Run(tt.name, func(t *testing.T) {
			cx := &Context{Caps: tt.caps}
			src, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Decode(tt.kind, src, cx)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want != nil && !reflect.DeepEqual(m, tt.want) {
				t.Errorf("got %#v, want %#v", m, tt.want)
			}
			if out, err := m.Encode(nil, cx); err != nil || !bytes.Equal(out, src) {
				t.Errorf("got %x %v, want %s", out, err, tt.hex)
			}
			fields, err := Dissect(tt.kind, src, cx)
			if n := covered(fields); err != nil || n != len(src) {
				t.Errorf("got %d bytes in fields, %v, want %d", n, err, len(src))
			}
		})
	}
}

func covered(fields []Field) (n int) {
	for _, f := range fields {
		n += f.Len
	}
	return n
}

func TestServerPacketsThatFail(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind Kind
		hex  string
	}{
		{"OK cut off", KindOK, "000000020000"},
		{"OK with another header", KindOK, "010000020000"},
		{"ERR without a code", KindERR, "ff"},
		{"progress with a code", KindProgress, "ffbd04010102c4090000"},
		{"text row cut off", KindTextRow, "0361"},
		{"binary row without columns", KindBinaryRow, "0000"},
		{"binlog event cut off", KindBinlogEvent, "0000000000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src, _ := hex.DecodeString(tt.hex)
			if m, err := Decode(tt.kind, src, &Context{}); err == nil {
				t.Errorf("got %#v, want an error", m)
			}
		})
	}
}

func TestOKIsAsShortAsItsFields(t *testing.T) {
	tracked := &Context{Caps: SessionTrack}
	schema := []StateChange{{Type: StateSchema, Text: "shop"}}
	for _, tt := range []struct {
		name string
		ok   OK
		cx   *Context
		hex  string
	}{
		{"nothing to say", OK{}, tracked, "00000000000000"},
		{"info", OK{Info: "a"}, tracked, "000000000000000161"},
		{"state sets its bit", OK{SessionState: schema}, tracked, "00000000400000" + "00" + "07" + "0105" + "0473686f70"},
		{"a bit without state", OK{Status: StatusSessionStateChanged}, tracked, "00000000400000" + "00" + "00"},
		{"state is left out where it is not agreed", OK{SessionState: schema}, &Context{}, "00000000000000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if out, err := tt.ok.Encode(nil, tt.cx); err != nil || hex.EncodeToString(out) != tt.hex {
				t.Errorf("got %x %v, want %s", out, err, tt.hex)
			}
		})
	}
}

func TestSessionState(t *testing.T) {
	ok := OK{SessionState: []StateChange{
		{Type: StateSystemVariables, Variables: []StateVariable{{"autocommit", "OFF"}, {"time_zone", "UTC"}}},
		{Type: StateSchema, Text: "shop"},
		{Type: StateGTIDs, Text: "uuid:1-5"},
		{Type: StateTransactionState, Text: "T_______"},
		{Type: 77, Data: []byte{1, 2}},
	}}
	cx := &Context{Caps: SessionTrack}
	b, err := ok.Encode(nil, cx)
	if err != nil {
		t.Fatal(err)
	}
	var got OK
	if err := got.Decode(b, cx); err != nil || !reflect.DeepEqual(got.SessionState, ok.SessionState) {
		t.Fatalf("got %v %v, want %v", got.SessionState, err, ok.SessionState)
	}
	if name, changed := got.Schema(); name != "shop" || !changed {
		t.Errorf("got schema %q %v, want shop", name, changed)
	}
	if zone, changed := got.Variable("time_zone"); zone != "UTC" || !changed {
		t.Errorf("got time_zone %q %v, want UTC", zone, changed)
	}
	if state, changed := got.TransactionState(); state != "T_______" || !changed {
		t.Errorf("got state %q %v, want T_______", state, changed)
	}
}

func TestERRIsAnError(t *testing.T) {
	var err error = &ERR{Code: 1213, SQLState: "40001", Message: "Deadlock"}
	if got, want := err.Error(), "ERROR 1213 (40001): Deadlock"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := (&ERR{SQLState: "4000"}).Encode(nil, nil); err == nil {
		t.Error("got no error for a SQLSTATE of four characters")
	}
}

func rowColumns() []Column {
	return []Column{
		{Name: "id", Type: value.Long, Collation: CollationBinary},
		{Name: "name", Type: value.VarString, Collation: utf8mb4, Length: 320},
		{Name: "at", Type: value.DateTime, Collation: CollationBinary, Decimals: 6},
		{Name: "flag", Type: value.Bit, Flags: ColumnUnsigned, Length: 12},
	}
}

func TestBinaryRow(t *testing.T) {
	cx := &Context{Columns: rowColumns()}
	src, _ := hex.DecodeString("0008" + "ffffffff" + "04e807021d" + "020fff")
	var m BinaryRow
	if err := m.Decode(src, cx); err != nil {
		t.Fatal(err)
	}
	want := []value.Value{int64(-1), nil, value.Moment{Year: 2024, Month: 2, Day: 29}, []byte{15, 255}}
	if !reflect.DeepEqual(m.Values, want) {
		t.Errorf("got %v, want %v", m.Values, want)
	}
	if out, err := m.Encode(nil, cx); err != nil || !bytes.Equal(out, src) {
		t.Errorf("got %x %v, want %x", out, err, src)
	}
	m.Values[0] = int64(1) << 40
	_, err := m.Encode(nil, cx)
	if want := "id: 1099511627776 does not fit LONG (-2147483648 to 2147483647)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if fields, err := Dissect(KindBinaryRow, src, cx); err != nil || covered(fields) != len(src) {
		t.Errorf("got %v %v", fields, err)
	}
}

func FuzzServerPacket(f *testing.F) {
	for _, p := range serverPackets {
		src, _ := hex.DecodeString(p.hex)
		f.Add(src, uint8(p.kind), uint64(p.caps))
	}
	f.Add([]byte("\x00\x08\xff\xff\xff\xff\x00\x01\x05"), uint8(KindBinaryRow), uint64(0))
	f.Fuzz(func(t *testing.T, src []byte, kind uint8, caps uint64) {
		k := Kind(kind)
		if k < KindOK || k > KindBinlogEvent {
			return
		}
		cx := &Context{Caps: Caps(caps), Columns: rowColumns()}
		if k == KindTextRow {
			cx.Columns = nil
		}
		m, err := Decode(k, src, cx)
		if err != nil {
			return
		}
		fields, err := Dissect(k, src, cx)
		if err != nil || covered(fields) != len(src) {
			t.Fatalf("%s: %d of %d bytes in fields, %v", k, covered(fields), len(src), err)
		}
		out, err := m.Encode(nil, cx)
		if err != nil {
			if strings.Contains(err.Error(), "one column at least") || strings.Contains(err.Error(), "not agreed") {
				return
			}
			t.Fatalf("%s does not encode: %v", k, err)
		}
		again, err := Decode(k, out, cx)
		if err != nil {
			t.Fatalf("%s: %x became %x: %v", k, src, out, err)
		}
		if b, ok := again.(*BinaryRow); ok {
			b.Raw = m.(*BinaryRow).Raw
		}
		if !reflect.DeepEqual(again, m) {
			t.Fatalf("%s: %x became %x: got %#v, want %#v", k, src, out, again, m)
		}
	})
}
