package intercept

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// Check refuses a verdict that the protocol cannot express at ev, with the reason.
func Check(ev *Event, v *Verdict) error {
	if v.Action == Hold {
		return errors.New("a verdict cannot hold")
	}
	if v.Answer != nil && len(v.Answer.Packets) == 0 {
		return errors.New("an answer without packets would leave the client waiting: choose hang if that is wanted")
	}
	if v.Action == Reply && v.Answer == nil {
		return errors.New("a reply needs an answer")
	}
	if v.Action == Drop && ev.Point != rule.ReadQueryResult {
		return fmt.Errorf("only an answer can be dropped, and there is none at %s", ev.Point)
	}
	switch ev.Point {
	case rule.ReadQuery:
		return checkCommand(ev, v)
	case rule.ReadQueryResult:
		if ev.File != nil {
			return checkFile(ev, v)
		}
		return checkResult(ev, v)
	case rule.Disconnect:
		if v.Touches() {
			return errors.New("nothing can be changed at disconnect any more")
		}
	default:
		if v.Queries != nil {
			return fmt.Errorf("no queries can be sent at %s: the login is not over", ev.Point)
		}
		if v.Packet != nil && v.Action == Forward {
			return checkPacket(ev, v.Packet)
		}
	}
	return nil
}

func checkPacket(ev *Event, packet []byte) error {
	if len(packet) >= mysqlwire.MaxFrame {
		return errors.New("the packet is too long for a login")
	}
	if ev.Kind == mysqlwire.KindGreeting || ev.Kind == mysqlwire.KindLogin {
		if _, err := mysqlwire.Decode(ev.Kind, packet, ev.Context); err != nil {
			return fmt.Errorf("the edited packet: %w", err)
		}
	}
	return nil
}

func checkCommand(ev *Event, v *Verdict) error {
	answered := ev.Command().Answered()
	if v.Action == Reply && !answered {
		return fmt.Errorf("%s has no answer: the client would take one for that of its next command", ev.Command())
	}
	if v.Action == Reply {
		if err := checkAnswer(ev, v.Answer); err != nil {
			return err
		}
	}
	if v.Queries == nil {
		return nil
	}
	shown := 0
	for i, q := range v.Queries {
		if err := checkQuery(ev, &q, v.Queries[:i]); err != nil {
			return fmt.Errorf("query %d of %d: %w", i+1, len(v.Queries), err)
		}
		if q.Show {
			shown++
		}
	}
	if v.Action != Reply && answered && shown == 0 && (len(v.Queries) == 0 || v.Queries[0].owner == nil) {
		return errors.New("no query of the plan has an answer for the client: show one, or reply")
	}
	return nil
}

// checkQuery checks one query of a plan; before are those ahead of it. What scripts queue is theirs
// to answer for.
func checkQuery(ev *Event, q *Query, before []Query) error {
	if q.owner != nil {
		return nil
	}
	if len(q.Packet) == 0 {
		return errors.New("an empty command cannot be sent")
	}
	if !ev.Whole() && len(q.Packet) == len(ev.Packet) && bytes.Equal(q.Packet, ev.Packet) {
		return fmt.Errorf("only the first %d bytes of the command are here, the rest streams: it can be released as it is, or answered, or others be sent in its place",
			len(ev.Packet))
	}
	cmd := q.command()
	switch {
	case q.Show && cmd.Answered() != ev.Command().Answered():
		return fmt.Errorf("%s cannot take the place of %s: only one of them has an answer", cmd, ev.Command())
	case q.Show && !alike(cmd, ev.Command()):
		return fmt.Errorf("the client cannot read the answer to %s as one to %s", cmd, ev.Command())
	case cmd == mysqlwire.ComChangeUser && ev.Command() != cmd, cmd == mysqlwire.ComBinlogDump && ev.Command() != cmd:
		return fmt.Errorf("%s cannot be injected", cmd)
	}
	if q.Join {
		if !ev.Conn.Info().Caps.Has(mysqlwire.MultiResults) {
			return errors.New("the client did not agree to several results for one command (MULTI_RESULTS)")
		}
		for _, b := range before {
			if b.Show {
				return nil
			}
		}
		return errors.New("there is no shown answer before it to join")
	}
	for _, b := range before {
		if q.Show && b.Show {
			return errors.New("the client gets one answer: hide one of the queries, or join it as a further result")
		}
	}
	return nil
}

// alike reports whether a client that sent want can read the answer to cmd.
func alike(cmd, want mysqlwire.Command) bool {
	if cmd == want {
		return true
	}
	switch cmd { // those answered by OK or ERR fit where any of these is expected
	case mysqlwire.ComPing, mysqlwire.ComInitDB, mysqlwire.ComResetConnection, mysqlwire.ComQuery, mysqlwire.ComStmtReset:
	default:
		return false
	}
	switch want {
	case mysqlwire.ComQuery:
		return true
	case mysqlwire.ComStmtExecute:
		return cmd != mysqlwire.ComQuery // whose rows would be text
	case mysqlwire.ComPing, mysqlwire.ComInitDB, mysqlwire.ComResetConnection, mysqlwire.ComStmtReset:
		return cmd != mysqlwire.ComQuery
	}
	return false
}

func checkResult(ev *Event, v *Verdict) error {
	if v.Answer != nil && ev.Answer == nil {
		return errors.New("the answer has gone to the client already")
	}
	if v.Answer != nil && v.Action != Reply && ev.Answer.Partial {
		return checkHead(ev, v.Answer)
	}
	if v.Answer != nil {
		if err := checkAnswer(ev, v.Answer); err != nil {
			return err
		}
	}
	if v.Action == Drop && ev.Query.owner == nil && ev.Query.Show && !showsLater(v.Queries) {
		return errors.New("the client waits for this answer: a dropped one would leave it waiting. Reply or hang instead")
	}
	for i, q := range v.Queries {
		if err := checkQuery(ev, &q, nil); err != nil {
			return fmt.Errorf("query %d of %d: %w", i+1, len(v.Queries), err)
		}
	}
	return nil
}

func showsLater(queries []Query) bool {
	for _, q := range queries {
		if q.Show {
			return true
		}
	}
	return false
}

// checkAnswer follows an answer as the client will: it has to end where it ends.
func checkAnswer(ev *Event, a *mysqlwire.Answer) error {
	if len(ev.asked) == 0 || ev.Context == nil {
		return nil // an event that no session made
	}
	ended, err := ev.follow(&mysqlwire.Tracker{}, a)
	if err == nil && !ended {
		err = fmt.Errorf("the answer to %s is not complete: the client would wait for more", mysqlwire.Command(ev.asked[0]))
	}
	return err
}

// checkHead follows the edited beginning of an answer of which the rest streams: it has to stop where the
// server's own beginning does, with the same columns.
func checkHead(ev *Event, head *mysqlwire.Answer) error {
	if len(ev.asked) == 0 || ev.Context == nil {
		return nil // an event that no session made
	}
	var edited, own mysqlwire.Tracker
	ended, err := ev.follow(&edited, head)
	if err != nil {
		return err
	}
	if _, err := ev.follow(&own, ev.Answer); err != nil {
		return err
	}
	const instead = "the rest of this answer follows from the server, and the client could not read it behind this. Reply with another answer instead"
	if ended || !edited.WaitsLike(&own) {
		return errors.New(instead)
	}
	was, is := lastColumns(ev.Answer, ev.Context), lastColumns(head, ev.Context)
	if !slices.EqualFunc(was, is, func(a, b mysqlwire.Column) bool { return a.Type == b.Type && a.Unsigned() == b.Unsigned() }) {
		return fmt.Errorf("the columns differ from those of the rows to come: %s", instead)
	}
	return nil
}

// lastColumns are the columns of the last result that an answer begins.
func lastColumns(a *mysqlwire.Answer, cx *mysqlwire.Context) []mysqlwire.Column {
	var list []mysqlwire.Column
	for _, p := range a.Packets {
		switch p.Kind {
		case mysqlwire.KindColumnCount:
			list = nil
		case mysqlwire.KindColumn:
			var c mysqlwire.Column
			if c.Decode(p.Payload, cx) == nil {
				list = append(list, c)
			}
		}
	}
	return list
}

// follow has t follow an answer as the event's client will, and reports whether it ended.
func (ev *Event) follow(t *mysqlwire.Tracker, a *mysqlwire.Answer) (ended bool, err error) {
	t.Agree(ev.Context.Caps, ev.Context.MariaDB)
	t.Ready()
	if _, err := t.Next(mysqlwire.ToServer, mysqlwire.Header{Len: len(ev.asked)}, ev.asked); err != nil {
		return false, err
	}
	cmd := mysqlwire.Command(ev.asked[0])
	seq := uint8(1)
	for i, p := range a.Packets {
		for rest := p.Payload; ; seq++ {
			if ended {
				return true, fmt.Errorf("the answer to %s ends before its packet %d", cmd, i+1)
			}
			n := min(len(rest), mysqlwire.MaxFrame)
			f, err := t.Next(mysqlwire.ToClient, mysqlwire.Header{Len: n, Seq: seq}, rest[:min(n, mysqlwire.HeadLen)])
			if err != nil {
				return false, fmt.Errorf("the client cannot read this as an answer to %s: packet %d: %w", cmd, i+1, err)
			}
			if p.Kind.IsRow() && f.Kind.IsRow() && p.Kind != f.Kind {
				return false, fmt.Errorf("the answer to %s has %ss where the client reads %ss", cmd, p.Kind, f.Kind)
			}
			ended, rest = f.Ends, rest[n:]
			if !f.More {
				seq++
				break
			}
		}
	}
	return ended, nil
}
