package theme

// A State is what has become of an event or an exchange.
type State uint8

const (
	Done     State = iota // crossed unchanged, answered OK
	InFlight              // sent, not answered yet
	Held                  // paused at a hook
	Gone                  // paused, and a peer has left
	Edited                // sent as changed by the user
	Draft                 // changed by the user, not sent yet
	Injected              // sent by the tool beside the client's own
	Crafted               // answered by the tool, or an answer replaced
	Script                // changed by a script
	Error                 // answered with an error
	Slow                  // took longer than the limit
	NPlus1                // one of many with the same digest
	Chatter               // SET NAMES, ping and the like
	Replayed              // sent again from a recording
	Partial               // not all of it was kept or decoded
	Marked                // by the user
	stateCount
)

type stateLook struct {
	name, glyph, ascii, tag string
	style                   func(*Styles) Style
}

// The glyphs are one cell wide, their ASCII forms one or two.
var stateLooks = [stateCount]stateLook{
	Done:     {"done", "", "", "OK", func(s *Styles) Style { return s.Text }},
	InFlight: {"in flight", "…", "..", "", func(s *Styles) Style { return s.InFlight }},
	Held:     {"paused", "‖", "||", "PAUSED", func(s *Styles) Style { return s.Held }},
	Gone:     {"paused, peer gone", "✗", "x", "GONE", func(s *Styles) Style { return s.Gone }},
	Edited:   {"edited", "✎", "*", "EDIT", func(s *Styles) Style { return s.Edited }},
	Draft:    {"draft", "✎", "*", "DRAFT", func(s *Styles) Style { return s.Edited }},
	Injected: {"injected", "+", "+", "INJ", func(s *Styles) Style { return s.Injected }},
	Crafted:  {"crafted", "⊘", "!", "FAKE", func(s *Styles) Style { return s.Crafted }},
	Script:   {"changed by script", "λ", "%", "LUA", func(s *Styles) Style { return s.Script }},
	Error:    {"error", "✖", "E", "ERR", func(s *Styles) Style { return s.Error }},
	Slow:     {"slow", "◷", "s", "SLOW", func(s *Styles) Style { return s.Slow }},
	NPlus1:   {"N+1", "≡", "=", "N+1", func(s *Styles) Style { return s.Slow }},
	Chatter:  {"chatter", "≡", "=", "CHAT", func(s *Styles) Style { return s.Noise }},
	Replayed: {"replayed", "↺", "r", "REPLAY", func(s *Styles) Style { return s.Replayed }},
	Partial:  {"partial", "~", "~", "PART", func(s *Styles) Style { return s.Partial }},
	Marked:   {"marked", "●", "#", "MARK", func(s *Styles) Style { return s.Marked }},
}

// States are all states, in the order of the help screen.
func States() []State {
	all := make([]State, stateCount)
	for i := range all {
		all[i] = State(i)
	}
	return all
}

// String names the state in words.
func (s State) String() string {
	if s >= stateCount {
		return "unknown state"
	}
	return stateLooks[s].name
}

// Tag is the state as the list writes it. In flight has none: the time passed stands there instead.
func (s State) Tag() string {
	if s >= stateCount {
		return ""
	}
	return stateLooks[s].tag
}

// Glyph is the state's sign in this theme, unstyled; at most two cells, empty for Done.
func (t *Theme) Glyph(s State) string {
	switch {
	case s >= stateCount:
		return ""
	case t.ASCII:
		return stateLooks[s].ascii
	default:
		return stateLooks[s].glyph
	}
}

// State is the style of the state's glyph and tag.
func (t *Theme) State(s State) Style {
	if s >= stateCount {
		return t.Text
	}
	return t.states[s]
}

func (t *Theme) stateStyles() (styles [stateCount]Style) {
	for i := range styles {
		styles[i] = stateLooks[i].style(&t.Styles)
	}
	return styles
}
