package replays

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/sessions"
	"mydbg/sessions/compare"
	"mydbg/sessions/replay"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
	"mydbg/tui/tuitest"
)

func result(seq intercept.Seq, o replay.Outcome, sql, why string, differences ...compare.Difference) replay.Result {
	rec := &sessions.Record{Statement: sql}
	began := time.Date(2026, 2, 11, 9, 14, 3, 0, time.UTC)
	rec.Seq, rec.Conn, rec.Command, rec.Begun, rec.Ended = seq, 3, mysqlwire.ComQuery, began, began.Add(800*time.Microsecond)
	return replay.Result{Record: rec, Outcome: o, Why: why, Took: 1200 * time.Microsecond, Report: compare.Report{Differences: differences}}
}

// half is a log of a replay half through.
func half() (*Log, func(time.Duration)) {
	l := NewLog(2000, "127.0.0.1:3307", nil)
	now := l.state.Began.Add(5 * time.Second)
	l.now = func() time.Time { return now }
	for i := range 990 {
		l.Seen(result(intercept.Seq(i+1), replay.Same, "SELECT 1", ""))
	}
	l.Seen(result(991, replay.Differs, "SELECT id, name FROM products\n WHERE price < 10 ORDER BY price", "",
		compare.Difference{Kind: compare.RowCount, Row: -1, Want: "3", Got: "2"},
		compare.Difference{Kind: compare.Missing, Row: 2, Want: "(7, 'Zoë \x1b[31m')"}))
	l.Seen(result(992, replay.Skipped, "UPDATE t SET v = 1", "writes, and --writes is not given"))
	l.Seen(result(993, replay.Failed, "SELECT SLEEP(100)", "the connection has ended: unexpected EOF"))
	l.Seen(result(994, replay.Differs, "SELECT v FROM t", "", compare.Difference{Kind: compare.Value, Row: 0, Column: "v", Want: "1", Got: "2", More: 4}))
	return l, func(d time.Duration) { now = now.Add(d) }
}

func plain(t *testing.T, ascii bool) *theme.Theme {
	t.Helper()
	r := lipgloss.NewRenderer(&strings.Builder{})
	r.SetColorProfile(termenv.Ascii)
	th, err := theme.New(theme.Options{Name: "dark", ASCII: ascii, Renderer: r})
	if err != nil {
		t.Fatal(err)
	}
	return th
}

func TestPaneLooks(t *testing.T) {
	for _, z := range [][2]int{{120, 32}, {80, 20}, {58, 11}} {
		for _, over := range []bool{false, true} {
			t.Run(fmt.Sprintf("%dx%d over %v", z[0], z[1], over), func(t *testing.T) {
				l, pass := half()
				if over {
					pass(3 * time.Second)
					l.Ended(replay.Totals{
						Sent: 993, Took: 8 * time.Second, Outcomes: [replay.Failed + 1]int{990, 2, 0, 1, 1},
						Kinds: map[compare.Kind]int{compare.RowCount: 1, compare.Value: 5}, Skips: map[string]int{"writes, and --writes is not given": 1},
					}, nil)
				}
				p := New(plain(t, z[0] < 60))
				p.SetSize(z[0], z[1])
				p.Sync(l)
				p.Do(keymap.Down)
				p.Do(keymap.Up)
				frame := p.View(true)
				tuitest.Exact(t, frame)
				golden.RequireEqual(t, []byte(frame+"\n"))
			})
		}
	}
}

func TestPaneFollowsTheReplay(t *testing.T) {
	l, _ := half()
	p := New(plain(t, false))
	p.SetSize(100, 30)
	p.Sync(l)
	p.Do(keymap.Bottom)
	if it, ok := p.Selected(); !ok || it.Seq != 994 || it.Kinds != "value" {
		t.Errorf("got %+v", it)
	}
	l.Seen(result(995, replay.Failed, "", "gone"))
	p.Sync(l)
	if it, _ := p.Selected(); it.Seq != 994 || p.Len() != 4 {
		t.Errorf("what arrives moved the selection to #%d of %d", it.Seq, p.Len())
	}
	l.Ended(replay.Totals{}, errors.New("no such server"))
	p.Sync(l)
	if frame := p.View(true); !strings.Contains(frame, "It has ended: no such server") {
		t.Errorf("it does not say why:\n%s", frame)
	}
}

// TestLogIsBounded lists only so many, and counts all.
func TestLogIsBounded(t *testing.T) {
	l := NewLog(keep+5, "server", nil)
	for i := range keep + 5 {
		l.Seen(result(intercept.Seq(i+1), replay.Differs, "SELECT 1", "", compare.Difference{Kind: compare.Value}))
	}
	p := New(plain(t, false))
	p.SetSize(100, 30)
	p.Sync(l)
	if p.Len() != keep || p.State().Differ != keep+5 || !strings.Contains(p.View(true), "5 not listed") {
		t.Errorf("%d listed, %d counted:\n%s", p.Len(), p.State().Differ, p.View(true))
	}
}
