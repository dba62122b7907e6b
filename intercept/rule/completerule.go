package rule

import "slices"

// CompleteRule offers what may stand at byte pos of a rule: its parts, hooks after at, actions
// after do, and behind if what [Complete] offers for the condition.
func CompleteRule(src string, pos int) []Candidate {
	pos = min(max(pos, 0), len(src))
	before := []word{}
	l := newLexer(src[:pos])
	for ; !l.done(); l.next() {
		if l.cur.is("if") && l.pos < pos {
			return moved(Complete(src[l.pos:], pos-l.pos), l.pos)
		}
		before = append(before, l.cur)
	}
	if l.err != nil {
		return nil // inside a text
	}
	c := completer{from: pos, to: pos}
	if n := len(before); n > 0 && l.pos == pos && !before[n-1].quoted && before[n-1].off+len(before[n-1].text) == pos && wordLen(before[n-1].text) > 0 {
		c.typed, c.from = before[n-1].text, before[n-1].off
		before = before[:n-1]
	}
	c.rulePart(before)
	return c.found
}

func moved(found []Candidate, by int) []Candidate {
	for i := range found {
		found[i].From += by
		found[i].To += by
	}
	return found
}

// rulePart offers what the words before ask for.
func (c *completer) rulePart(before []word) {
	last := word{}
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	part := "" // the keyword of the part the cursor is in
	for _, w := range before {
		if !w.quoted && slices.Contains(keywords, w.text) || w.is("then") {
			part = w.text
		}
	}
	switch {
	case last.is("at"), part == "at" && last.is(","):
		for _, p := range Points() {
			c.offer(p.Short(), p.String())
		}
	case last.is("hit"):
		for _, op := range []string{"=", "!=", "<", "<=", ">", ">=", "%"} {
			c.offer(op, HitCond{Op: op, N: 3}.words()[2:])
		}
	case last.is("per"):
		c.offer("conn", "count for each connection")
		c.offer("digest", "count for each form of statement")
	case last.is("do"), part == "do" && last.is(";"):
		for _, a := range actionList() {
			c.offer(a, actionDocs[a])
		}
	case last.is("then"):
		c.offer("continue", "let it go on")
		c.offer("err", actionDocs["err"])
		c.offer("ok", actionDocs["ok"])
		c.offer("close", actionDocs["close"])
	case part == "for" && !last.is("for"):
		c.offer("then", "what ends the pause")
	case last.is("for"), last.is("prob"), last.is("delay"), last.is("err"), last.is("rewrite"):
		// a value of one's own
	default:
		for _, k := range keywords {
			if k == "if" || !slices.ContainsFunc(before, func(w word) bool { return w.is(k) }) {
				c.offer(k, partDocs[k])
			}
		}
	}
}

var partDocs = map[string]string{
	"at": "stop at these hooks: at query,result", "hit": "only on some hits: hit % 3", "per": "count per conn or digest", "prob": "by chance: prob 0.1",
	"once": "one time only", "pre": "before scripts", "post": "after scripts, as usual", "off": "not yet", "for": "end a pause by itself: for 20s then continue",
	"do": "what to do instead of pausing", "if": "the condition, last",
}

var actionDocs = map[string]string{
	"pause": "hold it", "log": "write a line: log \"text\"", "bell": "ring the terminal's bell", "mark": "mark it in the list",
	"delay": "let it wait: delay 200ms", "err": "answer an error: err 1213", "ok": "answer OK", "close": "close the connection",
	"hang": "never answer: a timeout test", "rewrite": "send another statement: rewrite \"SELECT 1\"",
}
