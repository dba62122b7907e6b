-- Counts statements by their normalized text, for all connections together. "SHOW PROXY STATISTICS" is
-- answered here: the ten that took the most time.

local tokenizer = require("proxy.tokenizer")

proxy.global.statistics = proxy.global.statistics or {}

local digest

local function top()
	local rows = {}
	for text, s in pairs(proxy.global.statistics) do
		rows[#rows + 1] = { text, s.count, s.failed, ("%.3f"):format(s.us / 1000) }
	end
	table.sort(rows, function(a, b) return tonumber(a[4]) > tonumber(b[4]) end)
	while #rows > 10 do
		table.remove(rows)
	end
	return rows
end

function read_query(packet)
	if packet:byte() ~= proxy.COM_QUERY then
		return
	end
	digest = tokenizer.normalize(tokenizer.tokenize(packet:sub(2)))
	if digest:upper() == "SHOW `PROXY` `STATISTICS` " then
		proxy.response = {
			type = proxy.MYSQLD_PACKET_OK,
			resultset = {
				fields = {
					{ name = "statement", type = proxy.MYSQL_TYPE_STRING },
					{ name = "count", type = proxy.MYSQL_TYPE_LONG },
					{ name = "failed", type = proxy.MYSQL_TYPE_LONG },
					{ name = "ms", type = proxy.MYSQL_TYPE_STRING },
				},
				rows = top(),
			},
		}
		return proxy.PROXY_SEND_RESULT
	end
	proxy.queries:append(1, packet)
	return proxy.PROXY_SEND_QUERY
end

function read_query_result(inj)
	local all = proxy.global.statistics
	local s = all[digest] or { count = 0, failed = 0, us = 0 }
	all[digest] = s
	s.count, s.us = s.count + 1, s.us + inj.response_time
	if inj.resultset.query_status == proxy.MYSQLD_PACKET_ERR then
		s.failed = s.failed + 1
	end
end
