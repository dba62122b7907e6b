package script

import (
	"context"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// eval runs an expression in a console and returns what it shows.
func eval(t testing.TB, c *Console, code string) (string, error) {
	t.Helper()
	ev := &intercept.Event{Point: rule.ReadQuery, Conn: &intercept.Conn{ID: 1}, Context: &mysqlwire.Context{}}
	r := c.Run(context.Background(), ev, code)
	return strings.Join(r.Output, "|"), r.Err
}

// The wanted values are those of Lua 5.1.5.
func TestStringLibrary(t *testing.T) {
	c := NewConsole(Options{})
	for _, tt := range []struct{ code, want string }{
		{`("abc"):byte()`, "97"},
		{`("abc"):byte(2)`, "98"},
		{`("abc"):byte(-1)`, "99"},
		{`("abc"):byte(1, -1)`, "97\t98\t99"},
		{`select("#", ("abc"):byte(4))`, "0"},
		{`select("#", (""):byte())`, "0"},
		{`#string.char(0, 255, 10)`, "3"},
		{`("abc"):sub(2)`, "bc"},
		{`("abc"):sub(-2, -1)`, "bc"},
		{`("abc"):sub(0)`, "abc"},
		{`("abc"):sub(3, 2)`, ""},
		{`("abc"):sub(-100, 2)`, "ab"},
		{`("\195\164X"):upper()`, "\xc3\xa4X"},
		{`("\195\132X"):lower()`, "\xc3\x84x"},
		{`("ab"):rep(3)`, "ababab"},
		{`("abc"):reverse()`, "cba"},
		{`("SELECT 1"):find("SELECT")`, "1\t6"},
		{`("a.b"):find(".", 1, true)`, "2\t2"},
		{`("abc"):find("b", -1)`, "nil"},
		{`("abc"):find("")`, "1\t0"},
		{`("abc"):find("", 10)`, "4\t3"},
		{`("\0\255x"):find("\255")`, "2\t2"},
		{`("key = value"):match("^(%w+)%s*=%s*(%w+)$")`, "key\tvalue"},
		{`("hello"):find("l(l)(o)")`, "3\t5\tl\to"},
		{`("hello"):find("()ll()")`, "3\t4\t3\t5"},
		{`("THE (quick) fox"):find("%((%a+)%)")`, "5\t11\tquick"},
		{`("f(a(b)c)d"):match("%b()")`, "(a(b)c)"},
		{`("THE (quick) fox"):gsub("%f[%a]%a+", "x")`, "x (x) x\t3"},
		{`("abc"):gsub("", "-")`, "-a-b-c-\t4"},
		{`("abc abc"):gsub("^abc", "x")`, "x abc\t1"},
		{`("hello world"):gsub("(%w+)", "<%1>")`, "<hello> <world>\t2"},
		{`("hello"):gsub("l", {l = "L"})`, "heLLo\t2"},
		{`("hello"):gsub("l", function() return false end)`, "hello\t2"},
		{`("abc"):gsub("%w", "%0%0", 2)`, "aabbc\t2"},
		{`("x^2"):match("[%^]")`, "^"},
		{`("a-b"):match("[a-]+")`, "a-"},
		{`("]"):match("[]]")`, "]"},
		{`("aXb"):match("%u")`, "X"},
		{`("  trim  "):match("^%s*(.-)%s*$")`, "trim"},
		{`("a\0b"):match("%z()")`, "3"},
		{`("abcabc"):match("(a)bc%1")`, "a"},
		{`("%d"):format(3.7)`, "3"},
		{`("%5.1f|%-5d|%05d|%x|%X|%c"):format(3.14159, 42, 42, 255, 255, 65)`, "  3.1|42   |00042|ff|FF|A"},
		{`("%q"):format('a"b\\c\nd\0e\r')`, "\"a\\\"b\\\\c\\|d\\000e\\r\""},
		{`("%s|%10s|%-10s|%.2s"):format("a", "b", "c", "defg")`, "a|         b|c         |de"},
		{`("%g %g %g"):format(1e15, 0.1, 100000)`, "1e+15 0.1 100000"},
		{`("%i%%"):format(5)`, "5%"},
		{`("%u"):format(7)`, "7"},
		{`tostring(1e15)`, "1e+15"},
		{`tostring(1/3)`, "0.33333333333333"},
		{`tostring(2^53)`, "9.007199254741e+15"},
		{`tostring(1/0)`, "inf"},
		{`tonumber("010")`, "10"},
		{`tonumber("0x1F")`, "31"},
		{`tonumber("1_000")`, "nil"},
		{`tonumber("ff", 16)`, "255"},
		{`tonumber("  12  ")`, "12"},
		{`tonumber("")`, "nil"},
		{`tonumber("1e2")`, "100"},
	} {
		got, err := eval(t, c, tt.code)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.code, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ code, want string }{
		{`string.char(256)`, "bad argument #1 to 'char' (invalid value)"},
		{`("x"):find("[a")`, "malformed pattern (missing ']')"},
		{`("x"):find("(x")`, "unfinished capture"},
		{`("x"):find("%")`, "malformed pattern (ends with '%')"},
		{`("%y"):format(1)`, "invalid option '%y' to 'format'"},
		{`("x"):gsub("x", function() return {} end)`, "invalid replacement value (a table)"},
		{`("x"):rep(1e12)`, "resulting string too large"},
		{`string.sub()`, "bad argument #1 to 'sub' (string expected, got no value)"},
		{`io.read()`, "io.read is not available here"},
		{`os.exit()`, "os.exit is not available here"},
	} {
		_, err := eval(t, c, tt.code)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.code, err, tt.want)
		}
	}
}

func TestGmatchVisitsEveryMatch(t *testing.T) {
	got, err := eval(t, NewConsole(Options{}), `(function()
		local out = {}
		for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do out[#out + 1] = k .. v end
		for w in ("x"):gmatch("y*") do out[#out + 1] = "<" .. w .. ">" end
		return table.concat(out, " ")
	end)()`)
	if want := "a1 b2 <> <>"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// A pattern that takes exponential time is ended like any other code.
func TestPatternsHeedTheDeadline(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := NewConsole(Options{})
	ev := &intercept.Event{Point: rule.ReadQuery, Conn: &intercept.Conn{ID: 1}, Context: &mysqlwire.Context{}}
	if err := c.u.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.u.now.script = snippetName
	fn, err := c.u.l.LoadString(`return (("a"):rep(60)):find(("a*"):rep(30) .. "b")`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.u.call(ctx, 0, fn)
	c.u.leave()
	if err == nil || !strings.Contains(err.Error(), "cancelled") {
		t.Errorf("got %v, want an end by cancelling (event %d)", err, ev.ID)
	}
}

func FuzzStringsKeepBytes(f *testing.F) {
	for _, s := range []string{"", "\x00", "\xff\xfe", "SELECT 'ä'\r\n", `"\`} {
		f.Add(s)
	}
	c := NewConsole(Options{})
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 200 {
			s = s[:200]
		}
		ev := &intercept.Event{Point: rule.ReadQuery, Conn: &intercept.Conn{ID: 1}, Context: &mysqlwire.Context{}, Packet: []byte(s), PacketLen: len(s)}
		r := c.Run(context.Background(), ev, `
			assert(string.char(packet:byte(1, -1)) == packet, "byte and char")
			assert(("%s"):format(packet) == packet, "format %s")
			assert(packet:sub(1, 3) .. packet:sub(4) == packet, "sub")
			assert(packet:reverse():reverse() == packet, "reverse")
			assert(packet:gsub(".", "%0") == packet, "gsub")
			assert(packet:find(packet, 1, true) == 1, "find")
			assert(#packet == packet:len(), "len")
			local q = ("%q"):format(packet)
			assert(q:sub(1, 1) == '"' and q:sub(-1) == '"', "format %q")
			for i = 1, #packet do
				local b = packet:byte(i)
				assert(packet:sub(i, i):upper():byte() == ((b >= 97 and b <= 122) and b - 32 or b), "upper")
			end`)
		if r.Err != nil {
			t.Errorf("%q: %v", s, r.Err)
		}
	})
}
