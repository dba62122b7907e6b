package detail

import (
	"bytes"
	"fmt"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/tui/theme"
)

const (
	maxChangedRows = 500
	maxRowPairs    = 1 << 18 // rows compared with rows; more are taken by their place
)

// part is the packets of a part of the subject.
func (f *facts) part(name string) []mysqlwire.Packet {
	for i := range f.parts {
		if f.parts[i].name == name {
			return f.parts[i].packets
		}
	}
	return nil
}

func packetsSize(packets []mysqlwire.Packet) string {
	n := 0
	for _, p := range packets {
		n += len(p.Payload) + mysqlwire.HeaderLen*mysqlwire.Frames(len(p.Payload))
	}
	return bytesOf(n)
}

// changedBy says who changed an exchange.
func changedBy(d *intercept.Detail) string {
	if d.By == "" {
		return "changed"
	}
	return "changed by " + d.By
}

// delivered adds the answer's stages of an exchange.
func (l *stageList) delivered(d *intercept.Detail, f *facts, changed string) {
	own := *f.cx
	own.Command = d.Command
	if len(d.Answer.Packets) > 0 {
		l.stage(1, "answer", answerSize(&d.Answer, &own), "from server", answerRef(&d.Answer, 0, &own, "answer"), nil)
	}
	switch {
	case d.Marks&intercept.MarkHidden != 0:
		l.stage(3, "delivered", "nothing", "hidden from the client", nil, nil)
	case d.Delivered != nil && len(d.Delivered.Packets) > 0 && len(d.Answer.Packets) == 0:
		tag := theme.Crafted
		l.stage(3, "delivered", answerSize(d.Delivered, &own), "in the server's place"+by(d.By), answerRef(d.Delivered, 0, &own, "delivered"), &tag)
		l.packets(d.Delivered, &own, markAdded)
	case d.Delivered != nil && len(d.Delivered.Packets) > 0:
		l.stage(3, "delivered", answerSize(d.Delivered, &own), changed, answerRef(d.Delivered, 0, &own, "delivered"), nil)
		l.answers(&d.Answer, d.Delivered, &own)
	case len(d.Answer.Packets) > 0:
		l.stage(3, "delivered", answerSize(&d.Answer, &own), "as received", answerRef(&d.Answer, 0, &own, "delivered"), nil)
	}
}

// answers compares two answers: result by result, row by row.
func (l *stageList) answers(a, b *mysqlwire.Answer, cx *mysqlwire.Context) {
	if a == b {
		l.add(stageRow{depth: 1, name: "answer", value: summaryOf(a, cx), same: true, ref: l.received})
		return
	}
	ra, _ := a.Results(cx)
	rb, _ := b.Results(cx)
	for i := range max(len(ra), len(rb)) {
		if max(len(ra), len(rb)) > 1 {
			l.add(stageRow{head: true, name: fmt.Sprintf("result %d", i+1)})
		}
		switch {
		case i >= len(rb):
			l.packetsOf(a, &ra[i], cx, markGone)
		case i >= len(ra):
			l.packetsOf(b, &rb[i], cx, markAdded)
		case ra[i].HasRows() && rb[i].HasRows():
			d := rowDiff{list: l, a: a, b: b, was: &ra[i], is: &rb[i], cx: cx}
			d.columns()
			d.rows()
			d.end()
		case ra[i].First == ra[i].Last && rb[i].First == rb[i].Last:
			was, is := answerRef(a, ra[i].First, cx, "stage 1"), answerRef(b, rb[i].First, cx, "stage 3")
			is.old = was
			l.message(was, is, 1)
		default:
			l.packetsOf(a, &ra[i], cx, markGone)
			l.packetsOf(b, &rb[i], cx, markAdded)
		}
	}
	if a.Partial {
		l.note("the rest of the answer was not kept and goes on as it comes")
	}
}

func summaryOf(a *mysqlwire.Answer, cx *mysqlwire.Context) string {
	s, _ := a.Summary(cx)
	return summaryText(&s, a.Partial)
}

// packetsOf lists a result that has no counterpart.
func (l *stageList) packetsOf(a *mysqlwire.Answer, r *mysqlwire.Result, cx *mysqlwire.Context, k mark) {
	part := mysqlwire.Answer{Command: a.Command, Packets: a.Packets[r.First : r.Last+1], Partial: a.Partial}
	l.add(stageRow{mark: k, depth: 1, name: "result", value: summaryOf(&part, cx), stop: true, ref: answerRef(a, r.First, cx, "answer")})
	if k == markAdded {
		l.packets(&part, cx, k)
	}
}

// rowDiff compares the rows of two results.
type rowDiff struct {
	list    *stageList
	a, b    *mysqlwire.Answer
	was, is *mysqlwire.Result
	cx      *mysqlwire.Context
	shown   int
	hidden  int
	same    int
}

func (d *rowDiff) columns() {
	for j := range max(len(d.was.Columns), len(d.is.Columns)) {
		text := func(list []mysqlwire.Column) string {
			if j >= len(list) {
				return ""
			}
			return list[j].Name + "  " + list[j].TypeName()
		}
		was, is := text(d.was.Columns), text(d.is.Columns)
		if was == is {
			continue
		}
		name := fmt.Sprintf("column %d", j+1)
		if was != "" {
			d.list.add(stageRow{mark: markGone, depth: 1, name: name, value: was, stop: true})
		}
		if is != "" {
			d.list.add(stageRow{mark: markAdded, depth: 1, name: name, value: is, stop: true})
		}
	}
}

// rows pairs the rows, so that one more or less does not make all after it differ.
func (d *rowDiff) rows() {
	na, nb := d.was.Rows.Len(), d.is.Rows.Len()
	equal := func(i, j int) bool { return bytes.Equal(d.was.Rows.Raw(i), d.is.Rows.Raw(j)) }
	head := 0
	for head < na && head < nb && equal(head, head) {
		head++
	}
	tail := 0
	for tail < na-head && tail < nb-head && equal(na-1-tail, nb-1-tail) {
		tail++
	}
	d.unchanged(head)
	ma, mb := na-head-tail, nb-head-tail
	align(head, head, ma, mb, equal, func(int, int) { d.unchanged(1) }, d.byKey)
	d.unchanged(tail)
	if d.same > 0 {
		d.flush()
	}
	if d.hidden > 0 {
		d.list.note("… %s more", many(d.hidden, "changed row", "changed rows"))
	}
}

// align pairs rows as a longest common subsequence does, told which are alike, and gives what lies
// between the pairs to rest. Long stretches are all rest.
func align(i0, j0, na, nb int, alike func(i, j int) bool, pair func(i, j int), rest func(i, j, a, b int)) {
	if na == 0 || nb == 0 || na*nb > maxRowPairs {
		if na > 0 || nb > 0 {
			rest(i0, j0, na, nb)
		}
		return
	}
	length := make([][]int32, na+1)
	for i := range length {
		length[i] = make([]int32, nb+1)
	}
	for i := na - 1; i >= 0; i-- {
		for j := nb - 1; j >= 0; j-- {
			if alike(i0+i, j0+j) {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	i, j, si, sj := 0, 0, 0, 0
	for i < na && j < nb {
		switch {
		case alike(i0+i, j0+j):
			if i > si || j > sj {
				rest(i0+si, j0+sj, i-si, j-sj)
			}
			pair(i0+i, j0+j)
			i, j = i+1, j+1
			si, sj = i, j
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	if si < na || sj < nb {
		rest(i0+si, j0+sj, na-si, nb-sj)
	}
}

// byKey pairs rows that differ by their first cell, which is a key more often than not; what has no
// partner then is taken by its place.
func (d *rowDiff) byKey(i, j, a, b int) {
	alike := func(i, j int) bool {
		x, y := d.key(d.was, i), d.key(d.is, j)
		return x != nil && bytes.Equal(x, y)
	}
	align(i, j, a, b, alike, d.changed, func(i, j, a, b int) {
		for k := range max(a, b) {
			switch {
			case k < a && k < b && bytes.Equal(d.was.Rows.Raw(i+k), d.is.Rows.Raw(j+k)):
				d.unchanged(1)
			case k < a && k < b:
				d.changed(i+k, j+k)
			case k < a:
				d.one(markGone, d.was, d.a, i+k)
			default:
				d.one(markAdded, d.is, d.b, j+k)
			}
		}
	})
}

// key is the first cell of a row as it is sent; nil if there is none.
func (d *rowDiff) key(r *mysqlwire.Result, i int) []byte {
	raw := r.Rows.Raw(i)
	if r.Binary {
		row, err := r.Rows.Row(i)
		if err != nil || row.Len() == 0 {
			return nil
		}
		return row.Bytes(0)
	}
	n, head, ok := mysqlwire.ReadLenenc(raw)
	if !ok || n > uint64(len(raw)-head) {
		return nil
	}
	return raw[head : head+int(n)]
}

func (d *rowDiff) unchanged(n int) { d.same += n }

func (d *rowDiff) flush() {
	if d.same > 0 {
		d.list.add(stageRow{depth: 1, name: "…", value: many(d.same, "row", "rows"), same: true})
		d.same = 0
	}
}

// room reports whether one more row is listed.
func (d *rowDiff) room() bool {
	if d.shown >= maxChangedRows {
		d.hidden++
		return false
	}
	d.flush()
	d.shown++
	return true
}

// one lists a row that only one side has.
func (d *rowDiff) one(k mark, r *mysqlwire.Result, a *mysqlwire.Answer, i int) {
	if !d.room() {
		return
	}
	ref := d.ref(r, a, i)
	d.list.add(stageRow{mark: k, depth: 1, name: fmt.Sprintf("row %d", i+1), value: rowSummary(ref.packet, ref.cx), ref: ref, len: len(ref.packet.Payload), stop: true})
}

// changed lists the cells that differ.
func (d *rowDiff) changed(i, j int) {
	if !d.room() {
		return
	}
	was, is := d.ref(d.was, d.a, i), d.ref(d.is, d.b, j)
	is.old = was
	d.list.add(stageRow{depth: 1, name: fmt.Sprintf("row %d", j+1), ref: is, len: len(is.packet.Payload)})
	a, errA := dissect(was.packet.Kind, was.packet.Payload, was.cx)
	b, errB := dissect(is.packet.Kind, is.packet.Payload, is.cx)
	f := fieldDiff{list: d.list, was: was, is: is, terse: true}
	f.fields(a, b, 2)
	if err := first(errB, errA); err != nil {
		d.list.add(stageRow{depth: 2, name: "not decoded", value: err.Error(), ref: is})
	}
}

// ref is the packet of a row.
func (d *rowDiff) ref(r *mysqlwire.Result, a *mysqlwire.Answer, row int) *frameRef {
	at := r.First
	for at <= r.Last && !a.Packets[at].Kind.IsRow() {
		at++
	}
	at += row
	cx := *d.cx
	cx.Columns = r.Columns
	stage := "stage 1"
	if a == d.b {
		stage = "stage 3"
	}
	return answerRef(a, min(at, len(a.Packets)-1), &cx, stage)
}

// end compares what ended the rows.
func (d *rowDiff) end() {
	was, is := d.a.Packets[d.was.Last], d.b.Packets[d.is.Last]
	if bytes.Equal(was.Payload, is.Payload) || was.Kind.IsRow() || is.Kind.IsRow() {
		return
	}
	x, y := answerRef(d.a, d.was.Last, d.cx, "stage 1"), answerRef(d.b, d.is.Last, d.cx, "stage 3")
	y.old = x
	d.list.message(x, y, 1)
}
