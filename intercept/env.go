package intercept

import (
	"net"
	"strings"
	"time"

	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// SlowAfter is when an answer counts as slow.
const SlowAfter = 100 * time.Millisecond

// What conditions ask for that costs something to find out.
var (
	usesText   = rule.Set("verb", "tables", "write", "ddl", "comment", "chatter")
	usesDigest = rule.Set("digest", "digest_text")
	usesParams = rule.Set("params")
	usesRow    = rule.Set("row")
	usesFile   = rule.Set("file", "file_unnamed")
)

// env fills in what a condition asks about an event: only what uses names, beside what is free.
func (ev *Event) env(uses rule.FieldSet) *rule.Env {
	info := ev.Conn.Info()
	e := &rule.Env{At: ev.Point, Dir: "client", Len: ev.PacketLen}
	if ev.Dir == mysqlwire.ToClient {
		e.Dir = "server"
	}
	fillConn(e, &info, ev.At)
	if ev.Point != rule.ReadQuery && ev.Point != rule.ReadQueryResult {
		return e
	}
	cmd := ev.Command()
	e.Cmd, e.SQL = rule.CommandName(byte(cmd)), ev.SQL
	e.Prepared = isPrepared(cmd)
	e.Injected = ev.Query.Origin != FromClient
	e.Scripted, e.NPlus1 = ev.SoFar.Touches(), ev.Loop
	if ev.Stmt != nil {
		e.Stmt = int(ev.Stmt.ID)
	}
	fillText(e, uses)
	if uses.Has(usesParams) && ev.Point == rule.ReadQuery {
		m, err := ev.Message()
		if x, ok := m.(*mysqlwire.StmtExecute); ok && err == nil {
			e.Params = paramValues(x, ev.Context)
		}
	}
	if ev.Point == rule.ReadQueryResult {
		ev.fillAnswer(e, uses)
	}
	return e
}

func (ev *Event) fillAnswer(e *rule.Env, uses rule.FieldSet) {
	if uses.Has(usesParams) && ev.Command() == mysqlwire.ComStmtExecute {
		var x mysqlwire.StmtExecute
		if x.Decode(ev.Query.Packet, ev.Context) == nil {
			e.Params = paramValues(&x, ev.Context)
		}
	}
	fillCounts(e, &ev.Counts)
	if ev.File != nil {
		e.File, e.FileUnnamed = ev.File.Name, !ev.File.Named
	}
	if ev.Answer == nil {
		return
	}
	e.Partial = ev.Answer.Partial
	for _, p := range ev.Answer.Packets {
		e.Bytes += mysqlwire.HeaderLen + len(p.Payload)
	}
	e.Ms = float64(ev.Timing.Last.Sub(ev.Timing.Sent).Microseconds()) / 1000
	e.Slow = ev.Timing.Last.Sub(ev.Timing.Sent) >= SlowAfter
	if uses.Has(usesRow) {
		e.Row = rowMaps(ev.Answer, ev.Context)
	}
}

// Env fills in what a filter asks about a finished or running exchange. info is its connection's;
// detail, which may be nil, gives parameters and rows.
func (x *Exchange) Env(info *ConnInfo, detail *Detail, uses rule.FieldSet) *rule.Env {
	e := &rule.Env{Dir: "client", Cmd: rule.CommandName(byte(x.Command)), SQL: x.SQL, Len: int(x.BytesIn), Stmt: int(x.StmtID)}
	if x.Origin == FromServer {
		e.Cmd, e.Dir = unaskedName, "server"
	}
	fillConn(e, info, x.Begun)
	if x.Login() {
		e.Cmd, e.At, e.Over = loginName, rule.ReadAuthResult, true
		if info.LoginFailure != nil {
			e.At = info.LoginFailure.Step.point()
		}
	}
	e.Tx = x.InTx
	e.Conn = int(x.Conn)
	e.Prepared = isPrepared(x.Command)
	e.Paused, e.Edited, e.Injected = x.Marks&MarkPaused != 0, x.Marks&MarkEdited != 0, x.Marks&MarkInjected != 0
	e.Crafted, e.Scripted = x.Marks&MarkCrafted != 0, x.Marks&MarkScripted != 0
	e.Partial, e.Marked, e.NPlus1 = x.Marks&MarkPartial != 0, x.Marks&MarkMarked != 0, x.Marks&MarkLoop != 0
	fillText(e, uses)
	if x.State != Done && x.State != Gone {
		e.At = rule.ReadQuery // its answer is not known yet
	}
	fillCounts(e, &x.Counts)
	if x.Upload != nil {
		e.File, e.FileUnnamed = x.Upload.File, x.Marks&MarkUnnamedFile != 0
	}
	e.Bytes = int(x.BytesOut)
	took := x.Took()
	e.Ms, e.Slow = float64(took.Microseconds())/1000, took >= SlowAfter
	if detail == nil {
		return e
	}
	if uses.Has(usesParams) {
		var m mysqlwire.StmtExecute
		if detail.Received.Kind == mysqlwire.KindStmtExecute && m.Decode(detail.Received.Payload, detail.Context) == nil {
			e.Params = paramValues(&m, detail.Context)
		}
	}
	if uses.Has(usesRow) {
		e.Row = rowMaps(&detail.Answer, detail.Context)
	}
	return e
}

func isPrepared(c mysqlwire.Command) bool {
	return c == mysqlwire.ComStmtPrepare || c == mysqlwire.ComStmtExecute || c == mysqlwire.ComStmtBulkExecute
}

// NeedsDetail reports whether a filter asks for what only the exchange's bytes tell.
func NeedsDetail(uses rule.FieldSet) bool { return uses.Has(usesParams) || uses.Has(usesRow) }

func fillConn(e *rule.Env, i *ConnInfo, at time.Time) {
	e.Conn, e.Thread, e.User, e.DB = int(i.ID), int(i.Thread), i.User, i.DB
	e.Program, e.TLS, e.Replayed = i.Program(), i.ClientTLS != "", i.Replayed
	e.Host = i.Client
	if host, _, err := net.SplitHostPort(i.Client); err == nil {
		e.Host = host
	}
	if len(i.Attrs) > 0 {
		e.Attr = make(map[string]string, len(i.Attrs))
		for _, a := range i.Attrs {
			e.Attr[a.Name] = a.Value
		}
	}
	e.Tx, e.Autocommit, e.TxN = i.Status.Has(mysqlwire.StatusInTrans), i.Status.Has(mysqlwire.StatusAutocommit), i.TxCommands
	if !i.TxSince.IsZero() {
		e.TxAge = at.Sub(i.TxSince).Seconds()
	}
}

func fillText(e *rule.Env, uses rule.FieldSet) {
	if uses.Has(usesText) {
		info := sqltext.Parse(e.SQL)
		e.Verb, e.Tables, e.Write, e.DDL, e.Comment = info.Verb, info.Tables, info.Write, info.DDL, info.Comments
		e.Chatter = IsChatter(e.Cmd, e.Verb, e.SQL)
	}
	if uses.Has(usesDigest) {
		e.Digest, e.DigestText = sqltext.Digest(e.SQL)
	}
}

// IsChatter reports whether a command is what drivers send by themselves. cmd is its name in conditions.
func IsChatter(cmd, verb, sql string) bool {
	switch cmd {
	case "ping", "close", "reset", "reset_connection", "set_option", "quit":
		return true
	}
	switch verb {
	case "BEGIN", "START":
		return true
	case "SET":
		return len(sql) < 200
	case "SELECT":
		return strings.Contains(sql, "@@") && !strings.Contains(strings.ToUpper(sql), " FROM ")
	}
	return false
}

func fillCounts(e *rule.Env, c *Counts) {
	e.Rows, e.Cols, e.Affected = int(c.Rows), int(c.Cols), int(c.Affected)
	e.LastInsertID, e.Warnings = int(c.LastInsertID), int(c.Warnings)
	if c.Error != nil {
		e.Error = rule.ErrorInfo{Code: int(c.Error.Code), State: c.Error.SQLState, Message: c.Error.Message}
	}
}

// paramValues are an execute's parameters as conditions see them: text, numbers, nil.
func paramValues(m *mysqlwire.StmtExecute, cx *mysqlwire.Context) []any {
	out := make([]any, len(m.Params))
	for i := range m.Params {
		v, err := m.Params[i].Value()
		if err == nil {
			out[i] = plain(v, cx.ParamSpec(m.Params[i].Type, m.Params[i].Unsigned))
		}
	}
	return out
}

func plain(v value.Value, s value.Spec) any {
	switch v := v.(type) {
	case nil, int64, uint64, float64:
		return v
	case float32:
		return float64(v)
	case []byte:
		if !s.Binary && s.Charset != nil {
			return value.DecodeText(s.Charset, v)
		}
	}
	return value.Text(v, s.Type, value.NoDecimals)
}

// maxRowMaps bounds the rows of a held answer that a condition sees.
const maxRowMaps = 10_000

func rowMaps(a *mysqlwire.Answer, cx *mysqlwire.Context) []map[string]any {
	results, err := a.Results(cx)
	if err != nil && len(results) == 0 {
		return nil
	}
	var out []map[string]any
	for i := range results {
		r := &results[i]
		for n := range min(r.Rows.Len(), maxRowMaps-len(out)) {
			cells, err := r.Rows.Row(n)
			if err != nil {
				continue
			}
			row := make(map[string]any, cells.Len())
			for c := range min(cells.Len(), len(r.Columns)) {
				v, err := cells.Value(c)
				if err != nil {
					v = cells.Bytes(c)
				}
				row[cx.ResultText(r.Columns[c].Name)] = plain(v, cx.Spec(&r.Columns[c]))
			}
			out = append(out, row)
		}
	}
	return out
}
