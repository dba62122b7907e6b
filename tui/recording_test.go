package tui

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/sessions"
	"mydbg/tui/keymap"
	"mydbg/tui/theme"
	"mydbg/tui/tuitest"
)

// openFile shows a recording.
func openFile(t *testing.T, path string) (*tuitest.Driver, *Model) {
	t.Helper()
	r, err := sessions.Open(path, sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	p, err := intercept.New(intercept.Options{JournalSize: 1, JournalBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	d := tuitest.New(t, noon)
	m, err := newModel(Options{
		Proxy: p, Recording: r, Kept: windowSize, Now: d.Now, After: d.After, Getenv: func(string) string { return "" },
		Theme: theme.Options{Name: "dark", Renderer: renderer(termenv.Ascii)},
	}, newRecording(r, nil, p))
	if err != nil {
		t.Fatal(err)
	}
	d.Start(m, 120, 40)
	return d, m
}

func (m *Model) at() intercept.Seq {
	t, _ := m.events.Selected()
	return t.Exchange
}

func TestRecordingIsSteppedThrough(t *testing.T) {
	d, m := openFile(t, "../sessions/testdata/recording.pcapng")
	for _, step := range []struct {
		keys string
		want intercept.Seq
	}{
		{"", 1}, {"s", 2}, {"s", 3}, {"p", 2}, {"p", 1}, {"p", 1}, {"n", 2}, {"j", 3}, {"G", 7}, {"s", 7}, {"g", 1},
	} {
		if step.keys != "" {
			d.Press(step.keys)
		}
		if got := m.at(); got != step.want {
			t.Fatalf("after %q: at #%d, want #%d: %s", step.keys, got, step.want, m.message.text)
		}
	}
	frame := m.View()
	for _, want := range []string{"recording.pcapng", "7 exchanges", "RECORDING", "SELECT 1 AS one", "step back"} {
		if !strings.Contains(frame, want) {
			t.Errorf("%q is not on the screen:\n%s", want, frame)
		}
	}
}

func TestRecordingRunsToBreakpoints(t *testing.T) {
	d, m := openFile(t, "../sessions/testdata/recording.pcapng")
	d.Press("c")
	if !strings.Contains(m.message.text, "no breakpoint is on") {
		t.Errorf("got %q", m.message.text)
	}
	for _, line := range []string{"at result if error.code == 1054", `if param(0) == 41`} {
		if _, err := m.e.AddBreak(line); err != nil {
			t.Fatal(err)
		}
	}
	d.Press("c")
	if got := m.at(); got != 3 || !strings.Contains(m.message.text, "breakpoint 1") {
		t.Errorf("at #%d: %s", got, m.message.text)
	}
	d.Press("c")
	if got := m.at(); got != 5 || !strings.Contains(m.message.text, "breakpoint 2") {
		t.Errorf("at #%d: %s", got, m.message.text)
	}
	d.Press("c")
	if got := m.at(); got != 5 || !strings.Contains(m.message.text, "no breakpoint matches") {
		t.Errorf("at #%d: %s", got, m.message.text)
	}
}

// TestGoldenRecording are the looks of an open recording.
func TestGoldenRecording(t *testing.T) {
	for _, z := range [][2]int{{120, 36}, {80, 24}} {
		for name, keys := range map[string][]string{
			"open": nil, "filtered": {"f", "r", "o", "w", "s", " ", ">", " ", "0", "enter"}, "counting": {"f", "r", "o", "w", "s", " ", ">", " ", "0"},
		} {
			t.Run(fmt.Sprintf("%s/%dx%d", name, z[0], z[1]), func(t *testing.T) {
				d, _ := openFile(t, "../sessions/testdata/recording.pcapng")
				d.Resize(z[0], z[1])
				d.Press(keys...)
				d.Golden(t)
			})
		}
	}
}

func TestRecordingIsFiltered(t *testing.T) {
	d, m := openFile(t, "../sessions/testdata/recording.pcapng")
	d.Press(":")
	d.Type("filter failed")
	d.Press("enter")
	d.Press(":")
	d.Type("filter error.code > 0")
	d.Press("enter")
	d.Advance(time.Second)
	if shown, kept := m.rec.rows(), m.rec.r.Len(); shown != 2 || kept != 7 {
		t.Errorf("got %d of %d shown, want the 2 that failed of 7", shown, kept)
	}
	d.Press("g", "s")
	if got := m.at(); got != 3 {
		t.Errorf("s went to #%d, want #3, the next one shown", got)
	}
	d.Press("p")
	if got := m.at(); got != 2 {
		t.Errorf("p went to #%d, want #2", got)
	}
}

// TestMarksAreFiltered asks again when a mark changes what a filter is about.
func TestMarksAreFiltered(t *testing.T) {
	d, m := openFile(t, "../sessions/testdata/recording.pcapng")
	d.Press("m", "j", "j", "m")
	d.Press("f")
	d.Type("marked")
	d.Press("enter")
	d.Has("2/7")
	d.Press("g", "m")
	d.Has("1/7")
	if got := m.at(); got != 3 {
		t.Errorf("at #%d, want #3, the one that is still marked", got)
	}
}

func TestRecordingRefusesWhatNeedsTraffic(t *testing.T) {
	_, m := openFile(t, "../sessions/testdata/recording.pcapng")
	for _, id := range []keymap.ID{keymap.Edit, keymap.Respond, keymap.InjectAfter, keymap.Kill, keymap.Pause, keymap.Record} {
		if why := m.off(id); why == "" {
			t.Errorf("%s is possible", id)
		}
	}
	if cmd := m.quit(); cmd == nil {
		t.Error("leaving a recording asks")
	}
}

// longRecording is a file of so many exchanges, DO 1 to DO n; every hundredth affects 7 rows.
func longRecording(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "long.pcapng")
	rec, err := sessions.NewRecorder(sessions.RecordOptions{Path: path, Lossless: true})
	if err != nil {
		t.Fatal(err)
	}
	c := &intercept.Conn{ID: 1}
	rec.Opened(c)
	say := func(dir mysqlwire.Direction, seq byte, m mysqlwire.Message) {
		cx := &mysqlwire.Context{Caps: mysqlwire.Protocol41 | mysqlwire.SecureConnection}
		payload, err := m.Encode(nil, cx)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := mysqlwire.AppendPacket(nil, payload, seq)
		rec.Bytes(c, intercept.ClientLeg, dir, b)
	}
	caps := mysqlwire.LongPassword | mysqlwire.Protocol41 | mysqlwire.SecureConnection
	say(mysqlwire.ToClient, 0, &mysqlwire.Greeting{Version: "8.0.1", Caps: caps, Scramble: make([]byte, 20)})
	say(mysqlwire.ToServer, 1, &mysqlwire.Login{Caps: caps, User: "u"})
	say(mysqlwire.ToClient, 2, &mysqlwire.OK{})
	for i := 1; i <= n; i++ {
		say(mysqlwire.ToServer, 0, &mysqlwire.Query{SQL: fmt.Sprintf("DO %d", i)})
		affected := uint64(0)
		if i%100 == 0 {
			affected = 7
		}
		say(mysqlwire.ToClient, 1, &mysqlwire.OK{AffectedRows: affected})
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFilterIsOfTheWholeRecording filters a file with more exchanges than are listed at once.
func TestFilterIsOfTheWholeRecording(t *testing.T) {
	const n = 2*windowSize + 500
	d, m := openFile(t, longRecording(t, n))
	d.Press("G")
	d.Press("f")
	d.Type("affected == 7")
	d.Has("matches 205 of 20,500 events")
	d.Press("enter")
	d.Has("205/20,500")
	if got := m.at(); got != n {
		t.Errorf("the filter went to #%d, not to #%d, which was selected and is shown", got, n)
	}
	for _, step := range []struct {
		keys string
		want intercept.Seq
	}{{"g", 100}, {"j", 200}, {"s", 300}, {"p", 200}, {"G", n}, {"p", n - 100}, {"k", n - 200}} {
		d.Press(step.keys)
		if got := m.at(); got != step.want {
			t.Fatalf("after %q: at #%d, want #%d", step.keys, got, step.want)
		}
	}
	d.Press(":")
	d.Type("filter sql matches \"^DO 1.\"")
	d.Press("enter")
	d.Has("11,110/20,500")
	d.Press(":", "f", "i", "l", "t", "e", "r", "enter")
	if got := m.at(); got != 19_999 || m.rec.rows() != n {
		t.Errorf("without a filter: at #%d of %d, want #19999, which was selected", got, m.rec.rows())
	}
}

// TestSearchIsOfTheWholeRecording finds what is not in the window.
func TestSearchIsOfTheWholeRecording(t *testing.T) {
	d, m := openFile(t, longRecording(t, 2*windowSize+500))
	for _, step := range []struct {
		keys []string
		want intercept.Seq
	}{
		{[]string{"/", "d", "o", " ", "2", "0", "4", "9", "enter"}, 2049},
		{[]string{"."}, 20490},
		{[]string{"."}, 20491},
		{[]string{","}, 20490},
		{[]string{","}, 2049},
		{[]string{","}, 20499},
	} {
		d.Press(step.keys...)
		if got := m.at(); got != step.want {
			t.Fatalf("after %q: at #%d, want #%d: %s", step.keys, got, step.want, m.message.text)
		}
	}
	d.Press("/", "n", "o", "p", "e", "enter")
	d.Has(`no match for "nope"`)
}

// TestHitsAreCountedInRecordings stops where the live traffic would have been stopped.
func TestHitsAreCountedInRecordings(t *testing.T) {
	for _, tt := range []struct {
		rule string
		want []intercept.Seq // by c, 0 when there is no further one
	}{
		{"hit = 3 if affected == 7", []intercept.Seq{300, 0}},
		{"hit % 50 if affected == 7", []intercept.Seq{5000, 10000, 15000, 20000, 0}},
		{"once if affected == 7", []intercept.Seq{100, 0}},
		{"hit > 203 per conn if affected == 7", []intercept.Seq{20400, 20500, 0}},
		{"at auth if user != \"\"", []intercept.Seq{0}}, // which is no event of the list
	} {
		t.Run(tt.rule, func(t *testing.T) {
			d, m := openFile(t, longRecording(t, 20_500))
			if _, err := m.e.AddBreak(tt.rule); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				before := m.at()
				if want == 0 {
					want = before
				}
				d.Press("c")
				if got := m.at(); got != want {
					t.Fatalf("c went to #%d, want #%d: %s", got, want, m.message.text)
				}
			}
			last := m.at()
			if len(tt.want) < 2 {
				return
			}
			// From wherever it is run, it stops at the same.
			d.Press("g", "c")
			if got := m.at(); got != tt.want[0] {
				t.Errorf("from the beginning c went to #%d, want #%d", got, tt.want[0])
			}
			d.Press("G", "p", "p", "c")
			want := intercept.Seq(20_498) // where it was
			if last > want {
				want = last
			}
			if got := m.at(); got != want {
				t.Errorf("from near the end c went to #%d, want #%d", got, want)
			}
		})
	}
}

// TestRecordingOfAnySize goes to both ends of a file with more exchanges than are listed at once.
func TestRecordingOfAnySize(t *testing.T) {
	const n = 2*windowSize + 500
	path := longRecording(t, n)
	d, m := openFile(t, path)
	d.Press("G")
	if got := m.at(); got != n {
		t.Fatalf("G went to #%d of %d", got, n)
	}
	d.Press("p")
	if got := m.at(); got != n-1 {
		t.Errorf("p went to #%d", got)
	}
	for range 120 { // pages back, through more than one window
		d.Press("pgup", "pgup", "pgup", "pgup")
	}
	if got := m.at(); got > n-windowSize || got < 1 {
		t.Errorf("pages went to #%d", got)
	}
	if _, err := m.e.AddBreak(`if sql == "DO 20400"`); err != nil {
		t.Fatal(err)
	}
	d.Press("g")
	if got := m.at(); got != 1 {
		t.Errorf("g went to #%d", got)
	}
	d.Press("c")
	if got := m.at(); got != 20400 {
		t.Errorf("c went to #%d: %s", got, m.message.text)
	}
	if _, kept := m.events.Counts(); kept > windowSize {
		t.Errorf("%d exchanges are kept", kept)
	}
}

// pastRecorder is a recorder that has kept a file.
type pastRecorder struct{ path string }

func (p pastRecorder) Status() sessions.RecordStatus { return sessions.RecordStatus{Spool: true} }
func (p pastRecorder) Keep(string) error             { return nil }
func (p pastRecorder) Stop() error                   { return nil }
func (p pastRecorder) History(o sessions.Options) (*sessions.Reader, error) {
	return sessions.Open(p.path, o)
}

func TestPastIsLookedAtWhileTrafficGoesOn(t *testing.T) {
	f := shop()
	d, m := start(t, f, 120, 40, plain, func(o *Options) {
		o.Recorder = pastRecorder{"../sessions/testdata/recording.pcapng"}
		p, err := intercept.New(intercept.Options{JournalSize: 1, JournalBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		o.Proxy = p
	})
	_, before := m.events.Counts()
	d.Press("L")
	if m.rec == nil {
		t.Fatal(m.message.text)
	}
	d.Press("g", "s", "s")
	if got := m.at(); got != 3 {
		t.Errorf("stepped to #%d, want #3", got)
	}
	if why := m.off(keymap.Edit); !strings.Contains(why, "L goes back") {
		t.Errorf("got %q", why)
	}
	d.Press("L")
	if _, after := m.events.Counts(); m.rec != nil || after != before || after == 0 {
		t.Errorf("after the past %d events are listed, %d before", after, before)
	}
	if len(m.held) != 2 {
		t.Errorf("%d events are paused, want 2", len(m.held))
	}
}

// TestPastIsScrolledInto goes above the oldest event that is listed, and comes back below the newest of the past.
func TestPastIsScrolledInto(t *testing.T) {
	path := longRecording(t, 300)
	r, err := sessions.Open(path, sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f := &fake{gone: 200}
	for s := intercept.Seq(201); s <= 300; s++ { // what a journal of 100 would have
		x, err := r.Exchange(s)
		if err != nil {
			t.Fatal(err)
		}
		f.version++
		x.Seq, x.Version = s+5000, f.version
		f.exchanges = append(f.exchanges, x.Exchange)
	}
	f.conns = []intercept.ConnInfo{{ID: 1, Phase: intercept.Ready}}
	d, m := start(t, f, 120, 40, plain, func(o *Options) {
		o.Recorder = pastRecorder{path}
		p, err := intercept.New(intercept.Options{JournalSize: 1, JournalBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		o.Proxy = p
	})
	d.Press("T", "g")
	if got := m.at(); m.rec != nil || got != 5201 {
		t.Fatalf("g went to #%d, want the first that is listed", got)
	}
	d.Press("k")
	if m.rec == nil {
		t.Fatalf("k at the first that is listed did not go into the past: %s", m.message.text)
	}
	if got := m.at(); got != 200 {
		t.Errorf("it went to #%d, want #200, the one before", got)
	}
	d.Press("k", "j", "j", "j")
	if got := m.at(); got != 202 {
		t.Errorf("at #%d, want #202", got)
	}
	d.Press("G", "j")
	if got := m.at(); m.rec != nil || got != 5300 {
		t.Errorf("below the last it went to #%d, want the live traffic's #5300", got)
	}
	d.Press("g", "g")
	if got := m.at(); m.rec == nil || got != 1 {
		t.Errorf("g at the first went to #%d, want the beginning of the past", got)
	}
}
