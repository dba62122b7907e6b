package mysqlwire

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"mydbg/mysqlwire/value"
)

// clientSeeds are packets of real programs, and some made to stand at an edge.
var clientSeeds = map[Kind][]string{
	KindGreeting:         {mysql9Greeting, mariadb10Greeting},
	KindSSLRequest:       {"85aebf19 00000001 ff 00000000000000000000000000000000000000 00000000"},
	KindLogin:            {mysql9Login, mariadb10Login, "0182 " + "0004" + loginHead[2:] + "7500 00 07", "0982 " + "1804" + loginHead[2:] + "7500 00 6400"},
	KindAuthSwitch:       {"fe 6100 6263", "fe 61"},
	KindOldAuth:          {"fe"},
	KindAuthMore:         {"01 04"},
	KindNextFactor:       {"02 6100 6263"},
	KindAuthData:         {"", "0102"},
	KindQuit:             {"01"},
	KindInitDB:           {"02 6c6162"},
	KindQuery:            {"03 00 01 73656c6563742031", "03 02 01 00 01 fe00 057472616365 fe00 0470616765 0437663361 023132 73656c6563742032"},
	KindFieldList:        {"04 7400 25"},
	KindRefresh:          {"07 2e"},
	KindShutdown:         {"08 00"},
	KindProcessKill:      {"0c 2a000000"},
	KindChangeUser:       {"11 7500 02 0102 6400 2d00 7000 04 0161 0162", "11 7500 00 00"},
	KindBinlogDump:       {"12 04000000 0100 00000000 6e6f"},
	KindRegisterSlave:    {"15 07000000 0268 31 0175 0170 ea0c 00000000 02000000"},
	KindStmtPrepare:      {"16 73656c656374203f"},
	KindStmtExecute:      {"17 01000000 08 01000000 02 00 01 0800 00 fe00 057472616365 0700000000000000 0162", "17 0c000000 00 01000000 0c 01 0100 0380 0600 fe00 05 ffffffff", "17 01000000 00 01000000 00 00 2a00000000000000 0162"},
	KindStmtSendLongData: {"18 01000000 0200 6869"},
	KindStmtClose:        {"19 01000000"},
	KindStmtReset:        {"1a 01000000"},
	KindSetOption:        {"1b 0100"},
	KindStmtFetch:        {"1c 01000000 64000000"},
	KindBinlogDumpGTID:   {"1e 0100 00000000 02000000 6e6f 0400000000000000 03000000 010203"},
	KindResetConnection:  {"1f"},
	KindStmtBulkExecute:  {"fa 01000000 8000 0380 fe00 00 01000000 00 0161 01 02", "fa 01000000 4000 00 07 00 08"},
	KindOtherCommand:     {"77 01"},
	KindSemiSyncAck:      {"ef 0401000000000000 6c6f672e31"},
}

// fuzzContext makes one of the situations a packet can be read in.
func fuzzContext(n uint8) *Context {
	cx := &Context{ParamsKnown: n&1 != 0}
	if n&2 != 0 {
		cx.Caps |= QueryAttributes
	}
	if n&4 != 0 {
		cx.Caps |= SecureConnection | PluginAuth | ConnectAttrs
	}
	types := []value.Type{value.LongLong, value.VarString, value.DateTime, value.Time, value.Null, value.Double}
	for i := range int(n>>3) % 7 {
		cx.Params = append(cx.Params, Param{Type: types[i%len(types)], Bound: n&128 == 0 || i > 0, Long: i == 3})
	}
	return cx
}

// checkAgain asserts what holds for every payload that decodes: it encodes, decodes again to the same
// message, and shows fields that lie in order inside it.
func checkAgain(t *testing.T, k Kind, b []byte, cx *Context) {
	before := bytes.Clone(b)
	m, err := Decode(k, b, cx)
	fields, dissectErr := Dissect(k, b, cx)
	if (err == nil) != (dissectErr == nil) {
		t.Fatalf("decode: %v, dissect: %v", err, dissectErr)
	}
	checkFields(t, fields, 0, len(b))
	blank := BlankPayload(k, b, cx)
	if !bytes.Equal(b, before) {
		t.Fatal("the payload has changed")
	}
	if len(blank) != len(b) {
		t.Fatalf("blanked payload has %d bytes, want %d", len(blank), len(b))
	}
	if err != nil {
		return
	}
	out, err := m.Encode(nil, cx)
	if err != nil {
		t.Fatalf("%+v does not encode: %v", m, err)
	}
	// Only integers in a longer form than needed do not come out as they went in.
	if len(out) > len(b) {
		t.Fatalf("grew:\n got %x\nfrom %x", out, b)
	}
	again, err := Decode(k, out, cx)
	if err != nil {
		t.Fatalf("%+v, encoded to %x: %v", m, out, err)
	}
	if !reflect.DeepEqual(m, again) {
		t.Fatalf("first %+v\nagain %+v", m, again)
	}
	if _, err := Decode(k, blank, cx); err != nil {
		t.Fatalf("blanked to %x: %v", blank, err)
	}
	_ = fmt.Sprintf("%v", m)
}

func checkFields(t *testing.T, fields []Field, from, to int) {
	for _, f := range fields {
		if f.Off < from || f.Len < 0 || f.Off+f.Len > to {
			t.Fatalf("field %s has bytes %d to %d, outside %d to %d", f.Name, f.Off, f.Off+f.Len, from, to)
		}
		checkFields(t, f.Children, f.Off, f.Off+f.Len)
		from = f.Off + f.Len
	}
}

// fuzzKind fuzzes one kind of packet.
func fuzzKind(f *testing.F, kinds ...Kind) {
	for i, k := range kinds {
		for _, s := range clientSeeds[k] {
			for n := range uint8(32) {
				f.Add(uint8(i), n*9, unspaced(f, s))
			}
		}
	}
	f.Fuzz(func(t *testing.T, which, situation uint8, b []byte) {
		checkAgain(t, kinds[int(which)%len(kinds)], b, fuzzContext(situation))
	})
}

func FuzzGreeting(f *testing.F)    { fuzzKind(f, KindGreeting) }
func FuzzLogin(f *testing.F)       { fuzzKind(f, KindLogin, KindSSLRequest) }
func FuzzQuery(f *testing.F)       { fuzzKind(f, KindQuery, KindStmtPrepare) }
func FuzzStmtExecute(f *testing.F) { fuzzKind(f, KindStmtExecute) }
func FuzzBulkExecute(f *testing.F) { fuzzKind(f, KindStmtBulkExecute) }
func FuzzChangeUser(f *testing.F)  { fuzzKind(f, KindChangeUser) }

func FuzzAuth(f *testing.F) {
	fuzzKind(f, KindAuthSwitch, KindOldAuth, KindAuthMore, KindNextFactor, KindAuthData)
}

func FuzzReplication(f *testing.F) {
	fuzzKind(f, KindBinlogDump, KindBinlogDumpGTID, KindRegisterSlave)
}

func FuzzCommand(f *testing.F) {
	fuzzKind(f, KindQuit, KindInitDB, KindFieldList, KindRefresh, KindShutdown, KindStatisticsCommand, KindProcessInfo,
		KindProcessKill, KindDebug, KindPing, KindStmtSendLongData, KindStmtClose, KindStmtReset, KindSetOption,
		KindStmtFetch, KindResetConnection, KindOtherCommand)
}

// Lengths in a packet never size more than the packet itself.
func TestDecodingIsBounded(t *testing.T) {
	const perByte = 128 // a parameter of two bytes is the largest thing a small packet makes
	rng := rand.New(rand.NewPCG(1, 2))
	for k, seeds := range clientSeeds {
		for _, s := range seeds {
			for range 200 {
				b := unspaced(t, s)
				for range 1 + rng.IntN(3) {
					if len(b) > 0 {
						b[rng.IntN(len(b))] = [...]byte{0, 1, 0x7f, 0x80, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff}[rng.IntN(10)]
					}
				}
				cx := fuzzContext(uint8(rng.Uint32()))
				if got, most := allocated(func() { _, _ = Decode(k, b, cx) }), uint64(perByte*len(b)+4096); got > most {
					t.Fatalf("%s: %x takes %d bytes, want at most %d", k, b, got, most)
				}
			}
		}
	}
}

// allocated is what f allocates: the least of a few calls, since the runtime counts what goes on
// beside it too.
func allocated(f func()) uint64 {
	least := uint64(math.MaxUint64)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}
