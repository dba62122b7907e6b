package mysqlwire

// Rows walks over the rows at the beginning of b: whole frames, each a packet, that Next would call
// rows of kind. It returns how many bytes and rows they are, and stops in front of whatever needs a
// closer look, with the tracker as after so many calls of Next. Most frames of most traffic are rows.
func (t *Tracker) Rows(b []byte) (kind Kind, n, rows int) {
	if t.state != StateRows || t.more {
		return 0, 0, 0
	}
	last := byte(0) // the highest byte that a row begins with and nothing else can
	switch t.cmd {
	case ComQuery, ComProcessInfo:
		kind, last = KindTextRow, 0xfd
	case ComFieldList:
		return 0, 0, 0
	default:
		kind = KindBinaryRow
	}
	counted, seq := t.counted(), t.seq
	for len(b)-n > HeaderLen {
		h := ParseHeader(b[n:])
		end := n + HeaderLen + h.Len
		if h.Seq != seq && counted || h.Len == 0 || h.Len == MaxFrame || end > len(b) || b[n+HeaderLen] > last {
			break
		}
		n = end
		rows++
		seq = h.Seq + 1
	}
	if rows > 0 {
		t.seq, t.dir, t.kind, t.ends = seq, ToClient, kind, false
	}
	return kind, n, rows
}
