package intercept_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"mydbg/intercept/intercepttest"
)

// TestManyVerdictsThroughGoSQLDriver does to a driver's one connection what
// TestManyVerdictsOnOneConnection does to a strict client's.
func TestManyVerdictsThroughGoSQLDriver(t *testing.T) {
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		c := open(t, &s, p.Addr, "?multiStatements=true")
		for _, a := range acts() {
			run := func() (*sql.Rows, error) { return c.QueryContext(t.Context(), a.sql) }
			if a.prepare != "" {
				st, err := c.PrepareContext(t.Context(), a.prepare)
				if err != nil {
					t.Fatal(err)
				}
				defer st.Close()
				run = func() (*sql.Rows, error) { return st.QueryContext(t.Context()) }
			}
			got := interfere(t, p, a, func() (string, error) { return driverShape(run()) })
			if want := withoutOK(a.want); got != want {
				t.Errorf("%s: got %q, want %q", a.name, got, want)
			}
			if got := one[string](t, c, "select 'still here'"); got != "still here" {
				t.Fatalf("%s: then got %q", a.name, got)
			}
		}
		if list := p.Conns(); len(list) != 1 {
			t.Errorf("the driver has made %d connections", len(list))
		}
	})
}

// interfere holds what run sends, does what the act does, and returns what run returns.
func interfere(t *testing.T, p *intercepttest.Proxy, a act, run func() (string, error)) string {
	t.Helper()
	id, err := p.Breakpoints.Add("at " + a.at.String() + ` if not injected`)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	wait := later(func() (err error) { got, err = run(); return err })
	h := p.Held(a.at)
	p.Resolve(h, a.do(t, h))
	if err := wait(t); err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	if err := p.Breakpoints.Delete(id); err != nil {
		t.Fatal(err)
	}
	return got
}

// withoutOK leaves out what drivers leave out: results without rows among several.
func withoutOK(want string) string { return strings.ReplaceAll(want, "OK; ", "") }

// driverShape is an answer in the form of act.want, as a driver gives it.
func driverShape(rows *sql.Rows, err error) (string, error) {
	var refused *mysql.MySQLError
	if errors.As(err, &refused) {
		return fmt.Sprintf("ERR %d", refused.Number), nil
	}
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var results []string
	for more := true; more; more = rows.NextResultSet() {
		columns, err := rows.Columns()
		if err != nil {
			return "", err
		}
		if len(columns) == 0 {
			results = append(results, "OK")
			continue
		}
		var lines []string
		for rows.Next() {
			cells, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rows.Scan(into...); err != nil {
				return "", err
			}
			var line []string
			for _, c := range cells {
				if !c.Valid {
					c.String = "NULL"
				}
				line = append(line, c.String)
			}
			lines = append(lines, strings.Join(line, " "))
		}
		results = append(results, strings.Join(lines, ", "))
	}
	return strings.Join(results, "; "), rows.Err()
}

// TestManyVerdictsThroughCommandLineClients does it to the one connection of a client program.
// Such a client prepares nothing on the wire, so the executes are left out.
func TestManyVerdictsThroughCommandLineClients(t *testing.T) {
	for _, program := range []string{"mariadb", "mysql"} {
		t.Run(program, func(t *testing.T) {
			path := tool(t, program)
			eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
				c := startClient(t, path, &s, p.Addr)
				c.say(t, "select 'begin'", "begin")
				done := 0
				for _, a := range acts() {
					if a.prepare != "" {
						continue
					}
					done++
					over := fmt.Sprintf("%s: over", a.name)
					id, err := p.Breakpoints.Add("at " + a.at.String() + ` if not injected`)
					if err != nil {
						t.Fatal(err)
					}
					c.write(t, a.sql)
					h := p.Held(a.at)
					if err := p.Breakpoints.Delete(id); err != nil { // the client sends the next when it has the answer
						t.Fatal(err)
					}
					p.Resolve(h, a.do(t, h))
					if got, want := c.say(t, "select '"+over+"'", over), printed(a.want); !sameOutput(got, want) {
						t.Errorf("%s: got %q, want %q", a.name, got, want)
					}
				}
				if done < 40 {
					t.Errorf("only %d verdicts were tried", done)
				}
				if list := p.Conns(); len(list) != 1 {
					t.Errorf("the client has made %d connections", len(list))
				}
			})
		})
	}
}

// printed is what a client program prints of an answer, a line a row.
func printed(want string) []string {
	var lines []string
	for result := range strings.SplitSeq(want, "; ") {
		if result == "OK" || result == "" {
			continue
		}
		lines = append(lines, strings.Split(result, ", ")...)
	}
	return lines
}

func sameOutput(got, want []string) bool {
	if len(got) > 0 && len(want) > 0 && strings.HasPrefix(want[0], "ERR ") {
		got = got[len(got)-1:] // some show the statement first
	}
	if len(got) != len(want) {
		return false
	}
	for i, w := range want {
		if code, isError := strings.CutPrefix(w, "ERR "); isError {
			if !strings.HasPrefix(got[i], "ERROR "+code) {
				return false
			}
		} else if strings.ReplaceAll(got[i], "\t", " ") != w {
			return false
		}
	}
	return true
}

// clientProgram is a command-line client that is told statements one at a time.
type clientProgram struct {
	in io.WriteCloser

	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func startClient(t *testing.T, path string, s *intercepttest.Server, addr string) *clientProgram {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--no-defaults", "--protocol=tcp", "-h", host, "-P", port, "-u", s.User, "-D", s.Database, "--batch", "--skip-column-names", "--unbuffered", "--force", "--skip-reconnect"}
	if strings.HasSuffix(path, "mysql") {
		args = append(args, "--ssl-mode=DISABLED", "--get-server-public-key")
	} else {
		args = append(args, "--skip-ssl")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+s.Password)
	c := &clientProgram{more: make(chan struct{}, 1)}
	cmd.Stdout = c
	cmd.Stderr = c
	if c.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.in.Close() // the client may be gone
		late := time.AfterFunc(intercepttest.Patience, cancel)
		defer late.Stop()
		if err := cmd.Wait(); err != nil && !t.Failed() {
			var ended *exec.ExitError // --force makes it remember the errors
			if !errors.As(err, &ended) || ended.ExitCode() != 1 {
				t.Error(err)
			}
		}
		cancel()
	})
	return c
}

// Write takes what the client prints.
func (c *clientProgram) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lines) == 0 {
		c.lines = []string{""}
	}
	for i, part := range strings.Split(string(b), "\n") {
		if i > 0 {
			c.lines = append(c.lines, "")
		}
		c.lines[len(c.lines)-1] += part
	}
	select {
	case c.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (c *clientProgram) write(t *testing.T, statement string) {
	t.Helper()
	if _, err := io.WriteString(c.in, statement+";\n"); err != nil {
		t.Fatal(err)
	}
}

// say sends a statement and returns the lines printed before the line that ends its answer.
func (c *clientProgram) say(t *testing.T, statement, end string) []string {
	t.Helper()
	c.write(t, statement)
	late := time.After(intercepttest.Patience)
	for {
		c.mu.Lock()
		for i, line := range c.lines {
			if line == end {
				before := c.lines[:i]
				c.lines = append([]string(nil), c.lines[i+1:]...)
				c.mu.Unlock()
				return before
			}
		}
		all := strings.Join(c.lines, "\n")
		c.mu.Unlock()
		select {
		case <-c.more:
		case <-late:
			t.Fatalf("the client did not print %q, but:\n%s", end, all)
		}
	}
}
