package charset

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./generate
//go:embed tables
var files embed.FS

// tables are the sets that have a table.
var tables = []string{
	"armscii8", "ascii", "big5", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "cp932", "dec8",
	"eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u",
	"latin1", "latin2", "latin5", "latin7", "macce", "macroman", "sjis", "swe7", "tis620", "ujis",
}

// Tables names the sets that are read from tables, for the program that writes these.
func Tables() []string { return slices.Clone(tables) }

// table is what is known of a set that is not a form of Unicode. A code is the bytes of a character
// as a big-endian number.
type table struct {
	single [256]rune // -1 is no character
	double []rune    // of two bytes; nil if the set has none
	triple []rune    // of the two bytes behind 0x8f
	four   []span    // of four bytes, by code
	encode map[rune]uint32
}

// span is consecutive characters of four bytes.
type span struct {
	at, n uint32 // see linear
	first rune
}

// linear numbers the sequences of four bytes that GB 18030 has.
func linear(code uint32) uint32 {
	return (((code>>24-0x81)*10+(code>>16&0xff-0x30))*126+(code>>8&0xff-0x81))*10 + code&0xff - 0x30
}

func fromLinear(n uint32) uint32 {
	return (n/12600+0x81)<<24 | (n/1260%10+0x30)<<16 | (n/10%126+0x81)<<8 | n%10 + 0x30
}

// Following is the sequence behind code: the next of GB 18030 for four bytes, else one more.
func Following(code uint32) uint32 {
	if code > 0xffffff {
		return fromLinear(linear(code) + 1)
	}
	return code + 1
}

// load reads the table of a set.
func load(name string) *table {
	b, err := files.ReadFile("tables/" + name + ".txt")
	if err == nil {
		var t *table
		if t, err = parse(string(b)); err == nil {
			return t
		}
	}
	panic(fmt.Sprintf("charset: table of %s: %v", name, err)) // it is part of the program
}

// parse reads a table, in lines of three forms:
//
//	8140 、。，     the sequences from 0x8140 on are these characters
//	20 U+0020 95    the 95 sequences from 0x20 on are the characters from U+0020 on
//	encode U+2015 815c
//
// The last says what a character is encoded as where that is not the first sequence that means it,
// or with - that it is not.
func parse(text string) (*table, error) {
	t := &table{encode: make(map[rune]uint32)}
	for i := range t.single {
		t.single[i] = -1
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if err := t.line(line); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	return t, nil
}

func (t *table) line(line string) error {
	head, rest, _ := strings.Cut(line, " ")
	if head == "encode" {
		char, to, _ := strings.Cut(rest, " ")
		r, err := codePoint(char)
		if err != nil {
			return err
		}
		delete(t.encode, r)
		if to == "-" {
			return nil
		}
		code, err := strconv.ParseUint(to, 16, 32)
		t.encode[r] = uint32(code)
		return err
	}
	at, err := strconv.ParseUint(head, 16, 32)
	if err != nil {
		return err
	}
	code := uint32(at)
	first, count, run := strings.Cut(rest, " ")
	if !run {
		for _, r := range rest {
			t.add(code, r, 1)
			code = Following(code)
		}
		return nil
	}
	r, err := codePoint(first)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(count, 10, 21)
	t.add(code, r, uint32(n))
	return err
}

func codePoint(s string) (rune, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "U+"), 16, 21)
	return rune(n), err
}

// add has n sequences from code on mean the characters from r on.
func (t *table) add(code uint32, r rune, n uint32) {
	if code > 0xffffff {
		t.four = append(t.four, span{linear(code), n, r})
	}
	for i := range n {
		c, r := code+i, r+rune(i)
		switch {
		case code > 0xffffff:
			c = fromLinear(linear(code) + i)
		case c > 0xffff:
			t.triple = put(t.triple, c&0xffff, r)
		case c > 0xff:
			t.double = put(t.double, c, r)
		default:
			t.single[c] = r
		}
		if _, ok := t.encode[r]; !ok {
			t.encode[r] = c
		}
	}
}

func put(list []rune, at uint32, r rune) []rune {
	if list == nil {
		list = make([]rune, 1<<16)
		for i := range list {
			list[i] = -1
		}
	}
	list[at] = r
	return list
}

// next is the first character of b and how many bytes it takes; 0 if b begins with none.
func (t *table) next(b []byte) (rune, int) {
	if r := t.single[b[0]]; r >= 0 {
		return r, 1
	}
	if len(b) >= 2 && t.double != nil {
		if r := t.double[int(b[0])<<8|int(b[1])]; r >= 0 {
			return r, 2
		}
	}
	if len(b) >= 3 && b[0] == 0x8f && t.triple != nil {
		if r := t.triple[int(b[1])<<8|int(b[2])]; r >= 0 {
			return r, 3
		}
	}
	if len(b) >= 4 && t.four != nil {
		return t.nextFour(b)
	}
	return 0, 0
}

// supplementary is the sequence of U+10000: GB 18030 has the planes behind it in order.
const supplementary = 0x90308130

func (t *table) nextFour(b []byte) (rune, int) {
	for i, c := range b[:4] {
		if i%2 == 0 && (c < 0x81 || c > 0xfe) || i%2 == 1 && (c < 0x30 || c > 0x39) {
			return 0, 0
		}
	}
	n := linear(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
	if from := linear(supplementary); n >= from && n-from < 1<<20 {
		return 0x10000 + rune(n-from), 4
	}
	i, ok := slices.BinarySearchFunc(t.four, n, func(s span, n uint32) int {
		switch {
		case s.at+s.n <= n:
			return -1
		case s.at > n:
			return 1
		}
		return 0
	})
	if !ok {
		return 0, 0
	}
	return t.four[i].first + rune(n-t.four[i].at), 4
}

// code is what r is encoded as.
func (t *table) code(r rune) (uint32, bool) {
	if c, ok := t.encode[r]; ok {
		return c, true
	}
	if t.four == nil || r < 0x10000 || r > 0x10ffff {
		return 0, false
	}
	return fromLinear(linear(supplementary) + uint32(r-0x10000)), true
}

// lazy is a table that is read when it is first used.
func lazy(name string) func() *table { return sync.OnceValue(func() *table { return load(name) }) }
