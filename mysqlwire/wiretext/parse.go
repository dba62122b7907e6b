package wiretext

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mydbg/mysqlwire"
)

// maxBytes is the most payload that Parse makes of one text, so that a few digits cannot ask for
// all memory there is.
const maxBytes = 1 << 30

// ParseError says which line cannot be read, and why.
type ParseError struct {
	Line int // from 1
	Msg  string
}

func (e *ParseError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

var kindByName = func() map[string]mysqlwire.Kind {
	m := map[string]mysqlwire.Kind{}
	for k := range 256 {
		m[mysqlwire.Kind(k).String()] = mysqlwire.Kind(k)
	}
	return m
}()

// Parse reads a conversation. Its error is a *ParseError.
func Parse(text string) (*Conversation, error) {
	p := parser{left: maxBytes}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		if err := p.line(strings.TrimSuffix(line, "\r")); err != nil {
			return nil, &ParseError{Line: n, Msg: err.Error()}
		}
	}
	if err := p.finish(); err != nil {
		return nil, &ParseError{Line: p.begun(n), Msg: err.Error()}
	}
	return &p.c, nil
}

type parser struct {
	c    Conversation
	left int // bytes that payloads may still take

	packet *Packet // whose lines go on
	lines  int     // read
	at     int     // line that began the packet
	outer  []byte  // payload in front of an open <
	inside bool
}

func (p *parser) begun(last int) int {
	if p.at > 0 {
		return p.at
	}
	return last
}

func (p *parser) line(s string) error {
	p.lines++
	trimmed := strings.TrimLeft(s, " \t")
	switch {
	case trimmed == "" || trimmed[0] == '#':
		return nil
	case len(trimmed) < len(s):
		if p.packet == nil {
			return errors.New("goes on with a packet, but none has begun")
		}
		return p.pieces(trimmed)
	}
	if err := p.finish(); err != nil {
		return err
	}
	head, rest, ok := strings.Cut(s, ":")
	if !ok {
		return errors.New("neither a fact (name: value) nor a packet (C 0 COM_PING: 0e)")
	}
	if head[:min(len(head), 2)] != "C " && head[:min(len(head), 2)] != "S " {
		return p.fact(head, rest)
	}
	pk := Packet{}
	if head[0] == 'S' {
		pk.Dir = mysqlwire.ToClient
	}
	number, kind, _ := strings.Cut(head[2:], " ")
	seq, err := strconv.ParseUint(number, 10, 8)
	if err != nil {
		return fmt.Errorf("%q is no sequence number from 0 to 255", number)
	}
	pk.Seq = uint8(seq)
	if pk.Kind, ok = kindByName[kind]; !ok {
		return fmt.Errorf("%q is no kind of packet", kind)
	}
	p.packet, p.at = &pk, p.lines
	return p.pieces(rest)
}

func (p *parser) fact(name, value string) error {
	if len(p.c.packets) > 0 {
		return errors.New("a fact after the first packet")
	}
	if !factName(name) {
		return fmt.Errorf("%q is no name of a fact", name)
	}
	value = strings.TrimSpace(value)
	if value != "" && value[0] == '"' {
		s, err := strconv.Unquote(value)
		if err != nil {
			return fmt.Errorf("%s: %s is not a quoted text", name, value)
		}
		value = s
	}
	if name == FactCapabilities {
		if _, err := strconv.ParseUint(value, 0, 64); err != nil {
			return fmt.Errorf("%s: %q is no number", name, value)
		}
	}
	p.c.Facts = append(p.c.Facts, Fact{name, value})
	return nil
}

func factName(s string) bool {
	for i, r := range s {
		if (r < 'a' || r > 'z') && (i == 0 || (r < '0' || r > '9') && r != ' ' && r != '-') {
			return false
		}
	}
	return s != "" && s == strings.TrimSpace(s)
}

// finish ends the packet whose lines were read.
func (p *parser) finish() error {
	pk := p.packet
	if pk == nil {
		return nil
	}
	if p.inside {
		return errors.New("a < of the packet before has no >")
	}
	if n := len(pk.Payload); pk.Cut && (n == 0 || n%mysqlwire.MaxFrame != 0) {
		return fmt.Errorf("... after %d bytes: the last frame can only be missing after full frames of %d", n, mysqlwire.MaxFrame)
	}
	if pk.Payload == nil {
		return errors.New(`the packet before has no payload; an empty one is ""`)
	}
	p.c.packets = append(p.c.packets, *pk)
	p.packet, p.at = nil, 0
	return nil
}

// pieces reads the pieces of a line into the packet.
func (p *parser) pieces(s string) error {
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == '#' {
			return nil
		}
		if p.packet.Cut {
			return errors.New("a piece after the ... that ends a packet")
		}
		switch {
		case s[0] == '<':
			if p.inside {
				return errors.New("< inside of <>")
			}
			p.inside, p.outer, p.packet.Payload = true, p.packet.Payload, nil
			s = s[1:]
			continue
		case s[0] == '>':
			if !p.inside {
				return errors.New("> without <")
			}
			inner := p.packet.Payload
			p.inside = false
			p.packet.Payload = mysqlwire.AppendLenencString(p.outer, inner)
			s = s[1:]
			continue
		case strings.HasPrefix(s, "..."):
			if p.inside {
				return errors.New("... inside of <>")
			}
			p.packet.Cut = true
			s = s[3:]
			continue
		}
		b, rest, err := piece(s)
		if err != nil {
			return err
		}
		n := 1
		if strings.HasPrefix(rest, "*") {
			if n, rest, err = count(rest[1:]); err != nil {
				return err
			}
		}
		if len(b) > 0 && n > p.left/len(b) {
			return fmt.Errorf("more than %d bytes", maxBytes)
		}
		p.left -= n * len(b)
		if n != 1 {
			b = bytes.Repeat(b, n)
		}
		if p.packet.Payload == nil {
			p.packet.Payload = []byte{}
		}
		p.packet.Payload = append(p.packet.Payload, b...)
		s = rest
	}
}

// piece reads a text, hex or null.
func piece(s string) (b []byte, rest string, err error) {
	if s[0] == '"' {
		return text(s)
	}
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z') {
		n++
	}
	word := s[:n]
	if word == "null" {
		return []byte{0xfb}, s[n:], nil
	}
	b, err = hex.DecodeString(word)
	if err != nil || n == 0 {
		return nil, "", fmt.Errorf("%q is neither hex nor \"text\"", s[:max(n, 1)])
	}
	return b, s[n:], nil
}

// text reads a piece in quotes.
func text(s string) (b []byte, rest string, err error) {
	b = []byte{}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b, s[i+1:], nil
		case '\\':
			i++
			if i == len(s) {
				continue
			}
			switch s[i] {
			case '"', '\\':
				b = append(b, s[i])
			case 'n':
				b = append(b, '\n')
			case 'r':
				b = append(b, '\r')
			case 't':
				b = append(b, '\t')
			case 'x':
				x, err := hex.DecodeString(s[min(i+1, len(s)):min(i+3, len(s))])
				if err != nil || len(x) != 1 {
					return nil, "", errors.New(`\x wants two hex digits`)
				}
				b = append(b, x[0])
				i += 2
			default:
				return nil, "", fmt.Errorf(`\%c is no escape; there are \" \\ \n \r \t \xNN`, s[i])
			}
		default:
			b = append(b, s[i])
		}
	}
	return nil, "", errors.New("text without closing quote")
}

// count reads the number behind *.
func count(s string) (n int, rest string, err error) {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, err = strconv.Atoi(s[:end])
	if err != nil || n < 1 {
		return 0, "", fmt.Errorf("*%s: how many times?", s[:end])
	}
	return n, s[end:], nil
}
