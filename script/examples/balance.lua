-- Gives each new client to the next server in turn, whatever it is for. Servers that are down are left
-- out; when one cannot be reached, connect_server is called again and the next takes its place.

local function next_up()
	local n = #proxy.global.backends
	for _ = 1, n do
		proxy.global.turn = (proxy.global.turn or 0) % n + 1
		if proxy.global.backends[proxy.global.turn].state ~= proxy.BACKEND_STATE_DOWN then
			return proxy.global.turn
		end
	end
	return 0
end

function connect_server()
	local i = next_up()
	if i > 0 then
		proxy.connection.backend_ndx = i
		print(("%s goes to server %d"):format(proxy.connection.client.src.name, i))
	end
end
