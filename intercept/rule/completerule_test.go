package rule

import (
	"slices"
	"strings"
	"testing"
)

func TestCompleteRule(t *testing.T) {
	for _, tt := range []struct {
		src      string // the cursor is at |
		has, not []string
	}{
		{"|", []string{"at", "if", "do"}, []string{"query"}},
		{"at |", []string{"query", "auth_result"}, []string{"if"}},
		{"at query,re|", []string{"result"}, []string{"query"}},
		{"at query |", []string{"hit", "if"}, []string{"at"}},
		{"hit |", []string{"%", ">="}, nil},
		{"hit % 3 per |", []string{"conn", "digest"}, nil},
		{"do |", []string{"pause", "err", "rewrite"}, []string{"continue"}},
		{"do log \"x\"; b|", []string{"bell"}, []string{"pause"}},
		{"for 3s |", []string{"then"}, []string{"if"}},
		{"for 3s then |", []string{"continue", "err"}, []string{"pause"}},
		{"do log \"x|", nil, []string{"if", "log"}},
		{"x do err 1213 if ta|", []string{"tables"}, []string{"at"}},
		{"if verb == |", []string{`"UPDATE"`}, nil},
	} {
		src, rest, _ := strings.Cut(tt.src, "|")
		var got []string
		for _, c := range CompleteRule(src+rest, len(src)) {
			got = append(got, c.Text)
			if c.From > c.To || c.To != len(src) || c.Doc == "" && !strings.HasPrefix(c.Text, `"`) {
				t.Errorf("%s: %+v", tt.src, c)
			}
		}
		for _, w := range tt.has {
			if !slices.Contains(got, w) {
				t.Errorf("%s: no %s in %q", tt.src, w, got)
			}
		}
		for _, w := range tt.not {
			if slices.Contains(got, w) {
				t.Errorf("%s: offers %s", tt.src, w)
			}
		}
	}
}

func FuzzCompleteRule(f *testing.F) {
	f.Add(`a at query do log "x" if verb == "`, 20)
	f.Fuzz(func(t *testing.T, src string, pos int) {
		for _, c := range CompleteRule(src, pos) {
			if c.From < 0 || c.From > c.To || c.To > len(src) {
				t.Fatalf("%+v", c)
			}
		}
	})
}
