package wiretext

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"mydbg/mysqlwire"
)

const (
	lineWidth  = 120     // of a packet's line, where pieces allow
	textPiece  = 100     // runes of a text before it goes on in the next piece
	leastRun   = 16      // equal bytes that are counted instead of written
	dissectMax = 1 << 20 // longer payloads are not taken apart into fields
	remarkMax  = 200     // bytes of a comment
	leastText  = 3       // bytes of text among others, where fields are not known
)

// String is the conversation as text, see the package comment.
func (c *Conversation) String() string {
	var w writer
	for _, f := range c.Facts {
		w.b.WriteString(f.Name + ": " + factValue(f.Value) + "\n")
	}
	if len(c.Facts) > 0 && len(c.packets) > 0 {
		w.b.WriteByte('\n')
	}
	for e := range c.Explain() {
		w.packet(e)
	}
	return w.b.String()
}

// factValue quotes a value that a line cannot hold as it is.
func factValue(s string) string {
	if s == "" || s != strings.TrimSpace(s) || s[0] == '"' || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

type writer struct {
	b    strings.Builder
	line int // where the current line begins
	open bool
}

func (w *writer) packet(e Explained) {
	w.line = w.b.Len()
	who := "C "
	if e.Dir == mysqlwire.ToClient {
		who = "S "
	}
	w.b.WriteString(who + strconv.Itoa(int(e.Seq)) + " " + e.Kind.String() + ":")
	fields := leaves(e)
	at := 0
	for _, f := range fields {
		w.field(e, f)
		at = f.Off + f.Len
	}
	w.mixed(e.Payload[at:])
	if len(e.Payload) == 0 {
		w.piece(`""`)
	}
	if e.Cut {
		w.piece("...")
	}
	if r := remark(e, fields); r != "" {
		w.b.WriteString("  # " + r)
	}
	w.b.WriteByte('\n')
}

// piece writes one piece, on a new line if this one is full.
func (w *writer) piece(s string) {
	if !w.open && w.b.Len()-w.line+1+len(s) > lineWidth && w.b.Len()-w.line > 8 {
		w.b.WriteString("\n   ")
		w.line = w.b.Len() - 3
	}
	if !w.open {
		w.b.WriteByte(' ')
	}
	w.b.WriteString(s)
	w.open = false
}

// field writes the bytes of one field: as text if that is what the field is.
func (w *writer) field(e Explained, f mysqlwire.Field) {
	b := e.Payload[f.Off : f.Off+f.Len]
	row := e.Kind.IsRow()
	if e.Kind == mysqlwire.KindTextRow && len(b) == 1 && b[0] == 0xfb {
		w.piece("null")
		return
	}
	if n, ok := lenencString(b); ok && (e.Kind == mysqlwire.KindTextRow || row && len(b) > 5 || isText(f.Value, b[n:])) {
		w.piece("<")
		w.open = true
		w.value(b[n:])
		w.b.WriteByte('>')
		return
	}
	switch {
	case len(f.Value) > 1 && f.Value[0] == '"':
		w.text(b)
	case f.Name == "rest" || f.Name == "data" || strings.Contains(f.Name, "auth") || f.Len > 16:
		w.mixed(b)
	case len(b) > 0:
		w.hex(b)
	}
}

// isText reports whether shown is the Go string of b.
func isText(shown string, b []byte) bool {
	s, err := strconv.Unquote(shown)
	return err == nil && shown[0] == '"' && s == string(b)
}

// lenencString reports whether b is a length-encoded string in its shortest form, and where its text begins.
func lenencString(b []byte) (n int, ok bool) {
	v, n, ok := mysqlwire.ReadLenenc(b)
	return n, ok && v == uint64(len(b)-n) && n == len(mysqlwire.AppendLenenc(nil, v))
}

// value writes text or bytes, whichever it looks like; at least one piece.
func (w *writer) value(b []byte) {
	switch {
	case len(b) == 0:
		w.piece(`""`)
	case textLen(b) == len(b):
		w.text(b)
	default:
		w.mixed(b)
	}
}

// mixed writes bytes of which nothing is known: text where there is some.
func (w *writer) mixed(b []byte) {
	for len(b) > 0 {
		n := textLen(b)
		if n >= leastText || n == len(b) {
			w.text(b[:n])
			b = b[n:]
			continue
		}
		if n = max(n, 1); run(b) >= leastRun {
			n = run(b)
		}
		for n < len(b) && run(b[n:min(len(b), n+leastRun)]) < leastRun && textLen(b[n:min(len(b), n+4*leastText)]) < leastText {
			n++
		}
		w.hex(b[:n])
		b = b[n:]
	}
}

// textLen is how many bytes of b are text from the beginning on.
func textLen(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n < 2 || !unicode.IsPrint(r) && r != '\n' && r != '\t' && r != '\r' {
			return i
		}
		i += n
	}
	return len(b)
}

// run is how many bytes at the beginning of b are equal.
func run(b []byte) int {
	n := 1
	for n < len(b) && b[n] == b[0] {
		n++
	}
	return n
}

// text writes pieces of text, counting long runs.
func (w *writer) text(b []byte) {
	if len(b) == 0 {
		w.piece(`""`)
	}
	for len(b) > 0 {
		if n := run(b); n >= leastRun {
			w.piece(quote(b[:1]) + "*" + strconv.Itoa(n))
			b = b[n:]
			continue
		}
		end := 0
		for runes := 0; end < len(b) && runes < textPiece; runes++ {
			if runes > 0 && run(b[end:min(len(b), end+leastRun)]) == leastRun {
				break
			}
			_, n := utf8.DecodeRune(b[end:])
			end += n
		}
		w.piece(quote(b[:end]))
		b = b[end:]
	}
}

// hex writes pieces of hex, counting long runs.
func (w *writer) hex(b []byte) {
	for len(b) > 0 {
		if n := run(b); n >= leastRun {
			w.piece(hex.EncodeToString(b[:1]) + "*" + strconv.Itoa(n))
			b = b[n:]
			continue
		}
		end := 1
		for end < len(b) && end < 2*leastRun && run(b[end:min(len(b), end+leastRun)]) < leastRun {
			end++
		}
		w.piece(hex.EncodeToString(b[:end]))
		b = b[end:]
	}
}

// quote is b as a piece of text.
func quote(b []byte) string {
	out := []byte{'"'}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case b[0] == '"' || b[0] == '\\':
			out = append(out, '\\', b[0])
		case b[0] == '\n':
			out = append(out, `\n`...)
		case b[0] == '\r':
			out = append(out, `\r`...)
		case b[0] == '\t':
			out = append(out, `\t`...)
		case r == utf8.RuneError && n < 2 || !unicode.IsPrint(r):
			for _, x := range b[:n] {
				out = append(out, '\\', 'x', "0123456789abcdef"[x>>4], "0123456789abcdef"[x&15])
			}
		default:
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return string(append(out, '"'))
}

// leaves are the fields of a payload in order, nil if they are not known or do not cover it.
func leaves(e Explained) []mysqlwire.Field {
	if len(e.Payload) > dissectMax || e.Err != nil {
		return nil
	}
	tree, err := mysqlwire.Dissect(e.Frame.Kind, e.Payload, e.Context)
	if err != nil {
		return nil
	}
	all := Leaves(tree)
	at := 0
	for _, f := range all {
		if f.Off != at {
			return nil
		}
		at += f.Len
	}
	return all
}

// Leaves are the fields without children, in order.
func Leaves(tree []mysqlwire.Field) []mysqlwire.Field {
	var all []mysqlwire.Field
	for _, f := range tree {
		if f.Children == nil {
			all = append(all, f)
		} else {
			all = append(all, Leaves(f.Children)...)
		}
	}
	return all
}

// remark says what the numbers of a payload mean. Texts speak for themselves.
func remark(e Explained, fields []mysqlwire.Field) string {
	if e.Kind == mysqlwire.KindTextRow {
		return ""
	}
	var words []string
	for _, f := range fields {
		switch f.Name {
		case "header", "command", "filler", "reserved", "data", "rest", "statistics", "catalog", "length_of_fixed_fields",
			"sql_state_marker", "null_bitmap", "collation", "column_length", "decimals", "iteration_count", "new_params_bind_flag", "status":
			continue
		}
		if f.Value == "" || f.Value == "0" || f.Value[0] == '"' || f.Len > 16 && e.Kind != mysqlwire.KindBinaryRow || strings.Contains(f.Name, "auth") {
			continue
		}
		if _, ok := lenencString(e.Payload[f.Off : f.Off+f.Len]); ok && f.Len > 5 {
			continue // written as text
		}
		words = append(words, f.Name+"="+f.Value)
	}
	s := strings.Join(words, ", ")
	if len(s) > remarkMax {
		s = strings.ToValidUTF8(s[:remarkMax], "") + "…"
	}
	return string(bytes.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '.'
	}, []byte(s)))
}
