// Command mydbg is an interactive terminal debugger for MySQL and MariaDB traffic: a proxy that
// stops at every step of a connection and shows a person what is there to decide.
//
// This file wires the parts together; what they do is in the packages intercept (the proxy), script
// (Lua), sessions (the demo server) and tui (the command line and the screen).
//
// Exit status: 0 done, 1 a --fail-if matched, 2 wrong usage or configuration, 3 could not start,
// 130 interrupted from the keyboard. Being told to end (SIGTERM) is an ordinary end.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"mydbg/intercept"
	"mydbg/intercept/eventlog"
	"mydbg/intercept/proxyproto"
	"mydbg/intercept/tlspair"
	"mydbg/script"
	"mydbg/sessions"
	"mydbg/sessions/demo"
	"mydbg/sessions/demo/shop"
	"mydbg/sessions/replay"
	"mydbg/sessions/serve"
	"mydbg/tui"
	"mydbg/tui/cmdline"
	"mydbg/tui/scripts"
)

func main() { os.Exit(run(os.Args[1:])) }

// errShutdown is why a run ends that a script ends.
var errShutdown = errors.New("a script called chassis.set_shutdown")

// interrupted is why a run ends that a signal ended.
type interrupted struct{ os.Signal }

func (i interrupted) Error() string { return "ended by a signal: " + i.String() }

// run is the program. The first SIGINT or SIGTERM ends it in good order, the second at once.
func run(args []string) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the process
		s := <-signals
		signal.Stop(signals)
		cancel(interrupted{s})
	}()
	// A reader of our lines that leaves is an error of write, not the end of the clients' traffic.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	root := commands()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var f *cmdline.Failure
	if !errors.As(err, &f) {
		f = &cmdline.Failure{Status: cmdline.Misused, Err: err} // cobra's own
	}
	if f.Err != nil {
		fmt.Fprintf(os.Stderr, "mydbg: %s\n", cmdline.Explain(f.Err))
	}
	if f.Status == cmdline.Misused {
		fmt.Fprintf(os.Stderr, "See %s --help\n", cmd.CommandPath())
	}
	return f.Status
}

const about = `mydbg sits between an application and its MySQL or MariaDB server, shows what passes, stops it
where you say, and lets you change it.

Point the application at the address of --listen instead of the server's. Clients that ask for
TLS get it; those that verify certificates should trust
%s
which is made when it is first needed.

Addresses are host:port, :port (on 127.0.0.1) or unix:/path; as a backend also "demo". The names
that MySQL Proxy gave its options work too: --proxy-address, --proxy-backend-addresses,
--proxy-read-only-backend-addresses, --proxy-lua-script, and -P, -b, -r, -s.`

// commands are all there are.
func commands() *cobra.Command {
	dir, err := tlspair.DefaultDir()
	if err != nil {
		dir = "the directory of --state-dir"
	}
	plain, ofDemo, ofProxy := &cmdline.Settings{}, &cmdline.Settings{Backend: []string{"demo"}}, &cmdline.Settings{}
	root := &cobra.Command{
		Use: "mydbg", Short: "An interactive debugger for MySQL and MariaDB traffic", Long: fmt.Sprintf(about, filepath.Join(dir, "ca.pem")),
		Example: "  mydbg --backend 127.0.0.1:3306\n  mydbg --break 'stock if verb == \"UPDATE\" and \"stock\" in tables'",
		Version: version(), SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return (&session{Settings: plain}).run(cmd, true) },
	}
	plain.AddServer(root)
	plain.Add(root, "127.0.0.1:4040")

	demonstration := &cobra.Command{
		Use: "demo", Short: "Try it on an embedded server with a small shop that sends traffic", Args: cobra.NoArgs,
		Long: "The screen in front of an embedded server with sample data, and a small shop application that\n" +
			"sends traffic through it. Nothing needs to be installed and nothing is kept.",
		Example: "  mydbg demo\n  mydbg demo --log json | head -n 20",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return (&session{Settings: ofDemo, shop: true}).run(cmd, true)
		},
	}
	ofDemo.Add(demonstration, "127.0.0.1:0")

	proxy := &cobra.Command{
		Use: "proxy", Short: "The same without a screen: one line per event on standard output", Args: cobra.NoArgs, Version: version(),
		Long: "Relays, runs scripts and rules, and writes one line for each exchange and each notice.\n" +
			"Nobody is there to continue what a breakpoint holds: rules that would hold are logged instead.",
		Example: "  mydbg proxy --backend db.example:3306 --log json --filter 'ms > 200'\n" +
			"  mydbg proxy --fail-if 'error.code == 1213'\n  mydbg proxy -P :4040 -b 127.0.0.1:3306 -s rw.lua",
		RunE: func(cmd *cobra.Command, _ []string) error { return (&session{Settings: ofProxy}).run(cmd, false) },
	}
	ofProxy.AddServer(proxy)
	ofProxy.AddMySQLProxy(proxy)
	ofProxy.Add(proxy, "127.0.0.1:4040")

	root.AddCommand(demonstration, proxy, opening(), replaying(), serving(), &cobra.Command{
		Use: "check FILE-or-EXPR", Short: "Say what a condition, a rule, a file of rules or a Lua script means", Args: cobra.ExactArgs(1),
		Example: "  mydbg check 'ms > 200 and not chatter'\n  mydbg check 'at query do err 1142 if verb == \"DROP\"'\n  mydbg check rw.lua",
		RunE:    func(cmd *cobra.Command, args []string) error { return cmdline.Check(cmd.OutOrStdout(), args[0]) },
	}, cmdline.NewExport(), cmdline.NewDiff(), &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs, Example: "  mydbg version",
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "mydbg version", version()) },
	})
	root.SetFlagErrorFunc(cmdline.FlagError)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Example = "  mydbg help proxy"
		case "completion":
			c.Example = "  source <(mydbg completion bash)"
			for _, shell := range c.Commands() {
				shell.Example = "  mydbg completion " + shell.Name()
			}
		}
	}
	return root
}

// opening is the command that shows a file.
func opening() *cobra.Command {
	settings, port := &cmdline.Settings{}, uint16(0)
	open := &cobra.Command{
		Use: "open FILE", Short: "Show a recorded session, or any pcap or pcapng of MySQL traffic", Args: cobra.ExactArgs(1),
		Long: "The same screens as for live traffic, without any: s and n step forwards, p back, c goes to the next\n" +
			"match of a breakpoint, f shows only what matches a condition. FILE may be packed with gzip.",
		Example: "  mydbg open session.pcapng\n  mydbg open --break 'if error.code == 1213' dump.pcap.gz",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := settings.Read(cmd, os.Getenv); err != nil {
				return err
			}
			if !term.IsTerminal(os.Stdout.Fd()) {
				return cmdline.Broken(errors.New("mydbg open is a screen, and standard output is no terminal"))
			}
			o := tui.Options{Theme: settings.Theme}
			if settings.Filter != nil {
				o.Filter = settings.Filter.String()
			}
			if err := tui.Open(cmd.Context(), args[0], port, settings.Rules, o); err != nil && cmd.Context().Err() == nil {
				return cmdline.Broken(err)
			}
			return ended(cmd.Context())
		},
	}
	settings.AddScreen(open)
	open.Flags().Uint16Var(&port, "port", 0, "`PORT` of the server beside 3306, where the beginning of connections was not captured")
	return open
}

// replaying is the command that sends a recording to a server.
func replaying() *cobra.Command {
	r := &cmdline.Replay{}
	cmd := &cobra.Command{
		Use: "replay FILE --backend ADDRESS", Short: "Send a recorded session to a server and compare its answers", Args: cobra.ExactArgs(1),
		Long: "Logs in afresh and sends what each recorded connection sent, in its order and at its pace; compares rows, values,\n" +
			"types, counts, errors and warnings. What writes is left out without --writes. Exit status 1 means differences.",
		Example: "  mydbg replay session.pcapng --backend 127.0.0.1:3307 --user app\n" +
			"  mydbg replay session.pcapng --backend staging:3306 --speed max --log json --output differences.jsonl\n" +
			"  mydbg replay session.pcapng --backend 127.0.0.1:3307 --step --break 'if verb == \"UPDATE\"'",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			rd, o, err := r.Open(cmd, args[0])
			if err != nil {
				return err
			}
			defer rd.Close() // only read
			if !r.Step {
				return r.Run(cmd.Context(), cmd, rd, o)
			}
			return stepping(cmd, r, rd, o)
		},
	}
	r.Add(cmd)
	return cmd
}

// stepping sends a recording through the proxy, so that the screen can stop it.
func stepping(cmd *cobra.Command, r *cmdline.Replay, rd *sessions.Reader, o replay.Options) error {
	report, closeReport, err := r.Report(cmd.OutOrStdout())
	if err != nil {
		return err
	}
	var results []replay.Result // written when the screen has gone
	var totals replay.Totals
	s := &session{Settings: &r.Settings}
	s.traffic = func(ctx context.Context) {
		o.Address, o.TLS = s.tcp, tlspair.Disabled
		o.Seen = func(res replay.Result) {
			if res.Outcome == replay.Differs || res.Outcome == replay.Failed {
				results = append(results, res)
				s.proxy.Journal.Note(intercept.Warning, 0, 0, "replay: %s", strings.TrimSpace(replay.Text(&res)))
			}
		}
		var err error
		if totals, err = replay.Run(ctx, rd, o); err != nil && ctx.Err() == nil {
			s.proxy.Journal.Note(intercept.Error, 0, 0, "replay: %v", err)
			return
		}
		s.proxy.Journal.Note(intercept.Info, 0, 0, "replay: %s", totals.String())
	}
	if err := s.run(cmd, true); err != nil {
		return errors.Join(err, closeReport())
	}
	for _, res := range results {
		report.Seen(res)
	}
	if err := errors.Join(report.Close(totals), closeReport()); err != nil {
		return cmdline.Broken(err)
	}
	return cmdline.Outcome(cmd.Context(), totals)
}

// serving is the command that answers from a recording.
func serving() *cobra.Command {
	f := &cmdline.Serve{}
	cmd := &cobra.Command{
		Use: "serve FILE", Short: "Answer clients from a recorded session, without a server", Args: cobra.ExactArgs(1),
		Long: "Greets as the recorded server and answers each statement as it was answered, found by its digest and values, in the recorded\n" +
			"order. A statement that is not recorded gets an error that names the nearest one; a report at the end counts them.\n" +
			"With a screen: mydbg --backend replay:FILE.",
		Example: "  mydbg serve session.pcapng --listen 127.0.0.1:3306\n  mydbg serve session.pcapng --on-miss forward:127.0.0.1:3307 --latency recorded",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s := &session{Settings: &f.Settings, serve: *f}
			if s.serveOptions, err = f.Options(); err != nil {
				return err
			}
			s.serveOptions.Log = func(m serve.Miss) { s.proxy.Journal.Note(intercept.Warning, 0, 0, "%s", m.String()) }
			f.Backend = []string{"replay:" + args[0]}
			return s.run(cmd, false)
		},
	}
	f.Add(cmd)
	return cmd
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Version == "" {
		return "(devel) " + info.GoVersion
	}
	return info.Main.Version + " " + info.GoVersion
}

// session is one run of the proxy, with or without a screen.
type session struct {
	*cmdline.Settings
	shop         bool          // the shop sends traffic
	serve        cmdline.Serve // flags of serving; its zero value for backends that are recordings
	serveOptions serve.Options
	recordings   []*serve.Server
	readers      []*sessions.Reader // theirs
	// traffic sends traffic of its own through the proxy until ctx ends; nil for none.
	traffic func(ctx context.Context)

	proxy     *intercept.Proxy
	engines   []*script.Engine
	scripting script.Options // of engines
	console   *script.Console
	logFile   *os.File // nil where lines go to standard output
	listen    []string // where clients connect
	tcp       string   // the first of them that is TCP
	servers   []*demo.Server
	record    *sessions.Recorder // nil when nothing can be recorded

	beside sync.WaitGroup // what runs beside the proxy, see goes
	stop   context.CancelCauseFunc
}

// run starts everything, shows it until the person, a signal or a reader that leaves ends it, and closes
// everything.
func (s *session) run(cmd *cobra.Command, screen bool) (err error) {
	if err := s.Read(cmd, os.Getenv); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(cmd.Context())
	s.stop = stop
	if screen && !term.IsTerminal(os.Stdout.Fd()) {
		tell("standard output is no terminal: running as mydbg proxy does, one line per event")
		screen = false
	}
	defer s.beside.Wait()
	defer s.close()
	if err := s.start(ctx, screen); err != nil {
		return err
	}
	s.watch(ctx)
	events, failed := s.log(screen)
	if screen {
		err = s.screen(ctx)
	} else {
		s.introduce()
		select {
		case <-ctx.Done():
		case <-events: // its reader left
		}
	}
	s.close()
	defer func() {
		if s.logFile != nil {
			_ = s.logFile.Close() // its lines have been written
		}
		if s.MySQLProxy.VerboseShutdown {
			status := 0
			if f := (*cmdline.Failure)(nil); errors.As(err, &f) {
				status = f.Status
			}
			tell("shutting down normally, exit code is: %d", status)
		}
	}()
	if failed() {
		return &cmdline.Failure{Status: cmdline.Matched}
	}
	return errors.Join(err, ended(ctx))
}

// ended is the failure that the cause of a run's end means.
func ended(ctx context.Context) error {
	var signal interrupted
	var bug *panicked
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &bug):
		return cmdline.Broken(bug)
	case errors.As(cause, &signal) && signal.Signal == os.Interrupt:
		return &cmdline.Failure{Status: cmdline.Interrupted}
	}
	return nil
}

// start makes the servers, the proxy, its hooks and its listeners.
func (s *session) start(ctx context.Context, screen bool) error {
	backends, err := s.backends(ctx)
	if err != nil {
		return err
	}
	o := intercept.Options{
		Backends: backends, ClientTLS: s.ClientTLS, BackendTLS: s.BackendTLS, BackendCA: s.BackendCA,
		BackendCert: s.BackendCert, BackendKey: s.BackendKey, StateDir: s.StateDir,
		AllowCleartext: s.AllowCleartext,
		ClientCompress: s.ClientCompress, BackendCompress: s.BackendCompress,
		ProxyProtocol: s.ProxyProtocol, ProxyFrom: s.ProxyFrom, BackendProxyProtocol: s.BackendProxyProtocol,
		PoolNoChangeUser: s.MySQLProxy.PoolNoChangeUser, ConnectTimeout: s.MySQLProxy.ConnectTimeout,
		ReadTimeout: s.MySQLProxy.ReadTimeout, WriteTimeout: s.MySQLProxy.WriteTimeout,
	}
	if screen || s.Recording.Path != "" {
		if err := s.recorder(screen); err != nil {
			return cmdline.Broken(err)
		}
		o.Tap = s.record
	}
	s.proxy, err = intercept.New(o)
	if err != nil {
		return cmdline.Broken(err)
	}
	if err := s.load(); err != nil {
		return err
	}
	rules, note := s.Rules, ""
	if !screen {
		var changed []string
		if rules, changed = s.Unattended(); len(changed) > 0 {
			note = "nobody is there to continue what these rules hold, so they log instead: " + strings.Join(changed, "; ")
		}
	}
	for _, r := range rules {
		s.proxy.Breakpoints.AddRule(r)
	}
	if note != "" {
		s.proxy.Journal.Note(intercept.Warning, 0, 0, "%s", note)
	}
	for _, address := range s.Listen {
		if s.MySQLProxy.NoProxy {
			break
		}
		at, err := s.proxy.Listen(address)
		if err != nil {
			return cmdline.Broken(err)
		}
		s.listening(at)
	}
	if err := s.asMySQLProxy(); err != nil {
		return err
	}
	if s.shop {
		return s.open(ctx)
	}
	if s.traffic != nil {
		if s.tcp == "" {
			return cmdline.Wrong("the recording is sent over TCP: give --listen a host:port")
		}
		s.goes(func() { s.traffic(ctx) })
	}
	return nil
}

// recorder makes what keeps the traffic. Its trouble with the disk is no trouble of the traffic.
func (s *session) recorder(screen bool) (err error) {
	o := s.Recording.Options(screen)
	o.Trouble = func(err error) {
		if err == nil {
			s.proxy.Journal.Note(intercept.Info, 0, 0, "recording goes on")
			return
		}
		s.proxy.Journal.Note(intercept.Error, 0, 0, "%v", err)
		if !screen {
			tell("%v", err)
		}
	}
	s.record, err = sessions.NewRecorder(o)
	return err
}

// backends are the servers of the settings, the embedded one started where it is asked for.
func (s *session) backends(ctx context.Context) (list []intercept.Backend, err error) {
	for i, address := range append(s.Backend[:len(s.Backend):len(s.Backend)], s.BackendRO...) {
		if address == "demo" {
			server, err := demo.Start(context.WithoutCancel(ctx), demo.Options{}) // it is closed after the proxy
			if err != nil {
				return nil, cmdline.Broken(err)
			}
			s.servers = append(s.servers, server)
			address = server.Addr()
		}
		if path, ok := strings.CutPrefix(address, "replay:"); ok {
			dial, err := s.recorded(path)
			if err != nil {
				return nil, err
			}
			list = append(list, intercept.Backend{Address: address, ReadOnly: i >= len(s.Backend), Dial: dial})
			continue
		}
		list = append(list, intercept.Backend{Address: address, ReadOnly: i >= len(s.Backend)})
	}
	return list, nil
}

// recorded makes a backend of a recording. Nothing but its clients needs TLS then.
func (s *session) recorded(path string) (dial func(context.Context) (net.Conn, error), err error) {
	server, r, err := s.serve.OpenServer(path, s.serveOptions)
	if err != nil {
		return nil, err
	}
	if s.BackendTLS == tlspair.Mirror {
		s.BackendTLS = tlspair.Disabled
	}
	s.readers, s.recordings = append(s.readers, r), append(s.recordings, server)
	return server.Dial, nil
}

// load makes hooks of the scripts. What they print goes to the log.
func (s *session) load() error {
	s.scripting = script.Options{Servers: s.proxy, Path: s.LuaPath, CPath: s.LuaCPath, Deadline: s.LuaDeadline, Sandbox: s.Sandbox, Shutdown: func() { s.stop(errShutdown) }, Output: func(l script.Line) {
		if !l.Level.Reaches(s.MySQLProxy.LogLevel) {
			return
		}
		level := intercept.Info
		switch l.Level {
		case script.Warning, script.Hint:
			level = intercept.Warning
		case script.Critical, script.Failure:
			level = intercept.Error
		}
		where := filepath.Base(l.Script)
		if l.Source > 0 {
			where = fmt.Sprintf("%s:%d", where, l.Source)
		}
		s.proxy.Journal.Note(level, l.Conn, l.Exchange, "%s: %s", where, l.Long())
	}}
	o := s.scripting
	if o.Deadline == 0 {
		o.Deadline, s.scripting.Deadline = -1, -1 // without limit
	}
	var hooks []intercept.Hook
	for _, path := range s.Scripts {
		e, err := script.Load(path, o)
		if _, unreadable := os.Stat(path); unreadable != nil {
			return cmdline.Broken(fmt.Errorf("read the script: %w", unreadable))
		}
		if err != nil {
			return cmdline.Wrong("--script: %w", err)
		}
		s.engines, hooks = append(s.engines, e), append(hooks, e)
	}
	s.proxy.SetHooks(hooks...)
	s.console = script.NewConsole(o, s.engines...)
	return nil
}

// asMySQLProxy does what only options of MySQL Proxy ask for.
func (s *session) asMySQLProxy() error {
	m := &s.MySQLProxy
	for _, line := range m.Ignored {
		tell("%s", line)
		s.proxy.Journal.Note(intercept.Warning, 0, 0, "%s", line)
	}
	if m.Admin.On {
		o := script.AdminOptions{User: m.Admin.User, Password: m.Admin.Password, Path: m.Admin.Script}
		if len(s.engines) > 0 {
			o.With = s.engines[0]
		}
		admin, err := script.NewAdmin(s.scripting, o)
		if err != nil {
			return cmdline.Wrong("--admin-lua-script: %w", err)
		}
		at, err := s.proxy.ListenWith(m.Admin.Address, admin)
		if err != nil {
			return cmdline.Broken(err)
		}
		tell("admin listener on %s", at)
	}
	if m.PIDFile != "" {
		if err := os.WriteFile(m.PIDFile, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
			return cmdline.Broken(fmt.Errorf("write the process id: %w", err))
		}
	}
	if m.User != "" {
		return cmdline.Become(m.User)
	}
	return nil
}

// listening notes where clients connect, and warns when others than this machine's can.
func (s *session) listening(at net.Addr) {
	tcp, ok := at.(*net.TCPAddr)
	if !ok {
		s.listen = append(s.listen, "unix:"+at.String())
		return
	}
	s.listen = append(s.listen, at.String())
	if s.tcp == "" {
		s.tcp = at.String()
	}
	if !tcp.IP.IsLoopback() {
		const warning = "WARNING: %s can be reached from other machines. Whoever connects there gets to the server " +
			"as if from this one, and you see what they send. Listen on 127.0.0.1 unless you want that"
		tell(warning, at)
		s.proxy.Journal.Note(intercept.Warning, 0, 0, warning, at)
	}
}

// open has the shop send its traffic through the proxy.
func (s *session) open(ctx context.Context) error {
	if s.tcp == "" {
		return cmdline.Wrong("the shop connects over TCP: give --listen a host:port")
	}
	s.goes(func() { // ends with ctx
		err := shop.Run(ctx, shop.Options{Addr: s.tcp, Log: func(line string) {
			s.proxy.Journal.Note(intercept.Info, 0, 0, "shop: %s", line)
		}})
		if err != nil {
			s.proxy.Journal.Note(intercept.Error, 0, 0, "shop: %v", err)
		}
	})
	return nil
}

// watch notes, until ctx ends, what a person waits for at first: whether the servers answer, and the
// certificate clients should trust once one uses TLS.
func (s *session) watch(ctx context.Context) {
	for _, b := range s.proxy.Backends() {
		if b.Dial != nil { // it is in this process
			continue
		}
		s.goes(func() {
			if err := probe(ctx, b.Address, s.BackendProxyProtocol); err != nil && ctx.Err() == nil {
				s.proxy.Journal.Note(intercept.Warning, 0, 0, "server %s: %v. It is tried anew for each client; set it with --backend", b.Address, err)
			}
		})
	}
	s.goes(func() {
		for bell := s.proxy.Journal.Listen(); ; {
			for _, c := range s.proxy.Conns() {
				if c.ClientTLS == "" {
					continue
				}
				if file, err := s.proxy.CAFile(); err == nil {
					s.proxy.Journal.Note(intercept.Info, 0, 0, "clients use TLS. Those that verify certificates should trust %s", file)
				}
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-bell:
			}
			select { // once a second is enough
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	})
}

// probe reports why clients will not get anywhere at address. To the server it is a client that leaves
// before its login, which is no harm once. header is the version of the PROXY header it expects, 0 for none.
func probe(ctx context.Context, address string, header int) error {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return fmt.Errorf("%w (is it running?)", err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if header > 0 {
		h := proxyproto.Header{Version: header, Kind: proxyproto.Local}
		b, err := h.Append(nil)
		if err != nil {
			return err
		}
		if _, err := c.Write(b); err != nil {
			return fmt.Errorf("send it a PROXY header: %w", err)
		}
	}
	head := make([]byte, 5) // length, sequence number, first byte
	n, err := io.ReadFull(c, head)
	switch greets := head[3] == 0 && (head[4] == 10 || head[4] == 0xff); {
	case err == nil && greets:
		return nil
	case n == 0:
		return errors.New("it takes connections but sends no greeting (is it a MySQL server?)")
	}
	return fmt.Errorf("it does not greet as a MySQL server, but with %q", head[:n])
}

// log writes the events. The channel closes when it has ended, failed waits for that and says whether a
// --fail-if matched.
func (s *session) log(screen bool) (ended <-chan struct{}, failed func() bool) {
	o := eventlog.Options{Out: os.Stdout, JSON: s.JSON, Filter: s.Filter, FailIf: s.FailIf, Trouble: func(err error) { tell("%v", err) }}
	if screen {
		if s.FailIf == nil {
			return nil, func() bool { return false }
		}
		o.Out = io.Discard
	}
	if path := s.MySQLProxy.LogFile; path != "" {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o660)
		if err != nil {
			tell("%v. The lines go to standard output", err)
		} else {
			o.Out, s.logFile = f, f
		}
	}
	log := eventlog.New(s.proxy, o)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.goes(func() {
		defer close(done)
		_ = log.Run(ctx) // the reader left, which ends the run
	})
	return done, func() bool {
		stop()
		<-done
		if n := log.Totals().Lost; n > 0 && s.FailIf != nil {
			tell("%d exchanges were lost before --fail-if could be asked about them", n)
		}
		x := log.Failed()
		if x != nil {
			tell("--fail-if was true of %d exchanges, first of #%d on connection %d: %.200q", log.Totals().Failing, x.Seq, x.Conn, x.SQL)
		}
		return x != nil
	}
}

// screen shows the debugger.
func (s *session) screen(ctx context.Context) error {
	o := tui.Options{
		Proxy: s.proxy, Listen: s.listen, Backend: strings.Join(s.Backend, ", "), Theme: s.Theme, ReadOnly: s.ReadOnly, Snippets: snippets{s.console},
	}
	if s.record != nil {
		o.Recorder = s.record
	}
	if s.Filter != nil {
		o.Filter = s.Filter.String()
	}
	if s.shop {
		o.Demo = &tui.DemoInfo{Title: "Demo: a small shop on an embedded server", Lines: s.hint()}
	}
	if err := tui.Run(ctx, o); err != nil && ctx.Err() == nil {
		return cmdline.Broken(err)
	}
	return nil
}

// snippets is the console as the screen knows it.
type snippets struct{ c *script.Console }

func (s snippets) Run(ctx context.Context, ev *intercept.Event, code string) scripts.Result {
	r := s.c.Run(ctx, ev, code)
	return scripts.Result{Output: r.Output, Verdict: r.Verdict, Describe: r.Describe, Err: r.Err}
}

func (s snippets) Scripts() (list []scripts.Status) {
	for _, st := range s.c.Scripts() {
		out := scripts.Status{Name: filepath.Base(st.Path), OK: st.OK, Conns: st.Conns}
		if st.Err != nil {
			out.Err = st.Err.Error()
		}
		for _, h := range st.Hooks {
			out.Calls += h.Calls
		}
		list = append(list, out)
	}
	return list
}

func (s snippets) Lines() (list []scripts.Line) {
	for _, l := range s.c.Lines() {
		list = append(list, scripts.Line{
			At: l.At, Script: filepath.Base(l.Script), Source: l.Source, Exchange: l.Exchange, Conn: l.Conn,
			Text: l.Text, Failed: l.Level == script.Failure,
		})
	}
	slices.SortStableFunc(list, func(a, b scripts.Line) int { return a.At.Compare(b.At) }) // each script's are in order
	return list
}

// introduce says how to use what has been started, where there is no screen to do so.
func (s *session) introduce() {
	if len(s.listen) > 0 {
		tell("listening on %s, server %s", strings.Join(s.listen, ", "), strings.Join(s.Backend, ", "))
	}
	if s.shop {
		tell("connect a client of your own, or watch the shop:")
		for _, line := range s.hint() {
			fmt.Fprintln(os.Stderr, "  "+line)
		}
		return
	}
	if _, port, err := net.SplitHostPort(s.tcp); err == nil {
		tell("point the application at port %s of 127.0.0.1; the name localhost may mean a socket", port)
	}
}

func (s *session) hint() []string { return demo.Hint(s.tcp) }

// goes runs f beside the proxy; run waits for it. A panic in it ends the run instead of the process,
// so that the screen can give the terminal back.
func (s *session) goes(f func()) {
	s.beside.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				s.stop(&panicked{v, debug.Stack()})
			}
		}()
		f()
	})
}

// panicked is a bug found by running into it.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string {
	return fmt.Sprintf("internal error, please report: %v\n%s", p.value, p.stack)
}

// close ends everything, in the order in which nobody loses an answer. What is held goes on unchanged.
func (s *session) close() {
	s.stop(nil)
	if s.proxy != nil {
		if err := s.proxy.Close(); err != nil {
			tell("%v", err)
		}
	}
	if s.record != nil {
		_ = s.record.Close() // its trouble has been told
	}
	for _, server := range s.servers {
		if err := server.Close(); err != nil {
			tell("%v", err)
		}
	}
	s.servers = nil
	for i, server := range s.recordings {
		tell("%s: %s", s.readers[i].Path(), cmdline.ServeReport(server.Totals()))
		_ = s.readers[i].Close() // only read
	}
	s.recordings, s.readers = nil, nil
}

// tell writes a line for the person at the keyboard.
func tell(format string, args ...any) { fmt.Fprintf(os.Stderr, "mydbg: "+format+"\n", args...) }
