package intercept_test

import (
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

const bulkCaps = intercepttest.ClientCaps&^mysqlwire.LongPassword | mysqlwire.MariaDBStmtBulkOperations | mysqlwire.MariaDBBulkUnitResults

// bulk is a COM_STMT_BULK_EXECUTE of rows with one parameter.
func bulk(t *testing.T, id uint32, flags mysqlwire.BulkFlags, typ value.Type, rows ...[]byte) []byte {
	t.Helper()
	m := mysqlwire.StmtBulkExecute{StmtID: id, Flags: flags, Types: []mysqlwire.BulkType{{Type: typ}}}
	for _, raw := range rows {
		v := mysqlwire.BulkValue{Raw: raw}
		if raw == nil {
			v.Indicator = mysqlwire.BulkNull
		}
		m.Rows = append(m.Rows, []mysqlwire.BulkValue{v})
	}
	b, err := m.Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// eachBulk runs a test with a prepared INSERT on every server that has bulk executes.
func eachBulk(t *testing.T, test func(t *testing.T, c *intercepttest.Client, p *intercepttest.Proxy, id uint32, table string)) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		if !strings.HasPrefix(s.Name, "mariadb") {
			t.Skip("MariaDB's command")
		}
		table := scratch(t, &s) + ".t"
		c := client(t, &s, p.Addr, bulkCaps)
		if sum := c.Query("create table " + table + " (id int auto_increment primary key, a varchar(20))"); sum.Error != nil {
			t.Fatal(sum.Error)
		}
		test(t, c, p, c.Prepare("insert into "+table+" (a) values (concat('<', ?, '>'))"), table)
	})
}

// TestBulkTypesThatOnlyTheClientKnows: what a bulk execute without types means is what the client thinks.
func TestBulkTypesThatOnlyTheClientKnows(t *testing.T) {
	long := func(v byte) []byte { return []byte{v, 0, 0, 0} }
	eachBulk(t, func(t *testing.T, c *intercepttest.Client, p *intercepttest.Proxy, id uint32, table string) {
		ok := func(what string, a *mysqlwire.Answer) {
			t.Helper()
			if a.Packets[0].Kind != mysqlwire.KindOK {
				t.Errorf("%s: got %s %q", what, a.Packets[0].Kind, a.Packets[0].Payload)
			}
		}
		// The first is answered here: the server never hears of its types.
		p.Break(`once do err 1205 if cmd == "bulk_execute"`)
		if a := c.Do(bulk(t, id, mysqlwire.BulkSendTypes, value.Long, long(1))); a.Packets[0].Kind != mysqlwire.KindERR {
			t.Fatalf("got %s", a.Packets[0].Kind)
		}
		ok("after one that was not sent", c.Do(bulk(t, id, 0, value.Long, long(2), nil, long(3))))
		// The next is sent with other types.
		p.Break(`once if cmd == "bulk_execute"`)
		command := bulk(t, id, 0, value.Long, long(4))
		c.Send(command)
		h := p.Held(rule.ReadQuery)
		m, err := h.Message()
		if err != nil {
			t.Fatal(err)
		}
		if b := m.(*mysqlwire.StmtBulkExecute); len(b.Rows) != 1 || b.Rows[0][0].Text(b.Types[0]) != "4" {
			t.Errorf("held %+v", m)
		}
		other := bulk(t, id, mysqlwire.BulkSendTypes, value.VarString, []byte("\x03abc"), []byte("\x03def"))
		p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{{Packet: other, Origin: intercept.FromPerson, Show: true}}})
		ok("edited", c.Answer(command))
		ok("after an edited one", c.Do(bulk(t, id, 0, value.Long, long(5))))
		// A plain execute goes by the same types, and the other way round.
		p.Break(`once do err 1205 if cmd == "bulk_execute"`)
		c.Do(bulk(t, id, mysqlwire.BulkSendTypes, value.Short, []byte{6, 0}))
		ok("a plain one", c.Do(statementCommand(mysqlwire.ComStmtExecute, id, 0, 1, 0, 0, 0, 0, 0, 7, 0)))
		if got, want := c.Text("select group_concat(ifnull(a, 'NULL') order by id) from "+table), "<2>,NULL,<3>,<abc>,<def>,<5>,<7>"; got != want {
			t.Errorf("the table has %s, want %s", got, want)
		}
		for _, i := range p.Conns() {
			if i.Opaque != "" {
				t.Error(i.Opaque)
			}
		}
	})
}

// TestBulkUnitResults: the answer has a row for each row sent, which can be held and edited.
func TestBulkUnitResults(t *testing.T) {
	eachBulk(t, func(t *testing.T, c *intercepttest.Client, p *intercepttest.Proxy, id uint32, _ string) {
		if !c.Decoder.Caps().Has(mysqlwire.MariaDBBulkUnitResults) {
			t.Skip("MariaDB has unit results since 11.5")
		}
		rows := [][]byte{[]byte("\x01a"), []byte("\x01b"), []byte("\x01c")}
		command := bulk(t, id, mysqlwire.BulkSendTypes|mysqlwire.BulkUnitResults, value.VarString, rows...)
		results := func(a *mysqlwire.Answer) string {
			t.Helper()
			cx := *c.Decoder.Context()
			cx.Command = a.Command
			list, err := a.Results(&cx)
			if err != nil || len(list) == 0 {
				t.Fatalf("got %d results, %v", len(list), err)
			}
			var ids []string
			for i := range list[0].Rows.Len() {
				row, err := list[0].Rows.Row(i)
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, row.Text(0))
			}
			return strings.Join(ids, ",")
		}
		if got := results(c.Do(command)); got != "1,2,3" {
			t.Errorf("got ids %s", got)
		}
		p.Break(`once at result if cmd == "bulk_execute"`)
		c.Send(command)
		h := p.Held(rule.ReadQueryResult)
		edit, err := h.Answer.EditResult(h.Context, 0)
		if err == nil {
			err = edit.DeleteRow(1)
		}
		if err != nil {
			t.Fatal(err)
		}
		edited, err := edit.Answer()
		if err != nil {
			t.Fatal(err)
		}
		p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Answer: edited})
		if got := results(c.Answer(command)); got != "4,6" {
			t.Errorf("edited: got ids %s", got)
		}
		if got := c.Text("select 7"); got != "7" {
			t.Errorf("then got %s", got)
		}
	})
}
