package cmdline

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mydbg/intercept/rule"
	"mydbg/script"
)

// Check says what a condition, a rule, a file of rules or a Lua script means.
func Check(w io.Writer, arg string) error {
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		return Broken(fmt.Errorf("%s is a directory", arg))
	case err == nil:
		return checkFile(w, arg)
	case filepath.Ext(arg) == ".lua", strings.ContainsRune(arg, os.PathSeparator) && !strings.ContainsAny(arg, ` "'`):
		return Broken(err) // a file was meant
	}
	x, wrong := rule.Compile(arg)
	if wrong == nil {
		describe(w, [][2]string{
			{"condition", x.String()},
			{"means", x.Explain()},
			{"asked at", hooks([]rule.Point{x.Point()})},
			{"fields", strings.Join(x.Uses().Names(), ", ")},
		})
		return nil
	}
	if !likeRule(arg) {
		return Wrong("%w", wrong)
	}
	r, wrong := rule.ParseRule(arg)
	if wrong != nil {
		return Wrong("%w", wrong)
	}
	describeRule(w, r)
	return nil
}

func checkFile(w io.Writer, path string) error {
	if filepath.Ext(path) == ".lua" {
		return checkScript(w, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Broken(err)
	}
	rules, err := rule.ParseRules(string(text))
	if err != nil {
		return Wrong("%s: %w", path, err)
	}
	for i, r := range rules {
		if i > 0 {
			fmt.Fprintln(w)
		}
		describeRule(w, r)
	}
	if len(rules) == 0 {
		fmt.Fprintf(w, "%s has no rules\n", path)
	}
	return nil
}

// checkScript prints what is known of a script. Findings end the program with the status of a match.
func checkScript(w io.Writer, path string) error {
	r, err := script.Check(path)
	if err != nil {
		return Wrong("%w", err)
	}
	name := filepath.Base(path)
	var hooks []string
	for _, h := range r.Hooks {
		hooks = append(hooks, fmt.Sprintf("%s (line %d)", h.Text, h.Line))
	}
	if len(hooks) == 0 {
		hooks = []string{"none of its own"}
	}
	describe(w, [][2]string{
		{"script", name + " compiles"},
		{"hooks", strings.Join(hooks, ", ")},
		{"requires", strings.Join(r.Requires, ", ")},
	})
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%s:%d: %s\n", name, f.Line, f.Text)
	}
	if len(r.Findings) > 0 {
		return &Failure{Status: Matched}
	}
	return nil
}

// likeRule reports whether a text that is no condition was meant to be a rule: one of the words is in it
// that only rules have.
func likeRule(src string) bool {
	return slices.ContainsFunc(strings.Fields(src), func(word string) bool {
		return slices.Contains([]string{"break", "at", "hit", "per", "prob", "once", "pre", "post", "off", "for", "do", "if"}, word)
	})
}

func describeRule(w io.Writer, r *rule.Rule) {
	describe(w, [][2]string{
		{"rule", r.String()},
		{"means", r.Explain()},
		{"stops at", hooks(r.Points())},
		{"fields", strings.Join(r.Uses().Names(), ", ")},
	})
}

func describe(w io.Writer, lines [][2]string) {
	for _, l := range lines {
		if l[1] != "" {
			fmt.Fprintf(w, "%-10s %s\n", l[0], l[1])
		}
	}
}

// hooks are points by their short and their long names.
func hooks(points []rule.Point) string {
	names := make([]string, len(points))
	for i, p := range points {
		names[i] = fmt.Sprintf("%s (%s)", p.Short(), p)
	}
	return strings.Join(names, ", ")
}
