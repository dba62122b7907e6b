package intercept_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// tooLong is the error that a client reads which sends a command of more bytes than the server takes; 0 if
// there was none.
func tooLong(t *testing.T, c *intercepttest.Client, size int) (code uint16) {
	t.Helper()
	command := append([]byte{byte(mysqlwire.ComQuery)}, "select length('"+strings.Repeat("x", size)+"')"...)
	sent := make(chan struct{})
	go func() { // ends when everything is written or the other side has gone
		wire, _ := mysqlwire.AppendPacket(nil, command, 0)
		_, _ = c.Conn.Write(wire)
		close(sent)
	}()
	a, err := c.TryAnswer(command)
	<-sent
	if err != nil {
		t.Logf("no error came: %v", err)
		return 0
	}
	last := a.Packets[len(a.Packets)-1]
	var e mysqlwire.ERR
	if err := e.Decode(last.Payload, c.Decoder.Context()); err != nil {
		t.Errorf("got %s", last.Kind)
	}
	return e.Code
}

// TestCommandThatIsTooLongForTheServer: it says so and closes before it has read everything, and that has
// to come through, whoever looks at the command. It is a race that the server can lose: a reset that overtakes
// the error takes it away from the kernel's buffer, with a proxy as without.
func TestCommandThatIsTooLongForTheServer(t *testing.T) {
	if testing.Short() {
		t.Skip("moves several hundred megabytes")
	}
	for _, rules := range [][]string{nil, {`if sql contains "never there"`}} {
		t.Run(strings.Join(rules, " "), func(t *testing.T) {
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				p.Break(rules...)
				var code uint16
				for try := 0; code == 0 && try < 5; try++ {
					c := client(t, &s, p.Addr, 0)
					if code = tooLong(t, c, 130<<20); code != 0 {
						if err := c.Closed(); err != nil {
							t.Errorf("then the server said %v", err)
						}
					}
				}
				if code != 1153 {
					t.Errorf("got error %d", code)
				}
				list, _ := p.Journal.Since(0, nil)
				x := list[len(list)-1]
				if x.State != intercept.Done || x.Error == nil || x.Error.Code != 1153 || x.Marks&^intercept.MarkPartial != 0 {
					t.Errorf("the journal has %s, %v, %v, %s", x.State, x.Error, x.Marks, x.Note)
				}
			})
		})
	}
}

// TestBeginningOfALargeAnswerIsEdited: of an answer too large to be held the beginning is, and the rest follows
// what a person made of it.
func TestBeginningOfALargeAnswerIsEdited(t *testing.T) {
	for _, as := range capabilities {
		for _, prepared := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, prepared=%v", as.name, prepared), func(t *testing.T) {
				eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
					c := client(t, &s, p.Addr, as.caps)
					const stmt = "select 1 as n, repeat('a', 9000000) as t union all select 2, repeat('b', 9000000) union all select 3, repeat('c', 16777215)"
					command := query(c, stmt)
					if prepared {
						command = execute(c, c.Prepare(stmt), 0)
					}
					p.Break(`once at result if sql contains "repeat" and cmd != "prepare"`)
					c.Send(command)
					h := p.Held(rule.ReadQueryResult)
					edit, err := h.Answer.EditResult(h.Context, 0)
					if err != nil {
						t.Fatal(err)
					}
					refused := func(what string, change func(*mysqlwire.ResultEdit) error) {
						t.Helper()
						e, err := h.Answer.EditResult(h.Context, 0)
						if err != nil {
							t.Fatal(err)
						}
						if err := change(e); err != nil {
							t.Fatalf("%s: %v", what, err)
						}
						a, err := e.Answer()
						if err != nil {
							t.Fatal(err)
						}
						if err := p.Gate.Resolve(h.ID, intercept.Verdict{Action: intercept.Forward, Answer: a}); err == nil {
							t.Fatalf("%s was accepted", what)
						}
					}
					refused("a column less than the rows to come have", func(e *mysqlwire.ResultEdit) error { return e.RemoveColumn(0) })
					if err := errors.Join(edit.Set(0, 1, []byte("edited")), edit.CopyRow(0), edit.DeleteRow(2)); err != nil {
						t.Fatal(err)
					}
					head, err := edit.Answer()
					if err != nil {
						t.Fatal(err)
					}
					p.Resolve(h, intercept.Verdict{Action: intercept.Forward, Answer: head})
					a := c.Answer(command)
					cx := *c.Decoder.Context()
					cx.Command = a.Command
					results, err := a.Results(&cx)
					if err != nil {
						t.Fatal(err)
					}
					var got []string
					for i := range results[0].Rows.Len() {
						row, err := results[0].Rows.Row(i)
						if err != nil {
							t.Fatal(err)
						}
						text := row.Text(1)
						got = append(got, fmt.Sprintf("%s:%d%s", row.Text(0), len(text), text[:min(len(text), 6)]))
					}
					if want := "1:6edited 1:6edited 3:16777215cccccc"; strings.Join(got, " ") != want {
						t.Errorf("got %q, want %q", got, want)
					}
					if got := c.Text("select 7"); got != "7" {
						t.Errorf("then got %s", got)
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
}

// echo is an execute of "select ?" with a value of so many bytes.
func echo(t *testing.T, c *intercepttest.Client, id uint32, first byte, n int) []byte {
	t.Helper()
	v := bytes.Repeat([]byte("p"), n)
	v[0] = first
	p, err := mysqlwire.NewExecParam("", value.Blob, false, v)
	if err != nil {
		t.Fatal(err)
	}
	m := mysqlwire.StmtExecute{StmtID: id, Iterations: 1, NewParamsBound: true, Params: []mysqlwire.ExecParam{p}}
	if c.Decoder.Caps().Has(mysqlwire.QueryAttributes) {
		m.Flags = mysqlwire.ExecParameterCountAvailable
	}
	b, err := m.Encode(nil, &mysqlwire.Context{Caps: c.Decoder.Caps(), ParamsKnown: true})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLongParametersAndRowsInBinary sends values as parameters, held and not, and gets them back in rows.
func TestLongParametersAndRowsInBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("moves several hundred megabytes")
	}
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := client(t, &s, p.Addr, 0)
		id := c.Prepare("select ? as v")
		const overhead = 10 + 1 + 1 + 2 + 4 // of the command, before the value
		for _, size := range []int{1<<24 - 1, 1 << 24, 1<<24 + 1, 64 << 20} {
			n := size - overhead
			if got := c.Value(c.Do(echo(t, c, id, 'a', n))); len(got) != n || got[0] != 'a' {
				t.Errorf("%d bytes: got %d", n, len(got))
			}
			at, err := p.Breakpoints.Add(`once if cmd == "execute"`)
			if err != nil {
				t.Fatal(err)
			}
			command := echo(t, c, id, 'a', n)
			sent := make(chan struct{})
			go func() { c.Send(command); close(sent) }() // of a long one the proxy reads the rest when it is released
			h := p.Held(rule.ReadQuery)
			same := []intercept.Query{{Packet: h.Packet, Show: true}}
			v, want := intercept.Verdict{}, byte('a')
			if h.Whole() {
				m, err := h.Message()
				if err != nil {
					t.Fatal(err)
				}
				if raw := m.(*mysqlwire.StmtExecute).Params[0].Raw; len(raw) < n {
					t.Errorf("held with a value of %d bytes", len(raw))
				}
				want = 'e'
				v = intercept.Verdict{Action: intercept.Forward, Queries: []intercept.Query{{Packet: echo(t, c, id, 'e', n), Origin: intercept.FromPerson, Show: true}}}
			} else if err := p.Gate.Resolve(h.ID, intercept.Verdict{Action: intercept.Forward, Queries: same}); err == nil || !strings.Contains(err.Error(), "only the first") {
				t.Errorf("%d bytes: a part of a command could be sent: %v", n, err)
			}
			p.Resolve(h, v)
			<-sent
			if got := c.Value(c.Answer(command)); len(got) != n || got[0] != want {
				t.Errorf("held, %d bytes: got %d", n, len(got))
			}
			if err := p.Breakpoints.Delete(at); err != nil {
				t.Fatal(err)
			}
		}
	})
}
