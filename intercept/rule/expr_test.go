package rule

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// update is an UPDATE that failed with a deadlock, as known at the end.
func update() *Env {
	return &Env{
		At: ReadQueryResult, Cmd: "execute", Dir: "client", Conn: 3, Thread: 812, User: "app", Host: "10.0.0.7", DB: "shop",
		Program: "php", Attr: map[string]string{"_client_name": "mysqlnd"}, TLS: true,
		SQL: "UPDATE stock SET qty = qty - ? /* route='/checkout' */", Verb: "UPDATE", Tables: []string{"stock", "crm.orders"},
		Digest: "7c1e9a" + strings.Repeat("0", 58), DigestText: "UPDATE `stock` SET `qty` = `qty` - ?",
		Comment: map[string]string{"route": "/checkout"}, Params: []any{int64(2), "SKU-77", nil, []byte("12.50"), time.Date(2026, 2, 11, 9, 14, 3, 0, time.UTC)},
		Len: 41, Stmt: 12, Rows: 412, Cols: 9, Warnings: 1, Bytes: 79, Ms: 250.5,
		Error: ErrorInfo{Code: 1213, State: "40001", Message: "Deadlock found"},
		Row:   []map[string]any{{"email": []byte("ann@test"), "id": int64(7)}, {"email": nil, "id": int64(8)}},
		Tx:    true, TxAge: 21.4, TxN: 3, Write: true, Prepared: true,
	}
}

func TestEval(t *testing.T) {
	for _, tt := range []struct {
		src  string
		want bool
	}{
		{`"orders" in tables and verb == "UPDATE" and rows > 100`, true},
		{`"orders" in tables`, true},
		{`"ORDERS" in tables`, true},
		{`"crm.orders" in tables`, true},
		{`"shop.stock" in tables`, true}, // stock, and shop is the default database
		{`"crm.stock" in tables`, false},
		{`"shop.orders" in tables`, false},
		{`"order" in tables`, false},
		{`"items" not in tables`, true},
		{`any(tables, # startsWith "crm.")`, true},
		{`sql matches "(?i)^update" and user != "cron"`, true},
		{`error.code in [1205, 1213]`, true},
		{`error`, true},
		{`not error`, false},
		{`error == 1213`, true},
		{`error in [1205, 1213]`, true},
		{`error == nil`, false},
		{`error != nil and write`, true},
		{`failed and sqlstate startsWith "40" and msg contains "Deadlock"`, true},
		{`error.sqlstate == "40001" and error.message contains "Deadlock"`, true},
		{`ms > 200 and not chatter`, true},
		{`tx_age > 5 and tx and tx_n == 3 and not autocommit`, true},
		{`param(1) == "SKU-77"`, true},
		{`param(0) == 2 and param(0) < 2.5 and param(0) in [1, 2]`, true},
		{`param(0) == "2"`, true},  // as SQL compares text that looks like a number
		{`param(3) > 12`, true},    // decimals arrive as text
		{`param(3) == 12.5`, true}, //
		{`param(1) > 5`, false},    // text that is no number
		{`param(1) startsWith "SKU" and param(1) matches "(?i)^sku-\\d+$" and param(1) contains "77" and param(1) endsWith "7"`, true},
		{`param(4) >= "2026-02-11"`, true},
		{`param(2) == nil and param(9) == nil and param(1) != nil`, true},
		{`len(params) == 5`, true},
		{`verb == "update" and verb in ["insert", "Update"] and verb != "select" and verb matches "^upd" and verb startsWith "up"`, true},
		{`"update" == verb`, true},
		{`cmd == "COM_STMT_EXECUTE" and cmd == "execute" and cmd in ["query", "Execute"]`, true},
		{`hook == "result" and hook == "read_query_result" and hook in ["query", "result"] and hook != "query"`, true},
		{`dir == "Client"`, true},
		{`digest == "7c1e9a" and digest == "7C1E" and digest in ["00", "7c1e9a"] and digest != "7c1e9b"`, true},
		{`digest != "7c1e9a"`, false},
		{`comment.route == "/checkout" and comment["route"] != ""`, true},
		{`comment.nothing == ""`, true},
		{`attr._client_name == "mysqlnd"`, true},
		{`len > 40 and len(sql) > 40 and stmt == 12 and thread == 812 and conn == 3`, true},
		{`any(row, .email matches "@test")`, true},
		{`any(row, .email == nil and .id == 8)`, true},
		{`all(row, .id > 6) and none(row, .id > 8) and count(row, .id > 6) == 2`, true},
		{`any(row, .unknown == 1)`, false},
		{`row[0].id == 7`, true},
		{`let limit = 400; rows > limit`, true},
		{`rows > 500 ? false : write`, true},
		{`lower(user) == "app" && !ddl || false`, true},
		{`true`, true},
		{`nplus1 or slow or paused or edited or injected or crafted or scripted or partial or marked or replayed`, false},
	} {
		e, err := Compile(tt.src)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		if got, err := e.Eval(update()); got != tt.want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", tt.src, got, err, tt.want)
		}
		if e.String() != tt.src {
			t.Errorf("got %q, want %q", e, tt.src)
		}
	}
}

func TestNotYetKnownIsNeverTrue(t *testing.T) {
	for _, tt := range []struct {
		src  string
		at   Point
		want bool
	}{
		{`rows > 100`, ReadQuery, false},
		{`not (rows > 1000)`, ReadQuery, false},
		{`rows <= 1000`, ReadQuery, false},
		{`rows > 100 or verb == "UPDATE"`, ReadQuery, true},
		{`rows > 100 and verb == "UPDATE"`, ReadQuery, false},
		{`not (rows > 1000 or verb == "SELECT")`, ReadQuery, false},
		{`not (rows > 1000 and verb == "SELECT")`, ReadQuery, true},
		{`not (rows > 1000)`, ReadQueryResult, true},
		{`not failed`, ReadQuery, false},
		{`user == "app"`, ReadHandshake, false},
		{`user == "app"`, ReadAuth, true},
		{`user == "app" and tx`, Disconnect, true},
		{`verb == "UPDATE" or user == "app"`, Disconnect, true},
		{`verb == "UPDATE"`, Disconnect, false},
		{`hook == "disconnect"`, Disconnect, true},
		{`not (hook == "query")`, Disconnect, true},
		{`rows > 100`, 0, true}, // afterwards everything is known
		// NULL and absent parameters
		{`param(2) > 1`, ReadQuery, false},
		{`not (param(2) > 1)`, ReadQuery, false},
		{`param(2) != 1`, ReadQuery, false},
		{`not (param(9) == "x")`, ReadQuery, false},
		{`not (param(9) matches "x")`, ReadQuery, false},
		{`not (param(1) matches "x")`, ReadQuery, true},
		{`param(9) not in [1, 2]`, ReadQuery, false},
		{`param(0) not in [1, 3]`, ReadQuery, true},
		{`not (not (param(0) in [1, 2]))`, ReadQuery, true},
		{`not (param(0) != 2)`, ReadQuery, true},
		{`not (param(1) contains "SKU")`, ReadQuery, false},
	} {
		env := update()
		env.At = tt.at
		e, err := Compile(tt.src)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Eval(env); got != tt.want || err != nil {
			t.Errorf("%s at %v: got %v, %v, want %v", tt.src, tt.at, got, err, tt.want)
		}
	}
}

func TestPointAndUses(t *testing.T) {
	for _, tt := range []struct {
		src  string
		at   Point
		uses []string
	}{
		{`conn == 3`, ConnectServer, []string{"conn"}},
		{`thread == 3`, ReadHandshake, []string{"thread"}},
		{`user == "app" and conn == 3`, ReadAuth, []string{"conn", "user"}},
		{`param(1) == 3`, ReadQuery, []string{"params"}},
		{`"orders" in tables`, ReadQuery, []string{"db", "tables"}}, // db completes unqualified names
		{`len(tables) > 1`, ReadQuery, []string{"tables"}},
		{`sqlstate == "40001" or failed`, ReadQueryResult, []string{"error"}},
		{`hook == "query" and len > 1`, ReadQuery, []string{"hook", "len"}},
		{`any(row, .a == user)`, ReadQueryResult, []string{"user", "row"}},
	} {
		e, err := Compile(tt.src)
		if err != nil {
			t.Fatal(err)
		}
		if e.Point() != tt.at {
			t.Errorf("%s: got %v, want %v", tt.src, e.Point(), tt.at)
		}
		if diff := cmp.Diff(tt.uses, e.Uses().Names()); diff != "" {
			t.Errorf("%s: %s", tt.src, diff)
		}
	}
	e, _ := Compile(`"orders" in tables`)
	if !e.Uses().Has(Set("tables", "verb")) || e.Uses().Has(Set("sql")) {
		t.Error("Has is wrong")
	}
}

func TestCompileErrors(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"", `empty condition at 1, try: verb == "UPDATE" and rows > 100`},
		{"  ", `empty condition at 1, try: verb == "UPDATE" and rows > 100`},
		{`write and tabel == "x"`, `unknown field "tabel" at 11, did you mean "tables"?`},
		{`"x" in tabels`, `unknown field "tabels" at 8, did you mean "tables"?`},
		{`eror`, `unknown field "eror" at 1, did you mean "error"?`},
		{`verb == UPDATE`, `unknown field "UPDATE" at 9, put text in quotes: "UPDATE"`},
		{`table == "x"`, `unknown field "table" at 1, use "NAME" in tables`},
		{`user == "ä" and xyzzy`, `unknown field "xyzzy" at 17`},
		{`at_ == 1 or zzzzzzz`, `unknown field "at_" at 1, did you mean "attr"?`},
		{`HookName() == "x"`, `unknown function "HookName" at 1`},
		{`parm(0) == 1`, `unknown function "parm" at 1, did you mean "param"?`},
		{`param() == 1`, `param takes one number at 1, param(0) is the first parameter`},
		{`param("a") == 1`, `param takes a number at 7, param(0) is the first parameter`},
		{`param(0)`, `param(0) is a value, not a condition at 1, compare it: param(0) == 1`},
		{`verb = "x"`, `unexpected "=" at 6, use == to compare`},
		{`verb <> "x"`, `unexpected ">" at 7, use != to compare, or >=`},
		{`sql like "%x"`, `unexpected "like" at 5, use contains, startsWith or matches "…"`},
		{`sql ~ "x"`, `unexpected "~" at 5, use matches "…"`},
		{`write AND ddl`, `unexpected "AND" at 7, write and in lower case`},
		{`rows between 1 and 2`, `unexpected "between" at 6, use >= and <=`},
		{`sql matches "(x"`, "bad regular expression: missing closing ): `(x` at 13"},
		{`sql matches "(?=x)"`, "bad regular expression: invalid or unsupported Perl syntax: `(?=` at 13, patterns are RE2: no look-around, no back references"},
		{`param(0) matches "[z-a]"`, "bad regular expression: invalid character class range: `z-a` at 18"},
		{`rows`, `rows is a number, not a condition at 1, compare it: rows > 0`},
		{`write and user`, `user is a text, not a condition at 11, compare it: user == "…"`},
		{`tables`, `tables is a list of text, not a condition at 1, ask for a member: "…" in tables`},
		{`rows > "3"`, `cannot compare rows (number) with "3" (text) at 6, write the number without quotes`},
		{`ms > "fast"`, `cannot compare ms (number) with "fast" (text) at 4, ms is a number`},
		{`verb == 5`, `cannot compare verb (text) with 5 (number) at 6, put it in quotes: "5"`},
		{`tables == "orders"`, `cannot compare tables (list of text) with "orders" (text) at 8, use "orders" in tables`},
		{`tables contains "orders"`, `cannot compare tables (list of text) with "orders" (text) at 8, use "orders" in tables`},
		{`write == "yes"`, `cannot compare write (flag) with "yes" (text) at 7, write is true or false: write it alone, or not write`},
		{`5 in tables`, `in does not go with 5 (number) and tables (list of text) at 3`},
		{`"a" in sql`, `in does not go with "a" (text) and sql (text) at 5, use sql contains "a"`},
		{`not verb == "X"`, `not does not go with verb (text) at 1, to negate a comparison, put it in parentheses: not (a == b)`},
		{`ms > 200ms`, `bad number "200m" at 6, numbers have no unit: ms counts milliseconds, tx_age seconds, bytes and len bytes`},
		{`error.cod == 1`, `error has no field "cod" at 7, did you mean "code"?`},
		{`row.email == "x"`, `row (list of rows) has no field "email" at 5, ask for any row: any(row, .email == …)`},
		{`sql.contains("x")`, `sql (text) has no field "contains" at 5, write sql contains "…"`},
		{`hook == "qurey"`, `hook is never "qurey" at 9, did you mean "query"?`},
		{`cmd in ["query", "exec"]`, `cmd is never "exec" at 18`},
		{`dir == "up"`, `dir is never "up" at 8, known are client, server`},
		{`write and`, `the condition ends too early at 10`},
		{`(write`, `the condition ends too early at 7`},
		{`user == "abc`, `text without its closing quote at 13`},
		{`now() > 1`, `unknown function "now" at 1, did you mean "none"?`},
	} {
		e, err := Compile(tt.src)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%s: got %v, %v, want a SyntaxError", tt.src, e, err)
			continue
		}
		if got := err.Error(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s\n got %s\nwant %s", tt.src, got, tt.want)
		}
		if se.Src != tt.src || se.Off < 0 || se.Off > len(tt.src) {
			t.Errorf("%s: offset %d of %q", tt.src, se.Off, se.Src)
		}
	}
}

func TestCaretStandsBelowThePlace(t *testing.T) {
	_, err := Compile("user == \"ä\"\nand\ttabel")
	var se *SyntaxError
	if !errors.As(err, &se) {
		t.Fatal(err)
	}
	if got, want := se.Caret(), "and tabel\n    ^"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEvalReportsRuntimeErrors(t *testing.T) {
	for _, src := range []string{`row[5].id == 1`, `param(1) + 1 > 2`} {
		e, err := Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := e.Eval(update()); ok || err == nil {
			t.Errorf("%s: got %v, %v, want an error", src, ok, err)
		}
	}
}

func TestNilIsSafe(t *testing.T) {
	var e *Expr
	if ok, err := e.Eval(nil); !ok || err != nil {
		t.Errorf("a nil Expr: got %v, %v", ok, err)
	}
	if e.Uses() != 0 || e.Point() != ConnectServer || e.String() != "" || e.Explain() != "everything" || !e.MayHoldAt(ReadQuery) {
		t.Error("a nil Expr is not the one that matches everything")
	}
	e, err := Compile(`"a" in tables or comment.x == "y" or param(0) == 1 or any(row, .a == 1)`)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := e.Eval(nil); ok || err != nil {
		t.Errorf("a nil Env: got %v, %v", ok, err)
	}
}

func TestEvalFromManyGoroutines(t *testing.T) {
	e, err := Compile(`"orders" in tables and verb == "UPDATE" and (conn % 2 == 0 or param(0) == 99)`)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			env := update()
			env.Conn = n
			if _, err := Compile(e.String()); err != nil {
				t.Error(err)
			}
			for range 500 {
				if ok, err := e.Eval(env); ok != (n%2 == 0) || err != nil {
					t.Errorf("connection %d: got %v, %v", n, ok, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestExplain(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{`"orders" in tables and verb == "UPDATE" and rows > 100`, `names table "orders" and verb is "UPDATE" and rows > 100; known at result because of rows`},
		{`error.code in [1205, 1213]`, `error.code is one of 1205, 1213; known at result because of error`},
		{`failed and not slow`, `there is an error and not slow; known at result because of error, slow`},
		{`write and (user == "a" or user == "b")`, `it is write and (user is "a" or user is "b")`},
		{`not (verb == "SELECT")`, `not (verb is "SELECT")`},
		{`any(row, .email matches "@test")`, `any row has email matches "@test"; known at result because of row`},
		{`param(1) == nil`, `parameter 1 is NULL`},
		{`"a" not in tables`, `does not name table "a"`},
	} {
		e, err := Compile(tt.src)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Explain(); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.src, got, tt.want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`"orders" in tables and verb == "UPDATE"`, `not (rows > 1 or param(0) != nil)`, `any(row, .a matches "x")`, `error`, "a\n|", `hook in ["query"] ? true : failed`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Compile(src)
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) || se.Off < 0 || se.Off > len(src) {
				t.Fatalf("got %#v", err)
			}
			if strings.Count(se.Caret(), "\n") != 1 {
				t.Fatalf("caret %q", se.Caret())
			}
			return
		}
		again, err := Compile(e.String())
		if err != nil {
			t.Fatal(err)
		}
		e.Explain()
		for _, p := range append(Points(), 0) {
			env := update()
			env.At = p
			got, err1 := e.Eval(env)
			want, err2 := again.Eval(env)
			if got != want || (err1 == nil) != (err2 == nil) {
				t.Fatalf("%q: %v, %v and %v, %v", src, got, err1, want, err2)
			}
			if got && !e.MayHoldAt(p) {
				t.Fatalf("%q holds at %v where it cannot", src, p)
			}
		}
	})
}

func BenchmarkEval(b *testing.B) {
	for _, src := range []string{`verb == "UPDATE" and user != "cron"`, `"orders" in tables and verb == "UPDATE" and rows > 100`, `sql matches "(?i)for update"`, `param(1) == "SKU-77"`} {
		b.Run(src, func(b *testing.B) {
			e, err := Compile(src)
			if err != nil {
				b.Fatal(err)
			}
			env := update()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
