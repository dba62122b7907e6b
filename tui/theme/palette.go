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
		Text: Of(plain), Dim: Of(dim), Strong: Of(plain.Bold(true)),

		InFlight: Of(fg(p.wait)),
		Held:     Of(held),
		Gone:     Of(fg(p.bad).Bold(true)),
		Edited:   Of(fg(p.edited).Underline(p.mono)),
		Injected: Of(fg(p.good).Bold(p.mono || p.bold)),
		Crafted:  Of(fg(p.crafted).Bold(true)),
		Script:   Of(fg(p.script).Underline(p.mono)),
		Error:    Of(fg(p.bad).Bold(true)),
		Slow:     Of(fg(p.slow).Bold(p.mono || p.bold)),
		Noise:    Of(dim),
		Replayed: Of(fg(p.script)),
		Partial:  Of(dim),
		Marked:   Of(plain.Bold(true)),

		Selected:      Of(plain.Reverse(true)),
		SelectedBlur:  Of(plain.Underline(true)),
		Cursor:        Of(plain.Reverse(true).Bold(true)),
		Match:         Of(fg(p.slow).Underline(true).Bold(true)),
		Border:        Of(dim),
		BorderFocused: Of(fg(p.accent)),
		Title:         Of(plain),
		TitleFocused:  Of(fg(p.accent).Bold(true)),
		Tab:           Of(dim),
		TabActive:     Of(plain.Bold(true).Underline(true)),

		Header:     Of(plain.Reverse(true)),
		HeaderWarn: Of(held),
		FooterKey:  Of(fg(p.accent).Bold(true)),
		FooterText: Of(dim),
		NewKey:     Of(fg(p.slow).Bold(true).Underline(true)),
		Info:       Of(plain),
		Warning:    Of(fg(p.slow).Bold(true)),
		Fatal:      Of(fg(p.bad).Bold(true).Reverse(true)),

		Key:     Of(fg(p.key)),
		Value:   Of(plain),
		String:  Of(fg(p.str)),
		Number:  Of(fg(p.num)),
		Null:    Of(dim.Italic(true)),
		Empty:   Of(dim),
		Invalid: Of(fg(p.bad).Bold(true).Underline(true)),

		Keyword:     Of(fg(p.word).Bold(true)),
		Ident:       Of(plain),
		Function:    Of(fg(p.fn)),
		Operator:    Of(plain),
		Comment:     Of(fg(p.note).Italic(true).Faint(!p.bold)),
		Punctuation: Of(plain),

		Offset:     Of(dim),
		Field:      Of(fg(p.accent).Bold(true)),
		Changed:    Of(fg(p.edited).Underline(true)),
		Zero:       Of(dim),
		Annotation: Of(fg(p.key)),
		Added:      Of(fg(p.good).Bold(p.mono || p.bold)),
		Removed:    Of(fg(p.bad).Underline(p.mono)),
	}
}
