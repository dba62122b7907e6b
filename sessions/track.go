package sessions

import (
	"math"
	"slices"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/compress"
	"mydbg/mysqlwire"
)

// track is a connection while it is indexed, and afterwards.
type track struct {
	id      intercept.ConnID
	n       uint32 // of index.conns
	s       *scan
	ix      *index
	info    Conn
	legs    [2]*leg // the second is nil in other people's captures
	entries []uint32
	// commands are the client's own. skipped were in an earlier file.
	commands []uint32
	skipped  uint64
	ok       mysqlwire.OK

	who   uint32   // of index.identities
	is    identity // that one
	known bool     // who is of is

	loop    intercept.Loop // of the client's statements
	waiting []int          // entries whose command the server has not been seen to get
	latest  int            // entry begun last on the client's leg
	match   match
	said    map[uint64]queryNote // of queries that the proxy sent of its own accord, by number on the server leg
}

// match is the server's part of the exchange under way.
type match struct {
	active bool
	entry  int // client's entry it belongs to
	place  place
	begun  int64
	first  int64
	out    uint64 // bytes of the answer
}

func (t *track) snapshot() Conn {
	c := t.info
	c.ID = t.id
	if l := t.legs[intercept.ClientLeg]; l != nil {
		c.Caps = l.dec.Caps()
		c.Statements = l.dec.OpenStatements()
		if l.dec.User() != "" {
			c.User = l.dec.User()
		}
		c.DB = l.dec.DB()
	}
	c.Exchanges = len(t.entries)
	if len(t.entries) > 0 {
		c.First = intercept.Seq(t.entries[0] + 1)
	}
	return c
}

// identity is who the session is now.
func (t *track) identity(l *leg) uint32 {
	texts := l.dec.Texts()
	is := identity{l.dec.User(), l.dec.DB(), texts.Client, texts.Results}
	if !t.known || is != t.is {
		t.known, t.is = true, is
		t.who = t.s.identity(is)
	}
	return t.who
}

// command begins an exchange.
func (t *track) command(l *leg, f mysqlwire.Frame, at uint64) {
	if l.side == intercept.ServerLeg {
		t.asked(l, f, at)
		return
	}
	t.info.Commands++
	i := t.begin(l, f, at)
	t.latest = i
	t.commands = append(t.commands, uint32(i))
	if t.legs[intercept.ServerLeg] != nil {
		t.waiting = append(t.waiting, i)
	}
	e := &t.ix.entries[i]
	switch in := mysqlwire.Status(t.info.Status).Has(mysqlwire.StatusInTrans); {
	case in && t.info.TxSince.IsZero():
		t.info.TxSince, t.info.TxCommands = time.Unix(0, e.begun), 1
	case in:
		t.info.TxCommands++
	default:
		t.info.TxSince, t.info.TxCommands = time.Time{}, 0
	}
}

// begin lists an exchange of a leg.
func (t *track) begin(l *leg, f mysqlwire.Frame, at uint64) int {
	i := len(t.ix.entries)
	t.ix.entries = append(t.ix.entries, entry{
		begun: l.at, command: at, answer: l.flow[mysqlwire.ToClient].pos, first: noSpan, took: noSpan, sent: noSpan,
		conn: t.n, identity: t.identity(l), cmd: l.dec.Command(), leg: l.n, inTx: t.info.Status.Has(mysqlwire.StatusInTrans),
	})
	if t.legs[intercept.ServerLeg] == nil {
		t.ix.entries[i].sent = 0
	}
	t.entries = append(t.entries, uint32(i))
	l.running = i
	return i
}

// clientDone is told that the client's exchange is over.
func (t *track) clientDone() {
	t.info.Status = t.legs[intercept.ClientLeg].dec.Status()
	i := t.latest
	e := &t.ix.entries[i]
	if t.legs[intercept.ServerLeg] == nil || !e.cmd.Answered() {
		return
	}
	m := &t.match
	switch {
	case !slices.Contains(t.waiting, i):
		if m.entry == i && m.out != uint64(e.out) && t.ix.extraOf(i).server == nil { // another answer than the server's
			p := m.place
			t.ix.extraOf(i).server = &p
			t.derive(e, intercept.MarkScripted)
		}
	case e.state == intercept.Done:
		t.ix.extraOf(i).unsent = true
		t.derive(e, intercept.MarkCrafted)
	}
	t.waiting = slices.DeleteFunc(t.waiting, func(x int) bool { return x <= i })
}

// asked is told of a command that the server got.
func (t *track) asked(l *leg, f mysqlwire.Frame, at uint64) {
	here := place{l.n, at, l.flow[mysqlwire.ToClient].pos}
	note, noted := t.said[l.queries]
	delete(t.said, l.queries)
	for j, i := range t.waiting {
		e := &t.ix.entries[i]
		if noted && !note.Main || e.cmd != l.dec.Command() || !noted && t.length(i) != f.Len {
			continue
		}
		t.matched(i, here, l.at)
		if noted {
			x := t.ix.extraOf(i)
			x.server = &here
		}
		for _, dropped := range t.waiting[:j] {
			if !t.ix.entries[dropped].cmd.Answered() {
				t.ix.extraOf(dropped).unsent = true
			}
		}
		t.waiting = slices.Delete(t.waiting, 0, j+1)
		return
	}
	if n := len(t.waiting); n > 0 && (!noted || note.Main) { // changed on its way
		i := t.waiting[n-1]
		t.matched(i, here, l.at)
		t.ix.extraOf(i).server = &here
		t.derive(&t.ix.entries[i], intercept.MarkEdited)
		t.waiting = t.waiting[:0]
		return
	}
	if t.latest == none || t.s.annotated && !noted { // the client's command is missing
		return
	}
	// Somebody added it.
	i := t.begin(l, f, at)
	e := &t.ix.entries[i]
	e.sent = 0
	e.marks |= intercept.MarkInjected | intercept.MarkHidden
	x := t.ix.extraOf(i)
	x.parent, x.origin = intercept.Seq(t.latest+1), note.origin()
	x.by = note.By
}

// length is the length of the frame that begins an entry's command.
func (t *track) length(i int) int {
	l := t.ix.legs[t.ix.entries[i].leg]
	return mysqlwire.ParseHeader(l.flow[mysqlwire.ToServer].view(l.src, &t.s.scratch, t.ix.entries[i].command, mysqlwire.HeaderLen)).Len
}

func (t *track) matched(i int, p place, at int64) {
	e := &t.ix.entries[i]
	e.sent = newSpan(at - e.begun)
	t.match = match{active: true, entry: i, place: p, begun: at}
}

func (m *match) answered(l *leg, size uint64) {
	m.out += size
	if m.first == 0 {
		m.first = l.at
		if e := &l.t.ix.entries[m.entry]; !e.answered {
			e.answered = true
			e.first = newSpan(l.at - e.begun)
		}
	}
}

func (t *track) serverDone() { t.match.active = false }

// failed gives a leg up.
func (t *track) failed(l *leg, why error) {
	if l.side == intercept.ServerLeg {
		return // the client's leg is what counts
	}
	if l.running != none {
		t.ix.entries[l.running].marks |= intercept.MarkOpaque
		l.interrupt(why.Error())
	}
	t.info.Marks |= Unfollowed
	t.info.Opaque, t.info.Phase = why.Error(), intercept.Relayed
	t.s.note(intercept.Warning, t.id, 0, l.at, "connection %d is not followed from here on: %v", t.id, why)
}

// greeted takes in what the login says.
func (t *track) greeted(l *leg, k mysqlwire.Kind, b []byte) {
	if l.side == intercept.ServerLeg {
		return
	}
	switch k {
	case mysqlwire.KindGreeting:
		m := &mysqlwire.Greeting{}
		if m.Decode(slices.Clone(b), nil) == nil {
			t.info.Greeting = m
			t.info.Server, t.info.Thread, t.info.MariaDB, t.info.Phase = m.ServerVersion(), m.ConnectionID, m.MariaDB(), intercept.LoggingIn
			t.info.AuthPlugin = m.PluginName
		}
	case mysqlwire.KindLogin:
		m := &mysqlwire.Login{}
		if m.Decode(mysqlwire.BlankPayload(mysqlwire.KindLogin, b, nil), nil) != nil {
			return
		}
		t.info.Login = m
		t.info.User, t.info.DB, t.info.Attrs = m.User, m.DB, m.Attrs
		if m.PluginName != "" {
			t.info.AuthPlugin = m.PluginName
		}
	case mysqlwire.KindSSLRequest:
		t.info.Marks |= Encrypted
		t.info.ClientTLS = "TLS"
		t.info.Phase = intercept.Relayed
		t.info.Opaque = "TLS: the capture has no keys"
	case mysqlwire.KindAuthSwitch:
		var m mysqlwire.AuthSwitch
		if m.Decode(b, nil) == nil && m.PluginName != "" {
			t.info.AuthPlugin = m.PluginName
		}
	}
}

// authenticated takes in the end of a login.
func (t *track) authenticated(l *leg, k mysqlwire.Kind, b []byte) {
	if l.side == intercept.ServerLeg || t.info.Phase >= intercept.Ready {
		return
	}
	switch k {
	case mysqlwire.KindOK:
		t.info.Phase = intercept.Ready
		t.info.Status = l.dec.Status()
		var ok mysqlwire.OK
		if ok.Decode(b, l.dec.Context()) == nil {
			if db, changed := ok.Schema(); changed {
				l.dec.SetDB(db)
			}
		}
		if a := compress.Agreed(l.dec.Caps(), compress.Flags); a != compress.None && !t.s.r.ix.recording {
			t.info.Marks |= Compressed
			l.algorithm, l.packed = a, newPacked(a)
		}
	case mysqlwire.KindERR:
		var m mysqlwire.ERR
		if m.Decode(b, &mysqlwire.Context{Caps: mysqlwire.Protocol41}) == nil {
			t.info.Cause = "login failed: " + m.Message
		}
	}
}

// closed takes note of the end of a leg.
func (t *track) closed(l *leg, reset bool, at int64) {
	l.at = at
	l.interrupt("the connection ended before its answer did")
	if l.side == intercept.ServerLeg {
		return
	}
	t.info.Marks &^= Unended
	t.info.Closed, t.info.Phase = time.Unix(0, at), intercept.Closed
	if t.info.Cause == "" {
		t.info.Cause = "closed"
		if reset {
			t.info.Cause = "reset"
		}
	}
}

// told takes in what the packets do not show.
func (t *track) told(n *note) {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&t.info.Client, n.Client},
		{&t.info.Listen, n.Listen},
		{&t.info.Backend, n.Backend},
		{&t.info.ClientTLS, n.ClientTLS},
		{&t.info.ServerTLS, n.ServerTLS},
		{&t.info.AuthPlugin, n.Plugin},
		{&t.info.Cause, n.Cause},
	} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if n.Type == noteContinued {
		if len(t.commands) == 0 {
			t.info.Marks |= LateStart
			t.skipped = n.Command
		}
		for t.skipped+uint64(len(t.commands)) < n.Command && len(t.commands) < 1<<24 { // they were lost
			t.commands = append(t.commands, lostCommand)
		}
	}
	if n.Type == noteOpen && t.info.Opened.IsZero() {
		t.info.Opened = n.At
	}
}

// lostCommand stands for the entry of a command that is not in the file.
const lostCommand = math.MaxUint32

// commandNumber finds the entry of a command of the client, from 1.
func (t *track) commandNumber(command uint64) (i int, ok bool) {
	if command <= t.skipped || command > t.skipped+uint64(len(t.commands)) {
		return 0, false
	}
	i = int(t.commands[command-t.skipped-1])
	return i, i != lostCommand
}

// over takes note of what became of an exchange.
func (t *track) over(n *note) {
	i, ok := t.commandNumber(n.Command)
	if !ok {
		return
	}
	e := &t.ix.entries[i]
	for _, name := range n.Marks {
		e.marks |= markNames[name]
	}
	x := t.ix.extraOf(i)
	x.by, x.note, x.held = n.By, n.Note, n.Held
	const other = intercept.MarkEdited | intercept.MarkScripted | intercept.MarkRule | intercept.MarkCrafted | intercept.MarkHidden
	if e.marks&other != 0 && x.server == nil && !x.unsent && t.match.entry == i && t.match.out > 0 {
		p := t.match.place
		x.server = &p
	}
}

// derive marks an exchange by what its bytes show, where no custom block says more.
func (t *track) derive(e *entry, m intercept.Mark) {
	if !t.s.annotated {
		e.marks |= m
	}
}
