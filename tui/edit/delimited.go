package edit

import (
	"fmt"
	"strings"
)

// cell is a value as text. NULL is not the text NULL.
type cell struct {
	text string
	null bool
}

// parseTable reads rows of cells: with tabs in its first line as mysql --batch writes them (\t, \n, \\ and \N for
// NULL), else as CSV, in which a bare NULL or \N is NULL. Empty lines at the end do not count.
func parseTable(s string) ([][]cell, error) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	if first, _, _ := strings.Cut(s, "\n"); strings.Contains(first, "\t") {
		return parseTSV(s)
	}
	return parseCSV(s)
}

func parseTSV(s string) ([][]cell, error) {
	s = strings.TrimSuffix(s, "\n")
	if s == "" {
		return nil, nil
	}
	var rows [][]cell
	for n, line := range strings.Split(s, "\n") {
		var row []cell
		for i, f := range strings.Split(line, "\t") {
			if f == `\N` {
				row = append(row, cell{null: true})
				continue
			}
			text, err := unescape(f)
			if err != nil {
				return nil, fmt.Errorf("line %d, cell %d: %w", n+1, i+1, err)
			}
			row = append(row, cell{text: text})
		}
		rows = append(rows, row)
	}
	return rows, nil
}

var escapes = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", fmt.Errorf(`a backslash at the end: write \\ for one`)
		}
		switch s[i] {
		case 't':
			out.WriteByte('\t')
		case 'n':
			out.WriteByte('\n')
		case 'r':
			out.WriteByte('\r')
		case '0':
			out.WriteByte(0)
		case '\\':
			out.WriteByte('\\')
		default:
			return "", fmt.Errorf(`unknown escape \%c: write \\ for a backslash`, s[i])
		}
	}
	return out.String(), nil
}

// formatTSV writes what parseTSV reads. A table of one column is told from CSV by the caller.
func formatTSV(rows [][]cell) string {
	var out strings.Builder
	for _, row := range rows {
		for i, c := range row {
			if i > 0 {
				out.WriteByte('\t')
			}
			if c.null {
				out.WriteString(`\N`)
			} else {
				out.WriteString(escapes.Replace(c.text))
			}
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// parseCSV reads rows of cells between commas, in double quotes where they hold one.
func parseCSV(s string) ([][]cell, error) {
	var rows [][]cell
	line := 1
	for strings.Trim(s, " \r\n") != "" {
		var row []cell
		for {
			c, rest, lines, err := parseField(s)
			if err != nil {
				return nil, fmt.Errorf("line %d, cell %d: %w", line, len(row)+1, err)
			}
			line += lines
			row = append(row, c)
			s = rest
			if s == "" || s[0] == '\n' {
				break
			}
			s = s[1:]
		}
		if s != "" {
			s = s[1:]
			line++
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// parseField reads one cell; rest begins with the comma or the line break behind it.
func parseField(s string) (c cell, rest string, lines int, err error) {
	trimmed := strings.TrimLeft(s, " ")
	if !strings.HasPrefix(trimmed, `"`) {
		end := strings.IndexAny(s, ",\n")
		if end < 0 {
			end = len(s)
		}
		text := strings.Trim(s[:end], " \r")
		if text == `\N` || strings.EqualFold(text, "NULL") {
			return cell{null: true}, s[end:], 0, nil
		}
		return cell{text: text}, s[end:], 0, nil
	}
	s = trimmed[1:]
	var out strings.Builder
	for {
		end := strings.IndexByte(s, '"')
		if end < 0 {
			return c, "", 0, fmt.Errorf("a quote is not closed")
		}
		out.WriteString(s[:end])
		s = s[end+1:]
		if !strings.HasPrefix(s, `"`) {
			break
		}
		out.WriteByte('"')
		s = s[1:]
	}
	text := out.String()
	rest = strings.TrimLeft(s, " \r")
	if rest != "" && rest[0] != ',' && rest[0] != '\n' {
		return c, "", 0, fmt.Errorf("text behind a closing quote")
	}
	return cell{text: text}, rest, strings.Count(text, "\n"), nil
}

// formatCSV writes what parseCSV reads.
func formatCSV(rows [][]cell) string {
	var out strings.Builder
	for _, row := range rows {
		for i, c := range row {
			if i > 0 {
				out.WriteByte(',')
			}
			switch {
			case c.null:
				out.WriteString("NULL")
			case c.text == "" || c.text != strings.Trim(c.text, " \r") || strings.ContainsAny(c.text, ",\"\n\t") ||
				strings.EqualFold(c.text, "NULL") || c.text == `\N`:
				out.WriteString(`"` + strings.ReplaceAll(c.text, `"`, `""`) + `"`)
			default:
				out.WriteString(c.text)
			}
		}
		out.WriteByte('\n')
	}
	return out.String()
}
