// Command generate writes the tables of package charset as a server has them: what each byte
// sequence of a character set means, and what each character is encoded as.
//
//	LAB_MYSQL_DSN='user:password@tcp(host:port)/' go run ./generate [-dir tables]
//
// MySQL 5.7 or later is asked, which has every set. A test compares the tables with other servers.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	_ "github.com/go-sql-driver/mysql"

	"mydbg/intercept/charset"
)

func main() {
	dir := flag.String("dir", "tables", "where the tables go")
	flag.Parse()
	if err := run(context.Background(), *dir, os.Getenv("LAB_MYSQL_DSN")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir, dsn string) error {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return fmt.Errorf("read LAB_MYSQL_DSN: %w", err)
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	for _, s := range []string{
		"create temporary table digit (d int)", "insert into digit values (0),(1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12),(13),(14),(15)",
		"create temporary table low (n int)", "create temporary table high (n int)",
	} {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	// A temporary table can be named once in a statement.
	for _, table := range []string{"low", "high"} {
		for d := range 16 {
			if _, err := conn.ExecContext(ctx, fmt.Sprintf("insert into %s select d + %d from digit", table, 16*d)); err != nil {
				return fmt.Errorf("fill %s: %w", table, err)
			}
		}
	}
	for _, name := range charset.Tables() {
		t, err := read(ctx, conn, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".txt"), t.format(name), 0o666); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
	}
	return nil
}

// table is a character set as a server has it. Codes are byte sequences as big-endian numbers.
type table struct {
	decode map[uint32]rune
	encode map[rune]uint32
}

func read(ctx context.Context, conn *sql.Conn, name string) (*table, error) {
	t := &table{map[uint32]rune{}, map[rune]uint32{}}
	const one, two = "unhex(lpad(hex(n), 2, '0'))", "concat(unhex(lpad(hex(high.n), 2, '0')), unhex(lpad(hex(low.n), 2, '0')))"
	decode := func(b, from string) error {
		// A sequence that is no character is NULL, '?' or more than one character.
		return t.rows(ctx, conn, fmt.Sprintf("select hex(b), hex(convert(convert(b using %s) using utf32)) from (select %s b from %s) t", name, b, from),
			func(code, char uint32) {
				if r, ok := t.means(code, rune(char)); ok {
					t.decode[code] = r
				}
			})
	}
	err := decode(one, "low")
	if err == nil {
		err = decode(two, "high join low")
	}
	if err == nil && (name == "ujis" || name == "eucjpms") {
		err = decode("concat(0x8f, "+two+")", "high join low")
	}
	if err == nil {
		u := "concat(0x0000, unhex(lpad(hex(high.n), 2, '0')), unhex(lpad(hex(low.n), 2, '0')))"
		err = t.rows(ctx, conn, fmt.Sprintf("select hex(convert(convert(u using utf32) using %s)), hex(u) from (select %s u from high join low) t", name, u),
			func(code, char uint32) {
				if code == '?' && char != '?' || char >= 0xd800 && char < 0xe000 || char == 0xfffd {
					return
				}
				if char == '\\' && code > 0xff { // see means
					t.encode['＼'], code = code, '\\'
				}
				t.encode[rune(char)] = code
				if code > 0xffff {
					t.decode[code] = rune(char)
				}
			})
	}
	for code, r := range t.decode { // which no server writes, see means
		if _, ok := t.encode[r]; r == '＼' && !ok {
			t.encode[r] = code
		}
	}
	for r, code := range t.encode {
		if back, ok := t.decode[code]; ok && back != r || !ok && code <= 0xffffff {
			delete(t.encode, r) // it would be another when it is read: cp932 has one such
		}
	}
	return t, err
}

// means is the character of a sequence of one or two bytes, given what the server takes it for.
func (t *table) means(code uint32, char rune) (rune, bool) {
	first := code
	for first > 0xff {
		first >>= 8
	}
	_, alone := t.decode[first]
	switch {
	case char == '?' && code != '?', char == 0xfffd: // no character
		return 0, false
	case char == 0 && code != 0: // eucjpms reads NUL from the first byte of a pair that is cut off
		return 0, false
	case code > 0xff && alone: // two characters, of which eucjpms tells the first
		return 0, false
	case code > 0xff && char == '\\':
		// Servers read the wide backslash of sjis and ujis as the one that escapes. Written back as a
		// byte 0x5c it would escape what follows, so here it is a character of its own.
		return '＼', true
	}
	return char, true
}

func (t *table) rows(ctx context.Context, conn *sql.Conn, query string, add func(a, b uint32)) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b sql.NullString
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		x, y := number(a.String), number(b.String)
		if a.Valid && b.Valid && x >= 0 && y >= 0 && len(a.String) <= 8 && len(b.String) == 8 {
			add(uint32(x), uint32(y))
		}
	}
	return rows.Err()
}

// number is what digits say, -1 if they say nothing.
func number(digits string) int64 {
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) == 0 || len(b) > 4 {
		return -1
	}
	n := int64(0)
	for _, c := range b {
		n = n<<8 | int64(c)
	}
	return n
}

// format is the table as text, see charset.parse.
func (t *table) format(name string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "# %s as MySQL converts it, written by generate\n", name)
	codes := make([]uint32, 0, len(t.decode))
	for c := range t.decode {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	first := map[rune]uint32{}
	for i := 0; i < len(codes); {
		n := 1 // sequences that follow each other
		for i+n < len(codes) && charset.Following(codes[i+n-1]) == codes[i+n] {
			n++
		}
		t.stretch(&out, codes[i:i+n])
		i += n
	}
	for _, c := range codes {
		if _, ok := first[t.decode[c]]; !ok {
			first[t.decode[c]] = c
		}
	}
	var runes []rune
	for r, c := range first {
		if e, ok := t.encode[r]; !ok || e != c {
			runes = append(runes, r)
		}
	}
	for r := range t.encode {
		if _, ok := first[r]; !ok {
			runes = append(runes, r)
		}
	}
	slices.Sort(runes)
	for _, r := range runes {
		if c, ok := t.encode[r]; ok {
			fmt.Fprintf(&out, "encode U+%04X %x\n", r, c)
		} else {
			fmt.Fprintf(&out, "encode U+%04X -\n", r)
		}
	}
	return out.Bytes()
}

// stretch writes what neighbouring sequences mean: runs of code points as such, the rest as text.
func (t *table) stretch(out *bytes.Buffer, codes []uint32) {
	const worth = 8 // code points in a run
	run := func(i int) int {
		n := 1
		for i+n < len(codes) && t.decode[codes[i+n]] == t.decode[codes[i]]+rune(n) {
			n++
		}
		return n
	}
	for i := 0; i < len(codes); {
		if n := run(i); n >= worth || !shows(t.decode[codes[i]]) {
			fmt.Fprintf(out, "%02x U+%04X %d\n", codes[i], t.decode[codes[i]], n)
			i += n
			continue
		}
		fmt.Fprintf(out, "%02x ", codes[i])
		var line strings.Builder
		for ; i < len(codes) && run(i) < worth && shows(t.decode[codes[i]]) && line.Len() < 300; i++ {
			line.WriteRune(t.decode[codes[i]])
		}
		fmt.Fprintf(out, "%s\n", line.String())
	}
}

// shows reports whether a character can stand in a line of text on its own.
func shows(r rune) bool {
	return utf8.ValidRune(r) && unicode.IsPrint(r) && !unicode.IsSpace(r) && !unicode.IsMark(r)
}
