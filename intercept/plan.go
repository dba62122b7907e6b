package intercept

import (
	"context"
	"slices"
	"time"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// mode is what happens to the answer of the running query.
type mode uint8

const (
	relayed   mode = iota // to the client as it comes
	collected             // kept until it is whole
	discarded
)

// running is the query that the server is busy with.
type running struct {
	cmd    mysqlwire.Command
	query  Query // without its packet, unless somebody may be asked about the answer
	main   bool  // its answer is the exchange's; others are exchanges of their own
	mode   mode
	answer *mysqlwire.Answer
	size   int    // bytes collected
	shift  uint8  // from the server's packet numbers to the client's
	counts Counts // of its answer
	timing Timing
	auth   bool // COM_CHANGE_USER
}

// command is the query's command; COM_SLEEP for an empty packet, which is what servers take it for.
func (q *Query) command() mysqlwire.Command {
	if len(q.Packet) == 0 {
		return mysqlwire.ComSleep
	}
	return mysqlwire.Command(q.Packet[0])
}

// next sends the plan's next query, or ends the exchange when there is none.
func (s *session) next(ctx context.Context) error {
	if s.hung { // for good: the exchange stays open until a side leaves
		return nil
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	if s.server == nil && s.shown {
		s.plan = nil // what was queued behind an answer whose hook gave the server away
	}
	for len(s.plan) > 0 {
		q := s.plan[0]
		s.plan = s.plan[1:]
		if s.server == nil {
			s.plan, s.reply = nil, noServer()
			s.x.Note = "there is no server to send it to"
			break
		}
		if s.skips(&q) {
			continue
		}
		sent, err := s.send(&q)
		switch {
		case err != nil || s.opaque.Load():
			return err
		case !sent:
			continue
		case q.command().Answered():
			return s.flushServer()
		}
		s.finishKid(Done)
	}
	if s.reply != nil {
		if err := s.deliver(s.reply); err != nil {
			return err
		}
		s.useReply(s.reply)
		s.reply = nil
	}
	if (!s.shown || s.owed) && s.x.Command.Answered() {
		if err := s.apologize(); err != nil {
			return err
		}
	}
	s.x.State = Done
	s.endExchange()
	if gone := s.unawaited(); gone != nil {
		return first(s.flushServer(), gone)
	}
	if s.final.CloseAfter {
		if err := s.client.flush(); err != nil {
			return s.left(s.client, err)
		}
		return errClosed
	}
	return nil
}

// apologize answers a client that would wait for ever.
func (s *session) apologize() error {
	by := s.final.By
	if by == "" {
		by = "a hook"
	}
	s.note(Error, "#%d: %s left the client without an answer; it was sent an error instead", s.x.Seq, by)
	return s.deliver(mysqlwire.ERRAnswer(1105, "HY000", "mydbg: "+by+" left this command without an answer"))
}

// skips reports whether a query of the plan has become pointless, and sees to the client's answer.
func (s *session) skips(q *Query) bool {
	switch {
	case q.Join && s.broken:
		s.note(Warning, "#%d: a result that should have joined an error was left out", s.x.Seq)
	case q.LastPrepared && s.prepared == 0:
		if e := s.failed; q.Show && e != nil {
			text := e.Message
			if sent, err := s.dec.Context().ToResultSet(text); err == nil {
				text = sent
			}
			s.reply = mysqlwire.ERRAnswer(e.Code, e.SQLState, text)
		}
	default:
		return false
	}
	return true
}

func noServer() *mysqlwire.Answer {
	return mysqlwire.ERRAnswer(1105, "HY000", "mydbg: this connection has no server; only what a script or a person answers works")
}

// send begins a query: its frames are tracked and queued. It was not sent if it is answered here.
func (s *session) send(q *Query) (sent bool, err error) {
	edited := s.edit(q)
	s.start(q)
	s.account(q, edited)
	if s.now.auth {
		return s.beginAuth(q.Packet)
	}
	return true, s.sendPacket(q.Packet)
}

// sendPacket tracks and queues a command.
func (s *session) sendPacket(payload []byte) error {
	tap{s.proxy.o.Tap}.queried(s, &s.now.query, s.now.main)
	var head mysqlwire.Frame
	for off, seq := 0, uint8(0); ; seq++ {
		n := min(len(payload)-off, mysqlwire.MaxFrame)
		f, err := s.dec.Next(mysqlwire.ToServer, mysqlwire.Header{Len: n, Seq: seq}, payload[off:off+min(n, mysqlwire.HeadLen)])
		if err != nil {
			return first(s.queueToServer(payload), s.lost(err))
		}
		if off == 0 {
			head = f
		}
		off += n
		if n < mysqlwire.MaxFrame {
			break
		}
	}
	s.dec.Note(head, payload)
	if err := s.queueToServer(payload); err != nil {
		return err
	}
	if s.dec.State() == mysqlwire.StateOpaque { // a command that begins a protocol of its own
		return s.lost(s.dec.Err())
	}
	return nil
}

func (s *session) queueToServer(payload []byte) error {
	_, err := s.server.queuePacket(payload, 0)
	return s.unheard(err)
}

// edit makes the packet fit the statement it is meant for.
func (s *session) edit(q *Query) (edited bool) {
	if q.LastPrepared && len(q.Packet) >= 5 {
		p := slices.Clone(q.Packet)
		p[1], p[2], p[3], p[4] = byte(s.prepared), byte(s.prepared>>8), byte(s.prepared>>16), byte(s.prepared>>24)
		q.Packet, edited = p, true
	}
	if q.plain && s.dec.Caps().Has(mysqlwire.QueryAttributes) {
		m := mysqlwire.Query{SQL: string(q.Packet[1:])}
		if b, err := m.Encode(nil, s.dec.Context()); err == nil {
			q.Packet, edited = b, true
		}
	}
	if q.Origin == FromClient && s.retype(q) {
		edited = true
	}
	return edited
}

// start sets up what becomes of q's answer.
func (s *session) start(q *Query) {
	cmd := q.command()
	now := time.Now()
	s.now = running{
		cmd: cmd, query: *q, main: q.Show || !cmd.Answered() && q.Origin == FromClient,
		shift: s.seq - uint8(mysqlwire.Frames(len(q.Packet))),
	}
	s.now.timing = Timing{Queued: q.queued, Sent: now}
	if q.queued.IsZero() {
		s.now.timing.Queued = s.x.Begun
	}
	streams := cmd == mysqlwire.ComBinlogDump || cmd == mysqlwire.ComBinlogDumpGTID
	s.now.auth = cmd == mysqlwire.ComChangeUser
	switch {
	case streams:
		s.binlog = &streaming{}
		s.watchProgress()
	case s.now.auth:
	case !q.Show && !q.Need:
		s.now.mode = discarded
	case q.Need || s.wants(rule.ReadQueryResult) || s.joins() || s.stitches(q):
		s.now.mode = collected
	case s.shown && !s.owed && cmd.Answered():
		s.secondAnswer()
		s.now.mode = discarded
	}
	s.now.query.Packet = nil // the read buffer's, most likely
	if s.now.mode == collected || q.owner != nil {
		s.now.query.Packet = slices.Clone(q.Packet)
	}
	if s.now.mode == collected {
		s.now.answer = &mysqlwire.Answer{Command: cmd}
	}
}

// joins reports whether a later answer of the plan continues the client's answer.
func (s *session) joins() bool {
	return slices.ContainsFunc(s.plan, func(q Query) bool { return q.Join && q.Show })
}

// secondAnswer notes that a plan shows more than one answer.
func (s *session) secondAnswer() {
	s.note(Error, "#%d: %s sends a second answer to one command; it was dropped", s.x.Seq, s.final.By)
}

// account opens the exchange of an injected query, or notes that the client's was sent.
func (s *session) account(q *Query, edited bool) {
	cmd := q.command()
	if s.now.main {
		s.x.Sent = s.now.timing.Sent
		s.x.BytesIn += uint64(mysqlwire.HeaderLen*mysqlwire.Frames(len(q.Packet)) + len(q.Packet))
		if q.Origin != FromClient || edited {
			s.kept.packet(stageSent, cmd.Kind(), mysqlwire.BlankPayload(cmd.Kind(), q.Packet, s.dec.Context()))
		}
		return
	}
	s.kin.reset()
	s.kin.packet(stageReceived, cmd.Kind(), q.Packet)
	s.kid = Exchange{
		Parent: s.x.Seq, Conn: s.conn.ID, Command: cmd, Origin: q.Origin, Begun: s.now.timing.Sent, Sent: s.now.timing.Sent,
		Marks: MarkInjected | MarkHidden, By: s.final.By, StmtID: stmtID(q.Packet),
	}
	s.kid.BytesIn = uint64(mysqlwire.HeaderLen + len(q.Packet))
	s.proxy.Journal.begin(&s.kid, s.dec.SQL(cmd.Kind(), q.Packet))
}

// finishKid ends the exchange of an injected query; the client's ends with the plan.
func (s *session) finishKid(as State) {
	if s.kid.Seq == 0 {
		return
	}
	out := s.kid.Counts.BytesIn
	s.kid.Counts = s.now.counts
	s.kid.Counts.BytesIn = out
	s.kid.First, s.kid.Ended, s.kid.State = s.now.timing.First, time.Now(), as
	s.proxy.Journal.finish(&s.kid, &s.kin, s.dec.Context(), s.statement(s.kid.StmtID))
	s.kid = Exchange{}
}

// statement is a copy of what is known of a prepared statement, nil if nothing is.
func (s *session) statement(id uint32) *mysqlwire.Stmt {
	if id == 0 {
		return nil
	}
	st := s.dec.Stmt(id)
	if st == nil {
		return nil
	}
	return &mysqlwire.Stmt{
		ID: st.ID, SQL: st.SQL, Cut: st.Cut, Params: slices.Clone(st.Params), NumColumns: st.NumColumns, Columns: st.Columns,
	}
}

// answered goes on after a whole answer: hooks, the client, the next query.
func (s *session) answered(ctx context.Context) error {
	n := &s.now
	n.timing.Last = time.Now()
	if n.cmd == mysqlwire.ComStmtPrepare {
		s.prepared, s.failed = 0, n.counts.Error
		if st := s.dec.Stmt(mysqlwire.LastStmtID); st != nil && s.failed == nil {
			s.prepared = st.ID
			s.forget(st.ID)
		}
	}
	if n.cmd == mysqlwire.ComInitDB && n.counts.Error == nil {
		s.useDB(s.dec.DB())
	}
	n.counts.Status = s.dec.Status() // not every answer has one: then the last stands
	s.status(n.counts.Status)
	if n.main {
		s.x.takeCounts(&n.counts)
		s.x.First = n.timing.First
	}
	if n.mode == collected || n.query.owner != nil {
		if err := s.judge(ctx); err != nil {
			return err
		}
	}
	s.finishKid(Done)
	return s.next(ctx)
}

// takeCounts takes an answer's counts over; bytes are counted where they are written.
func (x *Exchange) takeCounts(c *Counts) {
	in, out := x.BytesIn, x.BytesOut
	x.Counts = *c
	x.BytesIn, x.BytesOut = in, out
}

// resultContext decodes the collected answer.
func (s *session) resultContext() *mysqlwire.Context {
	cx := *s.dec.Context()
	cx.Command = s.now.cmd
	return &cx
}

// status notes the server's newest status word.
func (s *session) status(st mysqlwire.Status) {
	before := mysqlwire.Status(s.conn.status.Swap(uint32(st))).Has(mysqlwire.StatusInTrans)
	switch in := st.Has(mysqlwire.StatusInTrans); {
	case in && !before:
		s.conn.change(func(i *ConnInfo) { i.TxSince, i.TxCommands = s.x.Begun, 1 })
	case in:
		s.conn.change(func(i *ConnInfo) { i.TxCommands++ })
	case before:
		s.conn.change(func(i *ConnInfo) { i.TxSince, i.TxCommands = time.Time{}, 0 })
	}
}

// endExchange closes the client's exchange and lets the next command in.
func (s *session) endExchange() {
	s.x.Ended, s.x.Progress = time.Now(), ""
	s.endStream(nil)
	s.finishKid(Done)
	s.forgetAfter()
	cx := s.resultOrCommandContext()
	s.proxy.Journal.finish(&s.x, &s.kept, cx, s.statement(s.x.StmtID))
	s.proxy.finished(s.conn, &s.x)
	s.sandboxed()
	s.refresh()
	s.x = Exchange{}
	s.now = running{}
	s.plan = nil
	s.conn.busy.Store(false)
	if s.wait.Swap(false) {
		select {
		case s.idle <- struct{}{}:
		default: // rung already
		}
	}
}

// resultOrCommandContext decodes both the command and its answer.
func (s *session) resultOrCommandContext() *mysqlwire.Context {
	cx := *s.dec.Context()
	cx.Command = s.x.Command
	cx.Client = s.texts.Client
	if st := s.dec.Stmt(s.x.StmtID); st != nil {
		cx.Params, cx.ParamsKnown = slices.Clone(st.Params), true
		s.overlay(&cx, s.x.StmtID)
	}
	return &cx
}

// refresh shows what a command may have changed of the connection.
func (s *session) refresh() {
	switch s.x.Command {
	case mysqlwire.ComStmtPrepare, mysqlwire.ComStmtClose, mysqlwire.ComInitDB, mysqlwire.ComChangeUser,
		mysqlwire.ComResetConnection, mysqlwire.ComQuery:
	case mysqlwire.ComSetOption:
		s.conn.change(func(i *ConnInfo) {
			i.Caps = i.Caps&^mysqlwire.MultiStatements | s.dec.Caps()&mysqlwire.MultiStatements
		})
		return
	default:
		return
	}
	db, open, texts := s.dec.DB(), s.dec.OpenStatements(), s.dec.Texts()
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.conn.info.Statements = open
	s.conn.info.Charset, s.conn.info.Results = texts.Client, texts.Results
	if s.link != nil {
		s.conn.info.ServerDB = db
	}
	// A pooled connection may come with another schema than the client's: that is not the client's then.
	if db != s.dbWas || s.x.Command == mysqlwire.ComChangeUser || s.x.Command == mysqlwire.ComResetConnection {
		s.conn.info.DB = db
	}
}

// useDB notes the schema that client and server have agreed on.
func (s *session) useDB(db string) {
	s.conn.change(func(i *ConnInfo) {
		i.DB = db
		if s.link != nil {
			i.ServerDB = db
		}
	})
}

// useReply notes what an answer made here tells the client of its schema.
func (s *session) useReply(a *mysqlwire.Answer) {
	if s.x.Command == mysqlwire.ComInitDB && a.Packets[0].Kind == mysqlwire.KindOK {
		s.dec.SetDB(s.dbAsked)
		s.useDB(s.dbAsked)
	}
}
