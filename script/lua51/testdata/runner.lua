-- Runs each chunk of the table "chunks" and writes a line with what it returns or raises.

local function plain(s)
	return (s:gsub("0x%x%x%x%x%x%x+", "ADDRESS"):gsub("[%c\\\127-\255]", function(c)
		return ("\\%03d"):format(c:byte())
	end))
end

local function show(v)
	if type(v) == "string" then
		return '"' .. plain(v) .. '"'
	end
	return plain(tostring(v))
end

local function results(ok, ...)
	local out = {}
	for i = 1, select("#", ...) do
		out[i] = show((select(i, ...)))
	end
	return (ok and "" or "error ") .. table.concat(out, ", ")
end

for _, code in ipairs(chunks) do
	local fn, msg = loadstring("return " .. code, "=x")
	if not fn then
		fn, msg = loadstring(code, "=x")
	end
	if fn then
		print(results(pcall(fn)))
	else
		print("syntax " .. plain(msg))
	end
end
