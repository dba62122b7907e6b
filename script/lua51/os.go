package lua51

import (
	"fmt"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// openOS replaces the functions of the os library that deal with time and locale.
func (b *Libs) openOS() {
	l := b.l
	lib := l.GetGlobal("os").(*lua.LTable)
	for name, fn := range map[string]lua.LGFunction{
		"date": osDate, "time": osTime,
		"difftime": func(l *lua.LState) int {
			from := 0.0
			if l.Get(2) != lua.LNil {
				from = floatArg(l, 2, "difftime")
			}
			l.Push(lua.LNumber(floatArg(l, 1, "difftime") - from))
			return 1
		},
		"setlocale": func(l *lua.LState) int { // there is one
			switch name, _ := Text(l.Get(1)); name {
			case "", "C", "POSIX":
				l.Push(lua.LString("C"))
			default:
				l.Push(lua.LNil)
			}
			return 1
		},
	} {
		lib.RawSetString(name, l.NewFunction(fn))
	}
}

func osTime(l *lua.LState) int {
	if l.Get(1) == lua.LNil {
		l.Push(lua.LNumber(time.Now().Unix()))
		return 1
	}
	t := tableArg(l, 1, "time")
	field := func(name string, other int) int {
		n, ok := Number(l.GetField(t, name))
		if !ok && other < 0 {
			l.RaiseError("field '%s' missing in date table", name)
		}
		if !ok {
			return other
		}
		return int(n)
	}
	sec, minute, hour := field("sec", 0), field("min", 0), field("hour", 12)
	day, month, year := field("day", -1), field("month", -1), field("year", -1)
	l.Push(lua.LNumber(time.Date(year, time.Month(month), day, hour, minute, sec, 0, time.Local).Unix()))
	return 1
}

func osDate(l *lua.LState) int {
	format := "%c"
	if l.Get(1) != lua.LNil {
		format = StringArg(l, 1, "date")
	}
	t := time.Now()
	if l.Get(2) != lua.LNil {
		t = time.Unix(int64(IntArg(l, 2, "date")), 0)
	}
	if rest, utc := strings.CutPrefix(format, "!"); utc {
		format, t = rest, t.UTC()
	}
	if !strings.HasPrefix(format, "*t") {
		l.Push(lua.LString(formatTime(t, format)))
		return 1
	}
	out := l.NewTable()
	for name, n := range map[string]int{
		"year": t.Year(), "month": int(t.Month()), "day": t.Day(), "hour": t.Hour(), "min": t.Minute(), "sec": t.Second(),
		"wday": int(t.Weekday()) + 1, "yday": t.YearDay(),
	} {
		out.RawSetString(name, lua.LNumber(n))
	}
	out.RawSetString("isdst", lua.LBool(t.IsDST()))
	l.Push(out)
	return 1
}

// layouts are the directives of strftime that Go's layouts have.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06",
	'e': "_2", 'F': "2006-01-02", 'h': "Jan", 'H': "15", 'I': "03", 'j': "002", 'm': "01", 'M': "04", 'p': "PM",
	'r': "03:04:05 PM", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006",
	'z': "-0700",
}

// formatTime is strftime of C in the locale C. What is no directive stays as it is.
func formatTime(t time.Time, format string) string {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		i++
		if layout, ok := layouts[format[i]]; ok {
			out.WriteString(t.Format(layout))
			continue
		}
		weekday, isoWeekday := int(t.Weekday()), (int(t.Weekday())+6)%7
		year, week := t.ISOWeek()
		switch format[i] {
		case 'C':
			fmt.Fprintf(&out, "%02d", t.Year()/100)
		case 'g':
			fmt.Fprintf(&out, "%02d", year%100)
		case 'G':
			fmt.Fprintf(&out, "%d", year)
		case 'n':
			out.WriteByte('\n')
		case 's':
			fmt.Fprintf(&out, "%d", t.Unix())
		case 't':
			out.WriteByte('\t')
		case 'u':
			fmt.Fprintf(&out, "%d", isoWeekday+1)
		case 'U':
			fmt.Fprintf(&out, "%02d", (t.YearDay()-1+7-weekday)/7)
		case 'V':
			fmt.Fprintf(&out, "%02d", week)
		case 'w':
			fmt.Fprintf(&out, "%d", weekday)
		case 'W':
			fmt.Fprintf(&out, "%02d", (t.YearDay()-1+7-isoWeekday)/7)
		case 'Z':
			zone, _ := t.Zone()
			if t.Location() == time.UTC {
				zone = "GMT"
			}
			out.WriteString(zone)
		case '%':
			out.WriteByte('%')
		default:
			out.WriteString(format[i-1 : i+1])
		}
	}
	return out.String()
}
