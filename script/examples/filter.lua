-- Refuses statements that lose data by mistake: DROP, TRUNCATE, and UPDATE or DELETE without a WHERE.
-- The client gets the error that a server gives to a user without the privilege.

local tokenizer = require("proxy.tokenizer")

local never = { DROP = true, TRUNCATE = true }
local only_where = { UPDATE = true, DELETE = true }

local function refused(sql)
	local tokens = tokenizer.tokenize(sql)
	local first = tokenizer.first_stmt_token(tokens)
	local verb = first and first.text:upper()
	if never[verb] then
		return verb .. " is refused"
	elseif only_where[verb] then
		for i = 1, #tokens do
			if tokens[i].token_name == "TK_SQL_WHERE" then
				return nil
			end
		end
		return verb .. " without WHERE is refused"
	end
end

function read_query(packet)
	local cmd = packet:byte()
	if cmd ~= proxy.COM_QUERY and cmd ~= proxy.COM_STMT_PREPARE then
		return
	end
	local why = refused(packet:sub(2))
	if not why then
		return
	end
	print(("%s: %s"):format(proxy.connection.client.username or "?", packet:sub(2)))
	proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errcode = 1142, sqlstate = "42000", errmsg = why }
	return proxy.PROXY_SEND_RESULT
end
