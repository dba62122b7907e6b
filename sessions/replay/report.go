package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"mydbg/intercept/sqltext"
	"mydbg/sessions/compare"
)

// Reporter writes results as they come: those that differ or failed. Errors of the writer are kept for Close.
type Reporter struct {
	w    io.Writer
	json bool
	err  error
}

// NewReporter reports to w, as text or as a JSON object a line.
func NewReporter(w io.Writer, asJSON bool) *Reporter { return &Reporter{w: w, json: asJSON} }

// Seen is for Options.Seen.
func (r *Reporter) Seen(res Result) {
	if res.Outcome != Differs && res.Outcome != Failed {
		return
	}
	if r.json {
		r.object(jsonResult(&res))
		return
	}
	r.print(Text(&res))
}

// Close writes the totals.
func (r *Reporter) Close(t Totals) error {
	if r.json {
		r.object(map[string]any{"summary": jsonTotals(&t)})
	} else {
		r.print(t.String() + "\n")
	}
	return r.err
}

func (r *Reporter) print(s string) {
	if r.err == nil {
		_, r.err = io.WriteString(r.w, s)
	}
}

func (r *Reporter) object(o any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(o); err != nil {
		panic(err) // strings and numbers
	}
	r.print(b.String())
}

// Text is a result in lines: the statement, and below it what differs.
func Text(res *Result) string {
	var b strings.Builder
	rec := res.Record
	fmt.Fprintf(&b, "#%d, connection %d: %s", rec.Seq, rec.Conn, statement(res))
	if res.Outcome == Failed {
		fmt.Fprintf(&b, "\n    failed: %s\n", printable(res.Why))
		return b.String()
	}
	if res.Took > 0 {
		fmt.Fprintf(&b, "  (%s, was %s)", res.Took.Round(10*time.Microsecond), rec.Took().Round(10*time.Microsecond))
	}
	b.WriteString("\n")
	for _, d := range res.Report.Differences {
		fmt.Fprintf(&b, "    %s\n", printable(d.String()))
	}
	if res.After > 0 {
		fmt.Fprintf(&b, "    (after %s of this connection that %s not sent)\n", counted(res.After, "exchange", "exchanges"), wasWere(res.After))
	}
	return b.String()
}

// statementLimit is how much of a statement a report shows.
const statementLimit = 200

func statement(res *Result) string {
	s := printable(sqltext.OneLine(sqltext.Mask(res.Record.Statement)))
	if s == "" {
		s = res.Record.Command.String()
	}
	if len(s) > statementLimit {
		end := statementLimit
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	return s
}

// printable has no character that a terminal might take for a command.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == utf8.RuneError {
			return '·'
		}
		return c
	}, s)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// String is the totals in a paragraph.
func (t *Totals) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s sent in %s: %d the same, %d different", counted(t.Sent, "exchange", "exchanges"), t.Took.Round(time.Millisecond), t.Outcomes[Same], t.Outcomes[Differs])
	if n := t.Outcomes[Ignored]; n > 0 {
		fmt.Fprintf(&b, ", %d different and ignored", n)
	}
	if n := t.Outcomes[Failed]; n > 0 {
		fmt.Fprintf(&b, ", %d failed", n)
	}
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(t.Kinds)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", k, t.Kinds[k]))
	}
	if len(kinds) > 0 {
		fmt.Fprintf(&b, "\ndifferences: %s", strings.Join(kinds, ", "))
	}
	for _, why := range slices.Sorted(maps.Keys(t.Skips)) {
		fmt.Fprintf(&b, "\nskipped %d: %s", t.Skips[why], printable(why))
	}
	return b.String()
}

type jsonDifference struct {
	Kind   string `json:"kind"`
	Result int    `json:"result,omitzero"`
	Row    *int   `json:"row,omitzero"` // from 0
	Column string `json:"column,omitzero"`
	Was    string `json:"was,omitzero"`
	Is     string `json:"is,omitzero"`
	More   int    `json:"more,omitzero"`
}

func jsonResult(res *Result) any {
	rec := res.Record
	o := struct {
		Time        string           `json:"time"`
		Conn        uint64           `json:"conn"`
		Exchange    uint64           `json:"exchange"`
		Cmd         string           `json:"cmd"`
		SQL         string           `json:"sql,omitzero"`
		Digest      string           `json:"digest,omitzero"`
		Outcome     string           `json:"outcome"`
		Why         string           `json:"why,omitzero"`
		Differences []jsonDifference `json:"differences,omitempty"`
		Skipped     []string         `json:"not_compared,omitempty"`
		Ms          float64          `json:"ms,omitempty"`
		WasMs       float64          `json:"was_ms"`
		After       int              `json:"after_skipped,omitzero"`
	}{
		Time: rec.Begun.UTC().Format("2006-01-02T15:04:05.000000Z07:00"), Conn: uint64(rec.Conn), Exchange: uint64(rec.Seq), Cmd: rec.Command.Short(),
		SQL: sqltext.Mask(rec.Statement), Outcome: res.Outcome.String(), Why: res.Why, Skipped: res.Report.Skipped,
		Ms: milliseconds(res.Took), WasMs: milliseconds(rec.Took()), After: res.After,
	}
	if rec.Statement != "" {
		o.Digest, _ = rec.Digest()
	}
	for _, d := range res.Report.Differences {
		j := jsonDifference{Kind: d.Kind.String(), Result: d.Result, Column: d.Column, Was: d.Want, Is: d.Got, More: d.More}
		if d.Row >= 0 {
			j.Row = &d.Row
		}
		o.Differences = append(o.Differences, j)
	}
	return o
}

func jsonTotals(t *Totals) any {
	kinds := map[string]int{}
	for k, n := range t.Kinds {
		kinds[k.String()] = n
	}
	return map[string]any{
		"exchanges": t.Exchanges, "sent": t.Sent, "same": t.Outcomes[Same], "different": t.Outcomes[Differs], "ignored": t.Outcomes[Ignored],
		"failed": t.Outcomes[Failed], "skipped": t.Skips, "differences": kinds, "ms": milliseconds(t.Took),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// KindNames are the names of differences, for those who choose among them.
func KindNames() []string {
	var names []string
	for k := compare.Error; k <= compare.Latency; k++ {
		names = append(names, k.String())
	}
	return names
}
