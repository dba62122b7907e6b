package detail

import (
	"fmt"
	"strings"

	"mydbg/mysqlwire"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// valueColumn is where the values of a tree stand in w cells.
func valueColumn(w int) int { return min(31, max(w*3/5, 8)) }

// treeRow draws a row of the outline.
func (m *Model) treeRow(o *outline, s spot, selected bool, w int) string {
	p := &o.parts[s.part]
	switch {
	case s.packet < 0:
		text := fmt.Sprintf("%s, %s, %s", many(len(p.packets), "packet", "packets"), bytesOf(o.counts[s.part].size), p.note)
		head := m.pointer(selected) + m.th.Fold(!o.shut[s.part]) + " "
		return head + m.th.Strong.Render(safe.Cut(p.name, w)) + "  " + m.th.Dim.Render(safe.Cut(text, max(w-6-len(p.name), 0)))
	case s.packet >= len(p.packets):
		return m.pointer(selected) + "  " + m.th.Partial.Render(safe.Cut("~ "+p.cut, max(w-4, 0)))
	case s.node < 0:
		return m.packetRow(o, s, selected, w)
	}
	u := o.unfolded(s.part, s.packet)
	n := &u.nodes[s.node]
	depth := n.depth
	if !o.alone {
		depth += 2
	}
	value := n.value
	if m.views[tabPacket] == 1 && n.leaf() && !n.bad {
		value = n.raw()
	}
	return m.fieldRow(n, depth, value, selected, w)
}

// fieldRow draws a name and its value, with a sign before it where there is something to fold.
func (m *Model) fieldRow(n *node, depth int, value string, selected bool, w int) string {
	sign := "  "
	if !n.leaf() {
		sign = m.th.Fold(!n.folded) + " "
	}
	left := m.pointer(selected) + strings.Repeat(" ", 2*depth) + sign
	style, name := m.valueStyle(value), m.th.Key
	if n.bad {
		style, name = m.th.Invalid, m.th.Invalid
	}
	if !n.leaf() {
		style = m.th.Dim
	}
	at := max(valueColumn(w)-len([]rune(left)), 8)
	label := safe.Cut(n.name, at-1)
	gap := strings.Repeat(" ", max(at-safe.Width(label), 1))
	room := max(w-len([]rune(left))-safe.Width(label)-len(gap), 0)
	return left + name.Render(label) + gap + style.Render(safe.Cut(value, room))
}

// valueStyle is the look of a field's value.
func (m *Model) valueStyle(v string) theme.Style {
	switch {
	case v == "":
		return m.th.Text
	case v == "NULL":
		return m.th.Null
	case v[0] == '"' || v[0] == '\'' || strings.Contains(v[:min(len(v), 40)], " '"):
		return m.th.String
	case v[0] >= '0' && v[0] <= '9':
		return m.th.Number
	}
	return m.th.Value
}

// packetRow draws a packet of several, with what it says in short.
func (m *Model) packetRow(o *outline, s spot, selected bool, w int) string {
	p := o.parts[s.part].packets[s.packet]
	sign := m.th.Fold(o.unfolded(s.part, s.packet) != nil) + " "
	left := m.pointer(selected) + "  " + sign + safe.PadLeft(fmt.Sprint(s.packet+1), len(fmt.Sprint(len(o.parts[s.part].packets)))) + " "
	name := p.Kind.String()
	style := m.th.Key
	if p.Kind == mysqlwire.KindERR {
		style = m.th.Error
	}
	at := [2]int{s.part, s.packet}
	sum, ok := o.sums[at]
	if !ok {
		if len(o.sums) > 1000 {
			clear(o.sums)
		}
		sum = summary(p, o.counts[s.part].context(s.packet))
		o.sums[at] = sum
	}
	width := max(valueColumn(w)-len([]rune(left)), 8)
	label := safe.Cut(name, width-1)
	gap := strings.Repeat(" ", max(width-safe.Width(label), 1))
	return left + style.Render(label) + gap + m.th.Value.Render(safe.Cut(sum, max(w-len([]rune(left))-safe.Width(label)-len(gap), 0)))
}

// maxSummary is the longest payload that is decoded to be shown in a line.
const maxSummary = 64 << 10

// summary is a packet in a line.
func summary(p mysqlwire.Packet, cx *mysqlwire.Context) string {
	if len(p.Payload) > maxSummary {
		return bytesOf(len(p.Payload))
	}
	msg, err := mysqlwire.Decode(p.Kind, p.Payload, cx)
	if err != nil {
		return "not decoded, " + bytesOf(len(p.Payload))
	}
	switch msg := msg.(type) {
	case *mysqlwire.Column:
		text := cx.ResultText(msg.Name) + "  " + msg.TypeName()
		if msg.Table != "" {
			text += "  of " + cx.ResultText(msg.Table)
		}
		return text
	case *mysqlwire.ColumnCount:
		return count(msg.Count)
	case *mysqlwire.OK:
		if msg.End {
			return "end of rows, " + statusText(msg.Status)
		}
		return many(msg.AffectedRows, "row affected", "rows affected") + ", " + statusText(msg.Status)
	case *mysqlwire.EOF:
		return statusText(msg.Status)
	case *mysqlwire.ERR:
		msg.Message = cx.ResultText(msg.Message)
		return msg.Error()
	case *mysqlwire.PrepareOK:
		return fmt.Sprintf("statement %d, %s, %s", msg.StmtID, many(int(msg.Params), "parameter", "parameters"), many(int(msg.Columns), "column", "columns"))
	case *mysqlwire.Query:
		return cx.ClientText(msg.SQL)
	case *mysqlwire.StmtPrepare:
		return cx.ClientText(msg.SQL)
	case *mysqlwire.StmtExecute:
		var list []string
		for i := range msg.Params {
			list = append(list, msg.Params[i].Literal(cx))
		}
		return fmt.Sprintf("statement %d  %s", msg.StmtID, strings.Join(list, ", "))
	case *mysqlwire.StmtClose:
		return fmt.Sprintf("statement %d", msg.StmtID)
	case *mysqlwire.Greeting:
		return fmt.Sprintf("%s, thread %d, %s", msg.ServerVersion(), msg.ConnectionID, msg.PluginName)
	case *mysqlwire.Login:
		return fmt.Sprintf("user %s, db %s, %s", msg.User, msg.DB, msg.PluginName)
	case *mysqlwire.TextRow, *mysqlwire.BinaryRow:
		return rowSummary(p, cx)
	}
	return bytesOf(len(p.Payload))
}

func rowSummary(p mysqlwire.Packet, cx *mysqlwire.Context) string {
	fields, _ := mysqlwire.Dissect(p.Kind, p.Payload, cx)
	if p.Kind == mysqlwire.KindBinaryRow {
		fields = fields[min(len(fields), 2):]
	}
	var text strings.Builder
	for i, f := range fields {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(firstOf(f.Value, 80))
		if text.Len() > 400 {
			break
		}
	}
	return text.String()
}

// summaryText is an answer in numbers.
func summaryText(s *mysqlwire.Summary, partial bool) string {
	var list []string
	switch {
	case s.Error != nil:
		list = append(list, s.Error.Error())
	case s.Cols > 0:
		list = append(list, many(s.Rows, "row", "rows"), many(s.Cols, "column", "columns"))
	default:
		list = append(list, "OK", many(s.Affected, "row affected", "rows affected"))
	}
	if s.Results > 1 {
		list = append(list, many(s.Results, "result", "results"))
	}
	if s.Warnings > 0 {
		list = append(list, many(int(s.Warnings), "warning", "warnings"))
	}
	list = append(list, bytesOf(s.Bytes))
	if partial {
		list = append(list, "only the beginning is kept")
	}
	return strings.Join(list, ", ")
}
