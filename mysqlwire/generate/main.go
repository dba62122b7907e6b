// Command generate writes collations.txt: what servers call their collations, by number.
//
//	go run ./generate [-o collations.txt]
//
// It asks every server whose LAB_<NAME>_DSN is set and keeps lines of servers that are not asked.
package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	_ "github.com/go-sql-driver/mysql"
)

// collation is a line of the file.
type collation struct {
	charset, mysql, maria string
	first                 bool // the default of its set, as MySQL 5.6 had it
}

func main() {
	out := flag.String("o", "collations.txt", "the file to write")
	flag.Parse()
	if err := run(context.Background(), *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string) error {
	all := map[int]collation{}
	if err := keep(all, path); err != nil {
		return err
	}
	for _, s := range []struct {
		name, query string
		maria       bool
	}{
		{"MYSQL56", "select id, character_set_name, collation_name, is_default from information_schema.collations", false},
		{"MYSQL", "select id, character_set_name, collation_name, if(character_set_name = 'gb18030', is_default, '') from information_schema.collations", false},
		{"MARIADB", "select id, character_set_name, full_collation_name, '' from information_schema.collation_character_set_applicability", true},
		{"MARIADB11", "select id, character_set_name, full_collation_name, '' from information_schema.collation_character_set_applicability", true},
	} {
		dsn := os.Getenv("LAB_" + s.name + "_DSN")
		if dsn == "" {
			fmt.Fprintf(os.Stderr, "%s is left out: no LAB_%s_DSN\n", s.name, s.name)
			continue
		}
		if err := ask(ctx, all, dsn, s.query, s.maria); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	var b bytes.Buffer
	b.WriteString("# number, character set, name of MySQL, name of MariaDB; - where a server does not have it; default of the set in MySQL 5.6. Written by generate\n")
	for _, id := range slices.Sorted(maps.Keys(all)) {
		c := all[id]
		fmt.Fprintf(&b, "%d %s %s %s", id, c.charset, dash(c.mysql), dash(c.maria))
		if c.first {
			b.WriteString(" default")
		}
		b.WriteByte('\n')
	}
	return os.WriteFile(path, b.Bytes(), 0o666)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// keep reads the file as it is.
func keep(all map[int]collation, path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read collations: %w", err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		var id int
		var c collation
		if _, err := fmt.Sscan(lines.Text(), &id, &c.charset, &c.mysql, &c.maria); err == nil {
			c.first = strings.HasSuffix(lines.Text(), " default")
			c.mysql, c.maria = strings.TrimPrefix(c.mysql, "-"), strings.TrimPrefix(c.maria, "-")
			all[id] = c
		}
	}
	return nil
}

func ask(ctx context.Context, all map[int]collation, dsn, query string, maria bool) error {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int
		var charset, name, first string
		if err := rows.Scan(&id, &charset, &name, &first); err != nil {
			return err
		}
		if charset == "utf8" { // MySQL 5.6's name of what is utf8mb3 everywhere else
			charset, name = "utf8mb3", strings.Replace(name, "utf8_", "utf8mb3_", 1)
		}
		c := all[id]
		c.charset = charset
		c.first = c.first || first == "Yes"
		if maria {
			c.maria = name
		} else {
			c.mysql = name
		}
		all[id] = c
	}
	return rows.Err()
}
