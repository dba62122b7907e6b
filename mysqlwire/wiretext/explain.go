package wiretext

import (
	"iter"
	"strconv"

	"mydbg/mysqlwire"
)

// Explained is a packet with what its bytes say it is.
type Explained struct {
	*Packet
	// Frame is the first frame. Its Kind is derived; Packet.Kind is what was written down. Ends is
	// that of the last frame.
	Frame   mysqlwire.Frame
	Context *mysqlwire.Context // to decode the payload with
	Err     error              // of the frame that cannot be explained
}

// Explain follows the conversation as a mysqlwire.Decoder sees it, from its first packet on.
func (c *Conversation) Explain() iter.Seq[Explained] {
	return func(yield func(Explained) bool) {
		d := mysqlwire.Decoder{KeepColumns: true}
		if caps, err := strconv.ParseUint(c.Fact(FactCapabilities), 0, 64); err == nil {
			d.Agree(mysqlwire.Caps(caps), c.mariadb())
			d.Ready()
		}
		for i := range c.packets {
			if !yield(explain(&d, &c.packets[i])) {
				return
			}
		}
	}
}

func explain(d *mysqlwire.Decoder, p *Packet) Explained {
	e := Explained{Packet: p}
	first := true
	p.each(func(h mysqlwire.Header, body []byte) {
		f, err := d.Next(p.Dir, h, body[:min(len(body), mysqlwire.HeadLen)])
		if first {
			e.Frame, first = f, false
			if n := d.Need(f); n > 0 {
				d.Note(f, body[:n])
			}
		}
		e.Frame.Ends = f.Ends
		if e.Err == nil {
			e.Err = err
		}
	})
	switch e.Frame.Kind {
	case mysqlwire.KindStmtExecute, mysqlwire.KindStmtBulkExecute:
		e.Context = d.ExecuteContext(p.Payload)
	default:
		e.Context = d.Context()
	}
	return e
}
