package sqltext

import "testing"

func TestNamesFile(t *testing.T) {
	for _, tt := range []struct {
		sql, name string
		want      bool
	}{
		{"load data local infile 'a.csv' into table t", "a.csv", true},
		{"LOAD DATA CONCURRENT LOCAL INFILE \"a.csv\" INTO TABLE t", "a.csv", true},
		{"load xml local infile 'a.xml' into table t", "a.xml", true},
		{"/*!50000 load data local */ infile 'a.csv' into table t", "a.csv", true},
		{"select 1; load data local infile 'b' into table t", "b", true},
		{`load data local infile 'C:\\data\\it''s' into table t`, `C:\data\it's`, true},
		{`load data local infile 'C:\data' into table t`, `C:\data`, true}, // NO_BACKSLASH_ESCAPES
		{"load data local infile 'größe.csv' into table t", "gr\xf6\xdfe.csv", true},
		{"load data local infile 'größe.csv' into table t", "/etc/passwd", false},
		{"load data local infile 'a.csv' into table t", "/etc/passwd", false},
		{"load data infile '/etc/passwd' into table t", "/etc/passwd", false}, // the server's own
		{"load data local infile 'a.csv' into table t -- local infile '/etc/passwd'", "/etc/passwd", false},
		{"select '/etc/passwd'", "/etc/passwd", false},
		{"select 'local infile ''x'''", "x", false},
		{"", "x", false},
	} {
		if got := NamesFile(tt.sql, tt.name); got != tt.want {
			t.Errorf("%s: %q: got %v", tt.sql, tt.name, got)
		}
	}
}
