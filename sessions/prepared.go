package sessions

import (
	"encoding/binary"
	"maps"
	"slices"

	"mydbg/mysqlwire"
)

// preparedStmts are the open statements of a recorded leg, so that a file which begins later has them too.
type preparedStmts struct {
	open   map[uint32]*preparedStmt
	size   int           // bytes of all of them
	cur    *preparedStmt // whose answer comes
	left   int           // bytes to come of a frame of the client
	asleep bool          // bytes were lost: until a command can be recognised
}

// preparedStmt is a statement in packets, as they crossed the leg.
type preparedStmt struct {
	command, answer []byte
	execute         []byte // the last one with types of parameters; nil for none
	params          int
}

// What is kept of a leg's statements. Those beyond that are not known in the next file.
const (
	mostPrepared      = 1000
	mostPreparedBytes = 1 << 20
	mostPrepare       = 64 << 10 // of one
)

// lose is told that bytes are missing.
func (p *preparedStmts) lose() { p.cur, p.left, p.asleep = nil, 0, true }

// got takes what the server said.
func (p *preparedStmts) got(b []byte) {
	if p.cur == nil {
		return
	}
	if len(p.cur.answer)+len(b) > mostPrepare {
		p.cur = nil
		return
	}
	p.cur.answer = append(p.cur.answer, b...)
}

// settle takes note that the answer under way is whole.
func (p *preparedStmts) settle() {
	st := p.cur
	p.cur = nil
	const okLen = 12 // without what newer versions add
	if st == nil || len(st.answer) < mysqlwire.HeaderLen+okLen || st.answer[mysqlwire.HeaderLen] != 0 {
		return
	}
	ok := st.answer[mysqlwire.HeaderLen:]
	id := binary.LittleEndian.Uint32(ok[1:])
	st.params = int(binary.LittleEndian.Uint16(ok[7:]))
	p.close(id)
	if n := len(st.command) + len(st.answer); len(p.open) < mostPrepared && p.size+n <= mostPreparedBytes {
		if p.open == nil {
			p.open = map[uint32]*preparedStmt{}
		}
		p.open[id] = st
		p.size += n
	}
}

func (p *preparedStmts) close(id uint32) {
	if st := p.open[id]; st != nil {
		p.size -= len(st.command) + len(st.answer) + len(st.execute)
		delete(p.open, id)
	}
}

// sent takes what the client said.
func (p *preparedStmts) sent(b []byte, caps mysqlwire.Caps) {
	if p.asleep {
		if !isCommand(b) {
			return
		}
		p.asleep = false
	}
	if p.left == 0 {
		p.settle()
	}
	for answered := 0; len(b) > 0; {
		if p.left > 0 {
			n := min(p.left, len(b))
			b, p.left = b[n:], p.left-n
			continue
		}
		if len(b) < mysqlwire.HeaderLen {
			p.lose() // a header in two pieces: nobody needs to follow that
			return
		}
		h := mysqlwire.ParseHeader(b)
		size := mysqlwire.HeaderLen + h.Len
		if h.Seq == 0 && h.Len > 0 && len(b) > mysqlwire.HeaderLen {
			if mysqlwire.Command(b[mysqlwire.HeaderLen]).Answered() {
				answered++
			}
			p.command(b[:min(size, len(b))], len(b) >= size, caps)
			if answered > 1 {
				p.cur = nil // answers follow each other, and nobody counts them here
			}
		}
		if size > len(b) {
			p.left = size - len(b)
			return
		}
		b = b[size:]
	}
}

// command takes a command's first frame, or its beginning.
func (p *preparedStmts) command(b []byte, whole bool, caps mysqlwire.Caps) {
	p.cur = nil
	payload := b[mysqlwire.HeaderLen:]
	switch mysqlwire.Command(payload[0]) {
	case mysqlwire.ComStmtPrepare:
		if whole && len(b) <= mostPrepare {
			p.cur = &preparedStmt{command: slices.Clone(b)}
		}
	case mysqlwire.ComStmtExecute:
		if len(payload) < 10 {
			return
		}
		st := p.open[binary.LittleEndian.Uint32(payload[1:])]
		if st == nil || !sendsTypes(payload, st.params, caps) {
			return
		}
		p.size -= len(st.execute)
		st.execute = st.execute[:0]
		if whole && len(b) <= mostPrepare && p.size+len(b) <= mostPreparedBytes {
			st.execute = append(st.execute, b...)
			p.size += len(b)
		}
	case mysqlwire.ComStmtClose:
		if len(payload) >= 5 {
			p.close(binary.LittleEndian.Uint32(payload[1:]))
		}
	case mysqlwire.ComResetConnection, mysqlwire.ComChangeUser:
		p.open, p.size = nil, 0
	}
}

// sendsTypes reports whether an execute of a statement with so many parameters sends their types.
func sendsTypes(payload []byte, params int, caps mysqlwire.Caps) bool {
	if params == 0 {
		return false
	}
	n, at := params, 10
	if caps.Has(mysqlwire.QueryAttributes) {
		count, size, ok := mysqlwire.ReadLenenc(payload[min(at, len(payload)):])
		if !ok || count > 1<<16 {
			return true
		}
		n, at = int(count), at+size
	}
	at += (n + 7) / 8
	return at < len(payload) && payload[at] == 1
}

// notes are the statements for the head of a file, in the order of their numbers.
func (p *preparedStmts) notes(n note) (list []*note) {
	p.settle()
	for _, id := range slices.Sorted(maps.Keys(p.open)) {
		st, own := p.open[id], n
		own.Type, own.Prepare, own.Answer, own.Execute = noteStatement, st.command, st.answer, st.execute
		list = append(list, &own)
	}
	return list
}

// hidden is the number of an entry that is not listed, as lineages have it: what earlier files had.
func hidden(k int) int { return -2 - k }

// hiddenBit marks such a number in index.deps.
const hiddenBit = 1 << 31

// dep is an entry of a list of dependencies.
func (ix *index) dep(n uint32) entry {
	if n&hiddenBit != 0 {
		return ix.earlier[n&^hiddenBit]
	}
	return ix.entries[n]
}

// learn takes in a statement that was prepared before the file began.
func (l *leg) learn(n *note) {
	if l.dec.State() != mysqlwire.StateIdle || l.running != none || len(n.Answer) < mysqlwire.HeaderLen+5 {
		return
	}
	id := binary.LittleEndian.Uint32(n.Answer[mysqlwire.HeaderLen+1:])
	if l.stmts[id] != nil { // the file has more than one section
		return
	}
	prepared, ok := l.past(mysqlwire.ComStmtPrepare, n.Prepare, n.Answer)
	if !ok || l.dec.Stmt(id) == nil {
		return
	}
	line := &lineage{prepared: prepared, bound: none, shaped: none, types: none, columns: none}
	l.stmts[id] = line
	if len(n.Execute) > 0 {
		if line.types, ok = l.past(mysqlwire.ComStmtExecute, n.Execute, nil); !ok {
			line.types = none
		}
	}
}

// past keeps packets of an earlier file as an exchange that is not listed, on a leg of its own, and has the decoder
// see them.
func (l *leg) past(cmd mysqlwire.Command, command, answer []byte) (n int, ok bool) {
	for dir, b := range [2][]byte{mysqlwire.ToServer: command, mysqlwire.ToClient: answer} {
		for len(b) > 0 {
			h := mysqlwire.Header{}
			if len(b) >= mysqlwire.HeaderLen {
				h = mysqlwire.ParseHeader(b)
			}
			if len(b) < mysqlwire.HeaderLen+h.Len {
				l.dec.Ready()
				return none, false
			}
			payload := b[mysqlwire.HeaderLen:][:h.Len]
			f, err := l.dec.Next(mysqlwire.Direction(dir), h, payload[:min(len(payload), mysqlwire.HeadLen)])
			if err != nil {
				l.dec.Ready()
				return none, false
			}
			if need := l.dec.Need(f); need > 0 {
				l.dec.Note(f, payload[:min(need, len(payload))])
			}
			b = b[mysqlwire.HeaderLen+h.Len:]
		}
	}
	l.dec.Ready()
	off, err := l.t.s.spill.put(slices.Concat(command, answer))
	if err != nil {
		return none, false
	}
	ix := l.t.ix
	own := &leg{t: l.t, side: l.side, n: uint32(len(ix.legs)), running: none}
	own.dec.Agree(l.dec.Caps(), l.dec.MariaDB())
	own.flow[mysqlwire.ToServer].add(command, off)
	own.flow[mysqlwire.ToClient].add(answer, off+int64(len(command)))
	for d := range own.flow {
		own.flow[d].now = nil // the block's memory
	}
	ix.legs = append(ix.legs, own)
	ix.earlier = append(ix.earlier, entry{begun: l.at, conn: l.t.n, identity: l.t.identity(l), cmd: cmd, leg: own.n, first: noSpan, took: noSpan, sent: noSpan})
	return hidden(len(ix.earlier) - 1), true
}
