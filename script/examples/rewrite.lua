-- Gives every SELECT without a LIMIT one, so that a forgotten WHERE stays harmless.
-- The client sees the answer to the rewritten statement and nothing else.

local most = 1000

function read_query(packet)
	if packet:byte() ~= proxy.COM_QUERY then
		return
	end
	local sql = packet:sub(2):gsub("[%s;]+$", "")
	if not sql:lower():match("^%s*select%s.*%sfrom%s") or sql:lower():match("%slimit%s+%d") then
		return
	end
	proxy.queries:append(1, string.char(proxy.COM_QUERY) .. sql .. " LIMIT " .. most)
	return proxy.PROXY_SEND_QUERY
end
