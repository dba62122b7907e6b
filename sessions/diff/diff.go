// Package diff lines two recordings up and says what is different: the same code path of two versions of an application,
// or in front of two servers.
//
// Connections are paired in the order in which they began, those of the same user first. Within a pair, statements are
// lined up by their digests, keeping their order, as lines of text are by diff; those that have a partner are compared:
// values they were sent with, answers, times. What has none was added or is gone.
package diff

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/sessions"
	"mydbg/sessions/compare"
)

// Options say what to compare. The zero value compares all but times.
type Options struct {
	Filter  *rule.Expr     // only exchanges for which it is true
	Without []compare.Kind // differences that do not count
	Latency time.Duration  // from when on an order of magnitude is a difference; 0 for never
}

// Change is what happened to a statement.
type Change uint8

const (
	Same    Change = iota
	Changed        // it is in both, with other values or another answer
	Gone           // only in the first recording
	Added          // only in the second
)

var changeNames = [...]string{"same", "changed", "gone", "added"}

func (c Change) String() string { return changeNames[c] }

// Step is one statement of a pair of connections.
type Step struct {
	Change Change
	A, B   intercept.Seq        // in each recording; 0 where it is not
	SQL    string               // of the second recording, of the first where it is gone
	Values string               // how the values differ that it was sent with; "" if they do not
	Report []compare.Difference // how the answers differ
	Took   [2]time.Duration     // in each recording
	Conn   [2]intercept.ConnID  // the pair
}

// Totals count steps.
type Totals struct {
	Steps   [Added + 1]int
	Digests []Digest // that differ in number or time, most different first
}

// Different reports whether anything is.
func (t *Totals) Different() bool { return t.Steps[Changed]+t.Steps[Gone]+t.Steps[Added] > 0 }

// Digest is a form of statements in both recordings.
type Digest struct {
	Form   string
	Count  [2]int
	Median [2]time.Duration
}

// Slower reports whether the second recording's answers came later by half, and by what can be felt.
func (d *Digest) Slower() bool {
	return d.Count[0] > 0 && d.Count[1] > 0 && d.Median[1] > d.Median[0]*3/2 && d.Median[1]-d.Median[0] > 500*time.Microsecond
}

// statement is an exchange in short, for lining up.
type statement struct {
	seq  intercept.Seq
	form string
	took time.Duration
}

// Run compares two recordings. Steps are told in order, connection by connection.
func Run(a, b *sessions.Reader, o Options, tell func(Step)) (Totals, error) {
	var t Totals
	forms := map[string]*digestTimes{}
	for _, pair := range pairs(a.Conns(), b.Conns()) {
		var lists [2][]statement
		for side, r := range []*sessions.Reader{a, b} {
			if pair[side] == 0 {
				continue
			}
			var err error
			if lists[side], err = statements(r, pair[side], &o); err != nil {
				return t, err
			}
			for _, s := range lists[side] {
				if forms[s.form] == nil {
					forms[s.form] = &digestTimes{}
				}
				forms[s.form].took[side] = append(forms[s.form].took[side], s.took)
			}
		}
		for _, m := range align(lists[0], lists[1]) {
			step, err := compareStep(a, b, m, &o)
			if err != nil {
				return t, err
			}
			step.Conn = pair
			t.Steps[step.Change]++
			tell(step)
		}
	}
	for form, d := range forms {
		if g := (Digest{form, [2]int{len(d.took[0]), len(d.took[1])}, [2]time.Duration{median(d.took[0]), median(d.took[1])}}); g.Count[0] != g.Count[1] || g.Slower() {
			t.Digests = append(t.Digests, g)
		}
	}
	slices.SortFunc(t.Digests, func(a, b Digest) int {
		if n := weight(&b) - weight(&a); n != 0 {
			return n
		}
		return strings.Compare(a.Form, b.Form)
	})
	return t, nil
}

type digestTimes struct{ took [2][]time.Duration }

func weight(d *Digest) int {
	n := d.Count[1] - d.Count[0]
	if n < 0 {
		n = -n
	}
	return n
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)/2]
}

// pairs matches connections: those of one user in their order, then what is left in its order. 0 is none.
func pairs(a, b []sessions.Conn) [][2]intercept.ConnID {
	var out [][2]intercept.ConnID
	taken := map[intercept.ConnID]bool{}
	find := func(good func(*sessions.Conn) bool) intercept.ConnID {
		for i := range b {
			if !taken[b[i].ID] && b[i].Exchanges > 0 && good(&b[i]) {
				taken[b[i].ID] = true
				return b[i].ID
			}
		}
		return 0
	}
	var alone []intercept.ConnID
	for i := range a {
		if a[i].Exchanges == 0 {
			continue
		}
		if id := find(func(c *sessions.Conn) bool { return c.User == a[i].User && c.Program() == a[i].Program() }); id != 0 {
			out = append(out, [2]intercept.ConnID{a[i].ID, id})
			continue
		}
		alone = append(alone, a[i].ID)
	}
	for _, id := range alone {
		out = append(out, [2]intercept.ConnID{id, find(func(*sessions.Conn) bool { return true })})
	}
	for id := find(func(*sessions.Conn) bool { return true }); id != 0; id = find(func(*sessions.Conn) bool { return true }) {
		out = append(out, [2]intercept.ConnID{0, id})
	}
	return out
}

// statements are those of a connection that its client sent.
func statements(r *sessions.Reader, conn intercept.ConnID, o *Options) ([]statement, error) {
	was, _ := r.Conn(conn)
	var list []statement
	for rec, err := range r.Records(conn) {
		if err != nil {
			return nil, err
		}
		if rec.Parent != 0 || rec.Statement == "" || rec.Command != mysqlwire.ComQuery && rec.Command != mysqlwire.ComStmtExecute {
			continue
		}
		info := was.ConnInfo
		info.User, info.DB = rec.User, rec.DB
		if ok, err := o.Filter.Eval(rec.Env(&info, &rec.Detail, o.Filter.Uses())); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		_, form := rec.Digest()
		list = append(list, statement{rec.Seq, form, rec.Took()})
	}
	return list, nil
}

// compareStep says how the two statements of a match differ.
func compareStep(a, b *sessions.Reader, m match, o *Options) (Step, error) {
	s := Step{A: m.a, B: m.b}
	var recs [2]*sessions.Record
	for i, side := range []struct {
		r   *sessions.Reader
		seq intercept.Seq
	}{{a, m.a}, {b, m.b}} {
		if side.seq == 0 {
			continue
		}
		rec, err := side.r.Record(side.seq)
		if err != nil {
			return s, fmt.Errorf("exchange %d of %s: %w", side.seq, side.r.Path(), err)
		}
		recs[i], s.Took[i], s.SQL = rec, rec.Took(), rec.Statement
	}
	switch {
	case recs[0] == nil:
		s.Change = Added
		return s, nil
	case recs[1] == nil:
		s.Change = Gone
		return s, nil
	}
	s.Values = valuesDiffer(recs[0], recs[1])
	s.Report = compare.Answers(side(recs[0]), side(recs[1]), compare.Options{SQL: recs[1].Statement, Latency: o.Latency, Without: o.Without}).Differences
	if s.Values != "" || len(s.Report) > 0 {
		s.Change = Changed
	}
	return s, nil
}

func side(rec *sessions.Record) compare.Side {
	return compare.Side{Answer: rec.Got(), Context: rec.Context, Took: rec.Took()}
}

// valuesDiffer names the first value that two statements of one form were not both sent with.
func valuesDiffer(a, b *sessions.Record) string {
	was, is := values(a), values(b)
	if len(was) != len(is) {
		return fmt.Sprintf("%d values, were %d", len(is), len(was))
	}
	for i := range was {
		if was[i] != is[i] {
			return fmt.Sprintf("value %d is %.80q, was %.80q", i+1, is[i], was[i])
		}
	}
	return ""
}

// values are the literals of a statement with its parameters in their places.
func values(rec *sessions.Record) []string {
	var params []string
	if m, err := rec.Message(); err == nil {
		if x, ok := m.(*mysqlwire.StmtExecute); ok {
			for i := range x.Params {
				if x.Params[i].Name == "" {
					params = append(params, x.Params[i].String())
				}
			}
		}
	}
	var out []string
	for _, l := range sqltext.Literals(rec.Statement) {
		switch {
		case !l.Marker:
			out = append(out, l.Text)
		case len(params) > 0:
			out = append(out, strings.Trim(params[0], "'"))
			params = params[1:]
		}
	}
	return out
}
