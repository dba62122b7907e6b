package sessions

import (
	"bytes"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/sessions/capture"
)

const defaultPort = 3306

// recognise makes a connection of a stream that speaks MySQL's protocol: by its greeting on any port, by its
// commands where its beginning is missing, by the server's port in any case. It is nil for other streams.
func (s *scan) recognise(st *capture.Stream, from capture.Side, seg capture.Segment) *leg {
	if s.r.ix.recording {
		return nil
	}
	client, sure := capture.Side(0), false
	for side := range capture.Side(2) {
		if p := st.Addr[side].Port(); p == defaultPort || s.r.o.Port != 0 && p == s.r.o.Port {
			client, sure = side.Other(), true
			break
		}
	}
	greets := isGreeting(seg.Data)
	switch {
	case greets:
		client = from.Other()
	case sure:
	case st.Late && isCommand(seg.Data) && isStatement(seg.Data):
		client = from
	default:
		return nil
	}
	t := s.track(0)
	t.info.Client, t.info.Backend = st.Addr[client].String(), st.Addr[client.Other()].String()
	t.info.Opened = moment(seg.At)
	l := newLeg(t, intercept.ClientLeg, client)
	st.Owner = l
	l.late(st.Late && !greets)
	return l
}

// late prepares a leg whose login is not in the file.
func (l *leg) late(is bool) {
	if !is {
		return
	}
	l.t.info.Marks |= LateStart
	l.t.info.Phase = intercept.Ready
	l.guess = newGuess()
}

// isGreeting reports whether a segment is a server's greeting.
func isGreeting(b []byte) bool {
	if len(b) < 40 || b[3] != 0 || b[4] != 10 {
		return false
	}
	h := mysqlwire.ParseHeader(b)
	end := bytes.IndexByte(b[5:], 0)
	return h.Len >= 36 && h.Len+mysqlwire.HeaderLen <= len(b) && end > 0 && end < 128 && printable(b[5:5+end])
}

// isCommand reports whether a segment begins with a command.
func isCommand(b []byte) bool {
	if len(b) <= mysqlwire.HeaderLen {
		return false
	}
	h := mysqlwire.ParseHeader(b)
	behind := len(b) - mysqlwire.HeaderLen - h.Len
	if h.Seq != 0 || h.Len == 0 || behind > 0 && (behind <= mysqlwire.HeaderLen || b[mysqlwire.HeaderLen+h.Len+3] != 0) {
		return false
	}
	whole := behind >= 0
	switch mysqlwire.Command(b[4]) {
	case mysqlwire.ComQuit, mysqlwire.ComPing, mysqlwire.ComStatistics, mysqlwire.ComResetConnection, mysqlwire.ComProcessInfo, mysqlwire.ComDebug:
		return h.Len == 1
	case mysqlwire.ComQuery, mysqlwire.ComStmtPrepare:
		return h.Len > 1 && (whole || len(b) >= 64) && isText(b[5:])
	case mysqlwire.ComInitDB, mysqlwire.ComFieldList:
		return whole && printable(b[5:5+min(h.Len-1, 1)])
	case mysqlwire.ComStmtExecute, mysqlwire.ComStmtBulkExecute:
		return h.Len >= 10 && (whole || len(b) > 500)
	case mysqlwire.ComStmtSendLongData:
		return h.Len >= 7 && (whole || len(b) > 500)
	case mysqlwire.ComStmtClose, mysqlwire.ComStmtReset:
		return h.Len == 5
	case mysqlwire.ComStmtFetch:
		return h.Len == 9
	case mysqlwire.ComSetOption:
		return h.Len == 3
	case mysqlwire.ComChangeUser:
		return whole && h.Len > 3
	}
	return false
}

// isStatement reports whether a command is one with a text, which few other protocols' packets look like.
func isStatement(b []byte) bool {
	c := mysqlwire.Command(b[4])
	return c == mysqlwire.ComQuery || c == mysqlwire.ComStmtPrepare
}

// isText reports whether what follows a command byte is a statement, query attributes put aside.
func isText(b []byte) bool {
	if len(b) > 2 && b[0] < 0x20 && b[1] == 1 {
		return true
	}
	return printable(b[:min(len(b), 8)])
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\n' && c != '\t' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}

// guesswork collects the beginning of what is there of a connection whose login is not in the file, to
// find out what was agreed in it.
type guesswork struct {
	arrivals []arrival
	size     int
	attrs    bool // queries have attributes
}

// arrival is a segment.
type arrival struct {
	dir     mysqlwire.Direction
	ends    [2]uint64 // of both flows behind it
	n       int
	ahead   int
	at      int64
	command bool
}

const (
	guessBytes    = 128 << 10
	guessArrivals = 96
)

func newGuess() *guesswork { return &guesswork{} }

func (g *guesswork) arrive(l *leg, dir mysqlwire.Direction, seg capture.Segment) {
	a := arrival{dir: dir, n: len(seg.Data), ahead: seg.Ahead, at: seg.At, ends: [2]uint64{l.flow[0].end, l.flow[1].end}}
	if dir == mysqlwire.ToServer && isCommand(seg.Data) {
		a.command = true
		g.attrs = g.attrs || mysqlwire.Command(seg.Data[4]) == mysqlwire.ComQuery && len(seg.Data) > 7 && seg.Data[5] < 0x20 && seg.Data[6] == 1
	}
	if len(g.arrivals) == 0 && !a.command {
		return // nothing can be made of it
	}
	g.arrivals = append(g.arrivals, a)
	g.size += a.n
	if g.size >= guessBytes || len(g.arrivals) >= guessArrivals {
		g.decide(l)
	}
}

// gap is told that bytes are missing.
func (g *guesswork) gap(l *leg) {
	if len(g.arrivals) == 0 {
		return
	}
	g.decide(l)
	l.interrupt("bytes of it are not in the capture")
	l.asleep = true
}

// decide chooses the capabilities that explain most, and goes on with them.
func (g *guesswork) decide(l *leg) {
	l.guess = nil
	if len(g.arrivals) == 0 {
		l.asleep = true
		return
	}
	const usual = mysqlwire.LongPassword | mysqlwire.LongFlag | mysqlwire.Protocol41 | mysqlwire.Transactions | mysqlwire.SecureConnection |
		mysqlwire.MultiStatements | mysqlwire.MultiResults | mysqlwire.PSMultiResults | mysqlwire.PluginAuth | mysqlwire.ConnectAttrs
	var extra mysqlwire.Caps
	if g.attrs {
		extra = mysqlwire.QueryAttributes
	}
	best, most := usual, uint64(0)
	for _, caps := range []mysqlwire.Caps{
		usual | mysqlwire.DeprecateEOF | mysqlwire.SessionTrack | extra, usual | extra, usual | mysqlwire.SessionTrack | extra,
		usual&^mysqlwire.LongPassword | mysqlwire.DeprecateEOF | mysqlwire.SessionTrack | mysqlwire.MariaDBCacheMetadata,
	} {
		if n := g.try(l, caps); n > most {
			best, most = caps, n
		}
	}
	l.dec.Agree(best, best&mysqlwire.MariaDBCacheMetadata != 0)
	ends := [2]uint64{l.flow[0].end, l.flow[1].end}
	g.begin(&l.walker)
	for _, a := range g.arrivals {
		l.at = a.at
		l.flow[0].end, l.flow[1].end = a.ends[0], a.ends[1]
		l.walk(a.dir)
	}
	l.flow[0].end, l.flow[1].end = ends[0], ends[1]
}

// begin puts a walker in front of the first command.
func (g *guesswork) begin(w *walker) {
	first := g.arrivals[0]
	w.resume(first.ends, first.n, first.ahead)
}

// try is how many bytes can be explained with these capabilities.
func (g *guesswork) try(l *leg, caps mysqlwire.Caps) uint64 {
	w := &walker{src: l.src, on: deaf{}}
	w.dec.Agree(caps, caps&mysqlwire.MariaDBCacheMetadata != 0)
	for d := range w.flow {
		w.flow[d].segments = l.flow[d].segments
	}
	g.begin(w)
	start := w.flow[0].pos + w.flow[1].pos
	for _, a := range g.arrivals {
		w.flow[0].end, w.flow[1].end = a.ends[0], a.ends[1]
		w.walk(a.dir)
	}
	return w.flow[0].pos + w.flow[1].pos - start
}

// deaf is a watcher that wants nothing.
type deaf struct{}

func (deaf) begins(mysqlwire.Frame, uint64) int { return 0 }
func (deaf) payload(mysqlwire.Frame, []byte)    {}
func (deaf) ends(mysqlwire.Frame)               {}
func (deaf) lost(error)                         {}
