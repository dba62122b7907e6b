package value

// Charset reads and writes text of a character set. nil stands for UTF-8.
type Charset interface {
	String() string // its name, as servers write it
	// Decode is text as UTF-8. Bytes that are no characters of the set stay as they are, and ok is
	// false.
	Decode(b []byte) (text string, ok bool)
	// Encode is the inverse. It fails, saying which, on a character that the set does not have.
	Encode(text string) ([]byte, error)
}

// DecodeText is b as UTF-8. Bytes that are no characters of the set stay as they are.
func DecodeText(c Charset, b []byte) string {
	if c == nil {
		return string(b)
	}
	text, _ := c.Decode(b)
	return text
}

// EncodeText is the inverse of DecodeText; it fails on characters that the set does not have.
func EncodeText(c Charset, text string) ([]byte, error) {
	if c == nil {
		return []byte(text), nil
	}
	return c.Encode(text)
}
