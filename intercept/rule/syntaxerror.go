package rule

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A SyntaxError says what is wrong with a condition or a rule, where, and what to try.
type SyntaxError struct {
	Src  string // the text as given
	Off  int    // byte offset in Src
	Line int    // 1-based, set by ParseRules only
	Msg  string
	Hint string // "did you mean …" or what to write instead; may be empty
}

// Error is one line; the position counts characters from 1.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	fmt.Fprintf(&b, "%s at %d", e.Msg, e.column()+1)
	if e.Hint != "" {
		b.WriteString(", " + e.Hint)
	}
	return b.String()
}

// Caret is the line the error is in and, below it, a caret under the place.
func (e *SyntaxError) Caret() string {
	off := min(max(e.Off, 0), len(e.Src))
	start := strings.LastIndexByte(e.Src[:off], '\n') + 1
	end := len(e.Src)
	if i := strings.IndexByte(e.Src[off:], '\n'); i >= 0 {
		end = off + i
	}
	line := strings.ReplaceAll(e.Src[start:end], "\t", " ")
	return line + "\n" + strings.Repeat(" ", utf8.RuneCountInString(e.Src[start:off])) + "^"
}

func (e *SyntaxError) column() int {
	return utf8.RuneCountInString(e.Src[:min(max(e.Off, 0), len(e.Src))])
}

// moved is e for a longer text in which its own begins at off.
func (e *SyntaxError) moved(src string, off int) *SyntaxError {
	c := *e
	c.Src, c.Off = src, e.Off+off
	return &c
}

// Nearest is the candidate most like word, or "" when none is like it.
func Nearest(word string, candidates []string) string {
	best, limit := "", 1+len(word)/3
	low := strings.ToLower(word)
	for _, c := range candidates {
		if d := Distance(low, strings.ToLower(c)); d <= limit && d < max(len(word), 2) {
			best, limit = c, d-1
		}
	}
	return best
}

// Distance counts the insertions, deletions, replacements and swaps of neighbours from a to b.
func Distance(a, b string) int {
	var before []int
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur := make([]int, len(b)+1)
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev = prev, cur
	}
	return prev[len(b)]
}
