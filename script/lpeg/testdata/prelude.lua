-- What the patterns of patterns.txt use besides lpeg: show writes values, tables sorted by key.

lpeg = require "lpeg"
for _, k in ipairs{"P","S","R","V","B","C","Carg","Cb","Cc","Cf","Cg","Cmt","Cp","Cs","Ct"} do _G[k] = lpeg[k] end
m = lpeg.match

local function one(v)
	if type(v) ~= "table" then
		return type(v) == "string" and ("%q"):format(v) or type(v) == "userdata" and "pattern" or tostring(v)
	end
	local out, n = {}, #v
	for i = 1, n do out[i] = one(v[i]) end
	local keys = {}
	for k in pairs(v) do
		if not (type(k) == "number" and k >= 1 and k <= n) then keys[#keys + 1] = k end
	end
	table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
	for _, k in ipairs(keys) do out[#out + 1] = tostring(k) .. "=" .. one(v[k]) end
	return "{" .. table.concat(out, ",") .. "}"
end

function show(...)
	local out = {}
	for i = 1, select("#", ...) do out[i] = one((select(i, ...))) end
	return table.concat(out, " ")
end
