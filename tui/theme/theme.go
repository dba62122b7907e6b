// Package theme says how things look: colours by meaning, glyphs and tags of states, borders.
//
// A style is named for what it says (Held, Edited, Null), never for its colour. Colours are the terminal's own 16, so
// the user's palette rules. State is text and glyph first and colour second: the mono theme has no colour at all and
// loses nothing, because every style that matters is also bold, underlined or reversed.
//
// Styles come from an explicit lipgloss renderer, so a test that passes one with a fixed profile always gets the same
// bytes. A renderer with the profile termenv.Ascii drops bold and reverse too: right for plain text goldens, wrong
// for NO_COLOR, which wants Options.NoColor.
package theme

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Names are the themes that New knows.
var Names = []string{"auto", "dark", "light", "mono", "high-contrast"}

// Options choose a theme. The zero value is auto with colour and Unicode glyphs, on standard output.
type Options struct {
	Name    string // one of Names; empty is auto
	NoColor bool   // keep bold, underline, reverse and drop colours: NO_COLOR, --color=never
	ASCII   bool   // glyphs and borders from ASCII alone

	// Renderer makes the styles. Nil means one for standard output with 16 colours.
	Renderer *lipgloss.Renderer
	// Dark answers whether the background is dark; only auto asks, once. Nil asks the renderer, which may have to ask
	// the terminal: call New before the program takes the keyboard.
	Dark func() bool
}

// A Theme is read-only after New and may be shared.
type Theme struct {
	Styles
	Name  string // what auto became
	Color bool
	ASCII bool

	renderer *lipgloss.Renderer
	glyphs   glyphSet
	states   [stateCount]Style
}

// Styles are the looks by meaning. All of them are for one line: they neither pad nor wrap.
type Styles struct {
	Text, Dim, Strong Style // plain, unimportant, emphasised

	// States, see State.
	InFlight, Held, Gone, Edited, Injected, Crafted, Script, Error, Slow, Noise, Replayed, Partial, Marked Style

	// Where one is.
	Selected      Style // the row under the cursor in the focused pane
	SelectedBlur  Style // and in the others
	Cursor        Style // one byte, cell or character
	Match         Style // found by search
	Border        Style
	BorderFocused Style
	Title         Style
	TitleFocused  Style
	Tab           Style
	TabActive     Style

	// Header, footer, messages.
	Header, HeaderWarn            Style
	FooterKey, FooterText, NewKey Style // NewKey: a key not used yet
	Info, Warning, Fatal          Style

	// Values.
	Key, Value, String, Number, Null, Empty, Invalid Style

	// Source text.
	Keyword, Ident, Function, Operator, Comment, Punctuation Style

	// Bytes and differences.
	Offset, Field, Changed, Zero, Annotation Style
	Added, Removed                           Style
}

// New makes a theme. An unknown name is an error that lists the known ones.
func New(o Options) (*Theme, error) {
	name := o.Name
	if name == "" {
		name = "auto"
	}
	if !slices.Contains(Names, name) {
		return nil, fmt.Errorf("unknown theme %q, known are %s", name, strings.Join(Names, ", "))
	}
	r := o.Renderer
	if r == nil {
		r = lipgloss.NewRenderer(os.Stdout, termenv.WithProfile(termenv.ANSI))
	}
	if name == "auto" {
		dark := o.Dark
		if dark == nil {
			dark = r.HasDarkBackground
		}
		if o.NoColor {
			name = "mono" // no need to bother the terminal
		} else if dark() {
			name = "dark"
		} else {
			name = "light"
		}
	}
	t := &Theme{Name: name, Color: !o.NoColor && name != "mono", ASCII: o.ASCII, renderer: r, glyphs: unicodeGlyphs}
	if o.ASCII {
		t.glyphs = asciiGlyphs
	}
	p := palettes[name]
	if !t.Color {
		p = palettes["mono"]
	}
	t.Styles = p.styles(r)
	t.states = t.stateStyles()
	return t, nil
}

// Renderer returns the renderer of the theme's styles, for styles of a caller's own.
func (t *Theme) Renderer() *lipgloss.Renderer { return t.renderer }
