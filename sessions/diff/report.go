package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
)

// Reporter writes steps as they come: those that are not the same.
type Reporter struct {
	w    io.Writer
	json bool
	pair [2]intercept.ConnID
	err  error
}

// NewReporter reports to w, as text or as a JSON object a line.
func NewReporter(w io.Writer, asJSON bool) *Reporter { return &Reporter{w: w, json: asJSON} }

func (r *Reporter) print(format string, args ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format, args...)
	}
}

// Step writes a step.
func (r *Reporter) Step(s Step) {
	if s.Change == Same {
		return
	}
	if r.json {
		r.object(s.object())
		return
	}
	if s.Conn != r.pair {
		r.pair = s.Conn
		r.print("%s\n", heading(s.Conn))
	}
	sql := oneLine(s.SQL)
	switch s.Change {
	case Gone:
		r.print("  - #%d %s\n", s.A, sql)
	case Added:
		r.print("  + #%d %s\n", s.B, sql)
	default:
		r.print("  ~ #%d, #%d %s\n", s.A, s.B, sql)
		if s.Values != "" {
			r.print("        %s\n", printable(s.Values))
		}
		for _, d := range s.Report {
			r.print("        %s\n", printable(d.String()))
		}
	}
}

func heading(pair [2]intercept.ConnID) string {
	switch {
	case pair[0] == 0:
		return fmt.Sprintf("connection %d of the second recording", pair[1])
	case pair[1] == 0:
		return fmt.Sprintf("connection %d of the first recording", pair[0])
	}
	return fmt.Sprintf("connections %d and %d", pair[0], pair[1])
}

// Close writes the totals.
func (r *Reporter) Close(t Totals) error {
	if r.json {
		r.object(t.object())
		return r.err
	}
	r.print("%d the same, %d changed, %d gone, %d added\n", t.Steps[Same], t.Steps[Changed], t.Steps[Gone], t.Steps[Added])
	for _, d := range t.Digests {
		r.print("  %s: %s\n", d.words(), oneLine(d.Form))
	}
	return r.err
}

// words say how often and how long, as far as that differs.
func (d *Digest) words() string {
	var parts []string
	if d.Count[0] != d.Count[1] {
		parts = append(parts, fmt.Sprintf("%d times, was %d", d.Count[1], d.Count[0]))
	}
	if d.Slower() {
		parts = append(parts, fmt.Sprintf("slower, %s, was %s", rounded(d.Median[1]), rounded(d.Median[0])))
	}
	return strings.Join(parts, ", ")
}

func rounded(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

func (r *Reporter) object(o any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(o); err != nil {
		panic(err) // strings and numbers
	}
	r.print("%s", b.String())
}

func (s *Step) object() any {
	o := map[string]any{"change": s.Change.String(), "sql": sqltext.Mask(s.SQL)}
	for i, side := range []struct {
		name string
		seq  intercept.Seq
	}{{"a", s.A}, {"b", s.B}} {
		if side.seq != 0 {
			o[side.name] = map[string]any{"conn": s.Conn[i], "exchange": side.seq, "ms": float64(s.Took[i].Microseconds()) / 1000}
		}
	}
	if s.Values != "" {
		o["values"] = s.Values
	}
	var differences []string
	for _, d := range s.Report {
		differences = append(differences, d.String())
	}
	if differences != nil {
		o["differences"] = differences
	}
	return o
}

func (t *Totals) object() any {
	var digests []any
	for _, d := range t.Digests {
		digests = append(digests, map[string]any{
			"digest_text": d.Form, "count": d.Count, "slower": d.Slower(),
			"median_ms": [2]float64{float64(d.Median[0].Microseconds()) / 1000, float64(d.Median[1].Microseconds()) / 1000},
		})
	}
	return map[string]any{"summary": map[string]any{
		"same": t.Steps[Same], "changed": t.Steps[Changed], "gone": t.Steps[Gone], "added": t.Steps[Added], "digests": digests,
	}}
}

const lineLimit = 200

func oneLine(sql string) string {
	s := printable(sqltext.OneLine(sqltext.Mask(sql)))
	if len(s) > lineLimit {
		s = strings.ToValidUTF8(s[:lineLimit], "") + "…"
	}
	return s
}

// printable has no character that a terminal might take for a command.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if strconv.IsPrint(c) && c != utf8.RuneError {
			return c
		}
		return '·'
	}, s)
}
