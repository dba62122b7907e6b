package intercept

import (
	"fmt"
	"time"

	"mydbg/mysqlwire"
)

// progressTick is how often the progress of streams is published.
const progressTick = 250 * time.Millisecond

// watchProgress has the progress of the running exchange shown until its stream ends. Whoever counts
// frames does not look at the clock.
func (s *session) watchProgress() {
	if s.watched {
		return
	}
	s.watched = true
	s.pumps.Go(func() { // ends with the stream or with the session
		tick := time.NewTicker(progressTick)
		defer tick.Stop()
		for s.progressed(tick.C) {
		}
	})
}

// progressed waits for the next tick and shows what has come since the last; false when nothing more will.
func (s *session) progressed(tick <-chan time.Time) (more bool) {
	select {
	case <-tick:
	case <-s.over:
		return false
	}
	select {
	case s.turn <- struct{}{}:
	case <-s.over:
		return false
	}
	defer func() { <-s.turn }()
	var err error
	defer s.recovered(&err)
	if s.binlog != nil && s.binlog.events != s.binlog.shown {
		s.showStream()
	}
	uploads := s.up.Files > 0 && !s.up.Ended
	if uploads && s.up.Bytes != s.up.shown {
		s.showUpload()
	}
	s.watched = s.x.Seq != 0 && (s.binlog != nil || uploads)
	return s.watched
}

// reported shows a progress report of MariaDB's while its statement runs.
func (s *session) reported(payload []byte) {
	var m mysqlwire.Progress
	if s.x.Seq == 0 || !s.now.main || m.Decode(payload, nil) != nil {
		return
	}
	s.x.Progress = fmt.Sprintf("stage %d of %d, %s: %d.%03d %%", m.Stage, m.MaxStage, m.StageName, m.Progress/1000, m.Progress%1000)
	s.publish()
}
