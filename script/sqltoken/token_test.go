package sqltoken

import (
	"strings"
	"testing"
)

// show writes tokens as NAME<text>, names without TK_ and SQL_.
func show(tokens []Token) string {
	var parts []string
	for _, t := range tokens {
		parts = append(parts, strings.TrimPrefix(t.ID.Name(), "TK_")+"<"+t.Text+">")
	}
	return strings.Join(parts, " ")
}

// The wanted tokens are those of MySQL Proxy 0.8.5.
func TestTokenize(t *testing.T) {
	for _, tt := range []struct{ sql, want string }{
		{"SELECT * FROM t1 WHERE a='b'", "SQL_SELECT<SELECT> STAR<*> SQL_FROM<FROM> LITERAL<t1> SQL_WHERE<WHERE> LITERAL<a> EQ<=> STRING<b>"},
		{"'a' 'b'", "STRING<a> STRING<b>"},
		{"'a''b'", "STRING<a'b>"},
		{`'a\'b'`, `STRING<a\'b>`},
		{"''''", "STRING<'>"},
		{"'',''", "STRING<> COMMA<,> STRING<>"},
		{`'"'`, `STRING<">`},
		{`'a'"b"`, `STRING<a'"b">`},
		{"`a``b`", "LITERAL<a`b>"},
		{"'it", "STRING<it>"},
		{"'a\\\nb'", "STRING<a\nb>"},
		{`'a\`, "STRING<a>"},
		{"t.key", "LITERAL<t> DOT<.> SQL_KEY<key>"},
		{"a.b.c.d", "LITERAL<a> DOT<.> LITERAL<b> DOT<.> LITERAL<c> DOT<.> LITERAL<d>"},
		{"a..b", "LITERAL<a> DOT<.> DOT<.> LITERAL<b>"},
		{"a.*", "LITERAL<a> DOT<.> STAR<*>"},
		{"t.1", "LITERAL<t> FLOAT<.1>"},
		{"t.1a", "LITERAL<t> DOT<.> LITERAL<1a>"},
		{"t1.1", "LITERAL<t1> FLOAT<.1>"},
		{"1.5", "FLOAT<1.5>"},
		{".5", "FLOAT<.5>"},
		{"5.", "INTEGER<5> DOT<.>"},
		{"1.2.3", "FLOAT<1.2> FLOAT<.3>"},
		{"1e5", "FLOAT<1e5>"},
		{"1e+5", "FLOAT<1e+5>"},
		{"1e", "LITERAL<1e>"},
		{"1.e5", "INTEGER<1> DOT<.> LITERAL<e5>"},
		{"1.5e-5x", "FLOAT<1.5e-5> LITERAL<x>"},
		{"1e + 1", "LITERAL<1e> PLUS<+> INTEGER<1>"},
		{"1e+1e", "FLOAT<1e+1> LITERAL<e>"},
		{"e1.1e+1", "LITERAL<e1> DOT<.> LITERAL<1e> PLUS<+> INTEGER<1>"},
		{"1e5x", "LITERAL<1e5x>"},
		{"0x1F", "LITERAL<0x1F>"},
		{"x'41'", "LITERAL<x> STRING<41>"},
		{"_utf8'x'", "LITERAL<_utf8> STRING<x>"},
		{"COUNT(*)", "FUNCTION<COUNT> OBRACE<(> STAR<*> CBRACE<)>"},
		{"COUNT (*)", "LITERAL<COUNT> OBRACE<(> STAR<*> CBRACE<)>"},
		{"IN(1)", "FUNCTION<IN> OBRACE<(> INTEGER<1> CBRACE<)>"},
		{"VALUES (1)", "SQL_VALUES<VALUES> OBRACE<(> INTEGER<1> CBRACE<)>"},
		{"a.f(1)", "LITERAL<a> DOT<.> FUNCTION<f> OBRACE<(> INTEGER<1> CBRACE<)>"},
		{"INSERT INTO t(id)", "SQL_INSERT<INSERT> SQL_INTO<INTO> FUNCTION<t> OBRACE<(> LITERAL<id> CBRACE<)>"},
		{"@a", "LITERAL<@a>"},
		{"@`a`", "LITERAL<@> LITERAL<a>"},
		{"@@global.x", "LITERAL<@@global> DOT<.> LITERAL<x>"},
		{"@a:=1", "LITERAL<@a> ASSIGN<:=> INTEGER<1>"},
		{":name", "UNKNOWN<:> LITERAL<name>"},
		{"'root'@'localhost'", "STRING<root> LITERAL<@> STRING<localhost>"},
		{"<=>", "LE<<=> GT<>>"},
		{"<<", "LT<<> LT<<>"},
		{"->>", "MINUS<-> GT<>> GT<>>"},
		{"!=", "NE<!=>"},
		{"==", "EQ<=> EQ<=>"},
		{"!1", "UNKNOWN<!> INTEGER<1>"},
		{"? % ~", "UNKNOWN<?> UNKNOWN<%> UNKNOWN<~>"},
		{"$a", "UNKNOWN<$> LITERAL<a>"},
		{"#c", "UNKNOWN<#> LITERAL<c>"},
		{"& && | || ^ ; /", "BITWISE_AND<&> LOGICAL_AND<&&> BITWISE_OR<|> LOGICAL_OR<||> BITWISE_XOR<^> SEMICOLON<;> DIV</>"},
		{"-- c", "COMMENT<c>"},
		{"--\tc\r\nx", "COMMENT<c\r> LITERAL<x>"},
		{"--c", "MINUS<-> MINUS<-> LITERAL<c>"},
		{"--", "MINUS<-> MINUS<->"},
		{"--\n1", "COMMENT<> INTEGER<1>"},
		{"--\r\n1", "COMMENT<> INTEGER<1>"},
		{"--  comment\nSELECT 1", "COMMENT< comment> SQL_SELECT<SELECT> INTEGER<1>"},
		{"1--1", "INTEGER<1> MINUS<-> MINUS<-> INTEGER<1>"},
		{"/* c */", "COMMENT< c >"},
		{"/**/", "COMMENT<>"},
		{"/***/", "COMMENT<>"},
		{"/* a ** b **/", "COMMENT< a ** b >"},
		{"/*!40000 x */", "COMMENT_MYSQL<40000 x >"},
		{"/* open", "COMMENT< open>"},
		{"*/", "STAR<*> DIV</>"},
		{"a\x00b", "LITERAL<a> UNKNOWN<\x00> LITERAL<b>"},
		{"café", "LITERAL<caf> UNKNOWN<\xc3> UNKNOWN<\xa9>"},
		{"commit truncate begin offset", "LITERAL<commit> LITERAL<truncate> LITERAL<begin> LITERAL<offset>"},
		{"", ""},
		{" \t\r\n", ""},
	} {
		if got := show(Tokenize(tt.sql)); got != tt.want {
			t.Errorf("%q\n got %s\nwant %s", tt.sql, got, tt.want)
		}
	}
}

func TestIDs(t *testing.T) {
	for name, want := range map[string]ID{
		"TK_UNKNOWN": 0, "TK_STRING": 7, "TK_COMMENT": 8, "TK_LITERAL": 9, "TK_FUNCTION": 10, "TK_LOGICAL_OR": 27,
		"TK_SQL_ACCESSIBLE": 28, "TK_SQL_CREATE": 59, "TK_SQL_FROM": 105, "TK_SQL_INT": 123, "TK_SQL_SELECT": 204,
		"TK_SQL_TABLE": 222, "TK_SQL_ZEROFILL": 260, "TK_COMMENT_MYSQL": 261,
	} {
		if got := want.Name(); got != name {
			t.Errorf("%d is %s, want %s", want, got, name)
		}
	}
	for _, id := range []ID{-1, 262} {
		if got := id.Name(); got != "" {
			t.Errorf("%d is %q, want none", id, got)
		}
	}
	for word, want := range byWord {
		for _, w := range []string{word, strings.ToLower(word)} {
			if got := Tokenize(w); len(got) != 1 || got[0] != (Token{want, w}) {
				t.Errorf("%s: got %v", w, got)
			}
		}
	}
}

// Every byte that is not blank, a mark or half of a pair comes back in order.
func FuzzTokenize(f *testing.F) {
	f.Add("select a.b, 'x''y' /* c */ -- d\n from `t` where 1.5e-5x")
	f.Add("'a'\"b\\")
	f.Fuzz(func(t *testing.T, sql string) {
		at := 0
		for _, tok := range Tokenize(sql) {
			if tok.ID.Name() == "" {
				t.Fatalf("%q: token %v has no name", sql, tok)
			}
			for i := range len(tok.Text) {
				found := strings.IndexByte(sql[at:], tok.Text[i])
				if found < 0 {
					t.Fatalf("%q: token %q is not in it from %d on", sql, tok.Text, at)
				}
				at += found + 1
			}
		}
	})
}

func BenchmarkTokenize(b *testing.B) {
	const sql = "SELECT o.id, c.name, COUNT(*) FROM shop.orders o JOIN customers c ON c.id = o.customer WHERE o.total > 12.5 AND c.city = 'Bern' GROUP BY 1 ORDER BY 2 LIMIT 10"
	b.SetBytes(int64(len(sql)))
	b.ReportAllocs()
	for b.Loop() {
		Tokenize(sql)
	}
}
