-- Makes every third write fail with a deadlock, to see whether an application tries again.
-- The count is shared by all connections: it lives in proxy.global.

local every = 3
local writes = { INSERT = true, UPDATE = true, DELETE = true, REPLACE = true }

function read_query(packet)
	if packet:byte() ~= proxy.COM_QUERY then
		return
	end
	local verb = packet:sub(2):match("^%s*(%a+)")
	if not verb or not writes[verb:upper()] then
		return
	end
	proxy.global.writes = (proxy.global.writes or 0) + 1
	if proxy.global.writes % every ~= 0 then
		return
	end
	print("deadlock for " .. verb:upper() .. " number " .. proxy.global.writes)
	proxy.response = {
		type = proxy.MYSQLD_PACKET_ERR,
		errcode = 1213,
		sqlstate = "40001",
		errmsg = "Deadlock found when trying to get lock; try restarting transaction",
	}
	return proxy.PROXY_SEND_RESULT
end
