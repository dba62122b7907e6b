package eventlog

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

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
