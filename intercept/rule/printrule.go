package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// String is the rule as [ParseRule] reads it.
func (r *Rule) String() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if r.Name != "" {
		add("%s", printName(r.Name))
	}
	if len(r.At) > 0 {
		add("at %s", joinPoints(r.At, ","))
	}
	if r.Hit.Op != "" {
		add("hit %s %d", r.Hit.Op, r.Hit.N)
	}
	if r.Hit.Per != PerRule {
		add("per %s", r.Hit.Per)
	}
	if r.Prob > 0 {
		add("prob %s", strconv.FormatFloat(r.Prob, 'g', -1, 64))
	}
	if r.Once {
		add("once")
	}
	if r.Pre {
		add("pre")
	}
	if r.Off {
		add("off")
	}
	if r.For > 0 {
		add("for %s then %s", r.For, r.Then)
	}
	if len(r.Do) > 0 && (!slices.Equal(r.Do, defaultActions) || len(parts) == 0 && r.If == nil) {
		var do []string
		for _, a := range r.Do {
			do = append(do, a.String())
		}
		add("do %s", strings.Join(do, "; "))
	}
	if r.If != nil {
		add("if %s", strings.TrimSpace(r.If.String()))
	}
	return strings.Join(parts, " ")
}

// String is the action as it is written in a rule.
func (a Action) String() string {
	s := a.Kind.String()
	switch a.Kind {
	case Delay:
		s += " " + a.Delay.String()
	case Err:
		s += " " + strconv.Itoa(a.Code)
	}
	if a.Text != "" || a.Kind == Rewrite {
		s += " " + strconv.Quote(a.Text)
	}
	return s
}

func printName(name string) string {
	if slices.Contains(keywords, strings.ToLower(name)) || strings.EqualFold(name, "break") || strings.ContainsFunc(name, func(r rune) bool {
		return !(r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	}) {
		return strconv.Quote(name)
	}
	return name
}

func joinPoints(points []Point, sep string) string {
	var names []string
	for _, p := range points {
		names = append(names, p.Short())
	}
	return strings.Join(names, sep)
}
