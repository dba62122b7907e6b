package intercept

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// holdLimit is the largest message that is held whole: one frame. A larger one is decided on by
// its head.
const holdLimit = mysqlwire.MaxFrame

// scriptLimit is the largest command that scripts get whole.
const scriptLimit = 32 << 20

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
	seq   uint8           // the frame's number, as it came from the client
	rest  bool            // it is the rest of a command that was decided on by its head
}

// fromClient handles what the client leg has read. It returns when it needs more.
func (s *session) fromClient(ctx context.Context) error {
	for {
		more, err := s.clientFrame(ctx)
		if err != nil || !more {
			return first(first(err, s.flushServer()), s.client.flush())
		}
		if s.opaque.Load() {
			return first(s.client.flush(), first(s.server.flushed(), s.relayRaw(s.client)))
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
		s.renumber(&h, in.seq+1)
		in.left, in.full, in.seq = h.Len, h.Len == mysqlwire.MaxFrame, h.Seq
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
	state := s.dec.State()
	if have < mysqlwire.HeaderLen+min(h.Len, mysqlwire.HeadLen) {
		if state == mysqlwire.StateIdle && s.x.Seq == 0 && s.server != nil {
			s.renumber(&h, 0)
			if h.Seq != 0 { // the server answers to the header alone
				return true, s.outOfOrder(h)
			}
		}
		return false, nil
	}
	switch {
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
	s.renumber(&h, 0)
	switch {
	case s.server == nil:
	case h.Seq != 0:
		return true, s.outOfOrder(h)
	case s.dec.State() == mysqlwire.StateClosed:
		return true, s.lost(errors.New("the client goes on after the server has said goodbye"))
	}
	have := l.w - l.r - mysqlwire.HeaderLen
	if have >= h.Len && h.Len < mysqlwire.MaxFrame { // all there
		payload := l.buf[l.r+mysqlwire.HeaderLen:][:h.Len:h.Len]
		l.r += mysqlwire.HeaderLen + h.Len
		return true, s.command(ctx, payload, h.Len, false)
	}
	if h.Len <= commandHead || s.gathers(l.buf[l.r+mysqlwire.HeaderLen]) {
		return s.gatherClient(ctx, in, h)
	}
	if have < commandHead {
		return false, nil
	}
	head := l.buf[l.r+mysqlwire.HeaderLen:][:have:have]
	l.r += mysqlwire.HeaderLen + have
	in.left, in.full, in.seq = h.Len-have, h.Len == mysqlwire.MaxFrame, h.Seq
	return true, s.command(ctx, head, max(h.Len, have+1), true)
}

// outOfOrder gives up on a connection whose client counts wrongly.
func (s *session) outOfOrder(h mysqlwire.Header) error {
	return s.lost(fmt.Errorf("a command begins with packet number %d", h.Seq))
}

// gathers reports whether a long command has to be there whole before it goes on.
func (s *session) gathers(first byte) bool {
	return s.wants(rule.ReadQuery) || len(s.types) > 0 || mysqlwire.Command(first) == mysqlwire.ComChangeUser
}

// gatherClient collects the first frame of a packet.
func (s *session) gatherClient(ctx context.Context, in *incoming, h mysqlwire.Header) (bool, error) {
	s.client.r += mysqlwire.HeaderLen
	*in = incoming{what: gather, left: h.Len, full: h.Len == mysqlwire.MaxFrame, seq: h.Seq, body: make([]byte, 0, min(h.Len, 1<<20))}
	if h.Len == 0 {
		return true, s.clientFrameEnd(ctx)
	}
	return true, nil
}

// renumber gives a frame of a compressed leg the number it should have: there nobody looks at numbers,
// and clients count from wherever they have left off.
func (s *session) renumber(h *mysqlwire.Header, right uint8) {
	if s.client.packed != nil {
		h.Seq = right
	}
}

// clientStream relays a frame of file data or of a replication stream.
func (s *session) clientStream(in *incoming, h mysqlwire.Header) error {
	s.client.r += mysqlwire.HeaderLen
	s.renumber(&h, s.seq)
	*in = incoming{what: relay, left: h.Len, full: h.Len == mysqlwire.MaxFrame, seq: h.Seq}
	head := s.client.buf[s.client.r:][:min(h.Len, mysqlwire.HeadLen)]
	return s.trackClient(in, h, head)
}

// trackClient shows the tracker a frame that is relayed to the server, and queues its header.
func (s *session) trackClient(in *incoming, h mysqlwire.Header, head []byte) error {
	s.seq = h.Seq + 1
	h.Seq -= s.now.shift
	s.x.BytesIn += uint64(mysqlwire.HeaderLen + h.Len)
	var b [mysqlwire.HeaderLen]byte
	if err := s.toServer(h.Append(b[:0])); err != nil {
		return err
	}
	f, err := s.dec.Next(mysqlwire.ToServer, h, head)
	if err != nil {
		return s.lost(err)
	}
	in.frame = f
	switch {
	case f.Kind == mysqlwire.KindFileData:
		s.fileData(f, h.Len)
	case s.binlog != nil:
		s.replicaSays(f)
	}
	return nil
}

func (s *session) clientPart(in *incoming, b []byte) error {
	switch in.what {
	case gather:
		in.body = append(in.body, b...)
	case relay:
		if in.frame.Kind == mysqlwire.KindFileData {
			s.kept.add(b)
		}
		return s.toServer(b)
	}
	return nil
}

func (s *session) toServer(b []byte) error {
	if s.server.broken.Load() {
		return nil
	}
	return s.unheard(s.server.queue(b))
}

func (s *session) clientFrameEnd(ctx context.Context) error {
	in := &s.in[mysqlwire.ToServer]
	if in.what != gather {
		if !in.rest || in.full {
			return nil
		}
		in.rest = false
		s.rested()
		return s.commandEnd(ctx, in)
	}
	if !in.full {
		body := in.body
		in.body = nil
		if s.exchange != nil {
			return s.authFromClient(ctx, body)
		}
		return s.command(ctx, body, len(body), false)
	}
	if len(in.body) < scriptLimit && s.chain().scripted(rule.ReadQuery) {
		return nil // it goes on
	}
	// A packet of several frames is over the limit: decide on its head, then stream.
	body := in.body
	in.body = nil
	return s.command(ctx, body, len(body)+1, true)
}

// commandEnd handles the end of a command that was decided on by its head.
func (s *session) commandEnd(ctx context.Context, in *incoming) error {
	if s.x.Seq == 0 { // answered before its end
		return nil
	}
	s.seq = in.seq + 1
	if in.what == relay && s.x.Command.Answered() {
		return nil // the server's answer comes next
	}
	return s.next(ctx)
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
		ev.asked = s.asked
		if err := s.server.flushed(); err != nil {
			return s.left(s.server, err)
		}
		v, ok := s.ask(ctx, ev, s.client)
		if !ok {
			return context.Cause(ctx)
		}
		if err := s.settle(ctx); err != nil {
			return err
		}
		if err := Check(ev, &v); err != nil {
			s.note(Error, "%s: %v. The command went on unchanged.", v.By, err)
			v = Verdict{}
		}
		verdict = v
		if v.Action == Reply || v.Queries != nil {
			s.remember(q.Packet)
			verdict.Queries = s.resetLongData(q.Packet, s.withSecrets(v.Queries, q.Packet))
		}
	}
	s.final = verdict
	in := &s.in[mysqlwire.ToServer]
	in.what, in.rest = drop, streams
	s.sending.Store(streams)
	switch verdict.Action {
	case Close:
		s.x.Note = "connection closed by " + verdict.By
		return errClosed
	case Hang:
		s.x.Note, s.hung = "left without an answer by "+verdict.By, true
		s.x.Marks |= MarkCrafted
		s.conn.busy.Store(false)
		s.publish()
		return nil
	case Reply:
		s.x.Marks |= MarkCrafted
		s.plan, s.reply = hide(verdict.Queries), verdict.Answer
		if s.x.Note != "" { // its client has left
			s.x.Note += "; "
		}
		s.x.Note += "not sent"
	case Forward, Pass:
		s.plan = verdict.Queries
		if s.plan == nil {
			if streams && s.server != nil {
				return s.stream(&q)
			}
			s.plan = append(s.plan[:0:0], q)
		}
	}
	if streams { // the client listens once it has sent everything
		return nil
	}
	return s.next(ctx)
}

// stream sends a command by its head; the rest is relayed as it comes.
func (s *session) stream(q *Query) error {
	in := &s.in[mysqlwire.ToServer]
	s.start(q)
	s.now.shift = 0 // both have the same number of frames
	tap{s.proxy.o.Tap}.queried(s, q, true)
	s.x.Sent = s.now.timing.Sent
	in.what = relay
	h := mysqlwire.Header{Len: len(q.Packet) + in.left}
	if err := s.trackClient(in, h, q.Packet[:min(len(q.Packet), mysqlwire.HeadLen)]); err != nil {
		return err
	}
	if !s.opaque.Load() {
		s.dec.Note(in.frame, q.Packet)
	}
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
	s.kept.add(mysqlwire.BlankPayload(cmd.Kind(), payload, s.dec.Context()))
	s.texts = s.dec.Texts()
	s.asked = append(s.asked[:0], payload[:min(len(payload), mysqlwire.HeadLen)]...)
	s.x = Exchange{
		Conn: s.conn.ID, Command: cmd, Begun: time.Now(), StmtID: stmtID(payload),
		InTx: mysqlwire.Status(s.conn.status.Load()).Has(mysqlwire.StatusInTrans),
	}
	if size > len(payload) {
		s.x.Marks |= MarkPartial
	}
	s.final, s.reply, s.seq, s.plan = Verdict{}, nil, 1, nil
	if size == len(payload) {
		s.seq = uint8(mysqlwire.Frames(size))
	}
	s.shown, s.owed, s.broken, s.hung = false, false, false, false
	s.prepared, s.failed, s.up = 0, nil, uploading{}
	s.dbWas = s.dec.DB()
	if cmd == mysqlwire.ComInitDB && len(payload) > 1 {
		s.dbAsked = string(payload[1:])
	}
	s.conn.busy.Store(true)
	s.conn.commands.Add(1)
	sql := s.dec.SQL(cmd.Kind(), payload)
	if cmd != mysqlwire.ComStmtPrepare && s.loop.Next(sql[:min(len(sql), SQLPrefix)], s.x.Begun) {
		s.x.Marks |= MarkLoop
	}
	s.proxy.Journal.begin(&s.x, sql)
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
	ev.Dir, ev.PacketLen, ev.Kind = mysqlwire.ToServer, size, s.x.Command.Kind()
	ev.Packet = mysqlwire.BlankPayload(ev.Kind, payload, s.dec.Context())
	ev.SQL = s.dec.SQL(ev.Kind, payload)
	ev.Context = s.context(payload)
	ev.Stmt = s.statement(s.x.StmtID)
}

// context decodes a client's command.
func (s *session) context(payload []byte) *mysqlwire.Context {
	cx := *s.dec.ExecuteContext(payload)
	s.overlay(&cx, stmtID(payload))
	return &cx
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
		if err := s.act(ctx, l, handle); !errors.Is(err, errWaitIdle) {
			return err
		}
	}
}
