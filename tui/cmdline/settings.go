// Package cmdline is what people say to mydbg before it starts: flags, the configuration file, and the
// conditions and rules in them. It understands everything first and starts nothing; what is wrong is
// an error that says where, and what may have been meant.
package cmdline

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mydbg/intercept"
	"mydbg/intercept/compress"
	"mydbg/intercept/proxyproto"
	"mydbg/intercept/rule"
	"mydbg/intercept/tlspair"
	"mydbg/script"
	"mydbg/tui/theme"
)

// Settings are what flags and the configuration file say. Make them with Add, read them after Read.
type Settings struct {
	Listen                             []string
	Backend, BackendRO                 []string // addresses, "demo" or "replay:FILE"
	Scripts                            []string
	ReadOnly                           bool
	BackendCA, BackendCert, BackendKey string
	StateDir                           string
	LuaPath, LuaCPath                  string
	LuaDeadline                        time.Duration // of a hook; 0 is none
	Sandbox                            bool          // scripts do not reach beyond the proxy
	MySQLProxy                         MySQLProxy
	AllowCleartext                     bool // passwords may cross a plain server leg in clear text

	Recording Recording

	ASCII bool // drawn with ASCII alone

	// What Read has understood.
	Filter, FailIf                  *rule.Expr // nil without one
	Rules                           []*rule.Rule
	ClientTLS, BackendTLS           tlspair.Mode
	ProxyProtocol                   proxyproto.Mode
	ProxyFrom                       []netip.Prefix
	BackendProxyProtocol            int // version
	ClientCompress, BackendCompress compress.Mode
	JSON                            bool
	Theme                           theme.Options

	filter, failIf, rules, config                  string
	breaks                                         []string
	clientTLS, backendTLS, log, themeName, colours choice
	proxyProtocol, backendProxyProtocol            choice
	proxyFrom                                      []string
	clientCompress, backendCompress                choice
}

// choice is a flag with few values.
type choice struct {
	value string
	of    []string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.of, "|") }

func (c *choice) Set(s string) error {
	plain := func(name string) string { return strings.ReplaceAll(strings.ToLower(name), "-", "_") }
	if i := slices.IndexFunc(c.of, func(name string) bool { return plain(name) == plain(s) }); i >= 0 {
		c.value = c.of[i]
		return nil
	}
	return fmt.Errorf("use one of %s%s", strings.Join(c.of, ", "), suggestion("", strings.ToLower(s), c.of))
}

func choose(cmd *cobra.Command, c *choice, name, usage string, of ...string) {
	*c = choice{of[0], of}
	cmd.Flags().Var(c, name, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(of, cobra.ShellCompDirectiveNoFileComp)) // it is new
}

// AddServer gives cmd the flags of a command whose server can be chosen.
func (s *Settings) AddServer(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&s.Backend, "backend", "b", []string{"127.0.0.1:3306"}, "server `ADDRESS`, or demo for an embedded one; of several a client gets the one with the fewest clients")
	f.StringArrayVarP(&s.BackendRO, "backend-ro", "r", nil, "read-only server `ADDRESS`, for scripts to choose")
	choose(cmd, &s.backendTLS, "backend-tls", "TLS to the server, a `MODE`: mirror (as the client does), disabled, preferred, required, verify_ca or verify_identity",
		"mirror", "disabled", "preferred", "required", "verify_ca", "verify_identity")
	choose(cmd, &s.backendProxyProtocol, "backend-proxy-protocol", "tell the server who the client is, with a PROXY header of this `VERSION`: off, v1 or v2", proxyproto.Versions...)
	choose(cmd, &s.backendCompress, "backend-compress", "compression to the server, a `MODE`: mirror (as the client does), disabled, zlib or zstd",
		compress.ServerModes...)
	f.StringVar(&s.BackendCA, "backend-ca", "", "PEM `FILE` of the authorities that may sign the server's certificate")
	f.StringVar(&s.BackendCert, "backend-cert", "", "PEM `FILE` with a client certificate for the server")
	f.StringVar(&s.BackendKey, "backend-key", "", "PEM `FILE` with its key")
	f.BoolVar(&s.AllowCleartext, "allow-cleartext", false, "let passwords that a client sends over TLS cross to the server in clear text")
}

// Add gives cmd the flags that every command has that runs a proxy. listen is where it does by default.
func (s *Settings) Add(cmd *cobra.Command, listen string) {
	f := cmd.Flags()
	f.StringArrayVarP(&s.Listen, "listen", "P", []string{listen}, "`ADDRESS` for clients; port 0 takes a free one")
	choose(cmd, &s.clientTLS, "client-tls", "TLS for clients, a `MODE`: preferred, disabled or required", "preferred", "disabled", "required")
	choose(cmd, &s.proxyProtocol, "proxy-protocol", "PROXY headers in front of clients' connections, a `MODE`: off, accept (with or without) or require", proxyproto.Modes...)
	f.StringArrayVar(&s.proxyFrom, "proxy-protocol-from", nil, "`NETWORK` whose PROXY headers are believed, 10.0.0.0/8 for example; all without this")
	choose(cmd, &s.clientCompress, "client-compress", "compression for clients, a `MODE`: mirror (what the server offers), disabled or offer", compress.ClientModes...)
	f.StringArrayVarP(&s.Scripts, "script", "s", nil, "Lua `FILE` written for MySQL Proxy")
	f.StringVar(&s.LuaPath, "lua-path", "", "`PATTERNS` of files that require finds, as in LUA_PATH")
	f.StringVar(&s.LuaCPath, "lua-cpath", "", "`PATTERNS` of C libraries, which cannot be loaded: require says so")
	f.DurationVar(&s.LuaDeadline, "lua-deadline", script.DefaultDeadline, "how `LONG` a hook of a script may run; 0 is without limit, as in MySQL Proxy")
	f.BoolVar(&s.Sandbox, "sandbox", false, "withhold from scripts what reaches beyond the proxy: io, os.execute, files as code")
	f.StringVar(&s.failIf, "fail-if", "", "exit with status 1 if this `CONDITION` was true of any exchange")
	f.BoolVar(&s.ReadOnly, "read-only", false, "look on: change, answer and inject nothing")
	s.Recording.add(cmd)
	choose(cmd, &s.log, "log", "form of the lines where there is no screen", "text", "json")
	f.StringVar(&s.StateDir, "state-dir", "", "`DIRECTORY` of the certificate authority for clients")
	s.AddScreen(cmd)
}

// AddScreen gives cmd the flags about what is shown, and how.
func (s *Settings) AddScreen(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&s.breaks, "break", nil, "`RULE`: [NAME] [at HOOK] [hit OP N] [once] [do ACTION] [if CONDITION]")
	f.StringVar(&s.rules, "rules", "", "`FILE` with one rule per line")
	f.StringVar(&s.filter, "filter", "", "show only exchanges for which this `CONDITION` is true")
	f.StringVar(&s.config, "config", "", "TOML `FILE` with the names of these flags as keys; the command line comes first")
	choose(cmd, &s.themeName, "theme", "colours of the screen", theme.Names...)
	choose(cmd, &s.colours, "color", "whether the screen has colours", "auto", "always", "never")
	f.BoolVar(&s.ASCII, "ascii", false, "draw with ASCII characters; so do locales without UTF-8")
	f.SetNormalizeFunc(normalize)
}

// proxyNames are what MySQL Proxy called our flags.
var proxyNames = map[string]string{
	"proxy-address": "listen", "proxy-backend-addresses": "backend",
	"proxy-read-only-backend-addresses": "backend-ro", "proxy-lua-script": "script",
	"help-all": "help", "help-proxy": "help", "help-admin": "help",
}

func normalize(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	name = strings.ReplaceAll(name, "_", "-")
	if ours, ok := proxyNames[name]; ok {
		name = ours
	}
	return pflag.NormalizedName(name)
}

// Read understands what the flags of cmd and the configuration file say.
func (s *Settings) Read(cmd *cobra.Command, getenv func(string) string) error {
	if err := s.readConfig(cmd); err != nil {
		return err
	}
	if err := s.readMySQLProxy(cmd); err != nil {
		return err
	}
	var err error
	if s.Filter, err = condition("filter", s.filter); err != nil {
		return err
	}
	if s.FailIf, err = condition("fail-if", s.failIf); err != nil {
		return err
	}
	if err := s.readRules(); err != nil {
		return err
	}
	if err := s.Recording.check(); err != nil {
		return err
	}
	if s.clientTLS.of != nil { // there is traffic, see Add
		if err := s.readTraffic(); err != nil {
			return err
		}
	}
	s.JSON = s.log.value == "json"
	s.Theme = s.theme(getenv)
	return nil
}

// readTraffic understands the flags of commands that run a proxy.
func (s *Settings) readTraffic() (err error) {
	for name, addresses := range map[string][]string{"listen": s.Listen, "backend": s.Backend, "backend-ro": s.BackendRO} {
		for _, a := range addresses {
			if name != "listen" && strings.HasPrefix(a, "replay:") {
				continue
			}
			if _, err := intercept.ParseAddress(a, 1); err != nil {
				return Wrong("--%s: %w", name, err)
			}
		}
	}
	if s.ClientTLS, err = tlspair.ParseMode(s.clientTLS.value); err != nil {
		return Wrong("--client-tls: %w", err)
	}
	if s.backendTLS.value != "" {
		if s.BackendTLS, err = tlspair.ParseMode(s.backendTLS.value); err != nil {
			return Wrong("--backend-tls: %w", err)
		}
	}
	if err := s.readProxyProtocol(); err != nil {
		return err
	}
	if s.ClientCompress, err = compress.ParseMode(s.clientCompress.value); err != nil {
		return Wrong("--client-compress: %w", err)
	}
	if s.backendCompress.value != "" {
		if s.BackendCompress, err = compress.ParseMode(s.backendCompress.value); err != nil {
			return Wrong("--backend-compress: %w", err)
		}
	}
	return nil
}

func (s *Settings) readProxyProtocol() (err error) {
	if s.ProxyProtocol, err = proxyproto.ParseMode(s.proxyProtocol.value); err != nil {
		return Wrong("--proxy-protocol: %w", err)
	}
	if s.backendProxyProtocol.value != "" {
		if s.BackendProxyProtocol, err = proxyproto.ParseVersion(s.backendProxyProtocol.value); err != nil {
			return Wrong("--backend-proxy-protocol: %w", err)
		}
	}
	if len(s.proxyFrom) > 0 && s.ProxyProtocol == proxyproto.Off {
		return Wrong("--proxy-protocol-from: no headers are expected. Add --proxy-protocol accept or require")
	}
	for _, text := range s.proxyFrom {
		n, err := netip.ParsePrefix(text)
		if a, err2 := netip.ParseAddr(text); err2 == nil {
			n, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return Wrong("--proxy-protocol-from: %q is no network: write it as 10.0.0.0/8 or 10.1.2.3", text)
		}
		s.ProxyFrom = append(s.ProxyFrom, n.Masked())
	}
	return nil
}

func condition(flag, src string) (*rule.Expr, error) {
	if src == "" {
		return nil, nil
	}
	x, err := rule.Compile(src)
	if err != nil {
		return nil, Wrong("--%s: %w", flag, err)
	}
	return x, nil
}

func (s *Settings) readRules() error {
	for _, line := range s.breaks {
		r, err := rule.ParseRule(line)
		if err != nil {
			return Wrong("--break: %w", err)
		}
		s.Rules = append(s.Rules, r)
	}
	if s.rules != "" {
		text, err := os.ReadFile(s.rules)
		if err != nil {
			return Broken(fmt.Errorf("read the rules: %w", err))
		}
		list, err := rule.ParseRules(string(text))
		if err != nil {
			return Wrong("%s: %w", s.rules, err)
		}
		s.Rules = append(s.Rules, list...)
	}
	if !s.ReadOnly {
		return nil
	}
	if len(s.Scripts) > 0 {
		return Wrong("--read-only and --script: a script can change traffic. Leave one of them out")
	}
	for _, r := range s.Rules {
		for _, a := range append(slices.Clone(r.Do), r.Then) {
			if a.Kind > rule.Mark && a.Kind != rule.Continue {
				return Wrong("--read-only: the rule %q changes traffic (%s)", r.String(), a)
			}
		}
	}
	return nil
}

// theme is how the screen looks in this environment.
func (s *Settings) theme(getenv func(string) string) theme.Options {
	o := theme.Options{Name: s.themeName.value, ASCII: s.ASCII || !utf8Locale(getenv)}
	switch s.colours.value {
	case "never":
		o.NoColor = true
	case "auto":
		o.NoColor = getenv("NO_COLOR") != "" || getenv("TERM") == "dumb"
	}
	return o
}

// utf8Locale reports whether the locale has UTF-8. Where none is set, terminals of today have.
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}

// Unattended are the rules as they are where nobody can continue what they hold: what would pause
// without a limit is logged instead. It says which.
func (s *Settings) Unattended() (rules []*rule.Rule, changed []string) {
	for _, r := range s.Rules {
		pauses := func(a rule.Action) bool { return a.Kind == rule.Pause }
		if r.For > 0 || !slices.ContainsFunc(r.Do, pauses) {
			rules = append(rules, r)
			continue
		}
		logged := *r
		logged.Do = slices.Clone(r.Do)
		for i := range logged.Do {
			if pauses(logged.Do[i]) {
				logged.Do[i] = rule.Action{Kind: rule.Log, Text: "would pause here: " + r.String()}
			}
		}
		rules, changed = append(rules, &logged), append(changed, r.String())
	}
	return rules, changed
}

var errOneValue = errors.New("want one value, not a list")
