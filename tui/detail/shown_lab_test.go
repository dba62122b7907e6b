package detail

import (
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"

	"github.com/charmbracelet/x/ansi"
)

// lab is a proxy in front of one real server, and what its inspector shows.
type lab struct {
	s intercepttest.Server
	p *intercepttest.Proxy
}

// each runs a test against every real server.
func eachServer(t *testing.T, test func(t *testing.T, l *lab)) {
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			test(t, &lab{s, intercepttest.NewProxy(t, intercept.Options{}, s.Addr)})
		})
	}
}

func (l *lab) client(t *testing.T, caps mysqlwire.Caps) *intercepttest.Client {
	t.Helper()
	return intercepttest.Dial(t, "tcp", l.p.Addr, l.s.User, l.s.Password, l.s.Database, caps)
}

// shows looks at the newest exchange with this text on a tab of the inspector, which must have all of want.
func (l *lab) shows(t *testing.T, sql string, on tab, want ...string) {
	t.Helper()
	x := l.p.Finished(sql)
	d, _ := l.p.Journal.Detail(x.Seq)
	var info intercept.ConnInfo
	for _, i := range l.p.Conns() {
		if i.ID == x.Conn {
			info = i
		}
	}
	m := newModel(t, Subject{})
	m.Show(Subject{Detail: &d, Conn: info})
	m.tab = on
	if on == tabPacket { // everything taken apart
		o := m.outline()
		for i := range o.parts {
			for j := range o.parts[i].packets {
				o.unfold(i, j)
			}
		}
	}
	text := ansi.Strip(m.View(160, 200, true))
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s: %s does not show %q:\n%s", sql, tabNames[on], w, strings.TrimSpace(text))
		}
	}
}

// TestSessionTrackingIsShown: every type that a server tracks, by its name.
func TestSessionTrackingIsShown(t *testing.T) {
	eachServer(t, func(t *testing.T, l *lab) {
		c := l.client(t, intercepttest.ClientCaps)
		if !c.Decoder.Caps().Has(mysqlwire.SessionTrack) {
			t.Skip("it does not track sessions")
		}
		for _, q := range []string{
			"set session_track_system_variables = '*'", "set session_track_schema = on", "set session_track_state_change = on",
			"set session_track_transaction_info = 'CHARACTERISTICS'",
		} {
			if sum := c.Query(q); sum.Error != nil {
				t.Fatalf("%s: %v", q, sum.Error)
			}
		}
		for _, q := range []string{"set autocommit = 0 /* tracked */", "use lab", "start transaction read only"} {
			if sum := c.Query(q); sum.Error != nil {
				t.Fatalf("%s: %v", q, sum.Error)
			}
		}
		l.shows(t, "set autocommit = 0 /* tracked */", tabResult, "autocommit = OFF", "something of it changed")
		l.shows(t, "set autocommit = 0 /* tracked */", tabPacket, "SYSTEM_VARIABLES", "STATE_CHANGE")
		l.shows(t, "use lab", tabResult, "now lab")
		l.shows(t, "use lab", tabPacket, "SCHEMA")
		l.shows(t, "start transaction read only", tabResult, "open", "would begin again with START TRANSACTION READ ONLY")
		l.shows(t, "start transaction read only", tabPacket, "TRANSACTION_CHARACTERISTICS", "TRANSACTION_STATE")
	})
}

func TestQueryAttributesAreShown(t *testing.T) {
	eachServer(t, func(t *testing.T, l *lab) {
		c := l.client(t, intercepttest.ClientCaps|mysqlwire.QueryAttributes)
		if !c.Decoder.Caps().Has(mysqlwire.QueryAttributes) {
			t.Skip("it has no query attributes")
		}
		attr, err := mysqlwire.NewExecParam("traceparent", value.VarString, false, []byte("00-4bf92f"))
		if err != nil {
			t.Fatal(err)
		}
		m := mysqlwire.Query{SQL: "select 'attributed'", Attributes: []mysqlwire.QueryAttr{attr}}
		b, err := m.Encode(nil, c.Decoder.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.Do(b)
		l.shows(t, m.SQL, tabStatement, "query attributes 1", "traceparent", "00-4bf92f")
		l.shows(t, m.SQL, tabPacket, "parameter_count", "traceparent")
	})
}

// TestResultsWithoutDefinitionsAreShown: MySQL's clients may do without column definitions, and with them again.
func TestResultsWithoutDefinitionsAreShown(t *testing.T) {
	eachServer(t, func(t *testing.T, l *lab) {
		c := l.client(t, intercepttest.ClientCaps|mysqlwire.OptionalResultsetMetadata)
		if !c.Decoder.Caps().Has(mysqlwire.OptionalResultsetMetadata) {
			t.Skip("it always sends definitions")
		}
		for _, step := range []struct{ set, sql, column string }{
			{"NONE", "select 'bare' as word, 1 as n", "column 2"}, {"FULL", "select 'dressed' as word, 1 as n", "word"},
		} {
			if sum := c.Query("set resultset_metadata = " + step.set); sum.Error != nil {
				t.Fatal(sum.Error)
			}
			c.Query(step.sql)
			l.shows(t, step.sql, tabResult, step.column, strings.Trim(strings.Fields(step.sql)[1], "'"), "2 columns")
		}
		l.shows(t, "select 'bare' as word, 1 as n", tabPacket, "metadata_follows")
	})
}

// TestExtendedTypesAreShown: MariaDB says what a text or a blob really is.
func TestExtendedTypesAreShown(t *testing.T) {
	eachServer(t, func(t *testing.T, l *lab) {
		c := l.client(t, intercepttest.ClientCaps&^mysqlwire.LongPassword|mysqlwire.MariaDBExtendedMetadata|mysqlwire.MariaDBCacheMetadata)
		if !c.Decoder.Caps().Has(mysqlwire.MariaDBExtendedMetadata) {
			t.Skip("it has no extended metadata")
		}
		const sql = "select json_object('a', 1) as j, cast('123e4567-e89b-12d3-a456-426655440000' as uuid) as u, cast('::1' as inet6) as i"
		if sum := c.Query(sql); sum.Error != nil {
			t.Fatal(sum.Error)
		}
		l.shows(t, sql, tabResult, "JSON", "UUID", "INET6", "123e4567-e89b-12d3-a456-", "::1")
		l.shows(t, sql, tabPacket, "extended_metadata", "inet6")

		// The second answer to an execute has no definitions: the client knows them, and so does the inspector.
		id := c.Prepare("select 7 as seven, 'x' as ex")
		m := mysqlwire.StmtExecute{StmtID: id, Iterations: 1}
		b, err := m.Encode(nil, &mysqlwire.Context{Caps: c.Decoder.Caps(), ParamsKnown: true})
		if err != nil {
			t.Fatal(err)
		}
		c.Do(b)
		if a := c.Do(b); a.Packets[1].Kind == mysqlwire.KindColumn {
			t.Error("the definitions came again")
		}
		c.Do([]byte{byte(mysqlwire.ComPing)})
		list, _ := l.p.Journal.Since(0, nil)
		last := 0
		for i, x := range list {
			if x.Command == mysqlwire.ComStmtExecute && (last == 0 || x.Seq > list[last].Seq) {
				last = i
			}
		}
		d, _ := l.p.Journal.Detail(list[last].Seq)
		view := newModel(t, Subject{})
		view.Show(Subject{Detail: &d})
		view.tab = tabResult
		if text := ansi.Strip(view.View(100, 30, true)); !strings.Contains(text, "seven") || !strings.Contains(text, "7") {
			t.Errorf("the columns are not known:\n%s", text)
		}
	})
}

// TestStreamsAreShown: what a replica got, by event, and what was uploaded.
func TestStreamsAreShown(t *testing.T) {
	m := newModel(t, Subject{})
	d := intercept.Detail{Exchange: intercept.Exchange{
		Seq: 9, Command: mysqlwire.ComBinlogDump, State: intercept.Done, Marks: intercept.MarkUnnamedFile,
		Stream: &intercept.Stream{
			Events: 1234, Bytes: 5 << 20, File: "binlog.000002", Position: 98765, GTID: "0-1-77", Acks: 3,
			Counts: []intercept.EventCount{{Type: 30, N: 1000}, {Type: 162, N: 234}},
		},
		Upload: &intercept.Upload{File: "/etc/passwd", Files: 1, Bytes: 10, Packets: 2, Ended: true, Unnamed: true},
	}}
	m.Show(Subject{Detail: &d, Conn: intercept.ConnInfo{ID: 1, Stream: d.Stream}})
	const on = tabSession
	m.tab = on
	text := ansi.Strip(m.View(120, 60, true))
	for _, want := range []string{"1,234 events", "binlog.000002 at 98,765", "0-1-77", "1,000  WRITE_ROWS_EVENT", "234  GTID_EVENT", "3 by the replica"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not show %q:\n%s", tabNames[on], want, text)
		}
	}
	text = ansi.Strip(strings.Join(m.heldLines(160), "\n"))
	for _, want := range []string{"1,234 events", "/etc/passwd: 10 bytes in 2 packets. The statement does not name this file"} {
		if !strings.Contains(text, want) {
			t.Errorf("the outcome does not tell %q:\n%s", want, text)
		}
	}
}
