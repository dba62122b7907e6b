package lua51

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

var update = flag.Bool("update", false, "record the results of lua5.1 anew")

// expressions are the chunks of testdata, one a line.
func expressions(t *testing.T) (chunks []string, program string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("chunks = {\n")
	for _, line := range strings.Split(read(t, "expressions.txt"), "\n") {
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		chunks = append(chunks, line)
		fmt.Fprintf(&b, "[========[%s]========],\n", line)
	}
	b.WriteString("}\n" + read(t, "runner.lua"))
	return chunks, b.String()
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The results recorded are those of Debian's lua5.1. What differs here is in differences.txt: the chunk,
// what comes of it here behind a tab, and an empty line. The reasons are in ../README.md.
func TestExpressions(t *testing.T) {
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	time.Local = time.UTC
	chunks, program := expressions(t)
	want := strings.Split(strings.TrimRight(read(t, "expressions.golden"), "\n"), "\n")
	got := strings.Split(newMachine(t).run(program), "\n")
	if len(want) != len(chunks) || len(got) != len(chunks) {
		t.Fatalf("%d chunks, %d results recorded, %d results: %s", len(chunks), len(want), len(got), got[len(got)-1])
	}
	known := map[string]string{}
	for _, block := range strings.Split(strings.TrimSpace(read(t, "differences.txt")), "\n\n") {
		code, result, _ := strings.Cut(block, "\n\t")
		known[code] = result
	}
	for i, code := range chunks {
		ours, listed := known[code]
		switch {
		case listed && ours == want[i]:
			t.Errorf("%s\nis in differences.txt and does not differ", code)
		case listed && got[i] != ours:
			t.Errorf("%s\n got %s\nwant %s, which is how it differs", code, got[i], ours)
		case !listed && got[i] != want[i]:
			t.Errorf("%s\n got %s\nwant %s", code, got[i], want[i])
		}
		delete(known, code)
	}
	for code := range known {
		t.Errorf("%s\nis in differences.txt alone", code)
	}
}

// The recorded results are those of the lua5.1 that is installed.
func TestRecordedExpressions(t *testing.T) {
	path, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed")
	}
	chunks, program := expressions(t)
	file := filepath.Join(t.TempDir(), "program.lua")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, file)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "expressions.golden"), out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := strings.Split(string(out), "\n")
	want := strings.Split(read(t, "expressions.golden"), "\n")
	if slices.Equal(got, want) {
		return
	}
	for i := range min(len(got), len(want), len(chunks)) {
		if got[i] != want[i] {
			t.Errorf("%s\nlua5.1 %s\nrecorded %s", chunks[i], got[i], want[i])
		}
	}
}

// The programs are made at random of what gopher-lua has miscompiled: assignments, conditions, loops,
// closures and calls with several values. Their output is that of Debian's lua5.1.
func TestPrograms(t *testing.T) {
	got, want := strings.Split(newMachine(t).run(read(t, "programs.lua")), "\n"), strings.Split(strings.TrimSpace(read(t, "programs.golden")), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d: %s", len(got), len(want), got[len(got)-1])
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %s\nwant %s", got[i], want[i])
		}
	}
}

// Tracebacks are those of Debian's lua5.1, where a function of C runs the script.
func TestTracebacks(t *testing.T) {
	m := newMachine(t)
	m.printed = nil
	fn, err := Load(m.l, read(t, "tracebacks.lua"), "@tracebacks.lua")
	if err != nil {
		t.Fatal(err)
	}
	m.l.Push(m.l.NewFunction(func(l *lua.LState) int {
		l.Push(fn)
		l.Call(0, 0)
		return 0
	}))
	if err := m.l.PCall(0, 0, nil); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(m.printed, "\n") + "\n"
	if want := read(t, "tracebacks.golden"); got != want {
		gots, wants := strings.Split(got, "\n--\n"), strings.Split(want, "\n--\n")
		for i := range max(len(gots), len(wants)) {
			if i >= len(gots) || i >= len(wants) || gots[i] != wants[i] {
				t.Errorf("traceback %d\ngot\n%s\nwant\n%s", i+1, gots[min(i, len(gots)-1)], wants[min(i, len(wants)-1)])
			}
		}
	}
}

func TestRecordedTracebacks(t *testing.T) {
	path, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed")
	}
	cmd := exec.Command(path, "tracebacks.lua")
	cmd.Dir = "testdata"
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "tracebacks.golden"), out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(out) != read(t, "tracebacks.golden") {
		t.Error("tracebacks.golden is not what lua5.1 prints")
	}
}

func TestRecordedPrograms(t *testing.T) {
	path, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed")
	}
	out, err := exec.Command(path, filepath.Join("testdata", "programs.lua")).Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != read(t, "programs.golden") {
		t.Error("programs.golden is not what lua5.1 prints")
	}
}
