package rule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseRule reads a rule from one line:
//
//	[NAME] [at HOOK,…] [hit OP N] [per conn|digest] [prob P] [once] [pre|post] [off]
//	       [for DURATION then ACTION] [do ACTION; …] [if CONDITION]
//
// The condition is last and takes the rest of the line; the others come in any order. A leading
// word "break" is skipped. Actions are pause (the default), log ["TEXT"], bell, mark, delay DURATION,
// err CODE ["MESSAGE"], ok, close, hang and rewrite "SQL"; after then also continue. Errors are of
// type *SyntaxError. A rule is refused if its condition can never be true where it stops.
func ParseRule(line string) (*Rule, error) {
	p := &ruleParser{lexer: newLexer(line)}
	p.parse()
	if p.err == nil {
		p.check()
	}
	if p.err != nil {
		return nil, p.err
	}
	return &p.rule, nil
}

// ParseRules reads one rule per line. Empty lines and lines that start with # are skipped. All
// mistakes are reported, joined, each with its line.
func ParseRules(text string) ([]*Rule, error) {
	var rules []*Rule
	var errs []error
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if t := strings.TrimSpace(line); t == "" || t[0] == '#' {
			continue
		}
		r, err := ParseRule(line)
		var se *SyntaxError
		if errors.As(err, &se) {
			se.Line = n
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		rules = append(rules, r)
	}
	return rules, errors.Join(errs...)
}

// keywords begin the parts of a rule, so they are no names unless quoted.
var keywords = []string{"at", "hit", "per", "prob", "once", "pre", "post", "off", "for", "do", "if"}

type ruleParser struct {
	*lexer
	rule  Rule
	seen  map[string]bool
	atOff int // where the hooks are named
	doOff map[int]int
	ifOff int
}

func (p *ruleParser) parse() {
	p.seen, p.doOff = map[string]bool{}, map[int]int{}
	p.take("break")
	if !p.done() && (p.cur.quoted || !slices.Contains(keywords, strings.ToLower(p.cur.text))) {
		p.name()
	}
	for !p.done() {
		w := p.cur
		key := strings.ToLower(w.text)
		if w.quoted || !slices.Contains(keywords, key) {
			p.unexpected(w)
			return
		}
		if key == "post" || key == "pre" {
			p.once("pre or post", w)
		} else {
			p.once(key, w)
		}
		p.next()
		p.part(key, w)
	}
	if p.err == nil && len(p.rule.Do) == 0 {
		p.rule.Do = slices.Clone(defaultActions)
	}
}

// name takes the first word as the rule's name, unless it looks like the start of a condition.
func (p *ruleParser) name() {
	w := p.cur
	for i, r := range w.text {
		if !(r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80) && !w.quoted {
			p.fail(w.off+i, fmt.Sprintf("unexpected %q in a rule's name", string(r)), "write if before a condition")
			return
		}
	}
	if w.text == "" {
		p.fail(w.off, "empty name", "")
		return
	}
	if strings.ContainsFunc(w.text, func(r rune) bool { return r < ' ' }) {
		p.fail(w.off, "control character in a rule's name", "")
		return
	}
	p.rule.Name = w.text
	p.next()
	if !p.done() && (p.cur.quoted || !slices.Contains(keywords, strings.ToLower(p.cur.text))) {
		near := Nearest(p.cur.text, keywords)
		hint := "write if before a condition"
		if near != "" && !p.cur.quoted {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		p.fail(p.cur.off, fmt.Sprintf("unexpected %q after the name %s", p.cur.text, w.text), hint)
	}
}

func (p *ruleParser) unexpected(w word) {
	hint := "parts of a rule begin with " + strings.Join(keywords, ", ")
	if near := Nearest(w.text, keywords); near != "" && !w.quoted {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	p.fail(w.off, fmt.Sprintf("unexpected %q", w.text), hint)
}

func (p *ruleParser) once(key string, w word) {
	if p.seen[key] {
		p.fail(w.off, fmt.Sprintf("%s is said twice", key), "")
	}
	p.seen[key] = true
}

func (p *ruleParser) part(key string, w word) {
	switch key {
	case "at":
		p.hooks()
	case "hit":
		p.hit(w)
	case "per":
		p.per()
	case "prob":
		p.prob(w)
	case "once":
		p.rule.Once = true
	case "pre":
		p.rule.Pre = true
	case "off":
		p.rule.Off = true
	case "for":
		p.forThen(w)
	case "do":
		p.actions(w)
	case "if":
		p.condition(w)
	}
}

func (p *ruleParser) hooks() {
	p.atOff = p.cur.off
	for {
		w := p.cur
		if p.done() {
			p.fail(w.off, "at without a hook", "the hooks are connect, handshake, auth, auth_result, query, result, disconnect")
			return
		}
		point, err := ParsePoint(w.text)
		var se *SyntaxError
		if errors.As(err, &se) {
			p.fail(w.off, se.Msg, se.Hint)
			return
		}
		if !slices.Contains(p.rule.At, point) {
			p.rule.At = append(p.rule.At, point)
		}
		p.next()
		if !p.take(",") {
			slices.Sort(p.rule.At)
			return
		}
	}
}

func (p *ruleParser) hit(at word) {
	ops := []string{"=", "!=", "<", "<=", ">", ">=", "%"}
	op := p.cur.text
	if op == "==" {
		op = "="
	}
	if p.done() || p.cur.quoted || !slices.Contains(ops, op) {
		p.fail(p.cur.off, "hit needs one of "+strings.Join(ops, " "), "hit >= 3 skips the first two, hit % 3 takes every third")
		return
	}
	p.next()
	n, err := strconv.ParseUint(p.cur.text, 10, 63)
	switch {
	case err != nil || p.cur.quoted:
		p.fail(p.cur.off, fmt.Sprintf("hit %s needs a whole number", op), "")
	case n == 0 && (op == "%" || op == "=" || op == "<=") || n <= 1 && op == "<":
		p.fail(at.off, fmt.Sprintf("hit %s %d never fires", op, n), "hits count from 1")
	}
	p.rule.Hit.Op, p.rule.Hit.N = op, n
	p.next()
}

func (p *ruleParser) per() {
	switch {
	case p.take("conn"):
		p.rule.Hit.Per = PerConn
	case p.take("digest"):
		p.rule.Hit.Per = PerDigest
	default:
		p.fail(p.cur.off, "per needs conn or digest", "")
	}
}

func (p *ruleParser) prob(at word) {
	f, err := strconv.ParseFloat(p.cur.text, 64)
	if err != nil || p.cur.quoted || !(f > 0 && f <= 1) {
		p.fail(at.off, "prob needs a number above 0, up to 1", "prob 0.1 is one in ten")
		return
	}
	p.rule.Prob = f
	p.next()
}

func (p *ruleParser) forThen(at word) {
	p.rule.For = p.duration("for")
	if p.err != nil {
		return
	}
	if !p.take("then") {
		p.fail(at.off, "for needs then and an action", "for 20s then continue")
		return
	}
	off := p.cur.off
	p.rule.Then = p.action()
	switch p.rule.Then.Kind {
	case Continue, Err, OK, Close:
	default:
		p.fail(off, fmt.Sprintf("%s cannot end a pause", p.rule.Then.Kind), "use continue, err CODE, ok or close")
	}
}

func (p *ruleParser) duration(what string) time.Duration {
	d, err := time.ParseDuration(p.cur.text)
	if err != nil || d <= 0 || p.cur.quoted {
		p.fail(p.cur.off, what+" needs a duration", "such as 200ms, 3s, 1m30s")
		return 0
	}
	p.next()
	return d
}

func (p *ruleParser) actions(at word) {
	for {
		off := p.cur.off
		if p.done() {
			p.fail(at.off, "do without an action", "actions are "+strings.Join(actionList(), ", "))
			return
		}
		a := p.action()
		if p.err != nil {
			return
		}
		if a.Kind == Continue {
			p.fail(off, "continue is only for the end of a pause", "for 20s then continue")
			return
		}
		p.doOff[len(p.rule.Do)] = off
		p.rule.Do = append(p.rule.Do, a)
		if !p.take(";") {
			return
		}
		if p.done() {
			return // a closing ; is fine
		}
	}
}

func actionList() []string {
	var out []string
	for k := Pause; k < Continue; k++ {
		out = append(out, k.String())
	}
	return out
}

func (p *ruleParser) action() Action {
	w := p.cur
	var a Action
	for k := Pause; k <= Continue; k++ {
		if !p.done() && w.is(k.String()) {
			a.Kind = k
		}
	}
	if a.Kind == 0 {
		hint := "actions are " + strings.Join(actionList(), ", ")
		p.fail(w.off, fmt.Sprintf("unknown action %q", w.text), hint)
		return a
	}
	p.next()
	switch a.Kind {
	case Delay:
		a.Delay = p.duration("delay")
	case Err:
		code, err := strconv.ParseUint(p.cur.text, 10, 16)
		if err != nil || code == 0 || p.cur.quoted {
			p.fail(p.cur.off, "err needs an error code", `err 1213 or err 1213 "message"`)
			return a
		}
		a.Code = int(code)
		p.next()
	case Rewrite:
		if p.done() || !p.cur.quoted {
			p.fail(p.cur.off, "rewrite needs a statement in quotes", `rewrite "SELECT 1"`)
			return a
		}
	}
	if p.err == nil && p.cur.quoted && (a.Kind == Log || a.Kind == Err || a.Kind == Rewrite) {
		a.Text = p.cur.text
		p.next()
	}
	return a
}

func (p *ruleParser) condition(at word) {
	p.ifOff = p.cur.off
	src := strings.TrimRight(p.src[p.cur.off:], " \t\r\n")
	if src == "" {
		p.fail(at.off, "if without a condition", `if verb == "UPDATE"`)
		return
	}
	p.err = nil // the condition's quotes are not the rule's
	e, err := Compile(src)
	var se *SyntaxError
	if errors.As(err, &se) {
		p.err = se.moved(p.src, p.ifOff)
		return
	}
	p.rule.If = e
	p.pos = len(p.src)
	p.next()
}
