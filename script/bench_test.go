package script

import (
	"fmt"
	"testing"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// manyRows is an answer of n rows of two columns.
func manyRows(b testing.TB, n int, caps mysqlwire.Caps) *mysqlwire.Answer {
	b.Helper()
	set := &mysqlwire.ResultSet{Status: mysqlwire.StatusAutocommit, Columns: []mysqlwire.Column{
		{Catalog: "def", Name: "id", Type: value.LongLong}, {Catalog: "def", Name: "email", Type: value.VarString},
	}}
	for i := range n {
		set.Rows = append(set.Rows, []value.Value{int64(i), []byte(fmt.Sprintf("user%d@example.com", i))})
	}
	packets, err := set.Packets(&mysqlwire.Context{Caps: caps}, false)
	if err != nil {
		b.Fatal(err)
	}
	return &mysqlwire.Answer{Command: mysqlwire.ComQuery, Packets: packets}
}

// What scripts cost a query: the goal for one that does nothing is 3 µs.
func BenchmarkHooks(b *testing.B) {
	const query = "\x03SELECT a, b FROM orders WHERE id = 4711 AND state IN ('new', 'paid')"
	for _, bb := range []struct{ name, src string }{
		{"empty", "function read_query(packet) end"},
		{"nothing", "function read_query(packet) if packet:byte() ~= proxy.COM_QUERY then return end end"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			bench := load(b, bb.src)
			ev := bench.commandEvent(1, query)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bench.e.Handle(b.Context(), ev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("rewrite 1000 rows", func(b *testing.B) {
		bench := load(b, `
			function read_query(packet)
				proxy.queries:append(1, packet, { resultset_is_needed = true })
				return proxy.PROXY_SEND_QUERY
			end
			function read_query_result(inj)
				local rows = {}
				for row in inj.resultset.rows do
					row[2] = row[2]:gsub("^(.).*@", "%1***@")
					rows[#rows + 1] = row
				end
				local fields = {}
				for i = 1, #inj.resultset.fields do
					fields[i] = { name = inj.resultset.fields[i].name, type = inj.resultset.fields[i].type }
				end
				proxy.response = { type = proxy.MYSQLD_PACKET_OK, resultset = { fields = fields, rows = rows } }
				return proxy.PROXY_SEND_RESULT
			end`)
		answer := manyRows(b, 1000, bench.caps)
		b.ReportAllocs()
		for b.Loop() {
			v := bench.query(query)
			if v = bench.ask(bench.resultEvent(v, answer)); v.Action != intercept.Reply || len(v.Answer.Packets) != 1005 {
				b.Fatalf("got %v with %d packets", v.Action, len(v.Answer.Packets))
			}
		}
	})
}
