package hexview

// maxDiff is how many pairs of bytes Diff compares at most: 4 MiB of memory, some 10 ms.
const maxDiff = 4 << 20

// Diff returns the runs of b that are not in a, in order, for SetChanged. Where bytes of a are missing from b, the byte
// after the gap counts as changed, or the last one at the end. Long stretches that differ are taken as one run.
func Diff(a, b []byte) []Range {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	midA, midB := a[head:len(a)-tail], b[head:len(b)-tail]
	changed := make([]bool, len(midB)+1) // the last one stands for the byte after
	if len(midA)*len(midB) > maxDiff {
		for i := range midB {
			changed[i] = true
		}
	} else {
		compare(midA, midB, changed)
	}
	if n := len(midB); changed[n] && head+n == len(b) { // nothing after
		changed[n] = false
		if n > 0 {
			changed[n-1] = true
		} else if len(b) > 0 {
			return []Range{{len(b) - 1, 1}}
		}
	}
	var runs []Range
	for i, c := range changed {
		switch n := len(runs); {
		case !c:
		case n > 0 && runs[n-1].end() == head+i:
			runs[n-1].N++
		default:
			runs = append(runs, Range{head + i, 1})
		}
	}
	return runs
}

// compare marks the bytes of b outside a longest common subsequence with a.
func compare(a, b []byte, changed []bool) {
	// way[i*wide+j] says which way a longest one of a[i:] and b[j:] goes.
	const (
		both, skipA, skipB = byte(0), byte(1), byte(2)
	)
	wide := len(b)
	way := make([]byte, len(a)*wide)
	next, row := make([]int32, wide+1), make([]int32, wide+1)
	for i := len(a) - 1; i >= 0; i-- {
		for j := wide - 1; j >= 0; j-- {
			switch {
			case a[i] == b[j]:
				row[j], way[i*wide+j] = next[j+1]+1, both
			case row[j+1] >= next[j]:
				row[j], way[i*wide+j] = row[j+1], skipB
			default:
				row[j], way[i*wide+j] = next[j], skipA
			}
		}
		next, row = row, next
	}
	i, j := 0, 0
	missing, put := false, false // since the last byte of both
	for i < len(a) && j < wide {
		switch way[i*wide+j] {
		case both:
			changed[j] = missing && !put
			missing, put = false, false
			i, j = i+1, j+1
		case skipB:
			changed[j], put = true, true
			j++
		default:
			missing = true
			i++
		}
	}
	put = put || j < wide
	for ; j < wide; j++ {
		changed[j] = true
	}
	changed[wide] = (missing || i < len(a)) && !put
}
