package edit

import (
	"fmt"
	"strconv"
	"strings"

	"mydbg/intercept/rule"
)

// Rule is the rule that does the same to the next ones, when that was ticked.
func (e *respond) Rule() string {
	if !e.repeat || !e.repeatable() {
		return ""
	}
	text, err := e.rule()
	if err != nil {
		return ""
	}
	return text
}

// rule is its text, as the language reads it.
func (e *respond) rule() (string, error) {
	var do []rule.Action
	delay, err := parseDelay(e.delay.String())
	if err != nil {
		return "", err
	}
	if delay > 0 && e.kind != answerHang {
		do = append(do, rule.Action{Kind: rule.Delay, Delay: delay})
	}
	switch e.kind {
	case answerOK:
		do = append(do, rule.Action{Kind: rule.OK})
	case answerERR:
		c, err := e.chosen()
		if err != nil {
			return "", err
		}
		a := rule.Action{Kind: rule.Err, Code: int(c.Code)}
		if e.ownMessage {
			a.Text = e.message.String()
		}
		do = append(do, a)
	case answerClose:
		do = append(do, rule.Action{Kind: rule.Close})
	case answerHang:
		do = append(do, rule.Action{Kind: rule.Hang})
	}
	var n uint64
	hits := strings.TrimSpace(e.hits.String())
	if _, err := fmt.Sscanf(hits, "%d", &n); err != nil || fmt.Sprint(n) != hits || n == 0 {
		return "", fmt.Errorf("repeat: %q is not a number of times", hits)
	}
	cond := `digest == "` + e.digest + `"`
	if e.held.File != nil {
		cond += ` and file == ` + strconv.Quote(e.held.File.Name)
	}
	x, err := rule.Compile(cond)
	if err != nil {
		return "", fmt.Errorf("repeat: %w", err)
	}
	r := rule.Rule{Hit: rule.HitCond{Op: "<=", N: n}, Do: do, If: x}
	if e.held.Point == rule.ReadQueryResult {
		r.At = []rule.Point{rule.ReadQueryResult}
	}
	if _, err := rule.ParseRule(r.String()); err != nil {
		return "", fmt.Errorf("repeat: %w", err)
	}
	return r.String(), nil
}
