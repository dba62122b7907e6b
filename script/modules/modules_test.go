package modules

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

// machine is a Lua state with the modules and what it logs and prints.
type machine struct {
	l    *lua.LState
	said []string
}

const prelude = `
	function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
	function unhex(s) return (s:gsub("%s", ""):gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end
	function show(v)
		if type(v) ~= "table" then return tostring(v) end
		local keys, out = {}, {}
		for k in pairs(v) do keys[#keys + 1] = k end
		table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
		for i, k in ipairs(keys) do out[i] = tostring(k) .. "=" .. show(v[k]) end
		return "{" .. table.concat(out, " ") .. "}"
	end
	function named(tokens)
		local out = {}
		for i = 1, #tokens do out[i] = tokens[i].token_name:sub(4) .. "<" .. tokens[i].text .. ">" end
		return table.concat(out, " ")
	end
	proxy = {
		COM_QUERY = 3, MYSQLD_PACKET_OK = 0, MYSQLD_PACKET_ERR = 255, PROXY_SEND_RESULT = 2, MYSQL_TYPE_STRING = 254,
		BACKEND_STATE_DOWN = 2, BACKEND_TYPE_RW = 1, BACKEND_TYPE_RO = 2,
		global = { config = {} }, connection = { client = { default_db = "dd", username = "u" } },
	}`

func newMachine(t testing.TB, h Host) *machine {
	t.Helper()
	m := &machine{l: lua.NewState()}
	t.Cleanup(m.l.Close)
	lua51.Open(m.l, lua51.Host{
		Tick:  func(*lua.LState) {},
		Print: func(_ *lua.LState, text string) { m.said = append(m.said, "print: "+text) },
	})
	h.Log = func(_ *lua.LState, level, text string) { m.said = append(m.said, level+": "+text) }
	h.Sleep = func(_ *lua.LState, d time.Duration) { m.said = append(m.said, "sleep: "+d.String()) }
	Open(m.l, h)
	if err := m.l.DoString(prelude); err != nil {
		t.Fatal(err)
	}
	return m
}

// eval runs "return code" and shows what it returns, or the error without its place.
func (m *machine) eval(code string) string {
	fn, err := lua51.Load(m.l, "return "+code, "=test")
	if err != nil {
		if fn, err = lua51.Load(m.l, code, "=test"); err != nil {
			return err.Error()
		}
	}
	top := m.l.GetTop()
	defer m.l.SetTop(top)
	m.l.Push(fn)
	if err := m.l.PCall(0, lua.MultRet, nil); err != nil {
		msg := err.(*lua.ApiError).Object.String()
		if _, rest, ok := strings.Cut(msg, ": "); ok {
			msg = rest
		}
		return "error: " + msg
	}
	var out []string
	for i := top + 1; i <= m.l.GetTop(); i++ {
		out = append(out, lua51.Display(m.l, m.l.Get(i)))
	}
	return strings.Join(out, ", ")
}

type vector struct{ code, want string }

func (m *machine) all(t *testing.T, vectors []vector) {
	t.Helper()
	for _, v := range vectors {
		if got := m.eval(v.code); got != v.want {
			t.Errorf("%s\n got %s\nwant %s", v.code, got, v.want)
		}
	}
}

func TestTokenizer(t *testing.T) {
	m := newMachine(t, Host{})
	m.all(t, []vector{
		{`require("mysql.tokenizer") == tokenizer and tokenizer == require("tokenizer")`, "true"},
		{`tokenizer._VERSION`, "LuaMySQLTokenizer 0.1"},
		{`named(tokenizer.tokenize("select count(*) from t1 where a = 'b'"))`, "SQL_SELECT<select> FUNCTION<count> OBRACE<(> STAR<*> CBRACE<)> SQL_FROM<from> LITERAL<t1> SQL_WHERE<where> LITERAL<a> EQ<=> STRING<b>"},
		{`tokenizer.tokenize(12)[1].token_name`, "TK_INTEGER"},
		{`tokenizer.tokenize("select 1")[1].token_id, tokenizer.tokenize("select 1")[2].token_id`, "204, 11"},
		{`#tokenizer.tokenize("")`, "0"},
		{`tokenizer.tokenize("x")[0], tokenizer.tokenize("x")[2], tokenizer.tokenize("x")[-1]`, "nil, nil, nil"},
		{`tokenizer.tokenize("x").a`, "error: bad argument #2 to '?' (number expected, got string)"},
		{`tokenizer.tokenize("x")[1].name`, "error: tokens[...] has no name field"},
		{`local t = tokenizer.tokenize("x y"); t[1] = nil; return t[1], #t, t[2].text`, "nil, 2, y"},
		{`tokenizer.tokenize("x")[1] = 5`, "error: bad argument #3 to '?' (nil expected, got number)"},
		{`tokenizer.tokenize({})`, "error: bad argument #1 to '?' (string expected, got table)"},
		{`tokenizer.tokenize()`, "error: bad argument #1 to '?' (string expected, got no value)"},
		{`local all = {} for i = 0, 255 do all[i + 1] = string.char(i) end
		  local n = 0
		  for i = 1, 256 do if not ("\t\n\v\f\r '\"` + "`" + `"):find(all[i], 1, true) then n = n + #tokenizer.tokenize(all[i]) end end
		  return n`, "247"},
	})
}

func TestProto(t *testing.T) {
	m := newMachine(t, Host{})
	m.eval(`p = require("mysql.proto")`)
	m.all(t, []vector{
		{`p == proto`, "true"},
		{`hex(p.to_err_packet{})`, "ff0000233037303030"},
		{`hex(p.to_err_packet{errmsg="m", errcode=70000, sqlstate="HY000XX"})`, "ff70112348593030306d"},
		{`hex(p.to_err_packet{sqlstate="42"})`, "ff0000233432000000"},
		{`#p.to_err_packet{errmsg=("x"):rep(600)}`, "521"},
		{`show(p.from_err_packet(unhex"ff 5104 23 3037303030 6d 00 6e"))`, "{errcode=1105 errmsg=m sqlstate=07000}"},
		{`show(p.from_err_packet(unhex"ff 5104 23 3037303030"))`, "{errcode=1105 sqlstate=07000}"},
		{`p.from_err_packet(unhex"ff d707 34")`, "error: from_err_packet() failed: the SQL state is missing"},
		{`hex(p.to_ok_packet{})`, "00000000000000"},
		{`hex(p.to_ok_packet{affected_rows=300, insert_id=70000, server_status=3, warnings=2})`, "00fc2c01fd70110103000200"},
		{`show(p.from_ok_packet(unhex"00 fc2c01 fd701101 0300 0200 6869"))`, "{affected_rows=300 insert_id=70000 server_status=3 warnings=2}"},
		{`p.from_ok_packet("\1")`, "error: from_ok_packet() failed: it is no OK packet"},
		{`hex(p.to_eof_packet{warnings=1, server_status=2})`, "fe01000200"},
		{`show(p.from_eof_packet(unhex"fe 0100 0200"))`, "{server_status=2 warnings=1}"},
		{`p.from_eof_packet("\254")`, "error: from_eof_packet() failed: warnings is missing"},
		{`p.to_eof_packet("x")`, "error: bad argument #1 to '?' (table expected, got string)"},

		{`hex(p.to_challenge_packet{})`, strings.ReplaceAll("0a 352e302e393900 00000000 3031323334353637 00 0082 00 0000 0000 00 00000000000000000000 38393031323334353637383900", " ", "")},
		{`show(p.from_challenge_packet(p.to_challenge_packet{}))`, "{capabilities=33280 challenge=01234567890123456789 charset=0 protocol_version=0 server_status=0 server_version=50099 thread_id=0}"},
		{
			`(function(v) local out = {} for i, n in ipairs(v) do out[i] = p.to_challenge_packet{server_version=n}:match("^.(%Z+)") end return table.concat(out, " ") end){50114, 50734, 80033, 100, 100000}`,
			"5.01.14 5.07.34 8.00.33 5.0.99 5.0.99",
		},
		{`p.to_challenge_packet{challenge="short"}`, "error: .challenge has to be at least 8 bytes long, is 5"},
		{
			`show(p.from_challenge_packet(p.to_challenge_packet{capabilities=0x88200, challenge="abcdefghijklmnopqrst\0", server_version=50734}))`,
			"{capabilities=557568 challenge=abcdefghijklmnopqrst\x00 charset=0 protocol_version=0 server_status=0 server_version=50734 thread_id=0}",
		},
		{`show(p.from_challenge_packet("\0105.7.1-log\0" .. ("\0"):rep(4) .. "ABCDEFGH\0" .. unhex"0082 08 0200 0800 15" .. ("\0"):rep(10) .. "IJKLMNOPQRST\0caching_sha2_password")):match("auth_plugin_name=(%S+)")`, "caching_sha2_password"},
		{`show(p.from_challenge_packet("\01011.8.3-MariaDB\0" .. ("\0"):rep(4) .. "ABCDEFGH\0" .. unhex"0082 08 0200 0800 15" .. ("\0"):rep(10) .. "IJKLMNOPQRST\0")):match("server_version=(%d+)")`, "110803"},
		{`p.from_challenge_packet("\9x")`, "error: from_challenge_packet() failed: it is no greeting"},
		{`p.from_challenge_packet("\0105.x\0")`, "error: from_challenge_packet() failed: the version is no number"},

		{`hex(p.to_response_packet{server_capabilities=0x8208})`, "008200000000000000" + strings.Repeat("00", 23) + "0000"},
		{
			`hex(p.to_response_packet{server_capabilities=0x88208, capabilities=0x88208, username="u", response="rr", database="d", auth_plugin_name="pp"})`,
			"088208000000000000" + strings.Repeat("00", 23) + "75000272726400707000",
		},
		{`hex(p.to_response_packet{server_capabilities=0, capabilities=0, username="u", response="rr"})`, "000000000075007272"},
		{`p.to_response_packet{}`, "error: .server_capabilities has to be set"},
		{`p.to_response_packet{server_capabilities={}}`, "error: .server_capabilities has to be a number"},
		{
			`show(p.from_response_packet(p.to_response_packet{server_capabilities=0x88208, capabilities=0x88208, username="u", response="rr", database="d", auth_plugin_name="pp", max_packet_size=16777216, charset=45}, 0x88208))`,
			"{auth_plugin_name=pp capabilities=557576 charset=45 database=d max_packet_size=16777216 response=rr server_capabilities=557576 username=u}",
		},
		{`show(p.from_response_packet(unhex"0000 000000 7500 7272", 0))`, "{capabilities=0 charset=0 max_packet_size=0 response=rr server_capabilities=0 username=u}"},
		{`p.from_response_packet("xx")`, "error: bad argument #2 to '?' (number expected, got no value)"},

		{`show(p.from_stmt_prepare_packet("\22SELECT ?"))`, "{stmt_text=SELECT ?}"},
		{`show(p.from_stmt_prepare_ok_packet(unhex"00 01000000 0200 0300 00 0400"))`, "{num_columns=2 num_params=3 stmt_id=1 warnings=4}"},
		{`show(p.from_stmt_close_packet(unhex"19 07000000"))`, "{stmt_id=7}"},
		{`p.stmt_id_from_stmt_execute_packet(unhex"17 01020000")`, "513"},
		{`p.from_stmt_close_packet("\25\1")`, "error: from_stmt_close_packet() failed: stmt_id is missing"},
	})
}

func TestExecute(t *testing.T) {
	m := newMachine(t, Host{})
	m.eval(`p = require("mysql.proto")
		function one(kind, value, n)
			local r = p.from_stmt_execute_packet(unhex("17 01000000 00 01000000 00 01") .. string.char(kind, 0) .. value, 1)
			return show(r.params[1])
		end`)
	m.all(t, []vector{
		{`show(p.from_stmt_execute_packet(unhex"17 01000000 02 01000000", 0))`, "{flags=2 iteration_count=1 new_params_bound=false stmt_id=1}"},
		{
			`show(p.from_stmt_execute_packet(unhex"17 01000000 00 01000000 02 01 fe00 0100 01 78", 2))`,
			"{flags=0 iteration_count=1 new_params_bound=true params={1={type=254 value=x} 2={type=1}} stmt_id=1}",
		},
		{`show(p.from_stmt_execute_packet(unhex"17 01000000 00 01000000 00 00", 1))`, "{flags=0 iteration_count=1 new_params_bound=false stmt_id=1}"},
		{`one(1, "\255")`, "{type=1 value=255}"},
		{`one(2, "\255\255")`, "{type=2 value=65535}"},
		{`one(3, ("\255"):rep(4))`, "{type=3 value=4294967295}"},
		{`one(8, ("\255"):rep(8))`, "{type=8 value=-1}"},
		{`one(4, unhex"0000c03f")`, "{type=4 value=1.5}"},
		{`one(5, unhex"000000000000f83f")`, "{type=5 value=1.5}"},
		{`one(252, "\3a\0b")`, "{type=252 value=a\x00b}"},
		{`one(10, unhex"04 e907 0b 15")`, "{type=10 value=2025-11-21}"},
		{`one(12, unhex"0b e907 0b 15 05 06 07 01000000")`, "{type=12 value=2025-11-21 05:06:07.000000001}"},
		{`one(7, unhex"00")`, "{type=7 value=0000-00-00 00:00:00.000000000}"},
		{`one(11, unhex"08 01 02000000 03 04 05")`, "{type=11 value=-2 03:04:05.000000000}"},
		{`one(6, "")`, "{type=6}"},
		{`one(246, "\0011")`, "error: can't decode type 246 yet"},
		{`one(15, "\0011")`, "error: from_stmt_execute_packet() failed: a parameter is of type 15"},
		{`one(254, "\5ab")`, "error: from_stmt_execute_packet() failed: a parameter is cut"},
		{`p.from_stmt_execute_packet("\23")`, "error: bad argument #2 to '?' (number expected, got no value)"},
		{`p.from_stmt_execute_packet("\23", 1e9)`, "error: bad argument #2 to '?' (a number of parameters from 0 to 65535 expected)"},
	})
}

func TestMasterInfo(t *testing.T) {
	m := newMachine(t, Host{})
	m.eval(`p = require("mysql.proto")
		file = "15\nbin.000001\n107\nh\nu\npw\n3306\n60\n0\n\n\n\n\n\n1\n"`)
	m.all(t, []vector{
		{`show(p.from_masterinfo_string(file))`, "{master_connect_retry=60 master_host=h master_lines=15 master_log_file=bin.000001 master_log_pos=107 master_password=pw master_port=3306 master_ssl=0 master_ssl_verify_server_cert=1 master_user=u}"},
		{`p.to_masterinfo_string(p.from_masterinfo_string(file)) == file`, "true"},
		{`p.from_masterinfo_string((file:gsub("^15", "14"))).master_ssl_verify_server_cert`, "nil"},
		{`p.from_masterinfo_string((file:gsub("107", "0x10"))).master_log_pos`, "16"},
		{`p.from_masterinfo_string((file:gsub("107", "107x")))`, "error: from_masterinfo_string() failed: master_log_pos is no number"},
		{`p.from_masterinfo_string("15\n")`, "error: from_masterinfo_string() failed: master_log_file is missing"},
	})
}

func TestPassword(t *testing.T) {
	m := newMachine(t, Host{})
	m.eval(`pw = require("mysql.password") c = ("abcdefghij"):rep(2)`)
	m.all(t, []vector{
		{`hex(pw.hash("secret"))`, "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"},
		{`pw.check(c, pw.scramble(c, pw.hash("secret")), pw.hash(pw.hash("secret")))`, "true"},
		{`pw.check(c .. "\0", pw.scramble(c .. "x", pw.hash("secret")), pw.hash(pw.hash("secret")))`, "true"},
		{`pw.check(c, pw.scramble(c, pw.hash("other")), pw.hash(pw.hash("secret")))`, "false"},
		{`pw.unscramble(c, pw.scramble(c, pw.hash("secret")), pw.hash(pw.hash("secret"))) == pw.hash("secret")`, "true"},
		{`pw.check(c, "", pw.hash(pw.hash("")))`, "false"},
		{`pw.scramble("short", pw.hash("x")) == ""`, "true"},
		{`pw.hash()`, "error: bad argument #1 to '?' (string expected, got no value)"},
	})
	want := []string{
		"critical: password.check: the hashed password has to be 20 bytes long",
		"critical: password.scramble: the challenge has to be 20 bytes long",
	}
	if !slices.Equal(m.said, want) {
		t.Errorf("got %q, want %q", m.said, want)
	}
}

func TestChassis(t *testing.T) {
	down := false
	m := newMachine(t, Host{Shutdown: func() { down = true }})
	m.all(t, []vector{
		{`type(require("chassis").log)`, "function"},
		{`print("first", "second")`, ""},
		{`print()`, ""},
		{`print({})`, "error: bad argument #1 to 'print' (string expected, got table)"},
		{`os.print("old", 1)`, ""},
		{`chassis.log("warning", "w")`, ""},
		{`chassis.log(nil, "m")`, ""},
		{`chassis.log("error", nil)`, ""},
		{`chassis.log("loud", "x")`, "error: bad argument #1 to '?' (invalid option 'loud')"},
		{`chassis.debug("d")`, ""},
		{`chassis.set_shutdown()`, ""},
		{`type(chassis.get_stats().chassis.lua_mem_bytes), chassis.get_stats("chassis")`, "number, nil"},
		{`chassis.get_stats("a", "b")`, "error: bad argument #2 to '?' (currently only zero or one arguments are allowed)"},
		{`chassis.mem_profile()`, ""},
	})
	want := []string{"message: first", "message: nil", "print: old\t1", "warning: w", "message: m", "critical: nil", "debug: d"}
	if !slices.Equal(m.said, want) {
		t.Errorf("got %q, want %q", m.said, want)
	}
	if !down {
		t.Error("set_shutdown did nothing")
	}
}

func TestSystem(t *testing.T) {
	m := newMachine(t, Host{})
	m.all(t, []vector{
		{`require("glib2").md5("abc")`, "900150983cd24fb0d6963f7d28e17f72"},
		{`glib2.usleep(1500)`, ""},
		{`math.abs(glib2.get_current_time().tv_sec - os.time()) < 5`, "true"},
		{`require("posix").getpid()`, fmt.Sprint(os.Getpid())},
		{`posix.getuid()`, fmt.Sprint(os.Getuid())},
		{`show(posix.getpwuid(0)):match("name=root") or posix.getpwuid(0)`, "name=root"},
		{`posix.getpwuid(123456789)`, "nil"},
		{`posix.kill(posix.getpid(), 0), posix.kill(2^30, 0)`, "0, -1"},
	})
	if want := []string{"sleep: 1.5ms"}; !slices.Equal(m.said, want) {
		t.Errorf("got %q, want %q", m.said, want)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("four"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	m := newMachine(t, Host{})
	m.all(t, []vector{
		{`require("lfs").attributes("f").size, lfs.attributes("f", "mode"), lfs.attributes(".", "mode")`, "4, file, directory"},
		{`lfs.attributes("f", "modification") > 1e9, lfs.attributes("f", "nonsense")`, "true, nil"},
		{`local t = {} return lfs.attributes("f", t) == t and t.mode`, "file"},
		{`lfs.attributes("no")`, "nil, cannot obtain information from file `no'"},
		{`lfs.mkdir("d"), lfs.mkdir("d")`, "true, nil, File exists"},
		{`lfs.chdir("d"), lfs.currentdir() == "` + filepath.Join(dir, "d") + `", lfs.chdir("..")`, "true, true, true"},
		{`lfs.touch("f", 1000), lfs.attributes("f", "modification")`, "true, 1000"},
		{`lfs.touch("f", 1000, 2000), lfs.attributes("f", "modification")`, "true, 2000"},
		{`local n = {} for name in lfs.dir(".") do n[#n + 1] = name end return table.concat(n, " ")`, ". .. d f"},
		{`lfs.dir("no")`, "error: cannot open no: No such file or directory"},
		{`lfs.rmdir("f")`, "nil, Not a directory"},
		{`lfs.rmdir("d"), lfs.rmdir("d")`, "true, nil, No such file or directory"},
	})
}

func TestRequire(t *testing.T) {
	m := newMachine(t, Host{})
	for _, name := range Names() {
		if got := m.eval(fmt.Sprintf("type(require(%q))", name)); got != "table" {
			t.Errorf("%s: got %s", name, got)
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"glib2.lua": "return 'mine'", "c.so": "", "lfs.so": "", "bad.lua": "x =", "prog.lua": "#!/usr/bin/lua\nreturn ..."} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m = newMachine(t, Host{})
	m.l.SetField(m.l.GetGlobal("package"), "path", lua.LString(dir+"/?.lua"))
	m.l.SetField(m.l.GetGlobal("package"), "cpath", lua.LString(dir+"/?.so"))
	m.all(t, []vector{
		{`require("glib2")`, "mine"},
		{`require("prog")`, "prog"},
		{`type(require("lfs").dir)`, "function"},
		{`require("lpeg") == lpeg, lpeg._VERSION, (lpeg.C(lpeg.R"az"^1) * -1):match("word")`, "true, nil, word"},
		{`require("c")`, "error: module 'c' is the C library '" + dir + "/c.so', which cannot be loaded here. Built in are " + strings.Join(Names(), ", ")},
		{`require("bad")`, "error: error loading module 'bad' from file '" + dir + "/bad.lua':\n\t" + dir + "/bad.lua:1: unexpected symbol near '<eof>'"},
		{`require("none")`, "error: module 'none' not found:\n\tno field package.preload['none']\n\tno file '" + dir + "/none.lua'\n\tno built-in module 'none'\n\tno file '" + dir + "/none.so'"},
	})
}

func TestSandboxHasNoFiles(t *testing.T) {
	m := newMachine(t, Host{Sandbox: true})
	for _, name := range reaching {
		want := "module '" + name + "' is withheld by --sandbox"
		if got := m.eval(fmt.Sprintf("require(%q)", name)); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := m.eval(`type(require("proxy.tokenizer"))`); got != "table" {
		t.Errorf("proxy.tokenizer: got %s", got)
	}
}
