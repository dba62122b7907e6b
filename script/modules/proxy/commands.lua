-- Takes commands apart and shows them.

module("proxy.commands", package.seeall)

local names = {
	[0] = "COM_SLEEP", "COM_QUIT", "COM_INIT_DB", "COM_QUERY", "COM_FIELD_LIST", "COM_CREATE_DB", "COM_DROP_DB",
	"COM_REFRESH", "COM_SHUTDOWN", "COM_STATISTICS", "COM_PROCESS_INFO", "COM_CONNECT", "COM_PROCESS_KILL", "COM_DEBUG",
	"COM_PING", "COM_TIME", "COM_DELAYED_INSERT", "COM_CHANGE_USER", "COM_BINLOG_DUMP", "COM_TABLE_DUMP",
	"COM_CONNECT_OUT", "COM_REGISTER_SLAVE", "COM_STMT_PREPARE", "COM_STMT_EXECUTE", "COM_STMT_SEND_LONG_DATA",
	"COM_STMT_CLOSE", "COM_STMT_RESET", "COM_SET_OPTION", "COM_STMT_FETCH", "COM_DAEMON",
	"COM_BINLOG_DUMP", -- sic: scripts compare with this name
}

-- rest names the field that the bytes after the command are.
local rest = {
	COM_QUERY = "query",
	COM_STMT_PREPARE = "query",
	COM_FIELD_LIST = "table",
	COM_INIT_DB = "schema",
	COM_CREATE_DB = "schema",
	COM_DROP_DB = "schema",
	COM_SET_OPTION = "option",
}

local statement = { COM_STMT_EXECUTE = true, COM_STMT_CLOSE = true }
local bare = { COM_QUIT = true, COM_PING = true, COM_SHUTDOWN = true, COM_BINLOG_DUMP = true }

-- parse makes a table of a packet of read_query.
function parse(packet)
	local cmd = { type = packet:byte() }
	if not cmd.type then
		error("the packet is empty", 2)
	end
	local name = names[cmd.type]
	cmd.type_name = name
	if rest[name] then
		cmd[rest[name]] = packet:sub(2)
	elseif statement[name] then
		local a, b, c, d = packet:byte(2, 5)
		if not d then
			error("the packet has no statement id", 2)
		end
		cmd.stmt_handler_id = a + b * 256 + c * 65536 + d * 16777216
	elseif not bare[name] then
		print("[debug] (command) unhandled type name:" .. tostring(name) .. " byte:" .. cmd.type)
	end
	return cmd
end

local quiet = { COM_QUIT = true, COM_PING = true, COM_SHUTDOWN = true, COM_FIELD_LIST = true }
local shown = { COM_QUERY = "query", COM_STMT_PREPARE = "query", COM_INIT_DB = "schema", COM_STMT_EXECUTE = "stmt_handler_id" }

-- pretty_print is a command in one line.
function pretty_print(cmd)
	local name = cmd.type_name
	if not name then
		error("the command has no name", 2)
	end
	if quiet[name] then
		return "[" .. name .. "]"
	elseif shown[name] then
		return "[" .. name .. "] " .. cmd[shown[name]]
	end
	return "[" .. name .. "] ... no idea"
end
