package mysqlwire

import "testing"

func TestCharsetsOfSetStatements(t *testing.T) {
	for _, tt := range []struct{ sql, client, results string }{
		{"set names sjis", "sjis", "sjis"},
		{"SET NAMES 'utf8' COLLATE 'utf8_bin'", "utf8mb3", "utf8mb3"},
		{"set names default", "", ""},
		{"set character set koi8r", "koi8r", "koi8r"},
		{"set character_set_results = NULL", "latin1", ""},
		{"set global character_set_client = sjis", "latin1", "latin1"},
		{"set autocommit=1, names sjis", "sjis", "sjis"},
		{"set @@session.character_set_client = `gbk`", "gbk", "latin1"},
		{"set @a = @@character_set_client, character_set_results = big5; set character_set_results = @a", "latin1", "latin1"},
		{"set character_set_client = concat('u', 'tf8')", "", "latin1"},
		{"update t set character_set_client = 'sjis'", "latin1", "latin1"},
		{"select 'a;set names sjis'", "latin1", "latin1"},
		{"/* set names sjis */ select 1", "latin1", "latin1"},
		{"set x = (select 1, 2), names = 3, character_set_client = cp850", "cp850", "latin1"},
		{"set", "latin1", "latin1"},
		{"set names", "latin1", "latin1"},
		{"set names '", "", ""},
	} {
		tr := charsetTracker{now: sessionCharsets{"latin1", "latin1"}}
		tr.set(tt.sql)
		if want := (sessionCharsets{tt.client, tt.results}); tr.now != want {
			t.Errorf("%s: got %q, want %q", tt.sql, tr.now, want)
		}
	}
}

func FuzzSetStatements(f *testing.F) {
	f.Add("set names 'sjis' collate x, @a := @@character_set_client; /*!40101 set character_set_results = @a */ -- x")
	f.Fuzz(func(t *testing.T, sql string) {
		var tr charsetTracker
		tr.set(sql)
		next := lexer(sql)
		for n := 0; next() != ""; n++ {
			if n > len(sql) {
				t.Fatalf("%q has more words than bytes", sql)
			}
		}
	})
}
