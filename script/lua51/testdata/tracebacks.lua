-- Prints tracebacks, each followed by a line "--".
local function say(...)
	print((...))
	print("--")
end

say(debug.traceback())
say(debug.traceback("msg"))
say(debug.traceback(5))
say(type(debug.traceback({})), debug.traceback(nil))
say(debug.traceback("level 2", 2))
say(debug.traceback("none", 50))

local function inner() say(debug.traceback("in inner")) end
local function middle() inner() local x = 1 return x end
function outer() middle() return nil end
outer()

local t = {}
function t.field() inner() return 1 end
function t:method() self.field() return 2 end
t:method()
local u = t
u.field();
(function() inner() end)()

local function tail() return inner() end
tail()
local function tails() return tail() end
tails()
local function after() tails() return 1 end
after()

local function deep(n) if n > 0 then deep(n - 1) else say(debug.traceback("deep")) end return n end
deep(5)
deep(17)
deep(18)
deep(19)
deep(20)
deep(21)
deep(22)
deep(60)

say(select(2, xpcall(function() error("thrown") end, debug.traceback)))
say(select(2, xpcall(function() error("thrown", 0) end, function(m) return debug.traceback(m) end)))
say(select(2, xpcall(function() error("thrown", 0) end, function(m) return debug.traceback(m, 2) end)))
local function callsNil()
	local x
	x()
end
say(select(2, xpcall(callsNil, debug.traceback)))
say(select(2, xpcall(function() local x = {} + 1 end, debug.traceback)))
say(select(2, xpcall(function() return nil .. "x" end, debug.traceback)))
say(select(2, xpcall(function() return #5 end, debug.traceback)))
say(select(2, xpcall(function() string.rep() end, debug.traceback)))
say(select(2, xpcall(function() ("x"):rep({}) end, debug.traceback)))

pcall(inner)
pcall(function() inner() end)
table.sort({1, 2}, function(a, b) inner() return a < b end);
("a"):gsub("a", function() inner() end)

local co = coroutine.create(function(...) local function f() coroutine.yield() end f() end)
say(debug.traceback(co))
coroutine.resume(co)
say(debug.traceback(co, "suspended"))
say(debug.traceback(co, "suspended", 1))
coroutine.resume(co)
say(debug.traceback(co, "dead"))
coroutine.wrap(function() inner() end)()
loadstring("local f = ... f()", "=named")(inner)
loadstring("local f = ... f()")(inner)
setmetatable(t, {__index = function() inner() end, __add = function() inner() end})
local _ = t.nothing
_ = t + 1
