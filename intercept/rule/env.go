package rule

import (
	"math/bits"
	"reflect"
	"strings"
)

// Env is what a condition may ask about one event. The tags are the only declaration of the
// language's fields: expr is the name inside the compiled condition, name what people write where
// that differs, from the first point at which the field is known. Fill only what [Expr.Uses]
// asks for, and set At: a field that cannot be known at At never makes a condition true.
type Env struct {
	At      Point             `expr:"at_" name:"hook" type:"text" from:"connect" doc:"the hook event: connect, handshake, auth, auth_result, query, result, disconnect"`
	Cmd     string            `expr:"cmd" from:"query" doc:"the command in lower case: query, prepare, execute, ping, init_db, change_user, …"`
	Dir     string            `expr:"dir" from:"connect" doc:"who sent it: client or server"`
	Conn    int               `expr:"conn" from:"connect" doc:"number of the connection, as the list shows it"`
	Thread  int               `expr:"thread" from:"handshake" session:"yes" doc:"the server's thread (connection) id"`
	User    string            `expr:"user" from:"auth" session:"yes" doc:"user name of the login"`
	Host    string            `expr:"host" from:"connect" session:"yes" doc:"address of the client, without the port"`
	DB      string            `expr:"db" from:"auth" session:"yes" doc:"current default database"`
	Program string            `expr:"program" from:"auth" session:"yes" doc:"program or driver name the client gave"`
	Attr    map[string]string `expr:"attr" from:"auth" session:"yes" doc:"connection attributes: attr._client_name, attr[\"_pid\"]"`
	TLS     bool              `expr:"tls" from:"auth" session:"yes" doc:"the client's connection is encrypted"`

	SQL        string            `expr:"sql" from:"query" doc:"text of the statement, also of an executed prepared one"`
	Digest     string            `expr:"digest" from:"query" doc:"hash of the statement's form; the first digits are enough: digest == \"7c1e9a\""`
	DigestText string            `expr:"digest_text" from:"query" doc:"the statement with literals replaced by ?"`
	Verb       string            `expr:"verb" from:"query" doc:"first word of the statement: SELECT, UPDATE, BEGIN; compared without regard to case"`
	Tables     []string          `expr:"tables" from:"query" doc:"tables the statement names: \"orders\" in tables matches shop.orders too"`
	Comment    map[string]string `expr:"comment" from:"query" doc:"tags in the statement's comments: comment.route, comment.traceparent"`
	Params     []any             `expr:"params" from:"query" doc:"values of an execute's parameters; param(0) is the first"`
	Len        int               `expr:"len_" name:"len" from:"query" doc:"length of the command in bytes"`
	Stmt       int               `expr:"stmt" from:"query" doc:"id of the prepared statement"`

	Rows         int              `expr:"rows" from:"result" doc:"rows in the answer"`
	Cols         int              `expr:"cols" from:"result" doc:"columns in the answer"`
	Affected     int              `expr:"affected" from:"result" doc:"rows changed"`
	LastInsertID int              `expr:"last_insert_id" from:"result" doc:"value given to an AUTO_INCREMENT column"`
	Warnings     int              `expr:"warnings" from:"result" doc:"warnings the server counted"`
	Error        ErrorInfo        `expr:"error" type:"error" from:"result" doc:"the answer's error: error.code, error.sqlstate, error.message; alone: there is one"`
	File         string           `expr:"file" from:"result" doc:"the client's file that the server asks for (LOAD DATA LOCAL); a rule that uses it is asked about such requests"`
	FileUnnamed  bool             `expr:"file_unnamed" from:"result" doc:"the server asks for a file that the statement does not name"`
	Bytes        int              `expr:"bytes" from:"result" doc:"size of the answer"`
	Ms           float64          `expr:"ms" from:"result" doc:"milliseconds to the end of the answer, time held not counted"`
	Row          []map[string]any `expr:"row" from:"result" doc:"the rows themselves where the answer is held: any(row, .email matches \"@test\")"`
	Slow         bool             `expr:"slow" from:"result" doc:"took longer than the limit for slow"`
	Partial      bool             `expr:"partial" from:"result" doc:"truncated, or only partly decoded"`
	Crafted      bool             `expr:"crafted" from:"result" doc:"answered in the server's place"`

	Tx         bool    `expr:"tx" from:"query" session:"yes" doc:"inside a transaction"`
	TxAge      float64 `expr:"tx_age" from:"query" session:"yes" doc:"age of the transaction in seconds"`
	TxN        int     `expr:"tx_n" from:"query" session:"yes" doc:"statements in the transaction so far"`
	Autocommit bool    `expr:"autocommit" from:"query" session:"yes" doc:"autocommit is on"`

	Write    bool `expr:"write" from:"query" doc:"the statement changes data or definitions"`
	DDL      bool `expr:"ddl" from:"query" doc:"the statement changes definitions"`
	Prepared bool `expr:"prepared" from:"query" doc:"prepare or execute of a prepared statement"`
	Chatter  bool `expr:"chatter" from:"query" doc:"what drivers send by themselves: SET NAMES, ping, BEGIN"`
	NPlus1   bool `expr:"nplus1" from:"query" doc:"one of many alike statements in a row"`
	Paused   bool `expr:"paused" from:"connect" doc:"held, now or before"`
	Edited   bool `expr:"edited" from:"connect" doc:"changed by a person"`
	Injected bool `expr:"injected" from:"connect" doc:"not sent by the client"`
	Scripted bool `expr:"scripted" from:"connect" doc:"changed by a script"`
	Marked   bool `expr:"marked" from:"connect" doc:"marked by a person or a rule"`
	Replayed bool `expr:"replayed" from:"connect" doc:"comes from a replay"`

	// Over says that everything is known whatever At says: the login that ended there is over.
	Over bool `expr:"-"`
}

// ErrorInfo is the server's error; all zero when there was none.
type ErrorInfo struct {
	Code    int    `expr:"code"`
	State   string `expr:"sqlstate"`
	Message string `expr:"message"`
}

// A Field describes one name of the language.
type Field struct {
	Name, Type, Doc string
	From            Point    // where it is first known
	Values          []string // the values there are, or the usual ones; nil for free text

	exprName string
	bit      FieldSet
	session  bool // belongs to the connection: still known at disconnect
}

// KnownAt reports whether the field has a value at p.
func (f Field) KnownAt(p Point) bool {
	switch {
	case p == 0:
		return true
	case p == Disconnect:
		return f.session || f.From == ConnectServer
	}
	return f.From <= p
}

// FieldSet is a set of fields, see [Set].
type FieldSet uint64

// Set makes a set from names of fields. A name that is none is a mistake in the program: it panics.
func Set(names ...string) FieldSet {
	var s FieldSet
	for _, n := range names {
		f, ok := fieldsByName[n]
		if !ok {
			panic("rule: no field " + n)
		}
		s |= f.bit
	}
	return s
}

// Has reports whether s and any of the fields of t overlap.
func (s FieldSet) Has(t FieldSet) bool { return s&t != 0 }

// Names lists the set in the order of declaration. Fields derived from error are listed as error.
func (s FieldSet) Names() []string {
	var out []string
	for ; s != 0; s &= s - 1 {
		out = append(out, fields[bits.TrailingZeros64(uint64(s))].Name)
	}
	return out
}

// knownAt is the part of s known at p.
func (s FieldSet) knownAt(p Point) FieldSet { return s & knownSets[p] }

// Fields lists all fields in the order of declaration, those derived from another last.
func Fields() []Field {
	return append(append([]Field(nil), fields...), derived...)
}

var (
	fields       = declaredFields()
	derived      = derivedFields()
	fieldsByName = indexFields(func(f Field) string { return f.Name })
	fieldsByExpr = indexFields(func(f Field) string { return f.exprName })
	knownSets    = knownFields()
)

func declaredFields() []Field {
	t := reflect.TypeFor[Env]()
	out := make([]Field, 0, t.NumField())
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Tag.Get("expr") == "-" { // for the evaluation, not for conditions
			continue
		}
		f := Field{Name: sf.Tag.Get("name"), Type: sf.Tag.Get("type"), Doc: sf.Tag.Get("doc"), exprName: sf.Tag.Get("expr")}
		if f.Name == "" {
			f.Name = f.exprName
		}
		if f.Type == "" {
			f.Type = typeWord(sf.Type)
		}
		f.From, _ = ParsePoint(sf.Tag.Get("from"))
		f.session = sf.Tag.Get("session") != ""
		f.bit = 1 << len(out)
		f.Values = knownValues(f.Name)
		out = append(out, f)
	}
	return out
}

// derivedFields are other ways to say a part of error.
func derivedFields() []Field {
	var out []Field
	for _, d := range []struct{ name, typ, doc string }{
		{"failed", "flag", "the answer is an error"},
		{"sqlstate", "text", "the error's SQLSTATE: same as error.sqlstate"},
		{"msg", "text", "the error's text: same as error.message"},
	} {
		out = append(out, Field{Name: d.name, Type: d.typ, Doc: d.doc, From: ReadQueryResult, exprName: d.name, bit: fieldBit("error")})
	}
	return out
}

func fieldBit(name string) FieldSet {
	for _, f := range fields {
		if f.Name == name {
			return f.bit
		}
	}
	panic("rule: no field " + name)
}

func indexFields(key func(Field) string) map[string]Field {
	m := map[string]Field{}
	for _, f := range append(append([]Field(nil), fields...), derived...) {
		m[key(f)] = f
	}
	return m
}

func knownFields() (sets [Disconnect + 1]FieldSet) {
	for p := range sets {
		for _, f := range fields {
			if f.KnownAt(Point(p)) {
				sets[p] |= f.bit
			}
		}
	}
	return sets
}

// typeWord names a type for people.
func typeWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "flag"
	case reflect.String:
		return "text"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return "list of text"
		}
		if t.Elem().Kind() == reflect.Map {
			return "list of rows"
		}
		return "list"
	case reflect.Map:
		return "map"
	case reflect.Struct:
		return "error"
	case reflect.Interface:
		return "value"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "number"
	}
	return t.String()
}

func knownValues(field string) []string {
	switch field {
	case "hook":
		var out []string
		for _, p := range Points() {
			out = append(out, p.Short())
		}
		return out
	case "cmd":
		return append([]string(nil), commandNames...)
	case "verb":
		return strings.Fields("SELECT INSERT UPDATE DELETE REPLACE BEGIN COMMIT ROLLBACK SET SHOW USE CALL CREATE ALTER DROP TRUNCATE START WITH EXPLAIN LOCK UNLOCK SAVEPOINT LOAD")
	case "dir":
		return []string{"client", "server"}
	}
	return nil
}
