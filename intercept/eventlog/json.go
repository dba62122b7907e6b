package eventlog

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

// object is a JSON line. What is not known is absent, never null or zero in its place; fields may be
// added, never renamed.
type object struct {
	Time     string   `json:"time"`
	Conn     uint64   `json:"conn,omitzero"`
	Exchange uint64   `json:"exchange,omitzero"`
	Parent   uint64   `json:"parent,omitzero"` // exchange that an injected query belongs to
	Hook     string   `json:"hook,omitzero"`
	Cmd      string   `json:"cmd,omitzero"`
	User     text     `json:"user,omitzero"`
	DB       text     `json:"db,omitzero"`
	Client   string   `json:"client,omitzero"`
	Backend  string   `json:"backend,omitzero"`
	SQL      text     `json:"sql,omitzero"`
	SQLLen   int      `json:"sql_length,omitzero"` // where sql is only its beginning
	Params   []param  `json:"params,omitempty"`
	Digest   string   `json:"digest,omitzero"`
	Verb     string   `json:"verb,omitzero"`
	Tables   []text   `json:"tables,omitempty"`
	Rows     *uint64  `json:"rows,omitzero"`
	Affected *uint64  `json:"affected,omitzero"`
	InsertID uint64   `json:"last_insert_id,omitzero"`
	Warnings *uint16  `json:"warnings,omitzero"`
	Error    *failure `json:"error,omitzero"`
	Ms       *float64 `json:"ms,omitzero"`
	HeldMs   float64  `json:"held_ms,omitzero"`
	BytesIn  uint64   `json:"bytes_in,omitzero"`
	BytesOut uint64   `json:"bytes_out,omitzero"`
	By       text     `json:"by,omitzero"`
	Action   string   `json:"action,omitzero"`
	Note     text     `json:"note,omitzero"`   // "client left after 30.0s"
	Upload   *upload  `json:"upload,omitzero"` // of LOAD DATA LOCAL
	Stream   *stream  `json:"stream,omitzero"` // of COM_BINLOG_DUMP
	Level    string   `json:"level,omitzero"`
	Message  text     `json:"message,omitzero"` // of a notice, with its level
	Login    *login   `json:"login,omitzero"`   // of a notice: why a login failed
}

// upload is what came of the files that the server asked the client for.
type upload struct {
	File    text   `json:"file"` // the last one
	Given   text   `json:"given,omitzero"`
	Files   int    `json:"files"`
	Unnamed bool   `json:"unnamed,omitzero"` // the statement does not name it
	Refused text   `json:"refused_by,omitzero"`
	Bytes   uint64 `json:"bytes"`
	Packets uint64 `json:"packets"`
}

func uploadOf(u *intercept.Upload) *upload {
	if u == nil {
		return nil
	}
	return &upload{text(u.File), text(u.Given), u.Files, u.Unnamed, text(u.Refused), u.Bytes, u.Packets}
}

// stream is what a replica got of a binary log.
type stream struct {
	Events   uint64            `json:"events"`
	Bytes    uint64            `json:"bytes"`
	Types    map[string]uint64 `json:"types"` // events by name
	File     text              `json:"file,omitzero"`
	Position uint64            `json:"position"`
	GTID     string            `json:"gtid,omitzero"`
	Acks     uint64            `json:"acks,omitzero"`
}

func streamOf(s *intercept.Stream) *stream {
	if s == nil {
		return nil
	}
	o := &stream{Events: s.Events, Bytes: s.Bytes, File: text(s.File), Position: s.Position, GTID: s.GTID, Acks: s.Acks, Types: map[string]uint64{}}
	for _, c := range s.Counts {
		o.Types[c.Type.String()] = c.N
	}
	return o
}

// login explains a login that failed. The facts are by their names, with _ for spaces.
type login struct {
	Cause  string          `json:"cause"`
	Step   string          `json:"step"`
	Text   text            `json:"text"`
	Hints  []text          `json:"hints,omitempty"`
	Client map[string]text `json:"client,omitempty"`
	Server map[string]text `json:"server,omitempty"`
	Steps  []text          `json:"steps,omitempty"`
}

// param is a parameter of an execute, or a query attribute, which has a name. NULL has no value but
// says so; a value that was sent in pieces is not known.
type param struct {
	Name  text   `json:"name,omitzero"`
	Type  string `json:"type"`
	Value any    `json:"value,omitempty"`
	Null  bool   `json:"null,omitzero"`
}

type failure struct {
	Code     uint16 `json:"code"`
	SQLState string `json:"sqlstate,omitzero"`
	Message  text   `json:"message"`
}

// text is a string of JSON, or {"base64": "…"} where its bytes are none.
type text string

func (t text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) && !hasControl(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(map[string][]byte{"base64": []byte(t)})
}

// hasControl reports whether s holds bytes that text does not: control characters beside white space.
func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' && s[i] != '\n' && s[i] != '\r' {
			return true
		}
	}
	return false
}

// microseconds is RFC 3339 as lines have it.
const microseconds = "2006-01-02T15:04:05.000000Z07:00"

func (r *record) object() *object {
	x, info := r.x, r.info
	o := &object{
		Time: x.Begun.UTC().Format(microseconds), Conn: uint64(x.Conn), Exchange: uint64(x.Seq), Parent: uint64(x.Parent),
		Hook: r.hook().String(), Cmd: x.Name(), User: text(info.User), DB: text(info.DB), Client: info.Client, Backend: info.Backend,
		SQL: text(r.sql), Digest: r.digest(), Verb: r.env.Verb, HeldMs: milliseconds(x.HeldFor),
		BytesIn: x.BytesIn, BytesOut: x.BytesOut, By: text(r.by()), Action: r.action(), Note: text(x.Note),
		Upload: uploadOf(x.Upload), Stream: streamOf(x.Stream),
	}
	if r.cut() {
		o.SQLLen = x.SQLLen
	}
	for _, t := range r.env.Tables {
		o.Tables = append(o.Tables, text(t))
	}
	for i := range r.params {
		p := &r.params[i]
		out := param{Name: text(p.Name), Type: typeName(p), Null: p.Null}
		if !p.Null && !p.Long {
			out.Value = paramValue(p, r.cx)
		}
		o.Params = append(o.Params, out)
	}
	ms := milliseconds(x.Took())
	o.Ms = &ms
	if x.Error != nil {
		o.Error = &failure{Code: x.Error.Code, SQLState: x.Error.SQLState, Message: text(x.Error.Message)}
		return o
	}
	if !r.answered() || x.Command == mysqlwire.ComStmtPrepare { // whose answer counts nothing
		return o
	}
	if x.Cols > 0 {
		o.Rows = &x.Rows
	}
	if x.Cols == 0 || x.Affected > 0 {
		o.Affected = &x.Affected
	}
	o.InsertID, o.Warnings = x.LastInsertID, &x.Warnings
	return o
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func noticeObject(n *intercept.Notice) *object {
	o := &object{
		Time: n.At.UTC().Format(microseconds), Conn: uint64(n.Conn), Exchange: uint64(n.Exchange), Level: n.Level.String(), Message: text(n.Text),
	}
	r := n.Login
	if r == nil {
		return o
	}
	o.Hook, o.User, o.DB, o.Client, o.Backend = r.Step.Hook(), text(r.User), text(r.DB), r.From, r.Backend
	o.Login = &login{
		Cause: string(r.Cause), Step: r.Step.String(), Text: text(r.Line), Hints: texts(r.Hints), Steps: texts(r.Steps),
		Client: byName(r.Client), Server: byName(r.Server),
	}
	if e := r.Error; e != nil {
		o.Error = &failure{Code: e.Code, SQLState: e.SQLState, Message: text(e.Message)}
	}
	return o
}

func texts(lines []string) []text {
	var list []text
	for _, l := range lines {
		list = append(list, text(l))
	}
	return list
}

func byName(facts []intercept.Fact) map[string]text {
	if len(facts) == 0 {
		return nil
	}
	m := map[string]text{}
	for _, f := range facts {
		m[strings.ToLower(strings.ReplaceAll(f.Name, " ", "_"))] = text(f.Text)
	}
	return m
}

// append writes o without a character that a terminal might take for a command.
func (o *object) append(dst []byte) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(o); err != nil {
		panic(err) // every field can be encoded
	}
	for _, c := range string(bytes.TrimSpace(b.Bytes())) {
		switch {
		case strconv.IsPrint(c):
			dst = utf8.AppendRune(dst, c)
		case c > 0xffff:
			high, low := 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff
			dst = strconv.AppendInt(append(dst, `\u`...), int64(high), 16)
			dst = strconv.AppendInt(append(dst, `\u`...), int64(low), 16)
		default:
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
		}
	}
	return dst
}
