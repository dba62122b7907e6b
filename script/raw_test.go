package script

import (
	"bytes"
	"math"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"mydbg/mysqlwire"
	"mydbg/script/lua51"
)

func TestRawPacketsAreKnown(t *testing.T) {
	column := []byte("\x03def\x00\x00\x00\x01a\x00\x0c\x08\x00\x20\x00\x00\x00\xfe\x02\x00\x00\x00\x00")
	eof, more := []byte{0xfe, 0, 0, 2, 0}, []byte{0xfe, 0, 0, 10, 0}
	for _, tt := range []struct {
		name    string
		cmd     mysqlwire.Command
		caps    mysqlwire.Caps
		packets [][]byte
		want    []mysqlwire.Kind
	}{
		{"OK", mysqlwire.ComQuery, 0, [][]byte{{0, 0, 0, 2, 0, 0, 0}}, []mysqlwire.Kind{mysqlwire.KindOK}},
		{"ERR", mysqlwire.ComPing, 0, [][]byte{{0xff, 1, 1}}, []mysqlwire.Kind{mysqlwire.KindERR}},
		{"prepare", mysqlwire.ComStmtPrepare, 0, [][]byte{make([]byte, 12)}, []mysqlwire.Kind{mysqlwire.KindPrepareOK}},
		{"a plain OK to a prepare", mysqlwire.ComStmtPrepare, 0, [][]byte{{0, 0, 0, 2, 0, 0, 0}}, []mysqlwire.Kind{mysqlwire.KindOK}},
		{"a file request", mysqlwire.ComQuery, 0, [][]byte{[]byte("\xfbfile")}, []mysqlwire.Kind{mysqlwire.KindLocalInfile}},
		{"text", mysqlwire.ComStatistics, 0, [][]byte{[]byte("Uptime: 1")}, []mysqlwire.Kind{mysqlwire.KindUnknown}},
		{"two results", mysqlwire.ComQuery, 0, [][]byte{{1}, column, eof, {1, 'x'}, more, {0, 0, 0, 2, 0, 0, 0}}, []mysqlwire.Kind{
			mysqlwire.KindColumnCount, mysqlwire.KindColumn, mysqlwire.KindEOF, mysqlwire.KindTextRow, mysqlwire.KindEOF, mysqlwire.KindOK,
		}},
		{"two results without EOF", mysqlwire.ComQuery, mysqlwire.DeprecateEOF, [][]byte{{1}, column, eof, {1, 'x'}, more, {0, 0, 0, 2, 0, 0, 0}}, []mysqlwire.Kind{
			mysqlwire.KindColumnCount, mysqlwire.KindColumn, mysqlwire.KindTextRow, mysqlwire.KindOK, mysqlwire.KindOK,
		}},
		{"rows that break off", mysqlwire.ComStmtExecute, 0, [][]byte{{1}, column, eof, {0, 0, 1}, {0xff, 1, 1}}, []mysqlwire.Kind{
			mysqlwire.KindColumnCount, mysqlwire.KindColumn, mysqlwire.KindEOF, mysqlwire.KindBinaryRow, mysqlwire.KindERR,
		}},
	} {
		var got []mysqlwire.Kind
		for _, p := range adapt(tt.packets, tt.cmd, &mysqlwire.Context{Caps: tt.caps}) {
			got = append(got, p.Kind)
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
				break
			}
		}
	}
}

// A client of the time gets every byte a script wrote.
func FuzzRawPacketsStay(f *testing.F) {
	f.Add([]byte("\x01|\x03def\x00\x00\x00\x01a\x00\x0c\x08\x00\x20\x00\x00\x00\xfe\x02\x00\x00\x00\x00|\xfe\x00\x00\x02\x00|\x01x|\xfe\x00\x00\x02\x00"), uint8(3))
	f.Add([]byte("\x00\x00\x00\x02\x00\x00\x00"), uint8(22))
	f.Fuzz(func(t *testing.T, data []byte, cmd uint8) {
		packets := bytes.Split(data, []byte("|"))
		out := adapt(packets, mysqlwire.Command(cmd), &mysqlwire.Context{Caps: mysqlwire.Protocol41})
		if len(out) != len(packets) {
			t.Fatalf("%d packets became %d", len(packets), len(out))
		}
		for i := range out {
			if !bytes.Equal(out[i].Payload, packets[i]) {
				t.Errorf("packet %d: got %x, want %x", i, out[i].Payload, packets[i])
			}
		}
		modern := mysqlwire.DeprecateEOF | mysqlwire.OptionalResultsetMetadata | mysqlwire.MariaDBExtendedMetadata
		if out := adapt(packets, mysqlwire.Command(cmd), &mysqlwire.Context{Caps: modern}); len(out) > len(packets) {
			t.Errorf("%d packets became %d", len(packets), len(out))
		}
	})
}

func FuzzNumbers(f *testing.F) {
	for _, v := range []float64{0, 1, -1, 0.1, 1e15, 1e300, math.MaxUint64, math.SmallestNonzeroFloat64} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		s := numberText(lua.LNumber(v))
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		back, ok := lua51.ParseNumber(s)
		if !ok || numberText(lua.LNumber(back)) != s {
			t.Errorf("%v is written %s, which reads as %v, %v", v, s, back, ok)
		}
		_ = unsigned(v)
	})
}
