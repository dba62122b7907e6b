package redact

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	wholeNumber = regexp.MustCompile(`^-?\d+$`)
	decimal     = regexp.MustCompile(`^-?\d+\.\d+$`)
	float       = regexp.MustCompile(`^-?\d+(\.\d+)?[eE][-+]?\d+$`)
	date        = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	moment      = regexp.MustCompile(`^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?$`)
	clock       = regexp.MustCompile(`^-?\d{2,3}:\d\d:\d\d(\.\d+)?$`)
	uuid        = regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	hexadecimal = regexp.MustCompile(`^0[xX][0-9A-Fa-f]+$`)
)

// Mask is the mask of a text, which depends on it and the key alone. It is of the same form and no longer.
func (r *Rules) Mask(text string) string {
	s := r.digest(text)
	switch {
	case text == "":
		return ""
	case wholeNumber.MatchString(text):
		return s.number(text)
	case decimal.MatchString(text):
		whole, fraction, _ := strings.Cut(text, ".")
		return s.number(whole) + "." + s.digits(len(fraction))
	case float.MatchString(text):
		return s.number("1") + text[strings.IndexAny(text, "eE"):]
	case date.MatchString(text):
		return s.date()
	case moment.MatchString(text):
		_, fraction, _ := strings.Cut(text, ".")
		return s.date() + text[10:11] + s.clock(24) + dotted(s.digits(len(fraction)))
	case clock.MatchString(text):
		_, fraction, _ := strings.Cut(text, ".")
		return s.clock(24) + dotted(s.digits(len(fraction)))
	case uuid.MatchString(text):
		return strings.Map(func(c rune) rune {
			if c == '-' {
				return c
			}
			return rune(hexDigits[s.below(16)])
		}, text)
	case hexadecimal.MatchString(text):
		return "0x" + s.hex(len(text)-2)
	case (text[0] == '{' || text[0] == '[') && json.Valid([]byte(text)):
		return s.json(len(text))
	case !utf8.ValidString(text):
		out := make([]byte, len(text))
		for i := range out {
			out[i] = byte(s.below(256))
		}
		return string(out)
	}
	return s.letters(min(utf8.RuneCountInString(text), 12))
}

func dotted(fraction string) string {
	if fraction == "" {
		return ""
	}
	return "." + fraction
}

const hexDigits = "0123456789abcdef"

// stream gives the bytes that a mask is made of.
type stream struct {
	seed  []byte
	block [sha256.Size]byte
	n     int
}

func (s *stream) next() byte {
	i := s.n % len(s.block)
	if i == 0 {
		s.block = sha256.Sum256(fmt.Appendf(s.seed[:len(s.seed):len(s.seed)], "%d", s.n))
	}
	s.n++
	return s.block[i]
}

// below is a number from 0 to n-1; n is at most 256.
func (s *stream) below(n int) int {
	for {
		if b := int(s.next()); b < 256-256%n {
			return b % n
		}
	}
}

func (s *stream) digits(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(byte('0' + s.below(10)))
	}
	return b.String()
}

func (s *stream) hex(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(hexDigits[s.below(16)])
	}
	return b.String()
}

// letters are no words, and no number either.
func (s *stream) letters(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte("bcdfghjkmnpqrstv"[s.below(16)])
	}
	return b.String()
}

// number has one digit less than the number it stands for, if that has more than two: so it fits every type
// that one did. The sign stays.
func (s *stream) number(text string) string {
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	n := len(text)
	if n > 2 {
		n--
	}
	return sign + string(byte('1'+s.below(9))) + s.digits(n-1)
}

func (s *stream) date() string {
	return fmt.Sprintf("%d-%02d-%02d", 1971+s.below(60), 1+s.below(12), 1+s.below(28))
}

func (s *stream) clock(hours int) string {
	return fmt.Sprintf("%02d:%02d:%02d", s.below(hours), s.below(60), s.below(60))
}

func (s *stream) json(n int) string {
	if n < len(`{"x":"12345678"}`) {
		return "{}"
	}
	return `{"x":"` + s.hex(8) + `"}`
}
