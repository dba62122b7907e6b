package cmdline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"mydbg/intercept/compress"
	"mydbg/intercept/proxyproto"
	"mydbg/intercept/rule"
	"mydbg/intercept/tlspair"
	"mydbg/tui/theme"
)

// read understands a command line in an environment given as NAME=VALUE.
func read(t *testing.T, args []string, environment ...string) (*Settings, error) {
	t.Helper()
	s := &Settings{}
	var err error
	cmd := &cobra.Command{Use: "mydbg", SilenceErrors: true, SilenceUsage: true, RunE: func(cmd *cobra.Command, _ []string) error {
		return s.Read(cmd, func(name string) string {
			for _, e := range environment {
				if v, ok := strings.CutPrefix(e, name+"="); ok {
					return v
				}
			}
			return ""
		})
	}}
	s.AddServer(cmd)
	s.Add(cmd, "127.0.0.1:4040")
	cmd.SetFlagErrorFunc(FlagError)
	cmd.SetArgs(args)
	err = cmd.Execute()
	return s, err
}

func mustRead(t *testing.T, args []string, environment ...string) *Settings {
	t.Helper()
	s, err := read(t, args, environment...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFlags(t *testing.T) {
	s := mustRead(t, nil)
	if d := cmp.Diff([]string{"127.0.0.1:4040", "127.0.0.1:3306"}, append(s.Listen, s.Backend...)); d != "" {
		t.Errorf("by default: want -, got +\n%s", d)
	}
	if s.ClientTLS != tlspair.Preferred || s.BackendTLS != tlspair.Mirror || s.JSON || s.Filter != nil {
		t.Errorf("by default: %+v", s)
	}
	s = mustRead(t, []string{
		"--proxy-address", ":1", "-P", "unix:/s", "--proxy-backend-addresses=h:1", "-b", "demo", "--proxy-read-only-backend-addresses", "r", "-r", "q:2",
		"--proxy-lua-script", "a.lua", "-s", "b.lua", "--backend-tls=VERIFY-CA", "--client_tls", "Required", "--log=json", "--filter", "rows > 1",
		"--break", "if verb in ['X', 'Y']",
	})
	got := [][]string{s.Listen, s.Backend, s.BackendRO, s.Scripts}
	want := [][]string{{":1", "unix:/s"}, {"h:1", "demo"}, {"r", "q:2"}, {"a.lua", "b.lua"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +\n%s", d)
	}
	if s.ClientTLS != tlspair.Required || s.BackendTLS != tlspair.VerifyCA || !s.JSON || s.Filter.String() != "rows > 1" {
		t.Errorf("got %+v", s)
	}
}

func TestTheCommandLineComesBeforeTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mydbg.toml")
	text := "listen = [':1', ':2']\nbackend = 'h:3'\nread_only = true\nfilter = 'rows > 1'\nproxy-lua-script = []\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustRead(t, []string{"--config", file, "--listen", ":4"})
	if d := cmp.Diff([]string{":4", "h:3", "true", "rows > 1"}, append(s.Listen, s.Backend[0], fmt.Sprint(s.ReadOnly), s.Filter.String())); d != "" {
		t.Errorf("want -, got +\n%s", d)
	}
}

func TestTheme(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		env  []string
		want theme.Options
	}{
		{"nothing said", nil, nil, theme.Options{Name: "auto"}},
		{"NO_COLOR", nil, []string{"NO_COLOR=1"}, theme.Options{Name: "auto", NoColor: true}},
		{"NO_COLOR overruled", []string{"--color=always"}, []string{"NO_COLOR=1"}, theme.Options{Name: "auto"}},
		{"no colours asked", []string{"--color", "never", "--theme", "dark"}, nil, theme.Options{Name: "dark", NoColor: true}},
		{"a dumb terminal", nil, []string{"TERM=dumb"}, theme.Options{Name: "auto", NoColor: true}},
		{"a locale without UTF-8", nil, []string{"LC_ALL=C", "LANG=de_DE.UTF-8"}, theme.Options{Name: "auto", ASCII: true}},
		{"a locale with it", nil, []string{"LANG=C.utf8"}, theme.Options{Name: "auto"}},
		{"ASCII asked", []string{"--ascii"}, []string{"LANG=C.UTF-8"}, theme.Options{Name: "auto", ASCII: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, mustRead(t, tt.args, tt.env...).Theme); d != "" {
				t.Errorf("want -, got +\n%s", d)
			}
		})
	}
}

func TestReadOnlyLetsLookingOn(t *testing.T) {
	for _, tt := range []struct {
		rule string
		ok   bool
	}{
		{"if write", true},
		{"do log if write", true},
		{"do mark; bell if write", true},
		{"for 2s then continue if write", true},
		{"for 2s then err 1205 if write", false},
		{"do delay 1s if write", false},
		{"do rewrite \"select 1\" if write", false},
	} {
		if _, err := read(t, []string{"--read-only", "--break", tt.rule}); (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.rule, err)
		}
	}
}

func TestUnattended(t *testing.T) {
	var said []string
	s := mustRead(t, []string{"--break", "a if write", "--break", "b do mark if write", "--break", "c for 2s then continue if write"})
	rules, changed := s.Unattended()
	for _, r := range rules {
		said = append(said, r.Do[0].Kind.String())
	}
	if d := cmp.Diff([]string{"log", "mark", "pause", s.Rules[0].String()}, append(said, changed...)); d != "" {
		t.Errorf("want -, got +\n%s", d)
	}
	if s.Rules[0].Do[0].Kind != rule.Pause {
		t.Error("it changed the settings")
	}
}

func TestExplain(t *testing.T) {
	_, syntax := rule.Compile("rows > 1 and rowz")
	_, several := rule.ParseRules("at nowhere\nif rowz\n")
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"plain", errors.New("x"), "x"},
		{"several causes in one sentence", fmt.Errorf("%w: %w", errors.New("a"), errors.New("b")), "a: b"},
		{"a condition", Wrong("--filter: %w", syntax), "--filter: unknown field \"rowz\" at 14, did you mean \"rows\"?\n    rows > 1 and rowz\n                 ^"},
		{"all of a file", Wrong("f: %w", several), "f: line 1: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Explain(tt.err); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	if got := Explain(several); strings.Count(got, "^") != 2 {
		t.Errorf("not every error has its caret:\n%s", got)
	}
}

func TestSuggestion(t *testing.T) {
	known := []string{"listen", "backend", "backend-tls", "filter"}
	for word, want := range map[string]string{
		"lisen": `, did you mean "--listen"?`, "backend-tsl": `, did you mean "--backend-tls"?`, "fitler": `, did you mean "--filter"?`, "quux": "", "filtr": `, did you mean "--filter"?`,
	} {
		if got := suggestion("--", word, known); got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{"", "rows > 1", "at query if verb == \"X\"", "do err 1205 if write", "(", "a/b c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		var out strings.Builder
		err := Check(&out, arg)
		var failure *Failure
		if err != nil && !errors.As(err, &failure) {
			t.Errorf("%q: an error without a status: %v", arg, err)
		}
		if (err == nil) == (out.Len() == 0) {
			t.Errorf("%q: said %q and %v", arg, out.String(), err)
		}
	})
}

func TestLegsThatDiffer(t *testing.T) {
	s := mustRead(t, nil)
	if s.ClientCompress != compress.Mirror || s.BackendCompress != compress.Mirror || s.ProxyProtocol != proxyproto.Off || s.BackendProxyProtocol != 0 {
		t.Errorf("by default: %+v", s)
	}
	s = mustRead(t, []string{
		"--client-compress=offer", "--backend-compress=zstd", "--proxy-protocol=accept", "--proxy-protocol-from=10.1.2.3/8",
		"--proxy-protocol-from", "::1", "--backend-proxy-protocol", "v2",
	})
	if s.ClientCompress != compress.Offer || s.BackendCompress != compress.WantZstd || s.ProxyProtocol != proxyproto.Accept || s.BackendProxyProtocol != 2 {
		t.Errorf("got %+v", s)
	}
	if got := fmt.Sprint(s.ProxyFrom); got != "[10.0.0.0/8 ::1/128]" {
		t.Errorf("headers are believed from %s", got)
	}
	for _, args := range [][]string{
		{"--client-compress=zlib"},
		{"--backend-compress=offer"},
		{"--proxy-protocol=maybe"},
		{"--backend-proxy-protocol=v3"},
		{"--proxy-protocol-from=10.0.0.0/8"},
		{"--proxy-protocol=accept", "--proxy-protocol-from=localhost"},
	} {
		if _, err := read(t, args); err == nil {
			t.Errorf("%q is understood", args)
		}
	}
}
