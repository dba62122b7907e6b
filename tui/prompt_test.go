package tui

import "testing"

// What people type behind the "if " that is there already, and the rule that comes of it.
func TestBreakPromptTakesWhatIsMeant(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{`verb == "UPDATE"`, `if verb == "UPDATE"`},
		{`if verb == "UPDATE"`, `if verb == "UPDATE"`},
		{`at result if rows > 2`, `at result if rows > 2`},
	} {
		t.Run(c.typed, func(t *testing.T) {
			f := shop()
			f.breaks = nil
			d, _ := start(t, f, 120, 36, plain)
			d.Press("i")
			d.Type(c.typed)
			d.Press("enter")
			if len(f.breaks) != 1 || f.breaks[0].Rule.String() != c.want {
				t.Errorf("breakpoints: %v\n%s", f.breaks, d.Frame())
			}
		})
	}
}

func TestBreakPromptTakesABareCondition(t *testing.T) {
	f := shop()
	f.breaks = nil
	d, _ := start(t, f, 120, 36, plain)
	d.Press("i", "ctrl+u")
	d.Type(`verb == "UPDATE" and usr == 1`)
	d.Has("unknown", "^")
	d.Press("ctrl+u")
	d.Type(`verb == "UPDATE"`)
	d.Press("enter")
	if len(f.breaks) != 1 || f.breaks[0].Rule.String() != `if verb == "UPDATE"` {
		t.Errorf("breakpoints: %v\n%s", f.breaks, d.Frame())
	}
}
