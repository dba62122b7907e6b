package detail

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
)

// fieldDiff compares the fields of two packets by their names.
type fieldDiff struct {
	list    *stageList
	was, is *frameRef
	terse   bool // leaves out what is the same
}

// fields lists a and b: what is in both once, what differs twice.
func (d *fieldDiff) fields(a, b []mysqlwire.Field, depth int) {
	places := map[string]int{}
	for i, k := range keys(a) {
		places[k] = i
	}
	next := 0
	gone := func(to int) {
		for ; next < to; next++ {
			d.list.all(a[next:next+1], d.was, depth, markGone)
		}
	}
	for j, k := range keys(b) {
		i, ok := places[k]
		if !ok || i < next {
			d.list.all(b[j:j+1], d.is, depth, markAdded)
			continue
		}
		gone(i)
		d.pair(a[i], b[j], depth)
		next = i + 1
	}
	gone(len(a))
}

// keys names fields by their name and which of that name they are.
func keys(list []mysqlwire.Field) []string {
	seen := map[string]int{}
	names := make([]string, len(list))
	for i, f := range list {
		names[i] = f.Name + "#" + strconv.Itoa(seen[f.Name])
		seen[f.Name]++
	}
	return names
}

func (d *fieldDiff) pair(a, b mysqlwire.Field, depth int) {
	if bytes.Equal(bytesIn(d.was, a), bytesIn(d.is, b)) && a.Value == b.Value {
		if !d.terse {
			d.same(b, depth)
		}
		return
	}
	switch {
	case len(a.Children) > 0 && len(b.Children) > 0:
		value := b.Value
		if value == "" {
			value = count(len(b.Children))
		}
		d.list.add(stageRow{depth: depth, name: b.Name, value: value, ref: d.is, off: b.Off, len: b.Len})
		d.fields(a.Children, b.Children, depth+1)
	case isText(d.is.packet.Kind, b.Name):
		d.lines(b.Name, string(bytesIn(d.was, a)), string(bytesIn(d.is, b)), depth, a, b)
	case a.Value == b.Value && len(a.Children) == 0:
		// The same written another way.
		d.list.add(stageRow{mark: markGone, depth: depth, name: a.Name, value: fmt.Sprintf("%s  (%x)", a.Value, cutBytes(bytesIn(d.was, a))), ref: d.was, off: a.Off, len: a.Len, stop: true})
		d.list.add(stageRow{mark: markAdded, depth: depth, name: b.Name, value: fmt.Sprintf("%s  (%x)", b.Value, cutBytes(bytesIn(d.is, b))), ref: d.is, off: b.Off, len: b.Len, stop: true})
	default:
		d.list.all([]mysqlwire.Field{a}, d.was, depth, markGone)
		d.list.all([]mysqlwire.Field{b}, d.is, depth, markAdded)
	}
}

// same lists a field that did not change; a group of them in one row.
func (d *fieldDiff) same(f mysqlwire.Field, depth int) {
	value := f.Value
	if len(f.Children) > 0 && value == "" {
		value = many(len(f.Children), "field", "fields")
	}
	d.list.add(stageRow{depth: depth, name: f.Name, value: value, same: true, ref: d.is, off: f.Off, len: f.Len})
}

// isText reports whether a field holds a statement.
func isText(k mysqlwire.Kind, name string) bool {
	switch k {
	case mysqlwire.KindQuery, mysqlwire.KindStmtPrepare:
		return name == "query" || name == "statement" || name == "sql"
	}
	return false
}

// maxLines is how many lines of a statement are compared.
const maxLines = 400

// lines compares two statements line by line, laid out alike.
func (d *fieldDiff) lines(name, was, is string, depth int, a, b mysqlwire.Field) {
	before, after := layOut(was), layOut(is)
	d.list.add(stageRow{depth: depth, name: name, value: bytesOf(len(was)) + " -> " + bytesOf(len(is)), ref: d.is, off: b.Off, len: b.Len})
	length := make([][]int, len(before)+1)
	for i := range length {
		length[i] = make([]int, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			if before[i] == after[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(before) || j < len(after) {
		switch {
		case i < len(before) && j < len(after) && before[i] == after[j]:
			if !d.terse {
				d.list.add(stageRow{depth: depth + 1, name: after[j], same: true, ref: d.is, off: b.Off, len: b.Len})
			}
			i, j = i+1, j+1
		case j == len(after) || i < len(before) && length[i+1][j] >= length[i][j+1]:
			d.list.add(stageRow{mark: markGone, depth: depth + 1, name: before[i], ref: d.was, off: a.Off, len: a.Len, stop: true})
			i++
		default:
			d.list.add(stageRow{mark: markAdded, depth: depth + 1, name: after[j], ref: d.is, off: b.Off, len: b.Len, stop: true})
			j++
		}
	}
}

// layOut cuts a statement into lines.
func layOut(sql string) []string {
	if len(sql) > headSQL*4 {
		sql = sql[:runeStart(sql, headSQL*4)] + " …"
	}
	lines := strings.Split(sqltext.Format(sql), "\n")
	if len(lines) > maxLines {
		lines = append(lines[:maxLines], "…")
	}
	return lines
}

func bytesIn(r *frameRef, f mysqlwire.Field) []byte {
	off := min(max(f.Off, 0), len(r.packet.Payload))
	return r.packet.Payload[off:min(off+f.Len, len(r.packet.Payload))]
}

func cutBytes(b []byte) []byte { return b[:min(len(b), 32)] }
