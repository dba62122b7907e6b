package intercept_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/charset"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// TestCharsetsAreFollowed changes a session's character sets in every way there is and compares what
// the proxy believes with what the server says.
func TestCharsetsAreFollowed(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		for name, caps := range map[string]mysqlwire.Caps{
			"with session state": 0, "without": intercepttest.ClientCaps &^ (mysqlwire.SessionTrack | mysqlwire.DeprecateEOF),
		} {
			t.Run(name, func(t *testing.T) { followCharsets(t, &s, p, caps) })
		}
	})
}

func followCharsets(t *testing.T, s *intercepttest.Server, p *intercepttest.Proxy, caps mysqlwire.Caps) {
	check := func(c *intercepttest.Client, after string) {
		t.Helper()
		ask := "select concat_ws(' ', @@character_set_client, @@character_set_results) /* after " + after + " */"
		want := strings.ReplaceAll(c.Text(ask)+" ", "utf8 ", "utf8mb3 ")
		d, ok := p.Journal.Detail(p.Finished(ask).Seq)
		if !ok {
			t.Fatal("the exchange is not in the journal")
		}
		if got := d.Context.Client + " " + d.Context.Results + " "; got != want {
			t.Errorf("after %s: got %q, want %q", after, got, want)
		}
	}
	for _, collation := range []uint8{45, 33, 8, 51, 13, 28, 255, 250, 63} {
		if collation == 250 && s.Name == "mysql56" {
			continue // it has no gb18030 yet, and goes by its default
		}
		c := intercepttest.DialIn(t, p.Addr, s, caps, collation)
		about, _ := mysqlwire.CollationOf(uint16(collation))
		check(c, "login with "+about.Name(false))
		_ = c.Conn.Close()
	}
	c := intercepttest.DialIn(t, p.Addr, s, caps, 51)
	for _, sql := range []string{
		"set names sjis", "SET NAMES 'koi8r'", "set names latin1 collate latin1_german1_ci", "set character set cp1251", "set charset utf8",
		"set character_set_client = gbk", "set session character_set_results = big5", "set @@character_set_results := greek, @@session.character_set_client='hebrew'",
		"/*!40101 SET NAMES utf8mb4 */", "set names utf8", "/* why */ set  -- not\n names cp850", "set @x = 1, names = 2",
		"set @saved = @@character_set_client", "set names ujis", "/*!40101 SET character_set_client = @saved */", "set names nonsense",
		"select 'set names sjis'", "set names binary", "set names cp866; select 1", "select 1; set names euckr",
	} {
		c.Query(sql)
		check(c, strings.ReplaceAll(sql, "*/", "* /"))
	}
	if err := c.ChangeUser(s.User, s.Password, s.Database); err != nil {
		t.Fatal(err)
	}
	check(c, "COM_CHANGE_USER")
	c.Query("set names sjis")
	if s.Name != "mysql56" {
		c.Do([]byte{byte(mysqlwire.ComResetConnection)})
		check(c, "COM_RESET_CONNECTION")
	}
	id := c.Prepare("set names gb2312")
	b, err := (&mysqlwire.StmtExecute{StmtID: id, Iterations: 1}).Encode(nil, c.Decoder.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Do(b)
	check(c, "a prepared SET")
}

// speaker is a character set with a text in it.
var speakers = []struct {
	collation uint8
	set, text string
	foreign   string // a character it does not have
}{
	{51, "cp1251", "Привет — мир №5", "漢"},
	{7, "koi8r", "Привет мир", "漢"},
	{13, "sjis", "ソース表示能力", "한"}, // characters that end in a backslash
	{95, "cp932", "ソース①髙", "한"},
	{12, "ujis", "ソース表示", "한"},
	{28, "gbk", "中文運誠縗", "한"}, // 縗 is 0xbf5c
	{1, "big5", "中文功許蓋", "한"},
	{19, "euckr", "한국어", "😀"},
	{8, "latin1", "naïve € Größe", "Ж"},
	{26, "cp1250", "žluťoučký kůň", "Ж"},
	{25, "greek", "Ελληνικά", "Ж"},
	{10, "swe7", "ÅÄÜ", "Ж"},
	{33, "utf8mb3", "漢字ü", "😀"},
	{45, "utf8mb4", "漢字ü", ""},
}

// TestTextsOfOtherCharacterSets runs statements of clients that do not speak UTF-8: what the list, the
// log, conditions and editors get is Unicode, and what they write arrives as what it says.
func TestTextsOfOtherCharacterSets(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		for _, sp := range speakers {
			t.Run(sp.set, func(t *testing.T) {
				c := intercepttest.DialIn(t, p.Addr, &s, 0, sp.collation)
				c.Decoder.KeepColumns = true
				set := charset.Of(sp.set)
				send := func(sql string) (*mysqlwire.Answer, intercept.Detail) {
					t.Helper()
					b, err := value.EncodeText(set, sql)
					if err != nil {
						t.Fatal(err)
					}
					a := c.Do(append([]byte{byte(mysqlwire.ComQuery)}, b...))
					d, ok := p.Journal.Detail(p.Finished(sql).Seq)
					if !ok {
						t.Fatalf("%s is not in the journal", sql)
					}
					return a, d
				}
				p.SetHooks()
				// A statement, the name of a column and a value.
				_, d := send("select '" + sp.text + "' as '" + sp.text + "'")
				row, columns := firstRow(t, &d)
				if name := d.Context.ResultText(columns[0].Name); row.Text(0) != sp.text || name != sp.text {
					t.Errorf("got %q called %q, want %q", row.Text(0), name, sp.text)
				}
				// A message.
				_, d = send("selekt '" + sp.text + "'")
				if d.Error == nil || !strings.Contains(d.Error.Message, sp.text) {
					t.Errorf("got error %v, want one with %s", d.Error, sp.text)
				}
				// A statement rewritten in Unicode.
				marker := "select 'marker " + sp.set + "'"
				rewrite := "select '" + sp.text + "', hex(convert('" + sp.text + "' using utf8mb4))"
				p.SetHooks(&hook{points: intercept.At(rule.ReadQuery), handle: func(ev *intercept.Event) (intercept.Verdict, error) {
					if ev.SQL != marker {
						return intercept.Verdict{}, nil
					}
					q, err := intercept.Rewrite(ev, rewrite, intercept.FromRule)
					return intercept.Verdict{Action: intercept.Forward, Queries: q}, err
				}})
				_, d = send(marker)
				row, _ = firstRow(t, &d)
				if got := row.Text(1); row.Text(0) != sp.text || got != fmt.Sprintf("%X", sp.text) {
					t.Errorf("rewritten, the server took it for %s %s, want %s", row.Text(0), got, sp.text)
				}
				// A character that the set does not have is refused before anything is sent.
				if sp.foreign != "" {
					rewrite = "select '" + sp.foreign + "'"
					send(marker)
					why := fmt.Sprintf("%q (%U) cannot be written in %s", []rune(sp.foreign)[0], []rune(sp.foreign)[0], sp.set)
					p.Until("the refusal is noted", func() bool {
						for _, n := range p.Journal.Notices(0, nil) {
							if strings.Contains(n.Text, why) {
								return true
							}
						}
						return false
					})
				}
				// A result and a parameter.
				p.SetHooks(editor(t, sp.text))
				a, _ := send("select 'a text to be edited, long enough', 1")
				cx := *c.Decoder.Context()
				cx.Texts = d.Context.Texts
				results, err := a.Results(&cx)
				if err != nil {
					t.Fatal(err)
				}
				row, err = results[0].Rows.Row(0)
				if want, _ := value.EncodeText(set, sp.text); err != nil || !bytes.Equal(row.Bytes(0), want) {
					t.Errorf("edited, the client gets %x, want %x", row.Bytes(0), want)
				}
				param(t, c, set, sp.text)
			})
		}
	})
}

// editor puts a text into the first cell of results, and into the first parameter of executes.
func editor(t *testing.T, text string) *hook {
	return &hook{points: intercept.At(rule.ReadQuery, rule.ReadQueryResult), handle: func(ev *intercept.Event) (v intercept.Verdict, err error) {
		m, _ := ev.Message()
		x, execute := m.(*mysqlwire.StmtExecute)
		switch {
		case ev.Point == rule.ReadQueryResult && ev.SQL == "select 'a text to be edited, long enough', 1":
			edit, err := ev.Answer.EditResult(ev.Context, 0)
			if err != nil {
				return v, err
			}
			cell, err := edit.Spec(0).Parse(text)
			if err == nil {
				err = edit.Set(0, 0, cell)
			}
			if err != nil {
				return v, err
			}
			v.Action = intercept.Forward
			v.Answer, err = edit.Answer()
			return v, err
		case ev.Point == rule.ReadQuery && execute:
			spec := ev.Context.ParamSpec(x.Params[0].Type, false)
			if old, err := x.Params[0].Value(); err != nil || spec.Format(old) != text {
				t.Errorf("the parameter is %q %v, want %q", spec.Format(old), err, text)
			}
			p, err := spec.Parse(text + text)
			if err != nil {
				return v, err
			}
			if x, err = x.WithParam(0, x.Params[0].Type, false, p); err != nil {
				return v, err
			}
			b, err := x.Encode(nil, ev.Context)
			return intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{{Packet: b, Origin: intercept.FromRule, Show: true}}}, err
		}
		return v, nil
	}}
}

// param executes a statement with a text that is edited on the way.
func param(t *testing.T, c *intercepttest.Client, set value.Charset, text string) {
	t.Helper()
	id := c.Prepare("select hex(convert(? using utf8mb4))")
	cx := *c.Decoder.ExecuteContext([]byte{byte(mysqlwire.ComStmtExecute), byte(id), byte(id >> 8), byte(id >> 16), byte(id >> 24)})
	b, err := value.EncodeText(set, text)
	if err != nil {
		t.Fatal(err)
	}
	param, err := mysqlwire.NewExecParam("", value.VarString, false, b)
	if err != nil {
		t.Fatal(err)
	}
	x := &mysqlwire.StmtExecute{StmtID: id, Iterations: 1, Params: []mysqlwire.ExecParam{param}, NewParamsBound: true}
	command, err := x.Encode(nil, &cx)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Value(c.Do(command)), fmt.Sprintf("%X", text+text); got != want {
		t.Errorf("the server took the edited parameter for %s, want %s", got, want)
	}
}

func firstRow(t *testing.T, d *intercept.Detail) (mysqlwire.Row, []mysqlwire.Column) {
	t.Helper()
	results, err := d.Answer.Results(d.Context)
	if err != nil || len(results) == 0 || results[0].Rows.Len() == 0 {
		t.Fatalf("%s: no rows: %v %v", d.SQL, err, d.Error)
	}
	row, err := results[0].Rows.Row(0)
	if err != nil {
		t.Fatal(err)
	}
	return row, results[0].Columns
}

// TestResultsInOtherCharacterSets reads results in sets that no statement can be written in, and
// with none at all.
func TestResultsInOtherCharacterSets(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := intercepttest.DialIn(t, p.Addr, &s, 0, 45)
		for _, results := range []string{"ucs2", "utf16", "utf16le", "utf32", "cp1251", "NULL"} {
			c.Query("set character_set_results = " + results)
			fields := "'Ж' as `я`, 12.5, cast('2024-01-02' as date), convert('ю' using koi8r)"
			if s.Name != "mysql56" {
				fields += ", json_object('ключ', 'ё')"
			}
			sql := "select " + fields + " /* " + results + " */"
			c.Do(append([]byte{byte(mysqlwire.ComQuery)}, sql...))
			d, _ := p.Journal.Detail(p.Finished(sql).Seq)
			row, columns := firstRow(t, &d)
			got := []string{d.Context.ResultText(columns[0].Name)}
			for i := range row.Len() {
				got = append(got, row.Text(i))
			}
			want := []string{"я", "Ж", "12.5", "2024-01-02", "ю", `{"ключ": "ё"}`}[:len(got)]
			if strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("in %s: got %q, want %q", results, got, want)
			}
		}
	})
}
