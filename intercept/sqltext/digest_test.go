package sqltext

import (
	"bufio"
	"database/sql"
	"os"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
)

// recorded are pairs of a statement and the real server's digest text.
func recorded(t testing.TB) (pairs [][2]string) {
	t.Helper()
	f, err := os.Open("testdata/digests.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		line := s.Text()
		if text, ok := strings.CutPrefix(line, "\t"); ok {
			pairs[len(pairs)-1][1] = text
		} else if !strings.HasPrefix(line, "#") {
			pairs = append(pairs, [2]string{line, ""})
		}
	}
	if len(pairs) == 0 || s.Err() != nil {
		t.Fatal("nothing recorded", s.Err())
	}
	return pairs
}

func TestDigestTextIsTheServers(t *testing.T) {
	for _, p := range recorded(t) {
		if _, got := Digest(p[0]); got != p[1] {
			t.Errorf("%s\n got %s\nwant %s", p[0], got, p[1])
		}
	}
}

// TestDigestTextOnARealServer compares with the server at LAB_MYSQL_DSN, where there is one.
func TestDigestTextOnARealServer(t *testing.T) {
	dsn := os.Getenv("LAB_MYSQL_DSN")
	if dsn == "" {
		t.Skip("LAB_MYSQL_DSN names no server")
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	compared := 0
	for _, p := range recorded(t) {
		var want string
		if err := db.QueryRow("SELECT STATEMENT_DIGEST_TEXT(?)", p[0]).Scan(&want); err != nil {
			continue // what another version cannot parse has no digest there
		}
		compared++
		if _, got := Digest(p[0]); got != want {
			t.Errorf("%s\n got %s\nwant %s", p[0], got, want)
		}
	}
	if compared == 0 {
		t.Error("the server digested nothing")
	}
}

func TestDigestHash(t *testing.T) {
	one, text := Digest("select * from t where a = 1 and b in (1, 2)")
	two, _ := Digest("SELECT  *\nFROM `t` WHERE a=-2.5 and b IN ('x') -- y")
	other, _ := Digest("select * from t where a = 1")
	if one != two || one == other || len(one) != 64 {
		t.Errorf("got %s, %s, %s", one, two, other)
	}
	if want := "SELECT * FROM `t` WHERE `a` = ? AND `b` IN (...)"; text != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

// What no server digests: markers, broken text, several statements.
func TestDigestOfOtherText(t *testing.T) {
	for _, tt := range []struct{ sql, want string }{
		{"", ""},
		{";", ""},
		{"-- nothing", ""},
		{"select * from t where a in (?, ?) and b = ?", "SELECT * FROM `t` WHERE `a` IN (...) AND `b` = ?"},
		{"insert into t values (?, ?), (?, ?)", "INSERT INTO `t` VALUES (...) /* , ... */"},
		{"select 1; select 'a'", "SELECT ? ; SELECT ?"},
		{"select 'open", "SELECT ?"},
		{"select `open", "SELECT `open`"},
		{"select /* open", "SELECT"},
		{"select ) 1", "SELECT ) ?"},
		{"XA END 'x'", "XA END ?"},
	} {
		if _, got := Digest(tt.sql); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.sql, got, tt.want)
		}
	}
}
