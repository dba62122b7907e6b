package script

import (
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept/rule"
)

// responseKeys are the fields of proxy.response that count.
var responseKeys = []string{"type", "resultset", "affected_rows", "insert_id", "errmsg", "errcode", "sqlstate", "packets"}

// meant says which field is meant by one that does not count.
var meant = map[string]string{
	"errno": "errcode", "error_code": "errcode", "errorcode": "errcode", "code": "errcode", "err_code": "errcode",
	"error": "errmsg", "message": "errmsg", "msg": "errmsg", "errormsg": "errmsg", "err_msg": "errmsg", "error_message": "errmsg", "errmessage": "errmsg",
	"sql_state": "sqlstate", "state": "sqlstate", "fields": "resultset.fields", "rows": "resultset.rows", "packet": "packets", "raw": "packets",
	"affectedrows": "affected_rows", "last_insert_id": "insert_id", "insertid": "insert_id", "result_set": "resultset", "result": "resultset",
}

// hint says what may be wrong, once for each script and thing: behaviour stays that of MySQL Proxy.
func (h *hooks) hint(key, format string, args ...any) {
	if !h.dry {
		if h.e.hinted[key] {
			return
		}
		h.e.hinted[key] = true
	}
	h.e.u.say(Hint, "%s", fmt.Sprintf(format, args...))
}

// hintResponse looks through a proxy.response that is about to be sent.
func (h *hooks) hintResponse(v lua.LValue) {
	t, ok := v.(*lua.LTable)
	if !ok {
		return
	}
	t.ForEach(func(k, _ lua.LValue) {
		name, ok := k.(lua.LString)
		switch want := meant[strings.ToLower(string(name))]; {
		case !ok || slices.Contains(responseKeys, string(name)):
		case want != "":
			h.hint("key "+string(name), "proxy.response.%s is not looked at: write proxy.response.%s", name, want)
		}
	})
	rs, ok := t.RawGetString("resultset").(*lua.LTable)
	if !ok {
		return
	}
	for _, name := range []string{"flags", "warning_count", "affected_rows", "insert_id", "query_status"} {
		if rs.RawGetString(name) != lua.LNil {
			h.hint("resultset "+name, "proxy.response.resultset.%s is not sent: it can only be read of inj.resultset", name)
		}
	}
}

// hintNothing looks for a decision that was prepared and not returned.
func (h *hooks) hintNothing() {
	if h.ret != 0 || h.failed != nil {
		return
	}
	if t, ok := h.c.private.RawGetString("response").(*lua.LTable); ok && h.ev.Point == rule.ReadQuery && t.RawGetString("type") != lua.LNil {
		h.hint("response", "read_query() has set proxy.response and returned nothing, so the command goes on: end it with return proxy.PROXY_SEND_RESULT")
	}
}

// hintQueue explains a queue that is thrown away.
func (h *hooks) hintQueue() {
	h.hint("queue", "proxy.queries is sent only if read_query() ends with return proxy.PROXY_SEND_QUERY; PROXY_SEND_QUERY alone, without proxy., is nil")
}

// hintBuffer explains a result that is changed too late.
func (h *hooks) hintBuffer() {
	h.hint("buffer", "the client has this result already: queue the query as proxy.queries:append(%d, packet, { resultset_is_needed = true }) to change its result", h.c.running.id)
}
