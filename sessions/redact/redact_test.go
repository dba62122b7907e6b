package redact_test

import (
	"fmt"
	"strings"
	"testing"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/sessions/redact"
)

func rules(t testing.TB, src string) *redact.Rules {
	t.Helper()
	r, err := redact.Compile(src, []byte("a key"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMaskKeepsTheForm(t *testing.T) {
	r := rules(t, "true")
	for _, text := range []string{
		"", "0", "7", "-7", "42", "127", "-128", "18446744073709551615", "1.50", "-0.001", "1e10", "2026-11-21", "2026-11-21 10:11:12", "2026-11-21 10:11:12.123456",
		"10:11:12", "-838:59:59", "alice@example.com", "a", "é", "Ünïcödé text that is long", `{"name": "alice", "age": 5}`, "[1]", "\xff\xfe\x00", "0x1F2E",
		"123e4567-e89b-12d3-a456-426614174000",
	} {
		mask := r.Mask(text)
		if len(mask) > len(text) {
			t.Errorf("%q became the longer %q", text, mask)
		}
		if again := r.Mask(text); again != mask {
			t.Errorf("%q became %q, then %q", text, mask, again)
		}
		if len(text) > 2 && mask == text {
			t.Errorf("%q stays", text)
		}
		if form(mask) != form(text) {
			t.Errorf("%q became %q: %s, was %s", text, mask, form(mask), form(text))
		}
	}
	other, err := redact.Compile("true", nil)
	if err != nil {
		t.Fatal(err)
	}
	if other.Mask("alice@example.com") == r.Mask("alice@example.com") {
		t.Error("two keys give one mask")
	}
}

// form is the first type that takes a text.
func form(text string) string {
	for _, typ := range []value.Type{value.NewDecimal, value.Double, value.DateTime, value.Date, value.Time, value.JSON} {
		if _, err := (value.Spec{Type: typ, Decimals: value.NoDecimals}).Parse(text); err == nil && text != "" {
			return typ.String()
		}
	}
	return "text"
}

func TestStatement(t *testing.T) {
	r := rules(t, `column in ["email", "age"] or table == "cards"`)
	m := r.Mask
	for _, tt := range []struct{ sql, want string }{
		{"select * from users where id = 15", "select * from users where id = 15"},
		{"select * from users where email = 'a@b' and id = 15", "select * from users where email = '" + m("a@b") + "' and id = 15"},
		{"select * from users where lower(Email) like 'a%'", "select * from users where lower(Email) like '" + m("a%") + "'"},
		{"select concat(email, 'x') from users limit 10", "select concat(email, '" + m("x") + "') from users limit 10"},
		{"insert into users (id, email, age) values (15, 'it''s', 42)", "insert into users (id, email, age) values (15, '" + m("it's") + "', " + m("42") + ")"},
		{"insert into users values (15, 'x')", "insert into users values (" + m("15") + ", '" + m("x") + "')"},
		{"update cards set n = 1234, x = 'y' where id = 3", "update cards set n = " + m("1234") + ", x = '" + m("y") + "' where id = " + m("3")},
		{"select 'email' from t", "select 'email' from t"},
	} {
		if got := r.Statement(tt.sql, "shop"); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

func answer(t testing.TB, cx *mysqlwire.Context, binary bool) *mysqlwire.Answer {
	t.Helper()
	rs := &mysqlwire.ResultSet{Status: mysqlwire.StatusAutocommit, Columns: []mysqlwire.Column{
		{Name: "id", Type: value.Tiny, Decimals: 0, Collation: mysqlwire.CollationBinary, Table: "u", OrgTable: "users", OrgName: "id"},
		{Name: "mail", Type: value.VarString, Collation: 45, Length: 400, Table: "u", OrgTable: "users", OrgName: "Email"},
		{Name: "born", Type: value.Date, Collation: mysqlwire.CollationBinary, Table: "u", OrgTable: "users", OrgName: "born"},
	}}
	for i := range 3 {
		rs.Rows = append(rs.Rows, []value.Value{int64(100 + i), []byte("same@example.com"), value.Moment{Year: 1980, Month: 2, Day: uint8(i + 1)}})
	}
	rs.Rows = append(rs.Rows, []value.Value{int64(5), nil, nil})
	a, err := rs.Answer(cx, binary)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnswer(t *testing.T) {
	for _, binary := range []bool{false, true} {
		t.Run(fmt.Sprintf("binary %t", binary), func(t *testing.T) {
			cx := &mysqlwire.Context{Caps: mysqlwire.Protocol41 | mysqlwire.DeprecateEOF, Command: mysqlwire.ComQuery}
			if binary {
				cx.Command = mysqlwire.ComStmtExecute
			}
			r := rules(t, `column == "email" or type == "date" or column == "id"`)
			was := answer(t, cx, binary)
			got, err := r.Answer(was, cx)
			if err != nil {
				t.Fatal(err)
			}
			results, err := got.Results(cx)
			if err != nil {
				t.Fatal(err)
			}
			for i := range results[0].Rows.Len() {
				row, err := results[0].Rows.Row(i)
				if err != nil {
					t.Fatal(err)
				}
				if i == 3 {
					if !row.Null(1) || !row.Null(2) {
						t.Errorf("NULL became %s and %s", row.Text(1), row.Text(2))
					}
					continue
				}
				if want := r.Mask("same@example.com"); row.Text(1) != want {
					t.Errorf("row %d: got %s, want %s as in statements", i, row.Text(1), want)
				}
				if want := r.Mask(fmt.Sprint(100 + i)); row.Text(0) != want {
					t.Errorf("row %d: got %s, want %s", i, row.Text(0), want)
				}
				if want := r.Mask(fmt.Sprintf("1980-02-%02d", i+1)); row.Text(2) != want {
					t.Errorf("row %d: got %s, want %s", i, row.Text(2), want)
				}
			}
			same, err := rules(t, `column == "nothing"`).Answer(was, cx)
			if err != nil || same != was {
				t.Errorf("what is not masked was made anew, %v", err)
			}
		})
	}
}

func TestExecute(t *testing.T) {
	r := rules(t, `column == "email"`)
	param := func(v value.Value, typ value.Type) mysqlwire.ExecParam {
		p, err := mysqlwire.NewExecParam("", typ, false, v)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	m := &mysqlwire.StmtExecute{Params: []mysqlwire.ExecParam{param(int64(7), value.LongLong), param([]byte("a@b.c"), value.VarString), param(nil, value.Null)}}
	got, err := r.Execute(m, "update users set age = ?, email = ? where email = ?", "shop")
	if err != nil {
		t.Fatal(err)
	}
	if got.Params[0].String() != "7" || got.Params[1].String() != "'"+r.Mask("a@b.c")+"'" || !got.Params[2].Null {
		t.Errorf("got %v", got.Params)
	}
	if m.Params[1].String() != "'a@b.c'" {
		t.Error("the original was changed")
	}
}

func TestBadExpressions(t *testing.T) {
	for _, src := range []string{"colum == 'x'", "column", "column ==", ""} {
		if _, err := redact.Compile(src, nil); err == nil || !strings.Contains(err.Error(), "known are column") {
			t.Errorf("%q: got %v", src, err)
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"1", "2026-01-01", "x", `{"a":1}`, "\xff"} {
		f.Add(s)
	}
	r := rules(f, "true")
	f.Fuzz(func(t *testing.T, text string) {
		mask := r.Mask(text)
		if len(mask) > len(text) || mask != r.Mask(text) {
			t.Fatalf("%q became %q", text, mask)
		}
		_ = r.Statement(text, "")
	})
}
