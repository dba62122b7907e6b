-- A small kit for testing scripts without a proxy.

module("proxy.test", package.seeall)

local function describe(v)
	return tostring(v) .. " (" .. type(v) .. ")"
end

function assertEquals(is, expected, msg)
	if type(is) ~= type(expected) then
		error((msg or "") .. ": got " .. describe(is) .. ", expected " .. describe(expected))
	elseif is ~= expected then
		error((msg or "") .. ": got <" .. tostring(is) .. ">, expected <" .. tostring(expected) .. ">")
	end
end

function assertNotEquals(is, expected, msg)
	if is == expected then
		error((msg or "") .. ": got <" .. tostring(is) .. ">, expected something else")
	end
end

_G.assertEquals, _G.assertNotEquals = assertEquals, assertNotEquals

-- BaseTest is the class that tests are made of: MyTest = proxy.test.BaseTest:new()
BaseTest = {}

function BaseTest:setUp() end
function BaseTest:tearDown() end

function BaseTest:new(o)
	o = o or {}
	setmetatable(o, self)
	self.__index = self
	return o
end

-- ProxyBaseTest also brings a global named proxy that stands for the real one.
ProxyBaseTest = BaseTest:new()

-- The numbers differ from the real ones, as those of the original's kit do.
local constants = {
	PROXY_SEND_RESULT = 1, PROXY_SEND_QUERY = 2,
	MYSQLD_PACKET_OK = 0, MYSQLD_PACKET_EOF = 254, MYSQLD_PACKET_ERR = 255, MYSQLD_PACKET_RAW = 250,
	MYSQL_TYPE_STRING = 254,
	COM_QUIT = 1, COM_INIT_DB = 2, COM_QUERY = 3, COM_FIELD_LIST = 4, COM_SHUTDOWN = 8, COM_PING = 14,
	COM_STMT_PREPARE = 22, COM_STMT_EXECUTE = 23, COM_STMT_CLOSE = 25, COM_SET_OPTION = 27,
}

local function mock_queries()
	local queries = { data = {} }
	function queries:append(id, query, options)
		self.data[#self.data + 1] = { id = id, query = query, options = options }
	end
	function queries:reset()
		self.data = {}
	end
	function queries:len()
		return #self.data
	end
	return queries
end

function ProxyBaseTest:setDefaultScope()
	local fake = {
		global = { config = {} },
		queries = mock_queries(),
		connection = { server = {}, client = {} },
		response = {},
	}
	for name, value in pairs(constants) do
		fake[name] = value
	end
	setmetatable(fake, { __index = function(_, key)
		error("proxy.[" .. tostring(key) .. "] is unknown, please adjust the mock here", 2)
	end })
	_G.proxy = fake
end

-- Result counts.
Result = {}

function Result:new(o)
	o = o or {}
	setmetatable(o, self)
	self.__index = self
	o.passed, o.failed, o.failed_tests = 0, 0, {}
	return o
end

function Result:print()
	if self.failed > 0 then
		print("FAILED TESTS:")
		for name, msg in pairs(self.failed_tests) do
			print(("%s: %s"):format(name, tostring(msg)))
		end
	end
	print(("%d passed, %d failed"):format(self.passed, self.failed))
end

-- Suite runs the methods named test* of the global tables named Test*.
Suite = {}

function Suite:new(o)
	o = o or {}
	setmetatable(o, self)
	self.__index = self
	o.result = o.result or Result:new()
	return o
end

local function names_of(t, prefix)
	local names = {}
	for name in pairs(t) do
		if type(name) == "string" and name:sub(1, #prefix) == prefix then
			names[#names + 1] = name
		end
	end
	table.sort(names)
	return names
end

function Suite:run_one(class, name, method)
	class:setUp()
	local done, msg = pcall(class[method], class)
	if done then
		self.result.passed = self.result.passed + 1
	else
		self.result.failed = self.result.failed + 1
		self.result.failed_tests[name .. ":" .. method] = msg
	end
	class:tearDown()
end

function Suite:run(classes)
	for _, name in ipairs(classes or names_of(_G, "Test")) do
		local class = _G[name]
		if type(class) == "table" then
			for _, method in ipairs(names_of(class, "test")) do
				self:run_one(class, name, method)
			end
		end
	end
end

function Suite:exit_code()
	return self.result.failed == 0 and 0 or 1
end
