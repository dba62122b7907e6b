package tui

import (
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
)

// form is a way to copy an event. text is "" where the event has nothing of the kind.
type form struct {
	name, doc string
	text      func(d *intercept.Detail) string
}

var forms = []form{
	{"sql", "the statement as it was sent, without parameters", func(d *intercept.Detail) string { return d.SQL }},
	{"digest", "the statement's form", func(d *intercept.Detail) string {
		if d.SQL == "" {
			return ""
		}
		_, text := sqltext.Digest(d.SQL)
		return text
	}},
	{"condition", "a condition that is true of statements like it", func(d *intercept.Detail) string { return condition(&d.Exchange, d.SQL) }},
	{"error", "the error as the mysql client writes it", func(d *intercept.Detail) string {
		if d.Error == nil {
			return ""
		}
		return fmt.Sprintf("ERROR %d (%s): %s", d.Error.Code, d.Error.SQLState, d.Error.Message)
	}},
	{"hex", "the command's bytes", func(d *intercept.Detail) string { return hex.EncodeToString(d.Received.Payload) }},
	{"go", "the command's bytes, as a Go literal", func(d *intercept.Detail) string { return quoted(d.Received.Payload) }},
	{"csv", "the rows, separated by commas", func(d *intercept.Detail) string { return separated(d, ',') }},
	{"tsv", "the rows, separated by tabs", func(d *intercept.Detail) string { return separated(d, '\t') }},
	{"json", "the rows, as a list of objects", rowsJSON},
	{"markdown", "the rows, as a table", rowsMarkdown},
	{"insert", "the rows, as INSERT statements", rowsInsert},
}

// condition is what filters and breakpoints say of statements like one.
func condition(x *intercept.Exchange, sql string) string {
	if sql == "" {
		return fmt.Sprintf("cmd == %q", x.Command.Short())
	}
	hash, _ := sqltext.Digest(sql)
	return fmt.Sprintf("digest == %q", hash[:min(len(hash), digestDigits)])
}

func quoted(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return strconv.Quote(string(b))
}

// cell is a value of a row: its text, its literal, and whether it is NULL.
type cell struct {
	text, literal string
	null, bare    bool // bare: a number
}

// rowsOf are the first result's columns and rows; no columns where there is none, or a row cannot be read.
func rowsOf(d *intercept.Detail) (columns []mysqlwire.Column, rows [][]cell) {
	results, _ := d.Answer.Results(d.Context) // as far as it goes
	i := slices.IndexFunc(results, func(r mysqlwire.Result) bool { return r.HasRows() })
	if i < 0 {
		return nil, nil
	}
	r := results[i].Readable(d.Context)
	for n := range r.Rows.Len() {
		row, err := r.Rows.Row(n)
		if err != nil {
			return nil, nil
		}
		cells := make([]cell, min(row.Len(), len(r.Columns)))
		for c := range cells {
			spec := d.Context.Spec(&results[i].Columns[c])
			v, err := row.Value(c)
			switch {
			case err != nil:
				cells[c] = cell{text: string(row.Bytes(c)), literal: "0x" + hex.EncodeToString(row.Bytes(c))}
			case v == nil:
				cells[c] = cell{literal: "NULL", null: true}
			default:
				cells[c] = cell{text: spec.Format(v), literal: spec.Literal(v)}
				switch v.(type) {
				case int64, uint64, float64, float32:
					cells[c].bare = true
				}
			}
		}
		rows = append(rows, cells)
	}
	return r.Columns, rows
}

func separated(d *intercept.Detail, comma rune) string {
	columns, rows := rowsOf(d)
	if columns == nil {
		return ""
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = comma
	record := make([]string, len(columns))
	for i := range columns {
		record[i] = columns[i].Name
	}
	_ = w.Write(record) // a strings.Builder does not fail
	for _, row := range rows {
		for i := range row {
			record[i] = row[i].text
		}
		_ = w.Write(record[:len(row)])
	}
	w.Flush()
	return b.String()
}

func rowsJSON(d *intercept.Detail) string {
	columns, rows := rowsOf(d)
	if columns == nil {
		return ""
	}
	encoded := func(v any) string {
		b, _ := json.Marshal(v) // text
		return string(b)
	}
	var b strings.Builder
	b.WriteString("[")
	for n, row := range rows {
		if n > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n  {")
		for i, c := range row {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(encoded(columns[i].Name) + ": ")
			switch {
			case c.null:
				b.WriteString("null")
			case c.bare && json.Valid([]byte(c.text)):
				b.WriteString(c.text)
			case !utf8.ValidString(c.text):
				b.WriteString(encoded(map[string][]byte{"base64": []byte(c.text)}))
			default:
				b.WriteString(encoded(c.text))
			}
		}
		b.WriteString("}")
	}
	return b.String() + "\n]\n"
}

func rowsMarkdown(d *intercept.Detail) string {
	columns, rows := rowsOf(d)
	if columns == nil {
		return ""
	}
	escape := strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ")
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	names, rules := make([]string, len(columns)), make([]string, len(columns))
	for i := range columns {
		names[i], rules[i] = escape.Replace(columns[i].Name), "---"
	}
	line(names)
	line(rules)
	for _, row := range rows {
		texts := make([]string, len(row))
		for i, c := range row {
			if texts[i] = escape.Replace(c.text); c.null {
				texts[i] = "NULL"
			}
		}
		line(texts)
	}
	return b.String()
}

func rowsInsert(d *intercept.Detail) string {
	columns, rows := rowsOf(d)
	if columns == nil {
		return ""
	}
	name := func(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
	table, names := "t", make([]string, len(columns))
	for i := range columns {
		names[i] = name(columns[i].Name)
		if columns[i].OrgTable != "" {
			table = columns[i].OrgTable
		}
	}
	var b strings.Builder
	for _, row := range rows {
		literals := make([]string, len(row))
		for i, c := range row {
			literals[i] = c.literal
		}
		fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES (%s);\n", name(table), strings.Join(names, ", "), strings.Join(literals, ", "))
	}
	return b.String()
}

// copyAs copies the selected event in a form.
func (m *Model) copyAs(name string) tea.Cmd {
	i := slices.IndexFunc(forms, func(f form) bool { return f.name == name })
	if i < 0 {
		names := make([]string, len(forms))
		for i, f := range forms {
			names[i] = f.name
		}
		m.say(intercept.Error, "copy as what? %q is none of %s", name, strings.Join(names, ", "))
		return nil
	}
	t, _ := m.target()
	d, ok := m.e.Detail(t.Exchange)
	if !ok {
		m.say(intercept.Info, "nothing is left of that event")
		return nil
	}
	text := forms[i].text(&d)
	if text == "" {
		m.say(intercept.Info, "%s has no %s: %s", label(t.Exchange), name, forms[i].doc)
		return nil
	}
	return m.toClipboard(text, name)
}

// completeForms offers the names of forms.
func completeForms(text string) (out []rule.Candidate) {
	for _, f := range forms {
		if strings.HasPrefix(f.name, text) {
			out = append(out, rule.Candidate{Text: f.name, Doc: f.doc, To: len(text)})
		}
	}
	return out
}
