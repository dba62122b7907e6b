package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
	"mydbg/tui/grid"
	"mydbg/tui/keymap"
	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// Result edits the answer that is held: its rows in a grid; an OK or an error in the form of Respond; the
// name of a file that the server asks for.
func Result(h intercept.Held, draft *intercept.Verdict, env Env) (Editor, error) {
	switch {
	case h.Point != rule.ReadQueryResult:
		return nil, fmt.Errorf("there is no result at %s", h.Point)
	case h.File != nil:
		if draft != nil && (draft.Action == intercept.Close || draft.Action == intercept.Hang) {
			return nil, answers(draft)
		}
		return newFile(h, draft, env), nil
	case h.Answer == nil:
		return nil, errors.New("the answer has gone to the app already")
	case !h.Query.Show:
		return nil, errors.New("this is the answer to an injected query: the app does not see it, so editing it changes nothing")
	}
	e := &result{env: env, held: h, draft: draft, base: begin(h.Event, draft), grid: grid.New(env.Theme)}
	from := h.Answer
	if e.base.Answer != nil {
		from = e.base.Answer
	}
	results, err := from.Results(h.Context)
	if err != nil && len(results) == 0 {
		return nil, fmt.Errorf("the answer cannot be read: %w", err)
	}
	for i := range results {
		if !results[i].HasRows() {
			continue
		}
		s, err := newRowset(from, h.Context, i)
		if err != nil {
			return nil, fmt.Errorf("result %d: %w", i+1, err)
		}
		e.compare(s)
		e.sets = append(e.sets, s)
	}
	if len(e.sets) == 0 {
		return Respond(h, draft, env)
	}
	e.grid.SetFocused(true)
	e.show(0)
	return e, nil
}

// result edits result sets.
type result struct {
	env   Env
	held  intercept.Held
	draft *intercept.Verdict
	base  intercept.Verdict
	sets  []*rowset // those that have rows
	at    int
	grid  *grid.Grid

	mode  inputMode
	input text
	was   cell   // the cell before it was opened
	note  string // what was refused
}

// inputMode is what the input line is for.
type inputMode int

const (
	noInput inputMode = iota
	cellInput
	bytesInput
	columnInput
)

// compare marks what an earlier draft changed of the server's answer, where rows can be told to be the same.
func (e *result) compare(s *rowset) {
	if s.from == e.held.Answer {
		return
	}
	was, err := newRowset(e.held.Answer, e.held.Context, s.n)
	if err != nil || was.Rows() != s.Rows() || was.Cols() != s.Cols() {
		return
	}
	for i := range s.Rows() {
		a, err := was.edit.Row(i)
		b, err2 := s.edit.Row(i)
		if err != nil || err2 != nil || bytes.Equal(a.Raw, b.Raw) {
			continue
		}
		for c := range s.Cols() {
			if a.Null(c) != b.Null(c) || !bytes.Equal(a.Bytes(c), b.Bytes(c)) {
				s.mark(i).edited[c] = true
			}
		}
	}
	s.first = make([]*rowMarks, len(s.marks))
	for i, m := range s.marks {
		s.first[i] = m.clone()
	}
}

func (e *result) set() *rowset { return e.sets[e.at] }

// show puts a result set into the grid.
func (e *result) show(at int) {
	e.at = at
	e.grid.SetSource(e.set().columns, e.set())
}

func (e *result) Title() string {
	s := e.set()
	cells, added := s.edits()
	parts := []string{fmt.Sprintf("Result of %s: %s", name(e.held.Event), count(s.Rows(), "row"))}
	if len(e.sets) > 1 {
		parts[0] = fmt.Sprintf("Result %d of %d of %s: %s", e.at+1, len(e.sets), name(e.held.Event), count(s.Rows(), "row"))
	}
	if _, _, _, cols := e.grid.Visible(); cols < s.Cols() && cols > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d columns", cols, s.Cols()))
	}
	if e.held.Answer.Partial {
		parts = append(parts, "head only")
	}
	if cells > 0 {
		parts = append(parts, count(cells, "cell")+" edited")
	}
	if added > 0 {
		parts = append(parts, count(added, "row")+" added")
	}
	return strings.Join(parts, ", ")
}

// Touched reports whether a step was done and not undone.
func (e *result) Touched() bool {
	return e.mode != noInput || e.stepped()
}

func (e *result) stepped() bool {
	return slices.ContainsFunc(e.sets, func(s *rowset) bool { return len(s.done) > 0 })
}

func (e *result) Busy() bool { return e.mode != noInput }

func (e *result) Update(msg tea.Msg) tea.Cmd {
	k, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	switch {
	case e.mode != noInput:
		e.inputKey(k)
	case k.Paste:
		e.note = "paste ignored: e opens the cell for it"
	default:
		e.say(e.command(e.env.action(keymap.InGrid, k)))
	}
	for _, s := range e.sets {
		s.open = nil
	}
	if row, col, _ := e.grid.Selected(); e.mode == cellInput || e.mode == bytesInput {
		e.set().open = &openCell{row, col, e.input.String()}
	}
	return nil
}

// command does what a key of the grid means.
func (e *result) command(a keymap.ID) error {
	s := e.set()
	row, col, some := e.grid.Selected()
	switch a {
	case keymap.Down:
		e.grid.Move(1, 0)
	case keymap.Up:
		e.grid.Move(-1, 0)
	case keymap.Left:
		e.grid.Move(0, -1)
	case keymap.Right:
		e.grid.Move(0, 1)
	case keymap.Top:
		e.grid.Home()
	case keymap.Bottom:
		e.grid.End()
	case keymap.PageDown:
		e.grid.Page(1)
	case keymap.PageUp:
		e.grid.Page(-1)
	case keymap.NextField:
		e.tab(1)
	case keymap.PrevField:
		e.tab(-1)
	case keymap.EditUndo:
		return e.walk(s.undo)
	case keymap.EditRedo:
		return e.walk(s.redo)
	case keymap.AddRow:
		if some {
			row++
		}
		return e.do(rowStep{kind: insertRow, row: row}, row, col)
	case keymap.AddRowAbove:
		return e.do(rowStep{kind: insertRow, row: row}, row, col)
	case keymap.Column:
		e.mode, e.input = columnInput, oneLine(s.edit.Name(col))
	default:
		if !some {
			return nil
		}
		return e.cellCommand(a, row, col)
	}
	return nil
}

// cellCommand does what needs a cell.
func (e *result) cellCommand(a keymap.ID, row, col int) error {
	s := e.set()
	switch a {
	case keymap.Cell:
		e.was = s.cell(row, col)
		e.mode, e.input = cellInput, oneLine(e.was.text)
	case keymap.CellHex:
		r, err := s.row(row)
		if err != nil {
			return err
		}
		if !ofBytes(&s.edit.Columns()[col]) {
			return errors.New("only strings and blobs can be edited as bytes")
		}
		e.was = cell{null: r.Null(col), text: fmt.Sprintf("% x", r.Bytes(col))}
		e.mode, e.input = bytesInput, oneLine(e.was.text)
	case keymap.Null:
		return e.do(rowStep{kind: setCell, row: row, col: col, cell: cell{null: true}}, row, col)
	case keymap.DupRow:
		return e.do(rowStep{kind: copyRow, row: row}, row+1, col)
	case keymap.DeleteRow:
		return e.do(rowStep{kind: deleteRow, row: row}, row, col)
	}
	return nil
}

// ofBytes reports whether the values of a column are bytes as they are on the wire.
func ofBytes(col *mysqlwire.Column) bool {
	return !col.Type.InDigits() && col.Type != value.Bit && col.Type != value.Null
}

var errHead = errors.New("only the head of this answer is here and the rest would follow it: it cannot be changed. r answers in its place")

func (e *result) do(st rowStep, row, col int) error {
	if e.held.Answer.Partial {
		return errHead
	}
	if err := e.set().do(st); err != nil {
		return err
	}
	e.grid.SetSource(e.set().columns, e.set())
	e.grid.Select(row, col)
	return nil
}

// walk undoes or does again.
func (e *result) walk(f func() (bool, error)) error {
	ok, err := f()
	if ok {
		e.grid.SetSource(e.set().columns, e.set())
	}
	return err
}

// tab goes to the next result set; with only one, to the next cell.
func (e *result) tab(by int) {
	if n := len(e.sets); n > 1 {
		e.show((e.at + by + n) % n)
		return
	}
	row, col, _ := e.grid.Selected()
	switch n := e.set().Cols(); {
	case col+by >= n && row+1 < e.set().Rows():
		e.grid.Select(row+1, 0)
	case col+by < 0 && row > 0:
		e.grid.Select(row-1, n-1)
	default:
		e.grid.Select(row, col+by)
	}
}

// inputKey gives a key to the input line.
func (e *result) inputKey(k tea.KeyMsg) {
	row, col, _ := e.grid.Selected()
	a := e.env.action(keymap.InEditor, k)
	switch {
	case k.Type == tea.KeyEnter && !k.Paste:
		e.take(row, col)
	case a == keymap.Close:
		e.mode, e.note = noInput, ""
	case a == keymap.NextField || a == keymap.PrevField:
		e.take(row, col)
		if e.mode == noInput {
			e.tab(map[keymap.ID]int{keymap.NextField: 1, keymap.PrevField: -1}[a])
		}
	case a == keymap.Null && e.mode != columnInput:
		e.mode = noInput
		e.say(e.do(rowStep{kind: setCell, row: row, col: col, cell: cell{null: true}}, row, col))
	default:
		e.input.key(k)
	}
}

func (e *result) say(err error) {
	e.note = ""
	if err != nil {
		e.note = err.Error()
	}
}

// take takes over what was typed.
func (e *result) take(row, col int) {
	mode, typed := e.mode, cell{text: e.input.String()}
	e.mode = noInput
	switch {
	case mode == columnInput:
		e.say(e.column(col, strings.TrimSpace(typed.text)))
	case typed == e.was: // not touched: the bytes stay
	case mode == bytesInput:
		e.say(e.do(rowStep{kind: setBytes, row: row, col: col, cell: typed}, row, col))
	default:
		e.say(e.do(rowStep{kind: setCell, row: row, col: col, cell: typed}, row, col))
	}
}

// column renames, removes or adds a column.
func (e *result) column(col int, typed string) error {
	row, _, _ := e.grid.Selected()
	switch {
	case typed == "":
		return e.do(rowStep{kind: removeColumn, col: col}, row, col)
	case typed[0] == '+':
		return e.do(rowStep{kind: addColumn, cell: cell{text: typed[1:]}}, row, e.set().Cols())
	case typed == e.set().edit.Name(col):
		return nil
	}
	return e.do(rowStep{kind: renameColumn, col: col, cell: cell{text: typed}}, row, col)
}

// Verdict is the answer with the edits; it is refused while a cell is marked invalid.
func (e *result) Verdict() (intercept.Verdict, error) {
	if !e.Touched() {
		return kept(e.draft), nil
	}
	v, answer := e.base, e.held.Answer
	if e.base.Answer != nil {
		answer = e.base.Answer
	}
	if e.mode != noInput && e.input.String() != e.was.text && e.mode != columnInput {
		return intercept.Verdict{}, errors.New("a cell is still open: enter takes it, esc leaves it as it was")
	}
	for i, s := range e.sets {
		if row, col, bad, ok := s.invalid(); ok {
			where := ""
			if len(e.sets) > 1 {
				where = fmt.Sprintf("result %d, ", i+1)
			}
			return intercept.Verdict{}, fmt.Errorf("%srow %d, %s: %w", where, row+1, s.edit.Name(col), bad.err)
		}
		if len(s.done) == 0 {
			continue
		}
		one, err := s.edit.Answer()
		if err != nil {
			return intercept.Verdict{}, err
		}
		if answer, err = s.into(answer, one, e.held.Context); err != nil {
			return intercept.Verdict{}, err
		}
	}
	if !e.stepped() { // a cell was opened and left as it was
		return kept(e.draft), nil
	}
	v.Action, v.Answer = intercept.Forward, answer
	return v, intercept.Check(e.held.Event, &v)
}

// into puts this result as it is in one in place of the same result of a, whose other results may have been edited.
func (s *rowset) into(a, one *mysqlwire.Answer, cx *mysqlwire.Context) (*mysqlwire.Answer, error) {
	to, err := a.Results(cx)
	if err != nil && s.n >= len(to) {
		return nil, err
	}
	from, err := one.Results(cx)
	if err != nil && s.n >= len(from) {
		return nil, err
	}
	out := *a
	out.Packets = append([]mysqlwire.Packet(nil), a.Packets[:to[s.n].First]...)
	out.Packets = append(out.Packets, one.Packets[from[s.n].First:from[s.n].Last+1]...)
	out.Packets = append(out.Packets, a.Packets[to[s.n].Last+1:]...)
	return &out, nil
}

var (
	gridHints = []keymap.ID{
		keymap.Cell, keymap.Null, keymap.Apply, keymap.AddRow, keymap.DupRow, keymap.DeleteRow, keymap.Column, keymap.EditUndo,
		keymap.CellHex, keymap.Draft, keymap.Close,
	}
	cellHints = []keymap.ID{keymap.Null, keymap.NextField, keymap.Close}
)

func (e *result) View(w, h int) string {
	iw, ih := theme.Inner(w, h)
	row, col, some := e.grid.Selected()
	var tail []string
	if e.mode == cellInput || e.mode == bytesInput {
		tail = append(tail, e.env.Theme.Dim.Render(safe.Cut("enter takes it, esc leaves the cell as it was", iw)))
	}
	if e.mode == columnInput {
		tail = append(tail, e.env.Theme.Dim.Render(safe.Cut("a new name; empty removes the column; +name:type adds one at the end", iw)))
	}
	if e.mode != noInput {
		tail = append(tail, e.viewInput(row, col, iw))
	}
	if e.note != "" {
		for i, s := range safe.Wrap(e.note, max(iw, 1)) {
			if i < 2 {
				tail = append(tail, e.env.Theme.Warning.Render(s))
			}
		}
	} else if some && e.mode == noInput {
		tail = append(tail, e.env.Theme.Dim.Render(safe.Cut(e.about(row, col), iw)))
	}
	if some {
		if m := e.set().marks[row]; m != nil {
			if bad, is := m.invalid[col]; is {
				tail = []string{e.env.Theme.Invalid.Render(safe.Cut(e.set().columns[col].Name+": "+bad.err.Error(), iw))}
				if e.mode != noInput {
					tail = append(tail, e.viewInput(row, col, iw))
				}
			}
		}
	}
	e.grid.SetSize(iw, max(ih-1-len(tail), 0))
	body := append(strings.Split(e.grid.View(), "\n"), tail...)
	if e.mode != noInput {
		return e.env.frame(e.Title(), body, keymap.InEditor, cellHints, w, h)
	}
	return e.env.frame(e.Title(), body, keymap.InGrid, gridHints, w, h)
}

// about is what is known of the selected cell.
func (e *result) about(row, col int) string {
	c := &e.set().edit.Columns()[col]
	s := e.set().edit.Name(col) + " " + e.set().edit.Spec(col).Name()
	if c.Flags&mysqlwire.ColumnNotNull != 0 {
		s += " NOT NULL"
	}
	if r, err := e.set().row(row); err == nil && col < r.Len() && !r.Null(col) {
		s += ", " + size(r.Size(col))
	}
	if e.held.Answer.Partial {
		s += "; only the head of this answer is here"
	}
	return s
}

func (e *result) viewInput(row, col, w int) string {
	name := e.set().edit.Name(col)
	label := fmt.Sprintf("row %d, %s %s: ", row+1, name, e.set().edit.Spec(col).Name())
	switch e.mode {
	case columnInput:
		label = "column " + name + ": "
	case bytesInput:
		label = fmt.Sprintf("row %d, %s, bytes: ", row+1, name)
	}
	label = safe.Elide(label, max(w/2, 1))
	return e.env.Theme.Key.Render(label) + e.input.viewLine(e.env.Theme, max(w-safe.Width(label), 1), true)
}
