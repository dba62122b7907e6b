package traffic

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
	"mydbg/tui/safe"
)

// roomy is the width from which the end of a statement is worth showing beside its beginning.
const roomy = 40

// Statement is a statement on one line of at most w cells. What does not fit goes from the middle,
// where the verb and the first table are not.
func Statement(sql string, w int) string {
	one := sqltext.OneLine(sql)
	if len(one) <= w && safe.Width(one) <= w {
		return safe.Line(one)
	}
	tables := sqltext.Parse(sql).Tables
	if len(tables) == 0 {
		return safe.Elide(one, w)
	}
	at, end := mention(one, tables[0])
	if at < 0 || w >= roomy && ansi.StringWidth(safe.Line(one[:end])) <= (w-1)-(w-1)/2 {
		return safe.Elide(one, w)
	}
	if n := ansi.StringWidth(safe.Line(one[:end])); n <= w-2 || !strings.Contains(strings.TrimRight(one[:at], " "), " ") {
		return safe.Cut(one, w) // all the way to the table, and the end goes
	}
	// The word before the table (FROM, INTO, JOIN) says what it is there for.
	from := max(strings.LastIndexByte(strings.TrimRight(one[:at], " "), ' ')+1, 0)
	verb, _, _ := strings.Cut(one, " ")
	rest := max(w-ansi.StringWidth(safe.Line(verb))-3, 0)
	return safe.Cut(verb+" … "+safe.Cut(one[from:], rest), w)
}

// mention is where a table's name stands after the statement's first word; at is -1 if nowhere.
func mention(sql, table string) (at, end int) {
	if i := strings.LastIndexByte(table, '.'); i >= 0 && !strings.Contains(sql, table) {
		table = table[i+1:]
	}
	for from := 0; ; {
		i := strings.Index(sql[from:], table)
		if i < 0 {
			return -1, -1
		}
		i += from
		if before := byte(' '); i > 0 {
			before = sql[i-1]
			if (before == ' ' || before == '`' || before == '.' || before == '(' || before == ',') &&
				(i+len(table) == len(sql) || !wordByte(sql[i+len(table)])) {
				return i, i + len(table)
			}
		}
		from = i + 1
	}
}

func wordByte(b byte) bool {
	return b == '_' || b == '$' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// letters are the commands that come often.
var letters = map[mysqlwire.Command]string{
	mysqlwire.ComQuery: "Q", mysqlwire.ComStmtPrepare: "P", mysqlwire.ComStmtExecute: "X",
	mysqlwire.ComStmtBulkExecute: "X", mysqlwire.ComStmtFetch: "F", mysqlwire.ComStmtClose: "C",
	mysqlwire.ComStmtReset: "R", mysqlwire.ComStmtSendLongData: "L", mysqlwire.ComInitDB: "D",
	mysqlwire.ComPing: "·", mysqlwire.ComQuit: "·", mysqlwire.ComChangeUser: "U",
}

// Letter is a command in one cell: Q query, P prepare, X execute, F fetch, C close, R reset, L long
// data, D change of database, U change of user; a dot for others.
func Letter(c mysqlwire.Command) string {
	if l, ok := letters[c]; ok {
		return strings.ReplaceAll(l, "·", ".")
	}
	return "."
}

// Short is a duration in at most six cells.
func Short(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return Clock(d)
}

// Clock is a duration as minutes and seconds, 00:14; with hours where there are some.
func Clock(d time.Duration) string {
	s := max(int(d/time.Second), 0)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

// Span is a duration in its largest unit: 21s, 3m, 2h.
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(int(d/time.Second), 0))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d/time.Minute))
	}
	return fmt.Sprintf("%dh", int(d/time.Hour))
}

// Count is a number with commas between the thousands.
func Count[N int | uint64](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Size is a number of bytes in the unit that suits it.
func Size(n int) string {
	switch {
	case n < 1024:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KB", float64(n)/1024)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
