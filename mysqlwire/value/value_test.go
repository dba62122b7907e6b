package value

import (
	"encoding/hex"
	"math"
	"reflect"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestForms(t *testing.T) {
	for _, tt := range []struct {
		name     string
		t        Type
		unsigned bool
		decimals uint8
		hex      string
		want     Value
		text     string
	}{
		{"smallest TINY", Tiny, false, 0, "80", int64(-128), "-128"},
		{"largest TINY UNSIGNED", Tiny, true, 0, "ff", uint64(255), "255"},
		{"smallest SHORT", Short, false, 0, "0080", int64(-32768), "-32768"},
		{"largest SHORT UNSIGNED", Short, true, 0, "ffff", uint64(65535), "65535"},
		{"smallest INT24", Int24, false, 0, "000080ff", int64(-8388608), "-8388608"},
		{"largest INT24 UNSIGNED", Int24, true, 0, "ffffff00", uint64(16777215), "16777215"},
		{"smallest LONG", Long, false, 0, "00000080", int64(math.MinInt32), "-2147483648"},
		{"largest LONG UNSIGNED", Long, true, 0, "ffffffff", uint64(math.MaxUint32), "4294967295"},
		{"smallest LONGLONG", LongLong, false, 0, "0000000000000080", int64(math.MinInt64), "-9223372036854775808"},
		{"largest LONGLONG UNSIGNED", LongLong, true, 0, "ffffffffffffffff", uint64(math.MaxUint64), "18446744073709551615"},
		{"YEAR", Year, true, 0, "6b08", uint64(2155), "2155"},
		{"year zero", Year, true, 0, "0000", uint64(0), "0000"},
		{"FLOAT", Float, false, NoDecimals, "0000c0bf", float32(-1.5), "-1.5"},
		{"FLOAT with decimals", Float, false, 2, "0000c03f", float32(1.5), "1.50"},
		{"largest DOUBLE", Double, false, NoDecimals, "ffffffffffffef7f", math.MaxFloat64, "1.7976931348623157e308"},
		{"DOUBLE with small exponent", Double, false, NoDecimals, "95d626e80b2e113e", 1e-9, "0.000000001"},
		{"zero DATE", Date, false, 0, "00", Moment{}, "0000-00-00"},
		{"DATE", Date, false, 0, "040f270c1f", Moment{Year: 9999, Month: 12, Day: 31}, "9999-12-31"},
		{"zero DATETIME", DateTime, false, 6, "00", Moment{}, "0000-00-00 00:00:00.000000"},
		{"DATETIME at midnight", DateTime, false, 0, "04e807021d", Moment{Year: 2024, Month: 2, Day: 29}, "2024-02-29 00:00:00"},
		{"TIMESTAMP", Timestamp, false, 0, "07e807021d0c2238", Moment{Year: 2024, Month: 2, Day: 29, Hour: 12, Minute: 34, Second: 56}, "2024-02-29 12:34:56"},
		{
			"DATETIME(6)", DateTime, false, 6, "0be807021d0c223801000000",
			Moment{Year: 2024, Month: 2, Day: 29, Hour: 12, Minute: 34, Second: 56, Micro: 1},
			"2024-02-29 12:34:56.000001",
		},
		{"DATETIME(3)", DateTime, false, 3, "0be807021d0c223850c30000", Moment{Year: 2024, Month: 2, Day: 29, Hour: 12, Minute: 34, Second: 56, Micro: 50000}, "2024-02-29 12:34:56.050"},
		{"DATE in the long form", Date, false, 0, "07e807021d000000", Moment{Year: 2024, Month: 2, Day: 29, wire: 7}, "2024-02-29"},
		{"zero TIME", Time, false, 0, "00", Clock{}, "00:00:00"},
		{"smallest TIME", Time, false, 0, "080122000000163b3b", Clock{Neg: true, Days: 34, Hours: 22, Minutes: 59, Seconds: 59}, "-838:59:59"},
		{"TIME(6)", Time, false, 6, "0c010000000000000001000000", Clock{Neg: true, Micro: 1}, "-00:00:00.000001"},
		{"TIME in the long form", Time, false, 0, "080000000000000000", Clock{wire: 8}, "00:00:00"},
		{"DECIMAL", NewDecimal, false, 2, "042d302e31", []byte("-0.1"), "-0.1"},
		{"BIT", Bit, true, 0, "0201ff", []byte{1, 255}, "\x01\xff"},
		{"empty VAR_STRING", VarString, false, 0, "00", []byte{}, ""},
		{"JSON", JSON, false, 0, "046e756c6c", []byte("null"), "null"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := unhex(t, tt.hex)
			got, n, err := ReadBinary(append(src, 0xaa), tt.t, tt.unsigned)
			if err != nil {
				t.Fatal(err)
			}
			if n != len(src) || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v of %d bytes, want %#v of %d", got, n, tt.want, len(src))
			}
			out, err := AppendBinary(nil, tt.t, tt.unsigned, got)
			if err != nil || hex.EncodeToString(out) != tt.hex {
				t.Errorf("got %x %v, want %s", out, err, tt.hex)
			}
			if text := Text(got, tt.t, tt.decimals); text != tt.text {
				t.Errorf("got %q, want %q", text, tt.text)
			}
			typed, err := FromText([]byte(tt.text), tt.t, tt.unsigned)
			if err != nil {
				t.Fatal(err)
			}
			if text := Text(typed, tt.t, tt.decimals); text != tt.text {
				t.Errorf("got %q back, want %q", text, tt.text)
			}
		})
	}
}

func TestReadBinaryFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		t    Type
		hex  string
	}{
		{"nothing", Tiny, ""},
		{"half a LONG", Long, "0000"},
		{"date of five bytes", Date, "05e807021d00"},
		{"date cut off", Date, "07e80702"},
		{"too many microseconds", DateTime, "0be807021d0c223840420f00"},
		{"time of four bytes", Time, "0400000000"},
		{"sign of time", Time, "080200000000000000"},
		{"string cut off", Blob, "0461"},
		{"NULL in place of a length", Blob, "fb"},
		{"type nobody knows, without a length", Type(100), "0461"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v, n, err := ReadBinary(unhex(t, tt.hex), tt.t, false); err == nil {
				t.Errorf("got %v of %d bytes, want an error", v, n)
			}
		})
	}
}

func TestAppendBinaryConverts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		t        Type
		unsigned bool
		v        Value
		hex      string // empty: it fails
	}{
		{"text of a number", Long, false, []byte("-2"), "feffffff"},
		{"signed into unsigned", Tiny, true, int64(200), "c8"},
		{"whole float", Short, false, float64(7), "0700"},
		{"text of a date", Date, false, []byte("2024-02-29"), "04e807021d"},
		{"number into text", VarString, false, int64(42), "023432"},
		{"integer into FLOAT", Float, false, int64(1), "0000803f"},
		{"out of range", Tiny, false, int64(200), ""},
		{"negative into unsigned", LongLong, true, int64(-1), ""},
		{"fraction into integer", Long, false, 1.5, ""},
		{"words into a date", Date, false, []byte("today"), ""},
		{"date into a TIME", Time, false, Moment{}, ""},
		{"NULL", Long, false, nil, ""},
		{"what is no value", Long, false, "1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := AppendBinary(nil, tt.t, tt.unsigned, tt.v)
			if (err == nil) != (tt.hex != "") || err == nil && hex.EncodeToString(got) != tt.hex {
				t.Errorf("got %x %v, want %q", got, err, tt.hex)
			}
		})
	}
}

func TestLiteral(t *testing.T) {
	for _, tt := range []struct {
		v    Value
		t    Type
		want string
	}{
		{nil, Long, "NULL"},
		{int64(-5), Long, "-5"},
		{1.5, Double, "1.5"},
		{[]byte("1.50"), NewDecimal, "1.50"},
		{[]byte("1 or 1=1"), NewDecimal, "'1 or 1=1'"},
		{[]byte(`O'Neil \ co`), VarString, `'O''Neil \\ co'`},
		{[]byte{}, Blob, "''"},
		{[]byte{0, 255}, Blob, "0x00ff"},
		{[]byte{5}, Bit, "0x05"},
		{Moment{Year: 2024, Month: 1, Day: 2}, Date, "'2024-01-02'"},
		{Clock{Hours: 1}, Time, "'01:00:00'"},
	} {
		if got := Literal(tt.v, tt.t); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.v, got, tt.want)
		}
	}
}

func FuzzBinary(f *testing.F) {
	f.Add([]byte{7, 0xe8, 7, 2, 29, 0, 0, 0}, uint8(DateTime), false)
	f.Add([]byte{12, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}, uint8(Time), false)
	f.Add([]byte{3, 'a', 'b', 'c'}, uint8(VarString), false)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, uint8(Int24), false)
	f.Fuzz(func(t *testing.T, src []byte, typ uint8, unsigned bool) {
		v, n, err := ReadBinary(src, Type(typ), unsigned)
		if err != nil {
			return
		}
		out, err := AppendBinary(nil, Type(typ), unsigned, v)
		if err != nil {
			if Type(typ) == Int24 { // four bytes can hold more than the type
				return
			}
			t.Fatalf("%v does not encode: %v", v, err)
		}
		again, m, err := ReadBinary(out, Type(typ), unsigned)
		if err != nil || m != len(out) || m > n {
			t.Fatalf("got %v of %d bytes, %v", again, m, err)
		}
		if second, err := AppendBinary(nil, Type(typ), unsigned, again); err != nil || string(second) != string(out) {
			t.Fatalf("got %x %v, want %x", second, err, out)
		}
	})
}
