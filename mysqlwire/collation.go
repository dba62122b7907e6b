package mysqlwire

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"mydbg/mysqlwire/value"
)

//go:generate go run ./generate
//go:embed collations.txt
var collationFile string

// Collation is what servers know a number as that stands for a character set and an order of it.
type Collation struct {
	ID      uint16
	Charset string // utf8mb4, latin1, …; utf8mb3 where MySQL 5.6 says utf8
	MySQL   string // name in MySQL 5.6 to 9, "" if they do not have it
	MariaDB string // name in MariaDB up to 11.8, "" if it does not have it
	Default bool   // it is its set's default in MySQL 5.6, and a collation of all later servers
}

// Name is the name of MariaDB or of MySQL, or the other's where there is only that.
func (c Collation) Name(mariadb bool) string {
	if mariadb && c.MariaDB != "" || c.MySQL == "" {
		return c.MariaDB
	}
	return c.MySQL
}

// collations has the collations at their numbers.
var collations = sync.OnceValue(func() []Collation {
	var list []Collation
	for line := range strings.Lines(collationFile) {
		var c Collation
		if _, err := fmt.Sscan(line, &c.ID, &c.Charset, &c.MySQL, &c.MariaDB); err != nil {
			continue // the comment
		}
		c.Default = strings.HasSuffix(line, " default\n")
		c.MySQL, c.MariaDB = strings.TrimPrefix(c.MySQL, "-"), strings.TrimPrefix(c.MariaDB, "-")
		for len(list) <= int(c.ID) {
			list = append(list, Collation{})
		}
		list[c.ID] = c
	}
	return list
})

// CollationOf looks a collation up; false if no server has it.
func CollationOf(id uint16) (Collation, bool) {
	if list := collations(); int(id) < len(list) && list[id].ID != 0 {
		return list[id], true
	}
	return Collation{}, false
}

// CharsetOf is the character set of a collation; "" if it is not known.
func CharsetOf(id uint16) string {
	c, _ := CollationOf(id)
	return c.Charset
}

// defaultCollation is the number of a set's default; 0 if there is no such set.
func defaultCollation(charset string) uint16 {
	for _, c := range collations() {
		if c.Default && c.Charset == charset {
			return c.ID
		}
	}
	return 0
}

// collationName is for a person.
func collationName(id uint16, mariadb bool) func() string {
	return func() string {
		if c, ok := CollationOf(id); ok {
			return itoa(int(id)) + " " + c.Name(mariadb)
		}
		return itoa(int(id))
	}
}

// charLens are the most bytes a character takes, in sets where it is more than one.
var charLens = map[string]uint32{
	"big5": 2, "cp932": 2, "euckr": 2, "gb2312": 2, "gbk": 2, "sjis": 2, "ucs2": 2, "eucjpms": 3, "ujis": 3, "utf8mb3": 3,
	"gb18030": 4, "utf16": 4, "utf16le": 4, "utf32": 4, "utf8mb4": 4,
}

// charLen is the most bytes a character takes in a collation's character set; servers multiply
// column lengths by it. 1 for collations not known.
func charLen(collation uint16) uint32 { return max(charLens[CharsetOf(collation)], 1) }

// Spec is what package value wants to know of the column.
func (m *Column) Spec() value.Spec {
	s := value.Spec{Type: m.Type, Flags: uint16(m.Flags), Decimals: m.Decimals, Length: m.Length, Ext: m.Ext()}
	switch m.Type {
	case value.VarChar, value.VarString, value.String, value.Enum, value.Set, value.JSON,
		value.TinyBlob, value.MediumBlob, value.LongBlob, value.Blob:
		s.Binary = m.IsBinary() && m.Type != value.JSON
		s.Length = m.Length / charLen(m.Collation)
	}
	return s
}

// TypeName is the column's type in words of SQL: BIGINT UNSIGNED, VARCHAR(80), TEXT, ENUM.
func (m *Column) TypeName() string { return m.Spec().Name() }
