package intercept

import "mydbg/mysqlwire"

// lastWords passes on what the server has said before it left, and what nobody can decide on any more:
// the beginning of an answer that was being collected, and of a frame that will not be finished. While
// the session is busy with something else there is nothing of the kind.
func (s *session) lastWords() {
	select {
	case s.turn <- struct{}{}:
	default:
		return
	}
	defer func() { <-s.turn }()
	in := &s.in[mysqlwire.ToClient]
	switch {
	case s.server == nil || s.exchange != nil:
		return
	case s.opaque.Load() || s.x.Seq == 0:
	case s.now.mode == discarded || s.now.mode == collected && s.salvage() != nil:
		return
	case s.now.mode == collected && in.left > 0:
		part := in.body[len(in.body)-len(in.body)%mysqlwire.MaxFrame:]
		h := mysqlwire.Header{Len: len(part) + in.left, Seq: s.seq}
		if s.client.queue(h.Append(nil)) != nil || s.client.queue(part) != nil {
			return
		}
	}
	_ = s.relayRaw(s.server) // the client may be gone too
}
