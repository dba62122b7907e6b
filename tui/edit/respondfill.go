package edit

import (
	"fmt"
	"slices"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// begin fills the form: from the draft, from the held answer, or with the error most asked for.
func (e *respond) begin(draft *intercept.Verdict) {
	e.affected, e.insertID, e.warnings, e.info = oneLine("0"), oneLine("0"), oneLine("0"), oneLine("")
	e.code = oneLine("1213")
	e.columns, e.rows, e.from = oneLine("id:int, name:varchar(80)"), manyLines(""), oneLine("")
	e.delay, e.hits = oneLine("0ms"), oneLine("2")
	e.kind = answerERR
	if !slices.Contains(e.kinds, e.kind) {
		e.kind = e.kinds[0]
	}
	e.follow()
	if e.held.Point == rule.ReadQueryResult {
		e.fill(e.held.Answer)
	}
	if e.held.File != nil {
		e.fill(intercept.RefuseFile(e.held.Event).Answer)
	}
	if draft == nil {
		return
	}
	e.base = *draft
	if draft.Delay > 0 {
		e.delay = oneLine(draft.Delay.String())
	}
	switch draft.Action {
	case intercept.Close:
		e.kind = answerClose
	case intercept.Hang:
		e.kind = answerHang
	case intercept.Reply:
		e.fill(draft.Answer)
		e.rollback, e.ownRollback = slices.ContainsFunc(draft.Queries, func(q intercept.Query) bool {
			return strings.EqualFold(describe(e.held.Event, q), "ROLLBACK")
		}), true
	}
}

// fill takes an answer over into the form, as far as it has a form for it.
func (e *respond) fill(a *mysqlwire.Answer) {
	if a == nil || len(a.Packets) == 0 {
		return
	}
	results, err := a.Results(e.held.Context)
	if err != nil || len(results) == 0 {
		return
	}
	readable := results[0].Readable(e.held.Context)
	r := &readable
	switch {
	case r.OK != nil && len(results) == 1:
		e.kind = answerOK
		e.affected, e.insertID = oneLine(fmt.Sprint(r.OK.AffectedRows)), oneLine(fmt.Sprint(r.OK.LastInsertID))
		e.warnings, e.info = oneLine(fmt.Sprint(r.OK.Warnings)), oneLine(r.OK.Info)
	case r.ERR != nil && len(results) == 1 && !r.HasRows():
		e.kind = answerERR
		e.code = oneLine(fmt.Sprint(r.ERR.Code))
		e.pick = 0
		e.ownState, e.ownMessage = false, false
		e.follow()
		if r.ERR.SQLState != e.state.String() {
			e.state, e.ownState = oneLine(r.ERR.SQLState), true
		}
		if r.ERR.Message != e.message.String() {
			e.message, e.ownMessage = oneLine(r.ERR.Message), true
		}
	case r.HasRows() && len(results) == 1 && e.fillRows(r):
		e.kind = answerRows
	default:
		if slices.Contains(e.kinds, answerCopy) {
			e.kind, e.copied = answerCopy, a
		}
	}
}

// formRows is how many rows the form takes over; more are for the grid.
const formRows = 1000

func (e *respond) fillRows(r *mysqlwire.Result) bool {
	if r.Rows.Len() > formRows || len(r.Columns) == 0 || !slices.Contains(e.kinds, answerRows) {
		return false
	}
	table := make([][]cell, r.Rows.Len())
	for i := range table {
		row, err := r.Rows.Row(i)
		if err != nil {
			return false
		}
		for c := range row.Len() {
			if row.Null(c) {
				table[i] = append(table[i], cell{null: true})
			} else {
				table[i] = append(table[i], cell{text: row.Text(c)})
			}
		}
	}
	e.columns, e.rows = oneLine(formatColumns(r.Columns)), manyLines(strings.TrimSuffix(formatCSV(table), "\n"))
	return true
}
