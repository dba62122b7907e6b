package intercept

import (
	"context"
	"slices"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// judge puts an answer before the hooks and sends the client what they decide. Of an answer that is
// too large to collect it decides what becomes of the beginning and, with it, of the rest.
func (s *session) judge(ctx context.Context) error {
	n := &s.now
	a := n.answer
	var v Verdict
	if s.wants(rule.ReadQueryResult) || n.query.owner != nil {
		ev := s.resultEvent()
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
		s.conn.busy.Store(false)
		s.hide()
		s.publish()
		return nil
	case Drop:
		s.hide()
		return nil
	}
	switch {
	case v.Answer != nil && v.Action != Reply && a.Partial: // its beginning alone; letStream sends it
		n.answer = &mysqlwire.Answer{Command: a.Command, Packets: v.Answer.Packets, Partial: true}
		s.reshape(n.answer)
		s.kept.answer(stageDelivered, n.answer)
		return nil
	case v.Answer != nil:
		if v.Action == Reply {
			s.x.Marks |= MarkCrafted
		}
		n.mode = discarded // what the server still has to say
		s.reshape(v.Answer)
		s.delivered(v.Answer)
		return s.deliverOnce(v.Answer)
	case !n.query.Show:
		n.mode = discarded
		return nil
	case a.Partial:
		return nil // letStream sends it, and what follows
	}
	return s.deliverOnce(s.stitched(a))
}

// resultEvent is the event of the running answer.
func (s *session) resultEvent() *Event {
	n := &s.now
	ev := s.event(rule.ReadQueryResult)
	ev.Dir, ev.Query, ev.Answer, ev.Timing, ev.Counts = mysqlwire.ToClient, n.query, n.answer, n.timing, n.counts
	ev.Context = s.resultContext()
	ev.SQL = s.dec.SQL(n.cmd.Kind(), n.query.Packet)
	ev.Stmt = s.statement(stmtID(n.query.Packet))
	ev.asked = slices.Clone(s.asked)
	return ev
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
	cx := s.dec.Context()
	if sum, err := a.Summary(cx); err == nil {
		s.x.takeCounts(countsOf(sum, cx))
	}
}

// deliverOnce is deliver unless the client has its answer already.
func (s *session) deliverOnce(a *mysqlwire.Answer) error {
	if s.shown && !s.owed {
		s.secondAnswer()
		return nil
	}
	return s.deliver(a)
}

// deliver queues an answer for the client, with MORE_RESULTS set when another one joins it.
func (s *session) deliver(a *mysqlwire.Answer) error {
	more := false
	if s.joins() && !a.Partial {
		whole := a
		a = a.WithMoreResults(s.dec.Context())
		more = a != whole
		s.broken = !more
	}
	if a == s.reply {
		s.reshape(a)
		s.delivered(a)
	}
	s.shown, s.owed = true, more
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

// deliverFrames queues the full frames of a packet that has not ended.
func (s *session) deliverFrames(body []byte) error {
	for len(body) >= mysqlwire.MaxFrame {
		h := mysqlwire.Header{Len: mysqlwire.MaxFrame, Seq: s.seq}
		if err := first(s.client.queue(h.Append(nil)), s.client.queue(body[:mysqlwire.MaxFrame])); err != nil {
			return s.left(s.client, err)
		}
		s.x.BytesOut += mysqlwire.HeaderLen + mysqlwire.MaxFrame
		s.seq++
		body = body[mysqlwire.MaxFrame:]
	}
	return nil
}

// stitches reports whether q's answer may lack column definitions that the client needs. MariaDB
// leaves those out that it has sent for the statement before: but the client has not seen them, or
// has seen others since.
func (s *session) stitches(q *Query) bool {
	if !s.dec.Caps().Has(mysqlwire.MariaDBCacheMetadata) || q.command() != mysqlwire.ComStmtExecute {
		return false
	}
	return q.LastPrepared || s.reshaped[stmtID(q.Packet)]
}

// stitched gives an answer without column definitions those of the statement.
func (s *session) stitched(a *mysqlwire.Answer) *mysqlwire.Answer {
	q := &s.now.query
	if !s.stitches(q) {
		return a
	}
	id := stmtID(q.Packet)
	if q.LastPrepared {
		id = s.prepared
	}
	st := s.dec.Stmt(id)
	if st == nil {
		return a
	}
	whole, err := a.WithColumns(s.dec.Context(), st.Columns)
	if err != nil {
		return a
	}
	delete(s.reshaped, s.x.StmtID)
	if q.LastPrepared {
		s.reshape(whole)
	}
	return whole
}

// reshape notes that the client's execute is answered with columns that may not be its statement's.
func (s *session) reshape(a *mysqlwire.Answer) {
	if s.x.Command == mysqlwire.ComStmtExecute && slices.ContainsFunc(a.Packets, func(p mysqlwire.Packet) bool { return p.Kind == mysqlwire.KindColumn }) {
		s.reshaped[s.x.StmtID] = true
	}
}

// collectLimit puts an answer that has become too large to keep before the hooks as far as it has
// come; the rest streams.
func (s *session) collectLimit(ctx context.Context, in *incoming) error {
	n := &s.now
	if n.mode != collected || n.size+len(in.body) <= holdLimit {
		return nil
	}
	n.answer.Partial = true
	s.x.Marks |= MarkPartial
	if s.joins() {
		s.note(Warning, "#%d: the answer is too large for another result to join it", s.x.Seq)
		s.plan = slices.DeleteFunc(s.plan, func(q Query) bool { return q.Join })
	}
	if err := s.judge(ctx); err != nil {
		return err
	}
	return s.letStream(in)
}

// letStream sends the client what was collected, unless something else was decided, and relays what
// follows.
func (s *session) letStream(in *incoming) error {
	n := &s.now
	if n.mode == collected {
		n.mode = relayed
		if err := s.deliver(s.stitched(n.answer)); err != nil {
			return err
		}
		if in.full { // in the middle of a packet
			if err := s.deliverFrames(in.body); err != nil {
				return err
			}
		}
	}
	n.answer = nil
	in.what, in.body = relay, nil
	// The next frame the server sends has number in.frame.Seq+1, the client waits for s.seq.
	n.shift = s.seq - (in.frame.Seq + 1)
	return s.client.flush()
}
