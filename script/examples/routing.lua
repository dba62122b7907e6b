-- Sends clients to servers by the network they come from, and refuses all others.
-- The numbers are those of --backend in their order, --backend-ro after them.

local routes = {
	{ network = "^127%.", backend = 2 }, -- this machine: the second server
	{ network = "^10%.", backend = 1 },
	{ network = "^192%.168%.", backend = 1 },
}

function connect_server()
	local client = proxy.connection.client.src
	for _, route in ipairs(routes) do
		if client.address:find(route.network) then
			local backend = proxy.global.backends[route.backend]
			if backend and backend.state ~= proxy.BACKEND_STATE_DOWN then
				proxy.connection.backend_ndx = route.backend
				print(("%s goes to %s"):format(client.name, backend.dst.name))
			end
			return -- the server is chosen by load if the one of the route is down
		end
	end
	print(client.name .. " is refused")
	proxy.response = {
		type = proxy.MYSQLD_PACKET_ERR,
		errcode = 1130,
		sqlstate = "HY000",
		errmsg = ("Host '%s' is not allowed to connect"):format(client.address),
	}
	return proxy.PROXY_SEND_RESULT
end
