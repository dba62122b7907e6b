-- Masks e-mail addresses in every result set: the first letter stays, the rest of the name goes.
-- Column definitions keep their types; only cells change.

local function mask(cell)
	return cell and cell:gsub("^([^@%s])[^@%s]*(@[^@%s]+%.[^@%s]+)$", "%1***%2")
end

function read_query(packet)
	if packet:byte() == proxy.COM_QUERY then
		proxy.queries:append(1, packet, { resultset_is_needed = true })
		return proxy.PROXY_SEND_QUERY
	end
end

function read_query_result(inj)
	local res = inj.resultset
	if res.query_status ~= proxy.MYSQLD_PACKET_OK or not res.rows then
		return
	end
	local fields, rows, changed = {}, {}, false
	for i = 1, #res.fields do
		fields[i] = { name = res.fields[i].name, type = res.fields[i].type }
	end
	for row in res.rows do
		for i = 1, #fields do
			local masked = mask(row[i])
			changed = changed or masked ~= row[i]
			row[i] = masked
		end
		rows[#rows + 1] = row
	end
	if not changed then
		return -- the server's own answer, with all its metadata
	end
	proxy.response = { type = proxy.MYSQLD_PACKET_OK, resultset = { fields = fields, rows = rows } }
	return proxy.PROXY_SEND_RESULT
end
