package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSandbox(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.lua"), []byte("return 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	free, bound := NewConsole(Options{Path: dir + "/?.lua"}), NewConsole(Options{Path: dir + "/?.lua", Sandbox: true})
	for _, tt := range []struct{ code, withheld string }{
		{"io.open('x')", "io.open"},
		{"io.popen('true')", "io.popen"},
		{"io.lines('/etc/hostname')", "io.lines"},
		{"os.execute('true')", "os.execute"},
		{"os.remove('/no/such')", "os.remove"},
		{"os.rename('/no/such', '/no/other')", "os.rename"},
		{"os.tmpname()", "os.tmpname"},
		{"os.getenv('HOME')", "os.getenv"},
		{"loadfile('x')", "loadfile"},
		{"pcall(dofile, 'x')", ""},
		{"package.loadlib('x', 'y')", "package.loadlib"},
		{"require('mine')", "no files: they are withheld"},
		{"require('lfs')", "module 'lfs'"},
		{"require('posix')", "module 'posix'"},
		{"debug.getinfo(1)", "debug.getinfo"},
		{"debug.traceback()", ""},
		{"require('mysql.tokenizer')", ""},
		{"require('proxy.parser')", ""},
		{"require('chassis')", ""},
		{"os.time() + os.clock()", ""},
		{"os.date('%Y')", ""},
		{"loadstring('return 1')()", ""},
		{"io.write('x')", ""},
	} {
		if _, err := eval(t, free, tt.code); err != nil {
			t.Errorf("%s: without a sandbox: %v", tt.code, err)
		}
		_, err := eval(t, bound, tt.code)
		switch {
		case tt.withheld == "" && err != nil:
			t.Errorf("%s: %v", tt.code, err)
		case tt.withheld != "" && (err == nil || !strings.Contains(err.Error(), tt.withheld) || !strings.Contains(err.Error(), "withheld by --sandbox")):
			t.Errorf("%s: got %v, want %s withheld", tt.code, err, tt.withheld)
		}
	}
}
