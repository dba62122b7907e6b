package traffic

import (
	"strings"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
)

// probe is a condition that is being tried on everything kept.
type probe struct {
	expr    *rule.Expr
	gen     uint32
	next    intercept.Seq
	matched int
	done    bool
	become  bool // the filter, once done
}

// slice is how many exchanges are looked at between two looks at the clock.
const slice = 64

// Whole is a recording of which the pane has the part that is looked at: what it is filtered by, which is
// done outside, and how many exchanges there are.
type Whole struct {
	Filter         *rule.Expr // nil shows everything
	Matched, Total int
	Busy           bool // not everything has been asked yet
}

// SetWhole says that the pane has a part of a recording. What is fed then is shown; exchanges may be any, but come in
// their order, until Reset. nil is for live traffic.
func (p *Pane) SetWhole(w *Whole) {
	if p.whole == nil && w != nil {
		p.places = map[intercept.Seq]int{}
	}
	if w == nil {
		p.places = nil
	}
	p.whole = w
}

// Filter is the condition in force; nil shows everything.
func (p *Pane) Filter() *rule.Expr {
	if p.whole != nil {
		return p.whole.Filter
	}
	return p.filter
}

// Probe starts counting what matches e; nil stops.
func (p *Pane) Probe(e *rule.Expr) {
	if e == nil {
		p.probe = nil
		return
	}
	p.gen++
	p.probe = &probe{expr: e, gen: p.gen, next: p.lo}
}

// Probed is how many of the kept exchanges match what is tried; done when all were asked.
func (p *Pane) Probed() (matched int, done bool) {
	if p.probe == nil {
		return 0, true
	}
	return p.probe.matched, p.probe.done
}

// SetFilter hides what does not match e, as soon as everything was asked; nil shows everything.
func (p *Pane) SetFilter(e *rule.Expr) {
	if e == nil {
		p.filter, p.probe, p.todo = nil, nil, nil
		for i := range p.ring {
			p.ring[i].shown, p.ring[i].pin = p.ring[i].x.Seq != 0, false
		}
		p.rebuild()
		return
	}
	if p.probe == nil || p.probe.expr.String() != e.String() {
		p.Probe(e)
	}
	p.probe.become = true
	if p.probe.done {
		p.adopt()
	}
}

// Busy reports whether Work has something to do.
func (p *Pane) Busy() bool { return len(p.todo) > 0 || p.probe != nil && !p.probe.done }

// Work goes on with conditions for about as long as budget.
func (p *Pane) Work(budget time.Duration) {
	if !p.Busy() {
		return
	}
	end := time.Now().Add(budget)
	for len(p.todo) > 0 {
		n := min(slice, len(p.todo))
		for _, s := range p.todo[:n] {
			if it := p.item(s); it != nil {
				p.set(it, it.pin || p.matches(p.filter, it))
			}
		}
		p.todo = p.todo[n:]
		if time.Now().After(end) {
			break
		}
	}
	if len(p.todo) == 0 {
		p.todo = nil
	}
	for pr := p.probe; pr != nil && !pr.done && time.Now().Before(end); {
		for range slice {
			if pr.next > p.hi || p.hi == 0 {
				pr.done = true
				break
			}
			if it := p.item(pr.next); it != nil {
				it.probe.gen, it.probe.ver = pr.gen, it.x.Version
				if it.probe.ok = p.matches(pr.expr, it); it.probe.ok {
					pr.matched++
				}
			}
			pr.next++
		}
	}
	if p.probe != nil && p.probe.done && p.probe.become {
		p.adopt()
	}
	p.arrange()
}

// adopt makes the tried condition the filter. What changed since it was asked is asked again.
func (p *Pane) adopt() {
	pr := p.probe
	p.filter, p.probe, p.todo = pr.expr, nil, nil
	for i := range p.ring {
		it := &p.ring[i]
		if it.x.Seq == 0 {
			continue
		}
		it.pin = false
		it.shown = it.probe.gen == pr.gen && it.probe.ok
		if it.probe.gen != pr.gen || it.probe.ver != it.x.Version {
			p.todo = append(p.todo, it.x.Seq)
		}
	}
	p.rebuild()
}

func (p *Pane) set(it *item, on bool) {
	if on {
		p.show(it)
	} else {
		p.hide(it)
	}
}

// matches asks a condition about an exchange. One that cannot be answered hides nothing.
func (p *Pane) matches(e *rule.Expr, it *item) bool {
	var detail *intercept.Detail
	if p.detail != nil && (intercept.NeedsDetail(e.Uses()) || it.x.SQLLen > len(it.x.SQL)) {
		if d, ok := p.detail(it.x.Seq); ok {
			detail = &d
		}
	}
	info := intercept.ConnInfo{ID: it.x.Conn}
	if s := p.byConn[it.x.Conn]; s != nil {
		info = s.info
	}
	ok, err := e.Eval(it.x.Env(&info, detail, e.Uses()))
	return ok || err != nil
}

// Search selects the nearest row that has text, below the selected one or above it.
func (p *Pane) Search(text string, dir int) bool {
	p.SetSearching(text)
	text = p.search
	if text == "" {
		return false
	}
	return p.list.Search(dir, func(i int) bool {
		id := p.ID(i)
		if id&kindMask == rowConn {
			if s := p.byConn[intercept.ConnID(id>>kindBits)]; s != nil {
				return strings.Contains(strings.ToLower(connTitle(&s.info)), p.search)
			}
		}
		it := p.item(intercept.Seq(id >> kindBits))
		return id&kindMask == rowExchange && it != nil && strings.Contains(strings.ToLower(it.x.SQL), p.search)
	})
}

// SetSearching says what was searched for where the pane does not do it.
func (p *Pane) SetSearching(text string) {
	if text = strings.ToLower(text); text != p.search {
		p.search = text
		p.look++
	}
}

// Searching is the text last searched for.
func (p *Pane) Searching() string { return p.search }

// Probing reports whether a condition is being tried.
func (p *Pane) Probing() bool { return p.probe != nil }
