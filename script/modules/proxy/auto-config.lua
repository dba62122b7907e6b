-- Shows and changes proxy.global.config by SQL:
--
--     PROXY SHOW CONFIG
--     PROXY SET GLOBAL module.option = value
--     PROXY SAVE CONFIG INTO "file"
--     PROXY LOAD CONFIG FROM "file"

module("proxy.auto-config", package.seeall)

local longest = 128 -- bytes of a statement that is looked at

-- after takes the words off the front of a statement, each with the blanks behind it, and is the rest.
local function after(sql, words)
	for word in words:gmatch("%S+") do
		local have, at = sql:match("^(%a+)[ \t\n]+()")
		if not have or have:upper() ~= word then
			return nil
		end
		sql = sql:sub(at)
	end
	return sql
end

local function value_of(text)
	local s = text:match('^"([^"]*)"$')
	if s then
		return s
	elseif text:match("^%-?%d+$") then
		return tonumber(text)
	elseif text == "true" or text == "false" then
		return text == "true"
	end
	return nil
end

local function ok(affected)
	proxy.response = { type = proxy.MYSQLD_PACKET_OK, affected_rows = affected }
	return proxy.PROXY_SEND_RESULT
end

local function fail(msg)
	proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errmsg = msg }
	return proxy.PROXY_SEND_RESULT
end

local function show(config)
	local rows = {}
	for name, options in pairs(config) do
		for option, value in pairs(options) do
			rows[#rows + 1] = { name, option, tostring(value), type(value) }
		end
	end
	local fields = {}
	for i, name in ipairs({ "module", "option", "value", "type" }) do
		fields[i] = { name = name, type = proxy.MYSQL_TYPE_STRING }
	end
	proxy.response = { type = proxy.MYSQLD_PACKET_OK, resultset = { fields = fields, rows = rows } }
	return proxy.PROXY_SEND_RESULT
end

local function set(config, name, option, value)
	local options = rawget(config, name)
	if options == nil then
		return fail("module not known")
	elseif options[option] == nil then
		return fail("option not know")
	elseif type(options[option]) ~= type(value) then
		return fail("(auto-config) expected a " .. type(options[option]) .. ", got " .. type(value))
	end
	options[option] = value
	return ok(1)
end

local function literal(value)
	if type(value) == "string" then
		return ("%q"):format(value)
	end
	return tostring(value)
end

-- save writes the configuration as a Lua chunk that load reads.
function save(config, filename)
	local file, msg = io.open(filename, "w")
	if not file then
		return false, msg
	end
	file:write("return {\n")
	for name, options in pairs(config) do
		file:write(("\t[%q] = {\n"):format(name))
		for option, value in pairs(options) do
			file:write(("\t\t[%q] = %s,\n"):format(option, literal(value)))
		end
		file:write("\t},\n")
	end
	file:write("}\n")
	file:close()
	return true
end

-- load merges a file that save has written.
function load(config, filename)
	local chunk, msg = loadfile(filename)
	if not chunk then
		return false, msg
	end
	for name, options in pairs(chunk()) do
		local into = rawget(config, name) or {}
		rawset(config, name, into)
		for option, value in pairs(options) do
			into[option] = value
		end
	end
	return true
end

local function stored(done, msg)
	if done then
		return ok(0)
	end
	return fail(msg)
end

-- handle answers a command that is about the configuration; nil for every other one.
function handle(config, cmd)
	if cmd == nil then -- the old form
		config, cmd = proxy.global.config, config
	end
	if cmd.type ~= proxy.COM_QUERY or #cmd.query > longest then
		return nil
	end
	local rest = after(cmd.query, "PROXY SHOW")
	if rest and rest:upper() == "CONFIG" then
		return show(config)
	end
	rest = after(cmd.query, "PROXY SET GLOBAL")
	if rest then
		local name, option, value = rest:match("^([%a_][%w_]*)%.([%a_][%w_]*)[ \t\n]*=[ \t\n]*(.+)$")
		value = value and value_of(value)
		if value ~= nil then
			return set(config, name, option, value)
		end
		return nil
	end
	rest = after(cmd.query, "PROXY SAVE CONFIG INTO")
	local file = rest and rest:match('^"([^"]+)"$')
	if file then
		return stored(save(config, file))
	end
	rest = after(cmd.query, "PROXY LOAD CONFIG FROM")
	file = rest and rest:match('^"([^"]+)"$')
	if file then
		return stored(load(config, file))
	end
	return nil
end

setmetatable(proxy.global.config, { __index = { handle = handle, load = load, save = save } })
