package mysqlwire

import (
	"bytes"

	"mydbg/mysqlwire/value"
)

// Texts says which character sets the texts of a connection are in. The zero value takes all for
// UTF-8.
type Texts struct {
	Charsets Charsets // nil takes all for UTF-8
	Client   string   // character_set_client: statements, parameters, names of schemas; "" is not known
	Results  string   // character_set_results: names of columns, messages; "" is not known or UTF-8
}

// Charsets knows character sets by name: package charset of intercept does.
type Charsets interface {
	Charset(name string) value.Charset // nil is UTF-8
}

func (x *Texts) named(name string) value.Charset {
	if x == nil || x.Charsets == nil || name == "" {
		return nil
	}
	return x.Charsets.Charset(name)
}

func (cx *Context) texts() *Texts {
	if cx == nil {
		return nil
	}
	return &cx.Texts
}

// ClientText is what a client says, as UTF-8.
func (cx *Context) ClientText(s string) string {
	if c := cx.ClientCharset(); c != nil {
		return value.DecodeText(c, []byte(s))
	}
	return s
}

// ToClientSet is the inverse of ClientText. It fails, saying why, on characters that the set of the
// client does not have.
func (cx *Context) ToClientSet(text string) (string, error) { return toSet(cx.ClientCharset(), text) }

// ResultText is what a server says in names of columns and in messages, as UTF-8.
func (cx *Context) ResultText(s string) string {
	if c := cx.ResultCharset(); c != nil {
		return value.DecodeText(c, []byte(s))
	}
	return s
}

// ToResultSet is the inverse of ResultText. It fails, saying why, on characters that the set of the
// results does not have.
func (cx *Context) ToResultSet(text string) (string, error) { return toSet(cx.ResultCharset(), text) }

func toSet(c value.Charset, text string) (string, error) {
	if c == nil {
		return text, nil
	}
	b, err := c.Encode(text)
	return string(b), err
}

// ClientCharset is the set of statements and parameters, nil for UTF-8.
func (cx *Context) ClientCharset() value.Charset {
	if x := cx.texts(); x != nil {
		return x.named(x.Client)
	}
	return nil
}

// ResultCharset is the set of names of columns and messages, nil for UTF-8.
func (cx *Context) ResultCharset() value.Charset {
	if x := cx.texts(); x != nil {
		return x.named(x.Results)
	}
	return nil
}

// MakeText has a text column be in the character set of the results, with as many characters, and
// translates its name from UTF-8.
func (cx *Context) MakeText(m *Column) (err error) {
	if m.Name, err = cx.ToResultSet(m.Name); err != nil || m.IsBinary() || cx.ResultCharset() == nil {
		return err
	}
	n := m.Length / charLen(m.Collation)
	m.Collation = defaultCollation(cx.Results)
	m.Length = uint32(min(uint64(n)*uint64(charLen(m.Collation)), 1<<32-1))
	return nil
}

// Spec is what package value wants to know of a column, its character set included.
func (cx *Context) Spec(m *Column) value.Spec {
	s := m.Spec()
	if x := cx.texts(); x != nil && !s.Binary {
		s.Charset = x.named(CharsetOf(m.Collation))
	}
	return s
}

// ParamSpec is Spec for a parameter, or a query attribute.
func (cx *Context) ParamSpec(t value.Type, unsigned bool) value.Spec {
	s := value.Spec{Type: t, Decimals: value.NoDecimals, Charset: cx.ClientCharset()}
	if unsigned {
		s.Flags = value.FlagUnsigned
	}
	switch t {
	case value.TinyBlob, value.MediumBlob, value.LongBlob, value.Blob:
		s.Binary, s.Charset = true, nil
	}
	return s
}

// wide is the set of the results if its digits take more than one byte. Some servers then send numbers
// and times of text rows in it, some only decimals.
func (cx *Context) wide() value.Charset {
	switch c := cx.ResultCharset(); {
	case c == nil:
	case c.String() == "ucs2", c.String() == "utf16", c.String() == "utf16le", c.String() == "utf32":
		return c
	}
	return nil
}

// isWide reports whether a cell of a number or a time is in a wide set.
func isWide(cell []byte, t value.Type) bool { return t.InDigits() && bytes.IndexByte(cell, 0) >= 0 }

// narrowed is a cell of a text row with its number or time in ASCII.
func (cx *Context) narrowed(cell []byte, t value.Type) []byte {
	if isWide(cell, t) {
		if c := cx.wide(); c != nil {
			return []byte(value.DecodeText(c, cell))
		}
	}
	return cell
}

func (cx *Context) showClient(b []byte) string { return showString([]byte(cx.ClientText(string(b)))) }

func (cx *Context) showResult(b []byte) string { return showString([]byte(cx.ResultText(string(b)))) }
