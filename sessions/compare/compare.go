// Package compare says how the answer that a statement gets now differs from the one it got before.
//
// Answers is the whole of it: rows, values, types, order where the statement asks for one, counts, errors, warnings.
// What is different each time by its nature (NOW(), CONNECTION_ID(), SHOW STATUS) is found by the statement's text and
// not compared; see sqltext.Repeatable. Equal answers, the usual case, are found equal by their bytes without decoding
// a row.
package compare

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"

	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// Kind is what differs.
type Kind uint8

const (
	Error    Kind = iota // one failed and the other did not, or with another error
	Results              // another number of results, or a result set against none
	Columns              // another number of columns, or other names
	Types                // a column of another type
	RowCount             // another number of rows
	Missing              // a row that is not there any more
	Extra                // a row that was not there
	Value                // a cell
	Order                // the same rows in another order
	Affected             // another number of affected rows
	InsertID             // another LAST_INSERT_ID
	Warnings             // another number of warnings
	Latency              // slower or faster by an order of magnitude
)

var kindNames = [...]string{
	"error", "results", "columns", "types", "row count", "missing row", "extra row", "value", "order", "affected rows", "insert id", "warnings", "latency",
}

func (k Kind) String() string { return kindNames[k] }

// Difference is one thing that differs. Want is what was, Got what is.
type Difference struct {
	Kind   Kind
	Result int    // of several, from 0
	Row    int    // from 0 in the answer that has it, -1 where the difference is not in a row
	Column string // name, of Types and Value
	Want   string
	Got    string
	More   int // differences of this kind in this result that are not listed
}

func (d Difference) String() string {
	var b strings.Builder
	b.WriteString(d.Kind.String())
	if d.Result > 0 {
		fmt.Fprintf(&b, " in result %d", d.Result+1)
	}
	if d.Row >= 0 {
		fmt.Fprintf(&b, " %d", d.Row+1)
	}
	if d.Kind == Value {
		b.Reset()
		fmt.Fprintf(&b, "row %d", d.Row+1)
		if d.Result > 0 {
			fmt.Fprintf(&b, " of result %d", d.Result+1)
		}
	}
	if d.Column != "" {
		b.WriteString(", " + d.Column)
	}
	switch {
	case d.Kind == Missing:
		b.WriteString(": " + d.Want)
	case d.Kind == Extra:
		b.WriteString(": " + d.Got)
	default:
		fmt.Fprintf(&b, ": %s, was %s", d.Got, d.Want)
	}
	if d.More > 0 {
		fmt.Fprintf(&b, " (and %d more)", d.More)
	}
	return b.String()
}

// Side is one of the two answers.
type Side struct {
	Answer  *mysqlwire.Answer
	Context *mysqlwire.Context // decodes it
	Took    time.Duration      // 0 is not known
}

// Options say what to compare. The zero value compares everything but latency.
type Options struct {
	SQL     string        // the statement; decides on order and on what is volatile
	Limit   int           // differences listed of one kind in one result; 5 if 0
	Latency time.Duration // a difference in time counts if one side took this long, and ten times the other; 0 for never
	Without []Kind        // not compared
}

// Report is the outcome. It is in order where Differences is empty.
type Report struct {
	Differences []Difference
	Skipped     []string // functions and variables whose values were not compared
}

// Answers compares what a statement gets now with what it got. An answer that cannot be decoded, or was kept in part
// only, is compared as far as it goes.
func Answers(want, got Side, o Options) Report {
	c := comparison{o: o, repeat: sqltext.Repeatable(o.SQL)}
	if c.o.Limit == 0 {
		c.o.Limit = 5
	}
	c.latency(want.Took, got.Took)
	if !same(want, got) {
		c.answers(want, got)
	}
	if c.skipped {
		c.report.Skipped = c.repeat.Volatile
		if len(c.repeat.Volatile) == 0 {
			c.report.Skipped = []string{"the server's state"}
		}
	}
	return c.report
}

// forms are the capabilities that the form of an answer depends on.
const forms = mysqlwire.DeprecateEOF | mysqlwire.SessionTrack | mysqlwire.OptionalResultsetMetadata | mysqlwire.MariaDBExtendedMetadata |
	mysqlwire.MariaDBCacheMetadata

// same reports whether two answers are the same bytes of the same form, which needs no decoding.
func same(a, b Side) bool {
	if len(a.Answer.Packets) != len(b.Answer.Packets) || a.Answer.Partial || b.Answer.Partial || (a.Context.Caps^b.Context.Caps)&forms != 0 {
		return false
	}
	for i, p := range a.Answer.Packets {
		if p.Kind != b.Answer.Packets[i].Kind || !bytes.Equal(p.Payload, b.Answer.Packets[i].Payload) {
			return false
		}
	}
	return true
}

// comparison collects the differences of two answers.
type comparison struct {
	o       Options
	repeat  sqltext.Repeat
	result  int // being compared
	counts  map[Kind]int
	report  Report
	skipped bool
}

// add lists a difference, or counts it where enough are listed.
func (c *comparison) add(d Difference) {
	for _, k := range c.o.Without {
		if k == d.Kind {
			return
		}
	}
	d.Result = c.result
	if c.counts == nil {
		c.counts = map[Kind]int{}
	}
	c.counts[d.Kind]++
	if c.counts[d.Kind] <= c.o.Limit {
		c.report.Differences = append(c.report.Differences, d)
		return
	}
	for i := len(c.report.Differences) - 1; i >= 0; i-- {
		if last := &c.report.Differences[i]; last.Kind == d.Kind && last.Result == d.Result {
			last.More++
			return
		}
	}
}

func (c *comparison) unequal(k Kind, want, got any) {
	if w, g := fmt.Sprint(want), fmt.Sprint(got); w != g {
		c.add(Difference{Kind: k, Row: -1, Want: w, Got: g})
	}
}

// latency compares orders of magnitude: times within one depend on the machine's mood.
func (c *comparison) latency(want, got time.Duration) {
	if c.o.Latency <= 0 || want <= 0 || got <= 0 || max(want, got) < c.o.Latency {
		return
	}
	if math.Abs(math.Log10(float64(got)/float64(want))) >= 1 {
		c.add(Difference{Kind: Latency, Row: -1, Want: want.Round(10 * time.Microsecond).String(), Got: got.Round(10 * time.Microsecond).String()})
	}
}

func (c *comparison) answers(want, got Side) {
	w, werr := want.Answer.Results(want.Context)
	g, gerr := got.Answer.Results(got.Context)
	if werr != nil || gerr != nil {
		c.unequal(Results, outcome(len(w), werr), outcome(len(g), gerr))
	}
	partial := want.Answer.Partial || got.Answer.Partial
	for i := range min(len(w), len(g)) {
		c.result, c.counts = i, nil
		c.results(&w[i], &g[i], partial)
	}
	c.result, c.counts = 0, nil
	if !partial && werr == nil && gerr == nil {
		c.unequal(Results, outcome(len(w), nil), outcome(len(g), nil))
	}
}

func outcome(n int, err error) string {
	switch {
	case err != nil:
		return fmt.Sprintf("%d results, then %v", n, err)
	case n == 1:
		return "1 result"
	}
	return fmt.Sprintf("%d results", n)
}

// shape is what a result is, for people.
func shape(r *mysqlwire.Result) string {
	switch {
	case r.HasRows():
		return "a result set"
	case r.ERR != nil:
		return fmt.Sprintf("error %d (%s): %s", r.ERR.Code, r.ERR.SQLState, r.ERR.Message)
	case r.Prepared != nil:
		return "a prepared statement"
	case r.Infile != nil:
		return "a request for a file"
	case r.OK != nil:
		return "OK"
	}
	return "text"
}

func (c *comparison) results(w, g *mysqlwire.Result, partial bool) {
	if w.ERR != nil || g.ERR != nil {
		if w.ERR == nil || g.ERR == nil || w.ERR.Code != g.ERR.Code {
			c.unequal(Error, shape(w), shape(g))
		}
		if !w.HasRows() || !g.HasRows() {
			return
		}
	}
	if ws, gs := shape(w), shape(g); w.HasRows() != g.HasRows() || (w.Prepared == nil) != (g.Prepared == nil) || (w.Infile == nil) != (g.Infile == nil) {
		c.unequal(Results, ws, gs)
		return
	}
	switch {
	case w.HasRows():
		c.columns(w.Columns, g.Columns)
		c.rows(w, g, partial)
	case w.Prepared != nil:
		c.columns(w.Columns, g.Columns)
		c.unequal(Columns, fmt.Sprintf("%d parameters", w.Prepared.Params), fmt.Sprintf("%d parameters", g.Prepared.Params))
	case w.OK != nil && g.OK != nil:
		c.unequal(Affected, w.OK.AffectedRows, g.OK.AffectedRows)
		c.unequal(InsertID, w.OK.LastInsertID, g.OK.LastInsertID)
	case w.Text != g.Text && !c.repeat.All:
		c.skipped = true // COM_STATISTICS: it never is the same
	}
	if !c.repeat.All {
		c.unequal(Warnings, w.Warnings, g.Warnings)
	}
}

// columns compares what a program sees of definitions: their names and types, not their lengths.
func (c *comparison) columns(w, g []mysqlwire.Column) {
	if len(w) != len(g) {
		c.unequal(Columns, names(w), names(g))
		return
	}
	for i := range w {
		c.unequal(Columns, w[i].Name, g[i].Name)
		if was, is := typeOf(&w[i]), typeOf(&g[i]); was != is {
			c.add(Difference{Kind: Types, Row: -1, Column: g[i].Name, Want: was, Got: is})
		}
	}
}

func names(columns []mysqlwire.Column) string {
	var list []string
	for i := range columns {
		list = append(list, columns[i].Name)
	}
	return strings.Join(list, ", ")
}

// typeOf is a column's type without its length.
func typeOf(c *mysqlwire.Column) string {
	return value.TypeName(c.Type, uint16(c.Flags)&(value.FlagUnsigned|value.FlagEnum|value.FlagSet), c.IsBinary(), 0)
}
