package intercept_test

import (
	"fmt"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// spoken waits for what a server said unasked.
func spoken(p *intercepttest.Proxy) intercept.Exchange {
	var found intercept.Exchange
	p.Until("the server speaks", func() bool {
		list, _ := p.Journal.Since(0, nil)
		for _, x := range list {
			if x.Marks&intercept.MarkUnasked != 0 {
				found = x
				return true
			}
		}
		return false
	})
	return found
}

// TestIdleConnectionThatIsClosedByTheServer: killed, or idle for too long. What is said before the end
// crosses and is an entry of its own; servers that say nothing just close.
func TestIdleConnectionThatIsClosedByTheServer(t *testing.T) {
	for _, way := range []string{"killed", "idle"} {
		t.Run(way, func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				end := func(c *intercepttest.Client) error {
					t.Helper()
					if way == "idle" {
						c.Query("set wait_timeout = 1")
						return c.Closed()
					}
					id := c.Text("select connection_id()")
					if sum := client(t, &s, s.Addr, 0).Query("kill " + id); sum.Error != nil {
						t.Fatal(sum.Error)
					}
					return c.Closed()
				}
				want := end(client(t, &s, s.Addr, 0))
				got := end(client(t, &s, p.Addr, 0))
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("got %v, want %v", got, want)
				}
				if want == nil {
					t.Skip("it closes without a word")
				}
				x := spoken(p)
				d, _ := p.Journal.Detail(x.Seq)
				if x.Error == nil || x.Error.Error() != want.Error() || x.State != intercept.Done || x.Name() != "unasked" ||
					len(d.Answer.Packets) != 1 || d.Answer.Packets[0].Kind != mysqlwire.KindERR {
					t.Errorf("the journal has %+v", d)
				}
				if !strings.HasPrefix(x.Note, "ER_") || !strings.Contains(x.Note, ": ") {
					t.Errorf("the error is explained with %q", x.Note)
				}
			})
		})
	}
}

// TestPipelinedCommands are sent in one write, among them some without an answer; the second is stopped.
func TestPipelinedCommands(t *testing.T) {
	for _, held := range []bool{false, true} {
		t.Run(fmt.Sprintf("held=%v", held), func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				c := client(t, &s, p.Addr, 0)
				id := c.Prepare("select concat('<', ?, '>')")
				long := append(statementCommand(mysqlwire.ComStmtSendLongData, id, 0, 0), "pipelined"...)
				commands := [][]byte{
					query(c, "select 'first'"), long, query(c, "select 'second'"),
					statementCommand(mysqlwire.ComStmtExecute, id, 0, 1, 0, 0, 0, 0, 1, 252, 0),
					statementCommand(mysqlwire.ComStmtClose, id),
					{byte(mysqlwire.ComPing)},
					query(c, "select 'last'"),
				}
				if held {
					p.Break(`if sql contains "second"`)
				}
				c.Send(commands...)
				if got := c.Value(c.Answer(commands[0])); got != "first" {
					t.Errorf("got %s", got)
				}
				c.Answer(long)
				if held {
					h := p.Held()
					plan, err := intercept.Rewrite(h.Event, "select 'edited'", intercept.FromPerson)
					if err != nil {
						t.Fatal(err)
					}
					p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Queries: plan})
				}
				want := map[bool]string{false: "second", true: "edited"}[held]
				if got := c.Value(c.Answer(commands[2])); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				if got := c.Value(c.Answer(commands[3])); got != "<pipelined>" {
					t.Errorf("got %s", got)
				}
				c.Answer(commands[4])
				if a := c.Answer(commands[5]); a.Packets[0].Kind != mysqlwire.KindOK {
					t.Errorf("got %s", a.Packets[0].Kind)
				}
				if got := c.Value(c.Answer(commands[6])); got != "last" {
					t.Errorf("got %s", got)
				}
				for _, i := range p.Conns() {
					if i.Opaque != "" {
						t.Error(i.Opaque)
					}
				}
			})
		})
	}
}
