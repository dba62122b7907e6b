package diff_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/sessions/diff"
	"mydbg/sessions/sessionstest"
)

// TestTwoVersionsOfAnApplication has the second one ask once more for each row, leave a statement out, and see other data.
func TestTwoVersionsOfAnApplication(t *testing.T) {
	for _, s := range sessionstest.Servers(t) {
		t.Run(s.Name, func(t *testing.T) {
			table := sessionstest.Shop(t, &s)
			first := sessionstest.Record(t, &s, func(p *intercepttest.Proxy) {
				c, end := sessionstest.Open(t, &s, p.Addr, "")
				defer end()
				sessionstest.Rows(t, c, "SELECT id FROM "+table+" ORDER BY id")
				sessionstest.Rows(t, c, "SELECT name FROM "+table+" WHERE id = ?", 2)
				sessionstest.Rows(t, c, "SELECT COUNT(*) FROM "+table)
				sessionstest.Rows(t, c, "SELECT 'last'")
			})
			c, end := sessionstest.Open(t, &s, "", "")
			defer end()
			sessionstest.Exec(t, c, "UPDATE "+table+" SET name = 'Robert' WHERE id = 2")
			second := sessionstest.Record(t, &s, func(p *intercepttest.Proxy) {
				c, end := sessionstest.Open(t, &s, p.Addr, "")
				defer end()
				sessionstest.Rows(t, c, "SELECT id FROM "+table+" ORDER BY id")
				for id := range 3 {
					sessionstest.Rows(t, c, "SELECT name FROM "+table+" WHERE id = ?", 2-id)
				}
				sessionstest.Rows(t, c, "SELECT 'last'")
			})
			run := func(o diff.Options, json bool) (string, diff.Totals) {
				var b bytes.Buffer
				r := diff.NewReporter(&b, json)
				totals, err := diff.Run(first, second, o, r.Step)
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Close(totals); err != nil {
					t.Fatal(err)
				}
				return b.String(), totals
			}
			text, totals := run(diff.Options{}, false)
			if totals.Steps != [4]int{2, 1, 1, 2} || !totals.Different() {
				t.Errorf("got %+v\n%s", totals, text)
			}
			for _, want := range []string{"connections 1 and 1\n", "'Robert'", "was 'Bob'", "  - #", "SELECT COUNT(*)", "  + #", "2 the same, 1 changed, 1 gone, 2 added", "3 times, was 1"} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
			lines, _ := run(diff.Options{}, true)
			for line := range strings.Lines(lines) {
				if !json.Valid([]byte(line)) {
					t.Errorf("no JSON: %s", line)
				}
			}
			only, err := rule.Compile(`sql contains "last" or sql contains "ORDER BY id"`)
			if err != nil {
				t.Fatal(err)
			}
			if _, totals := run(diff.Options{Filter: only}, false); totals.Different() {
				t.Errorf("filtered: got %+v", totals)
			}
		})
	}
}
