package intercept

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"mydbg/mysqlwire"
)

// exchanged puts a finished exchange with an answer of n bytes into j.
func exchanged(j *Journal, sql string, n int) Seq {
	x := Exchange{Command: mysqlwire.ComQuery}
	j.begin(&x, sql)
	var c capture
	c.packet(stageReceived, mysqlwire.KindQuery, append([]byte{3}, sql...))
	c.packet(stageAnswer, mysqlwire.KindTextRow, bytes.Repeat([]byte{byte(x.Seq)}, n))
	x.State = Done
	j.finish(&x, &c, &mysqlwire.Context{}, nil)
	return x.Seq
}

func seqs(list []Exchange) string {
	var all []string
	for _, x := range list {
		all = append(all, fmt.Sprint(x.Seq))
	}
	return strings.Join(all, " ")
}

func TestJournalForgetsTheOldest(t *testing.T) {
	j := NewJournal(3, 1)
	for i := range 5 {
		exchanged(j, fmt.Sprintf("select %d", i), 10)
	}
	list, _ := j.Since(0, nil)
	if got := seqs(list); got != "3 4 5" || j.Gone() != 2 {
		t.Errorf("got %s, %d gone", got, j.Gone())
	}
	if _, ok := j.Exchange(2); ok {
		t.Error("2 is still there")
	}
	if x, ok := j.Exchange(3); !ok || x.SQL != "select 2" {
		t.Errorf("3 is %+v", x)
	}
	if _, ok := j.Detail(1); ok {
		t.Error("1 has bytes")
	}
	j.Mark(1, MarkMarked, true) // nothing happens
	if list, _ := j.Since(0, nil); seqs(list) != "3 4 5" {
		t.Errorf("then %s", seqs(list))
	}
}

func TestJournalTellsWhatChanged(t *testing.T) {
	j := NewJournal(10, 1)
	for range 4 {
		exchanged(j, "select 1", 0)
	}
	_, v := j.Since(0, nil)
	if list, again := j.Since(v, nil); len(list) != 0 || again != v {
		t.Errorf("nothing changed, got %s", seqs(list))
	}
	j.Mark(2, MarkMarked, true)
	exchanged(j, "select 5", 0)
	j.Mark(3, MarkMarked, true)
	list, w := j.Since(v, nil)
	if got := seqs(list); got != "2 5 3" {
		t.Errorf("changed %s, want 2 5 3", got)
	}
	for _, x := range list {
		if x.Version <= v || x.Version > w {
			t.Errorf("exchange %d has version %d, not in (%d, %d]", x.Seq, x.Version, v, w)
		}
	}
	j.Mark(2, MarkMarked, false)
	if list, _ := j.Since(w, nil); seqs(list) != "2" || list[0].Marks != 0 {
		t.Errorf("then %+v", list)
	}
}

func TestJournalKeepsMarksThatCameMeanwhile(t *testing.T) {
	j := NewJournal(10, 1)
	x := Exchange{Command: mysqlwire.ComQuery}
	j.begin(&x, "select 1")
	j.Mark(x.Seq, MarkMarked, true)
	x.State, x.Marks = Done, MarkEdited
	j.finish(&x, &capture{}, &mysqlwire.Context{}, nil)
	if got, _ := j.Exchange(x.Seq); got.Marks != MarkMarked|MarkEdited {
		t.Errorf("marks %b", got.Marks)
	}
}

// TestJournalBytesGoRound writes many times the arena's size: what is shown is right or missing.
func TestJournalBytesGoRound(t *testing.T) {
	j := NewJournal(1000, captureLimit)
	sizes := map[Seq]int{}
	for i := range 500 {
		n := (i * 7919) % 5000
		sizes[exchanged(j, "select 1", n)] = n
	}
	whole, missing := 0, 0
	for s, n := range sizes {
		d, ok := j.Detail(s)
		switch {
		case !ok:
			t.Fatalf("%d is not listed", s)
		case d.Missing:
			missing++
			continue
		}
		whole++
		if len(d.Answer.Packets) != 1 || !bytes.Equal(d.Answer.Packets[0].Payload, bytes.Repeat([]byte{byte(s)}, n)) || string(d.Received.Payload) != "\x03select 1" {
			t.Fatalf("%d: got %+v", s, d.Answer)
		}
	}
	if whole < 10 || missing < 300 {
		t.Errorf("%d whole, %d missing", whole, missing)
	}
}

func TestCaptureIsCut(t *testing.T) {
	var c capture
	c.packet(stageReceived, mysqlwire.KindQuery, []byte("\x03select 1"))
	row := bytes.Repeat([]byte("r"), 10_000)
	for range 20 {
		c.packet(stageAnswer, mysqlwire.KindTextRow, row)
	}
	c.packet(stageAnswer, mysqlwire.KindOK, []byte{0xfe})
	if len(c.buf) > captureLimit || !c.cut {
		t.Errorf("kept %d bytes, cut %v", len(c.buf), c.cut)
	}
	var d Detail
	d.replay(c.buf)
	if n := len(d.Answer.Packets); n != 6 || !d.Answer.Partial {
		t.Errorf("got %d packets, partial %v", n, d.Answer.Partial)
	}
	for _, p := range d.Answer.Packets {
		if !bytes.Equal(p.Payload, row) {
			t.Fatal("a row is another")
		}
	}
	// A packet in parts, and in several frames.
	c.reset()
	c.begin(stageAnswer, mysqlwire.KindTextRow, 6)
	c.add([]byte("abc"))
	c.add([]byte("def"))
	c.extend(3)
	c.add([]byte("ghi"))
	d = Detail{}
	d.replay(c.buf)
	if len(d.Answer.Packets) != 1 || string(d.Answer.Packets[0].Payload) != "abcdefghi" || d.Answer.Partial {
		t.Errorf("got %+v", d.Answer)
	}
}

func TestDetailTellsStagesApart(t *testing.T) {
	j := NewJournal(10, 1)
	x := Exchange{Command: mysqlwire.ComQuery}
	j.begin(&x, "select 1")
	var c capture
	c.packet(stageReceived, mysqlwire.KindQuery, []byte("\x03select 1"))
	c.packet(stageSent, mysqlwire.KindQuery, []byte("\x03select 2"))
	c.packet(stageAnswer, mysqlwire.KindOK, []byte{0})
	c.answer(stageDelivered, mysqlwire.ERRAnswer(1205, "", ""))
	j.finish(&x, &c, &mysqlwire.Context{}, nil)
	d, _ := j.Detail(x.Seq)
	if string(d.Received.Payload) != "\x03select 1" || len(d.Sent) != 1 || len(d.Answer.Packets) != 1 || d.Delivered == nil || d.Delivered.Packets[0].Kind != mysqlwire.KindERR {
		t.Errorf("got %+v", d)
	}
}

func TestJournalClear(t *testing.T) {
	j := NewJournal(10, 1)
	exchanged(j, "select 1", 0)
	running := Exchange{Command: mysqlwire.ComQuery}
	j.begin(&running, "select 2")
	exchanged(j, "select 3", 0)
	_, v := j.Since(0, nil)
	j.Clear()
	list, w := j.Since(0, nil)
	if seqs(list) != "2" || w <= v {
		t.Errorf("got %s, version %d after %d", seqs(list), w, v)
	}
	exchanged(j, "select 4", 0)
	if list, _ := j.Since(w, nil); seqs(list) != "4" {
		t.Errorf("then %s", seqs(list))
	}
}

func TestNoticesGoRound(t *testing.T) {
	j := NewJournal(1, 1)
	for i := range keptNotices + 10 {
		j.Note(Info, 0, 0, "notice %d", i+1)
	}
	list := j.Notices(0, nil)
	if len(list) != keptNotices || list[0].N != 11 || list[0].Text != "notice 11" || list[len(list)-1].N != keptNotices+10 {
		t.Errorf("got %d from %+v to %+v", len(list), list[0], list[len(list)-1])
	}
	if list := j.Notices(keptNotices+9, nil); len(list) != 1 || list[0].N != keptNotices+10 {
		t.Errorf("the last: %+v", list)
	}
	if list := j.Notices(keptNotices+10, nil); len(list) != 0 {
		t.Errorf("nothing new: %+v", list)
	}
}

// TestJournalAgainstAModel does at random what can be done, and compares the order of change.
func TestJournalAgainstAModel(t *testing.T) {
	const size = 8
	j := NewJournal(size, 1)
	r := rand.New(rand.NewPCG(1, 2))
	var order []Seq // least recently changed first
	remove := func(s Seq) bool {
		for i, o := range order {
			if o == s {
				order = append(order[:i], order[i+1:]...)
				return true
			}
		}
		return false
	}
	last := Seq(0)
	for range 2000 {
		switch s := Seq(r.IntN(int(last) + 2)); r.IntN(3) {
		case 0:
			last = exchanged(j, "select 1", r.IntN(20))
			if last > size {
				remove(last - size)
			}
			order = append(order, last)
		default:
			if remove(s) {
				order = append(order, s)
			}
			j.Mark(s, MarkMarked, r.IntN(2) == 0)
		}
		list, _ := j.Since(0, nil)
		if got, want := seqs(list), strings.Trim(fmt.Sprint(order), "[]"); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func TestJournalIsForMany(t *testing.T) {
	j := NewJournal(50, 1)
	bell := j.Listen()
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		writers.Go(func() {
			for range 500 {
				j.Mark(exchanged(j, "select 1", 100), MarkMarked, true)
				j.Note(Info, 1, 1, "note")
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			var v uint64
			for {
				list, w := j.Since(v, nil)
				for _, x := range list {
					if x.Version <= v {
						t.Errorf("version %d again after %d", x.Version, v)
					}
					if d, ok := j.Detail(x.Seq); ok && !d.Missing && len(d.Answer.Packets) == 1 && d.Answer.Packets[0].Payload[0] != byte(x.Seq) {
						t.Error("bytes of another exchange")
					}
				}
				v = w
				j.Notices(0, nil)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	select {
	case <-bell:
	default:
		t.Error("the bell did not ring")
	}
	if list, _ := j.Since(0, nil); len(list) != 50 || j.Gone() != 1950 {
		t.Errorf("%d listed, %d gone", len(list), j.Gone())
	}
}
