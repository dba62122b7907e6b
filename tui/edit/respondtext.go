package edit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// answerText is an answer as $EDITOR gets it.
type answerText struct {
	Answer   string      `json:"answer"` // ok, err, rows, copy, close, hang
	Affected *uint64     `json:"affected_rows,omitempty"`
	InsertID *uint64     `json:"last_insert_id,omitempty"`
	Warnings *uint16     `json:"warnings,omitempty"`
	Info     *string     `json:"info,omitempty"`
	Code     *uint16     `json:"code,omitempty"`
	SQLState *string     `json:"sqlstate,omitempty"`
	Message  *string     `json:"message,omitempty"`
	Columns  *string     `json:"columns,omitempty"` // name:type, name:type
	Rows     [][]*string `json:"rows,omitempty"`    // null is NULL
	From     *uint64     `json:"from,omitempty"`    // of copy
	Delay    string      `json:"delay,omitempty"`
}

var kindWords = [...]string{"ok", "err", "rows", "copy", "close", "hang"}

// External is the form as JSON.
func (e *respond) External() (text, suffix string, ok bool) {
	t := answerText{Answer: kindWords[e.kind], Delay: e.delay.String()}
	switch e.kind {
	case answerOK:
		affected, _ := number(&e.affected, "", 64)
		id, _ := number(&e.insertID, "", 64)
		warnings, _ := number(&e.warnings, "", 16)
		info, w := e.info.String(), uint16(warnings)
		t.Affected, t.InsertID, t.Warnings, t.Info = &affected, &id, &w, &info
	case answerERR:
		c, _ := e.chosen()
		state, message := e.state.String(), e.message.String()
		t.Code, t.SQLState, t.Message = &c.Code, &state, &message
	case answerRows:
		columns := e.columns.String()
		t.Columns, t.Rows = &columns, [][]*string{}
		table, err := parseTable(e.rows.String())
		if err != nil {
			return "", "", false // what is typed is no table yet
		}
		for _, row := range table {
			list := []*string{}
			for _, c := range row {
				if c.null {
					list = append(list, nil)
				} else {
					list = append(list, &c.text)
				}
			}
			t.Rows = append(t.Rows, list)
		}
	case answerCopy:
		var n uint64
		if _, err := fmt.Sscanf(strings.TrimPrefix(e.from.String(), "#"), "%d", &n); err == nil {
			t.From = &n
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(t); err != nil {
		return "", "", false
	}
	return out.String(), ".json", true
}

// SetExternal takes the JSON back. What it does not name stays as it is.
func (e *respond) SetExternal(s string) error {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.DisallowUnknownFields()
	var t answerText
	if err := dec.Decode(&t); err != nil {
		var at *json.SyntaxError
		if errors.As(err, &at) {
			return fmt.Errorf("line %d: %w", 1+strings.Count(s[:min(int(at.Offset), len(s))], "\n"), err)
		}
		return fmt.Errorf("not an answer: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text behind the answer")
	}
	kind := answerKind(slices.Index(kindWords[:], strings.ToLower(t.Answer)))
	switch {
	case kind < 0:
		return fmt.Errorf("answer %q: known are %s", t.Answer, strings.Join(kindWords[:], ", "))
	case !slices.Contains(e.kinds, kind):
		return fmt.Errorf("answer %q is not possible here", t.Answer)
	}
	if _, err := parseDelay(t.Delay); err != nil {
		return err
	}
	was := e.respondState
	e.kind = kind
	if t.Delay != "" {
		e.delay = oneLine(t.Delay)
	}
	take(&e.affected, t.Affected)
	take(&e.insertID, t.InsertID)
	take(&e.warnings, t.Warnings)
	take(&e.info, t.Info)
	take(&e.columns, t.Columns)
	take(&e.from, t.From)
	if t.Code != nil {
		take(&e.code, t.Code)
		e.pick = 0
		e.follow()
	}
	if t.SQLState != nil && *t.SQLState != e.state.String() {
		e.state, e.ownState = oneLine(*t.SQLState), true
	}
	if t.Message != nil && *t.Message != e.message.String() {
		e.message, e.ownMessage = oneLine(*t.Message), true
	}
	if t.Rows != nil {
		var table [][]cell
		for _, row := range t.Rows {
			var cells []cell
			for _, c := range row {
				if c == nil {
					cells = append(cells, cell{null: true})
				} else {
					cells = append(cells, cell{text: *c})
				}
			}
			table = append(table, cells)
		}
		e.rows = manyLines(strings.TrimSuffix(formatCSV(table), "\n"))
	}
	e.did(was, "")
	e.check()
	return nil
}

// take puts a value that was given into its input.
func take[T any](t *text, v *T) {
	if v != nil {
		*t = oneLine(fmt.Sprint(*v))
	}
}
