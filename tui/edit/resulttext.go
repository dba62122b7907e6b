package edit

import (
	"errors"
	"fmt"
	"slices"
)

// externalLimit is how large a result $EDITOR gets.
const externalLimit = 8 << 20

// External is the result as TSV, the names of its columns first; while a cell is open, that.
func (e *result) External() (text, suffix string, ok bool) {
	if e.mode != noInput {
		return e.input.String(), ".txt", true
	}
	table, ok := e.table()
	if !ok {
		return "", "", false
	}
	return formatTSV(append([][]cell{e.names()}, table...)), ".tsv", true
}

func (e *result) names() []cell {
	var names []cell
	for i := range e.set().edit.Columns() {
		names = append(names, cell{text: e.set().edit.Name(i)})
	}
	return names
}

// table is the result's cells as they are now; ok is false when they are too many.
func (e *result) table() (table [][]cell, ok bool) {
	s, total := e.set(), 0
	for i := range s.Rows() {
		row := make([]cell, s.Cols())
		for c := range row {
			row[c] = s.cell(i, c)
			total += len(row[c].text) + 1
		}
		if total > externalLimit {
			return nil, false
		}
		table = append(table, row)
	}
	return table, true
}

// SetExternal takes TSV back: rows that are the same stay untouched.
func (e *result) SetExternal(text string) error {
	if e.mode != noInput {
		e.input.set(text)
		return nil
	}
	now, ok := e.table()
	if !ok {
		return errors.New("this result is too large for $EDITOR")
	}
	table, err := parseTSV(text)
	if err != nil {
		return err
	}
	names := e.names()
	if len(table) == 0 {
		return errors.New("the first line has to name the columns")
	}
	if len(table[0]) != len(names) {
		return fmt.Errorf("line 1 names %s, the result has %d; C adds and removes columns", count(len(table[0]), "column"), len(names))
	}
	for i, row := range table {
		if len(row) != len(names) {
			return fmt.Errorf("line %d has %s for %s", i+1, count(len(row), "value"), count(len(names), "column"))
		}
	}
	var steps []rowStep
	for i, c := range table[0] {
		if c != names[i] {
			if c.null || c.text == "" {
				return fmt.Errorf("line 1: column %d has no name", i+1)
			}
			steps = append(steps, rowStep{kind: renameColumn, col: i, cell: c})
		}
	}
	steps = append(steps, changes(now, table[1:])...)
	if len(steps) == 0 {
		return nil
	}
	row, col, _ := e.grid.Selected()
	return e.do(rowStep{kind: several, steps: steps}, row, col)
}

// changes are the steps from one table to another: rows at both ends that are the same stay, those between are
// changed cell by cell, then added or deleted.
func changes(was, now [][]cell) []rowStep {
	from := 0
	for from < min(len(was), len(now)) && slices.Equal(was[from], now[from]) {
		from++
	}
	same := 0
	for same < min(len(was), len(now))-from && slices.Equal(was[len(was)-1-same], now[len(now)-1-same]) {
		same++
	}
	var steps []rowStep
	setRow := func(i int, old []cell) {
		for c, v := range now[i] {
			if old == nil || v != old[c] {
				steps = append(steps, rowStep{kind: setCell, row: i, col: c, cell: v})
			}
		}
	}
	both := min(len(was), len(now)) - same
	for i := from; i < both; i++ {
		setRow(i, was[i])
	}
	for range len(was) - same - both {
		steps = append(steps, rowStep{kind: deleteRow, row: both})
	}
	for i := both; i < len(now)-same; i++ {
		steps = append(steps, rowStep{kind: insertRow, row: i})
		setRow(i, nil)
	}
	return steps
}
