package modules

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestProxyTokenizer(t *testing.T) {
	m := newMachine(t, Host{})
	m.eval(`t = require("proxy.tokenizer")
		function norm(sql) return "|" .. t.normalize(t.tokenize(sql)) .. "|" end`)
	m.all(t, []vector{
		{`norm("select a.b, f(x), 'y' from t where z in (1,2,3) /* c */ -- d")`, "|SELECT `a` . `b` , F( `x` ) , ? FROM `t` WHERE `z` IN ( ? , ? , ? ) |"},
		{`norm("select count(*) from mysql.user")`, "|SELECT COUNT( * ) FROM `mysql` . `user` |"},
		{`norm("create table t1 (id int) engine = myisam")`, "|CREATE TABLE `t1` ( `id` INT ) `engine` = `myisam` |"},
		{`norm("select /*!50000 1 + */ 1")`, "|SELECT /*!50000 1 + */ ? |"},
		{`norm("commit")`, "|COMMIT |"},
		{`norm("COMMIT work")`, "|COMMIT `work` |"},
		{`norm("/*c*/ commit")`, "|COMMIT |"},
		{`norm("start transaction")`, "|START TRANSACTION |"},
		{`norm("start slave")`, "|START `slave` |"},
		{`norm("CREATE TABLE commit ( id int )")`, "|CREATE TABLE `commit` ( `id` INT ) |"},
		{`norm("SELECT @i := 1")`, "|SELECT @i := ? |"},
		{`norm("INSERT INTO t(id) VALUES(1)")`, "|INSERT INTO T( `id` ) VALUES( ? ) |"},
		{`norm("SET GLOBAL unknown.unknown = 1")`, "|SET `GLOBAL` `unknown` . `unknown` = ? |"},
		{`norm("select -1")`, "|SELECT - ? |"},
		{`norm("use db")`, "|USE `db` |"},
		{`norm("call p()")`, "|CALL P( ) |"},
		{`norm("")`, "||"},
		{
			`"|" .. t.tokens_to_query(t.tokenize("select count(*) from information_schema.tables where table_schema='mysql'")) .. "|"`,
			`|select count( * ) from information_schema . tables where table_schema = "mysql" |`,
		},
		{`t.tokens_to_query(t.tokenize("a b c d"), 2, 3)`, "b c "},
		{`t.first_stmt_token(t.tokenize("/* x */ (select 1)")).text, t.first_stmt_token(t.tokenize("/* x */"))`, "(, nil"},
		{`table.concat(t.bare_tokens(t.tokenize("a /* c */ 'b'")), "|"), table.concat(t.bare_tokens(t.tokenize("a 'b'"), true), "|")`, `a|b, a|"b"`},
		{"table.concat(t.tokens_without_comments(t.tokenize('`a` /* c */ /*! d */')), '|')", "a| d "},
	})
}

func TestProxyCommands(t *testing.T) {
	m := newMachine(t, Host{})
	m.eval(`c = require("proxy.commands")`)
	m.all(t, []vector{
		{`show(c.parse("\3SELECT 1"))`, "{query=SELECT 1 type=3 type_name=COM_QUERY}"},
		{`show(c.parse("\22SELECT ?"))`, "{query=SELECT ? type=22 type_name=COM_STMT_PREPARE}"},
		{`show(c.parse("\23\1\2\0\0rest"))`, "{stmt_handler_id=513 type=23 type_name=COM_STMT_EXECUTE}"},
		{`show(c.parse("\25\1\0\0\0"))`, "{stmt_handler_id=1 type=25 type_name=COM_STMT_CLOSE}"},
		{`show(c.parse("\4t\0%"))`, "{table=t\x00% type=4 type_name=COM_FIELD_LIST}"},
		{`show(c.parse("\2db"))`, "{schema=db type=2 type_name=COM_INIT_DB}"},
		{`show(c.parse("\27\1\0"))`, "{option=\x01\x00 type=27 type_name=COM_SET_OPTION}"},
		{`show(c.parse("\1"))`, "{type=1 type_name=COM_QUIT}"},
		{`c.parse("\30").type_name, c.parse("\99").type_name`, "COM_BINLOG_DUMP, nil"},
		{`(pcall(c.parse, ""))`, "false"},
		{`c.pretty_print(c.parse("\3SELECT 1"))`, "[COM_QUERY] SELECT 1"},
		{`c.pretty_print(c.parse("\2db"))`, "[COM_INIT_DB] db"},
		{`c.pretty_print(c.parse("\14"))`, "[COM_PING]"},
		{`c.pretty_print(c.parse("\23\1\0\0\0"))`, "[COM_STMT_EXECUTE] 1"},
		{`c.pretty_print(c.parse("\25\1\0\0\0"))`, "[COM_STMT_CLOSE] ... no idea"},
		{`(pcall(c.pretty_print, {}))`, "false"},
	})
	if want := []string{"print: [debug] (command) unhandled type name:nil byte:99"}; !slices.Equal(m.said, want) {
		t.Errorf("got %q, want %q", m.said, want)
	}
}

func TestProxyParser(t *testing.T) {
	m := newMachine(t, Host{})
	m.eval(`p, t = require("proxy.parser"), require("mysql.tokenizer")
		function tables(sql) return show(p.get_tables(t.tokenize(sql))) end`)
	m.all(t, []vector{
		{`tables("select * from a,b c")`, "{dd.a=read dd.b=read}"},
		{`tables("select * from x.y")`, "{x.y=read}"},
		{`tables("/* c */ select * from a join b on a.i=b.i")`, "{dd.a=read dd.b=read dd.i=read}"},
		{`tables("delete from t where x")`, "{dd.t=write}"},
		{`tables("insert into t (a) values (1)")`, "{dd.t=write}"},
		{`tables("insert into t(a) values (1)")`, "{}"},
		{`tables("insert into x.t values (1)")`, "{dd.x=write}"},
		{`tables("update x.t set a=1")`, "{dd.t=write dd.x=write}"},
		{`tables("create table t (id int)")`, "{dd.t=write}"},
		{`tables("drop table if exists u")`, "{dd.u=write}"},
		{`tables("select * from (select * from z) q, w")`, "{}"},
		{`tables("select * from a where x in (select y from z)")`, "{dd.a=read dd.z=read}"},
		{`tables("replace into t values (1)") .. tables("truncate table t") .. tables("show tables") .. tables("call p()") .. tables("")`, "{}{}{}{}{}"},
		{`p.tablename_expand("t", "x"), p.tablename_expand("t")`, "x.t, dd.t"},
		{`(function() proxy.connection.client.default_db = "" return p.tablename_expand("t") end)()`, ".t"},
	})
}

func TestProxyBalance(t *testing.T) {
	m := newMachine(t, Host{})
	m.eval(`b = require("proxy.balance")
		local function backend(type, state, clients, idle)
			return { type = type, state = state, connected_clients = clients, pool = { users = { u = { cur_idle_connections = idle } } } }
		end
		function with(...) proxy.global.backends = {} for i, v in ipairs{...} do proxy.global.backends[i] = backend(unpack(v)) end return b end`)
	m.all(t, []vector{
		{`with({1, 0, 0, 0}, {1, 2, 0, 3}, {1, 1, 0, 1}).idle_failsafe_rw()`, "3"},
		{`with({2, 1, 0, 3}).idle_failsafe_rw()`, "0"},
		{`with({2, 1, 4, 3}, {2, 1, 2, 1}, {2, 1, 2, 1}, {2, 2, 0, 1}, {2, 0, 0, 0}, {1, 1, 0, 1}).idle_ro()`, "2"},
		{`with().idle_ro()`, "0"},
	})
}

func TestProxyAutoConfig(t *testing.T) {
	m := newMachine(t, Host{})
	file := filepath.Join(t.TempDir(), "config.lua")
	m.eval(`c = require("proxy.auto-config")
		cfg = proxy.global.config
		cfg.rw_split = { is_debug = false, max = 5, name = "x" }
		function run(sql) local r = cfg:handle({ type = 3, query = sql }) return r and show(proxy.response) end`)
	m.all(t, []vector{
		{`run("PROXY SET GLOBAL rw_split.max = 7")`, "{affected_rows=1 type=0}"},
		{`cfg.rw_split.max`, "7"},
		{`run("proxy  set\tglobal rw_split.max=-1")`, "{affected_rows=1 type=0}"},
		{`run("PROXY SET GLOBAL rw_split.is_debug = true")`, "{affected_rows=1 type=0}"},
		{`run("PROXY SET GLOBAL rw_split.is_debug = false")`, "{affected_rows=1 type=0}"},
		{`cfg.rw_split.is_debug`, "false"},
		{`run('PROXY SET GLOBAL rw_split.name = "a b"') and cfg.rw_split.name`, "a b"},
		{`run("PROXY SET GLOBAL none.max = 7")`, "{errmsg=module not known type=255}"},
		{`run("PROXY SET GLOBAL rw_split.none = 7")`, "{errmsg=option not know type=255}"},
		{`run("PROXY SET GLOBAL rw_split.max = true")`, "{errmsg=(auto-config) expected a number, got boolean type=255}"},
		{`run("PROXY SHOW CONFIG") and #proxy.response.resultset.rows, proxy.response.resultset.fields[4].name`, "3, type"},
		{`run("PROXY SHOW CONFIG "), run(" PROXY SHOW CONFIG"), run("PROXYSHOW CONFIG"), run("SELECT 1"), run("PROXY SHOW CONFIG" .. (" "):rep(200))`, "nil, nil, nil, nil, nil"},
		{`cfg:handle({ type = 1, query = "PROXY SHOW CONFIG" }), c.handle({ type = 3, query = "PROXY SHOW CONFIG" })`, "nil, 2"},
		{`run('PROXY SAVE CONFIG INTO "` + file + `"')`, "{affected_rows=0 type=0}"},
		{`(function() cfg.rw_split = nil return run('PROXY LOAD CONFIG FROM "` + file + `"') end)()`, "{affected_rows=0 type=0}"},
		{`show(rawget(cfg, "rw_split"))`, "{is_debug=false max=-1 name=a b}"},
		{`run('PROXY LOAD CONFIG FROM "/none"')`, "{errmsg=cannot open /none: No such file or directory type=255}"},
		{`run('PROXY SAVE CONFIG INTO "/none/x"')`, "{errmsg=/none/x: No such file or directory type=255}"},
	})
}

func TestProxyTest(t *testing.T) {
	m := newMachine(t, Host{})
	m.eval(`k = require("proxy.test")
		TestA = k.ProxyBaseTest:new()
		function TestA:setUp() self:setDefaultScope() end
		function TestA:testGood()
			proxy.queries:append(1, "q")
			assertEquals(proxy.queries:len(), 1)
			assertEquals(proxy.PROXY_SEND_QUERY, 2)
			assertNotEquals(1, 2)
		end
		function TestA:testBad() assertEquals(1, "1", "kind") end
		function TestA:testUnknown() return proxy.nonsense end
		s = k.Suite:new{ result = k.Result:new() }
		s:run()`)
	m.all(t, []vector{
		{`s.result.passed, s.result.failed, s:exit_code()`, "1, 2, 1"},
		{`s.result.failed_tests["TestA:testBad"]:match("kind: .*")`, "kind: got 1 (number), expected 1 (string)"},
		{`s.result.failed_tests["TestA:testUnknown"]:match("proxy%..*")`, "proxy.[nonsense] is unknown, please adjust the mock here"},
	})
}
