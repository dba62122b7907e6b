package charset_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	_ "github.com/go-sql-driver/mysql"

	"mydbg/intercept/charset"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire/value"
)

// TestServersConvertAlike proves every set against every server: each sequence of one and two bytes,
// those of three that sets have, and each character of the first plane, both ways.
func TestServersConvertAlike(t *testing.T) {
	for _, server := range intercepttest.Servers(t, nil) {
		t.Run(server.Name, func(t *testing.T) {
			db, err := sql.Open("mysql", server.DSN(""))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			p := proof{t: t, conn: conn, server: server.Name}
			p.prepare()
			for _, name := range p.sets() {
				c := charset.Of(name)
				if c == nil {
					if name != "utf8mb4" && name != "binary" {
						t.Errorf("%s is not known", name)
					}
					continue
				}
				p.decoding(name, c)
				p.encoding(name, c)
			}
		})
	}
}

type proof struct {
	t      *testing.T
	conn   *sql.Conn
	server string
}

// prepare makes two tables of the numbers from 0 to 255: a temporary one can be named once in a
// statement.
func (p *proof) prepare() {
	p.t.Helper()
	p.exec("create temporary table digit (d int)")
	p.exec("insert into digit values (0),(1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12),(13),(14),(15)")
	for _, table := range []string{"low", "high"} {
		p.exec("create temporary table " + table + " (n int)")
		for d := range 16 {
			p.exec(fmt.Sprintf("insert into %s select d + %d from digit", table, 16*d))
		}
	}
}

func (p *proof) exec(query string) {
	p.t.Helper()
	if _, err := p.conn.ExecContext(context.Background(), query); err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
}

// sets are the server's character sets.
func (p *proof) sets() (names []string) {
	p.t.Helper()
	rows, err := p.conn.QueryContext(p.t.Context(), "select character_set_name from information_schema.character_sets order by 1")
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			p.t.Fatal(err)
		}
		names = append(names, name)
	}
	if len(names) < 39 {
		p.t.Fatalf("%s has %d character sets only: %v", p.server, len(names), names)
	}
	return names
}

const (
	oneByte  = "unhex(lpad(hex(low.n), 2, '0'))"
	twoBytes = "concat(unhex(lpad(hex(high.n), 2, '0')), unhex(lpad(hex(low.n), 2, '0')))"
)

// decoding compares what byte sequences mean.
func (p *proof) decoding(name string, c value.Charset) {
	sources := []string{oneByte + " b from low", twoBytes + " b from high join low"}
	switch name {
	case "ucs2": // a lone byte is filled up with a zero
		sources = sources[1:]
	case "ujis", "eucjpms":
		sources = append(sources, "concat(0x8f, "+twoBytes+") b from high join low")
	case "utf8", "utf8mb3":
		sources = append(sources, "concat(0xe2, "+twoBytes+") b from high join low")
	case "utf16":
		sources = append(sources[1:], "concat(0xd83d, "+twoBytes+") b from high join low")
	case "utf16le":
		sources = append(sources[1:], "concat(0x3dd8, "+twoBytes+") b from high join low")
	case "utf32":
		sources = []string{"concat(0x0001, " + twoBytes + ") b from high join low"}
	case "gb18030": // those of the first plane come from encoding
		sources = append(sources, "concat(0x9030, "+twoBytes+") b from high join low")
	}
	seen := 0
	for _, source := range sources {
		p.each(fmt.Sprintf("select hex(b), hex(convert(convert(b using %s) using utf32)) from (select %s) t", name, source), func(code, chars []byte) {
			want := rune(-1)
			if len(chars) == 4 {
				if r := rune(chars[0])<<24 | rune(chars[1])<<16 | rune(chars[2])<<8 | rune(chars[3]); utf8.ValidRune(r) {
					want = r
				}
			}
			got := rune(-1)
			if text, ok := c.Decode(code); ok && utf8.RuneCountInString(text) == 1 {
				got, _ = utf8.DecodeRuneInString(text)
			}
			if got >= 0 {
				seen++
			}
			if got != want && !explained(name, code, got, want, c) {
				p.t.Errorf("%s: %x means %U, the server says %U", name, code, got, want)
			}
		})
	}
	if seen < 100 {
		p.t.Errorf("%s: only %d sequences mean anything", name, seen)
	}
}

// encoding compares what characters are encoded as; the server writes ? for those it cannot.
func (p *proof) encoding(name string, c value.Charset) {
	u := "concat(0x0000, " + twoBytes + ")"
	if name == "gb18030" || strings.HasPrefix(name, "utf") {
		p.encodings(name, c, "concat(0x0002, "+twoBytes+")")
	}
	p.encodings(name, c, u)
}

func (p *proof) encodings(name string, c value.Charset, u string) {
	p.each(fmt.Sprintf("select hex(u), hex(convert(convert(u using utf32) using %s)) from (select %s u from high join low) t", name, u), func(char, code []byte) {
		r := rune(char[0])<<24 | rune(char[1])<<16 | rune(char[2])<<8 | rune(char[3])
		if !utf8.ValidRune(r) {
			return
		}
		got, err := c.Encode(string(r))
		if err != nil {
			if got, err = c.Encode("?"); err != nil {
				p.t.Fatal(err)
			}
		} else if text, ok := c.Decode(got); !ok || text != string(r) {
			p.t.Errorf("%s: %U is written %x, which means %q", name, r, got, text)
		}
		if string(got) != string(code) && !p.unlike(name, r, code, c) {
			p.t.Errorf("%s: %U is written %x, by the server %x", name, r, got, code)
		}
	})
}

// explained reports whether a sequence is known to mean something else here than on the server.
func explained(name string, code []byte, got, want rune, c value.Charset) bool {
	if (name == "sjis" || name == "ujis") && got == '＼' && want == '\\' {
		return true // written back as a byte 0x5c it would escape what follows
	}
	if got >= 0 {
		return false
	}
	// It is no character. Servers then say ?, or U+FFFD, or what they could read before.
	if want == '?' || want == utf8.RuneError {
		return true
	}
	if name == "eucjpms" && want == 0 { // of the first byte of a pair that is cut off
		return true
	}
	for n := 1; n < len(code); n++ {
		if text, ok := c.Decode(code[:n]); ok && text == string(want) {
			return true
		}
	}
	return false
}

// unlike reports whether a character is known to be written otherwise here than by the server.
func (p *proof) unlike(name string, r rune, server []byte, c value.Charset) bool {
	switch {
	case r == utf8.RuneError: // stands for what could not be read
		return true
	case name == "sjis" || name == "ujis":
		return r == '\\' || r == '＼' // see explained
	case name == "armscii8" && r < 0x80: // MySQL 5.6 has the second of two codes
		return p.server == "mysql56"
	}
	back, ok := c.Decode(server)
	return ok && back != string(r) && string(server) != "?" // it would be read as another
}

// each runs a query that gives two columns of hexadecimal digits; NULL is nothing.
func (p *proof) each(query string, f func(a, b []byte)) {
	p.t.Helper()
	rows, err := p.conn.QueryContext(p.t.Context(), query)
	if err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var a, b sql.NullString
		if err := rows.Scan(&a, &b); err != nil {
			p.t.Fatal(err)
		}
		x, errA := hex.DecodeString(a.String)
		y, errB := hex.DecodeString(b.String)
		if errA != nil || errB != nil {
			p.t.Fatalf("%s: not hexadecimal: %q %q", query, a.String, b.String)
		}
		f(x, y)
	}
	if err := rows.Err(); err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
}
