package eventlog

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
)

// lineSQL is how much of a statement a line of text shows, in bytes. JSON lines have all there is.
const lineSQL = 400

const clock = "15:04:05.000000"

// line is the exchange as text: time, number, connection, who, command, what came of it, how long it
// took, the statement, and what was done to it.
func (r *record) line() string {
	x := r.x
	f := []string{x.Begun.Format(clock), fmt.Sprintf("#%d", x.Seq), fmt.Sprintf("conn %d", x.Conn)}
	if who := r.who(); who != "" {
		f = append(f, who)
	}
	f = append(f, x.Name(), r.outcome(), took(x.Took()))
	if sql := r.oneLine(); sql != "" {
		f = append(f, sql)
	}
	if tail := r.remarks(); tail != "" {
		f = append(f, "["+tail+"]")
	}
	return strings.Join(f, "  ")
}

func (r *record) who() string {
	who := clean(r.info.User)
	if r.info.DB != "" {
		who += "@" + clean(r.info.DB)
	}
	return who
}

func (r *record) outcome() string {
	x := r.x
	switch {
	case x.Error != nil:
		return fmt.Sprintf("ERR %d (%s) %s", x.Error.Code, clean(x.Error.SQLState), clean(x.Error.Message))
	case x.State == intercept.Gone:
		return "no answer"
	case !r.answered():
		return "sent"
	case x.Cols > 0 && x.Command.Short() != "prepare":
		return counted(x.Rows, "row", "rows")
	case x.Affected > 0:
		return counted(x.Affected, "row affected", "rows affected")
	}
	return "OK"
}

func counted(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1fms", milliseconds(d))
	}
	return fmt.Sprintf("%.2fs", d.Seconds())
}

// oneLine is the statement with its parameters in place.
func (r *record) oneLine() string {
	sql := r.sql
	if len(r.params) > 0 {
		var values []string
		for i := range r.params {
			if r.params[i].Name == "" { // query attributes are no parameters
				values = append(values, r.params[i].Literal(r.cx))
			}
		}
		sql = sqltext.Bind(sql, values)
	}
	sql = sqltext.OneLine(sql)
	if len(sql) <= lineSQL && !r.cut() {
		return clean(sql)
	}
	end := min(len(sql), lineSQL)
	for end > 0 && end < len(sql) && !utf8.RuneStart(sql[end]) {
		end--
	}
	return fmt.Sprintf("%s... (%d bytes)", clean(sql[:end]), max(r.x.SQLLen, len(sql)))
}

func (r *record) remarks() string {
	var parts []string
	x := r.x
	if a := r.action(); a != "forward" {
		parts = append(parts, a)
	}
	if by := r.by(); by != "" {
		parts = append(parts, "by "+clean(by))
	}
	if x.HeldFor > 0 {
		parts = append(parts, "held "+took(x.HeldFor))
	}
	if x.Upload != nil {
		parts = append(parts, "file "+clean(x.Upload.Text()))
	}
	if x.Stream != nil {
		parts = append(parts, "binary log: "+clean(x.Stream.Text()))
	}
	if x.Note != "" {
		parts = append(parts, clean(x.Note))
	}
	return strings.Join(parts, ", ")
}

// noticeLine is a notice as text.
func noticeLine(n *intercept.Notice) string {
	return n.At.Format(clock) + "  " + n.Level.String() + "  " + clean(n.Text)
}

// clean makes one line of s in which everything can be printed.
func clean(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strconv.IsPrint(c):
			b.WriteRune(c)
		default:
			quoted := strconv.QuoteRune(c)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += n
	}
	return b.String()
}
