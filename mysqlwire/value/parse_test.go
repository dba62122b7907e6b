package value

import (
	"reflect"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		spec Spec
		text string
		want Value
		show string // what Format makes of it
	}{
		{Spec{Type: Tiny, Flags: FlagUnsigned}, " 255 ", uint64(255), "255"},
		{Spec{Type: Long, Flags: FlagUnsigned | FlagZerofill, Length: 8}, "42", uint64(42), "00000042"},
		{Spec{Type: LongLong}, "-9223372036854775808", int64(-1 << 63), "-9223372036854775808"},
		{Spec{Type: Float, Decimals: NoDecimals}, "1e3", float32(1000), "1000"},
		{Spec{Type: NewDecimal, Decimals: 2}, "007.5", []byte("7.50"), "7.50"},
		{Spec{Type: NewDecimal, Decimals: NoDecimals}, "-.5", []byte("-0.5"), "-0.5"},
		{Spec{Type: Date}, "2024-2-29", Moment{Year: 2024, Month: 2, Day: 29}, "2024-02-29"},
		{Spec{Type: Date}, "0000-00-00", Moment{}, "0000-00-00"},
		{Spec{Type: DateTime, Decimals: 3}, "2024-02-29T12:34:56.5", Moment{Year: 2024, Month: 2, Day: 29, Hour: 12, Minute: 34, Second: 56, Micro: 500000}, "2024-02-29 12:34:56.500"},
		{Spec{Type: Time}, "-838:59:59", Clock{Neg: true, Days: 34, Hours: 22, Minutes: 59, Seconds: 59}, "-838:59:59"},
		{Spec{Type: Year}, "0", uint64(0), "0000"},
		{Spec{Type: VarString, Length: 3}, "äöü", []byte("äöü"), "äöü"},
		{Spec{Type: VarString}, "0x41", []byte("0x41"), "0x41"},
		{Spec{Type: VarString, Binary: true}, "0x4100", []byte("A\x00"), "0x4100"},
		{Spec{Type: Blob, Binary: true}, "text", []byte("text"), "text"},
		{Spec{Type: Bit, Length: 10}, "513", []byte{2, 1}, "513"},
		{Spec{Type: Bit, Length: 3}, "b'101'", []byte{5}, "5"},
		{Spec{Type: Bit}, "0x0005", []byte{0, 5}, "0x0005"},
		{Spec{Type: Vector}, "[1,-2.5]", []byte{0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0}, "[1, -2.5]"},
		{Spec{Type: JSON}, `{"a": 1}`, []byte(`{"a": 1}`), `{"a": 1}`},
		{Spec{Type: Geometry}, "0x00000000", []byte{0, 0, 0, 0}, "0x00000000"},
	} {
		got, err := tt.spec.Parse(tt.text)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %#v %v, want %#v", tt.text, got, err, tt.want)
		}
		if show := tt.spec.Format(got); show != tt.show {
			t.Errorf("%s: got %s, want %s", tt.text, show, tt.show)
		}
	}
}

func TestParseFails(t *testing.T) {
	for _, tt := range []struct {
		spec Spec
		text string
		want string
	}{
		{Spec{Type: Tiny, Flags: FlagUnsigned}, "300", "300 does not fit TINY UNSIGNED (0 to 255)"},
		{Spec{Type: Int24}, "8388608", "8388608 does not fit INT24 (-8388608 to 8388607)"},
		{Spec{Type: LongLong}, "9223372036854775808", "9223372036854775808 does not fit LONGLONG (-9223372036854775808 to 9223372036854775807)"},
		{Spec{Type: Long}, "", `"" is not a number`},
		{Spec{Type: Long}, "1.5", "1.5 is not a whole number"},
		{Spec{Type: Year}, "1900", "1900 does not fit YEAR (0, 1901 to 2155)"},
		{Spec{Type: Float}, "1e39", "1e39 does not fit FLOAT"},
		{Spec{Type: Double}, "NaN", `"NaN" is not a number`},
		{Spec{Type: NewDecimal, Decimals: 2}, "1.234", "1.234 has 3 decimals, the column 2"},
		{Spec{Type: DateTime}, "2026-02-30 00:00:00", "2026-02-30 is not a valid date"},
		{Spec{Type: DateTime}, "2026-02-28 24:00:00", "24:00:00 is not a valid time"},
		{Spec{Type: DateTime}, "today", `"today" is not a date like 2026-12-31 23:59:59`},
		{Spec{Type: Date}, "2026-02-28 01:00:00", "a DATE has no time: 2026-02-28 01:00:00"},
		{Spec{Type: Time}, "839:00:00", "839:00:00 does not fit TIME (-838:59:59.999999 to 838:59:59.999999)"},
		{Spec{Type: VarString, Length: 3}, "four", "4 characters do not fit VARCHAR(3)"},
		{Spec{Type: Blob, Binary: true}, "0x1", `"0x1" is not pairs of hexadecimal digits behind 0x`},
		{Spec{Type: Bit, Length: 3}, "8", "8 does not fit BIT(3)"},
		{Spec{Type: Vector}, "[1, two]", `"two" is not a number a vector can hold`},
		{Spec{Type: Geometry}, "POINT(1)", `this is not a geometry like POINT(1 2): ")" where there should be a number`},
		{Spec{Type: Geometry}, "POINT(1 2) x", `this is not a geometry like POINT(1 2): "x" where there should be nothing more`},
		{Spec{Type: Geometry}, "CIRCLE(1 2)", `this is not a geometry like POINT(1 2): "CIRCLE" where there should be POINT, LINESTRING, POLYGON, a MULTI of them or GEOMETRYCOLLECTION`},
		{Spec{Type: Geometry}, "SRID=x;POINT(1 2)", `"SRID=x" is not an SRID like SRID=4326;`},
		{Spec{Type: Type(99)}, "x", "values of type 99 are not known here: only their bytes can be typed, as 0x and hexadecimal digits"},
		{Spec{Type: String, Ext: "uuid"}, "123e4567", `"123e4567" is not a UUID like 123e4567-e89b-12d3-a456-426614174000`},
		{Spec{Type: String, Ext: "inet4"}, "::1", `"::1" is not an address of INET4`},
		{Spec{Type: Blob, Ext: "json"}, "{", "this is not JSON: unexpected end of JSON input"},
		{Spec{Type: Null}, "x", "a value of type NULL can only be NULL: choose another type first"},
	} {
		if v, err := tt.spec.Parse(tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, %v, want %s", tt.text, v, err, tt.want)
		}
	}
}

func TestTypeName(t *testing.T) {
	for _, tt := range []struct {
		spec Spec
		want string
	}{
		{Spec{Type: LongLong, Flags: FlagUnsigned}, "BIGINT UNSIGNED"},
		{Spec{Type: NewDecimal, Length: 12, Decimals: 2}, "DECIMAL(10,2)"},
		{Spec{Type: NewDecimal, Flags: FlagUnsigned, Length: 11, Decimals: 2}, "DECIMAL(10,2) UNSIGNED"},
		{Spec{Type: DateTime, Decimals: 6}, "DATETIME(6)"},
		{Spec{Type: VarString, Length: 80}, "VARCHAR(80)"},
		{Spec{Type: VarString, Length: 80, Binary: true}, "VARBINARY(80)"},
		{Spec{Type: String, Length: 10, Flags: FlagEnum}, "ENUM"},
		{Spec{Type: Blob, Length: 65535}, "TEXT"},
		{Spec{Type: Blob, Length: 1 << 24, Binary: true}, "LONGBLOB"},
		{Spec{Type: Bit, Length: 64}, "BIT(64)"},
		{Spec{Type: Geometry}, "GEOMETRY"},
	} {
		if got := tt.spec.Name(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1", "-1.5e3", "2024-02-29 12:34:56.789", "-12:00:00.5", "0xff", "b'1'", "[1, 2]", `{"a":[]}`, "text"} {
		for _, typ := range []Type{Tiny, Year, Float, Double, NewDecimal, Date, DateTime, Time, Bit, Vector, Blob, VarString, JSON} {
			f.Add(s, uint8(typ), uint16(0), false, uint32(0), uint8(2))
		}
	}
	f.Fuzz(func(t *testing.T, text string, typ uint8, flags uint16, binary bool, length uint32, decimals uint8) {
		s := Spec{Type: Type(typ), Flags: flags, Binary: binary, Length: length, Decimals: decimals}
		v, err := s.Parse(text)
		if err != nil {
			return
		}
		shown := s.Format(v)
		again, err := s.Parse(shown)
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Fatalf("%q: got %#v %v from %q, want %#v", text, again, err, shown, v)
		}
		if _, err := AppendBinary(nil, s.Type, s.unsigned(), v); err != nil {
			t.Fatalf("%q does not encode: %v", text, err)
		}
		if s.Literal(v) == "" || s.Name() == "" {
			t.Fatalf("%q has no literal or its type no name", text)
		}
	})
}
