package tmux_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"mydbg/intercept/intercepttest"
	"mydbg/sessions/demo"
	"mydbg/tui/tuitest/tmux"
)

// person works with the program in a terminal and fails the test when the screen does not show what
// it should.
type person struct {
	t    *testing.T
	term *tmux.Terminal
}

func (p person) keys(keys ...string) {
	p.t.Helper()
	if err := p.term.Keys(keys...); err != nil {
		p.t.Fatal(err)
	}
}

func (p person) types(text string) {
	p.t.Helper()
	if err := p.term.Type(text); err != nil {
		p.t.Fatal(err)
	}
}

func (p person) sees(texts ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), intercepttest.Patience)
	defer cancel()
	if _, err := p.term.WaitText(ctx, texts...); err != nil {
		p.t.Fatal(err)
	}
}

// TestWholeProgram stops a statement of a real client at a real server, edits it, answers another
// one with a deadlock, and sees the client try again.
func TestWholeProgram(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("no tmux")
	}
	program := filepath.Join(t.TempDir(), "mydbg")
	if out, err := exec.Command("go", "build", "-o", program, "mydbg").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, s := range intercepttest.Servers(t, embedded) {
		t.Run(s.Name, func(t *testing.T) { wholeProgram(t, program, &s) })
	}
}

func wholeProgram(t *testing.T, program string, s *intercepttest.Server) {
	home, addr := t.TempDir(), freePort(t)
	term, err := tmux.Start(120, 36, []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "LANG=C.UTF-8"},
		program, "--listen", addr, "--backend", s.Addr, "--break", `stop if cmd == "query" and sql contains "answer"`)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = term.Close() })
	p := person{t, term}
	p.sees("mydbg", "Events")

	db, err := sql.Open("mysql", s.DSN(addr)+"?interpolateParams=true")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)

	t.Log("a held statement is edited")
	first := ask(t, db, "SELECT 'as sent' AS answer")
	p.sees("1 PAUSED")
	p.keys("]", "e")
	p.sees("EDITING")
	p.keys("C-u", "C-k")
	p.types("SELECT 'as edited' AS answer")
	p.sees("as edited")
	p.keys("C-r")
	if got := <-first; got.err != nil || got.text != "as edited" {
		t.Fatalf("the client got %q, %v", got.text, got.err)
	}
	p.sees("EDIT")

	t.Log("another is answered with a deadlock, and the client tries again")
	second := retry(t, db, "SELECT 'again' AS answer")
	p.sees("1 PAUSED")
	p.keys("]", "r")
	p.sees("Respond", "1213")
	p.keys("C-r")
	p.sees("FAKE", "1 PAUSED")
	p.keys("]", "c")
	if got := <-second; got.err != nil || got.text != "again" || got.tries != 2 {
		t.Fatalf("the client got %q, %v after %d tries", got.text, got.err, got.tries)
	}
	p.sees("Deadl") // the error stands in the row of the statement

	t.Log("a query is injected before a held one")
	third := ask(t, db, "SELECT concat(@answer) AS answer")
	p.sees("1 PAUSED")
	p.keys("]", "O")
	p.sees("EDITING")
	p.types("SET @answer = 'injected'")
	p.keys("C-r")
	if got := <-third; got.err != nil || got.text != "injected" {
		t.Fatalf("the client got %q, %v", got.text, got.err)
	}
	p.sees("INJ")

	t.Log("nothing is held or connected: the program ends without asking")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p.sees("closed")
	p.keys("Q")
	p.sees("exit status 0")
}

type outcome struct {
	text  string
	err   error
	tries int
}

// ask runs a query beside the test.
func ask(t *testing.T, db *sql.DB, query string) <-chan outcome {
	return run(t, db, query, 1)
}

// retry is ask by a client that tries again after a deadlock, as applications do.
func retry(t *testing.T, db *sql.DB, query string) <-chan outcome {
	return run(t, db, query, 3)
}

func run(t *testing.T, db *sql.DB, query string, most int) <-chan outcome {
	t.Helper()
	done := make(chan outcome, 1)
	go func() { // ends with the query: the proxy closes its connections when the terminal closes
		var o outcome
		for o.tries < most {
			o.tries++
			o.err = db.QueryRowContext(t.Context(), query).Scan(&o.text)
			var e *mysql.MySQLError
			if !errors.As(o.err, &e) || e.Number != 1213 {
				break
			}
		}
		done <- o
	}()
	late := make(chan outcome, 1)
	go func() {
		select {
		case o := <-done:
			late <- o
		case <-time.After(3 * intercepttest.Patience):
			late <- outcome{err: errors.New("the client was left waiting")}
		}
	}()
	return late
}

// freePort is an address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// embedded starts the demo server, for machines without any other.
func embedded(t testing.TB) intercepttest.Server {
	t.Helper()
	s, err := demo.Start(context.Background(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return intercepttest.Server{Name: "embedded", Addr: s.Addr(), User: "app", Password: "app-pw", Database: "shop"}
}
