package script

import (
	"errors"
	"strings"
	"testing"

	"mydbg/script/lua51"
)

// Tracebacks end with the hook, as in MySQL Proxy: nothing of Lua's is below it.
func TestTracebacksEndWithTheHook(t *testing.T) {
	b := load(t, "function read_query(packet)\n\tlocal function look()\n\t\tprint(debug.traceback('here'))\n\t\tif packet:byte(2) then error('bad') end\n\tend\n\tlook()\nend")
	at := lua51.ChunkID(b.path)
	b.query("\x03")
	got := strings.Join(b.output(), "\n")
	look := at + ":6: in function <" + at + ":1>"
	want := "print: here\nstack traceback:\n\t" + at + ":3: in function 'look'\n\t" + look
	if strings.ReplaceAll(got, "SCRIPT", b.path) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	_, err := b.e.Handle(t.Context(), b.commandEvent(1, "\x03x"))
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want = "stack traceback:\n\t[C]: in function 'error'\n\t" + at + ":4: in function 'look'\n\t" + look
	if e.Trace != want {
		t.Errorf("got\n%s\nwant\n%s", e.Trace, want)
	}
}
