package intercept

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
)

// FileRequest is a server's wish for a file of the client's: the LOCAL INFILE request in the middle
// of an answer. Its Event is one of read_query_result with the request as Packet and no Answer.
type FileRequest struct {
	Name  string // of the file, as the server gives it
	Named bool   // the statement names it: a server can ask for any file in answer to anything
}

// Upload is what has come of an exchange's files so far. It does not change: a newer one takes its
// place in the Exchange.
type Upload struct {
	File    string // that the server asked for last
	Given   string // that the client was asked for in its place; "" when it is File
	Files   int    // asked for in this exchange
	Unnamed bool   // the statement names none of File's name
	Refused string // who refused it in the client's place; "" if nobody did
	Ended   bool   // the client has sent all of it
	Bytes   uint64 // of file contents, of all files
	Packets uint64 // that they came in; none means that the client refused, or that the file is empty
}

// Asked is the name that the client was asked for.
func (u *Upload) Asked() string {
	if u.Given != "" {
		return u.Given
	}
	return u.File
}

// Text is the upload in a line: the file, its size so far and who decided.
func (u *Upload) Text() string {
	text := u.File
	if u.Given != "" {
		text += " (the client was asked for " + u.Given + ")"
	}
	switch {
	case u.Refused != "":
		text += ": refused by " + u.Refused
	case u.Packets == 0 && u.Ended:
		text += ": nothing came, the client refused or the file is empty"
	case u.Packets == 0:
		text += ": asked for"
	default:
		text += fmt.Sprintf(": %d bytes in %d packets", u.Bytes, u.Packets)
		if u.Packets == 1 {
			text = text[:len(text)-1]
		}
		if !u.Ended {
			text += " so far"
		}
	}
	if u.Files > 1 {
		text += fmt.Sprintf(", the last of %d files", u.Files)
	}
	if u.Unnamed {
		text += ". The statement does not name this file"
	}
	return text
}

// uploading is the upload of the running exchange.
type uploading struct {
	Upload
	shown uint64 // bytes that there were when it was published last
	kept  int    // bytes of it that the capture has
}

// uploadKept is how much of a file's beginning the journal keeps.
const uploadKept = 4 << 10

// showUpload publishes the exchange's upload as it stands.
func (s *session) showUpload() {
	u := s.up.Upload
	s.x.Upload, s.up.shown = &u, u.Bytes
	s.publish()
}

// fileData counts a frame of a file that the client sends.
func (s *session) fileData(f mysqlwire.Frame, n int) {
	u := &s.up
	if f.Cont {
		u.Bytes += uint64(n)
		return
	}
	if n == 0 {
		u.Ended = true
		s.showUpload()
		return
	}
	u.Bytes += uint64(n)
	u.Packets++
	if room := uploadKept - u.kept; room > 0 {
		u.kept += min(n, room)
		s.kept.head(stageUpload, f.Kind, n, room)
	}
}

// fileRequest puts the server's wish for a file before the hooks and has the client asked. An injected
// query that the client knows nothing of gets an empty file.
func (s *session) fileRequest(ctx context.Context, in *incoming) error {
	n := &s.now
	next := in.frame.Seq + 1
	if n.mode == discarded || !n.query.Show || s.unawaited() != nil {
		return s.emptyFile(next)
	}
	if n.mode == collected { // from here on anew: what came before cannot be taken back
		if err := s.deliver(&mysqlwire.Answer{Packets: n.answer.Packets, Partial: true}); err != nil {
			return err
		}
		n.answer.Packets, n.size, s.shown = nil, 0, false
	} else {
		s.seq = in.frame.Seq + n.shift
	}
	payload := slices.Clone(in.body)
	s.asksFor(string(payload[1:]))
	v, ok, err := s.askForFile(ctx, payload)
	if err != nil || !ok {
		return first(err, context.Cause(ctx))
	}
	s.final.CloseAfter = s.final.CloseAfter || v.CloseAfter
	if v.By != "" {
		s.final.By = v.By
	}
	switch v.Action {
	case Close:
		s.x.Note = "connection closed by " + v.By
		return errClosed
	case Hang:
		s.x.Note, s.hung = "left without an answer by "+v.By, true
		s.conn.busy.Store(false)
		n.mode = discarded
		s.publish()
		return nil
	case Reply:
		s.x.Marks |= MarkCrafted
		s.reply, n.mode = v.Answer, discarded
		s.up.Refused, s.up.Ended = s.final.By, true
		s.showUpload()
		return s.emptyFile(next)
	}
	if v.Packet != nil {
		payload = v.Packet
		s.up.Given = string(payload[1:])
	}
	s.showUpload()
	s.watchProgress()
	if s.seq, err = s.client.queuePacket(payload, s.seq); err != nil {
		return s.left(s.client, err)
	}
	s.x.BytesOut += uint64(mysqlwire.HeaderLen + len(payload))
	n.shift = s.seq - next
	return s.client.flush()
}

// asksFor notes which file is wanted, and whether that is what the statement says.
func (s *session) asksFor(name string) {
	u := &s.up
	u.File, u.Given, u.Refused, u.Ended, u.Unnamed = name, "", "", false, false
	u.Files++
	k, command, whole := s.kept.command()
	sql := s.dec.SQL(k, command)
	if st := s.dec.Stmt(s.x.StmtID); sql == "" && st != nil {
		sql, whole = st.SQL, !st.Cut
	}
	if whole && !sqltext.NamesFile(sql, name) {
		u.Unnamed = true
		s.x.Marks |= MarkUnnamedFile
		s.note(Warning, "#%d: the server %s asks the client for the file %q, which the statement does not name. "+
			"A server that cannot be trusted can read the client's files like this", s.x.Seq, s.conn.Info().Backend, name)
	}
	s.showUpload()
}

// askForFile asks the hooks about a request.
func (s *session) askForFile(ctx context.Context, payload []byte) (v Verdict, ok bool, err error) {
	n := &s.now
	ev := s.event(rule.ReadQueryResult)
	ev.Dir, ev.Kind, ev.Packet, ev.PacketLen = mysqlwire.ToClient, mysqlwire.KindLocalInfile, payload, len(payload)
	ev.File = &FileRequest{Name: s.up.File, Named: !s.up.Unnamed}
	ev.Query, ev.Timing, ev.Counts = n.query, n.timing, n.counts
	if ev.Query.Packet == nil {
		_, command, _ := s.kept.command()
		ev.Query.Packet = slices.Clone(command)
	}
	ev.Context = s.resultContext()
	ev.SQL = s.dec.SQL(n.cmd.Kind(), ev.Query.Packet)
	ev.Stmt = s.statement(stmtID(ev.Query.Packet))
	ev.asked = slices.Clone(s.asked)
	if err := first(s.client.flush(), s.server.flush()); err != nil {
		return v, false, err
	}
	if v, ok = s.ask(ctx, ev, s.server); !ok {
		return v, false, nil
	}
	if err := Check(ev, &v); err != nil {
		s.note(Error, "%s: %v. The server's request for %q went on unchanged.", v.By, err, s.up.File)
		v = Verdict{}
	}
	return v, true, nil
}

// emptyFile tells the server in the client's place that there is no file.
func (s *session) emptyFile(seq uint8) error {
	if _, err := s.dec.Next(mysqlwire.ToServer, mysqlwire.Header{Seq: seq}, nil); err != nil {
		return s.lost(err)
	}
	if _, err := s.server.queuePacket(nil, seq); err != nil {
		return s.left(s.server, err)
	}
	return s.server.flush()
}

// RefuseFile is the verdict that refuses a file request: the server is told that there is no file and
// goes on, the client gets the error that a server gives which is not allowed to ask.
func RefuseFile(ev *Event) Verdict {
	info := ev.Conn.Info()
	// What the lines of servers say where local_infile is off.
	code, text := uint16(3948), "Loading local data is disabled; this must be enabled on both the client and server sides"
	switch {
	case info.MariaDB:
		code, text = 4166, "The used command is not allowed because the MariaDB server or client has disabled the local infile capability"
	case len(info.Server) > 1 && info.Server[:2] == "5.":
		code, text = 1148, "The used command is not allowed with this MySQL version"
	}
	return Verdict{Action: Reply, Answer: mysqlwire.ERRAnswer(code, "42000", text), By: "you", Why: "the file is refused"}
}

// AskForFile is the verdict that has the client asked for another file.
func AskForFile(name string) Verdict {
	b, _ := (&mysqlwire.LocalInfile{Name: name}).Encode(nil, nil) // any name can be encoded
	return Verdict{Action: Forward, Packet: b}
}

// checkFile checks a verdict on a file request.
func checkFile(ev *Event, v *Verdict) error {
	switch {
	case v.Queries != nil:
		return fmt.Errorf("no queries can be sent while the server waits for the file %q", ev.File.Name)
	case v.Action == Drop:
		return fmt.Errorf("the server waits for the file %q: refuse it with an error, or give another name", ev.File.Name)
	case v.Answer != nil && v.Action != Reply:
		return fmt.Errorf("there is no answer to edit yet: the server has asked for the file %q. Reply, or give another name", ev.File.Name)
	case v.Answer != nil:
		return checkAnswer(ev, v.Answer)
	case v.Packet == nil:
		return nil
	case len(v.Packet) < 2 || v.Packet[0] != 0xfb:
		return errors.New("a request for a file is the byte 0xfb and a name")
	case len(v.Packet) > maxFileName:
		return fmt.Errorf("a file name of %d bytes: at most %d make sense", len(v.Packet)-1, maxFileName)
	}
	return nil
}

// maxFileName is longer than the names any system takes.
const maxFileName = 32 << 10
