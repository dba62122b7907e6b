// Package digests is the pane of statements by their form: how often each came, how long it took, how it
// ended.
//
//	intercept.Exchange ── Of ──► Sample ── Table.Add ──► Stat ──► Pane
//
// Of takes the time, since it reads the statement's text: it is for another goroutine than the screen's. The
// rest is quick. Commands without a text are counted by their names. Time that an event was held is nobody's.
package digests

import (
	"fmt"
	"math"
	"strings"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
)

// Sample is what counts of a finished exchange.
type Sample struct {
	Seq    intercept.Seq
	Conn   intercept.ConnID
	Digest string // hash; "" for a command without a text
	Text   string // form of the statement, or the command
	Cond   string // the condition that is true of these exchanges, in the language of filters

	Chatter  bool // sent by drivers of their own accord
	Failed   bool
	Rows     uint64 // in the answer
	Affected uint64
	Took     time.Duration
}

// digestDigits of a digest are enough to tell statements apart.
const digestDigits = 8

// Of is an exchange's sample. ok is false for what does not count: not finished, not the client's, or only the
// preparation of what counts when it is executed.
func Of(x *intercept.Exchange) (s Sample, ok bool) {
	if x.State != intercept.Done && x.State != intercept.Gone || x.Marks&intercept.MarkInjected != 0 || x.Origin != intercept.FromClient || x.Login() {
		return Sample{}, false
	}
	switch x.Command {
	case mysqlwire.ComStmtPrepare, mysqlwire.ComStmtClose, mysqlwire.ComStmtSendLongData, mysqlwire.ComQuit:
		return Sample{}, false
	}
	s = Sample{
		Seq: x.Seq, Conn: x.Conn, Failed: x.Failed() || x.State == intercept.Gone, Rows: x.Rows, Affected: x.Affected, Took: x.Took(),
	}
	name, verb := x.Command.Short(), ""
	if x.SQL == "" {
		s.Text, s.Cond = x.Title(), fmt.Sprintf("cmd == %q", name)
	} else {
		s.Digest, s.Text = sqltext.Digest(x.SQL)
		if x.SQLLen > len(x.SQL) {
			s.Text += " …"
		}
		s.Cond = fmt.Sprintf("digest == %q", s.Digest[:digestDigits])
		verb, _, _ = strings.Cut(s.Text, " ") // its keywords are in upper case
	}
	s.Chatter = intercept.IsChatter(name, verb, x.SQL)
	return s, true
}

// Stat is what the statements of one form have in common.
type Stat struct {
	Digest, Text, Cond string
	Chatter            bool
	Count, Failed      uint64
	Rows, Affected     uint64
	Total, Max         time.Duration
	Alike              uint64 // came right after another of the same form on the same connection
	First, Last        intercept.Seq
	Slowest            intercept.Seq

	times histogram
}

// Mean is the time that one took on average.
func (s *Stat) Mean() time.Duration { return s.Total / time.Duration(max(s.Count, 1)) }

// Quantile is the time that a share q of them did not exceed, to within a tenth; at most Max.
func (s *Stat) Quantile(q float64) time.Duration { return min(s.times.quantile(q, s.Count), s.Max) }

// Repeats reports whether most of them came in rows: a loop that asks once for each of many things.
func (s *Stat) Repeats() bool {
	const few = 5
	return s.Alike >= few && 2*s.Alike >= s.Count && !s.Chatter
}

// Table has a Stat for each form.
type Table struct {
	list    []*Stat
	byText  map[string]*Stat
	last    map[intercept.ConnID]*Stat // that the connection sent last
	Counted uint64
	Chatter uint64
	Total   time.Duration
	Other   uint64 // counted in total alone: there were more forms than are kept apart
}

// mostForms are kept apart: a program that writes values into names could make any number of them.
const mostForms = 5000

// Add counts a sample. Samples of one connection come in their order.
func (t *Table) Add(s Sample) {
	if t.byText == nil {
		t.byText, t.last = map[string]*Stat{}, map[intercept.ConnID]*Stat{}
	}
	t.Counted++
	t.Total += s.Took
	if s.Chatter {
		t.Chatter++
	}
	st := t.byText[s.Text]
	if st == nil {
		if len(t.list) == mostForms {
			t.Other++
			return
		}
		st = &Stat{Digest: s.Digest, Text: s.Text, Cond: s.Cond, Chatter: s.Chatter, First: s.Seq}
		t.byText[s.Text] = st
		t.list = append(t.list, st)
	}
	st.Count++
	st.Rows, st.Affected, st.Total, st.Last = st.Rows+s.Rows, st.Affected+s.Affected, st.Total+s.Took, s.Seq
	if s.Took > st.Max || st.Slowest == 0 {
		st.Max, st.Slowest = s.Took, s.Seq
	}
	if s.Failed {
		st.Failed++
	}
	st.times.add(s.Took)
	if s.Chatter {
		return // it comes in between
	}
	if t.last[s.Conn] == st {
		st.Alike++
	}
	t.last[s.Conn] = st
}

// histogram counts times by size, eight sizes to each doubling from a microsecond on.
type histogram [30 * perOctave]uint32

const perOctave = 8

func (h *histogram) add(d time.Duration) {
	i := int(math.Log2(max(float64(d)/float64(time.Microsecond), 1)) * perOctave)
	h[min(i, len(h)-1)]++
}

func (h *histogram) quantile(q float64, count uint64) time.Duration {
	left := uint64(math.Ceil(q * float64(count)))
	for i, n := range h {
		if uint64(n) >= left {
			return time.Duration(math.Exp2(float64(i+1)/perOctave) * float64(time.Microsecond))
		}
		left -= uint64(n)
	}
	return math.MaxInt64
}
