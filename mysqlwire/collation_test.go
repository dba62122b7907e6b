package mysqlwire

import "testing"

func TestCollations(t *testing.T) {
	for _, tt := range []struct {
		id             uint16
		charset        string
		mysql, mariadb string
	}{
		{8, "latin1", "latin1_swedish_ci", "latin1_swedish_ci"},
		{33, "utf8mb3", "utf8mb3_general_ci", "utf8mb3_general_ci"},
		{63, "binary", "binary", "binary"},
		{245, "utf8mb4", "utf8mb4_croatian_ci", "utf8mb4_croatian_mysql561_ci"},
		{255, "utf8mb4", "utf8mb4_0900_ai_ci", "utf8mb4_0900_ai_ci"},
		{249, "gb18030", "gb18030_bin", "gb18030_bin"},
		{1032, "latin1", "latin1_swedish_nopad_ci", "latin1_swedish_nopad_ci"},
		{2304, "utf8mb4", "utf8mb4_uca1400_ai_ci", "utf8mb4_uca1400_ai_ci"},
	} {
		c, ok := CollationOf(tt.id)
		if !ok || c.Charset != tt.charset || c.Name(false) != tt.mysql || c.Name(true) != tt.mariadb {
			t.Errorf("%d: got %+v %v, want %+v", tt.id, c, ok, tt)
		}
	}
	for _, id := range []uint16{0, 100, 400, 9999, 65535} {
		if c, ok := CollationOf(id); ok {
			t.Errorf("%d: got %+v, want none", id, c)
		}
	}
	if n := len(collations()); n < 3000 {
		t.Errorf("got %d places, want those of MariaDB 11.8 too", n)
	}
}
