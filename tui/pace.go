package tui

import (
	"time"

	"mydbg/intercept"
)

// met is how far the first clients came.
type met struct {
	client, server, login bool
	last                  intercept.ConnID
	failed                string // why the last one that is closed was
}

func (t *met) see(infos []intercept.ConnInfo) {
	for i := range infos {
		c := &infos[i]
		t.client = true
		t.server = t.server || c.Server != ""
		t.login = t.login || c.Phase == intercept.Ready || c.Phase == intercept.Relayed || c.Commands > 0
		if c.Phase == intercept.Closed && c.ID >= t.last {
			t.last, t.failed = c.ID, c.Cause
		}
	}
}

// rate counts events a second over the last seconds.
type rate struct {
	last    intercept.Seq
	samples []sample
}

type sample struct {
	at  time.Time
	seq intercept.Seq
}

func (r *rate) sample(now time.Time, s intercept.Seq) {
	if n := len(r.samples); n > 0 && now.Sub(r.samples[n-1].at) < 200*time.Millisecond {
		return
	}
	r.samples = append(r.samples, sample{now, s})
	for len(r.samples) > 2 && now.Sub(r.samples[0].at) > 2*time.Second {
		r.samples = r.samples[1:]
	}
}

func (r *rate) perSecond() int {
	n := len(r.samples)
	if n < 2 {
		return 0
	}
	a, b := r.samples[0], r.samples[n-1]
	d := b.at.Sub(a.at).Seconds()
	if d <= 0 {
		return 0
	}
	return int(float64(b.seq-a.seq)/d + 0.5)
}
