-- Read/write splitting: a client has a server only while a statement or a transaction runs. SELECTs
-- outside of transactions go to a server for reading, all else goes to the one for writing. Each login
-- adds a connection to the pools, first for writing, then for reading.
--
-- What belongs to one server connection does not work with this: user variables, temporary tables,
-- LAST_INSERT_ID() in a statement of its own. A client that prepares statements keeps its connection.

local balance = require("proxy.balance")
local tokenizer = require("proxy.tokenizer")

local in_transaction, keeps = false, false

function connect_server()
	local best, fewest
	for i = 1, #proxy.global.backends do
		local b = proxy.global.backends[i]
		local n = b.connected_clients + b.pool.users[""].cur_idle_connections
		if b.state ~= proxy.BACKEND_STATE_DOWN and (not fewest or n < fewest) then
			best, fewest = i, n
		end
	end
	if best then
		proxy.connection.backend_ndx = best -- a new connection: PROXY_IGNORE_RESULT would take an old one
	end
end

function read_auth_result(auth)
	if auth.packet:byte() == proxy.MYSQLD_PACKET_OK then
		proxy.connection.backend_ndx = 0
	end
end

-- reads reports whether any server will do for a command.
local function reads(packet)
	if packet:byte() ~= proxy.COM_QUERY then
		return false
	end
	local tokens = tokenizer.tokenize(packet:sub(2))
	local first = tokenizer.first_stmt_token(tokens)
	if not first or first.token_name ~= "TK_SQL_SELECT" then
		return false
	end
	for i = 1, #tokens do
		local name = tokens[i].token_name
		if name == "TK_SQL_FOR" or name == "TK_SQL_INTO" or name == "TK_SQL_LOCK" then
			return false
		end
	end
	return true
end

local function fail(msg)
	proxy.response = { type = proxy.MYSQLD_PACKET_ERR, errcode = 1040, sqlstate = "08004", errmsg = msg }
	return proxy.PROXY_SEND_RESULT
end

function read_query(packet)
	if packet:byte() == proxy.COM_QUIT then
		proxy.response = { type = proxy.MYSQLD_PACKET_OK }
		return proxy.PROXY_SEND_RESULT -- the server connections stay
	end
	local server = proxy.connection.server
	if not server then
		local i = reads(packet) and balance.idle_ro() or 0
		if i == 0 then
			i = balance.idle_failsafe_rw()
		end
		if i == 0 then
			return fail("no server connection is idle")
		end
		proxy.connection.backend_ndx = i
		server = proxy.connection.server
		if not server then
			return fail("the idle server connection is gone")
		end
		print(("server %d: %s"):format(i, packet:sub(2)))
	end
	keeps = keeps or packet:byte() == proxy.COM_STMT_PREPARE
	local db = proxy.connection.client.default_db
	if db ~= "" and db ~= server.default_db then
		proxy.queries:append(2, string.char(proxy.COM_INIT_DB) .. db, { resultset_is_needed = true })
	end
	proxy.queries:append(1, packet, { resultset_is_needed = true })
	return proxy.PROXY_SEND_QUERY
end

function read_query_result(inj)
	if inj.id ~= 1 then
		return proxy.PROXY_IGNORE_RESULT
	end
	if inj.resultset.query_status ~= proxy.MYSQLD_PACKET_ERR then -- an error does not tell, and ends none
		in_transaction = inj.resultset.flags.in_trans
	end
	if not in_transaction and not keeps then
		proxy.connection.backend_ndx = 0
	end
end
