package intercept_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
)

func TestLoop(t *testing.T) {
	one := func(i int) string { return fmt.Sprintf("SELECT name FROM t WHERE id = %d", i) }
	for _, c := range []struct {
		name  string
		texts []string
		every time.Duration
		want  string // a letter for each: x is in a loop
	}{
		{"a loop", []string{"SELECT id FROM o", one(1), one(2), one(3), one(4), one(5), one(6)}, time.Millisecond, ".....xx"},
		{"with settings between", []string{one(1), "SET @a = 1", one(2), "begin", one(3), "", one(4), one(5)}, time.Millisecond, ".......x"},
		{"another statement between", []string{one(1), one(2), one(3), one(4), "COMMIT", one(5)}, time.Millisecond, "......"},
		{"slow", []string{one(1), one(2), one(3), one(4), one(5), one(6)}, 2 * time.Second, "......"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l intercept.Loop
			got, at := "", time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			for _, sql := range c.texts {
				sign := "."
				if l.Next(sql, at) {
					sign = "x"
				}
				got += sign
				at = at.Add(c.every)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestLoopsStop: a breakpoint and a filter on nplus1 know loops of text and of prepared statements.
func TestLoopsStop(t *testing.T) {
	each(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		p.Break("at query if nplus1")
		c := client(t, &s, p.Addr, 0)
		id := c.Prepare("SELECT 5 + 1")
		for round := range 2 {
			send := func(i int) {
				if round == 0 {
					c.Query(fmt.Sprintf("SELECT %d + 1", i))
				} else {
					c.Do(execute(c, id, 0))
				}
			}
			for i := range 4 {
				send(i)
			}
			done := make(chan struct{})
			go func() { // ends with the answer
				defer close(done)
				send(17)
			}()
			h := p.Held()
			if !strings.Contains(h.SQL, "+ 1") {
				t.Errorf("held %q", h.SQL)
			}
			p.Resolve(h, intercept.Verdict{})
			<-done
			p.Until("the exchange is over", func() bool {
				x, ok := p.Journal.Exchange(h.Exchange)
				return ok && x.State == intercept.Done && x.Marks&intercept.MarkLoop != 0
			})
			c.Query("SELECT 'something else'")
		}
	})
}
