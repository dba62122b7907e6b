package tmux_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"mydbg/intercept/intercepttest"
	"mydbg/sessions/sessionstest"
	"mydbg/tui/tuitest/tmux"
)

// TestReplayAtATerminal records a client, changes the data, replays, and looks at what differs, beside the recording and
// through the proxy.
func TestReplayAtATerminal(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("no tmux")
	}
	program := filepath.Join(t.TempDir(), "mydbg")
	if out, err := exec.Command("go", "build", "-o", program, "mydbg").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := intercepttest.Servers(t, embedded)[0]
	table := sessionstest.Shop(t, &s)
	r := sessionstest.Record(t, &s, func(p *intercepttest.Proxy) {
		c, end := sessionstest.Open(t, &s, p.Addr, "")
		defer end()
		sessionstest.Rows(t, c, "SELECT 'the same'")
		sessionstest.Rows(t, c, "SELECT name FROM "+table+" WHERE id = 2")
	})
	c, end := sessionstest.Open(t, &s, "", "")
	defer end()
	sessionstest.Exec(t, c, "UPDATE "+table+" SET name = 'Robert' WHERE id = 2")

	for _, step := range []bool{false, true} {
		home := t.TempDir()
		args := []string{"replay", r.Path(), "--backend", s.Addr, "--same-server", "--user", s.User, "--speed", "max", "--color", "never"}
		if step {
			args = append(args, "--step")
		}
		term, err := tmux.Start(120, 36, []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "LANG=C.UTF-8", "MYSQL_PWD=" + s.Password}, program, args...)
		if err != nil {
			t.Fatal(err)
		}
		p := person{t, term}
		p.sees("REPLAYED 1 differ")
		if step {
			p.keys("7")
		}
		p.sees("7 Replay to", "Robert", "Bob", "1 different", "done")
		p.keys("Enter")
		p.sees("1 Events", "WHERE id = 2")
		p.keys("Q")
		p.sees("'Robert', was 'Bob'", "1 different", "exit status 1")
		if err := term.Close(); err != nil {
			t.Error(err)
		}
	}
}
