package tmux_test

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mydbg/intercept/intercepttest"
	"mydbg/tui/tuitest/tmux"
)

const watched = `local calls = 0
function read_query(packet)
  if not packet:find("watched") then return end
  calls = calls + 1
  print("call " .. calls)
  proxy.queries:append(7, (packet:gsub("watched", "rewritten")), { resultset_is_needed = true })
  return proxy.PROXY_SEND_QUERY
end

function read_query_result(inj)
  print("id " .. inj.id)
  if calls > 1 then local wrong = proxy.global.missing.field end
end
`

// TestScriptsAreWatched follows a script with a real client and server: output that leads to its event, the
// stages there, the error with its traceback, hooks tried on a copy, and an edit in place.
func TestScriptsAreWatched(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("no tmux")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "mydbg")
	if out, err := exec.Command("go", "build", "-o", program, "mydbg").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := intercepttest.Servers(t, embedded)[0]
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	script := write("watch.lua", watched, 0o600)
	broken := write("broken", "", 0o600) // the editor breaks the script once
	editor := write("editor", "#!/bin/sh\nif [ -e "+broken+" ]; then rm "+broken+"; echo 'nonsense(' >> \"$1\"; else sed -i 's/rewritten/edited/; s/nonsense(//' \"$1\"; fi\n", 0o700)

	home, addr := t.TempDir(), freePort(t)
	term, err := tmux.Start(120, 36, []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "LANG=C.UTF-8", "EDITOR=" + editor},
		program, "--listen", addr, "--backend", s.Addr, "--script", script, "--theme", "dark")
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
	got := func(query, want string) {
		t.Helper()
		if o := <-ask(t, db, query); o.err != nil || o.text != want {
			t.Fatalf("%s: the client got %q, %v, want %q", query, o.text, o.err, want)
		}
	}

	t.Log("output leads to its event, whose stages say what the script changed")
	got("SELECT 'watched' AS a", "rewritten")
	p.sees("LUA")
	p.keys("6")
	p.sees("watch.lua ok", "read_query_result", "call 1", "id 7")
	p.keys("Tab", "G", "Enter")
	p.sees("1 Events", "see Lua")
	p.keys("Enter", "l")
	p.sees("stage 2 after script", "- SELECT 'watched' AS a", "+ SELECT 'rewritten' AS a")
	p.keys("Escape")

	t.Log("the hooks are asked again about a copy")
	p.keys(`\\`)
	p.sees("hooks of all scripts", "on a copy of #", "would: sends COM_QUERY")

	t.Log("an error has its place and its traceback")
	got("SELECT 'watched' AS b", "rewritten")
	p.sees("watch.lua:12", "attempt to index field 'missing'")
	p.keys("BTab", "g", "Enter")
	p.sees("in read_query_result, connection", "watch.lua line 12")

	t.Log("what does not compile is not saved; what does is run by the connection that is open")
	p.keys("e")
	p.sees("not saved: watch.lua:", "e opens your text again")
	if text, err := os.ReadFile(script); err != nil || string(text) != watched {
		t.Errorf("the file has %q, %v", text, err)
	}
	p.keys("e")
	p.sees("watch.lua saved and loaded again")
	if text, err := os.ReadFile(script); err != nil || !strings.Contains(string(text), `"edited"`) || strings.Contains(string(text), "nonsense") {
		t.Errorf("the file has %q, %v", text, err)
	}
	got("SELECT 'watched' AS c", "edited")

	t.Log("a breakpoint before the scripts")
	p.keys("1")
	p.sees("1 Events")
	p.keys("G", "B")
	p.sees("pre if digest")
	held := ask(t, db, "SELECT 'watched' AS c")
	p.sees("1 PAUSED")
	p.keys("]")
	p.sees("read_query pre", "not yet")
	p.keys("c")
	if o := <-held; o.err != nil || o.text != "edited" {
		t.Fatalf("the client got %q, %v", o.text, o.err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p.sees("closed")
	p.keys("Q")
	p.sees("exit status 0")
}
