package edit

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/hexview"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// packet edits the bytes of a payload and decodes them after each key.
type packet struct {
	env   Env
	held  intercept.Held
	draft *intercept.Verdict
	base  intercept.Verdict
	plan  plan // of a command
	hex   *hexview.View
	history[packetState]

	fields  []field // what the bytes mean now
	decoded error
	err     error // why it cannot be sent
}

type packetState struct {
	bytes  []byte
	cursor int
}

// field is a field of the packet in one line.
type field struct {
	off, n int
	text   string
}

func newPacket(h intercept.Held, draft *intercept.Verdict, env Env) (Editor, error) {
	switch {
	case h.Packet == nil:
		return nil, fmt.Errorf("there is no packet at %s: it can be answered", h.Point)
	case !h.Whole():
		return nil, fmt.Errorf("only the first %d of %d bytes were kept, so it cannot be edited", len(h.Packet), h.PacketLen)
	}
	e := &packet{env: env, held: h, draft: draft, base: begin(h.Event, draft), hex: hexview.New(env.Theme)}
	e.hex.SetBytes(h.Packet)
	e.hex.SetEditing(true)
	e.hex.SetFocused(true)
	if h.Point == rule.ReadQuery {
		e.plan = planOf(h.Event, &e.base)
		if q := e.plan.main(); len(e.plan.self) == 1 && q.Show == h.Command().Answered() {
			e.restore(packetState{bytes: q.Packet})
		}
	} else if e.base.Packet != nil {
		e.restore(packetState{bytes: e.base.Packet})
	}
	e.check()
	return e, nil
}

func (e *packet) Title() string {
	what := e.held.Kind.String()
	if e.held.Point == rule.ReadQuery {
		what = e.held.Command().String()
	}
	return fmt.Sprintf("Edit %s: bytes of %s", name(e.held.Event), what)
}

func (e *packet) Busy() bool { return false }

func (e *packet) state() packetState {
	return packetState{bytes.Clone(e.hex.Bytes()), e.hex.Cursor()}
}

// restore puts bytes in place. Where the length is the packet's own, what differs from it stays marked.
func (e *packet) restore(s packetState) {
	if len(s.bytes) == len(e.held.Packet) {
		e.hex.SetBytes(e.held.Packet)
	} else {
		e.hex.SetBytes(s.bytes)
	}
	e.hex.SetEditing(true)
	const digits = "0123456789abcdef"
	if len(s.bytes) == len(e.held.Packet) {
		for i, b := range s.bytes {
			if b != e.held.Packet[i] {
				e.hex.MoveTo(i)
				e.hex.TypeNibble(rune(digits[b>>4]))
				e.hex.TypeNibble(rune(digits[b&15]))
			}
		}
	}
	e.hex.MoveTo(s.cursor)
}

func (e *packet) Update(msg tea.Msg) tea.Cmd {
	k, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	switch e.env.action(keymap.InEditor, k) {
	case keymap.EditUndo:
		if s, ok := e.undo(e.state()); ok {
			e.restore(s)
			e.check()
		}
		return nil
	case keymap.EditRedo:
		if s, ok := e.redo(e.state()); ok {
			e.restore(s)
			e.check()
		}
		return nil
	case keymap.NextField:
		e.toField(1)
		return nil
	case keymap.PrevField:
		e.toField(-1)
		return nil
	}
	switch k.String() {
	case "left":
		e.hex.Move(-1)
	case "right":
		e.hex.Move(1)
	case "up":
		e.hex.MoveRows(-1)
	case "down":
		e.hex.MoveRows(1)
	case "pgup":
		e.hex.Page(-1)
	case "pgdown":
		e.hex.Page(1)
	case "home":
		e.hex.Home()
	case "end":
		e.hex.End()
	default:
		if k.Type != tea.KeyRunes {
			break
		}
		was := e.state()
		edited := false
		for _, r := range k.Runes {
			edited = e.hex.TypeNibble(r) || edited
		}
		if edited && !bytes.Equal(was.bytes, e.hex.Bytes()) {
			e.did(was, "")
			e.check()
		}
	}
	return nil
}

// toField moves to the next field of the packet, or the one before.
func (e *packet) toField(by int) {
	at := e.field()
	if at += by; at >= 0 && at < len(e.fields) {
		e.hex.MoveTo(e.fields[at].off)
	}
}

// field is the field under the cursor, -1 if there is none.
func (e *packet) field() int {
	for i := len(e.fields) - 1; i >= 0; i-- {
		if f := e.fields[i]; e.hex.Cursor() >= f.off && e.hex.Cursor() < f.off+max(f.n, 1) {
			return i
		}
	}
	return -1
}

// check decodes what was typed.
func (e *packet) check() {
	kind := e.held.Kind
	if e.held.Point == rule.ReadQuery && len(e.hex.Bytes()) > 0 {
		kind = mysqlwire.Command(e.hex.Bytes()[0]).Kind()
	}
	var tree []mysqlwire.Field
	tree, e.decoded = mysqlwire.Dissect(kind, e.hex.Bytes(), e.held.Context)
	e.fields = leaves(nil, "", tree)
	_, e.err = e.Verdict()
}

// leaves are the fields without the groups around them.
func leaves(list []field, path string, tree []mysqlwire.Field) []field {
	for _, f := range tree {
		name := path + f.Name
		if len(f.Children) > 0 {
			list = leaves(list, name+".", f.Children)
			continue
		}
		list = append(list, field{f.Off, f.Len, name + "  " + f.Value})
	}
	return list
}

func (e *packet) Verdict() (intercept.Verdict, error) {
	if !e.Touched() {
		return kept(e.draft), nil
	}
	b := bytes.Clone(e.hex.Bytes())
	same := bytes.Equal(b, e.held.Packet)
	if e.held.Point == rule.ReadQuery {
		self := []intercept.Query{{Packet: b, Origin: intercept.FromPerson, Show: e.held.Command().Answered()}}
		if same {
			self[0].Packet, self[0].Origin = e.held.Packet, intercept.FromClient
		}
		if same && !self[0].Show && e.plan.plain() {
			v := e.base
			v.Action, v.Answer, v.Queries = intercept.Pass, nil, nil
			return v, nil
		}
		if len(b) == 0 {
			return intercept.Verdict{}, errors.New("an empty command cannot be sent")
		}
		return e.plan.verdict(e.held.Event, &e.base, self)
	}
	v := e.base
	v.Action, v.Answer, v.Packet = intercept.Pass, nil, nil
	if !same || e.held.SoFar.Touches() {
		v.Action, v.Packet = intercept.Forward, b
	}
	return v, intercept.Check(e.held.Event, &v)
}

var packetHints = []keymap.ID{keymap.Apply, keymap.Draft, keymap.NextField, keymap.EditUndo, keymap.External, keymap.Close}

func (e *packet) View(w, h int) string {
	iw, ih := theme.Inner(w, h)
	tail := e.env.verdictLine(e.err, fmt.Sprintf("%d bytes", len(e.hex.Bytes())), iw)
	if e.err == nil && e.decoded != nil {
		tail = e.env.note("decodes not", e.decoded.Error(), iw)
	}
	here := e.field()
	under := ""
	if here >= 0 {
		under = e.fields[here].text
	}
	tail = append([]string{e.env.label("field", false) + e.env.Theme.Field.Render(safe.Cut(under, max(iw-indent, 0)))}, tail...)

	room := max(ih-1-len(tail), 1)
	perRow := 16
	if iw < 75 {
		perRow = 8
	}
	hexLines := min(max((len(e.hex.Bytes())+perRow-1)/perRow, 1), max(room/2, 1))
	v := *e.hex // sized for this drawing alone
	v.SetSize(iw, hexLines)
	body := strings.Split(v.View(), "\n")
	list := room - len(body) - 1
	if list > 0 {
		body = append(body, "")
		top := min(max(here-list/2, 0), max(len(e.fields)-list, 0))
		for i := top; i < len(e.fields) && i < top+list; i++ {
			line := safe.Cut(e.fields[i].text, max(iw-2, 0))
			if i == here {
				body = append(body, e.env.Theme.Strong.Render(e.env.Theme.Pointer()+" "+line))
			} else {
				body = append(body, e.env.Theme.Text.Render("  "+line))
			}
		}
		for len(body) < room {
			body = append(body, "")
		}
	}
	return e.env.frame(e.Title(), append(body, tail...), keymap.InEditor, packetHints, w, h)
}

// External is the payload in hexadecimal, 16 bytes a line: another length can only be made there.
func (e *packet) External() (text, suffix string, ok bool) {
	var out strings.Builder
	b := e.hex.Bytes()
	for len(b) > 0 {
		n := min(len(b), 16)
		fmt.Fprintf(&out, "% x\n", b[:n])
		b = b[n:]
	}
	return out.String(), ".hex", true
}

func (e *packet) SetExternal(s string) error {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		return fmt.Errorf("the text is not hexadecimal: %w", err)
	}
	if bytes.Equal(b, e.hex.Bytes()) {
		return nil
	}
	was := e.state()
	e.restore(packetState{bytes: b})
	e.did(was, "")
	e.check()
	return nil
}
