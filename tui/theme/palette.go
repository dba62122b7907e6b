package theme

import "github.com/charmbracelet/lipgloss"

// A palette gives colours to the meanings; an empty string is the terminal's own foreground or background.
type palette struct {
	held, heldText                              string // background and text of what is paused
	wait, edited, crafted, good, script, bad    string
	slow, accent, key, str, num, word, fn, note string

	bold bool // high contrast: everything coloured is bold, and nothing is faint
	mono bool
}

// The numbers are the ANSI colours: 0 black, 1 red, 2 green, 3 yellow, 4 blue, 5 magenta, 6 cyan, 7 white, 8 to 15 bright.
var palettes = map[string]palette{
	"dark": {
		held: "11", heldText: "0",
		wait: "6", edited: "5", crafted: "13", good: "2", script: "12", bad: "9",
		slow: "11", accent: "14", key: "6", str: "10", num: "13", word: "12", fn: "14", note: "",
	},
	"light": {
		held: "11", heldText: "0",
		wait: "4", edited: "5", crafted: "5", good: "2", script: "4", bad: "1",
		slow: "3", accent: "4", key: "4", str: "2", num: "5", word: "4", fn: "6", note: "",
	},
	"high-contrast": {
		held: "11", heldText: "0",
		wait: "14", edited: "13", crafted: "13", good: "10", script: "14", bad: "9",
		slow: "11", accent: "15", key: "14", str: "10", num: "13", word: "15", fn: "14", note: "15",
		bold: true,
	},
	"mono": {mono: true},
}

func (p palette) styles(r *lipgloss.Renderer) Styles {
	plain := r.NewStyle()
	fg := func(c string) lipgloss.Style {
		s := plain
		if c != "" {
			s = s.Foreground(lipgloss.Color(c))
		}
		return s.Bold(p.bold)
	}
	dim := plain.Faint(!p.bold)
	held := plain.Bold(true).Reverse(true)
	if !p.mono {
		held = plain.Bold(true).Foreground(lipgloss.Color(p.heldText)).Background(lipgloss.Color(p.held))
	}
	return Styles{
		Text: plain, Dim: dim, Strong: plain.Bold(true),

		InFlight: fg(p.wait),
		Held:     held,
		Gone:     fg(p.bad).Bold(true),
		Edited:   fg(p.edited).Underline(p.mono),
		Injected: fg(p.good).Bold(p.mono || p.bold),
		Crafted:  fg(p.crafted).Bold(true),
		Script:   fg(p.script).Underline(p.mono),
		Error:    fg(p.bad).Bold(true),
		Slow:     fg(p.slow).Bold(p.mono || p.bold),
		Noise:    dim,
		Replayed: fg(p.script),
		Partial:  dim,
		Marked:   plain.Bold(true),

		Selected:      plain.Reverse(true),
		SelectedBlur:  plain.Underline(true),
		Cursor:        plain.Reverse(true).Bold(true),
		Match:         fg(p.slow).Underline(true).Bold(true),
		Border:        dim,
		BorderFocused: fg(p.accent),
		Title:         plain,
		TitleFocused:  fg(p.accent).Bold(true),
		Tab:           dim,
		TabActive:     plain.Bold(true).Underline(true),

		Header:     plain.Reverse(true),
		HeaderWarn: held,
		FooterKey:  fg(p.accent).Bold(true),
		FooterText: dim,
		NewKey:     fg(p.slow).Bold(true).Underline(true),
		Info:       plain,
		Warning:    fg(p.slow).Bold(true),
		Fatal:      fg(p.bad).Bold(true).Reverse(true),

		Key:     fg(p.key),
		Value:   plain,
		String:  fg(p.str),
		Number:  fg(p.num),
		Null:    dim.Italic(true),
		Empty:   dim,
		Invalid: fg(p.bad).Bold(true).Underline(true),

		Keyword:     fg(p.word).Bold(true),
		Ident:       plain,
		Function:    fg(p.fn),
		Operator:    plain,
		Comment:     fg(p.note).Italic(true).Faint(!p.bold),
		Punctuation: plain,

		Offset:     dim,
		Field:      fg(p.accent).Bold(true),
		Changed:    fg(p.edited).Underline(true),
		Zero:       dim,
		Annotation: fg(p.key),
		Added:      fg(p.good).Bold(p.mono || p.bold),
		Removed:    fg(p.bad).Underline(p.mono),
	}
}
