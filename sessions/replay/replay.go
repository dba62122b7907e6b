// Package replay sends a recorded session to a server and compares what it answers with what was recorded.
//
// Each recorded connection becomes a connection that logs in afresh and sends its commands in their order: statements,
// executes with their parameters, changes of schema, resets. Connections run side by side as they did, at the pace
// at which they did, at a multiple of it, as fast as the server goes, or one statement at a time. What mydbg itself
// added when it was recorded is left out, and so is what writes, unless that is asked for.
//
// As fast as the server goes means that small statements that only read are written several at a time, as clients do
// that pipeline; their order stays.
//
// A difference is one by package compare; the context of a connection that could not be kept (a statement
// skipped before) is said with it.
package replay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/intercept/tlspair"
	"mydbg/sessions"
	"mydbg/sessions/compare"
)

// Options say where to and how. Address is needed.
type Options struct {
	Address        string // of the server: host:port or unix:/path
	User, Password string // for all recorded users that Users does not name; an empty User is the recorded one
	Users          map[string]Account
	TLS            tlspair.Mode // Mirror is as the recorded client did
	CA             string

	Speed      float64 // 1 as recorded, 2 twice as fast, 0 as fast as it goes
	Serial     bool    // one statement at a time, in the order of the recording; Speed does not matter then
	Writes     bool    // send what changes data too
	SameServer bool    // the server may be the recorded one

	Filter  *rule.Expr     // only exchanges for which it is true are sent
	Ignore  *rule.Expr     // differences of exchanges for which it is true do not count
	Without []compare.Kind // differences that do not count
	Latency time.Duration  // from when on an order of magnitude in time is a difference; 0 for never

	// Lockstep waits for each answer before the next command of a connection. Without it small statements that only
	// read are sent ahead where Speed is 0 and Latency not below 100 ms, and how long each took is known if that was
	// more than 10 ms.
	Lockstep bool

	// Seen is told of every exchange when it is done with, from one goroutine at a time. nil is fine.
	Seen func(Result)
}

// Account is who to log in as in a recorded user's place.
type Account struct{ User, Password string }

// Outcome is what became of an exchange.
type Outcome uint8

const (
	Same    Outcome = iota
	Differs         // see Result.Report
	Ignored         // differs, but Options.Ignore is true of it
	Skipped         // not sent, see Result.Why
	Failed          // sent without getting an answer, see Result.Why
)

var outcomeNames = [...]string{"same", "differs", "ignored", "skipped", "failed"}

func (o Outcome) String() string { return outcomeNames[o] }

// Result is an exchange and what became of it.
type Result struct {
	Record  *sessions.Record
	Outcome Outcome
	Why     string // of Skipped and Failed
	Report  compare.Report
	Took    time.Duration // now, 0 where it is not known; Record.Took() is what it was
	Local   string        // address that it was sent from; "" if it was not sent
	Sent    time.Time     // when
	After   int           // exchanges of this connection that were skipped before and may have mattered
}

// Totals count results.
type Totals struct {
	Exchanges int // of the recording, as far as they were come to
	Sent      int
	Outcomes  [Failed + 1]int
	Skips     map[string]int // by reason
	Kinds     map[compare.Kind]int
	Took      time.Duration
}

// Different reports whether anything differed or failed.
func (t *Totals) Different() bool { return t.Outcomes[Differs]+t.Outcomes[Failed] > 0 }

// SameServerError means that the server to replay to is the one that was recorded.
type SameServerError struct{ Address string }

func (e *SameServerError) Error() string {
	return fmt.Sprintf("%s is the server that was recorded: --same-server sends the session to it all the same", e.Address)
}

// Run replays a session. It returns when everything has been sent, or ctx ends.
func Run(ctx context.Context, r *sessions.Reader, o Options) (Totals, error) {
	run := &run{r: r, o: o, begun: time.Now(), totals: Totals{Skips: map[string]int{}, Kinds: map[compare.Kind]int{}}}
	run.first, _ = r.Span()
	if !o.SameServer && Recorded(r, o.Address) {
		return run.totals, &SameServerError{o.Address}
	}
	var err error
	if o.Serial {
		err = run.serial(ctx)
	} else {
		err = run.concurrent(ctx)
	}
	run.totals.Took = time.Since(run.begun)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return run.totals, err
}

// Recorded reports whether the server at an address is one that was recorded.
func Recorded(r *sessions.Reader, address string) bool {
	return slices.ContainsFunc(r.Conns(), func(c sessions.Conn) bool { return sameAddress(c.Backend, address) })
}

// sameAddress reports whether two addresses are one server, as far as names can be looked up.
func sameAddress(a, b string) bool {
	if a == b {
		return a != ""
	}
	ah, ap, aerr := net.SplitHostPort(a)
	bh, bp, berr := net.SplitHostPort(b)
	if aerr != nil || berr != nil || ap != bp {
		return false
	}
	as, bs := hosts(ah), hosts(bh)
	return slices.ContainsFunc(as, func(a string) bool { return slices.Contains(bs, a) })
}

func hosts(name string) []string {
	if net.ParseIP(name) != nil {
		return []string{name}
	}
	list, err := net.LookupHost(name)
	if err != nil {
		return []string{name}
	}
	return list
}

// run is one replay.
type run struct {
	r     *sessions.Reader
	o     Options
	begun time.Time
	first time.Time // of the recording

	mu     sync.Mutex
	totals Totals
	errs   []error
}

// wait waits until it is time for what happened at t.
func (r *run) wait(ctx context.Context, t time.Time) error {
	if r.o.Speed <= 0 || r.o.Serial || t.IsZero() {
		return context.Cause(ctx)
	}
	due := r.begun.Add(time.Duration(float64(t.Sub(r.first)) / r.o.Speed))
	left := time.Until(due)
	if left <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// tell counts a result.
func (r *run) tell(res Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &r.totals
	t.Exchanges++
	t.Outcomes[res.Outcome]++
	switch {
	case res.Outcome != Skipped:
		t.Sent++
	case res.Why != whyInternal:
		t.Skips[res.Why]++
	}
	if res.Outcome == Differs {
		for _, d := range res.Report.Differences {
			t.Kinds[d.Kind] += 1 + d.More
		}
	}
	if r.o.Seen != nil {
		r.o.Seen(res)
	}
}

func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

// serial sends one exchange at a time.
func (r *run) serial(ctx context.Context) error {
	open := map[intercept.ConnID]*conn{}
	defer func() {
		for _, c := range open {
			c.close()
		}
	}()
	for rec, err := range r.r.Records(0) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		c := open[rec.Conn]
		if c == nil {
			was, _ := r.r.Conn(rec.Conn)
			c = newConn(r, was)
			open[rec.Conn] = c
		}
		c.exchange(ctx, rec)
	}
	return nil
}

// concurrent runs the connections side by side: at a pace when it is time for each, at full speed as many at a time as
// there were at most when it was recorded.
func (r *run) concurrent(ctx context.Context) error {
	conns := slices.Clone(r.r.Conns())
	slices.SortStableFunc(conns, func(a, b sessions.Conn) int { return a.Opened.Compare(b.Opened) })
	slots := make(chan struct{}, max(overlap(conns), 1))
	if r.o.Speed > 0 {
		slots = make(chan struct{}, max(len(conns), 1))
	}
	var all sync.WaitGroup
	for _, was := range conns {
		if was.Exchanges == 0 {
			continue
		}
		if r.wait(ctx, was.Opened) != nil {
			break
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() { // ends with the connection's last exchange, or ctx
			defer func() { <-slots }()
			r.connection(ctx, was)
		})
	}
	all.Wait()
	return errors.Join(r.errs...)
}

// connection replays one connection.
func (r *run) connection(ctx context.Context, was sessions.Conn) {
	c := newConn(r, was)
	defer c.close()
	records := make(chan *sessions.Record, readAhead)
	ctx, stop := context.WithCancel(ctx)
	var reading sync.WaitGroup
	reading.Go(func() { // ends with the connection's records, or when nobody wants more
		defer close(records)
		for rec, err := range r.r.Records(was.ID) {
			if err != nil {
				r.fail(fmt.Errorf("connection %d: %w", was.ID, err))
				return
			}
			select {
			case records <- rec:
			case <-ctx.Done():
				return
			}
		}
	})
	defer reading.Wait()
	defer stop()
	for rec := range records {
		for rec != nil {
			if r.wait(ctx, rec.Begun) != nil {
				return
			}
			rec = c.together(ctx, rec, records)
		}
	}
}

// readAhead is how many exchanges of a connection are read before they are sent.
const readAhead = 32

// overlap is how many connections were open at the same time at most.
func overlap(conns []sessions.Conn) int {
	type event struct {
		at   time.Time
		step int
	}
	var events []event
	for _, c := range conns {
		if c.Exchanges == 0 {
			continue
		}
		events = append(events, event{c.Opened, 1})
		if !c.Closed.IsZero() {
			events = append(events, event{c.Closed, -1})
		}
	}
	slices.SortFunc(events, func(a, b event) int {
		if n := a.at.Compare(b.at); n != 0 {
			return n
		}
		return a.step - b.step
	})
	most, now := 0, 0
	for _, e := range events {
		now += e.step
		most = max(most, now)
	}
	return most
}

// split is an address as net.Dial has it.
func split(address string) (network, rest string) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return "unix", path
	}
	if strings.HasPrefix(address, "/") {
		return "unix", address
	}
	return "tcp", address
}
