package script

import (
	"fmt"
	"sync"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
)

// Status is how a script does.
type Status struct {
	Path  string
	OK    bool   // it loads, and the last hook did not fail
	Err   *Error // the newest error since its text changed; nil without one
	ErrAt time.Time
	Conns int // connections that have run it
	Hooks []HookStatus
}

// HookStatus counts the calls of one hook.
type HookStatus struct {
	Name   string
	Calls  uint64
	Errors uint64
	Total  time.Duration
	Worst  time.Duration
	Last   string    // what it decided last, in words
	LastAt time.Time // when
}

// stats counts calls.
type stats struct {
	mu     sync.Mutex
	hooks  [rule.Disconnect + 1]HookStatus
	newest *Error
	at     time.Time // of newest
	bad    bool      // what ran last failed
	conns  int
}

func (s *stats) called(p intercept.Point, took time.Duration, err *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &s.hooks[p]
	h.Calls++
	h.Total += took
	h.Worst = max(h.Worst, took)
	if s.bad = err != nil; s.bad {
		h.Errors++
		s.newest, s.at = err, time.Now()
	}
}

// decided notes what a hook's last call came to.
func (s *stats) decided(p intercept.Point, v *intercept.Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[p].Last, s.hooks[p].LastAt = Describe(v), time.Now()
}

// Describe is a verdict in a few words: "passes", "sends 2 queries", "answers OK".
func Describe(v *intercept.Verdict) string {
	var what string
	switch {
	case v.Action == intercept.Reply && v.Answer != nil:
		what = "answers " + describeAnswer(v.Answer)
	case v.Action == intercept.Drop:
		what = "keeps the result from the client"
	case v.Action == intercept.Close:
		return "closes the connection"
	case v.Action == intercept.Forward && v.Answer != nil:
		what = "sends the result on"
	case v.Action == intercept.Forward && v.Packet != nil:
		what = "sends another packet"
	case v.Pooled:
		what = fmt.Sprintf("takes a pooled connection of backend %d", v.Backend)
	case v.Backend > 0:
		what = fmt.Sprintf("connects to backend %d", v.Backend)
	}
	switch {
	case v.Queries != nil && what == "" && len(v.Queries) == 0:
		what = "sends nothing"
	case len(v.Queries) > 0 && what == "":
		what = describeQueries(v.Queries)
	case len(v.Queries) > 0:
		what += " and " + describeQueries(v.Queries)
	case what == "":
		what = "passes"
	}
	if v.CloseAfter {
		what += ", then closes the connection"
	}
	return what
}

// loading notes that a connection has loaded the script, or why it could not.
func (s *stats) loading(err *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad = err != nil; s.bad {
		s.newest, s.at = err, time.Now()
		return
	}
	s.conns++
	if s.newest != nil && s.newest.Hook == "" { // it did not load before
		s.newest = nil
	}
}

// renewed notes that connections will load another text.
func (s *stats) renewed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest, s.bad = nil, false
}

func (s *stats) snapshot() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{OK: !s.bad, Err: s.newest, ErrAt: s.at, Conns: s.conns}
	for p, h := range s.hooks {
		if h.Calls > 0 {
			h.Name = hookNames[intercept.Point(p)]
			st.Hooks = append(st.Hooks, h)
		}
	}
	return st
}

// Status is how the script does now.
func (e *Engine) Status() Status {
	st := e.stats.snapshot()
	st.Path = e.src.path
	return st
}
