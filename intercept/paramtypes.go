package intercept

import (
	"encoding/binary"
	"slices"

	"mydbg/mysqlwire"
)

// A client sends the types of a statement's parameters once and leaves them out afterwards. When an
// execute is answered in the server's place, or sent with other types, client and server disagree on
// what was said; the session remembers the client's side and adds it to its next execute.

// overlay puts the types that the client believes to be in force into the context of an execute.
func (s *session) overlay(cx *mysqlwire.Context, id uint32) {
	types, ok := s.types[id]
	if !ok {
		return
	}
	known := cx.Params
	cx.Params = slices.Clone(types)
	for i := range cx.Params {
		cx.Params[i].Long = i < len(known) && known[i].Long
	}
}

// retype gives an execute without types those that the client believes to be in force, if the server
// does not know them.
func (s *session) retype(q *Query) bool {
	id := stmtID(q.Packet)
	if s.types[id] == nil {
		return false
	}
	cx := s.context(q.Packet)
	switch q.command() {
	case mysqlwire.ComStmtExecute:
	case mysqlwire.ComStmtBulkExecute:
		return s.retypeBulk(q, id, cx)
	default:
		return false
	}
	var m mysqlwire.StmtExecute
	if m.Decode(q.Packet, cx) != nil {
		return false
	}
	delete(s.types, id)
	if m.NewParamsBound || len(m.Params) == 0 {
		return false
	}
	b, err := m.WithTypes().Encode(nil, cx)
	if err != nil {
		return false
	}
	q.Packet = b
	return true
}

// retypeBulk is retype for COM_STMT_BULK_EXECUTE: both commands go by the same types.
func (s *session) retypeBulk(q *Query, id uint32, cx *mysqlwire.Context) bool {
	var m mysqlwire.StmtBulkExecute
	if m.Decode(q.Packet, cx) != nil || m.Undecoded != nil {
		return false
	}
	delete(s.types, id)
	if m.Flags&mysqlwire.BulkSendTypes != 0 {
		return false
	}
	b, err := m.WithTypes().Encode(nil, cx)
	if err != nil {
		return false
	}
	q.Packet = b
	return true
}

// remember notes the types of an execute of the client that does not go to the server as it is.
func (s *session) remember(received []byte) {
	id := stmtID(received)
	st := s.dec.Stmt(id)
	if st == nil {
		return
	}
	switch mysqlwire.Command(received[0]) {
	case mysqlwire.ComStmtExecute:
	case mysqlwire.ComStmtBulkExecute:
		var m mysqlwire.StmtBulkExecute
		if m.Decode(received, s.context(received)) != nil || len(m.Types) < len(st.Params) {
			return
		}
		types := make([]mysqlwire.Param, len(st.Params))
		for i := range types {
			types[i] = mysqlwire.Param{Type: m.Types[i].Type, Unsigned: m.Types[i].Unsigned, Bound: true}
		}
		s.types[id] = types
		return
	default:
		return
	}
	var m mysqlwire.StmtExecute
	if m.Decode(received, s.context(received)) != nil || len(m.Params) < len(st.Params) {
		return
	}
	types := make([]mysqlwire.Param, len(st.Params)) // what follows are query attributes
	for i := range types {
		types[i] = mysqlwire.Param{Type: m.Params[i].Type, Unsigned: m.Params[i].Unsigned, Bound: true}
	}
	s.types[id] = types
}

// resetLongData adds a COM_STMT_RESET to the plan that takes the place of an execute with long data,
// if nothing in it uses them up: the client believes that its execute has.
func (s *session) resetLongData(received []byte, plan []Query) []Query {
	id := stmtID(received)
	st := s.dec.Stmt(id)
	if st == nil || mysqlwire.Command(received[0]) != mysqlwire.ComStmtExecute {
		return plan
	}
	if !slices.ContainsFunc(st.Params, func(p mysqlwire.Param) bool { return p.Long }) {
		return plan
	}
	for i := range plan {
		if plan[i].command() == mysqlwire.ComStmtExecute && stmtID(plan[i].Packet) == id && !plan[i].LastPrepared {
			return plan
		}
	}
	reset := binary.LittleEndian.AppendUint32([]byte{byte(mysqlwire.ComStmtReset)}, id)
	return append(slices.Clone(plan), Query{Packet: reset, Origin: FromRule})
}

// forget drops what was remembered of a statement whose id now means another.
func (s *session) forget(id uint32) {
	delete(s.types, id)
	delete(s.reshaped, id)
}

// forgetAfter drops what the client's command made void.
func (s *session) forgetAfter() {
	switch {
	case s.x.Command == mysqlwire.ComStmtClose:
		s.forget(s.x.StmtID)
	case s.x.Command == mysqlwire.ComResetConnection && s.x.Error == nil, s.x.Command == mysqlwire.ComChangeUser && s.x.Error == nil:
		clear(s.types)
		clear(s.reshaped)
	}
}
