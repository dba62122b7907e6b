-- Picks backends that have idle connections for the user of this connection.

module("proxy.balance", package.seeall)

local function idle(backend, kind)
	return backend.type == kind and backend.state ~= proxy.BACKEND_STATE_DOWN
		and backend.pool.users[proxy.connection.client.username].cur_idle_connections > 0
end

-- idle_failsafe_rw is the first backend for writing, 0 if there is none.
function idle_failsafe_rw()
	for i = 1, #proxy.global.backends do
		if idle(proxy.global.backends[i], proxy.BACKEND_TYPE_RW) then
			return i
		end
	end
	return 0
end

-- idle_ro is the backend for reading with the fewest clients, 0 if there is none.
function idle_ro()
	local best, fewest = 0, math.huge
	for i = 1, #proxy.global.backends do
		local backend = proxy.global.backends[i]
		if idle(backend, proxy.BACKEND_TYPE_RO) and backend.connected_clients < fewest then
			best, fewest = i, backend.connected_clients
		end
	end
	return best
end
