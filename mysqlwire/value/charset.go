package value

import (
	"slices"
	"sort"
	"unicode/utf8"
)

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

// Reencode is EncodeText of a text that was made of was and edited. What is in front of and behind the
// edit keeps its bytes: a set may have two codes for one character, and bytes that are none.
func Reencode(c Charset, was []byte, text string) ([]byte, error) {
	if c == nil {
		return []byte(text), nil
	}
	old := DecodeText(c, was)
	front := 0
	for front < min(len(old), len(text)) && old[front] == text[front] {
		front++
	}
	back := 0
	for back < min(len(old), len(text))-front && old[len(old)-1-back] == text[len(text)-1-back] {
		back++
	}
	for front > 0 && front < len(text) && !utf8.RuneStart(text[front]) {
		front--
	}
	for back > 0 && !utf8.RuneStart(text[len(text)-back]) {
		back--
	}
	from, ok1 := bytesOf(c, was, old[:front])
	to, ok2 := bytesOf(c, was, old[:len(old)-back])
	if !ok1 || !ok2 || from > to {
		return c.Encode(text)
	}
	middle, err := c.Encode(text[front : len(text)-back])
	if err != nil {
		return nil, err
	}
	return slices.Concat(was[:from], middle, was[to:]), nil
}

// bytesOf is how many bytes of b mean the text that they begin with.
func bytesOf(c Charset, b []byte, text string) (n int, ok bool) {
	n = sort.Search(len(b), func(n int) bool { return len(DecodeText(c, b[:n])) >= len(text) })
	return n, DecodeText(c, b[:n]) == text
}
