// Package sqlview shows source text, SQL as a rule, with its syntax in the theme's styles, wrapped to a width.
//
// The text is cleaned by package safe before anything else looks at it. Lexers are looked up once. Text over MaxStyled
// bytes is shown plain, and of text over MaxShown bytes only the beginning, with a last line that says how much is
// missing. All work is done when text or width change and kept until they change again; drawing only joins lines.
package sqlview

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"

	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

const (
	MaxStyled = 64 << 10 // 40 ms of ordinary SQL, 200 ms of nothing but operators
	MaxShown  = 1 << 20
)

// Language is what the text is written in.
type Language uint8

const (
	SQL Language = iota
	Lua
	JSON
	Plain
)

var lexerOf = [Plain]func() chroma.Lexer{
	SQL:  sync.OnceValue(sqlLexer),
	Lua:  sync.OnceValue(func() chroma.Lexer { return lexer("lua") }),
	JSON: sync.OnceValue(func() chroma.Lexer { return lexer("json") }),
}

// sqlLexer is chroma's for MySQL, taught that a backslash escapes: without that, text after 'it\'s' looks quoted.
func sqlLexer() chroma.Lexer {
	found, ok := lexers.Get("mysql").(*chroma.RegexLexer)
	if !ok {
		return lexer("mysql")
	}
	rules, err := found.Rules()
	if err != nil {
		return lexer("mysql")
	}
	rules = rules.Clone()
	escape := func(of chroma.TokenType, quote string) []chroma.Rule {
		return []chroma.Rule{
			{Pattern: `[^\\` + quote + `]+`, Type: of},
			{Pattern: `\\(?s:.)?`, Type: chroma.LiteralStringEscape},
			{Pattern: quote + quote, Type: of},
			{Pattern: quote, Type: of, Mutator: chroma.Pop(1)},
		}
	}
	rules["string"] = escape(chroma.LiteralStringSingle, "'")
	rules["double-string"] = escape(chroma.LiteralStringDouble, `"`)
	own, err := chroma.NewLexer(found.Config(), func() chroma.Rules { return rules })
	if err != nil {
		return lexer("mysql")
	}
	return chroma.Coalesce(own)
}

func lexer(name string) chroma.Lexer { return chroma.Coalesce(lexers.Get(name)) }

// View is a window on a text. Its zero value is not usable.
type View struct {
	theme *theme.Theme
	lang  Language
	text  string
	w, h  int
	top   int
	lines []string // styled, for the width w
	plain bool
}

// New returns a view of no text, without size.
func New(t *theme.Theme) *View { return &View{theme: t} }

// SetTheme changes the looks.
func (v *View) SetTheme(t *theme.Theme) {
	v.theme = t
	v.layout()
}

// SetText shows text from its beginning. The same text again changes nothing, so it may be told at every update.
func (v *View) SetText(lang Language, text string) {
	if v.lines != nil && lang == v.lang && text == v.text {
		return
	}
	v.lang, v.text, v.top = lang, text, 0
	v.layout()
}

// SetSize changes the window. Its place in the text stays about the same.
func (v *View) SetSize(w, h int) {
	w, h = max(w, 0), max(h, 0)
	if w != v.w {
		before := len(v.lines)
		v.w = w
		v.layout()
		if before > 0 {
			v.top = v.top * len(v.lines) / before
		}
	}
	v.h = h
	v.Scroll(0)
}

// Text returns the text as given.
func (v *View) Text() string { return v.text }

// Plain reports whether the text is too long for styles.
func (v *View) Plain() bool { return v.plain }

// Len is the number of lines at this width.
func (v *View) Len() int { return len(v.lines) }

// Top is the number of the first line in the window, from 0.
func (v *View) Top() int { return v.top }

// Scroll moves the window by lines.
func (v *View) Scroll(lines int) { v.top = min(max(v.top+lines, 0), max(len(v.lines)-v.h, 0)) }

// Page moves the window by n windows, less one line each.
func (v *View) Page(n int) { v.Scroll(n * max(v.h-1, 1)) }

// Home goes to the first line.
func (v *View) Home() { v.top = 0 }

// End goes to the last line.
func (v *View) End() { v.Scroll(len(v.lines)) }

// View draws the window as exactly its height of lines of exactly its width.
func (v *View) View() string {
	if v.w == 0 || v.h == 0 {
		return ""
	}
	lines := make([]string, v.h)
	for y := range lines {
		var line string
		if i := v.top + y; i < len(v.lines) {
			line = v.lines[i]
		}
		lines[y] = theme.Fit(line, v.w)
	}
	return strings.Join(lines, "\n")
}

func (v *View) layout() {
	v.plain = len(v.text) > MaxStyled
	v.lines = Lines(v.theme, v.lang, v.text, v.w)
	v.Scroll(0)
}

// Lines returns text in styled lines of at most w cells: the work of a View, for callers that keep the lines
// themselves.
func Lines(t *theme.Theme, lang Language, text string, w int) []string {
	if w <= 0 {
		return []string{}
	}
	missing := 0
	if len(text) > MaxShown {
		n := MaxShown
		for n > MaxShown-utf8.UTFMax && !utf8.RuneStart(text[n]) {
			n--
		}
		missing = len(text) - n
		text = text[:n]
	}
	var lines []string
	if lang >= Plain || len(text) > MaxStyled {
		lines = safe.Wrap(text, w)
	} else {
		lines = styled(t, lexerOf[lang](), safe.Text(text), w)
	}
	if missing > 0 {
		lines = append(lines, t.Partial.Render(safe.Cut(fmt.Sprintf("%s %d bytes more are not shown", t.Ellipsis(), missing), w)))
	}
	return lines
}
