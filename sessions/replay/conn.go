package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
	"mydbg/sessions"
	"mydbg/sessions/client"
	"mydbg/sessions/compare"
)

// conn is a recorded connection and the one that takes its place.
type conn struct {
	run     *run
	was     sessions.Conn
	c       *client.Conn      // nil before the first exchange, and after the session broke
	stmts   map[uint32]uint32 // open statements: their numbers when recorded, and now
	skipped int               // exchanges that were not sent and may matter to later ones
	broken  string            // why the session cannot go on
}

func newConn(r *run, was sessions.Conn) *conn {
	c := &conn{run: r, was: was, stmts: map[uint32]uint32{}}
	switch {
	case was.Marks.Has(sessions.Encrypted):
		c.broken = "encrypted in the recording"
	case was.Marks.Has(sessions.Unfollowed):
		c.broken = "not decoded in the recording"
	}
	return c
}

func (c *conn) close() {
	if c.c != nil {
		_ = c.c.Close() // all answers have come
		c.c = nil
	}
}

// step is an exchange that is to be replayed.
type step struct {
	res     Result
	command []byte // nil: there is nothing to send, and res says why
	ahead   bool   // it has been written
}

// exchange sends what an exchange sent and compares the answer.
func (c *conn) exchange(ctx context.Context, rec *sessions.Record) {
	s := c.plan(ctx, rec)
	c.carry(&s)
}

// plan finds out what to send for an exchange.
func (c *conn) plan(ctx context.Context, rec *sessions.Record) step {
	s := step{res: Result{Record: rec, After: c.skipped}}
	res := &s.res
	if why := c.unwanted(rec); why != "" {
		res.Outcome, res.Why = Skipped, why
		return s
	}
	if err := c.login(ctx, rec); err != nil {
		c.broken = err.Error()
		res.Outcome, res.Why = Failed, c.broken
		return s
	}
	command, why, err := c.command(rec)
	switch {
	case err != nil:
		res.Outcome, res.Why = Failed, err.Error()
	case why != "":
		res.Outcome, res.Why = Skipped, why
		c.skipped++
	default:
		s.command = command
	}
	return s
}

// carry carries a step out.
func (c *conn) carry(s *step) {
	switch {
	case s.command == nil:
	case c.broken != "": // since it was planned
		s.res.Outcome, s.res.Why = Skipped, c.broken
	default:
		c.send(s)
	}
	c.run.tell(s.res)
}

// The reasons for which exchanges are skipped.
const (
	whyInjected = "added by mydbg when it was recorded"
	whyCrafted  = "answered by mydbg when it was recorded"
	whyWrites   = "writes, and --writes is not given"
	whyPartial  = "not whole in the recording"
	whyFilter   = "left out by --filter"
	whyUnknown  = "its statement was prepared before the recording began"
	whyStream   = "a stream, not an answer"
	whyInternal = "the end of a connection"
)

// unwanted says why an exchange is not sent, if it is not.
func (c *conn) unwanted(rec *sessions.Record) string {
	switch {
	case rec.Parent != 0:
		return whyInjected
	case c.broken != "":
		return c.broken
	case rec.Marks&intercept.MarkCrafted != 0 && len(rec.Answer.Packets) == 0:
		c.skipped++
		return whyCrafted
	case rec.Marks&intercept.MarkPartial != 0 && len(rec.Received.Payload) == 0:
		c.skipped++
		return whyPartial
	}
	if c.run.o.Filter != nil {
		info := c.info(rec)
		if ok, err := c.run.o.Filter.Eval(rec.Env(&info, &rec.Detail, c.run.o.Filter.Uses())); err != nil || !ok {
			c.skipped++
			return whyFilter
		}
	}
	switch rec.Command {
	case mysqlwire.ComQuit:
		return whyInternal
	case mysqlwire.ComBinlogDump, mysqlwire.ComBinlogDumpGTID, mysqlwire.ComRegisterSlave, mysqlwire.ComTableDump:
		return whyStream
	case mysqlwire.ComShutdown, mysqlwire.ComProcessKill, mysqlwire.ComDebug, mysqlwire.ComRefresh:
		if !c.run.o.Writes {
			c.skipped++
			return whyWrites
		}
	case mysqlwire.ComQuery, mysqlwire.ComStmtExecute:
		if !c.run.o.Writes && sqltext.Parse(rec.Statement).Write {
			c.skipped++
			return whyWrites
		}
	}
	return ""
}

func (c *conn) info(rec *sessions.Record) intercept.ConnInfo {
	info := c.was.ConnInfo
	info.User, info.DB = rec.User, rec.DB
	return info
}

// login opens the connection if it is not open: as the recorded user's stand-in, with what the two sides had agreed on.
func (c *conn) login(ctx context.Context, rec *sessions.Record) error {
	if c.c != nil {
		return nil
	}
	o := client.Options{User: c.run.o.User, Password: c.run.o.Password, DB: rec.DB, TLS: c.run.o.TLS, CA: c.run.o.CA}
	if o.User == "" {
		o.User = rec.User
	}
	if a, ok := c.run.o.Users[rec.User]; ok {
		o.User, o.Password = a.User, a.Password
	}
	if o.TLS == tlspair.Mirror { // as the recorded client
		if o.TLS = tlspair.Disabled; c.was.ClientTLS != "" {
			o.TLS = tlspair.Preferred
		}
	}
	if c.was.Login != nil {
		o.Caps, o.Collation = c.was.Login.Caps, c.was.Login.Collation
		o.Attrs = c.was.Login.Attrs
	}
	network, address := split(c.run.o.Address)
	var err error
	c.c, err = client.Dial(ctx, network, address, o)
	clear(c.stmts)
	return err
}

// command is what to send: what the client sent, with the numbers that statements have now. Without a command it says
// why there is none.
func (c *conn) command(rec *sessions.Record) (command []byte, why string, err error) {
	packet := rec.Received
	if len(rec.Sent) == 1 { // edited; the recorded answer is to that
		packet = rec.Sent[0]
	}
	m, err := mysqlwire.Decode(packet.Kind, packet.Payload, rec.Context)
	if err != nil {
		return nil, whyPartial, nil
	}
	renumber := func(id *uint32) bool {
		now, ok := c.stmts[*id]
		*id = now
		return ok
	}
	switch m := m.(type) {
	case *mysqlwire.StmtExecute:
		if len(m.Undecoded) > 0 && rec.Stmt == nil {
			return nil, whyUnknown, nil
		}
		if was := m.StmtID; !renumber(&m.StmtID) {
			if m.StmtID, why, err = c.prepare(rec, was); why != "" || err != nil {
				return nil, why, err
			}
		}
		command, err = m.WithTypes().Encode(nil, c.c.Context())
		return command, "", err
	case *mysqlwire.StmtSendLongData:
		if !renumber(&m.StmtID) {
			return nil, whyUnknown, nil
		}
	case *mysqlwire.StmtFetch:
		if !renumber(&m.StmtID) {
			return nil, whyUnknown, nil
		}
	case *mysqlwire.StmtReset:
		if !renumber(&m.StmtID) {
			return nil, whyUnknown, nil
		}
	case *mysqlwire.StmtClose:
		if !renumber(&m.StmtID) {
			return nil, whyUnknown, nil
		}
	case *mysqlwire.ChangeUser:
		return c.changeUser(rec, m)
	}
	command, err = m.Encode(nil, c.c.Context())
	return command, "", err
}

// prepare prepares a statement that was prepared before the recording began, if that has its text.
func (c *conn) prepare(rec *sessions.Record, was uint32) (id uint32, why string, err error) {
	if rec.Statement == "" || rec.Stmt == nil || rec.Stmt.ID != was {
		return 0, whyUnknown, nil
	}
	text, err := rec.Context.ToClientSet(rec.Statement)
	if err != nil {
		return 0, whyUnknown, nil
	}
	answer, cx, err := c.c.Do(append([]byte{byte(mysqlwire.ComStmtPrepare)}, text...))
	if err != nil {
		return 0, "", err
	}
	if id, err = prepared(answer, cx); err != nil {
		return 0, whyUnknown, nil
	}
	c.stmts[was] = id
	return id, "", nil
}

// changeUser logs in afresh: a session begins anew either way, and nobody knows the recorded password.
func (c *conn) changeUser(rec *sessions.Record, m *mysqlwire.ChangeUser) ([]byte, string, error) {
	c.close()
	as := *rec
	as.User, as.DB = m.User, m.DB
	if err := c.login(context.Background(), &as); err != nil {
		c.broken = err.Error()
		return nil, "", err
	}
	return []byte{byte(mysqlwire.ComPing)}, "", nil
}

// send sends a command and says what came of it.
func (c *conn) send(s *step) {
	rec, res := s.res.Record, &s.res
	begun := time.Now()
	res.Local, res.Sent = c.c.LocalAddr(), begun
	answer, cx, err := c.c.Do(s.command)
	took := time.Since(begun)
	if s.ahead {
		took = max(took, coarse)
	}
	if !s.ahead || took > coarse {
		res.Took = took
	}
	if err != nil {
		c.close()
		c.broken = "the connection has ended: " + err.Error()
		res.Outcome, res.Why = Failed, c.broken
		return
	}
	c.remember(rec, answer, cx)
	if !compared(rec) {
		return
	}
	res.Report = compare.Answers(
		compare.Side{Answer: &rec.Answer, Context: rec.Context, Took: rec.Took()},
		compare.Side{Answer: answer, Context: cx, Took: took},
		compare.Options{SQL: rec.Statement, Latency: c.run.o.Latency, Without: c.run.o.Without})
	if len(res.Report.Differences) == 0 {
		return
	}
	res.Outcome = Differs
	if c.run.o.Ignore != nil {
		info := c.info(rec)
		if ok, err := c.run.o.Ignore.Eval(rec.Env(&info, &rec.Detail, c.run.o.Ignore.Uses())); err == nil && ok {
			res.Outcome = Ignored
		}
	}
}

// compared reports whether an answer has anything that should be the same. Two servers say different things of
// a statement that they prepare; its executes count.
func compared(rec *sessions.Record) bool {
	switch rec.Command {
	case mysqlwire.ComChangeUser, mysqlwire.ComStatistics, mysqlwire.ComProcessInfo, mysqlwire.ComStmtPrepare, mysqlwire.ComDebug:
		return false
	}
	return rec.Command.Answered() && len(rec.Answer.Packets) > 0
}

// remember follows which statements are open.
func (c *conn) remember(rec *sessions.Record, answer *mysqlwire.Answer, cx *mysqlwire.Context) {
	switch rec.Command {
	case mysqlwire.ComStmtPrepare:
		was, wasErr := prepared(&rec.Answer, rec.Context)
		is, isErr := prepared(answer, cx)
		if errors.Join(wasErr, isErr) == nil {
			c.stmts[was] = is
		}
	case mysqlwire.ComStmtClose:
		var m mysqlwire.StmtClose
		if m.Decode(rec.Received.Payload, rec.Context) == nil {
			delete(c.stmts, m.StmtID)
		}
	case mysqlwire.ComResetConnection:
		clear(c.stmts)
	}
}

func prepared(a *mysqlwire.Answer, cx *mysqlwire.Context) (uint32, error) {
	if len(a.Packets) == 0 || a.Packets[0].Kind != mysqlwire.KindPrepareOK {
		return 0, fmt.Errorf("not prepared")
	}
	var m mysqlwire.PrepareOK
	err := m.Decode(a.Packets[0].Payload, cx)
	return m.StmtID, err
}
