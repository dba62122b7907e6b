package serve

import (
	"fmt"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
)

// Miss is a statement that is not recorded.
type Miss struct {
	Statement string
	Form      string // in which literals are ?
	Nearest   string // recorded statement; "" where nothing is near
	Seq       intercept.Seq
	Differs   string // how the nearest one is different
}

func (m *Miss) String() string {
	if m.Nearest == "" {
		return "not recorded, nor anything like it: " + shorten(m.Statement)
	}
	return fmt.Sprintf("not recorded: %s. Nearest is #%d, %s: %s", shorten(m.Statement), m.Seq, shorten(m.Nearest), m.Differs)
}

const shownText = 160

func shorten(s string) string {
	s = sqltext.OneLine(sqltext.Mask(s))
	if len(s) <= shownText {
		return s
	}
	return strings.ToValidUTF8(s[:shownText], "") + "…"
}

// miss says what is nearest to a statement that is not recorded.
func (ix *index) miss(s *statement) Miss {
	m := Miss{Statement: s.text, Form: s.form}
	var best *item
	most := -1
	for _, it := range ix.byForm[s.form] { // the same statement with other values
		if n := equalValues(it.values, s.values); n > most {
			best, most = it, n
		}
	}
	if best != nil {
		m.Nearest, m.Seq, m.Differs = best.text, best.seq, valuesDiffer(best.values, s.values)
		return m
	}
	words := bag(s.form)
	likest := 0.4 // what shares less is another statement
	for form, list := range ix.byForm {
		if l := likeness(words, bag(form)); l > likest || l == likest && best != nil && list[0].seq < best.seq {
			best, likest = list[0], l
		}
	}
	if best != nil {
		m.Nearest, m.Seq, m.Differs = best.text, best.seq, formsDiffer(best.form, s.form)
	}
	return m
}

func equalValues(a, b []string) int {
	n := 0
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			n++
		}
	}
	return n
}

func valuesDiffer(was, is []string) string {
	if len(was) != len(is) {
		return fmt.Sprintf("it has %d values, this one %d", len(was), len(is))
	}
	for i := range was {
		if was[i] != is[i] {
			return fmt.Sprintf("value %d was %q there and is %q here", i+1, cut(was[i]), cut(is[i]))
		}
	}
	return "only its text is different"
}

func cut(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

// formsDiffer names the words that only one of two statements has.
func formsDiffer(was, is string) string {
	a, b := bag(was), bag(is)
	only := func(has, not map[string]int, text string) string {
		var words []string
		for _, w := range strings.Fields(text) {
			if not[w] < has[w] && len(words) < 5 {
				words = append(words, w)
				not[w]++
			}
		}
		return strings.Join(words, " ")
	}
	missing, more := only(a, bag(is), was), only(b, bag(was), is)
	switch {
	case missing == "" && more == "":
		return "the same words in another order"
	case missing == "":
		return fmt.Sprintf("here is also %s", more)
	case more == "":
		return fmt.Sprintf("there is also %s", missing)
	}
	return fmt.Sprintf("there is %s, here %s", missing, more)
}

func bag(form string) map[string]int {
	words := map[string]int{}
	for w := range strings.FieldsSeq(form) {
		words[w]++
	}
	return words
}

// likeness is the share of words that two statements have in common, 0 to 1.
func likeness(a, b map[string]int) float64 {
	common, all := 0, 0
	for w, n := range a {
		common += min(n, b[w])
		all += max(n, b[w])
	}
	for w, n := range b {
		if a[w] == 0 {
			all += n
		}
	}
	if all == 0 {
		return 0
	}
	return float64(common) / float64(all)
}
