package intercept_test

import (
	"strings"
	"testing"

	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
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
