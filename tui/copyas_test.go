package tui

import (
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// people is an exchange with an answer of all kinds of values.
func people(t *testing.T) *intercept.Detail {
	t.Helper()
	cx := &mysqlwire.Context{Caps: mysqlwire.Protocol41 | mysqlwire.DeprecateEOF, Command: mysqlwire.ComQuery}
	d := &intercept.Detail{Context: cx}
	d.Command, d.SQL = mysqlwire.ComQuery, "SELECT * FROM people WHERE id < 9"
	d.Received = mysqlwire.Packet{Kind: mysqlwire.KindQuery, Payload: append([]byte{3}, d.SQL...)}
	d.Answer.Command = d.Command
	add := func(k mysqlwire.Kind, m mysqlwire.Message) {
		b, err := m.Encode(nil, cx)
		if err != nil {
			t.Fatal(err)
		}
		d.Answer.Packets = append(d.Answer.Packets, mysqlwire.Packet{Kind: k, Payload: b})
	}
	cx.Columns = []mysqlwire.Column{
		{Catalog: "def", Name: "id", OrgTable: "people", Type: value.Long, Collation: 63},
		{Catalog: "def", Name: "na|me", OrgTable: "people", Type: value.VarString, Collation: 45},
	}
	add(mysqlwire.KindColumnCount, &mysqlwire.ColumnCount{Count: 2, Metadata: 1})
	for i := range cx.Columns {
		add(mysqlwire.KindColumn, &cx.Columns[i])
	}
	for _, row := range [][][]byte{{[]byte("1"), []byte("it's, \"x\"|")}, {[]byte("2"), nil}} {
		add(mysqlwire.KindTextRow, &mysqlwire.TextRow{Cells: row})
	}
	add(mysqlwire.KindOK, &mysqlwire.OK{End: true})
	return d
}

func TestForms(t *testing.T) {
	d := people(t)
	want := map[string]string{
		"sql":       "SELECT * FROM people WHERE id < 9",
		"digest":    "SELECT * FROM `people` WHERE `id` < ?",
		"condition": `digest == "`,
		"error":     "",
		"hex":       "0353454c454354",
		"go":        `"\x03SELECT * FROM people WHERE id < 9"`,
		"csv":       "id,na|me\n1,\"it's, \"\"x\"\"|\"\n2,\n",
		"tsv":       "id\tna|me\n1\t\"it's, \"\"x\"\"|\"\n2\t\n",
		"json":      "[\n  {\"id\": 1, \"na|me\": \"it's, \\\"x\\\"|\"},\n  {\"id\": 2, \"na|me\": null}\n]\n",
		"markdown":  "| id | na\\|me |\n| --- | --- |\n| 1 | it's, \"x\"\\| |\n| 2 | NULL |\n",
		"insert":    "INSERT INTO `people` (`id`, `na|me`) VALUES (1, 'it''s, \"x\"|');\nINSERT INTO `people` (`id`, `na|me`) VALUES (2, NULL);\n",
	}
	for _, f := range forms {
		got := f.text(d)
		if f.name == "condition" || f.name == "hex" {
			got = got[:min(len(got), len(want[f.name]))]
		}
		if got != want[f.name] {
			t.Errorf("%s: got %q, want %q", f.name, got, want[f.name])
		}
	}
	d.Error = &mysqlwire.ERR{Code: 1054, SQLState: "42S22", Message: "no column"}
	d.Answer.Packets = nil
	for _, f := range forms {
		switch got := f.text(d); f.name {
		case "error":
			if got != "ERROR 1054 (42S22): no column" {
				t.Errorf("error: got %q", got)
			}
		case "csv", "tsv", "json", "markdown", "insert":
			if got != "" {
				t.Errorf("%s of an answer without rows: got %q", f.name, got)
			}
		}
	}
}

func TestCopyAs(t *testing.T) {
	d, m := start(t, shop(), 120, 36, plain)
	d.Press("g", "j", "Y")
	if got := m.prompt.input.Value(); got != "copy " {
		t.Errorf("Y offers %q", got)
	}
	d.Press("tab")
	d.Has("copy sql")
	d.Press("enter")
	if !strings.Contains(m.message.text, "sql") || !strings.Contains(m.message.text, "no terminal") {
		t.Errorf("got %q", m.message.text)
	}
	d.Press(":")
	d.Type("copy nonsense")
	d.Press("enter")
	d.Has("copy as what?")
	d.Press(":")
	d.Type("copy csv")
	d.Press("enter")
	d.Has("has no csv")
}
