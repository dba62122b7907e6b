package detail

import (
	"fmt"
	"strings"
	"time"

	"mydbg/mysqlwire"
)

// bytesOf is a number of bytes: exact while it is small.
func bytesOf(n int) string {
	switch {
	case n < 10<<10:
		return count(n) + " B"
	case n < 1<<20:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}

// count is a number with commas between the thousands.
func count[N int | uint64](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// many is a number with its noun.
func many[N int | uint64](n N, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + more
}

// clock is a duration as minutes and seconds, 00:14; with hours where there are some.
func clock(d time.Duration) string {
	s := max(int(d/time.Second), 0)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

// took is how long something lasted, in the unit that suits it.
func took(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return clock(d)
}

var statusWords = []struct {
	flag  mysqlwire.Status
	words string
}{
	{mysqlwire.StatusInTrans, "in a transaction"},
	{mysqlwire.StatusInTransReadonly, "the transaction only reads"},
	{mysqlwire.StatusAutocommit, "autocommit"},
	{mysqlwire.StatusMoreResultsExists, "more results follow"},
	{mysqlwire.StatusNoGoodIndexUsed, "no good index used"},
	{mysqlwire.StatusNoIndexUsed, "no index used"},
	{mysqlwire.StatusCursorExists, "a cursor is open"},
	{mysqlwire.StatusLastRowSent, "last row of the cursor sent"},
	{mysqlwire.StatusDBDropped, "database dropped"},
	{mysqlwire.StatusNoBackslashEscapes, "backslash does not escape"},
	{mysqlwire.StatusMetadataChanged, "columns differ from those prepared"},
	{mysqlwire.StatusQueryWasSlow, "slow query"},
	{mysqlwire.StatusPSOutParams, "OUT parameters of a procedure"},
	{mysqlwire.StatusSessionStateChanged, "session state changed"},
	{mysqlwire.StatusANSIQuotes, "double quotes are for names"},
}

// statusText is the server's status in words.
func statusText(s mysqlwire.Status) string {
	var words []string
	for _, w := range statusWords {
		if s.Has(w.flag) {
			words = append(words, w.words)
			s &^= w.flag
		}
	}
	if s != 0 {
		words = append(words, s.String())
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// stateText is one change of the session that an OK reports.
func stateText(c *mysqlwire.StateChange) (name, text string) {
	switch c.Type {
	case mysqlwire.StateSystemVariables:
		var list []string
		for _, v := range c.Variables {
			list = append(list, v.Name+" = "+v.Value)
		}
		return "variables", strings.Join(list, ", ")
	case mysqlwire.StateSchema:
		return "database", "now " + c.Text
	case mysqlwire.StateChanged:
		return "session", "something of it changed"
	case mysqlwire.StateGTIDs:
		return "GTIDs", c.Text
	case mysqlwire.StateTransactionCharacteristics:
		return "transaction", "would begin again with " + c.Text
	case mysqlwire.StateTransactionState:
		return "transaction", transactionText(c.Text)
	}
	return c.Type.String(), fmt.Sprintf("%x", c.Data)
}

// transactionText reads the eight letters of a transaction's state.
func transactionText(s string) string {
	if len(s) != 8 {
		return s
	}
	words := [8]map[byte]string{
		{'T': "open", 'I': "open without BEGIN", '_': "none"},
		{'r': "has read tables that do not roll back"},
		{'R': "has read"},
		{'w': "has written tables that do not roll back"},
		{'W': "has written"},
		{'s': "a statement could not be repeated safely"},
		{'S': "has sent rows"},
		{'L': "holds table locks"},
	}
	list := []string{}
	for i := range len(s) {
		if w := words[i][s[i]]; w != "" {
			list = append(list, w)
		}
	}
	return strings.Join(list, ", ") + " (" + s + ")"
}
