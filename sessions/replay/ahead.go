package replay

import (
	"context"
	"strings"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/sessions"
)

const (
	mostTogether = 16      // commands written in one piece
	smallCommand = 2 << 10 // bytes of one: all of them fit a socket's buffer
)

// coarse is how exactly it is known how long the server took for a command that was sent ahead: it is the time from
// the answer before to its own, as far as this program kept up.
const coarse = 10 * time.Millisecond

// pipelines reports whether commands may be sent ahead of answers.
func (o *Options) pipelines() bool {
	return o.Speed <= 0 && !o.Serial && !o.Lockstep && (o.Latency == 0 || o.Latency >= 10*coarse)
}

// together carries out an exchange and, at full speed, those behind it that have been read already and do not
// need its answer: their commands are written in one piece, and the server finds each when it is done with the one
// before. rest is an exchange that was taken from more and is still to be done; nil without one.
func (c *conn) together(ctx context.Context, first *sessions.Record, more <-chan *sessions.Record) (rest *sessions.Record) {
	steps := []step{c.plan(ctx, first)}
	for goes := c.run.o.pipelines() && plain(first); goes && len(steps) < mostTogether; {
		select {
		case next := <-more: // nil at the end
			if goes = plain(next); goes {
				steps = append(steps, c.plan(ctx, next))
			} else {
				rest = next
			}
		default:
			goes = false
		}
	}
	if len(steps) > 1 && c.c != nil {
		c.ahead(steps)
	}
	for i := range steps {
		c.carry(&steps[i])
	}
	return rest
}

// ahead writes the steps' commands.
func (c *conn) ahead(steps []step) {
	var commands [][]byte
	for i := range steps {
		if steps[i].command != nil {
			steps[i].ahead = true
			commands = append(commands, steps[i].command)
		}
	}
	if err := c.c.Ahead(commands...); err != nil {
		c.close()
		c.broken = "the connection has ended: " + err.Error()
	}
}

// plain reports whether an exchange can be sent before the one in front of it has been answered, and the one behind
// it before it has: a small statement that only reads and asks for no file. nil is not.
func plain(rec *sessions.Record) bool {
	const touched = intercept.MarkCrafted | intercept.MarkPartial | intercept.MarkEdited | intercept.MarkScripted
	return rec != nil && rec.Command == mysqlwire.ComQuery && rec.Parent == 0 && rec.Marks&touched == 0 && len(rec.Sent) == 0 &&
		len(rec.Received.Payload) <= smallCommand && !sqltext.Parse(rec.Statement).Write && !strings.Contains(strings.ToLower(rec.Statement), "infile")
}
