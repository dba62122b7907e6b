package intercept

import (
	"context"
	"errors"
	"time"

	"mydbg/mysqlwire"
)

// fromServer handles what the server leg has read: one pass over the frames, bytes that nobody
// wants to see are sent on in one piece at its end.
func (s *session) fromServer(ctx context.Context) error {
	l := s.server
	l.run = l.r
	for {
		s.rows()
		more, err := s.serverFrame(ctx)
		if err != nil {
			return first(err, s.client.flush())
		}
		if s.server != l { // given away with its last answer
			return first(s.client.flush(), s.server.flushed())
		}
		if s.opaque.Load() {
			return s.relayRest()
		}
		if !more {
			break
		}
	}
	if err := s.passOn(); err != nil {
		return err
	}
	if err := s.flushServer(); err != nil {
		return err
	}
	if err := s.client.flush(); err != nil {
		return s.left(s.client, err)
	}
	return nil
}

// relayRest passes on what is in the buffer after the session has become opaque.
func (s *session) relayRest() error {
	s.server.r = s.server.run
	return first(first(s.server.flush(), s.client.flush()), s.relayRaw(s.server))
}

// passOn queues the bytes that go to the client unchanged.
func (s *session) passOn() error {
	l := s.server
	b := l.buf[l.run:l.r]
	l.run = l.r
	if len(b) == 0 {
		return nil
	}
	if err := s.client.queue(b); err != nil {
		return s.left(s.client, err)
	}
	return nil
}

// rows passes over rows that go to the client as they are.
func (s *session) rows() {
	l, in := s.server, &s.in[mysqlwire.ToClient]
	if in.left > 0 || in.full || s.now.shift != 0 || s.x.Seq == 0 || s.swallows() {
		return
	}
	kind, n, rows := s.dec.Rows(l.unread())
	s.captured().rows(kind, l.buf[l.r:l.r+n])
	s.now.counts.Rows += uint64(rows)
	s.now.counts.RowBytes += uint64(n)
	s.x.BytesOut += uint64(n)
	l.r += n
}

// serverFrame handles one frame or a part of one; false when bytes are missing.
func (s *session) serverFrame(ctx context.Context) (bool, error) {
	l, in := s.server, &s.in[mysqlwire.ToClient]
	if in.left == 0 {
		have := l.w - l.r
		if have < mysqlwire.HeaderLen {
			return false, nil
		}
		h := mysqlwire.ParseHeader(l.unread())
		if have < mysqlwire.HeaderLen+min(h.Len, mysqlwire.HeadLen) {
			return false, nil
		}
		if err := s.serverHead(in, h); err != nil || s.opaque.Load() {
			return false, err
		}
	}
	n := min(in.left, l.w-l.r)
	b := l.buf[l.r : l.r+n]
	l.r += n
	in.left -= n
	s.serverPart(in, b)
	if s.swallows() {
		l.run = l.r
	}
	if in.left > 0 {
		return false, nil
	}
	return true, s.serverFrameEnd(ctx, in)
}

// serverHead begins a frame.
func (s *session) serverHead(in *incoming, h mysqlwire.Header) error {
	l := s.server
	head := l.buf[l.r+mysqlwire.HeaderLen:][:min(h.Len, mysqlwire.HeadLen)]
	f, err := s.dec.Next(mysqlwire.ToClient, h, head)
	if err != nil {
		return s.lost(err)
	}
	in.frame, in.left, in.full = f, h.Len, f.More
	telling := f.Kind == mysqlwire.KindBinlogEvent && s.binlog != nil && s.binlog.frame(f, head)
	if !f.Cont {
		if s.x.Seq == 0 { // unasked: a record of its own
			s.kept.reset()
		}
		in.first = f
		in.body = in.body[:0]
		in.what = relay
		if s.now.timing.First.IsZero() {
			s.now.timing.First = time.Now()
		}
		if s.exchange != nil || s.now.mode == collected || interesting(f) || telling || s.dec.Need(f) > 0 {
			in.what = gather
		}
	}
	if in.first.Kind.IsRow() {
		s.now.counts.RowBytes += uint64(mysqlwire.HeaderLen + h.Len)
	}
	s.capture(f, h.Len)
	if s.swallows() {
		if err := s.passOn(); err != nil {
			return err
		}
		l.r += mysqlwire.HeaderLen
		l.run = l.r
		return nil
	}
	if s.now.shift != 0 {
		l.buf[l.r+3] += s.now.shift
	}
	s.x.BytesOut += uint64(mysqlwire.HeaderLen + h.Len)
	l.r += mysqlwire.HeaderLen
	return nil
}

// swallows reports whether the frames that come do not go to the client as they are. What the server
// says unasked, an error before it closes, does; a request for a file goes when it has been decided on.
func (s *session) swallows() bool {
	return s.x.Seq != 0 && (s.now.mode != relayed || s.exchange != nil || s.in[mysqlwire.ToClient].first.Kind == mysqlwire.KindLocalInfile)
}

// interesting reports whether a packet is decoded as it passes, for the counts of the list.
func interesting(f mysqlwire.Frame) bool {
	switch f.Kind {
	case mysqlwire.KindOK, mysqlwire.KindERR, mysqlwire.KindEOF, mysqlwire.KindColumnCount, mysqlwire.KindLocalInfile,
		mysqlwire.KindProgress:
		return true
	}
	return false
}

// capture opens the journal's record of the packet, or lengthens it.
func (s *session) capture(f mysqlwire.Frame, n int) {
	c := s.captured()
	if f.Cont {
		c.extend(n)
	} else {
		c.begin(stageAnswer, f.Kind, n)
	}
}

func (s *session) captured() *capture {
	if s.kid.Seq != 0 {
		return &s.kin
	}
	return &s.kept
}

func (s *session) serverPart(in *incoming, b []byte) {
	s.captured().add(b)
	if in.what == gather {
		in.body = append(in.body, b...)
	}
}

// serverFrameEnd handles a frame that has come whole.
func (s *session) serverFrameEnd(ctx context.Context, in *incoming) error {
	if in.full {
		return s.frameFull(ctx, in)
	}
	f := in.first
	n := &s.now
	if f.Kind.IsRow() {
		n.counts.Rows++
	}
	if in.what == gather {
		if s.dec.Need(f) > 0 {
			s.dec.Note(f, in.body)
		}
		if interesting(f) {
			s.count(f.Kind, in.body)
		}
		if f.Kind == mysqlwire.KindBinlogEvent && s.binlog != nil {
			s.streamEvent(in.body)
		}
	}
	if s.exchange != nil {
		s.server.seq = in.frame.Seq + 1
		return s.authFromServer(ctx, in.body)
	}
	if f.Kind == mysqlwire.KindLocalInfile {
		return s.fileRequest(ctx, in)
	}
	if n.mode == collected {
		n.answer.Packets = append(n.answer.Packets, mysqlwire.Packet{Kind: f.Kind, Payload: append([]byte(nil), in.body...)})
		n.size += mysqlwire.HeaderLen + len(in.body)
		in.body = in.body[:0]
	}
	if s.x.Seq == 0 {
		if f.Kind == mysqlwire.KindERR { // all that servers say unasked; a stream that the client has left goes on a little
			s.unasked(in)
		}
		return nil
	}
	if !in.frame.Ends {
		return s.collectLimit(ctx, in)
	}
	// The answer's bytes go first, then whatever follows from it.
	if err := s.passOn(); err != nil {
		return err
	}
	if n.mode == relayed {
		s.shown, s.owed = true, false
		s.seq = in.frame.Seq + n.shift + 1
		if err := s.client.flush(); err != nil {
			return s.left(s.client, err)
		}
	}
	return s.answered(ctx)
}

// frameFull handles a frame whose packet goes on in the next.
func (s *session) frameFull(ctx context.Context, in *incoming) error {
	switch {
	case in.first.Kind == mysqlwire.KindLocalInfile:
		return errors.New("the server asks for a file with a name of more than 16 MiB")
	case in.what == gather && s.now.mode == relayed && s.exchange == nil: // it would be counted, and is too long for that
		in.what, in.body = relay, nil
	}
	return s.collectLimit(ctx, in)
}

// count takes what an answer's packet says of itself.
func (s *session) count(k mysqlwire.Kind, payload []byte) {
	c := &s.now.counts
	cx := s.dec.Context()
	switch k {
	case mysqlwire.KindOK:
		if s.ok.Decode(payload, cx) == nil {
			c.Status, c.Warnings = s.ok.Status, s.ok.Warnings
			if len(payload) > 0 && payload[0] == 0 {
				c.Results++
				c.Affected += s.ok.AffectedRows
				if s.ok.LastInsertID != 0 {
					c.LastInsertID = s.ok.LastInsertID
				}
			}
		}
	case mysqlwire.KindEOF:
		var m mysqlwire.EOF
		if m.Decode(payload, cx) == nil {
			c.Status, c.Warnings = m.Status, m.Warnings
		}
	case mysqlwire.KindProgress:
		s.reported(payload)
	case mysqlwire.KindERR:
		m := &mysqlwire.ERR{}
		if m.Decode(append([]byte(nil), payload...), cx) == nil {
			m.Message = cx.ResultText(m.Message)
			c.Error = m
		}
	case mysqlwire.KindColumnCount:
		var m mysqlwire.ColumnCount
		if m.Decode(payload, cx) == nil {
			c.Results++
			c.Cols = max(c.Cols, m.Count)
		}
	}
}

func countsOf(sum mysqlwire.Summary, cx *mysqlwire.Context) *Counts {
	if sum.Error != nil {
		e := *sum.Error
		e.Message = cx.ResultText(e.Message)
		sum.Error = &e
	}
	return &Counts{
		Rows: uint64(sum.Rows), Cols: uint64(sum.Cols), Results: sum.Results, Affected: sum.Affected, LastInsertID: sum.LastInsertID,
		Warnings: sum.Warnings, Status: sum.Status, Error: sum.Error,
	}
}
