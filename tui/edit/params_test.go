package edit

import (
	"strings"
	"testing"

	"mydbg/intercept/charset"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

func TestQueryAttributesAreEdited(t *testing.T) {
	route := must(mysqlwire.NewExecParam("route", value.VarString, false, []byte("/checkout")))
	user := must(mysqlwire.NewExecParam("user", value.LongLong, false, int64(7)))
	h := commandEvent(&mysqlwire.Query{SQL: "SELECT 1", Attributes: []mysqlwire.ExecParam{route, user}}, &mysqlwire.Context{Caps: testCaps | mysqlwire.QueryAttributes})
	e := must(Query(h, nil, testEnv(t)))
	press(e, "<tab><tab><tab><tab>")
	press(e, "0")
	v := verdictOf(t, e)
	m := decodeAs[*mysqlwire.Query](t, v.Queries[0], h.Context)
	if got := m.Attributes[1].String(); m.SQL != "SELECT 1" || got != "70" || m.Attributes[0].String() != "'/checkout'" {
		t.Errorf("got %q with %s, %s", m.SQL, m.Attributes[0].String(), got)
	}
	screens(t, e)
	press(e, "x")
	if _, err := e.Verdict(); err == nil || !strings.Contains(err.Error(), `parameter user: "70x" is not a number`) {
		t.Errorf("got %v, want a refusal that names it", err)
	}
}

func TestBulkRowsAreEdited(t *testing.T) {
	cx := &mysqlwire.Context{Caps: testCaps, MariaDB: true, Params: make([]mysqlwire.Param, 2), ParamsKnown: true}
	cx.Texts = mysqlwire.Texts{Charsets: charset.All, Client: "cp1251"}
	number := func(n byte) mysqlwire.BulkValue { return mysqlwire.BulkValue{Raw: []byte{n, 0, 0, 0}} }
	text := func(s string) mysqlwire.BulkValue {
		return mysqlwire.BulkValue{Raw: append([]byte{byte(len(s))}, s...)}
	}
	h := commandEvent(&mysqlwire.StmtBulkExecute{
		StmtID: 3, Flags: mysqlwire.BulkSendTypes, Types: []mysqlwire.BulkType{{Type: value.Long}, {Type: value.VarString}},
		Rows: [][]mysqlwire.BulkValue{{number(1), text("\xc0")}, {number(2), {Indicator: mysqlwire.BulkDefault}}},
	}, cx)
	h.SQL = "insert into t values (?, ?)"
	e := must(Query(h, nil, testEnv(t)))
	press(e, "0") // the first number: 10
	press(e, "<tab><tab>Б")
	press(e, "<tab><tab><ctrl+n>") // the number of the second row is NULL
	press(e, "<tab><tab>x")        // a DEFAULT stays
	v := verdictOf(t, e)
	m := decodeAs[*mysqlwire.StmtBulkExecute](t, v.Queries[0], cx)
	var got []string
	for _, row := range m.Rows {
		for i, v := range row {
			got = append(got, v.Literal(m.Types[i], cx))
		}
	}
	if want := "10 'АБ' NULL DEFAULT"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
	screens(t, e)
	e = must(Query(h, nil, testEnv(t)))
	press(e, "<tab><tab>漢")
	if _, err := e.Verdict(); err == nil || !strings.Contains(err.Error(), "cannot be written in cp1251") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestDraftOfAttributesOpensAgain(t *testing.T) {
	route := must(mysqlwire.NewExecParam("route", value.VarString, false, []byte("/a")))
	h := commandEvent(&mysqlwire.Query{SQL: "SELECT 1", Attributes: []mysqlwire.ExecParam{route}}, &mysqlwire.Context{Caps: testCaps | mysqlwire.QueryAttributes})
	e := must(Query(h, nil, testEnv(t)))
	press(e, "<tab><tab>b")
	v := verdictOf(t, e)
	again := must(Query(h, &v, testEnv(t)))
	if s := again.View(80, 20); !strings.Contains(s, "/ab") {
		t.Errorf("the draft opens as\n%s", s)
	}
}
