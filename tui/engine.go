package tui

import (
	"errors"

	"mydbg/intercept"
)

// engine is what the screen asks of the proxy.
type engine interface {
	Listen() <-chan struct{} // nil when nobody rings
	Since(version uint64, dst []intercept.Exchange) ([]intercept.Exchange, uint64)
	Gone() uint64
	Detail(s intercept.Seq) (intercept.Detail, bool)
	Acted(c intercept.ConnID, s intercept.Seq) []intercept.Acted
	Mark(s intercept.Seq, on bool)
	Clear()
	Notices(n uint64, dst []intercept.Notice) []intercept.Notice
	Conns() []intercept.ConnInfo
	Conn(id intercept.ConnID) *intercept.Conn // what is known of it when it is closed
	Backends() []intercept.BackendInfo

	Pending() []intercept.Held
	Resolve(id intercept.HoldID, v intercept.Verdict) error
	Keep(id intercept.HoldID)
	ReleaseAll()
	Step(c intercept.ConnID, m intercept.StepMode)
	PauseAll(on bool)
	PausingAll() bool
	Kill(c intercept.ConnID)

	Breaks() (list []intercept.Breakpoint, off bool)
	AddBreak(line string) (id int, err error)
	ReplaceBreak(id int, line string) error
	EnableBreak(id int, on bool) error
	DeleteBreak(id int) error
	BreaksOff(off bool)
}

var errKilled = errors.New("closed from the debugger")

// live is the engine of a running proxy.
type live struct{ p *intercept.Proxy }

func (l live) Listen() <-chan struct{} { return l.p.Journal.Listen() }
func (l live) Since(v uint64, dst []intercept.Exchange) ([]intercept.Exchange, uint64) {
	return l.p.Journal.Since(v, dst)
}
func (l live) Gone() uint64                                    { return l.p.Journal.Gone() }
func (l live) Detail(s intercept.Seq) (intercept.Detail, bool) { return l.p.Journal.Detail(s) }
func (l live) Acted(c intercept.ConnID, s intercept.Seq) []intercept.Acted {
	return l.p.Journal.Acted(c, s)
}
func (l live) Backends() []intercept.BackendInfo { return l.p.Backends() }
func (l live) Mark(s intercept.Seq, on bool)     { l.p.Journal.Mark(s, intercept.MarkMarked, on) }
func (l live) Clear()                            { l.p.Journal.Clear() }
func (l live) Notices(n uint64, dst []intercept.Notice) []intercept.Notice {
	return l.p.Journal.Notices(n, dst)
}
func (l live) Conns() []intercept.ConnInfo { return l.p.Conns() }

func (l live) Conn(id intercept.ConnID) *intercept.Conn {
	if c := l.p.Conn(id); c != nil {
		return c
	}
	return pastConn(l.p.Conns(), id)
}

// pastConn is a connection that is over, as far as it is still known.
func pastConn(infos []intercept.ConnInfo, id intercept.ConnID) *intercept.Conn {
	for i := range infos {
		if infos[i].ID == id {
			return intercept.PastConn(infos[i])
		}
	}
	return &intercept.Conn{ID: id}
}

func (l live) Pending() []intercept.Held { return l.p.Gate.Pending() }
func (l live) Resolve(id intercept.HoldID, v intercept.Verdict) error {
	return l.p.Gate.Resolve(id, v)
}
func (l live) Keep(id intercept.HoldID)                      { l.p.Gate.Keep(id) }
func (l live) ReleaseAll()                                   { l.p.Gate.ReleaseAll(intercept.Verdict{}) }
func (l live) Step(c intercept.ConnID, m intercept.StepMode) { l.p.Step(c, m) }
func (l live) PauseAll(on bool)                              { l.p.Stepper.PauseAll(on) }
func (l live) PausingAll() bool                              { return l.p.Stepper.PausingAll() }
func (l live) Kill(id intercept.ConnID) {
	if c := l.p.Conn(id); c != nil {
		c.Kill(errKilled)
	}
}

func (l live) Breaks() ([]intercept.Breakpoint, bool) {
	return l.p.Breakpoints.List(), l.p.Breakpoints.AllOff()
}
func (l live) AddBreak(line string) (int, error)      { return l.p.Breakpoints.Add(line) }
func (l live) ReplaceBreak(id int, line string) error { return l.p.Breakpoints.Replace(id, line) }
func (l live) EnableBreak(id int, on bool) error      { return l.p.Breakpoints.Enable(id, on) }
func (l live) DeleteBreak(id int) error               { return l.p.Breakpoints.Delete(id) }
func (l live) BreaksOff(off bool)                     { l.p.Breakpoints.Off(off) }
