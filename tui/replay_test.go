package tui

import (
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/sessions"
	"mydbg/sessions/compare"
	"mydbg/sessions/replay"
	"mydbg/tui/keymap"
	"mydbg/tui/replays"
)

// differs is a result for an exchange of the recording of testdata.
func differs(t *testing.T, s intercept.Seq) replay.Result {
	t.Helper()
	r, err := sessions.Open("../sessions/testdata/recording.pcapng", sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rec, err := r.Record(s)
	if err != nil {
		t.Fatal(err)
	}
	return replay.Result{Record: rec, Outcome: replay.Differs, Report: compare.Report{Differences: []compare.Difference{
		{Kind: compare.RowCount, Row: -1, Want: "1", Got: "2"},
	}}}
}

// TestReplayIsShownBesideTheRecording goes from a difference to what was recorded.
func TestReplayIsShownBesideTheRecording(t *testing.T) {
	d, m := openFile(t, "../sessions/testdata/recording.pcapng")
	if why := m.off(keymap.Sessions); why == "" {
		t.Error("7 shows something without a replay")
	}
	log := replays.NewLog(7, "127.0.0.1:3307", nil)
	m.o.Replay = log
	d.Press("7")
	d.Has("7 Replay to 127.0.0.1:3307", "Nothing differs so far", "REPLAY 0%")
	log.Seen(differs(t, 1))
	log.Seen(differs(t, 5))
	d.Advance(time.Second)
	d.Has("REPLAY 28% 2 differ", "2 different", "row count: 2, was 1")
	d.Press("j", "enter")
	if got := m.at(); got != 5 || m.pane != keymap.Events {
		t.Errorf("enter went to #%d", got)
	}
	d.Has("row count: 2, was 1")
	if !m.events.SelectionVisible() {
		t.Error("it is not in sight")
	}
	d.Press("q")
	if d.Quit() {
		t.Fatal("q ended a replay without a word")
	}
	d.Has("the replay has sent 2 of 7")
	d.Press("q")
	if !d.Quit() {
		t.Error("q did not end it the second time")
	}
}

// TestReplayIsShownBesideTheTraffic goes from a difference to the event that it was, which another connection sent.
func TestReplayIsShownBesideTheTraffic(t *testing.T) {
	f := shop()
	log := replays.NewLog(7, "127.0.0.1:3307", nil)
	d, m := start(t, f, 120, 40, plain, func(o *Options) { o.Replay = log })
	res := differs(t, 1)
	for _, x := range f.exchanges {
		if x.Seq == 1376 {
			res.Local, res.Sent = "10.0.0.9:40022", x.Begun.Add(-100*time.Microsecond)
		}
	}
	log.Seen(res)
	other := differs(t, 2)
	other.Local, other.Sent = "10.9.9.9:1", noon
	log.Seen(other)
	d.Press("7", "enter")
	if got := m.at(); got != 1376 {
		t.Errorf("enter went to #%d, want #1376 of the connection that sent it", got)
	}
	d.Press("7", "j", "enter")
	d.Has("is not in the list")
}
