package eventlog

import (
	"math"
	"strconv"
	"strings"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

var now = time.Now

// record is an exchange that is over, with all that a line tells of it.
type record struct {
	x      *intercept.Exchange
	info   *intercept.ConnInfo
	env    *rule.Env
	sql    string // as much as is known, secrets masked
	params []mysqlwire.ExecParam
	cx     *mysqlwire.Context // of params
	edited bool               // the server or the client got something else than was sent to it
}

// always is what every line tells.
var always = rule.Set("verb", "tables", "digest")

// changing are the marks of those who may have changed an exchange, or only delayed it.
const changing = intercept.MarkEdited | intercept.MarkScripted | intercept.MarkRule

// newRecord gathers what the journal has of x. uses is what conditions will ask.
func newRecord(j *intercept.Journal, x *intercept.Exchange, info *intercept.ConnInfo, uses rule.FieldSet) record {
	var detail *intercept.Detail
	if x.Command == mysqlwire.ComStmtExecute || x.SQLLen > len(x.SQL) || x.Marks&changing != 0 || intercept.NeedsDetail(uses) {
		if d, ok := j.Detail(x.Seq); ok {
			detail = &d
		}
	}
	return recordOf(x, detail, info, uses)
}

// recordOf is a record of what is known already; without detail it has what an exchange carries.
func recordOf(x *intercept.Exchange, detail *intercept.Detail, info *intercept.ConnInfo, uses rule.FieldSet) record {
	r := record{x: x, info: info}
	if detail != nil {
		x.SQL = fullText(detail)
		r.params, r.cx = paramsOf(detail), detail.Context
		r.edited = detail.Sent != nil || detail.Delivered != nil
	}
	r.env = x.Env(info, detail, uses|always)
	r.sql = sqltext.Mask(x.SQL)
	return r
}

// Text is a finished exchange as a log line.
func Text(d *intercept.Detail, info *intercept.ConnInfo) string {
	x := d.Exchange
	r := recordOf(&x, d, info, 0)
	return r.line()
}

// JSON is a finished exchange as a log line of JSON.
func JSON(d *intercept.Detail, info *intercept.ConnInfo) string {
	x := d.Exchange
	r := recordOf(&x, d, info, 0)
	return string(r.object().append(nil))
}

// fullText is the statement as far as its bytes were kept: more than an exchange carries.
func fullText(d *intercept.Detail) string {
	long := d.SQL
	if d.Stmt != nil && len(d.Stmt.SQL) > len(long) {
		long = d.Stmt.SQL
	}
	switch d.Received.Kind {
	case mysqlwire.KindQuery:
		m, err := mysqlwire.Decode(d.Received.Kind, d.Received.Payload, d.Context)
		if q, ok := m.(*mysqlwire.Query); ok && err == nil && len(q.SQL) > len(long) {
			long = d.Context.ClientText(q.SQL)
		}
	case mysqlwire.KindStmtPrepare:
		if b := d.Received.Payload; len(b) > 1+len(long) {
			long = d.Context.ClientText(string(b[1:]))
		}
	}
	return long
}

func paramsOf(d *intercept.Detail) []mysqlwire.ExecParam {
	if d.Received.Kind != mysqlwire.KindStmtExecute {
		return nil
	}
	m, err := mysqlwire.Decode(d.Received.Kind, d.Received.Payload, d.Context)
	if x, ok := m.(*mysqlwire.StmtExecute); ok && err == nil {
		return x.Params
	}
	return nil
}

// cut reports that the text is not all of the statement.
func (r *record) cut() bool { return r.x.SQLLen > len(r.x.SQL) }

// hook is the last one the exchange came by.
func (r *record) hook() rule.Point {
	if r.answered() {
		return rule.ReadQueryResult
	}
	return rule.ReadQuery
}

// answered reports whether the counts of the exchange are those of an answer.
func (r *record) answered() bool {
	return r.x.State == intercept.Done && r.x.Command.Answered() && (!r.x.First.IsZero() || r.x.Marks&intercept.MarkCrafted != 0)
}

// action says what became of the exchange, in the words of verdicts.
func (r *record) action() string {
	switch m := r.x.Marks; {
	case m&intercept.MarkInjected != 0:
		return "inject"
	case strings.HasPrefix(r.x.Note, "connection closed by "):
		return "close"
	case strings.HasPrefix(r.x.Note, "left without an answer by "), m&intercept.MarkHidden != 0:
		return "drop"
	case m&intercept.MarkCrafted != 0:
		return "reply"
	case r.edited:
		return "edit"
	}
	return "forward"
}

// by is who decided, in the words that outlive a run: a breakpoint's name, else its number.
func (r *record) by() string {
	switch kind, rest, _ := strings.Cut(r.x.By, " "); {
	case r.x.By == "you":
		return "user"
	case kind == "breakpoint" || kind == "rule":
		if _, name, ok := strings.Cut(rest, " "); ok {
			if plain, err := strconv.Unquote(name); err == nil {
				return kind + " " + plain
			}
		}
	}
	return r.x.By
}

// paramValue is a parameter as JSON and text show it.
func paramValue(p *mysqlwire.ExecParam, cx *mysqlwire.Context) any {
	v, err := p.Value()
	if err != nil {
		return nil
	}
	switch v := v.(type) {
	case nil, int64, uint64:
		return v
	case float32:
		return number(float64(v))
	case float64:
		return number(v)
	case []byte:
		if c := cx.ClientCharset(); c != nil && !cx.ParamSpec(p.Type, p.Unsigned).Binary {
			return text(value.DecodeText(c, v))
		}
		return text(v)
	}
	return text(value.Text(v, p.Type, value.NoDecimals))
}

// number is f unless JSON has no such number: nothing keeps a client from sending one.
func number(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return text(strconv.FormatFloat(f, 'g', -1, 64))
	}
	return f
}

func typeName(p *mysqlwire.ExecParam) string {
	if p.Unsigned {
		return p.Type.String() + " unsigned"
	}
	return p.Type.String()
}

// digest is the statement's form, or nothing where it was cut: the form of a part is another one's.
func (r *record) digest() string {
	if r.x.SQL == "" || r.cut() {
		return ""
	}
	hash, _ := sqltext.Digest(r.x.SQL)
	return hash
}
