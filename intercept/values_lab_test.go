package intercept_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// column is a type with values of it, as literals of SQL.
type column struct {
	def    string
	values []string
	typed  string // what a person types in place of each value
	driver string // what go-sql-driver then reads; typed if empty
	form   form
	on     func(*intercepttest.Server) bool // nil: every server has it
}

// form is how a server writes a value of a column as text, for comparison.
type form int

const (
	asText form = iota
	asNumber
	asBytes
	asFloat // with six digits at least
	asShape
	asHex // bytes that stand for something that servers have no text for
)

// query is an expression of that text.
func (f form) query(c string) string {
	switch f {
	case asNumber:
		return "cast(" + c + " + 0 as char)"
	case asShape:
		return "concat(if(st_srid(" + c + ") = 0, '', concat('SRID=', st_srid(" + c + "), ';')), st_astext(" + c + "))"
	case asBytes, asHex:
		return "lower(hex(" + c + "))"
	}
	return "cast(" + c + " as char)"
}

func maria(s *intercepttest.Server) bool { return strings.HasPrefix(s.Name, "mariadb") }
func maria11(s *intercepttest.Server) bool {
	return s.Name == "mariadb11"
}
func mysql9(s *intercepttest.Server) bool { return s.Name == "mysql" }

var columns = []column{
	{def: "tinyint", values: []string{"-128", "127", "0"}, typed: "-7"},
	{def: "tinyint unsigned", values: []string{"255", "0"}, typed: "254"},
	{def: "tinyint(1)", values: []string{"true", "false"}, typed: "1"},
	{def: "smallint", values: []string{"-32768", "32767"}, typed: "-2"},
	{def: "smallint unsigned zerofill", values: []string{"7", "65535"}, typed: "42"},
	{def: "mediumint", values: []string{"-8388608", "8388607"}, typed: "-3"},
	{def: "mediumint unsigned", values: []string{"16777215"}, typed: "3"},
	{def: "int", values: []string{"-2147483648", "2147483647"}, typed: "-4"},
	{def: "int unsigned", values: []string{"4294967295"}, typed: "4"},
	{def: "bigint", values: []string{"-9223372036854775808", "9223372036854775807"}, typed: "-5"},
	{def: "bigint unsigned", values: []string{"18446744073709551615", "0"}, typed: "18446744073709551614"},
	{
		def: "decimal(65,30)", values: []string{"-99999999999999999999999999999999999.999999999999999999999999999999", "0.000000000000000000000000000001", "0"},
		typed: "12345678901234567890123456789012345.1", driver: "12345678901234567890123456789012345.100000000000000000000000000000",
	},
	{def: "decimal(65,0) unsigned", values: []string{strings.Repeat("9", 65), "0"}, typed: strings.Repeat("8", 65)},
	{def: "float", values: []string{"-3.40282e38", "1.17549e-38", "1e-7", "0.1", "16777216", "-0e0"}, typed: "-1.5", form: asFloat},
	{def: "float(7,3)", values: []string{"-1234.125", "0"}, typed: "1.250", driver: "1.25", form: asFloat},
	{
		def: "double", values: []string{"1.7976931348623157e308", "-2.2250738585072014e-308", "4.9e-324", "1e15", "1e14", "1e-15", "123456789012345678", "-0e0", "0.1"},
		typed: "2.5", form: asFloat,
	},
	{def: "double(12,4)", values: []string{"-12345678.1250"}, typed: "1.5000", driver: "1.5", form: asFloat},
	{def: "bit(1)", values: []string{"b'0'", "b'1'"}, typed: "1", driver: "\x01", form: asNumber},
	{def: "bit(17)", values: []string{"b'10000000000000001'", "0"}, typed: "65536", driver: "\x01\x00\x00", form: asNumber},
	{def: "bit(64)", values: []string{"0xffffffffffffffff", "0"}, typed: "18446744073709551614", driver: "\xff\xff\xff\xff\xff\xff\xff\xfe", form: asNumber},
	{def: "date", values: []string{"'0000-00-00'", "'9999-12-31'", "'1000-01-01'", "'2024-02-29'", "'2024-00-00'"}, typed: "0001-01-01"},
	{def: "datetime", values: []string{"'0000-00-00 00:00:00'", "'9999-12-31 23:59:59'", "'2024-02-29'"}, typed: "2000-01-02 03:04:05"},
	{
		def: "datetime(6)", values: []string{"'0000-00-00 00:00:00'", "'9999-12-31 23:59:59.499999'", "'1000-01-01 00:00:00.000001'"},
		typed: "2000-01-02 03:04:05.5", driver: "2000-01-02 03:04:05.500000",
	},
	{def: "timestamp null", values: []string{"'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"}, typed: "2000-01-02 03:04:05"},
	{def: "timestamp(3) null", values: []string{"'1970-01-01 00:00:01.001'", "'2038-01-19 03:14:07.499'"}, typed: "2000-01-02 03:04:05.067"},
	{def: "time", values: []string{"'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"}, typed: "-12:34:56"},
	{def: "time(6)", values: []string{"'-838:59:58.999999'", "'838:59:58.999999'", "'-00:00:00.000001'", "'25:00:00'"}, typed: "-1:02:03.4", driver: "-01:02:03.400000"},
	{def: "time(6)", values: []string{"'-838:59:59.999999'", "'838:59:59.999999'"}, typed: "-838:59:59.999999", on: maria},
	{def: "year", values: []string{"0", "1901", "2155"}, typed: "1999"},
	{def: "char(8)", values: []string{"''", "'naïve'", "'漢字😀'"}, typed: "Größe"},
	{def: "varchar(20)", values: []string{"''", "'  '", "'Привет'", "'a\\0b'", "'NULL'"}, typed: "ソース"},
	{def: "varchar(20) character set latin1", values: []string{"'€é'", "''"}, typed: "ü"},
	{def: "varchar(20) character set utf16", values: []string{"'😀x'"}, typed: "ü"},
	{def: "binary(4)", values: []string{"'a'", "0x00010203"}, typed: "0xff000000", driver: "\xff\x00\x00\x00", form: asBytes},
	{def: "varbinary(20)", values: []string{"''", "'plain'", "0xff00"}, typed: "0x00ff", driver: "\x00\xff", form: asBytes},
	{def: "tinytext", values: []string{"''", "repeat('ж', 127)"}, typed: "т"},
	{def: "text", values: []string{"repeat('x', 300)"}, typed: "text"},
	{def: "mediumtext", values: []string{"repeat('y', 70000)"}, typed: "mediumtext"},
	{def: "longtext", values: []string{"''"}, typed: "longtext"},
	{def: "tinyblob", values: []string{"0x00", "''"}, typed: "0x", driver: "", form: asBytes},
	{def: "blob", values: []string{"0x89504e470d0a1a0a"}, typed: "0x0001", driver: "\x00\x01", form: asBytes},
	{def: "longblob", values: []string{"repeat(0x00, 70000)"}, typed: "0xff", driver: "\xff", form: asBytes},
	{def: "enum('a','é','')", values: []string{"'a'", "'é'", "''", "0"}, typed: "é"},
	{def: "set('x','y','я')", values: []string{"'x,я'", "''", "7"}, typed: "y,я"},
	{def: "geometry", values: geometries, typed: "LINESTRING(0 0,1 2)", driver: "\x00\x00\x00\x00\x01\x02\x00\x00\x00\x02\x00\x00\x00" + strings.Repeat("\x00", 16) + "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x40", form: asShape},
	{def: "point", values: []string{"st_geomfromtext('POINT(-1.5 1e100)')"}, typed: "SRID=7;POINT(0 0)", driver: "\x07\x00\x00\x00\x01\x01\x00\x00\x00" + strings.Repeat("\x00", 16), form: asShape},
	{def: "geometry", values: []string{"st_geomfromtext('POINT(1 2)', 3857)"}, typed: "POINT(0 0)", driver: strings.Repeat("\x00", 4) + "\x01\x01\x00\x00\x00" + strings.Repeat("\x00", 16), form: asShape},
	{def: "json", values: []string{"'null'", `'{"k": [1, 2.5, "ключ", true]}'`, "'[]'"}, typed: `{"neu": "ü"}`, on: func(s *intercepttest.Server) bool { return s.Name != "mysql56" }},
	{def: "vector(3)", values: []string{"string_to_vector('[1,-2.5,1e-20]')"}, typed: "[1, 2, 3.5]", driver: "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x60\x40", form: asHex, on: mysql9},
	{def: "vector(3)", values: []string{"vec_fromtext('[1,-2.5,1e-20]')"}, typed: "vector[1, 2, 3.5]", driver: "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x60\x40", form: asHex, on: maria11},
	{def: "uuid", values: []string{"'123e4567-e89b-12d3-a456-426614174000'"}, typed: "00000000-0000-0000-0000-000000000001", on: maria},
	{def: "inet4", values: []string{"'255.255.255.255'", "'0.0.0.0'"}, typed: "10.0.0.1", on: maria},
	{def: "inet6", values: []string{"'::'", "'2001:db8::ff00:42:8329'"}, typed: "::1", on: maria},
}

var geometries = []string{
	"st_geomfromtext('POINT(1 2)')", "st_geomfromtext('LINESTRING(0 0,1 1,2 2.5)')", "st_geomfromtext('POLYGON((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1))')",
	"st_geomfromtext('MULTIPOINT(1 2,3 4)')", "st_geomfromtext('MULTILINESTRING((0 0,1 1),(2 2,3 3))')",
	"st_geomfromtext('MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))')",
	"st_geomfromtext('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))')",
}

// TestValuesOfEveryType has a table with every type and its extremes. What is shown of each value is
// what the server itself writes, writing it again gives the same bytes, and another value typed in
// its place is what go-sql-driver reads, in text and in binary rows.
func TestValuesOfEveryType(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		var here []column
		for _, c := range columns {
			if c.on == nil || c.on(&s) {
				here = append(here, c)
			}
		}
		c := valueTable(t, &s, here)
		for _, prepared := range []bool{false, true} {
			t.Run(map[bool]string{false: "text", true: "binary"}[prepared], func(t *testing.T) {
				sameAsServer(t, c, here, prepared)
				readByDriver(t, &s, p, here, prepared)
			})
		}
	})
}

const valuesDB = "mydbg_values"

// valueTable makes the table, and the connection that reads it.
func valueTable(t *testing.T, s *intercepttest.Server, columns []column) *intercepttest.Client {
	caps := mysqlwire.Caps(0)
	if maria(s) {
		caps = intercepttest.ClientCaps&^mysqlwire.LongPassword | mysqlwire.MariaDBExtendedMetadata
	}
	c := intercepttest.Dial(t, "tcp", s.Addr, s.User, s.Password, s.Database, caps)
	run := func(q string) {
		t.Helper()
		if sum := c.Query(q); sum.Error != nil {
			t.Fatalf("%.300s: %v", q, sum.Error)
		}
	}
	run("drop database if exists " + valuesDB)
	run("create database " + valuesDB + " character set utf8mb4")
	t.Cleanup(func() { run("drop database " + valuesDB) })
	run("use " + valuesDB)
	run("set sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
	defs, rows := []string{"id int primary key auto_increment"}, 0
	for i, col := range columns {
		defs = append(defs, fmt.Sprintf("c%d %s", i, col.def))
		rows = max(rows, len(col.values))
	}
	run("create table v (" + strings.Join(defs, ", ") + ") row_format=dynamic")
	for row := range rows {
		values := []string{"null"}
		for _, col := range columns {
			v := "null"
			if row < len(col.values) {
				v = col.values[row]
			}
			values = append(values, v)
		}
		run("insert into v values (" + strings.Join(values, ", ") + ")")
	}
	return c
}

// sameAsServer compares what is shown with what the server writes, and the bytes of values written
// again with those that came.
func sameAsServer(t *testing.T, c *intercepttest.Client, columns []column, prepared bool) {
	var texts []string
	for i, col := range columns {
		texts = append(texts, col.form.query(fmt.Sprintf("c%d", i)))
	}
	want := rowsOf(t, c, "select "+strings.Join(texts, ", ")+" from v order by id", false)
	a, cx := answerTo(t, c, "select * from v order by id", prepared)
	edit, err := a.EditResult(cx, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range edit.Len() {
		row, err := edit.Row(i)
		if err != nil {
			t.Fatal(err)
		}
		for j, col := range columns {
			if null := want[i].Null(j); null || row.Null(j+1) {
				if !null || !row.Null(j+1) {
					t.Errorf("row %d, %s: NULL is %v, want %v", i, col.def, row.Null(j+1), null)
				}
				continue
			}
			got, want := row.Text(j+1), string(want[i].Bytes(j))
			if !alike(col.form, got, want, row.Bytes(j+1)) {
				t.Errorf("row %d, %s: got %.200q, the server writes %.200q", i, col.def, got, want)
			}
			v, err := edit.Spec(j + 1).Parse(got)
			if err == nil {
				err = edit.Set(i, j+1, v)
			}
			if err != nil {
				t.Errorf("row %d, %s: %.200q cannot be written: %v", i, col.def, got, err)
			}
		}
	}
	again, err := edit.Answer()
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Packets {
		if !bytes.Equal(a.Packets[i].Payload, again.Packets[i].Payload) {
			t.Errorf("packet %d, %s: written again it is %.200x, was %.200x", i, a.Packets[i].Kind, again.Packets[i].Payload, a.Packets[i].Payload)
		}
	}
}

// alike compares a text with a server's.
func alike(f form, got, want string, raw []byte) bool {
	switch f {
	case asFloat:
		g, err1 := strconv.ParseFloat(got, 64)
		w, err2 := strconv.ParseFloat(want, 64)
		return err1 == nil && err2 == nil && math.Signbit(g) == math.Signbit(w) && (g == w || math.Abs(g-w) <= 1e-5*math.Abs(w))
	case asShape: // MariaDB and MySQL 5.6 leave out the inner brackets of MULTIPOINT
		v1, err1 := value.Spec{Type: value.Geometry}.Parse(got)
		v2, err2 := value.Spec{Type: value.Geometry}.Parse(want)
		return err1 == nil && err2 == nil && bytes.Equal(v1.([]byte), v2.([]byte)) && bytes.Equal(v1.([]byte), raw)
	case asBytes:
		return got == "0x"+want || fmt.Sprintf("%x", got) == want
	case asHex:
		return fmt.Sprintf("%x", raw) == want
	}
	return got == want
}

// answerTo runs a query, in text or prepared.
func answerTo(t *testing.T, c *intercepttest.Client, sql string, prepared bool) (*mysqlwire.Answer, *mysqlwire.Context) {
	t.Helper()
	c.Decoder.KeepColumns = true
	command := append([]byte{byte(mysqlwire.ComQuery)}, sql...)
	if prepared {
		m := &mysqlwire.StmtExecute{StmtID: c.Prepare(sql), Iterations: 1}
		var err error
		if command, err = m.Encode(nil, c.Decoder.Context()); err != nil {
			t.Fatal(err)
		}
	}
	a := c.Do(command)
	cx := *c.Decoder.Context()
	cx.Command = a.Command
	return a, &cx
}

func rowsOf(t *testing.T, c *intercepttest.Client, sql string, prepared bool) []mysqlwire.Row {
	t.Helper()
	a, cx := answerTo(t, c, sql, prepared)
	results, err := a.Results(cx)
	if err != nil || len(results) != 1 || !results[0].HasRows() {
		t.Fatalf("%.300s: %v %+v", sql, err, results)
	}
	var rows []mysqlwire.Row
	for i := range results[0].Rows.Len() {
		row, err := results[0].Rows.Row(i)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// readByDriver has another value typed into every cell that is not NULL and reads the result with
// go-sql-driver.
func readByDriver(t *testing.T, s *intercepttest.Server, p *intercepttest.Proxy, columns []column, prepared bool) {
	const query = "select * from " + valuesDB + ".v order by id"
	p.SetHooks(&hook{points: intercept.At(rule.ReadQueryResult), handle: func(ev *intercept.Event) (intercept.Verdict, error) {
		if ev.SQL != query || ev.Command() == mysqlwire.ComStmtPrepare {
			return intercept.Verdict{}, nil
		}
		edit, err := ev.Answer.EditResult(ev.Context, 0)
		if err != nil {
			return intercept.Verdict{}, err
		}
		for i := range edit.Len() {
			row, err := edit.Row(i)
			if err != nil {
				return intercept.Verdict{}, err
			}
			for j := range columns {
				if row.Null(j + 1) {
					continue
				}
				v, err := edit.Spec(j + 1).Parse(columns[j].typed)
				if err == nil {
					err = edit.Set(i, j+1, v)
				}
				if err != nil {
					return intercept.Verdict{}, err
				}
			}
		}
		a, err := edit.Answer()
		return intercept.Verdict{Action: intercept.Forward, Answer: a}, err
	}})
	conn := open(t, s, p.Addr, "?charset=utf8mb4")
	var rows *sql.Rows
	var err error
	if prepared {
		stmt, perr := conn.PrepareContext(t.Context(), query)
		if perr != nil {
			t.Fatal(perr)
		}
		defer stmt.Close()
		rows, err = stmt.QueryContext(t.Context())
	} else {
		rows, err = conn.QueryContext(t.Context(), query)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for n := 0; rows.Next(); n++ {
		got := make([]any, len(columns)+1)
		to := make([]any, len(got))
		for i := range got {
			to[i] = &got[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		for j, col := range columns {
			if n >= len(col.values) {
				if got[j+1] != nil {
					t.Errorf("row %d, %s: got %v, want NULL", n, col.def, got[j+1])
				}
				continue
			}
			want := col.typed
			if col.driver != "" || col.typed == "0x" {
				want = col.driver
			}
			if read := driverText(got[j+1]); read != want && !(prepared && strings.TrimLeft(want, "0") == read) && !(col.form == asFloat && alike(asFloat, read, want, nil)) {
				t.Errorf("row %d, %s: the driver reads %q, want %q", n, col.def, read, want)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func driverText(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}
