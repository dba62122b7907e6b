package theme

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// Style is a look for text that is clean already: colours and attributes, no layout.
//
// It is a lipgloss style worked out once. Lipgloss works it out for every text and writes underlined text rune by
// rune, which tears characters from their combining marks; this writes the text as it is and costs one concatenation.
type Style struct {
	lip       lipgloss.Style
	open, end string
}

// Of makes a Style from the colours and attributes of a lipgloss style.
func Of(s lipgloss.Style) Style {
	open, end, _ := strings.Cut(s.Render("x"), "x")
	return Style{lip: s, open: open, end: end}
}

// Lipgloss is the style for widgets that want one.
func (s Style) Lipgloss() lipgloss.Style { return s.lip }

// Render returns text in this style, each of its lines by itself.
func (s Style) Render(text string) string {
	if s.open == "" || text == "" {
		return text
	}
	if strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\n", s.end+"\n"+s.open)
	}
	return s.open + text + s.end
}

// Over lays the style over one line of text with styles of its own, as the selection lies over a row: they stay, and
// this one goes on after each of them.
func (s Style) Over(text string) string {
	if s.open == "" || text == "" {
		return text
	}
	return s.open + strings.ReplaceAll(text, s.end, s.end+s.open) + s.end
}

// Bold and the others are the style with one thing more.
func (s Style) Bold() Style      { return Of(s.lip.Bold(true)) }
func (s Style) Italic() Style    { return Of(s.lip.Italic(true)) }
func (s Style) Underline() Style { return Of(s.lip.Underline(true)) }
func (s Style) Reverse() Style   { return Of(s.lip.Reverse(true)) }
