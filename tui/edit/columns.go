package edit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// columnTypes are the types a column of a made result can have, by the names of SQL.
var columnTypes = map[string]struct {
	t      value.Type
	length uint32 // on the wire where the type says nothing
	text   bool   // its length counts characters
	binary bool
}{
	"tinyint": {t: value.Tiny, length: 4}, "smallint": {t: value.Short, length: 6}, "mediumint": {t: value.Int24, length: 9},
	"int": {t: value.Long, length: 11}, "integer": {t: value.Long, length: 11}, "bigint": {t: value.LongLong, length: 20},
	"bool": {t: value.Tiny, length: 1}, "boolean": {t: value.Tiny, length: 1},
	"float": {t: value.Float, length: 12}, "double": {t: value.Double, length: 22}, "real": {t: value.Double, length: 22},
	"decimal": {t: value.NewDecimal, length: 67}, "numeric": {t: value.NewDecimal, length: 67},
	"varchar": {t: value.VarString, length: 65535, text: true}, "char": {t: value.String, length: 255, text: true},
	"text": {t: value.Blob, length: 65535, text: true}, "longtext": {t: value.Blob, length: 1<<30 - 1, text: true},
	"varbinary": {t: value.VarString, length: 65535, binary: true}, "binary": {t: value.String, length: 255, binary: true},
	"blob": {t: value.Blob, length: 65535, binary: true}, "longblob": {t: value.Blob, length: 1<<32 - 1, binary: true},
	"json": {t: value.JSON, length: 1<<32 - 1, binary: true}, "date": {t: value.Date, length: 10}, "year": {t: value.Year, length: 4},
	"datetime": {t: value.DateTime, length: 19}, "timestamp": {t: value.Timestamp, length: 19}, "time": {t: value.Time, length: 10},
	"bit": {t: value.Bit, length: 64},
}

// collations of made columns: utf8mb4_general_ci, which all servers have, and bytes.
const (
	collationText   = 45
	collationBinary = mysqlwire.CollationBinary
)

// parseColumns reads `name:type, name:type(n)`; without a type a column is text.
func parseColumns(s string) ([]mysqlwire.Column, error) {
	var columns []mysqlwire.Column
	for _, part := range splitColumns(s) {
		name, typ, _ := strings.Cut(part, ":")
		name = strings.Trim(strings.TrimSpace(name), "`")
		if name == "" {
			return nil, fmt.Errorf("column %d has no name", len(columns)+1)
		}
		c, err := parseType(strings.ToLower(strings.TrimSpace(typ)))
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
		c.Catalog, c.Name = "def", name
		columns = append(columns, c)
	}
	return columns, nil
}

// splitColumns cuts at the commas that are not in brackets.
func splitColumns(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	var parts []string
	depth, from := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, s[from:i])
				from = i + 1
			}
		}
	}
	return append(parts, s[from:])
}

func parseType(s string) (mysqlwire.Column, error) {
	c := mysqlwire.Column{Collation: collationBinary, Decimals: value.NoDecimals}
	if s == "" {
		s = "varchar"
	}
	s, notNull := strings.CutSuffix(s, " not null")
	s, unsigned := strings.CutSuffix(s, " unsigned")
	word, size, sized := strings.Cut(strings.TrimSpace(s), "(")
	known, ok := columnTypes[strings.TrimSpace(word)]
	if !ok {
		return c, fmt.Errorf("unknown type %q, known are int, bigint, decimal(p,s), double, varchar(n), text, blob, date, datetime and the like", s)
	}
	c.Type, c.Length = known.t, known.length
	numbers, err := sizes(size, sized)
	if err != nil {
		return c, err
	}
	switch c.Type {
	case value.Tiny, value.Short, value.Int24, value.Long, value.LongLong, value.Year:
		c.Decimals = 0
		numbers = nil // the width of a display, which means nothing
	case value.NewDecimal:
		if len(numbers) == 1 {
			numbers = append(numbers, 0)
		}
		if len(numbers) == 2 {
			c.Length, c.Decimals = numbers[0]+1+min(numbers[1], 1), uint8(min(numbers[1], 30))
			if unsigned {
				c.Length--
			}
			numbers = nil
		}
	case value.DateTime, value.Timestamp, value.Time:
		c.Decimals = 0
		if len(numbers) == 1 && numbers[0] > 0 {
			c.Decimals = uint8(min(numbers[0], 6))
			c.Length += 1 + uint32(c.Decimals)
		}
		numbers = nil
	}
	if len(numbers) > 0 {
		c.Length = numbers[0]
	}
	switch {
	case known.text:
		c.Collation = collationText
		c.Length = uint32(min(uint64(c.Length)*4, 1<<32-1))
	case c.Type == value.Blob || c.Type == value.VarString || c.Type == value.String || c.Type == value.JSON:
		c.Flags |= mysqlwire.ColumnBinary
	}
	if unsigned {
		c.Flags |= mysqlwire.ColumnUnsigned
	}
	if notNull {
		c.Flags |= mysqlwire.ColumnNotNull
	}
	return c, nil
}

// sizes reads the numbers in the brackets of a type.
func sizes(s string, there bool) ([]uint32, error) {
	if !there {
		return nil, nil
	}
	inside, closed := strings.CutSuffix(strings.TrimSpace(s), ")")
	if !closed {
		return nil, fmt.Errorf("a bracket is not closed")
	}
	var list []uint32
	for _, f := range strings.Split(inside, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(f), 10, 31)
		if err != nil {
			return nil, fmt.Errorf("%q is not a size", strings.TrimSpace(f))
		}
		list = append(list, uint32(n))
	}
	return list, nil
}

// formatColumns writes columns as parseColumns reads them.
func formatColumns(columns []mysqlwire.Column) string {
	var parts []string
	for i := range columns {
		name := strings.NewReplacer(",", "_", ":", "_").Replace(columns[i].Name)
		typ := strings.ToLower(columns[i].TypeName())
		if _, err := parseType(typ); err != nil {
			typ = "varchar"
		}
		parts = append(parts, name+":"+typ)
	}
	return strings.Join(parts, ", ")
}

// checkCell says why v cannot stand in a column of a result: what value.Spec does not know of it.
func checkCell(col *mysqlwire.Column, v value.Value) error {
	if v == nil && col.Flags&mysqlwire.ColumnNotNull != 0 {
		return errors.New("the column is NOT NULL")
	}
	return nil
}
