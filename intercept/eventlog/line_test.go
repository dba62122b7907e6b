package eventlog

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMask(t *testing.T) {
	for _, tt := range []struct{ name, sql, want string }{
		{"new account", "CREATE USER 'a'@'%' IDENTIFIED BY 'pw'", "CREATE USER 'a'@'%' IDENTIFIED BY '***'"},
		{"two of them", `create user a identified by "p""w", 'b'@'h' identified by 'x\'y'`, "create user a identified by '***', 'b'@'h' identified by '***'"},
		{"plugin and hash", "ALTER USER a IDENTIFIED WITH x AS 0xAB12", "ALTER USER a IDENTIFIED WITH x AS '***'"},
		{"old password", "/* c */ ALTER USER a IDENTIFIED BY 'n' REPLACE 'o'", "/* c */ ALTER USER a IDENTIFIED BY '***' REPLACE '***'"},
		{"set password", "SET PASSWORD FOR 'a'@'h' = PASSWORD('pw')", "SET PASSWORD FOR 'a'@'h' = PASSWORD('***')"},
		{"replication", "CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='pw'", "CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='***'"},
		{"cut in the middle", `GRANT ALL ON *.* TO a IDENTIFIED BY 'secr`, `GRANT ALL ON *.* TO a IDENTIFIED BY '***'`},
		{"an application's own column", "SELECT 1 FROM t WHERE password = 'pw'", "SELECT 1 FROM t WHERE password = 'pw'"},
		{"an application's own setting", "SET @password = 'x'", "SET @password = 'x'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := mask(tt.sql); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain ünïcode 日本", "plain ünïcode 日本"},
		{"a\x1b[31mb\x07", `a\x1b[31mb\a`},
		{"a\u202eb\u200bc\u0085", `a\u202eb\u200bc\u0085`},
		{"\xff\n", `\xff\n`},
		{"it's \"quoted\"", "it's \"quoted\""},
	} {
		if got := clean(tt.in); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "select 1", "\x00\xff", "a\x1b[2J", "\U000e0001\u202e", "日本 😀", "\u2028\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := clean(s)
		for _, c := range line {
			if !strconv.IsPrint(c) {
				t.Fatalf("%q: %q is not printable", line, c)
			}
		}
		b := (&object{SQL: text(s)}).append(nil)
		if !utf8.Valid(b) || strings.ContainsFunc(string(b), func(c rune) bool { return !strconv.IsPrint(c) }) {
			t.Fatalf("%q is not printable", b)
		}
		var back struct{ SQL json.RawMessage }
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		var got string
		if bytes.HasPrefix(back.SQL, []byte("{")) {
			var binary struct{ Base64 []byte }
			if err := json.Unmarshal(back.SQL, &binary); err != nil {
				t.Fatal(err)
			}
			got = string(binary.Base64)
		} else if len(back.SQL) > 0 {
			if err := json.Unmarshal(back.SQL, &got); err != nil {
				t.Fatal(err)
			}
		}
		if got != s {
			t.Errorf("got %q, want %q", got, s)
		}
	})
}
