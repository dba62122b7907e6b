package cmdline

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// MySQLProxy are the options of MySQL Proxy that have no name of ours, so that its command lines and
// configuration files work.
type MySQLProxy struct {
	NoProxy          bool // no listener for the application
	PoolNoChangeUser bool
	VerboseShutdown  bool
	User             string // to become once the ports are open
	PIDFile, LogFile string
	LogLevel         string // of what scripts log: error … debug; "" is all
	Admin            Admin

	// ConnectTimeout, ReadTimeout and WriteTimeout are 0 where the proxy's own are meant.
	ConnectTimeout, ReadTimeout, WriteTimeout time.Duration

	// Ignored says, one sentence each, what was asked for and has no meaning here.
	Ignored []string

	base, defaults         string
	plugins                []string
	connect, read, written float64 // seconds
	level                  choice
}

// Admin is the listener of --plugins=admin.
type Admin struct {
	On                              bool
	Address, User, Password, Script string
}

// meaningless are options without a meaning here, with the reason.
var meaningless = []struct {
	name, why string
	value     any // of the option's kind
}{
	{"proxy-skip-profiling", "it has no effect in MySQL Proxy 0.8 either", false},
	{"proxy-fix-bug-25371", "it has no effect in MySQL Proxy 0.8 either", false},
	{"daemon", "mydbg stays in the foreground: have a service manager or nohup run it", false},
	{"keepalive", "a panic ends one connection, not the program: have a service manager start it anew if need be", false},
	{"plugin-dir", "there are no plugins to load", ""},
	{"log-use-syslog", "log lines go to standard output: pipe them to logger, or use --log-file", false},
	{"log-backtrace-on-crash", "a crash always shows where", false},
	{"max-open-files", "the limit is raised as far as the system allows by itself", 0},
	{"event-threads", "all processors are used", 0},
	{"debug-address", "there is no debug plugin: type Lua at a held event instead", ""},
	{"replicant-master-address", "there is no replicant plugin", ""},
	{"replicant-username", "there is no replicant plugin", ""},
	{"replicant-password", "there is no replicant plugin", ""},
	{"replicant-read-binlogs", "there is no replicant plugin", []string(nil)},
}

// AddMySQLProxy gives cmd the options of MySQL Proxy.
func (s *Settings) AddMySQLProxy(cmd *cobra.Command) {
	f := cmd.Flags()
	m := &s.MySQLProxy
	f.StringVar(&m.defaults, "defaults-file", "", "MySQL Proxy's configuration `FILE`, [mysql-proxy] in INI form; the command line comes first")
	f.BoolVar(&m.NoProxy, "no-proxy", false, "do not listen for the application")
	f.BoolVar(&m.PoolNoChangeUser, "proxy-pool-no-change-user", false, "take pooled connections over without COM_CHANGE_USER")
	f.Float64Var(&m.connect, "proxy-connect-timeout", 10, "`SECONDS` that connecting to a server may take")
	f.Float64Var(&m.read, "proxy-read-timeout", 0, "`SECONDS` without a byte from either side after which a connection is closed; 0 is never")
	f.Float64Var(&m.written, "proxy-write-timeout", 0, "`SECONDS` that a side may take to accept what it is sent; 0 is any time")
	f.StringArrayVar(&m.plugins, "plugins", []string{"proxy"}, "`NAME` of a part to start: proxy, admin")
	f.StringVar(&m.Admin.Address, "admin-address", "127.0.0.1:4041", "`ADDRESS` of the admin listener")
	f.StringVar(&m.Admin.User, "admin-username", "", "`USER` who may log in there")
	f.StringVar(&m.Admin.Password, "admin-password", "", "and the `PASSWORD`")
	f.StringVar(&m.Admin.Script, "admin-lua-script", "", "Lua `FILE` that answers there; one comes with the program")
	f.StringVar(&m.base, "basedir", "", "absolute `DIRECTORY` that relative paths of scripts, log and process id start from")
	f.StringVar(&m.PIDFile, "pid-file", "", "`FILE` to write the process id to")
	f.StringVar(&m.User, "user", "", "`USER` to become once the ports are open")
	f.StringVar(&m.LogFile, "log-file", "", "`FILE` to append the lines to in place of standard output; SIGHUP reopens it")
	choose(cmd, &m.level, "log-level", "least `LEVEL` of what scripts log", "debug", "error", "critical", "warning", "message", "info")
	f.BoolVar(&m.VerboseShutdown, "verbose-shutdown", false, "say so when the program ends")
	f.BoolP("version", "V", false, "print the version")
	for _, o := range meaningless {
		switch v := o.value.(type) {
		case bool:
			f.Bool(o.name, v, "accepted; "+o.why)
		case int:
			f.Int(o.name, v, "accepted; "+o.why)
		case string:
			f.String(o.name, v, "accepted; "+o.why)
		case []string:
			f.StringArray(o.name, v, "accepted; "+o.why)
		}
		_ = f.MarkHidden(o.name) // it is new
	}
}

// readMySQLProxy understands what AddMySQLProxy's flags say.
func (s *Settings) readMySQLProxy(cmd *cobra.Command) error {
	f := cmd.Flags()
	m := &s.MySQLProxy
	if f.Lookup("defaults-file") == nil {
		return nil
	}
	if err := m.readDefaults(cmd); err != nil {
		return err
	}
	for _, o := range meaningless {
		if f.Changed(o.name) {
			m.Ignored = append(m.Ignored, fmt.Sprintf("--%s is accepted and has no meaning: %s", o.name, o.why))
		}
	}
	for _, t := range []struct {
		name    string
		seconds float64
		into    *time.Duration
	}{
		{"proxy-connect-timeout", m.connect, &m.ConnectTimeout}, {"proxy-read-timeout", m.read, &m.ReadTimeout}, {"proxy-write-timeout", m.written, &m.WriteTimeout},
	} {
		if t.seconds < 0 || t.seconds > 1e9 {
			return Wrong("--%s: want seconds, not %v", t.name, t.seconds)
		}
		*t.into = time.Duration(t.seconds * float64(time.Second))
	}
	if f.Changed("log-level") {
		m.LogLevel = m.level.value
	}
	if err := m.readPlugins(f); err != nil {
		return err
	}
	return m.readBase(s)
}

func (m *MySQLProxy) readPlugins(f *pflag.FlagSet) error {
	for _, name := range m.plugins {
		switch name {
		case "", "proxy":
		case "admin":
			m.Admin.On = true
		case "debug", "replicant":
			m.Ignored = append(m.Ignored, fmt.Sprintf("--plugins=%s: there is no such part here", name))
		default:
			return Wrong("--plugins: there is no %q%s", name, suggestion("", name, []string{"proxy", "admin"}))
		}
	}
	if !slices.Contains(m.plugins, "proxy") {
		m.NoProxy = true
	}
	switch {
	case m.Admin.On && (m.Admin.User == "" || m.Admin.Password == ""):
		return Wrong("--plugins=admin needs --admin-username and --admin-password")
	case !m.Admin.On && (f.Changed("admin-username") || f.Changed("admin-lua-script") || f.Changed("admin-address")):
		m.Ignored = append(m.Ignored, "the --admin options have no meaning without --plugins=admin")
	case !m.Admin.On && m.NoProxy:
		return Wrong("nothing is left to do: neither proxy nor admin is among --plugins")
	}
	return nil
}

// readBase has relative paths start from --basedir.
func (m *MySQLProxy) readBase(s *Settings) error {
	if m.base == "" {
		return nil
	}
	if !filepath.IsAbs(m.base) {
		return Wrong("--basedir: want an absolute path, not %s", m.base)
	}
	under := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(m.base, *path)
		}
	}
	for _, p := range []*string{&m.PIDFile, &m.LogFile, &m.Admin.Script} {
		under(p)
	}
	for i := range s.Scripts {
		under(&s.Scripts[i])
	}
	return nil
}

// readDefaults takes from the defaults file what the command line does not say.
func (m *MySQLProxy) readDefaults(cmd *cobra.Command) error {
	if m.defaults == "" {
		return nil
	}
	info, err := os.Stat(m.defaults)
	switch {
	case err != nil:
		return Broken(fmt.Errorf("read the defaults: %w", err))
	case !info.Mode().IsRegular():
		return Wrong("--defaults-file: %s is no regular file", m.defaults)
	case info.Mode().Perm()&0o007 != 0:
		return Wrong("--defaults-file: others can get at %s, which may have passwords: chmod o-rwx %[1]s", m.defaults)
	}
	text, err := os.ReadFile(m.defaults)
	if err != nil {
		return Broken(fmt.Errorf("read the defaults: %w", err))
	}
	flags := cmd.Flags()
	given := map[string]bool{}
	flags.Visit(func(f *pflag.Flag) { given[f.Name] = true })
	group, n := "", 0
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		n++
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
			continue
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			group = line[1 : len(line)-1]
			continue
		case group != "mysql-proxy":
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		f := flags.Lookup(name)
		switch {
		case !ok:
			return Wrong("%s:%d: want NAME = VALUE, not %q", m.defaults, n, line)
		case f == nil || slices.Contains([]string{"config", "defaults-file", "help", "version"}, f.Name):
			return Wrong("%s:%d: there is no option %q%s", m.defaults, n, name, suggestion("", name, flagNames(flags)))
		case given[f.Name]:
			continue
		}
		var v any = value
		if _, list := f.Value.(pflag.SliceValue); list {
			var all []any
			for _, item := range strings.Split(value, ",") {
				if item = strings.TrimSpace(item); item != "" {
					all = append(all, item)
				}
			}
			v = all
		}
		if err := configure(f, v); err != nil {
			return Wrong("%s:%d: %s: %w", m.defaults, n, name, err)
		}
		f.Changed = true
	}
	return nil
}
