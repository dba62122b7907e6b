package intercept

import (
	"context"
	"errors"
	"slices"
	"time"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// holdLimit is the largest message that is held whole: one frame. A larger one is decided on by
// its head.
const holdLimit = mysqlwire.MaxFrame

// commandHead is how much of a larger command must have come before it is passed on unasked.
const commandHead = readBuffer / 2

// errWaitIdle says that a command has to wait until the running answer has ended, as the server
// would make it wait.
var errWaitIdle = errors.New("wait until the connection is idle")

// part is what happens to the bytes of the packet a leg is in the middle of.
type part uint8

const (
	gather part = iota // collected in body
	relay              // passed on as they come
	drop
)

// incoming is the packet a leg is in the middle of.
type incoming struct {
	what  part
	frame mysqlwire.Frame // the frame under way
	first mysqlwire.Frame // the packet's first
	left  int             // bytes of the frame still to come
	full  bool            // the frame is a full one: the packet goes on in the next
	body  []byte          // gathered
}

// fromClient handles what the client leg has read. It returns when it needs more.
func (s *session) fromClient(ctx context.Context) error {
	for {
		more, err := s.clientFrame(ctx)
		if err != nil || !more {
			if s.server != nil {
				err = first(err, s.server.flush())
			}
			return first(err, s.client.flush())
		}
		if s.opaque.Load() {
			return first(s.server.flush(), s.relayRaw(s.client))
		}
	}
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// clientFrame handles one frame or a part of one; false when bytes are missing.
func (s *session) clientFrame(ctx context.Context) (bool, error) {
	l, in := s.client, &s.in[mysqlwire.ToServer]
	if in.left > 0 {
		n := min(in.left, l.w-l.r)
		b := l.buf[l.r : l.r+n]
		l.r += n
		in.left -= n
		if err := s.clientPart(in, b); err != nil || in.left > 0 {
			return false, err
		}
		return true, s.clientFrameEnd(ctx)
	}
	have := l.w - l.r
	if have < mysqlwire.HeaderLen {
		return false, nil
	}
	h := mysqlwire.ParseHeader(l.unread())
	if in.full { // the packet goes on
		l.r += mysqlwire.HeaderLen
		in.left, in.full = h.Len, h.Len == mysqlwire.MaxFrame
		if in.what == relay {
			if err := s.trackClient(in, h, nil); err != nil || s.opaque.Load() {
				return true, err
			}
		}
		if h.Len == 0 {
			return true, s.clientFrameEnd(ctx)
		}
		return true, nil
	}
	if have < mysqlwire.HeaderLen+min(h.Len, mysqlwire.HeadLen) {
		return false, nil
	}
	switch state := s.dec.State(); {
	case s.server != nil && (state == mysqlwire.StateUpload || state == mysqlwire.StateStream):
		return true, s.clientStream(in, h)
	case s.exchange != nil:
		return s.gatherClient(ctx, in, h)
	case s.x.Seq != 0:
		s.wait.Store(true)
		return false, errWaitIdle
	}
	return s.commandFrame(ctx, in, h)
}

// commandFrame begins a command: whole where somebody may want to hold it or it is small, else by
// its head.
func (s *session) commandFrame(ctx context.Context, in *incoming, h mysqlwire.Header) (bool, error) {
	l := s.client
	if h.Seq != 0 && s.server != nil {
		s.lost(errors.New("a command does not begin with packet number 0"))
		return true, nil
	}
	have := l.w - l.r - mysqlwire.HeaderLen
	switch {
	case have >= h.Len && h.Len < mysqlwire.MaxFrame: // all there
		payload := l.buf[l.r+mysqlwire.HeaderLen:][:h.Len:h.Len]
		l.r += mysqlwire.HeaderLen + h.Len
		return true, s.command(ctx, payload, h.Len, false)
	case s.wants(rule.ReadQuery) || h.Len <= commandHead:
		return s.gatherClient(ctx, in, h)
	case have < commandHead:
		return false, nil
	}
	head := l.buf[l.r+mysqlwire.HeaderLen:][:have:have]
	l.r += mysqlwire.HeaderLen + have
	in.left, in.full = h.Len-have, h.Len == mysqlwire.MaxFrame
	return true, s.command(ctx, head, max(h.Len, have+1), true)
}

// gatherClient collects the first frame of a packet.
func (s *session) gatherClient(ctx context.Context, in *incoming, h mysqlwire.Header) (bool, error) {
	s.client.r += mysqlwire.HeaderLen
	*in = incoming{what: gather, left: h.Len, full: h.Len == mysqlwire.MaxFrame, body: make([]byte, 0, min(h.Len, 1<<20))}
	if h.Len == 0 {
		return true, s.clientFrameEnd(ctx)
	}
	return true, nil
}

// clientStream relays a frame of file data or of a replication stream.
func (s *session) clientStream(in *incoming, h mysqlwire.Header) error {
	s.client.r += mysqlwire.HeaderLen
	*in = incoming{what: relay, left: h.Len, full: h.Len == mysqlwire.MaxFrame}
	head := s.client.buf[s.client.r:][:min(h.Len, mysqlwire.HeadLen)]
	return s.trackClient(in, h, head)
}

// trackClient shows the tracker a frame that is relayed to the server, and queues its header.
func (s *session) trackClient(in *incoming, h mysqlwire.Header, head []byte) error {
	h.Seq += s.shiftBack()
	f, err := s.dec.Next(mysqlwire.ToServer, h, head)
	if err != nil {
		s.lost(err)
	}
	in.frame = f
	s.x.BytesIn += uint64(mysqlwire.HeaderLen + h.Len)
	var b [mysqlwire.HeaderLen]byte
	return s.toServer(h.Append(b[:0]))
}

// shiftBack turns the client's packet numbers into the server's.
func (s *session) shiftBack() uint8 { return -s.now.shift }

func (s *session) clientPart(in *incoming, b []byte) error {
	switch in.what {
	case gather:
		in.body = append(in.body, b...)
	case relay:
		return s.toServer(b)
	}
	return nil
}

func (s *session) toServer(b []byte) error {
	if err := s.server.queue(b); err != nil {
		return s.left(s.server, err)
	}
	return nil
}

func (s *session) clientFrameEnd(ctx context.Context) error {
	in := &s.in[mysqlwire.ToServer]
	if in.what != gather {
		return nil
	}
	if !in.full {
		body := in.body
		in.body = nil
		if s.exchange != nil {
			return s.authFromClient(ctx, body)
		}
		return s.command(ctx, body, len(body), false)
	}
	// A packet of several frames is over the limit: decide on its head, then stream.
	body := in.body
	in.body = nil
	return s.command(ctx, body, len(body)+1, true)
}

// command handles a client's command. payload may be the read buffer's; it is the head of a longer
// one when streams is set, the rest of which follows in the client's incoming.
func (s *session) command(ctx context.Context, payload []byte, size int, streams bool) error {
	s.begin(payload, size)
	q := Query{Packet: payload, Origin: FromClient, Show: true}
	verdict := Verdict{}
	if s.wants(rule.ReadQuery) {
		q.Packet = slices.Clone(payload)
		ev := s.event(rule.ReadQuery)
		s.commandEvent(ev, q.Packet, size)
		if err := s.server.flushed(); err != nil {
			return s.left(s.server, err)
		}
		v, ok := s.ask(ctx, ev, s.client)
		if !ok {
			return context.Cause(ctx)
		}
		if err := Check(ev, &v); err != nil {
			s.note(Error, "%s: %v. The command went on unchanged.", v.By, err)
			v = Verdict{}
		}
		verdict = v
	}
	s.final = verdict
	in := &s.in[mysqlwire.ToServer]
	in.what = drop
	switch verdict.Action {
	case Close:
		s.x.Note = "connection closed by " + verdict.By
		return errClosed
	case Hang:
		s.x.Note, s.hung = "left without an answer by "+verdict.By, true
		s.x.Marks |= MarkCrafted
		s.publish()
		return nil
	case Reply:
		s.x.Marks |= MarkCrafted
		s.plan, s.reply = hide(verdict.Queries), verdict.Answer
		s.x.Note = "not sent"
	case Forward, Pass:
		s.plan = verdict.Queries
		if s.plan == nil {
			if streams {
				return s.stream(ctx, &q)
			}
			s.plan = append(s.plan[:0:0], q)
		}
	}
	return s.next(ctx)
}

// stream sends a command by its head and relays the rest as it comes.
func (s *session) stream(ctx context.Context, q *Query) error {
	in := &s.in[mysqlwire.ToServer]
	if s.server == nil {
		s.plan = []Query{*q}
		return s.next(ctx)
	}
	s.start(q)
	s.x.Sent = s.now.timing.Sent
	in.what = relay
	h := mysqlwire.Header{Len: len(q.Packet) + in.left}
	if err := s.trackClient(in, h, q.Packet[:min(len(q.Packet), mysqlwire.HeadLen)]); err != nil || s.opaque.Load() {
		return err
	}
	s.dec.Note(in.frame, q.Packet)
	return s.toServer(q.Packet)
}

// hide returns queries that the client sees nothing of.
func hide(queries []Query) []Query {
	queries = slices.Clone(queries)
	for i := range queries {
		queries[i].Show = false
	}
	return queries
}

// begin opens the exchange of a client's command.
func (s *session) begin(payload []byte, size int) {
	cmd := mysqlwire.ComSleep
	if len(payload) > 0 {
		cmd = mysqlwire.Command(payload[0])
	}
	s.kept.reset()
	s.kept.begin(stageReceived, cmd.Kind(), size)
	s.kept.add(payload)
	s.x = Exchange{
		Conn: s.conn.ID, Command: cmd, Begun: time.Now(), StmtID: stmtID(payload),
		InTx: mysqlwire.Status(s.conn.status.Load()).Has(mysqlwire.StatusInTrans),
	}
	if size > len(payload) {
		s.x.Marks |= MarkPartial
	}
	s.final, s.reply, s.shown, s.hung, s.seq = Verdict{}, nil, false, false, 1
	s.plan = nil
	s.conn.commands.Add(1)
	s.proxy.Journal.begin(&s.x, s.dec.SQL(cmd.Kind(), payload))
}

// stmtID is the statement a command of the prepared protocol names; 0 for others.
func stmtID(payload []byte) uint32 {
	if len(payload) < 5 {
		return 0
	}
	switch mysqlwire.Command(payload[0]) {
	case mysqlwire.ComStmtExecute, mysqlwire.ComStmtClose, mysqlwire.ComStmtReset, mysqlwire.ComStmtFetch,
		mysqlwire.ComStmtSendLongData, mysqlwire.ComStmtBulkExecute:
		return uint32(payload[1]) | uint32(payload[2])<<8 | uint32(payload[3])<<16 | uint32(payload[4])<<24
	}
	return 0
}

// commandEvent fills in the event of a command.
func (s *session) commandEvent(ev *Event, payload []byte, size int) {
	ev.Dir, ev.Packet, ev.PacketLen, ev.Kind = mysqlwire.ToServer, payload, size, s.x.Command.Kind()
	ev.SQL = s.dec.SQL(ev.Kind, payload)
	ev.Context = s.context(payload)
	ev.Stmt = s.statement(s.x.StmtID)
}

// context decodes a client's command.
func (s *session) context(payload []byte) *mysqlwire.Context {
	cx := *s.dec.ExecuteContext(payload)
	if types, ok := s.types[stmtID(payload)]; ok {
		known := cx.Params
		cx.Params = slices.Clone(types)
		for i := range cx.Params {
			cx.Params[i].Long = i < len(known) && known[i].Long
		}
	}
	return &cx
}

// retype gives an execute without types those that the client believes to be in force, if an
// edited execute has told the server others since.
func (s *session) retype(q *Query) {
	id := stmtID(q.Packet)
	if len(s.types) == 0 || len(q.Packet) == 0 || mysqlwire.Command(q.Packet[0]) != mysqlwire.ComStmtExecute || s.types[id] == nil {
		return
	}
	var m mysqlwire.StmtExecute
	cx := s.context(q.Packet)
	if err := m.Decode(q.Packet, cx); err != nil {
		return
	}
	if !m.NewParamsBound && len(m.Params) > 0 {
		m.NewParamsBound = true
		if b, err := m.Encode(nil, cx); err == nil {
			q.Packet = b
		}
	}
	delete(s.types, id)
}

// remember notes the types of the client's execute before another one is sent in its place.
func (s *session) remember(q *Query, received []byte) {
	if q.Origin == FromClient || q.LastPrepared || len(q.Packet) == 0 || mysqlwire.Command(q.Packet[0]) != mysqlwire.ComStmtExecute {
		return
	}
	var m mysqlwire.StmtExecute
	if stmtID(received) != stmtID(q.Packet) || m.Decode(received, s.context(received)) != nil {
		return
	}
	types := make([]mysqlwire.Param, len(m.Params))
	for i, p := range m.Params {
		types[i] = mysqlwire.Param{Type: p.Type, Unsigned: p.Unsigned, Bound: p.Type != value.Null || m.NewParamsBound}
	}
	s.types[m.StmtID] = types
}

// waitIdle waits, with the leg watched, until the running exchange has ended, then handles what
// the leg has.
func (s *session) waitIdle(ctx context.Context, l *leg, handle func(context.Context) error) error {
	for {
		stop := l.watch(s.gone(l))
		select {
		case <-s.idle:
		case <-ctx.Done():
		}
		stop()
		if err := context.Cause(ctx); err != nil {
			return err
		}
		s.turn.Lock()
		var err error
		if s.opaque.Load() {
			err = s.relayRaw(l)
		} else {
			err = handle(ctx)
		}
		s.turn.Unlock()
		if !errors.Is(err, errWaitIdle) {
			return err
		}
	}
}
