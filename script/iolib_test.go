package script

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestScriptsDoNotReachTheTerminal(t *testing.T) {
	dir := t.TempDir()
	b := loadWith(t, `function read_query(packet)
		io.write("a", 1, "\n")
		io.stdout:write("b\n")
		io.stderr:write("c")
		print(os.execute("echo out; echo err >&2; exit 3"))
		print(pcall(dofile))
		local f = assert(io.open("`+filepath.Join(dir, "log")+`", "a"))
		f:write("to a file\n")
		f:close()
		io.output("`+filepath.Join(dir, "out")+`")
		io.write("to another")
		io.output():close()
		io.output(io.stdout)
		io.write("d")
	end`, Options{Deadline: -1})
	b.query("\x03a")
	got := b.output()
	for i := range got {
		if j := strings.Index(got[i], "bad argument"); j > 0 {
			got[i] = "print: " + got[i][j:]
		}
	}
	if want := []string{
		"print: a1", "print: b", "print: c", "print: out\nerr", "print: 768",
		"print: bad argument #1 to 'dofile' (string expected, got no value)", "print: d",
	}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
	for name, want := range map[string]string{"log": "to a file\n", "out": "to another"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestCommandsEndWithTheDeadline(t *testing.T) {
	b := loadWith(t, `function read_query(packet) os.execute("sleep 3; true") end`, Options{Deadline: 20 * time.Millisecond})
	_, err := b.e.Handle(t.Context(), b.commandEvent(1, "\x03a"))
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Msg, "ran longer") {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestReloadReachesOpenConnections(t *testing.T) {
	b := load(t, `n = (n or 0) + 1 function read_query() print("one", n) end`)
	b.query("\x03a")
	b.write(`n = (n or 0) + 1 function read_query() print("two", n) end`)
	b.query("\x03a")
	if err := b.e.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.query("\x03a")
	b.write("function (")
	if err := b.e.Reload(t.Context()); err == nil {
		t.Error("a script that does not compile was loaded")
	}
	b.query("\x03a")
	wantOutput(t, b, "print: one\t1", "print: one\t1", "print: two\t1", "print: two\t1")
}
