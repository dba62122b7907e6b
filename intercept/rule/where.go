package rule

import (
	"fmt"
	"slices"
	"strings"
)

// Points is where the rule stops: as `at` says, else at the hooks its condition names, else at
// result if the condition asks for something of the answer, else at query.
func (r *Rule) Points() []Point {
	if len(r.At) > 0 {
		return slices.Clone(r.At)
	}
	return r.If.stops()
}

// Uses is what the caller must fill in for the rule: the condition's fields, and digest where hits
// are counted by it.
func (r *Rule) Uses() FieldSet {
	uses := r.If.Uses()
	if r.Hit.Per == PerDigest {
		uses |= Set("digest")
	}
	return uses
}

// stops infers where a condition wants to be asked.
func (e *Expr) stops() []Point {
	usual := max(e.Point(), ReadQuery)
	if e == nil || len(e.hooks) == 0 {
		return []Point{usual}
	}
	asked := slices.Clone(e.hooks)
	if !slices.Contains(asked, usual) {
		asked = append(asked, usual)
	}
	slices.Sort(asked)
	return slices.DeleteFunc(asked, func(p Point) bool { return !e.MayHoldAt(p) })
}

// check refuses a rule that could never fire.
func (p *ruleParser) check() {
	r := &p.rule
	for _, at := range r.At {
		if unknown := r.If.Uses() &^ r.If.Uses().knownAt(at); unknown != 0 {
			f := fieldsByName[unknown.Names()[0]]
			p.fail(p.atOff, fmt.Sprintf("%s is not known at %s", f.Name, at.Short()), whereKnown(f, r.At, at))
			return
		}
	}
	where := r.Points()
	if !slices.ContainsFunc(where, r.If.MayHoldAt) {
		p.fail(p.ifOff, "the condition is never true", r.If.whyNever())
		return
	}
	for i, a := range r.Do {
		if msg, hint := unfit(a, where); msg != "" {
			p.fail(p.doOff[i], msg, hint)
			return
		}
	}
}

func whereKnown(f Field, named []Point, at Point) string {
	first := f.From.Short()
	switch {
	case at == Disconnect:
		return fmt.Sprintf("it belongs to a statement: use at %s", first)
	case slices.ContainsFunc(named, f.KnownAt):
		return fmt.Sprintf("%s is known from %s on; remove %s from at", f.Name, first, at.Short())
	case f.From == ReadQueryResult:
		return fmt.Sprintf("%s is known at result only; remove `at %s`", f.Name, at.Short())
	}
	return fmt.Sprintf("%s is known from %s on; use at %s", f.Name, first, first)
}

func (e *Expr) whyNever() string {
	if len(e.hooks) == 0 || !e.MayHoldAt(0) {
		return "it contradicts itself"
	}
	var late []string
	for _, p := range e.hooks {
		if unknown := e.uses &^ e.uses.knownAt(p); unknown != 0 {
			late = append(late, fmt.Sprintf("%s is not known at %s", strings.Join(unknown.Names(), ", "), p.Short()))
		}
	}
	return strings.Join(late, "; ")
}

// unfit says why an action cannot be done at any of the points.
func unfit(a Action, where []Point) (msg, hint string) {
	if slices.ContainsFunc(where, func(p Point) bool { return fits(a.Kind, p) }) {
		return "", ""
	}
	stops := joinPoints(where, ", ")
	switch a.Kind {
	case Rewrite:
		return fmt.Sprintf("rewrite needs a statement: it is done at query, this rule stops at %s", stops), "remove what asks for the answer"
	case Err, OK:
		return fmt.Sprintf("%s needs somebody waiting for an answer, this rule stops at %s", a.Kind, stops), "use another hook"
	}
	return fmt.Sprintf("%s does nothing at %s", a.Kind, stops), ""
}

func fits(k ActionKind, p Point) bool {
	switch k {
	case Rewrite:
		return p == ReadQuery
	case Err, OK, Close, Hang:
		return p != Disconnect
	}
	return true
}
