-- Writes who logs in from where, what they run in normalized form, what fails, and how much they did.
-- Values do not appear: they are question marks.

local commands = require("proxy.commands")
local tokenizer = require("proxy.tokenizer")

local statements, failures = 0, 0

local function who()
	local c = proxy.connection.client
	return ("%s from %s"):format(c.username or "nobody", c.src.address)
end

function read_auth_result(auth)
	local said = { [proxy.MYSQLD_PACKET_OK] = "logged in", [proxy.MYSQLD_PACKET_ERR] = "was refused" }
	local what = said[auth.packet:byte()]
	if what then
		print(who() .. " " .. what)
	end
end

function read_query(packet)
	local cmd = commands.parse(packet)
	if cmd.type ~= proxy.COM_QUERY and cmd.type ~= proxy.COM_STMT_PREPARE then
		return
	end
	statements = statements + 1
	print(who() .. ": " .. tokenizer.normalize(tokenizer.tokenize(cmd.query)))
	proxy.queries:append(1, packet)
	return proxy.PROXY_SEND_QUERY
end

function read_query_result(inj)
	if inj.resultset.query_status == proxy.MYSQLD_PACKET_ERR then
		failures = failures + 1
		print(who() .. ": that failed")
	end
end

function disconnect_client()
	print(("%s left after %d statements, %d of them failed"):format(who(), statements, failures))
end
