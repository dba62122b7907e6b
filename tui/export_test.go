package tui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExportOfARecording(t *testing.T) {
	d, m := openFile(t, "../sessions/testdata/recording.pcapng")
	dir := t.TempDir()
	run := func(line string) {
		d.Press(":")
		d.Type(line)
		d.Press("enter")
	}
	for _, c := range []struct{ name, want string }{
		{"all.sql", "SELECT 1 AS one"},
		{"all.csv", "time,conn"},
		{"all.jsonl", `"conn":1`},
		{"all.txt", "SELECT 1 AS one"},
		{"all.log", "# Time:"},
		{"all.pcapng", "SELECT 1 AS one"},
		{"all.db", "SQLite format 3"},
	} {
		path := filepath.Join(dir, c.name)
		run("export " + path)
		got, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(got), c.want) || !strings.Contains(m.message.text, "written to") {
			t.Errorf("%s: %v, %.200q, %q", c.name, err, got, m.message.text)
		}
	}
	run("export " + filepath.Join(dir, "all.sql"))
	d.Has("exists already")
	run("export " + filepath.Join(dir, "all.doc"))
	d.Has("export to what?", ".jsonl")

	run(`filter sql contains "AS one"`)
	path := filepath.Join(dir, "some.txt")
	run("export " + path)
	if got, err := os.ReadFile(path); err != nil || strings.Count(string(got), "\n") != 1 || !strings.Contains(m.message.text, "1 exchange written") {
		t.Errorf("%v, %q, %q", err, got, m.message.text)
	}
}

func TestExportOfLiveTraffic(t *testing.T) {
	d, m := start(t, shop(), 120, 36, plain, func(o *Options) {
		o.Recorder = pastRecorder{"../sessions/testdata/recording.pcapng"}
	})
	path := filepath.Join(t.TempDir(), "kept.sql")
	d.Press("w")
	if got := m.prompt.input.Value(); !strings.HasPrefix(got, "export mydbg-") {
		t.Errorf("w offers %q", got)
	}
	d.Press("ctrl+u")
	d.Type("export " + path)
	d.Press("enter")
	if got, err := os.ReadFile(path); err != nil || !strings.Contains(string(got), "SELECT 1 AS one") {
		t.Errorf("%v, %q, %q", err, got, m.message.text)
	}
}

func TestNothingToExport(t *testing.T) {
	d, _ := start(t, shop(), 120, 36, plain)
	d.Press("w")
	d.Has("nothing is kept of the traffic")
}
