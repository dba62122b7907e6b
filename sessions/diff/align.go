package diff

import (
	"slices"

	"mydbg/intercept"
)

// match is a statement of one list and its partner in the other; 0 for none.
type match struct{ a, b intercept.Seq }

// patience is how many statements without a partner are looked for in the best order; lists that differ by more are
// lined up as they come.
const patience = 2000

// align lines two lists up by form: as few statements as possible are without a partner (Myers' algorithm).
func align(a, b []statement) []match {
	var out []match
	for len(a) > 0 && len(b) > 0 && a[0].form == b[0].form { // what begins alike needs no search
		out = append(out, match{a[0].seq, b[0].seq})
		a, b = a[1:], b[1:]
	}
	var tail []match
	for len(a) > 0 && len(b) > 0 && a[len(a)-1].form == b[len(b)-1].form {
		tail = append(tail, match{a[len(a)-1].seq, b[len(b)-1].seq})
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	slices.Reverse(tail)
	out = append(out, middle(a, b)...)
	return append(out, tail...)
}

func middle(a, b []statement) []match {
	steps, ok := myers(a, b)
	if !ok {
		return greedy(a, b)
	}
	return steps
}

// myers is nil and false where the lists differ by more than patience.
func myers(a, b []statement) ([]match, bool) {
	most := min(len(a)+len(b), patience)
	v := make([]int, 2*most+3) // how far each diagonal k = x - y has come, at v[k+most+1]
	var trace [][]int          // of v before each d, from diagonal -d-1 to d+1
	for d := 0; d <= most; d++ {
		trace = append(trace, slices.Clone(v[most-d:most+d+3]))
		for k := -d; k <= d; k += 2 {
			x := 0
			switch i := k + most + 1; {
			case d == 0:
			case down(k, d, v[i-1], v[i+1]):
				x = v[i+1]
			default:
				x = v[i-1] + 1
			}
			for x < len(a) && x-k < len(b) && a[x].form == b[x-k].form {
				x++
			}
			v[k+most+1] = x
			if x >= len(a) && x-k >= len(b) {
				return walk(a, b, trace), true
			}
		}
	}
	return nil, false
}

// down reports whether the way to diagonal k came from the one above it: a statement of b without a partner.
func down(k, d, below, above int) bool { return k == -d || k != d && below < above }

// walk goes back the way that myers found.
func walk(a, b []statement, trace [][]int) []match {
	var out []match
	x, y := len(a), len(b)
	for d := len(trace) - 1; d >= 0; d-- {
		at := func(k int) int { return trace[d][k+d+1] }
		k := x - y
		from := k - 1
		if d == 0 || down(k, d, at(k-1), at(k+1)) {
			from = k + 1
		}
		fx := at(from)
		fy := fx - from
		for x > fx && y > fy {
			x, y = x-1, y-1
			out = append(out, match{a[x].seq, b[y].seq})
		}
		switch {
		case d == 0:
		case x == fx:
			y--
			out = append(out, match{b: b[y].seq})
		default:
			x--
			out = append(out, match{a: a[x].seq})
		}
	}
	slices.Reverse(out)
	return out
}

// greedy gives each statement the next one of its form.
func greedy(a, b []statement) []match {
	next := map[string][]int{}
	for i, s := range b {
		next[s.form] = append(next[s.form], i)
	}
	var out []match
	done := 0
	for _, s := range a {
		list := next[s.form]
		for len(list) > 0 && list[0] < done {
			list = list[1:]
		}
		if len(list) == 0 {
			out = append(out, match{a: s.seq})
			continue
		}
		for ; done < list[0]; done++ {
			out = append(out, match{b: b[done].seq})
		}
		out = append(out, match{s.seq, b[done].seq})
		done++
		next[s.form] = list[1:]
	}
	for ; done < len(b); done++ {
		out = append(out, match{b: b[done].seq})
	}
	return out
}
