-- Runs SHOW STATUS around every SELECT and prints what the statement did to the server's counters.
-- The client gets the answer to its own query; the others are ignored.

local counters = "\003SHOW SESSION STATUS LIKE 'Handler_read%'"
local before = {}

function read_query(packet)
	if packet:byte() ~= proxy.COM_QUERY or not packet:sub(2):lower():match("^%s*select") then
		return
	end
	proxy.queries:append(1, counters, { resultset_is_needed = true })
	proxy.queries:append(2, packet, { resultset_is_needed = true })
	proxy.queries:append(3, counters, { resultset_is_needed = true })
	return proxy.PROXY_SEND_QUERY
end

local function read(res)
	local values = {}
	for row in res.rows do
		values[row[1]] = tonumber(row[2])
	end
	return values
end

function read_query_result(inj)
	if inj.id == 2 then
		print(("%d rows after %.1f ms: %s"):format(inj.resultset.row_count, inj.response_time / 1000, inj.query:sub(2)))
		return
	end
	if inj.id == 1 then
		before = read(inj.resultset)
	else
		for name, value in pairs(read(inj.resultset)) do
			if value > (before[name] or 0) then
				print(("  %s +%d"):format(name, value - (before[name] or 0)))
			end
		end
	end
	return proxy.PROXY_IGNORE_RESULT
end
