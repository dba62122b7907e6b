package detail

import (
	"testing"

	"mydbg/mysqlwire"
)

// FuzzOpen takes apart whatever there may be: fields lie within the packet and within each other, and
// the spans for the bytes are in order.
func FuzzOpen(f *testing.F) {
	f.Add(uint8(mysqlwire.KindStmtExecute), execute(f, 2, "SKU-77"), true)
	f.Add(uint8(mysqlwire.KindQuery), query(ordersSQL), false)
	for _, p := range heldResult(f, 4).Held.Answer.Packets {
		f.Add(uint8(p.Kind), p.Payload, false)
	}
	for _, s := range subjects(f) {
		if s.Detail != nil && len(s.Detail.Answer.Packets) > 0 {
			p := s.Detail.Answer.Packets[0]
			f.Add(uint8(p.Kind), p.Payload, true)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, payload []byte, alone bool) {
		if len(payload) > 2000 {
			t.Skip("every byte is asked for every field")
		}
		cx := executeContext()
		cx.Columns = orders(0).Columns
		o := open(mysqlwire.Packet{Kind: mysqlwire.Kind(kind), Payload: payload}, 3, cx, 0, alone)
		last := 0
		for _, s := range o.spans() {
			if s.Off < last || s.Off+s.Len > len(o.frame) {
				t.Fatalf("span %+v after one at %d, in %d bytes", s, last, len(o.frame))
			}
			last = s.Off
		}
		for i := range o.nodes {
			n := &o.nodes[i]
			if n.off < 0 || n.len < 0 || n.off+n.len > len(o.frame) {
				t.Fatalf("%s has %d bytes from %d of %d", n.name, n.len, n.off, len(o.frame))
			}
			if n.name == "packet" {
				continue
			}
			for j := i + 1; j <= i+n.kids; j++ {
				if k := &o.nodes[j]; k.off < n.off || k.off+k.len > n.off+n.len {
					t.Fatalf("%s, %d bytes from %d, is not within %s, %d from %d", k.name, k.len, k.off, n.name, n.len, n.off)
				}
			}
		}
		for off := range o.frame {
			if i := o.innermost(off); i >= 0 {
				o.reveal(i)
				if o.visible[o.place(i)] != i {
					t.Fatalf("%s at byte %d stays hidden", o.nodes[i].name, off)
				}
			}
		}
	})
}
