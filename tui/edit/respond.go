package edit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
)

// answerKind is what the app gets.
type answerKind int

const (
	answerOK answerKind = iota
	answerERR
	answerRows
	answerCopy
	answerClose
	answerHang
)

var answerNames = [...]string{"OK", "ERR", "Result set", "Copy of", "Close", "Hang"}

// Respond makes an answer in the server's place. It is a Ruler.
func Respond(h intercept.Held, draft *intercept.Verdict, env Env) (Editor, error) {
	e := &respond{env: env, held: h, digest: digest(h.SQL)}
	switch h.Point {
	case rule.Disconnect:
		return nil, errors.New("nobody waits for an answer at disconnect")
	case rule.ConnectServer, rule.ReadHandshake:
		e.kinds = []answerKind{answerERR, answerClose, answerHang}
		e.why = "the app waits for a greeting here: an error can stand in its place, an OK cannot"
	case rule.ReadAuth, rule.ReadAuthResult:
		e.kinds = []answerKind{answerOK, answerERR, answerClose, answerHang}
	case rule.ReadQueryResult:
		switch {
		case h.File != nil:
		case !h.Query.Show:
			return nil, errors.New("this is the answer to an injected query: the app does not see it")
		case h.Answer == nil:
			return nil, errors.New("the answer has gone to the app already")
		}
		e.kinds = answersTo(h.Command())
		if h.File != nil {
			e.kinds = []answerKind{answerERR, answerClose, answerHang}
			e.why = "the server waits for a file: it is told that there is none, and the app gets the error"
		}
	default:
		e.kinds = answersTo(h.Command())
		if !h.Command().Answered() {
			e.why = h.Command().String() + " has no answer: the app would take one for that of its next command. It can only be closed"
		}
	}
	e.begin(draft)
	e.check()
	return e, nil
}

// answersTo are the answers that the sender of a command can read.
func answersTo(c mysqlwire.Command) []answerKind {
	switch {
	case !c.Answered():
		return []answerKind{answerClose}
	case c == mysqlwire.ComQuery, c == mysqlwire.ComStmtExecute, c == mysqlwire.ComProcessInfo:
		return []answerKind{answerOK, answerERR, answerRows, answerCopy, answerClose, answerHang}
	case c == mysqlwire.ComStmtPrepare, c == mysqlwire.ComStmtFetch, c == mysqlwire.ComFieldList, c == mysqlwire.ComStatistics,
		c == mysqlwire.ComBinlogDump, c == mysqlwire.ComBinlogDumpGTID:
		return []answerKind{answerERR, answerClose, answerHang}
	}
	return []answerKind{answerOK, answerERR, answerClose, answerHang}
}

// respond is the form of an answer.
type respond struct {
	env   Env
	held  intercept.Held
	base  intercept.Verdict
	kinds []answerKind
	why   string // why some are missing

	digest string // of the statement

	respondState
	history[respondState]

	fresh   bool // the focus has just come to a short text: what is typed replaces it
	matches []mysqlwire.ErrorCode
	answer  *mysqlwire.Answer // as it would be sent
	err     error
}

type respondState struct {
	kind  answerKind
	focus stop

	affected, insertID, warnings, info text

	code, state, message  text
	pick                  int // of the errors that match
	ownState, ownMessage  bool
	columns, rows         text
	from                  text
	delay                 text
	rollback, ownRollback bool
	repeat                bool
	hits                  text
	copied                *mysqlwire.Answer // what answerCopy started from, when from is empty
}

// stop is a place for the focus.
type stop int

const (
	atKind stop = iota
	atAffected
	atInsertID
	atWarnings
	atInfo
	atCode
	atState
	atMessage
	atColumns
	atRows
	atFrom
	atDelay
	atRollback
	atRepeat
	atHits
)

// inTransaction reports whether the server has a transaction open for the app.
func (e *respond) inTransaction() bool {
	if e.held.Counts.Status.Has(mysqlwire.StatusInTrans) {
		return true
	}
	if e.held.Conn != nil {
		info := e.held.Conn.Info()
		return info.Status.Has(mysqlwire.StatusInTrans)
	}
	return false
}

// stops are the places for the focus, as the form stands.
func (e *respond) stops() []stop {
	list := []stop{atKind}
	switch e.kind {
	case answerOK:
		if e.command() {
			list = append(list, atAffected, atInsertID)
		}
		list = append(list, atWarnings, atInfo)
	case answerERR:
		list = append(list, atCode, atState, atMessage)
	case answerRows:
		list = append(list, atColumns, atRows)
	case answerCopy:
		list = append(list, atFrom)
	}
	if e.kind != answerHang {
		list = append(list, atDelay)
	}
	if e.offersRollback() {
		list = append(list, atRollback)
	}
	if e.repeatable() {
		list = append(list, atRepeat)
		if e.repeat {
			list = append(list, atHits)
		}
	}
	return list
}

// command reports whether the event belongs to the command phase.
func (e *respond) command() bool {
	return e.held.Point == rule.ReadQuery || e.held.Point == rule.ReadQueryResult
}

func (e *respond) offersRollback() bool {
	return e.kind == answerERR && e.command() && e.inTransaction()
}

// repeatable reports whether a rule can do the same: rules have no rows.
func (e *respond) repeatable() bool {
	return e.command() && e.held.SQL != "" && e.kind != answerRows && e.kind != answerCopy
}

// input is the text that has the focus, nil for what is no text.
func (e *respond) input() *text {
	switch e.focus {
	case atAffected:
		return &e.affected
	case atInsertID:
		return &e.insertID
	case atWarnings:
		return &e.warnings
	case atInfo:
		return &e.info
	case atCode:
		return &e.code
	case atState:
		return &e.state
	case atMessage:
		return &e.message
	case atColumns:
		return &e.columns
	case atRows:
		return &e.rows
	case atFrom:
		return &e.from
	case atDelay:
		return &e.delay
	case atHits:
		return &e.hits
	}
	return nil
}

func (e *respond) Title() string {
	if e.held.Point == rule.ReadQueryResult {
		return "Respond to " + name(e.held.Event) + " in place of the server"
	}
	return "Respond to " + name(e.held.Event) + " without the server"
}

func (e *respond) Busy() bool { return false }

func (e *respond) Update(msg tea.Msg) tea.Cmd {
	k, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	was := e.respondState
	switch a := e.env.action(keymap.InEditor, k); a {
	case keymap.EditUndo:
		if s, ok := e.undo(e.respondState); ok {
			e.respondState = s
		}
	case keymap.EditRedo:
		if s, ok := e.redo(e.respondState); ok {
			e.respondState = s
		}
	case keymap.NextField:
		e.walk(1)
		return nil
	case keymap.PrevField:
		e.walk(-1)
		return nil
	default:
		if edited, group := e.key(k); edited {
			e.did(was, group)
		}
	}
	e.check()
	return nil
}

// walk moves the focus around the form.
func (e *respond) walk(by int) {
	e.follow()
	list := e.stops()
	i := slices.Index(list, e.focus)
	e.focus = list[((i+by)%len(list)+len(list))%len(list)]
	e.fresh = e.short()
}

// short reports whether the text that has the focus is rather typed anew than changed.
func (e *respond) short() bool {
	switch e.focus {
	case atAffected, atInsertID, atWarnings, atCode, atState, atDelay, atHits:
		return true
	}
	return false
}

// key gives a key to what has the focus.
func (e *respond) key(k tea.KeyMsg) (edited bool, group string) {
	s := k.String()
	types := k.Type == tea.KeyRunes && !k.Alt
	if types && e.focus == atKind && e.kind == answerERR { // who types means the error
		e.focus, e.fresh = atCode, true
	}
	if e.fresh && s != "up" && s != "down" {
		e.fresh = false
		if types {
			e.input().set("")
		}
	}
	switch e.focus {
	case atKind:
		i := slices.Index(e.kinds, e.kind)
		switch s {
		case "left":
			e.kind = e.kinds[(i+len(e.kinds)-1)%len(e.kinds)]
			return true, "kind"
		case "right", " ":
			e.kind = e.kinds[(i+1)%len(e.kinds)]
			return true, "kind"
		}
	case atRollback, atRepeat:
		if s == " " || s == "enter" {
			if e.focus == atRollback {
				e.rollback, e.ownRollback = !e.rollback, true
			} else {
				e.repeat = !e.repeat
			}
			return true, ""
		}
	case atCode:
		if n := len(mysqlwire.SearchErrors(e.code.String())); n > 0 && (s == "up" || s == "down") {
			by := map[string]int{"up": n - 1, "down": 1}[s]
			e.pick = (e.pick + by) % n
			e.follow()
			return true, "pick"
		}
	}
	if in := e.input(); in != nil {
		taken, edited := in.key(k)
		if edited {
			e.typed()
		}
		if taken {
			return edited, typing(itoa(int(e.focus)), k)
		}
	}
	switch s {
	case "down", "enter":
		e.walk(1)
	case "up":
		e.walk(-1)
	}
	return false, ""
}

// typed draws conclusions from an edit of the text that has the focus.
func (e *respond) typed() {
	switch e.focus {
	case atCode:
		e.pick = 0
		e.follow()
	case atState: // emptied, it follows again once the focus has gone
		e.ownState = e.state.String() != ""
	case atMessage:
		e.ownMessage = e.message.String() != ""
	}
}

// chosen is the error that the form names.
func (e *respond) chosen() (mysqlwire.ErrorCode, error) {
	s := strings.TrimSpace(e.code.String())
	if s == "" {
		return mysqlwire.ErrorCode{}, errors.New("no error code yet: type a number or words of the message")
	}
	list := mysqlwire.SearchErrors(s)
	var n uint16
	if _, err := fmt.Sscanf(s, "%d", &n); err == nil && fmt.Sprint(n) == s && e.pick == 0 {
		if known, ok := mysqlwire.ErrorByCode(n); ok {
			return known, nil
		}
		if n > 0 {
			return mysqlwire.ErrorCode{Code: n, SQLState: "HY000"}, nil
		}
	}
	if len(list) == 0 {
		return mysqlwire.ErrorCode{}, fmt.Errorf("no error has %q in its number, symbol or message", s)
	}
	return list[min(e.pick, len(list)-1)], nil
}

// follow lets SQLSTATE and message go with the code until the person changes them.
func (e *respond) follow() {
	c, err := e.chosen()
	if err != nil {
		return
	}
	if !e.ownState {
		e.state = oneLine(c.SQLState)
	}
	if !e.ownMessage {
		e.message = oneLine(c.Message)
	}
}

func (e *respond) check() {
	e.matches = nil
	if e.kind == answerERR {
		e.matches = mysqlwire.SearchErrors(e.code.String())
		if c, err := e.chosen(); err == nil && !e.ownRollback {
			e.rollback = c.Code == 1213 // the server has rolled back then
		}
	}
	if !slices.Contains(e.stops(), e.focus) {
		e.focus = atKind
	}
	var v intercept.Verdict
	v, e.err = e.Verdict()
	e.answer = v.Answer
	if e.err == nil && e.repeat && e.repeatable() {
		_, e.err = e.rule()
	}
}

func (e *respond) Verdict() (intercept.Verdict, error) {
	v := intercept.Verdict{Backend: e.base.Backend, CloseAfter: e.base.CloseAfter, Marked: e.base.Marked}
	var err error
	switch e.kind {
	case answerClose:
		v.Action = intercept.Close
	case answerHang:
		v.Action = intercept.Hang
	default:
		v.Action = intercept.Reply
		if v.Answer, err = e.make(); err != nil {
			return intercept.Verdict{}, err
		}
	}
	if e.kind != answerHang {
		if v.Delay, err = parseDelay(e.delay.String()); err != nil {
			return intercept.Verdict{}, err
		}
	}
	if e.offersRollback() && e.rollback {
		q, err := injected(e.held.Event, "ROLLBACK", false)
		if err != nil {
			return intercept.Verdict{}, err
		}
		q.Need = false
		v.Queries = []intercept.Query{q}
	}
	return v, intercept.Check(e.held.Event, &v)
}

// parseDelay reads 200ms, 3s, or a number of milliseconds.
func parseDelay(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		d, err = time.ParseDuration(s + "ms")
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("delay: %q is no duration; 200ms or 3s is one", s)
	case d < 0:
		return 0, errors.New("delay: it cannot be negative")
	case d > time.Hour:
		return 0, errors.New("delay: an hour at most")
	}
	return d, nil
}
