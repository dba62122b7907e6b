package intercepttest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// Conversation plays a text archive against a session in memory, with time of its own. Its files:
//
//	breakpoints   rules, one a line
//	caps          capabilities by name; a - in front takes one away; mariadb makes the server one
//	conversation  who says what, in order
//	journal       lines "COMMAND STATE ROWS MARKS NOTE", at the end, if it is given
//
// C and S say something, C> and S> must hear it, ! is the person. Packets are words:
//
//	query "SQL"      prepare "SQL"        execute ID         close ID        fetch ID N      long ID "DATA"
//	init_db "NAME"   ping  quit  reset    statistics
//	ok [more]        err CODE "TEXT"      eof [more|cursor]  end [more]      columns N       column NAME
//	row "A" "B"      prepared ID C P      infile "FILE"      data "BYTES"    text "TEXT"     hex 00ff
//
// eof is EOF or, where DEPRECATE_EOF is agreed, nothing; end is what ends rows under either. hex is any
// payload. Beyond packets: raw HEX is bytes without a header, seq N sets the next number, leaves
// closes, and "C> closed" waits for that. A person says: release, err CODE, ok, close, hang, edit "SQL",
// file "NAME", refuse, before "SQL", after "SQL", join "SQL", and wait DURATION lets time pass.
func Conversation(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { converse(t, txtar.Parse(text)) })
}

// talk is a conversation under way.
type talk struct {
	*Ends
	t    *testing.T
	caps mysqlwire.Caps
}

func converse(t *testing.T, a *txtar.Archive) {
	t.Helper()
	files := map[string]string{}
	for _, f := range a.Files {
		files[f.Name] = string(f.Data)
	}
	caps, mariadb := ClientCaps, false
	for w := range strings.FieldsSeq(files["caps"]) {
		name, off := strings.CutPrefix(w, "-")
		switch bit := capability(name); {
		case w == "mariadb":
			mariadb = true
		case bit == 0:
			t.Fatalf("no capability %q", w)
		case off:
			caps &^= bit
		default:
			caps |= bit
		}
	}
	c := &talk{Ends: NewEnds(t, intercept.Options{}, caps, mariadb), t: t, caps: caps}
	c.Client.listen()
	c.Server.listen()
	for line := range strings.Lines(files["breakpoints"]) {
		if line = strings.TrimSpace(line); line != "" {
			if _, err := c.Proxy.Breakpoints.Add(line); err != nil {
				t.Fatal(err)
			}
		}
	}
	n := 0
	for line := range strings.Lines(files["conversation"]) {
		n++
		words, err := split(line)
		if err == nil && len(words) > 0 {
			err = c.line(words[0], words[1:])
		}
		if err != nil {
			t.Errorf("line %d, %s: %v", n, strings.TrimSpace(line), err)
			break
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if want, ok := files["journal"]; ok {
		if got := c.journal(); got != want {
			t.Errorf("the journal has\n%swant\n%s", got, want)
		}
	}
}

func capability(name string) mysqlwire.Caps {
	for i := range 64 {
		if bit := mysqlwire.Caps(1) << i; bit.String() == name {
			return bit
		}
	}
	return 0
}

func (c *talk) line(who string, words []string) error {
	switch who {
	case "C":
		return c.say(c.Client, words)
	case "S":
		return c.say(c.Server, words)
	case "C>":
		return c.hear(c.Client, words)
	case "S>":
		return c.hear(c.Server, words)
	case "!":
		return c.person(words)
	}
	if strings.HasPrefix(who, "#") {
		return nil
	}
	return fmt.Errorf("who is %s?", who)
}

func (c *talk) say(e *End, words []string) error {
	switch words[0] {
	case "leaves":
		return e.Conn.Close()
	case "seq":
		n, err := strconv.ParseUint(words[1], 10, 8)
		e.Seq = uint8(n)
		return err
	case "raw":
		b, err := hex.DecodeString(words[1])
		if err != nil {
			return err
		}
		return e.Write(b)
	}
	p, command, err := c.packet(words)
	if err != nil || p == nil {
		return err
	}
	if command {
		e.Seq = 0
	}
	return e.Send(p)
}

func (c *talk) hear(e *End, words []string) error {
	if words[0] == "closed" {
		if b, err := e.next(1); !errors.Is(err, io.EOF) {
			return fmt.Errorf("got %q, %w", b, err)
		}
		return nil
	}
	if words[0] == "raw" {
		want, err := hex.DecodeString(words[1])
		if err != nil {
			return err
		}
		if got, err := e.next(len(want)); err != nil || string(got) != string(want) {
			return fmt.Errorf("got %q, %w, want %q", got, err, want)
		}
		return nil
	}
	if words[0] == "nothing" {
		synctest.Wait()
		if len(e.rest)+len(e.in) > 0 {
			return errors.New("got something")
		}
		return nil
	}
	want, command, err := c.packet(words)
	if err != nil || want == nil {
		return err
	}
	if command {
		e.Seq = 0
	}
	got, err := e.Receive()
	if err != nil {
		return fmt.Errorf("got %q: %w", got, err)
	}
	if string(got) != string(want) {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	return nil
}

// person resolves what is held.
func (c *talk) person(words []string) error {
	if words[0] == "wait" {
		d, err := time.ParseDuration(words[1])
		time.Sleep(d) // of the bubble's time
		return err
	}
	synctest.Wait()
	held := c.Proxy.Gate.Pending()
	if len(held) == 0 {
		return errors.New("nothing is held")
	}
	h := held[0]
	text := func() intercept.Query {
		q := intercept.QueryText(words[1], intercept.FromPerson)
		q.Need = false
		return q
	}
	v := intercept.Verdict{Action: intercept.Forward}
	var err error
	switch words[0] {
	case "release":
		v.Action = intercept.Pass
	case "err":
		n, convErr := strconv.ParseUint(words[1], 10, 16)
		v.Action, v.Answer, err = intercept.Reply, mysqlwire.ERRAnswer(uint16(n), "", ""), convErr
	case "ok":
		v.Action, v.Answer = intercept.Reply, mysqlwire.OKAnswer(0, 0, mysqlwire.StatusAutocommit, 0, "")
	case "close":
		v.Action = intercept.Close
	case "hang":
		v.Action = intercept.Hang
	case "edit":
		v.Queries, err = intercept.Rewrite(h.Event, words[1], intercept.FromPerson)
	case "file":
		v = intercept.AskForFile(words[1])
	case "refuse":
		v = intercept.RefuseFile(h.Event)
	case "before":
		v.Queries = []intercept.Query{text(), {Packet: h.Packet, Show: true}}
	case "after":
		v.Queries = []intercept.Query{text()}
		if h.Point == rule.ReadQuery {
			v.Queries = []intercept.Query{{Packet: h.Packet, Show: true}, text()}
		}
	case "join":
		q := text()
		q.Show, q.Join = true, true
		v.Queries = []intercept.Query{{Packet: h.Packet, Show: true}, q}
	default:
		err = fmt.Errorf("what is %s?", words[0])
	}
	if err != nil {
		return err
	}
	return c.Proxy.Gate.Resolve(h.ID, v)
}

// packet makes a payload of words; nil where the capabilities have none.
func (c *talk) packet(w []string) (payload []byte, command bool, err error) {
	defer func() {
		if recover() != nil { // too few words
			err = fmt.Errorf("%s needs more", w[0])
		}
	}()
	num := func(i int) uint64 {
		n, convErr := strconv.ParseUint(w[i], 10, 32)
		if convErr != nil && err == nil {
			err = convErr
		}
		return n
	}
	cx := &mysqlwire.Context{Caps: c.caps, ParamsKnown: true}
	status := mysqlwire.StatusAutocommit
	for _, flag := range w[1:] {
		switch flag {
		case "more":
			status |= mysqlwire.StatusMoreResultsExists
		case "cursor":
			status |= mysqlwire.StatusCursorExists
		}
	}
	var m mysqlwire.Message
	switch w[0] {
	case "query":
		m, command = &mysqlwire.Query{SQL: w[1]}, true
	case "prepare":
		m, command = &mysqlwire.StmtPrepare{SQL: w[1]}, true
	case "execute":
		m, command = &mysqlwire.StmtExecute{StmtID: uint32(num(1)), Iterations: 1}, true
	case "close":
		m, command = &mysqlwire.StmtClose{StmtID: uint32(num(1))}, true
	case "fetch":
		m, command = &mysqlwire.StmtFetch{StmtID: uint32(num(1)), Rows: uint32(num(2))}, true
	case "long":
		m, command = &mysqlwire.StmtSendLongData{StmtID: uint32(num(1)), Data: []byte(w[2])}, true
	case "init_db":
		return append([]byte{byte(mysqlwire.ComInitDB)}, w[1]...), true, nil
	case "ping":
		return []byte{byte(mysqlwire.ComPing)}, true, nil
	case "quit":
		return []byte{byte(mysqlwire.ComQuit)}, true, nil
	case "reset":
		return []byte{byte(mysqlwire.ComResetConnection)}, true, nil
	case "statistics":
		return []byte{byte(mysqlwire.ComStatistics)}, true, nil
	case "ok":
		return mysqlwire.OKAnswer(0, 0, status, 0, "").Packets[0].Payload, false, nil
	case "err":
		text := ""
		if len(w) > 2 {
			text = w[2]
		}
		return mysqlwire.ERRAnswer(uint16(num(1)), "", text).Packets[0].Payload, false, err
	case "eof":
		if c.caps.Has(mysqlwire.DeprecateEOF) {
			return nil, false, nil
		}
		m = &mysqlwire.EOF{Status: status}
	case "end":
		m = &mysqlwire.EOF{Status: status}
		if c.caps.Has(mysqlwire.DeprecateEOF) {
			return []byte{0xfe, 0, 0, byte(status), byte(status >> 8), 0, 0}, false, nil
		}
	case "columns":
		m = &mysqlwire.ColumnCount{Count: num(1), Metadata: 1}
	case "column":
		column := mysqlwire.TextColumn(w[1])
		column.Type = value.VarString
		m = &column
	case "row":
		for _, cell := range w[1:] {
			payload = mysqlwire.AppendLenencString(payload, cell)
		}
		return payload, false, nil
	case "prepared":
		m = &mysqlwire.PrepareOK{StmtID: uint32(num(1)), Columns: uint16(num(2)), Params: uint16(num(3)), Metadata: 1}
	case "infile":
		return append([]byte{0xfb}, w[1]...), false, nil
	case "data", "text":
		return []byte(w[1]), false, nil
	case "hex":
		payload, err = hex.DecodeString(strings.Join(w[1:], ""))
		return payload, false, err
	default:
		return nil, false, fmt.Errorf("what is %s?", w[0])
	}
	if err != nil {
		return nil, command, err
	}
	payload, err = m.Encode(nil, cx)
	return payload, command, err
}

// journal is what the session did, in short.
func (c *talk) journal() string {
	list, _ := c.Proxy.Journal.Since(0, nil)
	lines := make([]string, len(list)+1)
	for _, x := range list {
		what := []string{x.Name(), strings.ReplaceAll(x.State.String(), " ", "-"), strconv.FormatUint(x.Rows, 10)}
		for i, name := range markNames {
			if x.Marks>>i&1 != 0 {
				what = append(what, name)
			}
		}
		if x.Error != nil {
			what = append(what, fmt.Sprintf("err=%d", x.Error.Code))
		}
		lines[x.Seq] = strings.Join(what, " ") + "\n"
	}
	return strings.Join(lines, "")
}

var markNames = []string{"paused", "edited", "injected", "crafted", "scripted", "rule", "partial", "hidden", "marked", "opaque", "unasked", "unnamed-file"}

// split takes a line apart into words; words in quotes are Go strings.
func split(line string) ([]string, error) {
	var words []string
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimSpace(rest) {
		if rest[0] != '"' {
			word, after, _ := strings.Cut(rest, " ")
			words, rest = append(words, word), after
			continue
		}
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil, err
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, err
		}
		words, rest = append(words, word), rest[len(quoted):]
	}
	return words, nil
}
