package sessions

import (
	"testing"

	"mydbg/intercept/charset"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// TestRecordingsAreUnicode reads texts that were not in UTF-8 as the live list showed them.
func TestRecordingsAreUnicode(t *testing.T) {
	for _, server := range intercepttest.Servers(t, nil) {
		t.Run(server.Name, func(t *testing.T) {
			texts := []string{"select 'Привет'", "selekt 'Ошибка'", "select 'ソース表'"}
			r, _, _ := record(t, &server, RecordOptions{}, func(p *intercepttest.Proxy) {
				c := intercepttest.DialIn(t, p.Addr, &server, 0, 51)
				say := func(set, text string) {
					b, err := charset.Of(set).Encode(text)
					if err != nil {
						t.Fatal(err)
					}
					c.Do(append([]byte{byte(mysqlwire.ComQuery)}, b...))
				}
				say("cp1251", texts[0])
				say("cp1251", texts[1])
				c.Query("set names sjis")
				say("sjis", texts[2])
				_ = c.Conn.Close()
			})
			var got []string
			for x, err := range r.Exchanges(0) {
				if err != nil {
					t.Fatal(err)
				}
				if x.Command != mysqlwire.ComQuery || x.SQL == "set names sjis" {
					continue
				}
				rec, err := r.Record(x.Seq)
				if err != nil {
					t.Fatal(err)
				}
				if x.SQL != rec.Statement || x.SQLLen != len(x.SQL) {
					t.Errorf("listed as %q of %d, loaded as %q", x.SQL, x.SQLLen, rec.Statement)
				}
				got = append(got, x.SQL)
				results, err := rec.Answer.Results(rec.Context)
				if err != nil {
					t.Fatal(err)
				}
				if shown := results[0].Readable(rec.Context); shown.ERR != nil {
					if shown.ERR.Message != x.Error.Message {
						t.Errorf("listed as %q, loaded as %q", x.Error.Message, shown.ERR.Message)
					}
					continue
				}
				row, err := results[0].Rows.Row(0)
				if err != nil || "select '"+row.Text(0)+"'" != x.SQL {
					t.Errorf("%s: got %q, %v", x.SQL, row.Text(0), err)
				}
			}
			if len(got) != len(texts) {
				t.Fatalf("got %q, want %q", got, texts)
			}
			for i := range texts {
				if got[i] != texts[i] {
					t.Errorf("got %q, want %q", got[i], texts[i])
				}
			}
		})
	}
}
