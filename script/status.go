package script

import (
	"sync"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
)

// Status is how a script does.
type Status struct {
	Path  string
	OK    bool   // it loads, and the last hook did not fail
	Err   *Error // the newest error; nil without one since the script was last loaded well
	Conns int    // connections that have run it
	Hooks []HookStatus
}

// HookStatus counts the calls of one hook.
type HookStatus struct {
	Name   string
	Calls  uint64
	Errors uint64
	Total  time.Duration
	Worst  time.Duration
}

// stats counts calls.
type stats struct {
	mu     sync.Mutex
	hooks  [rule.Disconnect + 1]HookStatus
	newest *Error
	conns  int
}

func (s *stats) called(p intercept.Point, took time.Duration, err *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &s.hooks[p]
	h.Calls++
	h.Total += took
	h.Worst = max(h.Worst, took)
	if err != nil {
		h.Errors++
		s.newest = err
	}
}

// loading notes that a connection has loaded the script, or why it could not.
func (s *stats) loading(err *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest = err
	if err == nil {
		s.conns++
	}
}

func (s *stats) snapshot() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{OK: s.newest == nil, Err: s.newest, Conns: s.conns}
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
