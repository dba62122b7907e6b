package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
)

// plan is what the server is sent for one command: the command, or what became of it, and what is injected around it.
type plan struct {
	before []intercept.Query
	self   []intercept.Query // one query; or prepare, execute and close of a statement prepared anew
	after  []intercept.Query
}

// begin is the verdict an editor starts from: the person's draft, else what scripts decided.
func begin(ev *intercept.Event, draft *intercept.Verdict) intercept.Verdict {
	if draft != nil {
		return *draft
	}
	if ev.SoFar.Touches() {
		v := ev.SoFar
		v.By, v.Why = "", ""
		return v
	}
	return intercept.Verdict{}
}

// kept is the verdict of an editor that nobody touched: the draft it was opened with, or none, which leaves the event
// to what scripts decided.
func kept(draft *intercept.Verdict) intercept.Verdict {
	if draft == nil {
		return intercept.Verdict{}
	}
	return *draft
}

// answers refuses to edit a command whose draft is that the server never gets it.
func answers(draft *intercept.Verdict) error {
	if draft == nil {
		return nil
	}
	switch draft.Action {
	case intercept.Reply:
		return errors.New("its draft answers without the server: r edits that, u drops it")
	case intercept.Close, intercept.Hang:
		return fmt.Errorf("its draft is to %s the connection: r edits that, u drops it", draft.Action)
	}
	return nil
}

// planOf takes a verdict's queries apart. Where they do not send the command at all, it is taken as it came.
func planOf(ev *intercept.Event, v *intercept.Verdict) plan {
	p := plan{self: []intercept.Query{{Packet: ev.Packet, Origin: intercept.FromClient, Show: ev.Command().Answered()}}}
	if v.Action == intercept.Reply {
		return p
	}
	if ev.Point == rule.ReadQueryResult {
		return plan{after: slices.Clone(v.Queries)}
	}
	at := slices.IndexFunc(v.Queries, func(q intercept.Query) bool { return bytes.Equal(q.Packet, ev.Packet) })
	if at < 0 {
		at = slices.IndexFunc(v.Queries, func(q intercept.Query) bool {
			return (q.Show || !ev.Command().Answered()) && commandOf(q) == ev.Command()
		})
	}
	if at < 0 {
		if v.Queries != nil {
			p.before = slices.Clone(v.Queries)
		}
		return p
	}
	from, to := at, at+1
	if v.Queries[at].LastPrepared {
		if from > 0 && commandOf(v.Queries[from-1]) == mysqlwire.ComStmtPrepare {
			from--
		}
		if to < len(v.Queries) && commandOf(v.Queries[to]) == mysqlwire.ComStmtClose && v.Queries[to].LastPrepared {
			to++
		}
	}
	return plan{
		before: slices.Clone(v.Queries[:from]), self: slices.Clone(v.Queries[from:to]), after: slices.Clone(v.Queries[to:]),
	}
}

func commandOf(q intercept.Query) mysqlwire.Command {
	if len(q.Packet) == 0 {
		return mysqlwire.ComSleep
	}
	return mysqlwire.Command(q.Packet[0])
}

// queries is the whole queue. Of several shown answers the first is the client's answer, those behind it join.
func (p *plan) queries() []intercept.Query {
	all := slices.Concat(p.before, p.self, p.after)
	shown := false
	for i := range all {
		q := &all[i]
		if q.Origin == intercept.FromScript || !commandOf(*q).Answered() {
			shown = shown || q.Show
			continue
		}
		q.Join = q.Show && shown
		shown = shown || q.Show
	}
	return all
}

// plain reports whether nothing is injected.
func (p *plan) plain() bool { return len(p.before) == 0 && len(p.after) == 0 }

// main is the query of self whose answer may be shown.
func (p *plan) main() *intercept.Query {
	for i := range p.self {
		if c := commandOf(p.self[i]); len(p.self) == 1 || c != mysqlwire.ComStmtPrepare && c != mysqlwire.ComStmtClose {
			return &p.self[i]
		}
	}
	return &p.self[0]
}

// injected is a query for the server that the client did not send.
func injected(ev *intercept.Event, sql string, show bool) (intercept.Query, error) {
	sql, err := ev.Context.ToClientSet(sql)
	if err != nil {
		return intercept.Query{}, err
	}
	packet, err := (&mysqlwire.Query{SQL: sql}).Encode(nil, ev.Context)
	return intercept.Query{Packet: packet, Origin: intercept.FromPerson, Show: show, Need: true}, err
}

// describe is a query in words.
func describe(ev *intercept.Event, q intercept.Query) string {
	m, err := mysqlwire.Decode(commandOf(q).Kind(), q.Packet, ev.Context)
	if err == nil {
		switch m := m.(type) {
		case *mysqlwire.Query:
			return sqltext.OneLine(ev.Context.ClientText(m.SQL))
		case *mysqlwire.StmtPrepare:
			return "PREPARE " + sqltext.OneLine(ev.Context.ClientText(m.SQL))
		case *mysqlwire.InitDB:
			return "USE " + ev.Context.ClientText(m.Schema)
		}
	}
	return commandOf(q).String()
}

// fate is what becomes of an injected query's answer.
func fate(q intercept.Query) string {
	switch {
	case q.Join:
		return "a further result"
	case q.Show:
		return "shown to the app"
	}
	return "hidden from app"
}

// effects says what an injected statement changes of what the app can see, "" for nothing.
func effects(sql string) string {
	list := sqltext.Split(sql)
	for _, s := range list {
		if why := effect(s); why != "" {
			return why
		}
	}
	return ""
}

func effect(sql string) string {
	info := sqltext.Parse(sql)
	switch info.Verb {
	case "BEGIN", "START":
		return info.Verb + " opens a transaction, and commits the app's if it has one"
	case "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA":
		return info.Verb + " changes the app's open transaction"
	case "SET", "USE":
		return info.Verb + " changes the session, and the app goes on in it"
	case "LOCK", "UNLOCK":
		return info.Verb + " changes the session's locks and commits an open transaction"
	case "CALL", "PREPARE", "EXECUTE", "DEALLOCATE", "DO", "KILL":
		return info.Verb + " may change the session: its variables, its transaction, last_insert_id()"
	}
	switch {
	case info.DDL:
		return info.Verb + " commits the app's open transaction"
	case info.Write:
		return info.Verb + " changes last_insert_id(), row_count() and the warnings that the app may ask for"
	}
	return ""
}
