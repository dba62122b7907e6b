package serve

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/sessions"
)

// statement is what a client asks for, in a form in which it can be found.
type statement struct {
	text   string   // as sent, or as prepared
	form   string   // the digest's text
	values []string // of its literals and parameters, in order
	bound  string   // of an execute: the text with the parameters in place
}

// key is the same for statements that ask the same.
func (s *statement) key() string {
	return s.form + "\x00" + strings.Join(s.values, "\x00")
}

// newStatement reads a text whose markers stand for params.
func newStatement(text string, params []string) statement {
	s := statement{text: text}
	_, s.form = sqltext.Digest(text)
	for _, l := range sqltext.Literals(text) {
		switch {
		case !l.Marker:
			s.values = append(s.values, l.Text)
		case len(params) > 0:
			s.values = append(s.values, params[0])
			params = params[1:]
		default:
			s.values = append(s.values, "?")
		}
	}
	return s
}

// item is a recorded statement with an answer.
type item struct {
	seq  intercept.Seq
	conn intercept.ConnID
	statement
	fetches []intercept.Seq // what was fetched from its cursor, in order
	used    bool
}

// index finds recorded statements. Items do not change but for used, which mu guards.
type index struct {
	all      []*item
	byKey    map[string][]*item // in the order of the recording
	byForm   map[string][]*item
	prepares map[string]intercept.Seq // by text: an answer to its prepare
	packets  map[string]intercept.Seq // other commands, by payload

	mu      sync.Mutex
	claimed map[intercept.ConnID]bool // recorded connections that a session follows
}

// place is where a session is in the recording.
type place struct {
	conn intercept.ConnID // that it follows; 0 for none yet
	seq  intercept.Seq    // that it was answered with last
}

func newIndex(r *sessions.Reader) (*index, error) {
	ix := &index{
		byKey: map[string][]*item{}, byForm: map[string][]*item{}, prepares: map[string]intercept.Seq{}, packets: map[string]intercept.Seq{},
		claimed: map[intercept.ConnID]bool{},
	}
	type stmtOf struct {
		conn intercept.ConnID
		id   uint32
	}
	long := map[stmtOf]map[uint16][]byte{}
	cursors := map[stmtOf]*item{}
	for rec, err := range r.Records(0) {
		if err != nil {
			return nil, err
		}
		if rec.Parent != 0 || rec.Marks&intercept.MarkPartial != 0 {
			continue
		}
		answered := len(rec.Got().Packets) > 0 && !rec.Got().Partial
		switch m, err := rec.Message(); m := m.(type) {
		case *mysqlwire.StmtSendLongData:
			k := stmtOf{rec.Conn, m.StmtID}
			if long[k] == nil {
				long[k] = map[uint16][]byte{}
			}
			long[k][m.Param] = append(long[k][m.Param], m.Data...)
		case *mysqlwire.Query:
			if answered && err == nil {
				ix.add(&item{seq: rec.Seq, conn: rec.Conn, statement: newStatement(rec.Statement, nil)})
			}
		case *mysqlwire.StmtPrepare:
			if answered && err == nil {
				ix.prepares[rec.Statement] = rec.Seq
			}
		case *mysqlwire.StmtExecute:
			k := stmtOf{rec.Conn, m.StmtID}
			if answered && err == nil && rec.Statement != "" {
				it := &item{seq: rec.Seq, conn: rec.Conn, statement: newStatement(rec.Statement, paramTexts(m, long[k]))}
				ix.add(it)
				cursors[k] = it
			}
			delete(long, k)
		case *mysqlwire.StmtFetch:
			if it := cursors[stmtOf{rec.Conn, m.StmtID}]; it != nil && answered {
				it.fetches = append(it.fetches, rec.Seq)
			}
		default:
			if answered && err == nil {
				if _, ok := ix.packets[string(rec.Received.Payload)]; !ok {
					ix.packets[string(rec.Received.Payload)] = rec.Seq
				}
			}
		}
	}
	return ix, nil
}

func (ix *index) add(it *item) {
	ix.all = append(ix.all, it)
	k := it.key()
	ix.byKey[k] = append(ix.byKey[k], it)
	ix.byForm[it.form] = append(ix.byForm[it.form], it)
}

// paramTexts are the parameters of an execute as texts. What was sent in pieces is in long.
func paramTexts(m *mysqlwire.StmtExecute, long map[uint16][]byte) []string {
	var texts []string
	for i := range m.Params {
		p := &m.Params[i]
		if p.Name != "" { // an attribute
			continue
		}
		v, err := p.Value()
		switch {
		case p.Long:
			texts = append(texts, string(long[uint16(i)]))
		case err != nil:
			texts = append(texts, fmt.Sprintf("%x", p.Raw))
		case v == nil:
			texts = append(texts, "NULL")
		default:
			texts = append(texts, value.Text(v, p.Type, value.NoDecimals))
		}
	}
	return texts
}

// take finds the recorded answer that is next for a session, and moves the session there. It is nil where nothing
// like it is recorded.
func (ix *index) take(s *statement, at *place) *item {
	list := ix.byKey[s.key()]
	if len(list) == 0 {
		return nil
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	first := func(good func(*item) bool) *item {
		if i := slices.IndexFunc(list, good); i >= 0 {
			return list[i]
		}
		return nil
	}
	it := first(func(it *item) bool { return !it.used && it.conn == at.conn && it.seq > at.seq })
	if it == nil && at.conn == 0 { // choose the connection to follow
		it = first(func(it *item) bool { return !it.used && !ix.claimed[it.conn] })
	}
	if it == nil {
		it = first(func(it *item) bool { return !it.used })
	}
	if it == nil { // used up: what was so last is so still
		for _, old := range list {
			if it == nil || old.conn == at.conn || it.conn != at.conn {
				it = old
			}
		}
	}
	it.used = true
	if at.conn == 0 && !ix.claimed[it.conn] {
		at.conn = it.conn
		ix.claimed[it.conn] = true
	}
	if it.conn == at.conn {
		at.seq = max(at.seq, it.seq)
	}
	return it
}

// leave lets another session follow the connection that one followed. A session that begins later begins as that one
// did.
func (ix *index) leave(at *place) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	delete(ix.claimed, at.conn)
}

func (ix *index) unused() int {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	n := 0
	for _, it := range ix.all {
		if !it.used {
			n++
		}
	}
	return n
}
