-- What scripts do with token lists: normalize them, strip comments, make SQL of them again.

local mysql = require("mysql.tokenizer")

module("proxy.tokenizer", package.seeall)

tokenize = mysql.tokenize

local values = { TK_STRING = true, TK_INTEGER = true, TK_FLOAT = true }

-- Words that begin a statement and are no keywords.
local openings = { COMMIT = true, ROLLBACK = true, BEGIN = true, START = true }

-- normalize makes one text of all statements that differ only in values, case and comments.
function normalize(tokens)
	local out = {}
	for i = 1, #tokens do
		local token = tokens[i]
		local name, text, n = token.token_name, token.text, #out + 1
		if name == "TK_COMMENT" then
			-- nothing
		elseif name == "TK_COMMENT_MYSQL" then
			out[n] = "/*!" .. text .. "*/ "
		elseif values[name] then
			out[n] = "? "
		elseif name == "TK_FUNCTION" then
			out[n] = text:upper()
		elseif name ~= "TK_LITERAL" then
			out[n] = text:upper() .. " "
		elseif text:sub(1, 1) == "@" then
			out[n] = text .. " "
		elseif n == 1 and openings[text:upper()] or n == 2 and out[1] == "START " and text:upper() == "TRANSACTION" then
			out[n] = text:upper() .. " "
		else
			out[n] = "`" .. text .. "` "
		end
	end
	return table.concat(out)
end

-- first_stmt_token is the first token that is no comment, or nil.
function first_stmt_token(tokens)
	for i = 1, #tokens do
		if tokens[i].token_name ~= "TK_COMMENT" then
			return tokens[i]
		end
	end
	return nil
end

-- bare_tokens are the texts of all tokens that are no comments, strings quoted on demand.
function bare_tokens(tokens, quote_strings)
	local out = {}
	for i = 1, #tokens do
		local token = tokens[i]
		local name = token.token_name
		if name == "TK_STRING" and quote_strings then
			out[#out + 1] = ("%q"):format(token.text)
		elseif name ~= "TK_COMMENT" then
			out[#out + 1] = token.text
		end
	end
	return out
end

-- tokens_to_query makes SQL of the tokens from first to last.
function tokens_to_query(tokens, first, last)
	local out = {}
	for i = first or 1, last or #tokens do
		local token = tokens[i]
		local name = token.token_name
		if name == "TK_STRING" then
			out[#out + 1] = ("%q "):format(token.text)
		elseif name == "TK_FUNCTION" then
			out[#out + 1] = token.text
		elseif name ~= "TK_COMMENT" then
			out[#out + 1] = token.text .. " "
		end
	end
	return table.concat(out)
end

-- tokens_without_comments are texts, as bare_tokens without quotes.
function tokens_without_comments(tokens)
	return bare_tokens(tokens)
end
