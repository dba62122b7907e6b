package main

import (
	"encoding/binary"
	"strconv"
	"strings"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// topic is one conversation, played with each set of capabilities.
type topic struct {
	name           string
	sets           []string
	mariadb, mysql bool // only these servers
	play           func(c *client)
}

func topics() []topic {
	all := []string{"plain", "modern", "full", "eof"}
	most := []string{"plain", "full", "eof"}
	some := []string{"plain", "full"}
	modern := []string{"modern"}
	full := []string{"full"}
	list := []topic{
		{name: "queries", sets: []string{"plain", "modern", "full"}, play: queries},
		{name: "results", sets: most, play: results},
		{name: "types-text", sets: some, play: typesText},
		{name: "types-prepared", sets: some, play: typesPrepared},
		{name: "parameters", sets: some, play: parameters},
		{name: "statements", sets: most, play: statements},
		{name: "call-out", sets: all, play: callOut},
		{name: "errors", sets: most, play: failures},
		{name: "cursors", sets: most, play: cursors},
		{name: "long-data", sets: some, play: longData},
		{name: "infile", sets: some, play: infile},
		{name: "commands", sets: some, play: commands},
		{name: "field-list", sets: all, play: fieldList},
		{name: "change-user", sets: some, play: changeUser},
		{name: "session-track", sets: []string{"full", "eof"}, play: sessionTrack},
		{name: "attributes", sets: modern, mysql: true, play: attributes},
		{name: "no-metadata", sets: []string{"full", "eof"}, mysql: true, play: noMetadata},
		{name: "bulk", sets: []string{"full", "eof"}, mariadb: true, play: bulk},
		{name: "progress", sets: full, mariadb: true, play: progress},
		{name: "vectors", sets: some, play: vectors},
		{name: "charsets", sets: some, play: charsets},
		{name: "pipelined", sets: modern, play: pipelined},
		{name: "infile-refused", sets: modern, play: infileRefused},
		{name: "killed", sets: modern, play: killed},
		{name: "killed-running", sets: modern, play: killedRunning},
		{name: "killed-connection", sets: modern, play: killedConnection},
		{name: "tls-request", sets: modern, play: tlsRequest},
		{name: "timeout", sets: modern, play: timeout},
		{name: "binlog", sets: some, play: binlog},
		{name: "binlog-gtid", sets: modern, mysql: true, play: binlogGTID},
		{name: "big", sets: modern, play: big},
		{name: "too-big", sets: modern, play: tooBig},
		{name: "login-unknown-schema", sets: modern, play: func(c *client) { c.loginAs(c.user, c.password, "nowhere") }},
		{name: "login-wrong-password", sets: some, play: func(c *client) { c.loginAs(c.user, "wrong", "") }},
		{name: "login-switch", sets: modern, play: func(c *client) {
			c.plugin = "mysql_clear_password" // which nobody here has
			c.login()
		}},
	}
	for _, u := range []struct{ user, password string }{
		{"lab_empty", ""},
		{"lab_native", "native-pw"},
		{"lab_ed25519", "ed25519-pw"},
		{"lab_parsec", "parsec-pw"},
		{"lab_sha2", "sha2-pw"},
		{"lab_sha256", "sha256-pw"},
		{"lab_ssl", "ssl-pw"},
		{"lab_locked", "locked-pw"},
		{"lab_expired", "expired-pw"},
		{"lab_multi", "multi-pw"},
	} {
		list = append(list, topic{name: "login-" + strings.TrimPrefix(u.user, "lab_"), sets: modern, play: func(c *client) {
			c.loginAs(u.user, u.password, "")
			if c.d.State() == mysqlwire.StateIdle {
				c.query("select current_user()")
			}
		}})
	}
	return list
}

func queries(c *client) {
	c.login()
	for _, sql := range []string{
		"select 1", "select null, '', 'ü 🙂', 1.5, -7, x'00ff'", "select * from customers where id < 5", "select * from customers where id < 0",
		"do 1", "", "create temporary table q (id int auto_increment primary key, a varchar(20), b int)",
		"insert into q (a, b) values ('x', 1), ('y', 2), ('z', null)", "update q set b = b + 1", "delete from q where b = 3",
		"insert ignore into q (a) values (repeat('long', 10))", "show warnings", "select repeat('m', 250)", "select repeat('m', 251)",
		"select repeat('l', 70000), id from customers order by id limit 2", "start transaction", "update q set b = 9 where id = 1", "rollback",
		"explain select * from orders", "use information_schema", "use lab", "set names latin1", "select 'é'", "drop temporary table q",
		"select 1 as `a long name with \"quotes\" and ü`", "select id, name from customers order by id limit 1 -- comment",
	} {
		c.query(sql)
	}
}

func results(c *client) {
	c.login()
	c.query("select 1; do 1; select 2, 3 from customers limit 2; select 4 from customers where id < 0")
	c.query("call p_multi(2)")
	c.query("call p_multi(0)")
	c.query("select 1;")
	c.ask(&mysqlwire.SetOption{Option: 1})
	c.query("select 1; select 2")
	c.ask(&mysqlwire.SetOption{Option: 0})
	c.query("set @a = 1; insert into customers select * from customers where id < 0; select @a")
	c.query("call p_multi(1); select 'after'")
}

func typesText(c *client) {
	c.login()
	c.query("set sql_mode = ''")
	c.query("select * from all_types")
	c.query("select min(c_date), max(c_dt6), avg(c_dec), count(*), sum(c_int), st_astext(c_geom) from all_types group by c_geom")
	c.query("show full columns from all_types like 'c_u%'")
}

func typesPrepared(c *client) {
	c.login()
	id := c.prepare("select * from all_types")
	c.execute(id, 0)
	if c.has(mysqlwire.MariaDBCacheMetadata) {
		c.execute(id, 0)
	}
	c.execute(c.prepare("select cast('12:00:01.5' as time(1)), cast('2024-01-02 03:04:05.000006' as datetime(6)), 1e0, 2.50, null, current_date()"), 0)
}

func param(c *client, t value.Type, unsigned bool, v value.Value) mysqlwire.ExecParam {
	p, err := mysqlwire.NewExecParam("", t, unsigned, v)
	c.fail("parameter", err)
	return p
}

// parameters sends every type there is.
func parameters(c *client) {
	c.login()
	id := c.prepare("select ?")
	for _, p := range []struct {
		t        value.Type
		unsigned bool
		v        value.Value
	}{
		{value.Tiny, false, int64(-1)},
		{value.Tiny, true, uint64(255)},
		{value.Short, false, int64(-300)},
		{value.Long, false, int64(1 << 20)},
		{value.LongLong, false, int64(-1 << 62)},
		{value.LongLong, true, uint64(1<<64 - 1)},
		{value.Float, false, float32(1.5)},
		{value.Double, false, 2.25},
		{value.NewDecimal, false, []byte("123.450")},
		{value.VarString, false, []byte("text ü")},
		{value.String, false, []byte("")},
		{value.Blob, false, []byte{0, 1, 0xff}},
		{value.VarString, false, []byte(strings.Repeat("s", 300))},
		{value.Date, false, value.Moment{Year: 2024, Month: 2, Day: 29}},
		{value.Date, false, value.Moment{}},
		{value.DateTime, false, value.Moment{Year: 2024, Month: 2, Day: 29, Hour: 23, Minute: 59, Second: 58}},
		{value.Timestamp, false, value.Moment{Year: 2024, Month: 2, Day: 29, Hour: 1, Micro: 7}},
		{value.Time, false, value.Clock{Neg: true, Days: 1, Hours: 2, Minutes: 3, Seconds: 4, Micro: 5}},
		{value.Time, false, value.Clock{Hours: 5}},
		{value.Time, false, value.Clock{}},
		{value.Null, false, nil},
		{value.Long, false, nil},
		{value.Short, true, uint64(2024)},
	} {
		c.execute(id, 0, param(c, p.t, p.unsigned, p.v))
	}
	id = c.prepare("select ?, ?, ?, ?, ?, ?, ?, ?, ?, ?")
	var ten []mysqlwire.ExecParam
	for i := range 10 {
		v := value.Value(int64(i))
		if i%3 == 1 {
			v = nil
		}
		ten = append(ten, param(c, value.Long, false, v))
	}
	c.execute(id, 0, ten...)
}

func statements(c *client) {
	c.login()
	c.query("create temporary table s (id int auto_increment primary key, a varchar(20), b double)")
	insert := c.prepare("insert into s (a, b) values (?, ?)")
	c.execute(insert, 0, param(c, value.VarString, false, []byte("first")), param(c, value.Double, false, 0.5))
	// Without types: those of the last execute.
	c.ask(&mysqlwire.StmtExecute{StmtID: insert, Iterations: 1, Params: []mysqlwire.ExecParam{
		param(c, value.VarString, false, []byte("second")), param(c, value.Double, false, nil),
	}})
	c.execute(insert, 0, param(c, value.LongLong, false, int64(3)), param(c, value.VarString, false, []byte("1.25")))
	sel := c.prepare("select id, a, b from s where id >= ? order by id")
	for _, from := range []int64{1, 3, 9} {
		c.execute(sel, 0, param(c, value.LongLong, false, from))
	}
	c.ask(&mysqlwire.StmtReset{StmtID: sel})
	c.execute(sel, 0, param(c, value.LongLong, false, int64(2)))
	c.query("alter table s add column extra int")
	c.execute(c.prepare("select * from s"), 0)
	c.execute(c.prepare("show tables like 'c%'"), 0)
	c.prepare("do 1")
	c.prepare("select x from nowhere")
	c.prepare("select 1; select 2")
	c.ask(&mysqlwire.StmtClose{StmtID: sel})
	c.ask(&mysqlwire.StmtClose{StmtID: insert})
	c.execute(sel, 0)
}

func callOut(c *client) {
	c.login()
	id := c.prepare("call p_out(?, ?, ?)")
	c.execute(id, 0, param(c, value.Long, false, int64(2)), param(c, value.Long, false, int64(40)), param(c, value.VarString, false, nil))
	c.execute(c.prepare("call p_multi(?)"), 0, param(c, value.Long, false, int64(2)))
	c.execute(c.prepare("call p_fail()"), 0)
	c.query("set @b = 1")
	c.query("call p_out(1, @b, @c)")
	c.query("select @b, @c")
}

func failures(c *client) {
	c.login()
	c.query("select")
	c.query("select * from nowhere")
	c.query("select id, exp(id * 250) as e from customers where id < 9 order by id")
	c.query("call p_fail()")
	c.query("select 1; select x; select 2")
	c.query("signal sqlstate '45000' set message_text = 'ü raised', mysql_errno = 31000")
	c.query("insert into customers (id) values (1)")
	c.execute(c.prepare("select id, exp(id * 250) as e from customers where id < 9 order by id"), 0)
	c.execute(77, 0)
	c.ask(&mysqlwire.StmtReset{StmtID: 77})
	c.ask(&mysqlwire.StmtFetch{StmtID: 77, Rows: 1})
	c.ask(&mysqlwire.InitDB{Schema: "nowhere"})
	c.ask(&mysqlwire.ProcessKill{ConnectionID: 0x7fffffff})
	c.askBytes([]byte{0x77})
	c.askBytes([]byte{byte(mysqlwire.ComTime)})
	c.askBytes([]byte("\x05corpus_db"))
	c.askBytes([]byte("\x06corpus_db"))
}

func cursors(c *client) {
	c.login()
	id := c.prepare("select id, name, credit from customers where id > ? and id < 9 order by id")
	c.execute(id, mysqlwire.ExecCursorReadOnly, param(c, value.Long, false, int64(0)))
	c.ask(&mysqlwire.StmtFetch{StmtID: id, Rows: 1})
	c.ask(&mysqlwire.StmtFetch{StmtID: id, Rows: 0})
	c.ask(&mysqlwire.StmtFetch{StmtID: id, Rows: 2})
	c.ask(&mysqlwire.StmtFetch{StmtID: id, Rows: 100})
	c.ask(&mysqlwire.StmtFetch{StmtID: id, Rows: 1})
	c.execute(id, mysqlwire.ExecCursorReadOnly, param(c, value.Long, false, int64(99999)))
	c.execute(id, mysqlwire.ExecCursorReadOnly, param(c, value.Long, false, int64(1)))
	c.ask(&mysqlwire.StmtReset{StmtID: id})
	c.ask(&mysqlwire.StmtFetch{StmtID: id, Rows: 1})
	c.execute(c.prepare("do 1"), mysqlwire.ExecCursorReadOnly)
	c.ask(&mysqlwire.StmtClose{StmtID: id})
}

func longData(c *client) {
	c.login()
	id := c.prepare("select length(?), ?, ?")
	c.ask(&mysqlwire.StmtSendLongData{StmtID: id, Param: 0, Data: []byte(strings.Repeat("chunk ", 50))})
	c.ask(&mysqlwire.StmtSendLongData{StmtID: id, Param: 0, Data: []byte("the end")})
	c.ask(&mysqlwire.StmtSendLongData{StmtID: id, Param: 2, Data: []byte{}})
	long := mysqlwire.ExecParam{Type: value.Blob, Long: true}
	c.execute(id, 0, long, param(c, value.Long, false, int64(5)), long)
	c.execute(id, 0, param(c, value.VarString, false, []byte("short")), param(c, value.Long, false, int64(6)), param(c, value.Blob, false, nil))
	c.ask(&mysqlwire.StmtSendLongData{StmtID: id, Param: 1, Data: []byte("forgotten")})
	c.ask(&mysqlwire.StmtReset{StmtID: id})
	c.execute(id, 0, param(c, value.VarString, false, []byte("a")), param(c, value.Long, false, int64(7)), param(c, value.Blob, false, []byte("b")))
	c.ask(&mysqlwire.StmtSendLongData{StmtID: id, Param: 9, Data: []byte("no such parameter")})
	c.execute(id, 0, param(c, value.VarString, false, []byte("a")), param(c, value.Long, false, int64(8)), param(c, value.Blob, false, []byte("b")))
}

func infile(c *client) {
	c.login()
	c.query("create temporary table l (a int, b varchar(20))")
	upload := func(chunks ...string) {
		c.query("load data local infile 'some/file.csv' into table l fields terminated by ','")
		for _, s := range chunks {
			c.sendBytes([]byte(s))
		}
		if c.d.State() == mysqlwire.StateUpload {
			c.sendBytes(nil)
		}
		c.answer()
	}
	upload("1,one\n2,two\n")
	upload("3,thr", "ee\n", "4,four\nbad,five\n")
	upload()
	c.query("show warnings")
	c.query("select * from l")
	c.query("load data local infile 'f' into table nowhere")
	c.query("select 1; load data local infile 'f' into table l; select 2")
	if c.d.State() == mysqlwire.StateUpload {
		c.sendBytes([]byte("7,x\n"))
		c.sendBytes(nil)
	}
	c.answer()
}

// infileRefused sends nothing for one file, and only a part of another.
func infileRefused(c *client) {
	c.login()
	c.query("create temporary table l (a int)")
	c.query("load data local infile 'refused' into table l")
	if c.d.State() == mysqlwire.StateUpload {
		c.sendBytes(nil)
	}
	c.answer()
	c.query("select count(*) from l")
	c.query("load data local infile 'half' into table l")
	if c.d.State() == mysqlwire.StateUpload {
		c.sendBytes([]byte("1\n2\n"))
		c.hangUp()
	}
}

// vectors are there since MySQL 9.0 and MariaDB 11.7; each has its own functions.
func vectors(c *client) {
	c.login()
	from := "string_to_vector"
	if c.name == "mariadb11" {
		from = "vec_fromtext"
	}
	c.query("create temporary table v (id int, v vector(3))")
	c.query("insert into v values (1, " + from + "('[1,2.5,-3]')), (2, null)")
	c.query("select * from v order by id")
	c.execute(c.prepare("select * from v order by id"), 0)
	c.query("select st_geomfromtext('LINESTRING(0 0,1 2)'), st_geomfromtext('POLYGON((0 0,1 0,1 1,0 0))'), st_geomfromtext('GEOMETRYCOLLECTION(POINT(1 2))')")
	c.execute(c.prepare("select st_geomfromtext('MULTIPOINT(1 2,3 4)'), st_geomfromtext('POINT(1.5 -2)', 4326)"), 0)
}

// charsets has results in several character sets.
func charsets(c *client) {
	c.login()
	for _, name := range []string{"latin1", "cp1251", "sjis", "gbk", "utf8mb4", "binary", "big5", "latin2"} {
		c.query("set names " + name)
		c.query("select _utf8mb4 x'c3a9d0b6e697a5f09f9982' as `x`, _latin1 x'e9' as l, convert(_utf8mb4 x'c3a9' using utf16) as u")
		c.query("select nothing from `no such ` where `é` = 1")
	}
	c.query("set names utf8mb4")
	c.query("set character_set_results = null")
	c.query("select _latin1 x'e9', _utf8mb4 x'c3a9', _sjis x'93fa'")
	c.execute(c.prepare("select _latin1 x'e9', _cp1251 x'e6'"), 0)
}

// pipelined sends commands before the answers to those before have come. The record has them in the
// order of their answers, as a tracker is shown them.
func pipelined(c *client) {
	c.login()
	c.pipeline(
		&mysqlwire.Query{SQL: "select 1"}, &mysqlwire.Query{SQL: "do 1"}, &mysqlwire.Query{SQL: "select x"}, &mysqlwire.Ping{},
		&mysqlwire.Query{SQL: "select 2; select 3"}, &mysqlwire.InitDB{Schema: c.db}, &mysqlwire.StmtPrepare{SQL: "select ?"},
		&mysqlwire.Query{SQL: "select 'the last'"},
	)
}

func commands(c *client) {
	c.login()
	c.ask(&mysqlwire.Ping{})
	c.ask(&mysqlwire.StatisticsCommand{})
	c.ask(&mysqlwire.InitDB{Schema: "information_schema"})
	c.ask(&mysqlwire.InitDB{Schema: c.db})
	c.ask(&mysqlwire.ProcessInfo{})
	c.ask(&mysqlwire.Debug{})
	c.ask(&mysqlwire.Refresh{Flags: 0x10})
	c.ask(&mysqlwire.SetOption{Option: 0})
	c.ask(&mysqlwire.SetOption{Option: 7})
	c.query("set @kept = 1")
	if c.name != "mysql56" {
		c.ask(&mysqlwire.ResetConnection{})
	}
	c.query("select @kept")
	c.ask(&mysqlwire.RegisterSlave{ServerID: 77, Host: "replica", User: "repl", Password: []byte("hidden"), Port: 3306})
}

func fieldList(c *client) {
	c.login()
	c.ask(&mysqlwire.FieldList{Table: "customers"})
	c.ask(&mysqlwire.FieldList{Table: "all_types", Wildcard: "c_u%"})
	c.ask(&mysqlwire.FieldList{Table: "nowhere"})
	c.query("create temporary table d (a int default 7, b varchar(5) not null default 'x', c int)")
	c.ask(&mysqlwire.FieldList{Table: "d"})
}

func changeUser(c *client) {
	c.login()
	plugin := "mysql_native_password"
	if c.name == "mysql" {
		plugin = "caching_sha2_password"
	}
	c.query("set @kept = 1")
	for _, u := range []struct{ user, password, db, plugin string }{
		{"lab_empty", "", c.db, plugin},
		{c.user, c.password, "", plugin},
		{c.user, c.password, "information_schema", "mysql_clear_password"},
		{c.user, "wrong", c.db, plugin},
	} {
		c.changeUser(u.user, u.password, u.db, u.plugin)
		if n := len(c.packets); n == 0 || c.packets[n-1].Kind == mysqlwire.KindERR {
			c.rest() // servers hang up
			return
		}
		c.query("select current_user(), database(), @kept")
	}
}

func sessionTrack(c *client) {
	c.login()
	for _, sql := range []string{
		"set session session_track_system_variables = '*'", "set session session_track_schema = 1", "set session session_track_state_change = 1",
		"set session session_track_transaction_info = 'CHARACTERISTICS'", "set session session_track_gtids = 'OWN_GTID'",
		"set names utf8mb4", "use information_schema", "use lab", "set @x = 1", "start transaction read only", "select id from customers limit 1", "commit",
		"set session transaction isolation level serializable", "begin", "select 1", "insert into products select * from products where id < 0", "rollback",
		"create table if not exists corpus_track (a int)", "insert into corpus_track values (1)", "drop table corpus_track",
		"set sql_mode = 'ANSI'; set time_zone = '+01:00'; select 1", "create temporary table tt (a int)", "prepare p from 'select 1'", "execute p",
	} {
		c.query(sql)
	}
	c.ask(&mysqlwire.InitDB{Schema: "information_schema"})
	c.execute(c.prepare("set @@autocommit = 0"), 0)
}

func attributes(c *client) {
	c.login()
	if !c.has(mysqlwire.QueryAttributes) {
		return
	}
	attr := func(name string, t value.Type, v value.Value) mysqlwire.QueryAttr {
		p, err := mysqlwire.NewExecParam(name, t, false, v)
		c.fail("attribute", err)
		return p
	}
	c.query("select mysql_query_attribute_string('trace')", attr("trace", value.VarString, []byte("7f3a")), attr("page", value.LongLong, int64(12)))
	c.query("select 1", attr("null", value.VarString, nil), attr("when", value.Date, value.Moment{Year: 2024, Month: 1, Day: 2}))
	id := c.prepare("select ?")
	p := param(c, value.Long, false, int64(5))
	c.ask(&mysqlwire.StmtExecute{
		StmtID: id, Flags: mysqlwire.ExecParameterCountAvailable, Iterations: 1, NewParamsBound: true,
		Params: []mysqlwire.ExecParam{p, attr("trace", value.VarString, []byte("x"))},
	})
	id = c.prepare("select 1")
	c.execute(id, 0)
	c.execute(id, mysqlwire.ExecParameterCountAvailable)
	c.ask(&mysqlwire.StmtExecute{
		StmtID: id, Flags: mysqlwire.ExecParameterCountAvailable, Iterations: 1, NewParamsBound: true,
		Params: []mysqlwire.ExecParam{attr("only", value.VarString, []byte("attribute"))},
	})
}

func noMetadata(c *client) {
	c.login()
	c.query("select id, name from customers limit 1")
	id := c.prepare("select id, name from customers where id < ?")
	c.execute(id, 0, param(c, value.Long, false, int64(2)))
	c.query("set session resultset_metadata = 'NONE'")
	c.query("select id, name from customers limit 1")
	c.execute(id, 0, param(c, value.Long, false, int64(2)))
	c.prepare("select id, name from customers where id < ?")
	c.query("call p_multi(1)")
}

func bulk(c *client) {
	c.login()
	c.query("create temporary table b (id int auto_increment primary key, a int default 5, t varchar(20))")
	id := c.prepare("insert into b (a, t) values (?, ?)")
	raw := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	four := func(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
	types := []mysqlwire.BulkType{{Type: value.Long}, {Type: value.VarString}}
	rows := [][]mysqlwire.BulkValue{
		{{Raw: four(1)}, {Raw: raw("one")}},
		{{Indicator: mysqlwire.BulkDefault}, {Indicator: mysqlwire.BulkNull}},
		{{Indicator: mysqlwire.BulkNull}, {Raw: raw("")}},
	}
	c.ask(&mysqlwire.StmtBulkExecute{StmtID: id, Flags: mysqlwire.BulkSendTypes, Types: types, Rows: rows})
	c.ask(&mysqlwire.StmtBulkExecute{StmtID: id, Types: types, Rows: rows[:1]})
	if c.has(mysqlwire.MariaDBBulkUnitResults) {
		c.ask(&mysqlwire.StmtBulkExecute{StmtID: id, Flags: mysqlwire.BulkSendTypes | mysqlwire.BulkUnitResults, Types: types, Rows: rows})
	}
	c.ask(&mysqlwire.StmtBulkExecute{StmtID: c.prepare("select ?, ?"), Flags: mysqlwire.BulkSendTypes, Types: types, Rows: rows[:1]})
	returning := c.prepare("insert into b (a, t) values (?, ?) returning id, a")
	c.ask(&mysqlwire.StmtBulkExecute{StmtID: returning, Flags: mysqlwire.BulkSendTypes, Types: types, Rows: rows})
	c.query("select * from b")
}

// progress waits for a statement of a few seconds.
func progress(c *client) {
	c.login()
	c.query("set progress_report_time = 1")
	c.query("create temporary table p (a int, b varchar(100)) engine=aria")
	c.query("insert into p select seq, md5(seq) from seq_1_to_1000000")
	c.query("alter table p add index (b), add index (a, b)")
}

// other is a second connection to the same server.
func (c *client) other(f func(o *client)) {
	o := &client{server: c.server, want: plainCaps}
	o.login()
	f(o)
	o.close()
	c.fail("the other connection", o.err)
}

func (c *client) id() uint32 {
	for _, p := range c.packets {
		var g mysqlwire.Greeting
		if p.Kind == mysqlwire.KindGreeting && g.Decode(p.Payload, nil) == nil {
			return g.ConnectionID
		}
	}
	return 0
}

func killed(c *client) {
	c.login()
	c.query("select 1")
	c.other(func(o *client) { o.query("kill " + strconv.Itoa(int(c.id()))) })
	c.rest()
}

const slowRows = "select id, sleep(if(id < 3, 0, 5)) from customers where id < 6 order by id"

func killedRunning(c *client) {
	c.login()
	c.send(&mysqlwire.Query{SQL: slowRows})
	c.killAfter("kill query ")
	c.answer()
	c.query("select 'still here'")
}

func killedConnection(c *client) {
	c.login()
	c.send(&mysqlwire.Query{SQL: slowRows})
	c.killAfter("kill ")
	c.rest()
}

// killAfter gives the running statement time to begin.
func (c *client) killAfter(sql string) {
	c.other(func(o *client) {
		o.query("select sleep(0.5)")
		o.query(sql + strconv.Itoa(int(c.id())))
	})
}

// tlsRequest is as far as a login with TLS can be read.
func tlsRequest(c *client) {
	c.connect()
	c.send(&mysqlwire.SSLRequest{Caps: c.want | mysqlwire.SSL, MaxPacket: 1 << 24, Collation: 45})
	if c.err == nil {
		c.hangUp()
	}
}

func timeout(c *client) {
	c.login()
	c.query("set session wait_timeout = 1")
	c.rest()
}

// end is where the binary log ends now.
func (c *client) end() (file string, pos uint64) {
	sql := "show master status"
	if c.name == "mysql" {
		sql = "show binary log status"
	}
	c.query(sql)
	for i := len(c.packets) - 1; i >= 0 && c.err == nil; i-- {
		var row mysqlwire.TextRow
		if c.packets[i].Kind != mysqlwire.KindTextRow || row.Decode(c.packets[i].Payload, nil) != nil || len(row.Cells) < 2 {
			continue
		}
		for _, d := range row.Cells[1] {
			pos = pos*10 + uint64(d-'0')
		}
		return string(row.Cells[0]), pos
	}
	return "", 0
}

// happen writes something to the binary log.
func (c *client) happen() {
	c.query("create table if not exists corpus_log (a int, b varchar(20))")
	c.query("insert into corpus_log values (1, 'logged'), (2, null)")
	c.query("update corpus_log set b = 'changed' where a = 1")
	c.query("drop table corpus_log")
	c.query("set @master_binlog_checksum = 'NONE', @source_binlog_checksum = 'NONE', @mariadb_slave_capability = 4")
	c.query("set @slave_uuid = 'corpus', @replica_uuid = 'corpus'")
}

// head asks for the binary log and hangs up after its first events: others may be writing to it.
func (c *client) head(dump mysqlwire.Message) {
	c.send(dump)
	for n := 0; c.err == nil && c.d.State() == mysqlwire.StateStream; n++ {
		if n == 40 {
			c.hangUp()
			return
		}
		c.read()
	}
}

func binlog(c *client) {
	c.login()
	file, pos := c.end()
	c.happen()
	c.ask(&mysqlwire.RegisterSlave{ServerID: 4711, Port: 3306})
	flags := uint16(1)
	if c.name == "mariadb" || c.name == "mariadb11" {
		flags = 3
	}
	c.head(&mysqlwire.BinlogDump{Position: uint32(pos), Flags: flags, ServerID: 4711, File: file})
}

func binlogGTID(c *client) {
	c.login()
	file, pos := c.end()
	c.happen()
	c.head(&mysqlwire.BinlogDumpGTID{Flags: 1, ServerID: 4712, File: file, Position: pos, GTIDs: make([]byte, 8)})
}

// big has packets of exactly one frame and of two.
func big(c *client) {
	c.login()
	c.query("select length('" + strings.Repeat("x", mysqlwire.MaxFrame-1-len("select length('')")-2*btoi(c.has(mysqlwire.QueryAttributes))) + "')")
	c.query("select repeat('y', 16777211)")
	c.query("select repeat('z', 16777212)")
	c.execute(c.prepare("select repeat('y', 16777209), null"), 0)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// tooBig asks for more than the server sends.
func tooBig(c *client) {
	c.login()
	c.query("select repeat('a', @@max_allowed_packet + 1)")
}
