package intercept

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// Breakpoint is a rule as it stands: its state and what it has done.
type Breakpoint struct {
	ID      int
	Rule    *rule.Rule
	Enabled bool
	Hits    uint64 // events that satisfied the condition
	Fired   uint64 // of them, those it acted on
	Problem string // the last error of its condition
}

// ErrNoBreakpoint means there is no breakpoint of that number.
var ErrNoBreakpoint = errors.New("no such breakpoint")

// Breakpoints are the rules of a proxy: breakpoints that hold, tracepoints that log, and rules that
// delay, answer or close.
type Breakpoints struct {
	proxy *Proxy

	mu   sync.Mutex
	list []*breakpoint
	last int
	off  bool // all of them
}

type breakpoint struct {
	Breakpoint
	counter *rule.Counter
	points  Points
}

func newBreakpoints(p *Proxy) *Breakpoints { return &Breakpoints{proxy: p} }

// Add reads a rule and puts it in force.
func (b *Breakpoints) Add(line string) (id int, err error) {
	r, err := rule.ParseRule(line)
	if err != nil {
		return 0, err
	}
	return b.AddRule(r), nil
}

// AddRule puts a rule in force.
func (b *Breakpoints) AddRule(r *rule.Rule) (id int) {
	b.mu.Lock()
	b.last++
	id = b.last
	b.list = append(b.list, newBreakpoint(id, r))
	b.mu.Unlock()
	b.proxy.rechain()
	return id
}

func newBreakpoint(id int, r *rule.Rule) *breakpoint {
	bp := &breakpoint{Breakpoint: Breakpoint{ID: id, Rule: r, Enabled: !r.Off}, points: At(r.Points()...)}
	counted := *r
	counted.Off = false // Enabled says it here
	bp.counter = rule.NewCounter(&counted)
	return bp
}

// Replace changes the rule of a breakpoint; its counts start anew.
func (b *Breakpoints) Replace(id int, line string) error {
	r, err := rule.ParseRule(line)
	if err != nil {
		return err
	}
	return b.change(id, func(i int) { b.list[i] = newBreakpoint(id, r) })
}

// Enable turns one on or off.
func (b *Breakpoints) Enable(id int, on bool) error {
	return b.change(id, func(i int) { b.list[i].Enabled = on })
}

// Delete removes one.
func (b *Breakpoints) Delete(id int) error {
	return b.change(id, func(i int) { b.list = slices.Delete(b.list, i, i+1) })
}

func (b *Breakpoints) change(id int, edit func(i int)) error {
	b.mu.Lock()
	i := slices.IndexFunc(b.list, func(bp *breakpoint) bool { return bp.ID == id })
	if i >= 0 {
		edit(i)
	}
	b.mu.Unlock()
	if i < 0 {
		return fmt.Errorf("%w: %d", ErrNoBreakpoint, id)
	}
	b.proxy.rechain()
	return nil
}

// Off turns all of them off, or on again as each was.
func (b *Breakpoints) Off(off bool) {
	b.mu.Lock()
	b.off = off
	b.mu.Unlock()
	b.proxy.rechain()
}

// AllOff reports whether Off is in force.
func (b *Breakpoints) AllOff() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.off
}

// List is all of them in the order they were made.
func (b *Breakpoints) List() []Breakpoint {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Breakpoint, len(b.list))
	for i, bp := range b.list {
		list[i] = bp.Breakpoint
		list[i].Hits, list[i].Fired = bp.counter.Total()
	}
	return list
}

// watches reports whether a rule only looks on: then it is asked when the exchange is over, and no
// answer has to be collected for it.
func (bp *breakpoint) watches() bool {
	if bp.points != At(rule.ReadQueryResult) || bp.Rule.If.Uses().Has(usesRow) {
		return false
	}
	return !slices.ContainsFunc(bp.Rule.Do, func(a rule.Action) bool {
		return a.Kind != rule.Log && a.Kind != rule.Bell && a.Kind != rule.Mark
	})
}

// interest is where the rule is asked. One about files is asked about requests for them, and not about
// the answers behind these.
func (bp *breakpoint) interest() Points {
	if bp.Rule.If.Uses().Has(usesFile) && bp.points.Has(rule.ReadQueryResult) {
		return bp.points&^At(rule.ReadQueryResult) | FileRequests
	}
	return bp.points
}

// hooks are the stops of the chain: those before the scripts and those after.
func (b *Breakpoints) hooks() (pre, post []Hook) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.off {
		return nil, nil
	}
	before, after := &stops{set: b}, &stops{set: b}
	for _, bp := range b.list {
		switch {
		case !bp.Enabled || bp.watches():
		case bp.Rule.Pre:
			before.add(bp)
		default:
			after.add(bp)
		}
	}
	if len(before.rules) > 0 {
		pre = []Hook{before}
	}
	if len(after.rules) > 0 {
		post = []Hook{after}
	}
	return pre, post
}

// finished asks the rules that only look on about an exchange that is over.
func (b *Breakpoints) finished(c *Conn, x *Exchange) {
	b.mu.Lock()
	var watching []*breakpoint
	for _, bp := range b.list {
		if bp.Enabled && !b.off && bp.watches() {
			watching = append(watching, bp)
		}
	}
	b.mu.Unlock()
	if len(watching) == 0 {
		return
	}
	info := c.Info()
	for _, bp := range watching {
		uses := bp.Rule.If.Uses()
		var detail *Detail
		if d, ok := b.proxy.Journal.Detail(x.Seq); ok {
			detail = &d // the text is there, not in x
		} else {
			continue
		}
		env := detail.Exchange.Env(&info, detail, uses)
		env.At = rule.ReadQueryResult
		if b.fires(bp, env) {
			b.look(bp, x, c.ID)
		}
	}
}

// fires evaluates a condition and counts.
func (b *Breakpoints) fires(bp *breakpoint, env *rule.Env) bool {
	ok, err := bp.Rule.If.Eval(env)
	if err != nil {
		b.mu.Lock()
		bp.Problem = err.Error()
		b.mu.Unlock()
		return false
	}
	if !ok {
		return false
	}
	_, fires := bp.counter.Hit(env.Conn, env.Digest)
	return fires
}

// look does what a rule that only looks on says.
func (b *Breakpoints) look(bp *breakpoint, x *Exchange, c ConnID) {
	for _, a := range bp.Rule.Do {
		switch a.Kind {
		case rule.Log, rule.Bell:
			b.log(bp, a, c, x.Seq)
		case rule.Mark:
			b.proxy.Journal.Mark(x.Seq, MarkMarked, true)
		}
	}
}

func (b *Breakpoints) log(bp *breakpoint, a rule.Action, c ConnID, s Seq) {
	text := a.Text
	if text == "" {
		text = bp.Rule.String()
	}
	level := Info
	if a.Kind == rule.Bell {
		level = Warning
	}
	b.proxy.Journal.Note(level, c, s, "%s: %s", bp.name(), text)
}

func (bp *breakpoint) name() string {
	kind := "rule"
	if slices.ContainsFunc(bp.Rule.Do, func(a rule.Action) bool { return a.Kind == rule.Pause }) {
		kind = "breakpoint"
	}
	if bp.Rule.Name != "" {
		return fmt.Sprintf("%s %d %q", kind, bp.ID, bp.Rule.Name)
	}
	return fmt.Sprintf("%s %d", kind, bp.ID)
}

// stops is the Hook of the rules of one stage.
type stops struct {
	set      *Breakpoints
	rules    []*breakpoint
	interest Points
	uses     rule.FieldSet
}

func (s *stops) add(bp *breakpoint) {
	s.rules = append(s.rules, bp)
	s.interest |= bp.interest()
	s.uses |= bp.Rule.If.Uses()
	if bp.Rule.Hit.Per == rule.PerDigest {
		s.uses |= usesDigest
	}
}

func (s *stops) Name() string     { return "breakpoints" }
func (s *stops) Interest() Points { return s.interest }

func (s *stops) Handle(_ context.Context, ev *Event) (Verdict, error) {
	var sum Verdict
	var env *rule.Env
	for _, bp := range s.rules {
		if !bp.interest().asked(ev) {
			continue
		}
		if env == nil {
			env = ev.env(s.uses)
		}
		if !s.set.fires(bp, env) {
			continue
		}
		v, err := s.set.verdict(bp, ev)
		if err != nil {
			v = Verdict{Action: Hold, By: bp.name(), Why: err.Error()}
		}
		sum = merge(sum, v)
	}
	return sum, nil
}

// verdict carries out a rule's actions, in order.
func (b *Breakpoints) verdict(bp *breakpoint, ev *Event) (Verdict, error) {
	v := Verdict{By: bp.name(), Why: bp.Rule.String()}
	for _, a := range bp.Rule.Do {
		switch a.Kind {
		case rule.Log, rule.Bell:
			b.log(bp, a, ev.Conn.ID, ev.Exchange)
		case rule.Mark:
			v.Marked = true
		case rule.Delay:
			v.Delay += a.Delay
		case rule.Pause:
			v.Action = Hold
			if bp.Rule.For > 0 {
				then, err := acted(ev, bp.Rule.Then, bp.name())
				if err != nil {
					return v, err
				}
				v.holdFor, v.then = bp.Rule.For, &then
			}
		default:
			done, err := acted(ev, a, v.By)
			if err != nil {
				return v, err
			}
			v.Action, v.Answer, v.Queries = done.Action, done.Answer, done.Queries
		}
	}
	return v, nil
}

// acted is the verdict of an action that changes traffic.
func acted(ev *Event, a rule.Action, by string) (Verdict, error) {
	v := Verdict{By: by}
	switch a.Kind {
	case rule.Continue:
	case rule.Err:
		state, text := "HY000", a.Text
		if known, ok := mysqlwire.ErrorByCode(uint16(a.Code)); ok {
			state = known.SQLState
			if text == "" {
				text = known.Message
			}
		}
		if text == "" {
			text = fmt.Sprintf("error %d", a.Code)
		}
		text, err := ev.Context.ToResultSet(text)
		if err != nil {
			return v, err
		}
		v.Action, v.Answer = Reply, mysqlwire.ERRAnswer(uint16(a.Code), state, text)
	case rule.OK:
		answer, err := OKFor(ev)
		if err != nil {
			return v, err
		}
		v.Action, v.Answer = Reply, answer
	case rule.Close:
		v.Action = Close
	case rule.Hang:
		v.Action = Hang
	case rule.Rewrite:
		plan, err := Rewrite(ev, a.Text, FromRule)
		if err != nil {
			return v, err
		}
		v.Action, v.Queries = Forward, plan
	}
	return v, nil
}

// OKFor is a plain OK as ev's client understands it.
func OKFor(ev *Event) (*mysqlwire.Answer, error) {
	ok := &mysqlwire.OK{Status: mysqlwire.Status(ev.Conn.status.Load())}
	if ok.Status == 0 {
		ok.Status = mysqlwire.StatusAutocommit
	}
	payload, err := ok.Encode(nil, ev.Context)
	if err != nil {
		return nil, err
	}
	return &mysqlwire.Answer{Command: ev.Command(), Packets: []mysqlwire.Packet{{Kind: mysqlwire.KindOK, Payload: payload}}}, nil
}
