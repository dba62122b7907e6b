package lua51

import "testing"

// Strings are bytes: each of the 256 passes every function of the string library unchanged.
func TestAllBytesPassAllFunctions(t *testing.T) {
	const code = `
	local t = {}
	for i = 0, 255 do t[i + 1] = string.char(i) end
	local all = table.concat(t)
	local function same(s, what) assert(s == all, what) end
	assert(#all == 256 and all:len() == 256)
	same(string.char(all:byte(1, -1)), "byte and char")
	same(all:sub(1, -1), "sub")
	same(all:sub(1, 100) .. all:sub(101), "concatenation")
	same(all:reverse():reverse(), "reverse")
	same(all:rep(1), "rep")
	same(all:rep(2):sub(257), "rep twice")
	same((all:gsub("", "")), "gsub of nothing")
	same((all:gsub(".", "%0")), "gsub by %0")
	same((all:gsub("(.)", "%1")), "gsub by a capture")
	same((all:gsub(".", function(c) return c end)), "gsub by a function")
	same((all:gsub(".", setmetatable({}, {__index = function(_, c) return c end}))), "gsub by a table")
	same(all:match("^.*$"), "match")
	same(select(3, all:find("(.*)")), "find")
	same(("%s"):format(all), "format %s")
	same(loadstring("return " .. ("%q"):format(all))(), "format %q")
	same(table.concat({all:match(("(.)"):rep(32))}) .. all:sub(33), "captures")
	local u = {} for c in all:gmatch(".") do u[#u + 1] = c end
	same(table.concat(u), "gmatch and table.concat")
	local upper, lower = all:upper(), all:lower()
	for i = 1, 256 do
		local c, b = all:sub(i, i), i - 1
		assert(all:byte(i) == b and all:find(c, 1, true) == i, i)
		assert(upper:byte(i) == (b >= 97 and b <= 122 and b - 32 or b), i)
		assert(lower:byte(i) == (b >= 65 and b <= 90 and b + 32 or b), i)
		assert(("%c"):format(b) == c, i)
		local keyed = {[c] = i}
		assert(keyed[string.char(b)] == i and next(keyed) == c, i)
		assert(c == string.char(b) and (b == 0 or string.char(b - 1) < c), i)
		if not c:find("[%^%]%-%%]") then assert(all:find("[" .. c .. "]") == i and #all:gsub("[^" .. c .. "]", "") == 1, i) end
		if not c:find("%w") then assert(all:find("%" .. c) == i, i) end
	end
	print("all of them")`
	if got := newMachine(t).run(code); got != "all of them" {
		t.Error(got)
	}
}
