// Command summary reads what `go test -json` wrote, prints what `go test` would have, and fails when a
// test failed or did without the server, or the package of the system, that it needs.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// event is a line of `go test -json`.
type event struct {
	Action, Package, Test, Output, ImportPath string
}

var (
	// needsServer is how tests say that they were skipped for want of one, named how they say which.
	needsServer = regexp.MustCompile(`LAB_|\bserver\b`)
	// needsPackage is how they say that the script beside this command should install something.
	needsPackage = regexp.MustCompile(`\bapt-get install\b`)
	named        = regexp.MustCompile(`LAB_([A-Z0-9]+)_(?:ADDR|DSN|HOST|PORT|SOCKET|USERS|VERSION)`)
)

// wanting reports whether a test did without a package, or a server that was there for it: LAB_SERVERS
// lists those with a name; of those without one, any would have done.
func wanting(reason string) bool {
	if needsPackage.MatchString(reason) {
		return true
	}
	if !needsServer.MatchString(reason) {
		return false
	}
	m := named.FindStringSubmatch(reason)
	return m == nil || slices.Contains(strings.Fields(os.Getenv("LAB_SERVERS")), strings.ToLower(m[1]))
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: summary FILE")
		os.Exit(2)
	}
	ok, err := summarise(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

func summarise(path string) (ok bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	ok = true
	output := map[string][]string{} // of a test
	count := map[string]int{}
	var without []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Println(lines.Text()) // go's own words
			ok = false
			continue
		}
		name := e.Package + " " + e.Test
		switch {
		case e.Action == "build-output":
			fmt.Print(e.Output)
		case e.Action == "build-fail":
			ok = false
		case e.Action == "output" && e.Test == "":
			if o := e.Output; o != "PASS\n" && !strings.HasPrefix(o, "=== ") {
				fmt.Print(o)
			}
		case e.Action == "output":
			output[name] = append(output[name], e.Output)
		case e.Action == "fail":
			ok = false
			if e.Test != "" {
				fmt.Print(strings.Join(output[name], ""))
			}
		}
		if e.Test == "" || !slices.Contains([]string{"pass", "fail", "skip"}, e.Action) {
			continue
		}
		count[e.Action]++
		if said := strings.Join(output[name], ""); e.Action == "skip" && wanting(reason(said)) {
			without = append(without, name+"\n"+reason(said))
		}
		delete(output, name)
	}
	fmt.Printf("\n%d tests passed, %d failed, %d were skipped\n", count["pass"], count["fail"], count["skip"])
	for _, name := range without {
		fmt.Printf("skipped for want of what should be here: %s\n", name)
	}
	if count["pass"] == 0 {
		return false, fmt.Errorf("no test has run")
	}
	return ok && len(without) == 0, lines.Err()
}

// reason is what a test said of itself, without go's own lines, which have its name.
func reason(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		if t := strings.TrimSpace(line); !strings.HasPrefix(t, "===") && !strings.HasPrefix(t, "---") {
			said = append(said, t)
		}
	}
	return strings.Join(said, "\n")
}
