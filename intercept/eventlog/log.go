// Package eventlog writes what a proxy sees as lines, for people without the screen and for programs:
// one line for each exchange that is over and one for each notice, as text or as JSON.
//
// A Log pulls from the proxy's journal when its bell rings, so a slow reader of the lines never
// slows the traffic down. An exchange is written once, however often it changes afterwards. What
// fell out of the journal's ring before it was written is counted, and a line says how much.
//
// Filters and assertions ask about whole exchanges, when everything about them is known. Where one
// cannot be evaluated, the filter shows the exchange and the assertion fails: neither hides anything.
//
// Passwords in account statements are masked. Text from the wire never reaches the reader's terminal
// as anything but text: what is not printable is escaped.
package eventlog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"mydbg/intercept"
	"mydbg/intercept/rule"
)

// Options say what is written, and how.
type Options struct {
	Out    io.Writer
	JSON   bool       // JSON lines instead of text
	Filter *rule.Expr // exchanges to write; nil is all
	FailIf *rule.Expr // exchanges that must not be; nil is none
	// Trouble is told once that Out fails and why; nil discards. Lines are lost then, traffic is not.
	Trouble func(error)
}

// Log writes the exchanges and notices of a proxy.
type Log struct {
	proxy *intercept.Proxy
	o     Options
	out   *bufio.Writer

	version uint64
	noticed uint64
	// Exchanges up to upTo have been dealt with; of the later ones, those in over have.
	upTo    intercept.Seq
	over    map[intercept.Seq]struct{}
	changed []intercept.Exchange // reused
	notices []intercept.Notice   // reused

	totals  Totals
	failed  *intercept.Exchange
	trouble bool
}

// Totals are counts of a Log.
type Totals struct {
	Written uint64 // exchanges
	Lost    uint64 // exchanges that fell out of the journal before they could be written
	Unsaid  uint64 // notices that did
	Failing uint64 // exchanges that FailIf matched
}

// ErrReaderLeft means that nobody reads what is written any more.
var ErrReaderLeft = errors.New("the reader of the lines has left")

// New makes a log. Exchanges the journal has already will be written too.
func New(p *intercept.Proxy, o Options) *Log {
	return &Log{proxy: p, o: o, out: bufio.NewWriterSize(o.Out, 64<<10), over: map[intercept.Seq]struct{}{}}
}

// Run writes until ctx ends, and then what the journal still has. It returns before that only when the
// reader left.
func (l *Log) Run(ctx context.Context) error {
	for bell := l.proxy.Journal.Listen(); ; {
		if err := l.pull(); err != nil {
			return err
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return l.pull()
		}
	}
}

// Totals are what has been counted. Call it when Run has returned.
func (l *Log) Totals() Totals { return l.totals }

// Failed is the first exchange that FailIf matched; nil if none has. Call it when Run has returned.
func (l *Log) Failed() *intercept.Exchange { return l.failed }

// pull writes what is new in the journal.
func (l *Log) pull() error {
	l.changed, l.version = l.proxy.Journal.Since(l.version, l.changed[:0])
	infos := infos{proxy: l.proxy}
	for i := range l.changed {
		x := &l.changed[i]
		if (x.State == intercept.Done || x.State == intercept.Gone) && !x.Login() && l.first(x.Seq) {
			l.exchange(x, infos.of(x.Conn))
		}
	}
	l.forget(intercept.Seq(l.proxy.Journal.Gone()))

	l.notices = l.proxy.Journal.Notices(l.noticed, l.notices[:0])
	for i := range l.notices {
		n := &l.notices[i]
		if missed := n.N - l.noticed - 1; missed > 0 {
			l.totals.Unsaid += missed
			l.say(intercept.Warning, "%d notices were lost: they came faster than they could be written", missed)
		}
		l.noticed = n.N
		l.notice(n)
	}
	return l.flush()
}

// span is how far the oldest exchange that is not over may lie behind the newest: further than any ring
// goes. What a person cleared from the journal before it was written would else be waited for for ever.
const span = 1 << 20

// first reports whether s is dealt with for the first time.
func (l *Log) first(s intercept.Seq) bool {
	if _, again := l.over[s]; again || s <= l.upTo {
		return false
	}
	l.over[s] = struct{}{}
	l.advance()
	if s > l.upTo+span {
		l.forget(s - span)
	}
	return true
}

func (l *Log) advance() {
	for {
		if _, ok := l.over[l.upTo+1]; !ok {
			return
		}
		l.upTo++
		delete(l.over, l.upTo)
	}
}

// forget counts what fell out of the journal, where the exchanges up to gone were, without having been
// written. An exchange that was held while the ring went round is among them.
func (l *Log) forget(gone intercept.Seq) {
	lost := uint64(0)
	for l.upTo < gone {
		if _, ok := l.over[l.upTo+1]; !ok {
			lost++
		}
		l.upTo++
		delete(l.over, l.upTo)
	}
	l.advance()
	if lost > 0 {
		l.totals.Lost += lost
		l.say(intercept.Warning, "%d exchanges were lost, %d in all: they fell out of memory before they could be written", lost, l.totals.Lost)
	}
}

// exchange writes one that is over, if it is wanted.
func (l *Log) exchange(x *intercept.Exchange, info *intercept.ConnInfo) {
	r := newRecord(l.proxy.Journal, x, info, l.o.Filter.Uses()|l.o.FailIf.Uses())
	if l.wanted(&r) {
		l.totals.Written++
		if l.o.JSON {
			l.writeJSON(r.object())
		} else {
			l.writeLine(r.line())
		}
	}
	if l.o.FailIf == nil {
		return
	}
	why := l.o.FailIf.String()
	fails, err := l.o.FailIf.Eval(r.env)
	if err != nil {
		fails, why = true, fmt.Sprintf("%s: %v", why, err)
	}
	if !fails {
		return
	}
	l.totals.Failing++
	if l.failed == nil {
		first := *x
		l.failed = &first
	}
	l.notice(&intercept.Notice{At: x.Ended, Level: intercept.Error, Conn: x.Conn, Exchange: x.Seq, Text: fmt.Sprintf("#%d fails: %s", x.Seq, why)})
}

func (l *Log) wanted(r *record) bool {
	if l.o.Filter == nil {
		return true
	}
	ok, err := l.o.Filter.Eval(r.env)
	return ok || err != nil
}

func (l *Log) notice(n *intercept.Notice) {
	if l.o.JSON {
		l.writeJSON(noticeObject(n))
	} else {
		l.writeLine(noticeLine(n))
	}
}

// say writes a notice of the log's own.
func (l *Log) say(level intercept.Level, format string, args ...any) {
	l.notice(&intercept.Notice{At: now(), Level: level, Text: fmt.Sprintf(format, args...)})
}

func (l *Log) writeJSON(o *object) { l.write(append(o.append(nil), '\n')) }

func (l *Log) writeLine(s string) { l.write([]byte(s + "\n")) }

// write adds a line. An error stays in the buffer until flush.
func (l *Log) write(line []byte) { _, _ = l.out.Write(line) }

func (l *Log) flush() error {
	err := l.out.Flush()
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return ErrReaderLeft
	}
	l.out.Reset(l.o.Out)
	if !l.trouble && l.o.Trouble != nil {
		l.o.Trouble(fmt.Errorf("write events: %w. Lines are missing from here on; traffic is not affected", err))
	}
	l.trouble = true
	return nil
}

// infos remembers connections while one batch is written.
type infos struct {
	proxy  *intercept.Proxy
	known  map[intercept.ConnID]*intercept.ConnInfo
	closed bool // the closed ones have been looked up
}

// of is a connection's state; of one that closed too long ago, only its number is known.
func (i *infos) of(id intercept.ConnID) *intercept.ConnInfo {
	if i.known == nil {
		i.known = map[intercept.ConnID]*intercept.ConnInfo{}
	}
	if info := i.known[id]; info != nil {
		return info
	}
	if c := i.proxy.Conn(id); c != nil {
		info := c.Info()
		i.known[id] = &info
		return &info
	}
	if !i.closed {
		i.closed = true
		for _, info := range i.proxy.Conns() {
			if i.known[info.ID] == nil {
				i.known[info.ID] = &info
			}
		}
	}
	if i.known[id] == nil {
		i.known[id] = &intercept.ConnInfo{ID: id}
	}
	return i.known[id]
}
