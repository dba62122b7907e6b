package intercept

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
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
	infile bool // the server asked for a local file
}

// next sends the plan's next query, or ends the exchange when there is none.
func (s *session) next(ctx context.Context) error {
	if s.hung { // for good: the exchange stays open until a side leaves
		return nil
	}
	for len(s.plan) > 0 {
		q := s.plan[0]
		s.plan = s.plan[1:]
		if s.server == nil {
			s.plan, s.reply = nil, noServer()
			s.x.Note = "there is no server to send it to"
			break
		}
		if err := s.send(&q); err != nil || s.opaque.Load() {
			return err
		}
		if mysqlwire.Command(q.Packet[0]).Answered() {
			return s.server.flush()
		}
		s.finishQuery()
	}
	if s.reply != nil {
		if err := s.deliver(s.reply); err != nil {
			return err
		}
		s.reply = nil
	}
	if !s.shown && s.x.Command.Answered() {
		by := s.final.By
		if by == "" {
			by = "a hook"
		}
		s.note(Error, "#%d: %s left the client without an answer; it was sent an error instead", s.x.Seq, by)
		if err := s.deliver(mysqlwire.ERRAnswer(1105, "HY000", "mydbg: "+by+" left this command without an answer")); err != nil {
			return err
		}
	}
	s.x.State = Done
	s.endExchange()
	if s.final.CloseAfter {
		if err := s.client.flush(); err != nil {
			return s.left(s.client, err)
		}
		return errClosed
	}
	return nil
}

func noServer() *mysqlwire.Answer {
	return mysqlwire.ERRAnswer(1105, "HY000", "mydbg: this connection has no server; only what a script or a person answers works")
}

// send begins a query: its frames are tracked and queued.
func (s *session) send(q *Query) error {
	if len(q.Packet) == 0 {
		return errors.New("an empty command cannot be sent")
	}
	s.start(q)
	s.edit(q)
	payload := q.Packet
	s.account(q)
	var head mysqlwire.Frame
	for off, seq := 0, uint8(0); ; seq++ {
		n := min(len(payload)-off, mysqlwire.MaxFrame)
		f, err := s.dec.Next(mysqlwire.ToServer, mysqlwire.Header{Len: n, Seq: seq}, payload[off:off+min(n, mysqlwire.HeadLen)])
		if err != nil {
			s.lost(err)
			break
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
	if _, err := s.server.queuePacket(payload, 0); err != nil {
		return s.left(s.server, err)
	}
	if s.now.auth {
		return s.beginAuth(payload)
	}
	return nil
}

// edit makes the packet fit the statement it is meant for.
func (s *session) edit(q *Query) {
	if q.LastPrepared && len(q.Packet) >= 5 {
		p := slices.Clone(q.Packet)
		p[1], p[2], p[3], p[4] = byte(s.prepared), byte(s.prepared>>8), byte(s.prepared>>16), byte(s.prepared>>24)
		q.Packet = p
	}
	if q.Origin == FromClient {
		s.retype(q)
	}
}

// start sets up what becomes of q's answer.
func (s *session) start(q *Query) {
	cmd := mysqlwire.Command(q.Packet[0])
	now := time.Now()
	s.now = running{cmd: cmd, query: *q, main: q.Show || !cmd.Answered() && q.Origin == FromClient, shift: s.seq - 1}
	s.now.timing = Timing{Queued: q.queued, Sent: now}
	if q.queued.IsZero() {
		s.now.timing.Queued = s.x.Begun
	}
	streams := cmd == mysqlwire.ComBinlogDump || cmd == mysqlwire.ComBinlogDumpGTID
	s.now.auth = cmd == mysqlwire.ComChangeUser
	switch {
	case s.now.auth || streams:
	case !q.Show && !q.Need:
		s.now.mode = discarded
	case q.Need || s.wants(rule.ReadQueryResult) || s.joins() || q.LastPrepared && s.dec.Caps().Has(mysqlwire.MariaDBCacheMetadata):
		s.now.mode = collected
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
	return slices.ContainsFunc(s.plan, func(q Query) bool { return q.Join })
}

// account opens the exchange of an injected query, or notes that the client's was sent.
func (s *session) account(q *Query) {
	if s.now.main {
		s.x.Sent = s.now.timing.Sent
		s.x.BytesOut = 0
		s.x.BytesIn += uint64(mysqlwire.HeaderLen*mysqlwire.Frames(len(q.Packet)) + len(q.Packet))
		if q.Origin != FromClient {
			s.kept.packet(stageSent, mysqlwire.Command(q.Packet[0]).Kind(), q.Packet)
		}
		return
	}
	cmd := mysqlwire.Command(q.Packet[0])
	s.kin.reset()
	s.kin.packet(stageReceived, cmd.Kind(), q.Packet)
	s.kid = Exchange{
		Parent: s.x.Seq, Conn: s.conn.ID, Command: cmd, Origin: q.Origin, Begun: s.now.timing.Sent, Sent: s.now.timing.Sent,
		Marks: MarkInjected | MarkHidden, By: s.final.By, StmtID: stmtID(q.Packet),
	}
	s.kid.BytesIn = uint64(mysqlwire.HeaderLen + len(q.Packet))
	s.proxy.Journal.begin(&s.kid, s.dec.SQL(cmd.Kind(), q.Packet))
}

// finishQuery ends the exchange of an injected query; the client's ends with the plan.
func (s *session) finishQuery() {
	if s.kid.Seq == 0 {
		return
	}
	out := s.kid.Counts.BytesIn
	s.kid.Counts = s.now.counts
	s.kid.Counts.BytesIn = out
	s.kid.First, s.kid.Ended, s.kid.State = s.now.timing.First, time.Now(), Done
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
	if n.counts.Error == nil && n.cmd == mysqlwire.ComStmtPrepare {
		if st := s.dec.Stmt(mysqlwire.LastStmtID); st != nil {
			s.prepared = st.ID
		}
	}
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
	s.finishQuery()
	return s.next(ctx)
}

// takeCounts takes an answer's counts over; bytes are counted where they are written.
func (x *Exchange) takeCounts(c *Counts) {
	in, out := x.BytesIn, x.BytesOut
	x.Counts = *c
	x.BytesIn, x.BytesOut = in, out
}

// judge puts a collected answer before the hooks and sends the client what they decide.
func (s *session) judge(ctx context.Context) error {
	n := &s.now
	a := n.answer
	var v Verdict
	if s.wants(rule.ReadQueryResult) || n.query.owner != nil {
		ev := s.event(rule.ReadQueryResult)
		ev.Dir, ev.Query, ev.Answer, ev.Timing, ev.Counts = mysqlwire.ToClient, n.query, a, n.timing, n.counts
		ev.Context = s.resultContext()
		ev.SQL = s.dec.SQL(n.cmd.Kind(), n.query.Packet)
		ev.Stmt = s.statement(stmtID(n.query.Packet))
		if err := first(s.client.flush(), s.server.flush()); err != nil {
			return err
		}
		var ok bool
		if v, ok = s.ask(ctx, ev, s.server); !ok {
			return context.Cause(ctx)
		}
		if err := Check(ev, &v); err != nil {
			s.note(Error, "%s: %v. The answer went on unchanged.", v.By, err)
			v = Verdict{}
		}
	}
	s.plan = append(slices.Clone(v.Queries), s.plan...)
	s.final.CloseAfter = s.final.CloseAfter || v.CloseAfter
	if v.By != "" {
		s.final.By = v.By
	}
	if n.mode != collected {
		return nil
	}
	switch v.Action {
	case Close:
		s.x.Note = "connection closed by " + v.By
		return errClosed
	case Hang:
		s.x.Note, s.hung = "left without an answer by "+v.By, true
		s.publish()
		return nil
	case Drop:
		s.hide()
		return nil
	case Reply, Forward, Pass:
	}
	if v.Answer != nil {
		if v.Action == Reply {
			s.x.Marks |= MarkCrafted
		}
		s.delivered(v.Answer)
		return s.deliverOnce(v.Answer)
	}
	if !n.query.Show {
		return nil
	}
	return s.deliverOnce(s.stitched(a))
}

// hide marks that the client did not see the running answer.
func (s *session) hide() {
	if s.kid.Seq == 0 {
		s.x.Marks |= MarkHidden
	}
	s.now.mode = discarded
}

// delivered keeps what the client is sent instead of the server's answer.
func (s *session) delivered(a *mysqlwire.Answer) {
	s.kept.answer(stageDelivered, a)
	if sum, err := a.Summary(s.dec.Context()); err == nil {
		s.x.takeCounts(countsOf(sum))
	}
}

// deliverOnce is deliver unless the client has its answer already.
func (s *session) deliverOnce(a *mysqlwire.Answer) error {
	if s.shown && !s.now.query.Join {
		s.note(Error, "#%d: %s sends a second answer to one command; it was dropped", s.x.Seq, s.final.By)
		return nil
	}
	return s.deliver(a)
}

// deliver queues an answer for the client, with MORE_RESULTS set when another one joins it.
func (s *session) deliver(a *mysqlwire.Answer) error {
	if s.joins() {
		a = a.WithMoreResults(s.dec.Context())
	}
	if a == s.reply {
		s.delivered(a)
	}
	s.shown = true
	for _, p := range a.Packets {
		seq, err := s.client.queuePacket(p.Payload, s.seq)
		if err != nil {
			return s.left(s.client, err)
		}
		s.x.BytesOut += uint64(mysqlwire.HeaderLen*mysqlwire.Frames(len(p.Payload)) + len(p.Payload))
		s.seq = seq
	}
	return nil
}

// stitched gives an answer without column definitions those of the statement it was prepared with:
// the client has never seen them.
func (s *session) stitched(a *mysqlwire.Answer) *mysqlwire.Answer {
	if !s.now.query.LastPrepared {
		return a
	}
	if st := s.dec.Stmt(s.prepared); st != nil {
		if whole, err := a.WithColumns(s.dec.Context(), st.Columns); err == nil {
			return whole
		}
	}
	return a
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
	s.x.Ended = time.Now()
	s.finishQuery()
	cx := s.resultOrCommandContext()
	s.proxy.Journal.finish(&s.x, &s.kept, cx, s.statement(s.x.StmtID))
	s.proxy.finished(s.conn, &s.x)
	s.refresh()
	s.x = Exchange{}
	s.now = running{}
	s.plan = nil
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
	if st := s.dec.Stmt(s.x.StmtID); st != nil {
		cx.Params, cx.ParamsKnown = slices.Clone(st.Params), true
	}
	return &cx
}

// refresh shows what a command may have changed of the connection.
func (s *session) refresh() {
	switch s.x.Command {
	case mysqlwire.ComStmtPrepare, mysqlwire.ComStmtClose, mysqlwire.ComInitDB, mysqlwire.ComChangeUser,
		mysqlwire.ComResetConnection, mysqlwire.ComQuery:
	default:
		return
	}
	db, open := s.dec.DB(), s.dec.OpenStatements()
	s.conn.mu.Lock()
	s.conn.info.DB, s.conn.info.Statements = db, open
	s.conn.mu.Unlock()
}

// beginAuth starts the authentication of a COM_CHANGE_USER that was just queued.
func (s *session) beginAuth(payload []byte) error {
	m := &mysqlwire.ChangeUser{}
	if err := m.Decode(payload, s.dec.Context()); err != nil {
		s.lost(fmt.Errorf("COM_CHANGE_USER: %w", err))
		return nil
	}
	info := s.conn.Info()
	x := auth.NewExchange(legOf(s.client, info.ClientTLS), legOf(s.server, info.ServerTLS), s.proxy.authOptions(s.dec.Caps()))
	step, err := x.Begin(m.PluginName, s.scramble, m.AuthResponse)
	if err != nil || !step.Login {
		s.lost(fmt.Errorf("COM_CHANGE_USER: %w", orUnsupported(err)))
		return nil
	}
	s.exchange, s.change = x, m
	s.client.seq, s.server.seq = 1, 1
	return nil
}

func orUnsupported(err error) error {
	if err == nil {
		return errors.New("the client asks for a public key first, which is not followed here")
	}
	return err
}

// authFromServer and authFromClient carry the authentication rounds of a COM_CHANGE_USER over.
func (s *session) authFromServer(ctx context.Context, payload []byte) error {
	step, err := s.exchange.FromServer(payload)
	return s.authStep(ctx, step, err)
}

func (s *session) authFromClient(ctx context.Context, payload []byte) error {
	s.client.seq++
	step, err := s.exchange.FromClient(payload)
	return s.authStep(ctx, step, err)
}

func (s *session) authStep(ctx context.Context, step auth.Step, err error) error {
	if err != nil {
		return fmt.Errorf("COM_CHANGE_USER: %w", err)
	}
	for _, p := range step.ToServer {
		f, err := s.dec.Next(mysqlwire.ToServer, mysqlwire.Header{Len: len(p), Seq: s.server.seq}, p[:min(len(p), mysqlwire.HeadLen)])
		if err != nil {
			s.lost(err)
		}
		s.dec.Note(f, p)
		if s.server.seq, err = s.server.queuePacket(p, s.server.seq); err != nil {
			return s.left(s.server, err)
		}
	}
	for _, p := range step.ToClient {
		if s.client.seq, err = s.client.queuePacket(p, s.client.seq); err != nil {
			return s.left(s.client, err)
		}
		s.x.BytesOut += uint64(mysqlwire.HeaderLen + len(p))
	}
	if err := first(s.server.flush(), s.client.flush()); err != nil {
		return err
	}
	if !step.Done {
		return nil
	}
	s.scramble = s.exchange.Scramble()
	if step.OK {
		user, db := s.change.User, s.change.DB
		s.types = map[uint32][]mysqlwire.Param{}
		s.conn.change(func(i *ConnInfo) { i.User, i.DB = user, db })
	}
	s.exchange, s.change, s.shown = nil, nil, true
	return s.answered(ctx)
}

func legOf(l *leg, tls string) auth.Leg {
	return auth.Leg{TLS: tls != "", Socket: l.conn.RemoteAddr().Network() == "unix"}
}
