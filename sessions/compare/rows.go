package compare

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"mydbg/mysqlwire"
)

// rows compares two result sets row by row. Where nobody asked for an order, they are compared as bags.
func (c *comparison) rows(w, g *mysqlwire.Result, partial bool) {
	if len(w.Columns) != len(g.Columns) {
		if !partial {
			c.unequal(RowCount, w.Rows.Len(), g.Rows.Len())
		}
		return
	}
	t := table{comparison: c, want: w, got: g, skip: c.volatileColumns(len(w.Columns))}
	equal := w.Rows.Len() == g.Rows.Len()
	if equal && t.identical() {
		return
	}
	if c.repeat.All {
		c.skipped = true
		return
	}
	if !equal && !partial {
		c.unequal(RowCount, w.Rows.Len(), g.Rows.Len())
	}
	gone, came := t.surplus()
	switch {
	case partial && !equal: // the rest is not known
		for i := range min(w.Rows.Len(), g.Rows.Len()) {
			t.cells(i, i)
		}
	case len(gone) == 0 && len(came) == 0:
		if c.repeat.Ordered {
			t.order()
		}
	case equal && c.repeat.Ordered && len(gone) == len(came) && slices.Equal(gone, came):
		for i := range gone {
			t.cells(gone[i], came[i])
		}
	case equal && len(gone) == 1 && len(came) == 1: // it can only be that one
		t.cells(gone[0], came[0])
	default:
		t.pair(gone, came)
	}
}

// volatileColumns marks the columns whose cells are not compared.
func (c *comparison) volatileColumns(n int) []bool {
	skip := make([]bool, n)
	for _, f := range c.repeat.Fields {
		if f < 0 {
			f += n
		}
		if f >= 0 && f < n {
			skip[f] = true
		}
	}
	return skip
}

// table is two result sets with as many columns.
type table struct {
	*comparison
	want, got *mysqlwire.Result
	skip      []bool // by column
}

// identical reports whether the rows are the same, in the same order. It looks at bytes first.
func (t *table) identical() bool {
	for i := range t.want.Rows.Len() {
		w, werr := t.want.Rows.Row(i)
		g, gerr := t.got.Rows.Row(i)
		if werr != nil || gerr != nil {
			return false
		}
		if t.want.Binary == t.got.Binary && bytes.Equal(w.Raw, g.Raw) {
			continue
		}
		for k := range w.Len() {
			if !sameCell(&w, &g, k) {
				if !t.skip[k] {
					return false
				}
				t.skipped = true
			}
		}
	}
	return true
}

func sameCell(w, g *mysqlwire.Row, k int) bool {
	return w.Null(k) == g.Null(k) && bytes.Equal(w.Bytes(k), g.Bytes(k))
}

// surplus are the rows that only one side has, by number.
func (t *table) surplus() (gone, came []int) {
	seed := maphash.MakeSeed()
	bag := map[uint64]int{}
	for i := range t.want.Rows.Len() {
		bag[t.hash(seed, t.want, i)]++
	}
	for i := range t.got.Rows.Len() {
		h := t.hash(seed, t.got, i)
		if bag[h] == 0 {
			came = append(came, i)
			continue
		}
		bag[h]--
	}
	for i := t.want.Rows.Len() - 1; i >= 0; i-- { // the last of several equal ones is the one too many
		h := t.hash(seed, t.want, i)
		if bag[h] > 0 {
			bag[h]--
			gone = append(gone, i)
		}
	}
	slices.Reverse(gone)
	return gone, came
}

// hash is of the cells that are compared.
func (t *table) hash(seed maphash.Seed, r *mysqlwire.Result, i int) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	row, err := r.Rows.Row(i)
	if err != nil {
		_, _ = h.Write(row.Raw) // never fails
		return h.Sum64()
	}
	var size [binary.MaxVarintLen64]byte
	for k := range row.Len() {
		if t.skip[k] {
			t.skipped = true
			continue
		}
		n := int64(len(row.Bytes(k)))
		if row.Null(k) {
			n = -1
		}
		_, _ = h.Write(binary.AppendVarint(size[:0], n))
		_, _ = h.Write(row.Bytes(k))
	}
	return h.Sum64()
}

// order names the first row that is in another place.
func (t *table) order() {
	seed := maphash.MakeSeed()
	for i := range t.want.Rows.Len() {
		if t.hash(seed, t.want, i) != t.hash(seed, t.got, i) {
			t.add(Difference{Kind: Order, Row: i, Want: t.text(t.want, i), Got: t.text(t.got, i)})
			return
		}
	}
}

// pair matches the rows that changed by their first cell, which is the key more often than not. Those left over are
// missing or extra.
func (t *table) pair(gone, came []int) {
	byKey := map[string][]int{}
	for _, i := range came {
		k := t.key(t.got, i)
		byKey[k] = append(byKey[k], i)
	}
	var missing []int
	paired := map[int]bool{}
	for _, i := range gone {
		k := t.key(t.want, i)
		if len(byKey[k]) == 0 || len(t.want.Columns) == 1 {
			missing = append(missing, i)
			continue
		}
		other := byKey[k][0]
		byKey[k] = byKey[k][1:]
		paired[other] = true
		t.cells(i, other)
	}
	for _, i := range missing {
		t.add(Difference{Kind: Missing, Row: i, Want: t.text(t.want, i)})
	}
	for _, i := range came {
		if !paired[i] {
			t.add(Difference{Kind: Extra, Row: i, Got: t.text(t.got, i)})
		}
	}
}

// key is the first cell that is compared.
func (t *table) key(r *mysqlwire.Result, i int) string {
	row, err := r.Rows.Row(i)
	if err != nil {
		return ""
	}
	for k := range row.Len() {
		if !t.skip[k] {
			return row.Text(k)
		}
	}
	return ""
}

// cells lists what differs between two rows.
func (t *table) cells(i, j int) {
	w, werr := t.want.Rows.Row(i)
	g, gerr := t.got.Rows.Row(j)
	if werr != nil || gerr != nil {
		if fmt.Sprint(werr) != fmt.Sprint(gerr) {
			t.add(Difference{Kind: Value, Row: j, Want: t.text(t.want, i), Got: t.text(t.got, j)})
		}
		return
	}
	for k := range w.Len() {
		switch {
		case sameCell(&w, &g, k):
		case t.skip[k]:
			t.skipped = true
		default:
			t.add(Difference{Kind: Value, Row: j, Column: t.got.Columns[k].Name, Want: cell(&w, k), Got: cell(&g, k)})
		}
	}
}

// textLimit is how much of a cell or row a difference shows.
const textLimit = 200

// cell is a value with quotes around strings, so that an empty one and NULL are seen.
func cell(r *mysqlwire.Row, k int) string {
	if r.Null(k) {
		return "NULL"
	}
	s := r.Text(k)
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return s
	}
	return cut("'" + s + "'")
}

func cut(s string) string {
	if len(s) <= textLimit {
		return s
	}
	return strings.ToValidUTF8(s[:textLimit], "") + "…"
}

// text is a row in one line.
func (t *table) text(r *mysqlwire.Result, i int) string {
	row, err := r.Rows.Row(i)
	if err != nil {
		return err.Error()
	}
	var cells []string
	for k := range row.Len() {
		cells = append(cells, cell(&row, k))
	}
	return cut("(" + strings.Join(cells, ", ") + ")")
}
