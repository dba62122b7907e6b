-- The script of the admin listener: answers about the proxy itself. Write your own and name it with
-- --admin-lua-script; it needs read_query only, which has to answer every command.

local STRING, NUMBER = proxy.MYSQL_TYPE_STRING, proxy.MYSQL_TYPE_LONG

local function refuse(message)
	proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errmsg = message, errcode = 1064, sqlstate = "42000" }
	return proxy.PROXY_SEND_RESULT
end

local function ok()
	proxy.response = { type = proxy.MYSQLD_PACKET_OK }
	return proxy.PROXY_SEND_RESULT
end

-- answer sends rows; columns are pairs of a name and a type.
local function answer(columns, rows)
	local fields = {}
	for i, column in ipairs(columns) do
		fields[i] = { name = column[1], type = column[2] }
	end
	proxy.response = { type = proxy.MYSQLD_PACKET_OK, resultset = { fields = fields, rows = rows } }
	return proxy.PROXY_SEND_RESULT
end

local states = { [proxy.BACKEND_STATE_UNKNOWN] = "unknown", [proxy.BACKEND_STATE_UP] = "up", [proxy.BACKEND_STATE_DOWN] = "down" }
local types = { [proxy.BACKEND_TYPE_RW] = "rw", [proxy.BACKEND_TYPE_RO] = "ro" }

local help = {
	{ "SELECT * FROM help", "shows this help" },
	{ "SELECT * FROM backends", "lists the servers with their state, their clients and the idle connections of their pools" },
	{ "SELECT * FROM config", "lists what scripts keep in proxy.global.config" },
	{ "SELECT * FROM version", "shows the versions of the interface and of Lua" },
	{ "ADD BACKEND 'host:port' | ADD SLAVE 'host:port'", "adds a server for writing, or a read-only one" },
}

local commands = {}

commands["select * from help"] = function()
	return answer({ { "command", STRING }, { "description", STRING } }, help)
end

commands["select * from backends"] = function()
	local rows = {}
	for i = 1, #proxy.global.backends do
		local b = proxy.global.backends[i]
		rows[i] = {
			i, b.dst.name, states[b.state] or tostring(b.state), types[b.type] or "unknown", b.uuid, b.connected_clients,
			b.pool.users[""].cur_idle_connections,
		}
	end
	return answer({
		{ "backend_ndx", NUMBER }, { "address", STRING }, { "state", STRING }, { "type", STRING }, { "uuid", STRING },
		{ "connected_clients", NUMBER }, { "idle_connections", NUMBER },
	}, rows)
end

commands["select * from config"] = function()
	local rows = {}
	for module, options in pairs(proxy.global.config) do
		if type(options) == "table" then
			for option, value in pairs(options) do
				rows[#rows + 1] = { tostring(module), tostring(option), tostring(value) }
			end
		else
			rows[#rows + 1] = { "", tostring(module), tostring(options) }
		end
	end
	table.sort(rows, function(a, b) return a[1] .. "\0" .. a[2] < b[1] .. "\0" .. b[2] end)
	return answer({ { "module", STRING }, { "option", STRING }, { "value", STRING } }, rows)
end

commands["select * from version"] = function()
	return answer({ { "name", STRING }, { "version", STRING } }, {
		{ "interface", ("%d.%d.%d"):format(proxy.PROXY_VERSION / 65536, proxy.PROXY_VERSION / 256 % 256, proxy.PROXY_VERSION % 256) },
		{ "lua", _VERSION },
	})
end

-- Clients ask these by themselves.
commands["select @@version_comment limit 1"] = function()
	return answer({ { "@@version_comment", STRING } }, { { "mydbg admin" } })
end

commands["select user()"] = function()
	return answer({ { "USER()", STRING } }, { { proxy.connection.client.username } })
end

local function add(sql)
	local kind, address = sql:match("^add%s+(%a+)%s+['\"](.-)['\"]$")
	if kind ~= "backend" and kind ~= "slave" then
		return nil
	end
	local n, why = proxy.global.backends:add(address, kind == "slave" and proxy.BACKEND_TYPE_RO or proxy.BACKEND_TYPE_RW)
	if not n then
		return refuse(why)
	end
	return ok()
end

function read_query(packet)
	local command = packet:byte()
	if command == proxy.COM_PING or command == proxy.COM_INIT_DB or command == proxy.COM_QUIT then
		return ok()
	end
	if command ~= proxy.COM_QUERY then
		return refuse("the admin listener answers text queries only")
	end
	local sql = packet:sub(2):lower():gsub("%s+", " "):gsub("^ ", ""):gsub("[ ;]+$", "")
	local run = commands[sql]
	if run then
		return run()
	end
	if sql:find("^set ") or sql:find("^use ") then -- clients say these when they connect
		return ok()
	end
	return add(sql) or refuse("use 'SELECT * FROM help' to see the supported commands")
end
