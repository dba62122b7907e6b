package theme

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"
)

func renderer(p termenv.Profile) *lipgloss.Renderer {
	r := lipgloss.NewRenderer(os.Stdout)
	r.SetColorProfile(p)
	r.SetHasDarkBackground(true)
	return r
}

func mustNew(t *testing.T, o Options) *Theme {
	t.Helper()
	if o.Renderer == nil {
		o.Renderer = renderer(termenv.ANSI)
	}
	th, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

func TestNew(t *testing.T) {
	light := func() bool { return false }
	for _, tt := range []struct {
		name string
		in   Options
		want string // theme and colour
	}{
		{"asks for the background", Options{}, "dark true"},
		{"believes the answer", Options{Dark: light}, "light true"},
		{"is told", Options{Name: "light"}, "light true"},
		{"needs no background without colour", Options{NoColor: true, Dark: light}, "mono false"},
		{"keeps a named theme without colour", Options{Name: "dark", NoColor: true}, "dark false"},
		{"has a theme without colour", Options{Name: "mono"}, "mono false"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th := mustNew(t, tt.in)
			if got := fmt.Sprint(th.Name, " ", th.Color); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if _, err := New(Options{Name: "pink"}); err == nil || !strings.Contains(err.Error(), "high-contrast") {
		t.Errorf("unknown theme: got %v, want an error that lists the known ones", err)
	}
}

// Only the 16 colours of the terminal, and none at all in mono.
func TestColours(t *testing.T) {
	for _, name := range []string{"dark", "light", "high-contrast", "mono", "dark without colour"} {
		t.Run(name, func(t *testing.T) {
			base, noColor := strings.CutSuffix(name, " without colour")
			th := mustNew(t, Options{Name: base, NoColor: noColor, Renderer: renderer(termenv.TrueColor)})
			var out bytes.Buffer
			v := reflect.ValueOf(th.Styles)
			for i := range v.NumField() {
				style := v.Field(i).Interface().(Style)
				got := style.Render("x")
				fmt.Fprintf(&out, "%-14s %q\n", v.Type().Field(i).Name, got)
				for _, code := range sgr(got) {
					if colour := code >= 30 && code < 50 || code >= 90; colour && !th.Color {
						t.Errorf("%s has colour: %q", v.Type().Field(i).Name, got)
					}
					if code == 38 || code == 48 {
						t.Errorf("%s is not one of the 16 colours: %q", v.Type().Field(i).Name, got)
					}
				}
			}
			golden.RequireEqual(t, out.Bytes())
		})
	}
}

// sgr returns the numbers of all style sequences in s.
func sgr(s string) (codes []int) {
	for part := range strings.SplitSeq(s, "\x1b[") {
		params, _, ok := strings.Cut(part, "m")
		if !ok {
			continue
		}
		for p := range strings.SplitSeq(params, ";") {
			var n int
			if _, err := fmt.Sscan(p, &n); err == nil {
				codes = append(codes, n)
			}
		}
	}
	return codes
}

func TestStates(t *testing.T) {
	var out strings.Builder
	plain, ascii := mustNew(t, Options{Name: "dark"}), mustNew(t, Options{Name: "mono", ASCII: true})
	tags := map[string]State{}
	for _, s := range States() {
		fmt.Fprintf(&out, "%-18s|%-2s|%-2s|%-7s|%s\n", s, plain.Glyph(s), ascii.Glyph(s), s.Tag(), plain.State(s).Render(s.Tag()))
		if other, ok := tags[s.Tag()]; ok {
			t.Errorf("%s and %s share the tag %q", s, other, s.Tag())
		}
		tags[s.Tag()] = s
		if w := ansi.StringWidth(plain.Glyph(s)); w > 1 {
			t.Errorf("glyph of %s is %d wide", s, w)
		}
		for _, r := range ascii.Glyph(s) {
			if r > 0x7e {
				t.Errorf("ASCII glyph of %s is %q", s, ascii.Glyph(s))
			}
		}
	}
	golden.RequireEqual(t, []byte(out.String()))
	if bad := State(200); plain.Glyph(bad) != "" || bad.Tag() != "" || bad.String() != "unknown state" {
		t.Error("a state out of range is drawn")
	}
}

func TestBar(t *testing.T) {
	th := mustNew(t, Options{Name: "dark", ASCII: true})
	for _, tt := range []struct {
		done, total, w int
		want           string
	}{
		{0, 10, 4, "...."}, {5, 10, 4, "##.."}, {10, 10, 4, "####"}, {99, 10, 4, "####"}, {1, 0, 4, "...."}, {-1, 10, 2, ".."}, {1, 1, 0, ""},
	} {
		if got := th.Bar(tt.done, tt.total, tt.w); got != tt.want {
			t.Errorf("Bar(%d, %d, %d): got %q, want %q", tt.done, tt.total, tt.w, got, tt.want)
		}
	}
}
