-- Finds the tables of a statement by its tokens. It is a rough scanner and no parser: what it finds is
-- what scripts for MySQL Proxy are used to, errors included.

module("proxy.parser", package.seeall)

-- tablename_expand is a table's name with its schema.
function tablename_expand(tbl, db)
	return (db or proxy.connection.client.default_db) .. "." .. tbl
end

local opens = { TK_SQL_FROM = true, TK_COMMA = true, TK_SQL_JOIN = true, TK_SQL_STRAIGHT_JOIN = true }
local closes = { TK_SQL_WHERE = true, TK_SQL_GROUP = true, TK_SQL_ORDER = true, TK_SQL_LIMIT = true }

local expected = {}
for name in ([[
	LITERAL COMMA DOT STRING INTEGER FLOAT COMMENT COMMENT_MYSQL SEMICOLON CBRACE EQ NE LT GT LE GE SQL_JOIN
	SQL_STRAIGHT_JOIN SQL_INNER SQL_OUTER SQL_LEFT SQL_RIGHT SQL_CROSS SQL_NATURAL SQL_ON SQL_USING SQL_AS SQL_AND SQL_OR
	SQL_IS SQL_NOT SQL_NULL SQL_UNION SQL_ALL SQL_SELECT FUNCTION]]):gmatch("%S+") do
	expected["TK_" .. name] = true
end

-- after_from notes the tables of all lists behind FROM.
local function after_from(tokens, note)
	local scanning, depth, db, last = false, 0, nil, nil
	for i = 1, #tokens do
		local token = tokens[i]
		local name, text = token.token_name, token.text
		if depth > 0 then -- in a sub-select
			depth = depth + (name == "TK_OBRACE" and 1 or name == "TK_CBRACE" and -1 or 0)
			scanning = scanning and depth > 0
		elseif name == "TK_SQL_FROM" then
			scanning, db = true, nil
		elseif not scanning or name == "TK_COMMENT" then
			-- nothing
		elseif closes[name] then
			scanning = false
		elseif name == "TK_OBRACE" then
			depth = 1
		elseif name == "TK_LITERAL" then
			if last == "TK_DOT" then
				note(text, db)
				db = nil
			elseif opens[last] then
				local behind = tokens[i + 1]
				if behind and behind.token_name == "TK_DOT" then
					db = text
				else
					note(text)
				end
			end
		elseif not expected[name] then
			print("(parser) unknown, found token: " .. name .. " -> " .. text)
		end
		last = name
	end
end

-- literals notes the literals from a token on until stop says so.
local function literals(tokens, first, note, stop)
	for i = first, #tokens do
		local token = tokens[i]
		if token.token_name == "TK_LITERAL" then
			note(token.text)
		elseif stop(token.token_name) then
			return
		end
	end
end

local function table_of_ddl(tokens, first, note)
	local seen = false
	for i = first, #tokens do
		local token = tokens[i]
		if token.token_name == "TK_SQL_TABLE" then
			seen = true
		elseif seen and token.token_name == "TK_LITERAL" then
			note(token.text)
			return
		end
	end
end

local statements = {
	SELECT = { "read", function(tokens, _, note) after_from(tokens, note) end },
	DELETE = { "write", function(tokens, _, note) after_from(tokens, note) end },
	INSERT = { "write", function(tokens, first, note)
		literals(tokens, first, note, function(name) return name ~= "TK_SQL_INTO" end)
	end },
	UPDATE = { "write", function(tokens, first, note)
		literals(tokens, first, note, function(name) return name == "TK_SQL_SET" end)
	end },
	CREATE = { "write", table_of_ddl },
	DROP = { "write", table_of_ddl },
	ALTER = { "write", table_of_ddl },
	RENAME = { "write", table_of_ddl },
}

-- get_tables maps each table's name with its schema to "read" or "write".
function get_tables(tokens)
	local tables = {}
	for i = 1, #tokens do
		local name = tokens[i].token_name
		if name ~= "TK_COMMENT" and name ~= "TK_COMMENT_MYSQL" and name ~= "TK_UNKNOWN" then
			local kind = statements[tokens[i].text:upper()]
			if kind then
				kind[2](tokens, i + 1, function(tbl, db) tables[tablename_expand(tbl, db)] = kind[1] end)
			end
			return tables
		end
	end
	return tables
end
