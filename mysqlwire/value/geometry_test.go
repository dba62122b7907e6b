package value

import (
	"strings"
	"testing"
)

func TestGeometry(t *testing.T) {
	for _, tt := range []struct{ text, hex string }{
		{"POINT(1 2)", "000000000101000000000000000000f03f0000000000000040"},
		{"SRID=4326;POINT(-1.5 1e300)", "e61000000101000000000000000000f8bf9c7500883ce4377e"},
		{"LINESTRING(0 0,1 1)", "0000000001020000000200000000000000000000000000000000000000000000000000f03f000000000000f03f"},
		{"POLYGON((0 0,1 0,1 1,0 0))", ""},
		{"POLYGON((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1))", ""},
		{"MULTIPOINT((1 2),(3 4))", ""},
		{"MULTILINESTRING((0 0,1 1),(2 2,3 3))", ""},
		{"MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))", ""},
		{"GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1),GEOMETRYCOLLECTION(POINT(3 4)))", ""},
		{"GEOMETRYCOLLECTION EMPTY", "00000000010700000000000000"},
	} {
		s := Spec{Type: Geometry}
		v, err := s.Parse(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if tt.hex != "" && hexText(v.([]byte)) != "0x"+tt.hex {
			t.Errorf("%s: got %x, want %s", tt.text, v, tt.hex)
		}
		if got := s.Format(v); got != tt.text {
			t.Errorf("got %s, want %s", got, tt.text)
		}
	}
	for _, same := range []string{"multipoint((1 2),(3 4))", " MULTIPOINT ( ( 1 2 ) , 3 4 )", "srid=0;MultiPoint(1.0 2e0,3 4)"} {
		v, err := Spec{Type: Geometry}.Parse(same)
		if got := (Spec{Type: Geometry}).Format(v); err != nil || got != "MULTIPOINT((1 2),(3 4))" {
			t.Errorf("%s: got %s, %v", same, got, err)
		}
	}
}

func TestGeometryThatIsNotUnderstoodIsHexadecimal(t *testing.T) {
	for _, s := range []string{
		"", "00", "000000000101000000000000000000f03f00000000000000", "000000000001000000000000000000f03f0000000000000040",
		"0000000001e9030000000000000000f03f0000000000000040", "000000000102000000ffffffff", "000000000101000000000000000000f07f0000000000000040",
		"000000000101000000000000000000f03f000000000000004000", strings.Repeat("0", 8) + strings.Repeat("010700000001000000", 200),
	} {
		if got := (Spec{Type: Geometry}).Format(unhex(t, s)); got != "0x"+s {
			t.Errorf("%s: got %s", s, got)
		}
	}
}

func FuzzGeometry(f *testing.F) {
	f.Add("SRID=1;GEOMETRYCOLLECTION(POINT(1 2),POLYGON((0 0,1 0,1 1,0 0)),MULTIPOINT((1 1),2 2),LINESTRING EMPTY)")
	f.Add("MULTIPOLYGON(((0 0,1 0,1 1,0 0)))")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := parseGeometry(text)
		if err != nil {
			return
		}
		shown, ok := formatGeometry(b)
		if !ok {
			t.Fatalf("%q is %x, which cannot be shown", text, b)
		}
		if again, err := parseGeometry(shown); err != nil || string(again) != string(b) {
			t.Fatalf("%q is shown as %q: %x %v, want %x", text, shown, again, err, b)
		}
	})
}
