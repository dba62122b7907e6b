// Package replays shows a replay while it runs and afterwards: how far it has come, and statement by statement what
// differs from the recording. A Log takes the results, from whichever goroutine; the Pane lists them.
package replays

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/sessions/replay"
)

// keep is how many results are listed. All of them are counted, and in the report.
const keep = 10_000

// Item is a statement whose answer differs, or that got none.
type Item struct {
	Seq    intercept.Seq    // in the recording
	Conn   intercept.ConnID // in the recording
	SQL    string           // of a command without a text its name
	Kinds  string           // what differs, in few words
	Lines  []string         // what differs, in full
	Failed bool
	Took   time.Duration // now
	Was    time.Duration // when it was recorded

	Local string    // where it was sent from: the address of the replay's own connection
	Sent  time.Time // zero if it was not
}

// State is how a replay stands.
type State struct {
	All, Done             int // exchanges of the recording, and those that are done with
	Same, Differ, Ignored int
	Failed, Skipped       int
	Began, Now            time.Time
	Over                  bool
	Summary               []string // of all of it, once it is over
	Err                   error    // why it could not go on
}

// Log collects the results of a replay.
type Log struct {
	to      string
	changed func()
	now     func() time.Time

	mu    sync.Mutex
	items []Item
	state State
}

// NewLog makes one for a replay of so many exchanges to a server. changed is told of every result; it may be nil.
func NewLog(all int, to string, changed func()) *Log {
	if changed == nil {
		changed = func() {}
	}
	return &Log{to: to, changed: changed, now: time.Now, state: State{All: all, Began: time.Now()}}
}

// Seen is for replay.Options.Seen.
func (l *Log) Seen(res replay.Result) {
	l.mu.Lock()
	s := &l.state
	s.Done++
	switch res.Outcome {
	case replay.Same:
		s.Same++
	case replay.Ignored:
		s.Ignored++
	case replay.Skipped:
		s.Skipped++
	case replay.Differs:
		s.Differ++
		l.add(&res)
	case replay.Failed:
		s.Failed++
		l.add(&res)
	}
	l.mu.Unlock()
	l.changed()
}

func (l *Log) add(res *replay.Result) {
	if len(l.items) == keep {
		return
	}
	rec := res.Record
	it := Item{Seq: rec.Seq, Conn: rec.Conn, SQL: sqltext.Mask(rec.Statement), Took: res.Took, Was: rec.Took(), Local: res.Local, Sent: res.Sent}
	const most = 4 << 10
	if len(it.SQL) > most {
		it.SQL = strings.ToValidUTF8(it.SQL[:most], "")
	}
	if it.SQL == "" {
		it.SQL = rec.Command.String()
	}
	var kinds []string
	for _, d := range res.Report.Differences {
		if k := d.Kind.String(); !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
		it.Lines = append(it.Lines, d.String())
	}
	if res.Outcome == replay.Failed {
		it.Failed, kinds = true, []string{"failed"}
		it.Lines = append(it.Lines, res.Why)
	}
	if res.After > 0 {
		it.Lines = append(it.Lines, fmt.Sprintf("exchanges of this connection not sent before it: %d", res.After))
	}
	it.Kinds = strings.Join(kinds, ", ")
	l.items = append(l.items, it)
}

// Ended is told how the replay ended.
func (l *Log) Ended(t replay.Totals, err error) {
	l.mu.Lock()
	l.state.Over, l.state.Err = true, err
	l.state.Now = l.now()
	l.state.Summary = strings.Split(t.String(), "\n")
	l.mu.Unlock()
	l.changed()
}

// since are the items from number n on, and how the replay stands.
func (l *Log) since(n int) ([]Item, State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.state
	if !s.Over {
		s.Now = l.now()
	}
	return slices.Clone(l.items[min(n, len(l.items)):]), s
}
