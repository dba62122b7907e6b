package diff

import (
	"math/rand/v2"
	"strings"
	"testing"

	"mydbg/intercept"
)

// list makes a statement of each letter, numbered from first.
func list(letters string, first intercept.Seq) []statement {
	var out []statement
	for i, c := range letters {
		out = append(out, statement{seq: first + intercept.Seq(i), form: string(c)})
	}
	return out
}

// drawn is a result as letters: plain where both have one, + and - where one has.
func drawn(a, b []statement, matches []match) string {
	form := func(l []statement, s intercept.Seq) string { return l[s-l[0].seq].form }
	var out strings.Builder
	for _, m := range matches {
		switch {
		case m.a == 0:
			out.WriteString("+" + form(b, m.b))
		case m.b == 0:
			out.WriteString("-" + form(a, m.a))
		default:
			out.WriteString(form(a, m.a))
		}
	}
	return out.String()
}

func TestAlign(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"", "", ""},
		{"abc", "abc", "abc"},
		{"abc", "", "-a-b-c"},
		{"", "abc", "+a+b+c"},
		{"abcd", "abxd", "ab-c+xd"},
		{"abcabba", "cbabac", ""},
		{"ab", "abbbb", "ab+b+b+b"},
		{"xaby", "aby", "-xaby"},
	} {
		a, b := list(tt.a, 1), list(tt.b, 101)
		got := drawn(a, b, align(a, b))
		if tt.want != "" && got != tt.want {
			t.Errorf("%s and %s: got %s, want %s", tt.a, tt.b, got, tt.want)
		}
		check(t, a, b, align(a, b))
	}
}

// check proves that both lists are in a result, whole and in order, and that partners are alike.
func check(t *testing.T, a, b []statement, matches []match) (alone int) {
	t.Helper()
	i, k := 0, 0
	for _, m := range matches {
		if m.a != 0 {
			if a[i].seq != m.a {
				t.Fatalf("%v", matches)
			}
			i++
		}
		if m.b != 0 {
			if b[k].seq != m.b {
				t.Fatalf("%v", matches)
			}
			k++
		}
		switch {
		case m.a != 0 && m.b != 0:
			if a[i-1].form != b[k-1].form {
				t.Fatalf("%v", matches)
			}
		default:
			alone++
		}
	}
	if i != len(a) || k != len(b) {
		t.Fatalf("%d of %d and %d of %d are in %v", i, len(a), k, len(b), matches)
	}
	return alone
}

// Nothing lines up better than the longest common subsequence, and nothing worse is good enough.
func TestAlignIsBest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	letters := func() string {
		b := make([]byte, random.IntN(12))
		for i := range b {
			b[i] = "abc"[random.IntN(3)]
		}
		return string(b)
	}
	for range 2000 {
		x, y := letters(), letters()
		a, b := list(x, 1), list(y, 101)
		if got, want := check(t, a, b, align(a, b)), len(x)+len(y)-2*common(x, y); got != want {
			t.Fatalf("%s and %s: %d without a partner, want %d", x, y, got, want)
		}
		if greedy := check(t, a, b, greedy(a, b)); greedy < len(x)+len(y)-2*common(x, y) {
			t.Fatalf("%s and %s: better than the best", x, y)
		}
	}
}

// common is the length of the longest common subsequence.
func common(x, y string) int {
	if x == "" || y == "" {
		return 0
	}
	row := make([]int, len(y)+1)
	for i := range len(x) {
		diagonal := 0
		for k := range len(y) {
			above := row[k+1]
			if x[i] == y[k] {
				row[k+1] = diagonal + 1
			} else {
				row[k+1] = max(above, row[k])
			}
			diagonal = above
		}
	}
	return row[len(y)]
}
