-- Shows prepared statements as they are executed: the text with the values that were bound to it.

local proto = require("mysql.proto")

local prepared = {} -- by statement id, of this connection
local preparing

local function literal(param)
	if param.value == nil then
		return "NULL"
	elseif type(param.value) == "number" then
		return tostring(param.value)
	end
	return ("'%s'"):format(param.value:gsub("'", "''"))
end

local function show(packet)
	local id = proto.stmt_id_from_stmt_execute_packet(packet)
	local stmt = prepared[id]
	if not stmt then
		return
	end
	local done, execute = pcall(proto.from_stmt_execute_packet, packet, stmt.params)
	if not done then
		print(("#%d %s -- %s"):format(id, stmt.text, execute))
		return
	end
	local n = 0
	print(("#%d %s"):format(id, (stmt.text:gsub("%?", function()
		n = n + 1
		return execute.params and literal(execute.params[n]) or "?"
	end))))
end

function read_query(packet)
	local cmd = packet:byte()
	if cmd == proxy.COM_STMT_PREPARE then
		preparing = proto.from_stmt_prepare_packet(packet).stmt_text or ""
		proxy.queries:append(1, packet, { resultset_is_needed = true })
		return proxy.PROXY_SEND_QUERY
	elseif cmd == proxy.COM_STMT_EXECUTE then
		show(packet)
	elseif cmd == proxy.COM_STMT_CLOSE then
		prepared[proto.from_stmt_close_packet(packet).stmt_id] = nil
	end
end

function read_query_result(inj)
	local raw = inj.resultset.raw
	if raw and raw:byte() == proxy.MYSQLD_PACKET_OK then
		local ok = proto.from_stmt_prepare_ok_packet(raw)
		prepared[ok.stmt_id] = { text = preparing, params = ok.num_params }
	end
end
