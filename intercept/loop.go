package intercept

import (
	"strings"
	"time"

	"mydbg/intercept/sqltext"
)

// Loop follows the statements of a connection and finds those that come in a row with nothing but other
// values: what asks once for each of many things. The zero value is ready.
type Loop struct {
	shape uint64
	run   int
	last  time.Time
}

const (
	loopAfter = 5           // so many alike are a loop
	loopPause = time.Second // who takes longer between two of them is not in one
)

// Next takes in a statement that begins at a time, and reports whether it belongs to a loop. Commands
// without a text, and what drivers send around a statement, do not end one.
func (l *Loop) Next(sql string, at time.Time) bool {
	if sql == "" || aside(sql) {
		return false
	}
	shape, pause := sqltext.Shape(sql), at.Sub(l.last)
	if shape != l.shape || pause > loopPause {
		l.shape, l.run = shape, 0
	}
	l.run++
	l.last = at
	return l.run >= loopAfter
}

// aside reports whether a statement stands beside the application's own.
func aside(sql string) bool {
	verb, _, _ := strings.Cut(strings.TrimLeft(sql[:min(len(sql), 32)], " \t\n\r"), " ")
	for _, v := range [...]string{"SET", "BEGIN", "START"} {
		if strings.EqualFold(verb, v) {
			return true
		}
	}
	return false
}
