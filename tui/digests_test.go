package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/tui/keymap"
)

func TestDigestsCountLiveTraffic(t *testing.T) {
	f := &fake{}
	f.conn(1)
	add := func(s intercept.Seq, sql string, took time.Duration) {
		f.add(s, 1, mysqlwire.ComQuery, sql, time.Second, took)
	}
	for i := range intercept.Seq(8) {
		add(i+1, fmt.Sprintf("SELECT name FROM t WHERE id = %d", i), time.Millisecond)
	}
	add(9, "UPDATE t SET name = 'x'", 50*time.Millisecond)
	d, m := start(t, f, 120, 36, plain)
	d.Press("4")
	d.Has("2 of 9 statements, by total time", "N+1", "UPDATE `t` SET NAME = ?", "p95")
	if s, ok := m.digest(); !ok || !strings.HasPrefix(s.Text, "UPDATE") {
		t.Errorf("selected %+v, want what took longest", s)
	}
	d.Press("S")
	d.Has("by count")
	if s, _ := m.digest(); s.Count != 8 {
		t.Errorf("selected %+v, want what came most often", s)
	}

	f.edit(9, func(x *intercept.Exchange) { x.Marks |= intercept.MarkMarked }) // no second statement
	add(10, "SELECT name FROM t WHERE id = 11", time.Millisecond)
	wake(d)
	d.Has("2 of 10 statements")

	d.Press("b")
	if n := len(f.breaks); n != 1 || !strings.Contains(f.breaks[0].Rule.String(), "digest ==") {
		t.Errorf("got breakpoints %+v", f.breaks)
	}
	d.Press("enter")
	if m.pane != keymap.Events || m.events.Filter() == nil {
		t.Fatalf("enter shows no filtered list:\n%s", d.Frame())
	}
	d.Has("id = 11")
	d.Lacks("UPDATE t SET")
}

func TestDigestsOfARecording(t *testing.T) {
	d, m := openFile(t, "../sessions/testdata/recording.pcapng")
	d.Press("4")
	if m.counting.next != 8 {
		t.Errorf("counted up to #%d, want all 7: %s", m.counting.next-1, m.message.text)
	}
	d.Has("4 Digests", "SELECT ? AS")
	d.Press("enter")
	if m.pane != keymap.Events || m.events.Filter() == nil {
		t.Errorf("enter shows no filtered list:\n%s", d.Frame())
	}
}

// TestDigestsKeepUp counts only what there is room for, and says so.
func TestDigestsKeepUp(t *testing.T) {
	d, m := start(t, shop(), 120, 36, plain)
	d.Press("4")
	m.counting.busy = true // the goroutine takes its time
	flood := make([]intercept.Exchange, 1000)
	for i := range flood {
		flood[i] = intercept.Exchange{Seq: intercept.Seq(5000 + i), State: intercept.Done, Command: mysqlwire.ComPing}
	}
	for range countQueue/len(flood) + 2 {
		for i := range flood {
			flood[i].Seq += intercept.Seq(len(flood))
		}
		m.collect(flood)
	}
	if len(m.counting.queue) != countQueue || m.counting.missed != 2000 {
		t.Errorf("%d are queued, %d missed", len(m.counting.queue), m.counting.missed)
	}
	d.Send(countedMsg{gen: m.counting.gen})
	d.Has("2,000 came too fast to count")
}
